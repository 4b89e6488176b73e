"""Outbound calls by day from the imported call logs: what was dialled, recorded or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from qa_pipeline.kpi.database import reading
from qa_pipeline.kpi.measures import MEASURES


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedDay:
    """``sales`` None: the log does not tell results."""

    day: date
    calls: int
    connected: int
    sales: int | None


def logged_days(database: Path, first: date, last: date) -> dict[date, LoggedDay]:
    """The days of the period that the log knows, with at least one call of which it tells whether it was answered. Empty without a
    log."""
    if not database.is_file():
        return {}
    dialled, connected, sold = (MEASURES[name].sql for name in ("dialled", "connected", "sold_calls"))
    query = f"""
        SELECT started_at::DATE AS day, {dialled} AS dialled, {connected} AS connected, {sold} AS sold,
            count(*) FILTER (NOT inbound AND (talk_s IS NOT NULL OR result IS NOT NULL)) AS told,
            count(*) FILTER (NOT inbound AND result IS NOT NULL) AS with_result
        FROM calls WHERE counted AND started_at >= $first::DATE AND started_at < $last::DATE + 1
        GROUP BY day HAVING dialled > 0 AND told > 0 ORDER BY day"""
    with reading(database) as connection:
        rows = connection.execute(query, {"first": first, "last": last}).fetchall()
    return {
        day: LoggedDay(day=day, calls=calls, connected=answered, sales=sales if with_result else None)
        for day, calls, answered, sales, _, with_result in rows
    }
