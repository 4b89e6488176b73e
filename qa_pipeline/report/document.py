"""A report as values: facts, tables with typed columns, charts drawn from them. Renderers know nothing else.

Counts are stored, rates are derived: a rate is a column that names its numerator and its denominator, so that it is the same number in
every format, a formula in Excel, and right in the line of sums. A denominator of zero gives 无数据, never 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

NO_DATA = "无数据"
Value = str | int | float | Decimal | date | datetime | bool | None
Row = Mapping[str, Value]


class Kind(StrEnum):
    """What a column holds; decides how it is shown and written."""

    TEXT = "text"
    INT = "int"
    NUMBER = "number"  # two decimals
    SHARE = "share"  # 0..1, shown in percent
    MONEY = "money"  # yuan
    SECONDS = "seconds"  # one decimal
    HOURS = "hours"  # two decimals
    DAY = "day"
    TIME = "time"

    @property
    def numeric(self) -> bool:
        return self not in (Kind.TEXT, Kind.DAY, Kind.TIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """``part`` over ``over`` (keys of other columns) makes a derived rate times ``scale``; ``total`` puts a sum below the column."""

    key: str
    title: str
    kind: Kind = Kind.TEXT
    total: bool = False
    part: str = ""
    over: str = ""
    scale: float = 1.0

    @property
    def derived(self) -> bool:
        return bool(self.part)


def text(key: str, title: str) -> Column:
    return Column(key=key, title=title)


def count(key: str, title: str, *, total: bool = True) -> Column:
    return Column(key=key, title=title, kind=Kind.INT, total=total)


def money(key: str, title: str, *, total: bool = True) -> Column:
    return Column(key=key, title=title, kind=Kind.MONEY, total=total)


def share(key: str, title: str, part: str = "", over: str = "") -> Column:
    return Column(key=key, title=title, kind=Kind.SHARE, part=part, over=over)


def mean(key: str, title: str, part: str, over: str) -> Column:
    return Column(key=key, title=title, kind=Kind.NUMBER, part=part, over=over)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """``label`` is the key of the column along the axis, ``series`` the keys of what is drawn."""

    kind: str  # bar | line
    label: str
    series: tuple[str, ...]
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    columns: tuple[Column, ...]
    rows: Sequence[Row]

    @property
    def has_total(self) -> bool:
        return len(self.rows) > 1 and any(column.total for column in self.columns)

    def column(self, key: str) -> Column:
        return next(column for column in self.columns if column.key == key)

    def kind(self, row: Row, column: Column) -> Kind:
        """How a cell is shown; ``<key>__kind`` of the row overrules its column (a list of figures in different units)."""
        return Kind(str(row.get(f"{column.key}__kind") or column.kind.value))

    def value(self, row: Row, column: Column) -> Value:
        """A cell; None: not known, or a rate without a denominator."""
        if not column.derived:
            return row.get(column.key)
        return ratio(row.get(column.part), row.get(column.over), column.scale)

    def totals(self) -> dict[str, Value]:
        """Sums of the columns that have one; None where nothing was known."""
        sums: dict[str, Value] = {}
        for column in self.columns:
            if column.total:
                known: list[Any] = [row.get(column.key) for row in self.rows if row.get(column.key) is not None]
                sums[column.key] = sum(known[1:], known[0]) if known else None
        return sums

    def lines(self) -> Iterator[list[tuple[Value, Kind]]]:
        """Cells with the way they are shown."""
        for row in self.rows:
            yield [(self.value(row, column), self.kind(row, column)) for column in self.columns]

    def total_line(self) -> list[Value]:
        """The line below the table: sums, and rates of sums. Rates of which a part has no sum stay empty."""
        sums = self.totals()
        cells: list[Value] = []
        for column in self.columns:
            if column.derived:
                known = column.part in sums and column.over in sums
                cells.append(ratio(sums[column.part], sums[column.over], column.scale) if known else None)
            else:
                cells.append(sums.get(column.key))
        return cells

    def total_known(self, column: Column) -> bool:
        """Whether the line of sums says something about the column."""
        keys = {item.key for item in self.columns if item.total}
        return column.key in keys or (column.derived and {column.part, column.over} <= keys)


def ratio(part: Value, over: Value, scale: float = 1.0) -> float | None:
    """``part / over``; None when either is unknown or ``over`` is 0."""
    if part is None or over is None:
        return None
    below = float(over)  # type: ignore[arg-type]
    return None if below == 0 else float(part) / below * scale  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A figure at the top. ``good`` None: no judgement."""

    label: str
    value: Value
    kind: Kind = Kind.INT
    note: str = ""
    good: bool | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    title: str
    table: Table
    note: str = ""
    chart: Chart | None = None
    empty: str = "没有。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``period`` and ``made_at`` are shown as they are given."""

    kind: str
    title: str
    period: str
    made_at: str
    facts: tuple[Fact, ...] = ()
    sections: tuple[Section, ...] = ()
    notes: tuple[str, ...] = ()
    lead: tuple[str, ...] = field(default=())  # sentences above the tables


def shown(value: Value, kind: Kind, *, rate: bool = False) -> str:
    """A value as a reader sees it; ``rate``: nothing known is 无数据 instead of an empty cell."""
    if value is None:
        return NO_DATA if rate else ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}" if value.second else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value
    if kind is Kind.SHARE:
        return f"{float(value):.1%}"
    if kind is Kind.MONEY:
        return f"{value:,.2f}"
    if kind is Kind.INT:
        return f"{value:,.0f}"
    digits = 1 if kind is Kind.SECONDS else 2
    return f"{float(value):,.{digits}f}"
