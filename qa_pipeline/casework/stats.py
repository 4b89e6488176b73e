"""The two formulas of the product's statistics: Wilson's interval and Cohen's κ. Checked against statsmodels in the tests."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from dataclasses import dataclass

Z95 = 1.959963984540054  # two-sided 95 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share with its 95 % Wilson interval. ``n`` may be an effective count of weighted units, hence a float."""

    share: float
    low: float
    high: float
    n: float

    def overlaps(self, other: Rate) -> bool:
        return self.low <= other.high and other.low <= self.high


def wilson(hits: float, n: float) -> Rate | None:
    """E. B. Wilson's score interval (1927) of ``hits`` in ``n``; None for no data."""
    if n <= 0:
        return None
    share = hits / n
    z2 = Z95 * Z95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return Rate(share=share, low=max(0.0, middle - half), high=min(1.0, middle + half), n=n)


def weighted(items: Sequence[tuple[bool, float]]) -> Rate | None:
    """The share of hits among weighted units, with Wilson's interval at Kish's effective count (Σw)² / Σw²."""
    total = sum(weight for _, weight in items)
    if total <= 0:
        return None
    share = sum(weight for hit, weight in items if hit) / total
    n = total * total / sum(weight * weight for _, weight in items)
    return wilson(share * n, n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kappa:
    """Agreement beyond chance of two judges on yes/no. ``value`` is None when chance alone agrees always (no variation)."""

    value: float | None
    low: float | None
    high: float | None
    both_yes: int
    first_only: int
    second_only: int
    both_no: int

    @property
    def n(self) -> int:
        return self.both_yes + self.first_only + self.second_only + self.both_no


def kappa(pairs: Sequence[tuple[bool, bool]]) -> Kappa:
    """Cohen's κ with the large-sample interval of Fleiss, Cohen and Everitt (1969)."""
    yes_yes = sum(1 for one, two in pairs if one and two)
    yes_no = sum(1 for one, two in pairs if one and not two)
    no_yes = sum(1 for one, two in pairs if two and not one)
    return _kappa_with(yes_yes, yes_no, no_yes, len(pairs) - yes_yes - yes_no - no_yes)


def kappa_of_sets(first: Set[str], second: Set[str], things: int) -> Kappa:
    """The same from what each of the two said yes to, of ``things`` in all."""
    both = len(first & second)
    return _kappa_with(both, len(first) - both, len(second) - both, things - len(first | second))


def _kappa_with(yes_yes: int, yes_no: int, no_yes: int, no_no: int) -> Kappa:
    value, low, high = _kappa_of(((yes_yes, yes_no), (no_yes, no_no)))
    return Kappa(value=value, low=low, high=high, both_yes=yes_yes, first_only=yes_no, second_only=no_yes, both_no=no_no)


def _kappa_of(table: tuple[tuple[int, int], tuple[int, int]]) -> tuple[float | None, float | None, float | None]:
    n = sum(map(sum, table))
    if n == 0:
        return None, None, None
    p = [[count / n for count in line] for line in table]
    rows = [p[0][0] + p[0][1], p[1][0] + p[1][1]]
    columns = [p[0][0] + p[1][0], p[0][1] + p[1][1]]
    agree = p[0][0] + p[1][1]
    chance = rows[0] * columns[0] + rows[1] * columns[1]
    if math.isclose(chance, 1.0):
        return None, None, None
    value = (agree - chance) / (1 - chance)
    same = sum(p[i][i] * (1 - (rows[i] + columns[i]) * (1 - value)) ** 2 for i in (0, 1))
    apart = (1 - value) ** 2 * (p[0][1] * (columns[0] + rows[1]) ** 2 + p[1][0] * (columns[1] + rows[0]) ** 2)
    variance = (same + apart - (value - chance * (1 - value)) ** 2) / ((1 - chance) ** 2 * n)
    half = Z95 * math.sqrt(max(variance, 0.0))
    return value, max(-1.0, value - half), min(1.0, value + half)
