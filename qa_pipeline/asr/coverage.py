"""No speech is lost silently: voiced time minus the time that words account for. Pure; everything in samples (16 kHz)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRules:
    """``reach``: a word accounts for this much on both sides; ``longest``: for no more than this a character (the aligner
    stretches words over speech that was skipped); ``least``: shorter rests are breath and noise."""

    reach: int
    longest: int
    least: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """When something was said: ``chars`` characters in ``[start, end)``."""

    start: int
    end: int
    chars: int


def uncovered(voiced: Sequence[Interval], said: Iterable[Said], rules: CoverageRules) -> list[Interval]:
    """The voiced stretches of one channel, at least ``least`` long, that no word accounts for."""
    rest: list[Interval] = []
    covered = merged(_accounted(said, rules))
    for start, end in voiced:
        position = start
        for first, last in covered:
            if last <= position:
                continue
            if first >= end:
                break
            if first > position:
                rest.append((position, first))
            position = max(position, last)
        if position < end:
            rest.append((position, end))
    return [(start, end) for start, end in rest if end - start >= rules.least]


def _accounted(said: Iterable[Said], rules: CoverageRules) -> Iterable[Interval]:
    for one in said:
        most = rules.longest * max(1, one.chars)
        if one.end - one.start <= most:
            yield one.start - rules.reach, one.end + rules.reach
        else:  # nobody knows at which end of its time it was said
            yield one.start - rules.reach, one.start + most // 2
            yield one.end - most // 2, one.end + rules.reach


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Sorted, apart."""
    result: list[Interval] = []
    for start, end in sorted(intervals):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result
