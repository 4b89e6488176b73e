"""Doubt favours the agent: the figures that decide when a verdict must not be a violation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """Floors and limits, confidences 0..1 and seconds. Measured reasons stand in docs/architecture.md."""

    hearing_floor: float = 0.45  # mean recogniser confidence of the searched span, below it an omission is 无法判定
    unheard_s: float = 1.5  # speech without words in the searched span, above it an omission is 无法判定
    unheard_share: float = 0.12  # and at least this share of the speech there
    role_floor: float = 0.6  # a guessed role less sure than this proves nothing
    role_review: float = 0.85  # less sure than this: 待复核
    hit_floor: float = 0.35  # recogniser confidence at a hit, below it a commission is 待复核
    blur: float = 0.6  # of a rule whose words are easily confused (review.below_confidence): below it the verdict is 无法判定
