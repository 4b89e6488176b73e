"""Sorted, merged stretches of time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator


class Spans:
    """Stretches ``(start_s, end_s)``, sorted, overlaps and touching ends merged."""

    def __init__(self, spans: Iterable[tuple[float, float]]) -> None:
        merged: list[tuple[float, float]] = []
        for start, end in sorted(span for span in spans if span[1] > span[0]):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        self._spans = merged
        self._starts = [start for start, _ in merged]

    def __iter__(self) -> Iterator[tuple[float, float]]:
        return iter(self._spans)

    def __bool__(self) -> bool:
        return bool(self._spans)

    @property
    def total_s(self) -> float:
        """Length of all stretches together."""
        return sum(end - start for start, end in self._spans)

    def clip(self, start: float, end: float) -> list[tuple[float, float]]:
        """The parts inside a stretch, in order."""
        parts = []
        for index in range(max(0, bisect_right(self._starts, start) - 1), len(self._spans)):
            first, last = self._spans[index]
            if first >= end:
                break
            if min(end, last) > max(start, first):
                parts.append((max(start, first), min(end, last)))
        return parts

    def minus(self, start: float, end: float) -> list[tuple[float, float]]:
        """The parts of a stretch that are not covered, in order."""
        parts, at = [], start
        for first, last in self.clip(start, end):
            if first > at:
                parts.append((at, first))
            at = last
        if end > at:
            parts.append((at, end))
        return parts
