"""Phrases by edit distance: what comes near to them, tried where nothing nearer was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from qa_pipeline.model import Strength
from qa_pipeline.signals.base import Hit, Scope, Window
from qa_pipeline.signals.hit import passage_hit
from qa_pipeline.text.pattern import WORTH_TELLING, Match, Pattern, align, allowed_distance

_WORTH_SHOWING = 0.6  # of the phrase changed: what is farther is not near
_ROUNDING = 1e-6

_Likely = tuple[float, float, int, int]  # best score, the best one before it, literal, window


class Near:
    """The phrases of one signal, compared by their sounds.

    All are scored at once, with how much they are alike; the number of changes, which decides, is worked out only where the score
    leaves it open. Of L halves and as many or fewer in the text, with k changes at least 1 - k/L are alike (a change costs at most two
    of the 2L halves compared); and where s are alike, at least (1 - s)/(2 - s) of L are changed. Neither holds for a text that is
    shorter than the phrase.
    """

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = tuple(patterns)

    @cached_property
    def _literals(self) -> tuple[tuple[str, str], ...]:
        """Text and split sounds of what can be compared, of one pattern after the other."""
        return tuple(literal for pattern in self._patterns for literal in pattern.literals)

    @cached_property
    def _ends(self) -> tuple[int, ...]:
        """For each pattern where its literals end in ``_literals``."""
        ends, end = [], 0
        for pattern in self._patterns:
            end += len(pattern.literals)
            ends.append(end)
        return tuple(ends)

    def allowed(self, scope: Scope) -> list[Hit]:
        """What is near enough to count as the phrase, not overlapping."""
        found = []
        for score, before, literal, nth in self._compared(scope):
            text, halves = self._literals[literal]
            most = allowed_distance(len(text))
            window = scope.windows[nth]
            if score >= 100 * (1 - 2 * most / len(halves)) - _ROUNDING or _is_shorter(window, text):
                match = self._match(window, literal, before)
                if match.distance <= most:
                    found.append((window, match))
        found.sort(key=lambda item: (item[0].passage.index, item[1].start, -item[1].end, item[1].heard_as))
        hits: list[Hit] = []
        for window, match in found:
            if not any(
                hit.passage == window.passage.index and match.start < hit.span[1] and hit.span[0] < match.end for hit in hits
            ):
                hits.append(passage_hit(window.passage, match))
        return hits

    def nearest(self, scope: Scope) -> Hit | None:
        """The nearest stretch of all windows, unless that is far; of two as near the first."""
        best: tuple[float, int, Window, Match] | None = None
        ordered = sorted(enumerate(self._compared(scope)), key=lambda item: -item[1][0])
        for order, (score, before, literal, nth) in ordered:
            unlike = 1 - score / 100
            farther = best is not None and unlike / (1 + unlike) > best[0] + _ROUNDING
            if farther and not _is_shorter(scope.windows[nth], self._literals[literal][0]):
                continue  # so much at least is changed
            match = self._match(scope.windows[nth], literal, before)
            relative = match.distance / len(match.heard_as)
            if best is None or (relative, order) < best[:2]:
                best = (relative, order, scope.windows[nth], match)
        if best is None or best[0] > _WORTH_SHOWING:
            return None
        return passage_hit(best[2].passage, best[3])

    def _match(self, window: Window, literal: int, before: float) -> Match:
        text, halves = self._literals[literal]
        start, end, distance = align(halves, window.split, before)
        return Match(start + window.start, end + window.start, text, Strength.FUZZY, distance)

    def _compared(self, scope: Scope) -> list[_Likely]:
        """For each window and pattern the literal that is most alike, where one is alike at all."""
        known = scope.compared.get(self)
        if known is None:
            known = scope.compared[self] = list(self._compare(scope.windows))
        return known

    def _compare(self, windows: Sequence[Window]) -> Iterator[_Likely]:
        if not windows or not self._literals:
            return
        from rapidfuzz import fuzz, process

        splits = [window.split for window in windows]
        shapes = [halves for _, halves in self._literals]
        table = process.cdist(shapes, splits, scorer=fuzz.partial_ratio, score_cutoff=WORTH_TELLING, dtype=float)
        for nth, scores in enumerate(table.T.tolist()):
            longest = len(splits[nth]) + 2
            begin = 0
            for end in self._ends:
                best, before, chosen = 0.0, WORTH_TELLING, -1
                for literal in range(begin, end):
                    if scores[literal] > best and len(shapes[literal]) <= longest:
                        before = max(best, WORTH_TELLING)
                        best, chosen = scores[literal], literal
                if chosen >= 0:
                    yield best, before, chosen, nth
                begin = end


def _is_shorter(window: Window, text: str) -> bool:
    return window.end - window.start < len(text)
