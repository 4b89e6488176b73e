"""Phrases by edit distance: what comes near to them, tried where nothing nearer was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qa_pipeline.signals.base import Hit, Window
from qa_pipeline.signals.hit import passage_hit
from qa_pipeline.text.pattern import Match, Pattern, allowed_distance

_WORTH_TELLING = 0.6  # of the phrase changed: what is farther is not near


class Near:
    """The phrases of one signal, compared by their sounds."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = tuple(patterns)

    def allowed(self, windows: Sequence[Window]) -> list[Hit]:
        """What is near enough to count as the phrase, not overlapping."""
        found = [(window, match) for window, match in self._all(windows) if match.distance <= allowed_distance(len(match.heard_as))]
        found.sort(key=lambda item: (item[0].passage.index, item[1].start, -item[1].end, item[1].heard_as))
        hits: list[Hit] = []
        for window, match in found:
            if not any(
                hit.passage == window.passage.index and match.start < hit.span[1] and hit.span[0] < match.end for hit in hits
            ):
                hits.append(passage_hit(window.passage, match))
        return hits

    def nearest(self, windows: Sequence[Window]) -> Hit | None:
        """The nearest stretch of all windows, unless that is far."""
        best: tuple[float, Window, Match] | None = None
        for window, match in self._all(windows):
            relative = match.distance / len(match.heard_as)
            if best is None or relative < best[0]:
                best = (relative, window, match)
        if best is None or best[0] > _WORTH_TELLING:
            return None
        return passage_hit(best[1].passage, best[2])

    def _all(self, windows: Sequence[Window]) -> Iterator[tuple[Window, Match]]:
        for window in windows:
            split = window.split
            for pattern in self._patterns:
                match = pattern.nearest(split)
                if match is not None:
                    yield window, match._replace(start=match.start + window.start, end=match.end + window.start)
