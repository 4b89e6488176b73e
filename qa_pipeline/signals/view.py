"""A conversation as signals look at it: streams of characters and sounds with a way back to turns, words and seconds.

A *passage* is what one role says until the other takes over; a 嗯 or 对 of the listener does not end it, so a sentence that was cut by a
backchannel is read as one. Streams hold no punctuation and no filler syllables; ``clauses`` keeps where a clause began (punctuation, a
new turn, or a pause in the word times).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from qa_pipeline.model import Conversation, Role, Turn
from qa_pipeline.text.pattern import FILLERS, KEPT, Match, strip
from qa_pipeline.text.phonetic import phonetics

if TYPE_CHECKING:
    from qa_pipeline.signals.base import Hit

BETWEEN = "\n"  # between passages in the sounds of the whole call: no phrase crosses it
PAUSE_S = 0.4  # a pause within a turn that ends a clause
_BACKCHANNELS = frozenset(
    (
        "",
        "对",
        "对对",
        "对对对",
        "好",
        "好的",
        "好好",
        "好好好",
        "是",
        "是的",
        "是是",
        "行",
        "行行",
        "可以",
        "喂",
        "知道",
        "明白",
        "哼",
        "对的",
        "恩",
        "恩恩",
    )
)
_LISTENING = frozenset(
    ("", "对", "对对", "对对对", "是", "是是", "恩", "恩恩", "哼", "喂", "对的", "您说", "你说", "哦对", "是吗", "这样")
)


@lru_cache(maxsize=8192)
def bare(text: str) -> str:
    """A turn's text without punctuation and fillers."""
    return strip(text)


def is_backchannel(turn: Turn) -> bool:
    """嗯, 对, 好的: the listener shows that he listens. Never a refusal, never an interruption."""
    return bare(turn.text) in _BACKCHANNELS


def _only_listens(turn: Turn) -> bool:
    """Narrower: sounds that do not answer anything, so that the other's sentence goes on across them."""
    return bare(turn.text) in _LISTENING


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the conversation: turn, then character of the turn's text."""

    turn: int
    char: int


@dataclass(frozen=True, eq=False)
class Passage:
    """What one role says in a row: ``chars`` and their ``sounds``; where they stand is worked out when it is asked for."""

    index: int
    role: Role
    turns: tuple[Turn, ...]
    chars: str
    sounds: str

    @cached_property
    def at(self) -> tuple[tuple[int, int], ...]:
        """For each character: position in ``turns``, and character in that turn's text."""
        return tuple((nth, char) for nth, turn in enumerate(self.turns) for char in _kept(turn.text))

    @cached_property
    def clauses(self) -> tuple[int, ...]:
        """Offsets at which a clause begins."""
        starts: list[int] = []
        before = 0
        for turn in self.turns:
            kept = _kept(turn.text)
            starts += [before + begin for begin in _begins(turn, kept)]
            before += len(kept)
        return tuple(starts)

    def position(self, offset: int) -> Position:
        if not self.at:
            return Position(self.turns[0].index, 0)
        nth, char = self.at[min(offset, len(self.at) - 1)]
        return Position(self.turns[nth].index, char + (1 if offset >= len(self.at) else 0))

    def turn_at(self, offset: int) -> Turn:
        return self.turns[self.at[min(offset, len(self.at) - 1)][0]] if self.at else self.turns[0]

    def clause(self, offset: int) -> tuple[int, int]:
        """Start and end of the clause around ``offset``."""
        nth = bisect_right(self.clauses, offset) - 1
        start = self.clauses[nth] if nth >= 0 else 0
        end = self.clauses[nth + 1] if nth + 1 < len(self.clauses) else len(self.chars)
        return start, end

    def turn_bounds(self, offset: int) -> tuple[int, int]:
        """Start and end, in the stream, of the turn around ``offset``."""
        nth = self.at[min(offset, len(self.at) - 1)][0]
        inside = [i for i, (turn, _) in enumerate(self.at) if turn == nth]
        return inside[0], inside[-1] + 1

    def raw(self, start: int, end: int) -> str:
        """The characters actually heard from ``start`` to ``end``, across turns with a …."""
        pieces: list[str] = []
        for nth, turn in enumerate(self.turns):
            chars = [char for which, char in self.at[start:end] if which == nth]
            if chars:
                pieces.append(turn.raw[turn.to_raw[chars[0]] : turn.to_raw[chars[-1]] + 1].strip())
        return "…".join(pieces)

    def seconds(self, start: int, end: int) -> tuple[float | None, float | None]:
        """From the first to the last character: by word times, else by proportion within the turn."""
        if not self.at:
            return self.turns[0].start_s, self.turns[-1].end_s
        first, last = self.at[start], self.at[max(start, end - 1)]
        return _time(self.turns[first[0]], first[1], False), _time(self.turns[last[0]], last[1], True)

    def confidence(self, start: int, end: int) -> float | None:
        """Mean recogniser confidence of the words there, else of the turn."""
        values: list[float] = []
        for nth, turn in enumerate(self.turns):
            chars = [char for which, char in self.at[start:end] if which == nth]
            if not chars:
                continue
            low, high = turn.to_raw[chars[0]], turn.to_raw[chars[-1]]
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
    """Offsets of the characters that ``strip`` leaves."""
    return tuple(match.start() for match in KEPT.finditer(text))


def _begins(turn: Turn, kept: tuple[int, ...]) -> list[int]:
    """Which of the kept characters begin a clause: after punctuation, or after a pause in the word times."""
    pauses = {later.start for earlier, later in pairwise(turn.words) if later.start_s - earlier.end_s >= PAUSE_S}
    begins = []
    previous = -1
    for nth, index in enumerate(kept):
        between = turn.text[previous + 1 : index]
        if nth == 0 or any(char not in FILLERS and char != " " for char in between) or turn.to_raw[index] in pauses:
            begins.append(nth)
        previous = index
    return begins


class View:
    """A conversation cut into passages, built once per call and shared by all rules (read-only)."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.turns = conversation.turns
        groups = self._cut()
        texts = ["".join(bare(turn.text) for turn in group) for group in groups]
        self.sounds = phonetics().sound(BETWEEN.join(texts))  # of the whole call, passages apart
        self.starts: list[int] = []
        passages = []
        begun = 0
        for index, (group, chars) in enumerate(zip(groups, texts, strict=True)):
            sounds = self.sounds[begun : begun + len(chars)]
            passages.append(Passage(index=index, role=group[0].role, turns=tuple(group), chars=chars, sounds=sounds))
            self.starts.append(begun)
            begun += len(chars) + len(BETWEEN)
        self.passages: tuple[Passage, ...] = tuple(passages)
        # What depends on the call alone and was worked out for one rule serves the others: scopes, matches, answers.
        self.scopes: dict[object, object] = {}
        self.matches: dict[tuple[str, bool, bool, int], list[Match]] = {}
        self.asked: dict[object, tuple[tuple[Hit, ...], tuple[Hit, ...]]] = {}

    def _cut(self) -> list[list[Turn]]:
        groups: list[list[Turn]] = []
        open_group: dict[Role, int] = {}
        for turn in self.turns:
            nth = open_group.get(turn.role)
            if nth is None:
                open_group[turn.role] = len(groups)
                groups.append([turn])
            else:
                groups[nth].append(turn)
            if not _only_listens(turn):
                open_group = {turn.role: open_group[turn.role]}
        return groups

    @cached_property
    def by_role(self) -> dict[Role, tuple[Passage, ...]]:
        return {role: tuple(p for p in self.passages if p.role is role) for role in Role}

    @cached_property
    def substantive(self) -> dict[Role, tuple[Turn, ...]]:
        """Turns that say something; a lone 喂, 嗯 or 您好？ while the line connects does not use up an opening turn."""
        return {
            role: tuple(
                turn
                for turn in self.turns
                if turn.role is role and len(bare(turn.text).replace("喂", "")) > 2 and not is_backchannel(turn)
            )
            for role in Role
        }

    @cached_property
    def weakest_role(self) -> float:
        """How sure the least sure role of the call is: 1.0 when all roles are facts."""
        return min((turn.role_confidence for turn in self.turns if not turn.role_source.known), default=1.0)

    def turn_before(self, turn: int) -> Turn | None:
        return self.turns[turn - 1] if turn > 0 else None
