"""Lists of cases, with what helps to choose one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from qa_pipeline.casework.values import CaseKind, CaseState, Post
from qa_pipeline.web.reading import reviewed

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

PAGE = 50
TO_DO, LATE = "待办", "过期"  # two more states to choose: not finished, and late
KINDS = {"": "全部", "primary": "主工单", "blind": "盲评", "second": "二级"}
_QUERY = """
    SELECT one.case_id, one.call_id, one.kind, one.reason, one.state, coalesce(one.assignee, ''), one.due_at, one.finished_at,
        coalesce(one.agent_id, ''), coalesce(call.agent_name, ''), coalesce(one.team, ''), run.duration_s, card.score,
        coalesce(card.fatal, false), one.version, one.run_id,
        (SELECT count(*) FROM outcomes AS item WHERE item.run_id = one.run_id AND item.verdict = '违规' AND NOT item.advice),
        (SELECT list_sort(list(DISTINCT item.clause)) FROM outcomes AS item
            WHERE item.run_id = one.run_id AND item.verdict = '违规' AND NOT item.advice)
    FROM (SELECT * FROM cases_now WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?) AS one
    LEFT JOIN runs AS run ON run.run_id = one.run_id
    LEFT JOIN scorecards AS card ON card.run_id = one.run_id
    LEFT JOIN calls AS call ON call.call_id = one.call_id
    ORDER BY {order}
"""
_ORDERS = {"due": "one.due_at, one.case_id", "finished": "one.finished_at DESC NULLS LAST, one.case_id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    case_id: str
    call_id: str
    kind: CaseKind
    reason: str
    state: CaseState
    assignee: str
    due_at: datetime
    finished_at: datetime | None
    agent_id: str
    agent_name: str
    team: str
    duration_s: float | None
    score: int | None
    fatal: bool
    version: int
    run_id: str
    findings: int
    clauses: tuple[str, ...]
    said: reviewed.Said = ()
    result: reviewed.Result | None = None  # of people; the score above is the machine's

    def late(self, now: datetime) -> bool:
        return self.due_at < now and self.state in (CaseState.OPEN, CaseState.ASSIGNED, CaseState.REVIEWING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Empty values do not restrict. ``state`` may be 待办 for all that is not finished, 过期 for what of it is late."""

    state: str = ""
    assignee: str = ""
    team: str = ""
    reason: str = ""
    clause: str = ""
    sample: str = ""
    kind: str = ""
    text: str = ""
    page: int = 1


def find(tx: Tx, wanted: Filter) -> tuple[list[CaseLine], int]:
    """A page of cases and the count of all that fit."""
    where, values = _where(tx, wanted)
    if not tx.actor.has(Post.QA_LEAD, Post.MANAGER):  # a reviewer sees his own: double reviews stay blind
        where += " AND assignee = ?"
        values.append(tx.actor.person_id)
    total = tx.row(f"SELECT count(*) FROM cases_now WHERE {where}", values)
    order = _ORDERS["finished" if wanted.state == CaseState.FINISHED else "due"]
    query = _QUERY.format(where=where, order=order).replace("ORDER BY one.", "ORDER BY one.")
    query = query.replace(f"{where} ORDER BY {order}", f"{where} ORDER BY {order.replace('one.', '')}", 1)
    rows = tx.rows(query, [*values, PAGE, PAGE * (wanted.page - 1)])
    return _with_decisions(tx, [_line(row) for row in rows]), int(total[0]) if total else 0


def _with_decisions(tx: Tx, lines: list[CaseLine]) -> list[CaseLine]:
    asked = [reviewed.Asked(line.case_id, line.call_id, line.run_id, line.state, line.assignee) for line in lines]
    said, results = reviewed.said(tx, asked), reviewed.results(tx, [line.case_id for line in lines])
    return [replace(line, said=said[line.case_id], result=results.get(line.case_id)) for line in lines]


def count_cases(tx: Tx, wanted: Filter) -> int:
    """How many cases the lead's list has."""
    where, values = _where(tx, wanted)
    row = tx.row(f"SELECT count(*) FROM cases_now WHERE {where}", values)
    return int(row[0]) if row else 0


def _where(tx: Tx, wanted: Filter) -> tuple[str, list[object]]:
    tests: list[str] = ["true"]
    values: list[object] = []
    if wanted.state in (TO_DO, LATE):
        tests.append("state IN ('待分配', '待复核', '复核中')")
    if wanted.state == LATE:
        tests.append("due_at < ?")
        values.append(tx.at)
    exact = {"assignee": wanted.assignee, "team": wanted.team, "sample_id": wanted.sample, "kind": wanted.kind}
    if wanted.state not in (TO_DO, LATE):
        exact["state"] = wanted.state
    for name, value in exact.items():
        if value:
            tests.append(f"{name} = ?")
            values.append(value)
    if wanted.reason:
        tests.append("contains(reason, ?)")
        values.append(wanted.reason)
    if wanted.clause:
        tests.append("run_id IN (SELECT run_id FROM outcomes WHERE clause = ? AND verdict = '违规')")
        values.append(wanted.clause)
    if wanted.text:
        tests.append("(contains(case_id, ?) OR contains(call_id, ?) OR agent_id = ?)")
        values += [wanted.text] * 3
    return " AND ".join(tests), values


def _line(row: tuple[object, ...]) -> CaseLine:
    names = (
        "case_id call_id kind reason state assignee due_at finished_at agent_id agent_name team duration_s score fatal version "
        "run_id findings clauses"
    )
    values = dict(zip(names.split(), row, strict=True))
    values |= {
        "kind": CaseKind(str(values["kind"])),
        "state": CaseState(str(values["state"])),
        "clauses": tuple(values["clauses"] or ()),  # type: ignore[arg-type]
    }
    return CaseLine(**values)  # type: ignore[arg-type]


def counts(tx: Tx, assignee: str) -> dict[str, int]:
    """A reviewer's cases: waiting, overdue, finished today, seconds of waiting recordings."""
    row = tx.row(
        """SELECT count(*) FILTER (state IN ('待复核', '复核中')),
               count(*) FILTER (state IN ('待复核', '复核中') AND due_at < ?),
               count(*) FILTER (state = '已完成' AND finished_at >= ?::DATE),
               coalesce(sum(run.duration_s) FILTER (state IN ('待复核', '复核中')), 0)
           FROM cases_now AS one LEFT JOIN runs AS run ON run.run_id = one.run_id WHERE assignee = ?""",
        [tx.at, tx.at, assignee],
    )
    names = ("waiting", "late", "done", "audio_s")
    return dict(zip(names, (int(value) for value in row), strict=True)) if row else dict.fromkeys(names, 0)


def next_case(tx: Tx, after: str = "") -> str | None:
    """The reviewer's next case by due time, the one after ``after`` first; None when nothing waits."""
    rows = tx.rows(
        "SELECT case_id FROM cases_now WHERE assignee = ? AND state IN (?, ?) ORDER BY due_at, case_id",
        [tx.actor.person_id, CaseState.REVIEWING, CaseState.ASSIGNED],
    )
    order = [row[0] for row in rows]
    if after in order:
        at = order.index(after)
        order = [*order[at + 1 :], *order[:at]]
    return order[0] if order else None
