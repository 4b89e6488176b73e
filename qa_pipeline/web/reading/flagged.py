"""Calls that the machine or people marked, with what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Empty values do not restrict; dates are ISO, both included."""

    team: str = ""
    agent_id: str = ""
    clause: str = ""
    only: str = "flagged"
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


def find_calls(tx: Tx, wanted: Wanted) -> tuple[list[CallLine], int]:
    tests, values = [_TESTS.get(wanted.only, "true")], []
    for name, value in (("call.team", wanted.team), ("call.agent_id", wanted.agent_id)):
        if value:
            tests.append(f"{name} = ?")
            values.append(value)
    if wanted.clause:
        tests.append("run.run_id IN (SELECT run_id FROM outcomes WHERE clause = ? AND verdict = '违规')")
        values.append(wanted.clause)
    for sign, value in ((">=", wanted.date_from), ("<", wanted.date_to)):
        if _is_day(value):
            tests.append(f"call.started_at {sign} ?::DATE" + (" + 1" if sign == "<" else ""))
            values.append(value)
    if wanted.text:
        tests.append("(contains(run.call_id, ?) OR call.agent_name = ?)")
        values += [wanted.text, wanted.text]
    source = f"""FROM current_runs AS run JOIN scorecards AS card USING (run_id) LEFT JOIN calls AS call USING (call_id)
        WHERE {" AND ".join(tests)}"""
    total = tx.row(f"SELECT count(*) {source}", values)
    rows = tx.rows(
        f"""SELECT page.*, (SELECT list_sort(list(DISTINCT clause)) FROM outcomes
                WHERE run_id = page.run_id AND verdict = '违规' AND NOT advice),
                coalesce(one.case_id, ''), coalesce(one.state, '')
            FROM (SELECT run.run_id, run.call_id, coalesce(call.agent_id, '') AS agent_id, coalesce(call.agent_name, '') AS agent_name,
                    coalesce(call.team, '') AS team, call.started_at, run.duration_s, card.score, card.qualified, card.fatal,
                    card.violations, card.not_evaluated, card.fine_yuan
                {source} ORDER BY call.started_at DESC NULLS LAST, run.call_id LIMIT ? OFFSET ?) AS page
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
    return lines, int(total[0]) if total else 0


def _is_day(text: str) -> bool:
    from datetime import date

    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
