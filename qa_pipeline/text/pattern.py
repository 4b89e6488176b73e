"""Phrase templates compiled: found by characters, by sound and by edit distance.

The grammar is in ``text.template``, the expressions in ``text.expression``, what must be there at all in ``text.anchors``. A template is
compiled to linear expressions of the same shape; each is made when it is first asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

from qa_pipeline.model import Strength
from qa_pipeline.text.anchors import Stretch, expand, stretches, words
from qa_pipeline.text.expression import Hearing, compile_expression
from qa_pipeline.text.ordinary import LONGEST, homophones
from qa_pipeline.text.phonetic import phonetics
from qa_pipeline.text.stream import Stream
from qa_pipeline.text.template import FILLERS, MAX_GAP, MAX_GAPS, Nodes, PatternError, parse, shortest, strip

__all__ = [
    "FILLERS",
    "FUZZY_FROM",
    "MAX_GAP",
    "MAX_GAPS",
    "WORTH_TELLING",
    "Hearing",
    "Match",
    "Pattern",
    "PatternError",
    "align",
    "allowed_distance",
    "compile_pattern",
    "strip",
]

FUZZY_FROM = 4  # syllables; shorter phrases collide (35号 ~ 上午好, 多扣了 ~ 喝多了)
WORTH_TELLING = 40.0  # of 100: less alike is not near


class Match(NamedTuple):
    """Where a template was found in a stream; ``heard_as`` is the phrase it stands for, ``distance`` syllables changed."""

    start: int
    end: int
    heard_as: str
    strength: Strength
    distance: float


@dataclass(frozen=True, eq=False)
class Pattern:
    """One template, checked; what it compiles to is made when it is first asked for.

    ``syllables`` is the length of its shortest reading without gaps. ``stretches`` are what must be there, each in one of its
    alternatives, the longest first.
    """

    source: str
    syllables: int
    stretches: tuple[Stretch, ...]
    _nodes: Nodes = field(repr=False)

    @cached_property
    def anchors(self) -> frozenset[str]:
        """Sounds of which at least one must be there."""
        return words(self.stretches[0], "runs")

    @cached_property
    def chars(self) -> re.Pattern[str]:
        """Over characters."""
        return compile_expression(self._nodes, "chars")

    @cached_property
    def sounds(self) -> re.Pattern[str]:
        """Over ``Stream.both``: words by their sound."""
        return compile_expression(self._nodes, "sounds")

    @cached_property
    def runs(self) -> re.Pattern[str]:
        """The same, single characters that stand beside others too."""
        return compile_expression(self._nodes, "runs")

    @cached_property
    def literals(self) -> tuple[tuple[str, str], ...]:
        """(text, split sounds) of the gapless readings that are long enough for edit distance."""
        table = phonetics()
        texts = ["".join(spelling) for spelling in expand(self._nodes) or ()]
        return tuple((text, table.split(table.sound(text))) for text in texts if len(text) >= FUZZY_FROM)

    def find(self, chars: str, sounds: str, by_sound: bool, offset: int = 0, runs: bool = False) -> list[Match]:
        """All matches, leftmost first, not overlapping; ``offset`` is where the strings begin in their stream.

        ``by_sound`` takes words by their sound, ``runs`` also single characters that stand beside others.
        """
        hearing: Hearing = "chars" if not by_sound else "runs" if runs else "sounds"
        return self.matches(Stream(chars, sounds), 0, len(chars), hearing, -offset)

    def matches(self, stream: Stream, low: int, high: int, hearing: Hearing, origin: int = 0) -> list[Match]:
        """The same between two places of a stream; the matches count from ``origin``."""
        found: list[Match] = []
        if hearing == "chars":
            search, text = self.chars.search, stream.chars
            while (match := search(text, low, high)) is not None:
                start, low = match.span()
                found.append(Match(start - origin, low - origin, self.source, Strength.EXACT, 0))
            return found
        expression = self.runs if hearing == "runs" else self.sounds
        position, stop = 2 * low, 2 * high
        while (match := expression.search(stream.both, position, stop)) is not None:
            begin, position = match.span()
            if begin % 2:  # what has no sound stands for itself, twice: half of each is not a place
                position = begin + 1
                continue
            start, end = begin // 2, position // 2
            exact = self.chars.fullmatch(stream.chars, start, end) is not None
            if not exact and end - start <= LONGEST and self._rather_said(stream.chars[start:end], stream.sounds[start:end]):
                continue
            strength = Strength.EXACT if exact else Strength.PHONETIC
            found.append(Match(start - origin, end - origin, self.source, strength, 0))
        return found

    def _rather_said(self, heard: str, sound: str) -> bool:
        """Whether what was written is said too often to be one of the short readings misheard."""
        meant = self._short.get(sound)
        return meant is not None and all(heard in homophones(text) for text in meant)

    @cached_property
    def _short(self) -> dict[str, list[str]]:
        """The gapless readings of few characters, by their sound; none where there are too many."""
        found: dict[str, list[str]] = {}
        for text in map("".join, expand(self._nodes) or ()):
            if len(text) <= LONGEST:
                for sound in phonetics().readings(text):
                    found.setdefault(sound, []).append(text)
        return found

    def nearest(self, split: str) -> Match | None:
        """The closest stretch by edit distance over initials and finals, however far; None for templates with gaps or too short.

        ``split`` is the text's sounds as ``Phonetics.split`` gives them; the match counts in characters, its distance in syllables.
        """
        from rapidfuzz import fuzz

        best: tuple[float, float, str, str] | None = None
        for text, halves in self.literals:
            if len(split) < len(halves) - 2:
                continue
            before = max(best[0], WORTH_TELLING) if best is not None else WORTH_TELLING
            score = fuzz.partial_ratio(halves, split, score_cutoff=before)
            if score > (best[0] if best is not None else 0):
                best = (score, before, text, halves)
        if best is None:
            return None
        _, before, text, halves = best
        start, end, distance = align(halves, split, before)
        return Match(start=start, end=end, heard_as=text, strength=Strength.FUZZY, distance=distance)


def align(halves: str, split: str, at_least: float) -> tuple[int, int, float]:
    """Where in ``split`` the stretch is that is most like ``halves``, in characters, and how many syllables are changed there.

    ``at_least``, of 100, is how much alike they are known to be.
    """
    from rapidfuzz import fuzz
    from rapidfuzz.distance import Levenshtein

    aligned = fuzz.partial_ratio_alignment(halves, split, score_cutoff=at_least)
    assert aligned is not None
    distance = Levenshtein.distance(halves, split[aligned.dest_start : aligned.dest_end])
    return aligned.dest_start // 2, (aligned.dest_end + 1) // 2, distance / 2


def allowed_distance(syllables: int) -> float:
    """Edits, in syllables, that still count as the same phrase where doubt favours the agent: a quarter of its sounds."""
    return 0.0 if syllables < FUZZY_FROM else syllables // 2 / 2


@lru_cache(maxsize=8192)
def compile_pattern(source: str) -> Pattern:
    """Compiles a template; raises PatternError in Chinese when it is malformed, empty or too loose."""
    nodes = parse(source)
    fixed = stretches(nodes)
    if not fixed:
        raise PatternError(f"短语“{source}”没有任何固定的字，无法定位")
    return Pattern(source=source, syllables=shortest(nodes), stretches=fixed, _nodes=nodes)
