"""Calls that the machine or people marked, with what was decided.

``Wanted`` is the one meaning of every filter: figures that open a list of calls count by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from qa_pipeline.text.order import in_order
from qa_pipeline.web.reading import reviewed

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

PAGE = 50
ONLY = {"flagged": "有违规", "fatal": "致命", "unqualified": "不合格", "unsure": "有无法判定", "all": "全部"}
_TESTS = {
    "flagged": "card.violations > 0",
    "fatal": "card.fatal",
    "unqualified": "NOT card.qualified",
    "unsure": "card.not_evaluated > 0",
    "all": "true",
}
REVIEWS = {"": "全部", "open": "没有复核完", "finished": "复核完了", "confirmed": "人已确认"}
UNKNOWN = "未知"  # the team of calls that have none
_FINISHED = "run.call_id IN (SELECT call_id FROM cases_now WHERE kind = 'primary' AND state = '已完成')"
_CONFIRMED = """run.call_id IN (SELECT said.call_id FROM decisions_now AS said JOIN cases AS one USING (case_id)
    WHERE one.kind = 'primary' AND said.decision = 'confirm' AND (? = '' OR said.clause = ?))"""
_SOURCE = "FROM current_runs AS run JOIN scorecards AS card USING (run_id) LEFT JOIN calls AS call USING (call_id)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Empty values do not restrict; dates are ISO, both included.

    ``review``: what people have said, a name of ``REVIEWS``; with a clause, 人已确认 is about this clause. ``only`` 有违规 with a
    clause: a violation of this clause, not a hint.
    """

    team: str = ""
    agent_id: str = ""
    clause: str = ""
    only: str = "flagged"
    review: str = ""
    date_from: str = ""
    date_to: str = ""
    text: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    call_id: str
    agent_id: str
    agent_name: str
    team: str
    started_at: datetime | None
    duration_s: float | None
    score: int | None
    qualified: bool | None
    fatal: bool
    violations: int
    not_evaluated: int
    fine_yuan: Decimal
    clauses: tuple[str, ...]
    case_id: str
    case_state: str
    result: reviewed.Result | None = None  # of people; the score above is the machine's


def teams_of(tx: Tx) -> list[str]:
    """The teams of all calls, 一组 before 二组 before 三组."""
    return sorted((row[0] for row in tx.rows("SELECT DISTINCT team FROM call_versions WHERE team IS NOT NULL")), key=in_order)


def count_calls(tx: Tx, wanted: Wanted) -> int:
    """How many calls the list has."""
    where, values = _where(wanted)
    row = tx.row(f"SELECT count(*) {_SOURCE} WHERE {where}", values)
    return int(row[0]) if row else 0


def find_calls(tx: Tx, wanted: Wanted) -> tuple[list[CallLine], int]:
    """A page of calls, newest first, and the count of all that fit."""
    where, values = _where(wanted)
    rows = tx.rows(
        f"""SELECT page.*, (SELECT list_sort(list(DISTINCT clause)) FROM outcomes
                WHERE run_id = page.run_id AND verdict = '违规' AND NOT advice),
                coalesce(one.case_id, ''), coalesce(one.state, '')
            FROM (SELECT run.run_id, run.call_id, coalesce(call.agent_id, '') AS agent_id, coalesce(call.agent_name, '') AS agent_name,
                    coalesce(call.team, '') AS team, call.started_at, run.duration_s, card.score, card.qualified, card.fatal,
                    card.violations, card.not_evaluated, card.fine_yuan
                {_SOURCE} WHERE {where} ORDER BY call.started_at DESC NULLS LAST, run.call_id LIMIT ? OFFSET ?) AS page
            LEFT JOIN cases_now AS one ON one.call_id = page.call_id AND one.kind = 'primary'
            ORDER BY page.started_at DESC NULLS LAST, page.call_id""",
        [*values, PAGE, PAGE * (wanted.page - 1)],
    )
    names = (
        "call_id agent_id agent_name team started_at duration_s score qualified fatal violations not_evaluated fine_yuan clauses "
        "case_id case_state"
    )
    at = names.split().index("case_id") + 1
    results = reviewed.results(tx, [row[at] for row in rows if row[at]])
    lines = []
    for row in rows:
        found = dict(zip(names.split(), row[1:], strict=True))
        found["clauses"] = tuple(found["clauses"] or ())
        lines.append(CallLine(**found, result=results.get(found["case_id"])))
    return lines, count_calls(tx, wanted)


def _where(wanted: Wanted) -> tuple[str, list[object]]:
    tests: list[str] = [_TESTS.get(wanted.only, "true")]
    values: list[object] = []
    for name, value in ((f"coalesce(call.team, '{UNKNOWN}')", wanted.team), ("call.agent_id", wanted.agent_id)):
        if value:
            tests.append(f"{name} = ?")
            values.append(value)
    if wanted.clause:
        meant = "verdict = '违规' AND NOT advice" if wanted.only == "flagged" else "verdict = '违规'"
        tests.append(f"run.run_id IN (SELECT run_id FROM outcomes WHERE clause = ? AND {meant})")
        values.append(wanted.clause)
    if wanted.review in ("open", "finished"):
        tests.append(_FINISHED if wanted.review == "finished" else f"NOT {_FINISHED}")
    elif wanted.review == "confirmed":
        tests.append(_CONFIRMED)
        values += [wanted.clause] * 2
    for sign, value in ((">=", wanted.date_from), ("<", wanted.date_to)):
        if _is_day(value):
            tests.append(f"call.started_at {sign} ?::DATE" + (" + 1" if sign == "<" else ""))
            values.append(value)
    if wanted.text:
        tests.append("(contains(run.call_id, ?) OR call.agent_name = ?)")
        values += [wanted.text, wanted.text]
    return " AND ".join(tests), values


def _is_day(text: str) -> bool:
    from datetime import date

    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
