"""A passage: what one role says until the other takes over, with the way back from its stream to turns, words and seconds.

A 嗯 or 对 of the listener does not end a passage, so a sentence that was cut by a backchannel is read as one. Streams hold no
punctuation and no filler syllables; ``clauses`` keeps where a clause began (punctuation, a new turn, or a pause in the word times).
What is not asked for is not worked out.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple

from qa_pipeline.model import Role, Turn
from qa_pipeline.text.pattern import FILLERS, strip
from qa_pipeline.text.stream import Stream

PAUSE_S = 0.4  # a pause within a turn that ends a clause
_SPACED = re.compile(r"(?<=[一-龥])\s[一-龥]")


@lru_cache(maxsize=8192)
def bare(text: str) -> str:
    """A turn's text without punctuation and fillers."""
    return strip(text)


class Position(NamedTuple):
    """A place in the conversation: turn, then character of the turn's text."""

    turn: int
    char: int


NOWHERE = Position(-1, 0)


class Passage:
    """What one role says in a row: ``chars`` and their ``sounds``, which begin at ``start`` in the stream of the call."""

    def __init__(self, index: int, turns: tuple[Turn, ...], stream: Stream, start: int, length: int) -> None:
        self.index = index
        self.role: Role = turns[0].role
        self.turns = turns
        self.stream = stream
        self.start = start
        self.length = length

    @cached_property
    def chars(self) -> str:
        return self.stream.chars[self.start : self.start + self.length]

    @cached_property
    def sounds(self) -> str:
        return self.stream.sounds[self.start : self.start + self.length]

    @cached_property
    def indices(self) -> tuple[int, ...]:
        """Of its turns in the conversation."""
        return tuple(turn.index for turn in self.turns)

    @cached_property
    def kept(self) -> tuple[tuple[int, ...], ...]:
        """For each turn the offsets in its text of the characters in the stream."""
        return tuple(_kept(turn.text) for turn in self.turns)

    @cached_property
    def begins(self) -> tuple[int, ...]:
        """Where each turn begins in the stream of the passage, and where the last one ends."""
        return tuple(accumulate((len(bare(turn.text)) for turn in self.turns), initial=0))

    @property
    def at(self) -> tuple[tuple[int, int], ...]:
        """For each character: position in ``turns``, and character in that turn's text."""
        return tuple((nth, char) for nth, kept in enumerate(self.kept) for char in kept)

    def place(self, offset: int) -> tuple[int, int]:
        """The same for one character, the last one for what lies beyond."""
        offset = min(offset, self.length - 1)
        if len(self.turns) == 1:
            return 0, self.kept[0][offset]
        nth = bisect_right(self.begins, offset) - 1
        return nth, self.kept[nth][offset - self.begins[nth]]

    def places(self, start: int, end: int) -> list[tuple[Turn, int, int]]:
        """The turns with characters from ``start`` to ``end``, each with the first and the last of these in its text."""
        if len(self.turns) == 1:
            kept = self.kept[0][start:end]
            return [(self.turns[0], kept[0], kept[-1])] if kept else []
        found = []
        for nth, (low, high) in enumerate(pairwise(self.begins)):
            first, last = max(low, start) - low, min(high, end) - low - 1
            if first <= last:
                found.append((self.turns[nth], self.kept[nth][first], self.kept[nth][last]))
        return found

    @cached_property
    def clauses(self) -> tuple[int, ...]:
        """Offsets at which a clause begins."""
        starts: list[int] = []
        for turn, kept, before in zip(self.turns, self.kept, self.begins, strict=False):
            starts += [before + begin for begin in _begins(turn, kept)]
        return tuple(starts)

    def position(self, offset: int) -> Position:
        if not self.length:
            return Position(self.turns[0].index, 0)
        nth, char = self.place(offset)
        return Position(self.turns[nth].index, char + (1 if offset >= self.length else 0))

    def turn_at(self, offset: int) -> Turn:
        return self.turns[self.place(offset)[0]] if self.length else self.turns[0]

    def clause(self, offset: int) -> tuple[int, int]:
        """Start and end of the clause around ``offset``."""
        nth = bisect_right(self.clauses, offset) - 1
        start = self.clauses[nth] if nth >= 0 else 0
        end = self.clauses[nth + 1] if nth + 1 < len(self.clauses) else self.length
        return start, end

    def turn_bounds(self, offset: int) -> tuple[int, int]:
        """Start and end, in the stream, of the turn around ``offset``."""
        nth = self.place(offset)[0]
        return self.begins[nth], self.begins[nth + 1]

    def parts(self, allowed: Collection[int], low: Position, high: Position | None) -> list[tuple[int, int]]:
        """The stretches of the stream in the turns ``allowed`` and from ``low`` to before ``high``."""
        found: list[tuple[int, int]] = []
        for turn, kept, begin in zip(self.turns, self.kept, self.begins, strict=False):
            if not kept or turn.index not in allowed or turn.index < low.turn or (high is not None and turn.index > high.turn):
                continue
            start = begin + (bisect_left(kept, low.char) if turn.index == low.turn else 0)
            end = begin + (bisect_left(kept, high.char) if high is not None and turn.index == high.turn else len(kept))
            if start >= end:
                continue
            if found and found[-1][1] == start:
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
        return found

    def raw(self, start: int, end: int) -> str:
        """The characters actually heard from ``start`` to ``end``, across turns with a …."""
        return "…".join(
            turn.raw[turn.to_raw[first] : turn.to_raw[last] + 1].strip() for turn, first, last in self.places(start, end)
        )

    def seconds(self, start: int, end: int) -> tuple[float | None, float | None]:
        """From the first to the last character: by word times, else by proportion within the turn."""
        if not self.length:
            return self.turns[0].start_s, self.turns[-1].end_s
        first, last = self.place(start), self.place(max(start, end - 1))
        return _time(self.turns[first[0]], first[1], False), _time(self.turns[last[0]], last[1], True)

    def confidence(self, start: int, end: int) -> float | None:
        """Mean recogniser confidence of the words there, else of the turn."""
        values: list[float] = []
        for turn, first, last in self.places(start, end):
            low, high = turn.to_raw[first], turn.to_raw[last]
            words = [word.confidence for word in turn.words if word.start <= high and word.end > low]
            values += words or ([turn.confidence] if turn.confidence is not None else [])
        return sum(values) / len(values) if values else None


def _time(turn: Turn, char: int, at_end: bool) -> float | None:
    if turn.start_s is None or turn.end_s is None:
        return None
    raw = turn.to_raw[char]
    for word in turn.words:
        if word.start <= raw < word.end:
            return word.end_s if at_end else word.start_s
    share = (char + (1 if at_end else 0)) / max(1, len(turn.text))
    return round(turn.start_s + share * (turn.end_s - turn.start_s), 3)


@lru_cache(maxsize=4096)
def _kept(text: str) -> tuple[int, ...]:
    """Offsets of the characters that ``strip`` leaves; it keeps or drops a character wherever that stands."""
    kept = frozenset(bare(text))
    return tuple([index for index, char in enumerate(text) if char in kept])


def _begins(turn: Turn, kept: tuple[int, ...]) -> list[int]:
    """Which of the kept characters begin a clause: after punctuation, a pause in the word times, or a space between phrases."""
    pauses = {later.start for earlier, later in pairwise(turn.words) if later.start_s - earlier.end_s >= PAUSE_S}
    spaced = _spaces_part_phrases(turn.raw)
    begins = []
    previous = -1
    for nth, index in enumerate(kept):
        apart = index - previous > 1 and any(char not in FILLERS and char != " " for char in turn.text[previous + 1 : index])
        if (
            nth == 0
            or apart
            or (pauses and turn.to_raw[index] in pauses)
            or (spaced and _SPACED.match(turn.raw, turn.to_raw[index] - 1))
        ):
            begins.append(nth)
        previous = index
    return begins


def _spaces_part_phrases(raw: str) -> bool:
    """Whether the recogniser writes spaces where others write a comma: some, but not one after every word."""
    spaces = len(_SPACED.findall(raw))
    return 0 < spaces <= len(raw) // 4
