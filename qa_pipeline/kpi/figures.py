"""What an operating figure is: two measures, a formula in words, its article, unit and band.

A measure is one sum or count over one table of logs. A figure is a measure over another (or alone). So a figure of a part and of the
whole come from the same two numbers, and additive measures of the parts add up to the whole.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """``sql`` over ``table``. ``needs``: columns of the log (``a|b``: one of them). Not ``additive``: parts may share what is counted."""

    title: str
    table: str  # calls | reached (one row an account) | agent_days | attendance | accounts | costs | scores
    sql: str
    needs: tuple[str, ...] = ()
    additive: bool = True
    unit: str = "int"  # int | seconds | hours | money | number


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Where a figure should lie, both ends included; None: no limit on that side."""

    low: float | None = None
    high: float | None = None

    def holds(self, value: float) -> bool:
        return not ((self.low is not None and value < self.low - 1e-9) or (self.high is not None and value > self.high + 1e-9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """``part`` over ``over`` (measures; without ``over`` the measure alone) times ``scale``."""

    code: str
    group: str
    title: str
    formula: str
    source: str
    part: str
    over: str = ""
    scale: float = 1.0
    unit: str = "share"  # share | int | seconds | minutes | hours | number | money | score
    band: Band | None = None
    note: str = ""
