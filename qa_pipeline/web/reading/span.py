"""The days that a figure counts, and the same days in the address of the list that it opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Whole days, both included; without bounds everything, calls without a date too."""

    first: date | None = None
    last: date | None = None

    @property
    def date_from(self) -> str:
        return self.first.isoformat() if self.first else ""

    @property
    def date_to(self) -> str:
        return self.last.isoformat() if self.last else ""

    @property
    def query(self) -> str:
        """To put behind other fields of an address."""
        return f"&from={self.date_from}&to={self.date_to}" if self.first else ""

    def __str__(self) -> str:
        return f"{self.first} 至 {self.last}" if self.first else "全部"


def latest(tx: Tx, days: int) -> Span:
    """The last ``days`` days, counted back from the last day that has calls; 0: everything."""
    row = tx.row("SELECT max(started_at)::DATE FROM calls")
    last: date | None = row[0] if row else None
    if last is None or not days:
        return Span()
    return Span(first=last - timedelta(days=days - 1), last=last)
