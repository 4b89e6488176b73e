"""What several reports say the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from qa_pipeline.casework.stats import Rate, wilson
from qa_pipeline.report.document import Column, Kind
from qa_pipeline.report.reading import Reading

DECISION: Mapping[str, str] = {"confirm": "确认", "reject": "驳回", "cannot_tell": "无法判断", "overturn": "申诉撤销"}
OUTCOME: Mapping[str, str] = {
    "success": "成功",
    "refused": "拒绝",
    "callback": "预约",
    "no_answer": "未接通",
    "other": "其他",
    "": "未填写",
}


def conclusion(score: int | None, qualified: bool | None, fatal: bool | None) -> str:
    if score is None:
        return "未评分"
    return "致命" if fatal else "合格" if qualified else "不合格"


def at_clock(seconds: float | None) -> str:
    """Place in a recording: 83.4 → 01:23."""
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"


def staff_names(reading: Reading) -> dict[str, str]:
    """person_id → “江质检（qa1）”."""
    rows = reading.rows("SELECT person_id, name FROM people")
    return {row["person_id"]: f"{row['name']}（{row['person_id']}）" for row in rows}


def bounds(reading: Reading) -> dict[str, object]:
    return {"first": reading.period.first, "last": reading.period.last}


def interval(hits: float, n: float) -> dict[str, Any]:
    """``low`` and ``high`` of Wilson's 95 % interval, None without data."""
    rate = wilson(hits, n)
    return ends(rate)


def ends(rate: Rate | None) -> dict[str, Any]:
    return {"low": None if rate is None else rate.low, "high": None if rate is None else rate.high}


def interval_columns(prefix: str = "") -> tuple[Column, Column]:
    return (
        Column(key=f"{prefix}low", title="区间下限", kind=Kind.SHARE),
        Column(key=f"{prefix}high", title="区间上限", kind=Kind.SHARE),
    )


def week_of(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def titles(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """clause → title, the first that is not empty."""
    found: dict[str, str] = {}
    for row in rows:
        if row["title"] and row["clause"] not in found:
            found[row["clause"]] = row["title"]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A clause as a reader knows it."""

    clause: str
    title: str
    source: str


def clause_names(reading: Reading) -> dict[str, Named]:
    """Every clause that the policy, the outcomes of the store or reviewers know, with its title and source."""
    policy = reading.policy.file
    known: dict[str, str] = dict(
        reading.tx.connection.execute(
            """SELECT clause, arg_max(title, (length(title), title)) FROM
               (SELECT clause, title FROM outcomes UNION SELECT clause, title FROM manual_findings) GROUP BY clause"""
        ).fetchall()
    )
    named = {code: Named(clause=code, title=known.get(code) or "", source=item.source) for code, item in policy.clauses.items()}
    named |= {code: Named(clause=code, title=item.title, source=item.source) for code, item in policy.manual.items()}
    named |= {code: Named(clause=code, title=title, source="") for code, title in known.items() if code not in named}
    return named
