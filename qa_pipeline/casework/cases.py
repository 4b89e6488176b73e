"""A sampled call on a reviewer's desk: opened, assigned, taken up, finished, reopened, void.

Each change is an event with the next version. Whoever acts on a version that is no longer the last gets a ConflictError and
nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from qa_pipeline.casework.values import CaseKind, CaseState, Post
from qa_pipeline.errors import CaseworkError, ConflictError

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

_COLUMNS = """case_id, call_id, kind, coalesce(pair_of, ''), coalesce(sample_id, ''), reason, opened_at, coalesce(agent_id, ''),
    coalesce(team, ''), coalesce(supervisor, ''), version, state, coalesce(assignee, ''), run_id, due_at, advice, finished_at"""
# The same as one row of the view; asked for by key it takes 1 ms instead of 5 with 8,000 events.
_ONE_CASE = f"""SELECT {_COLUMNS} FROM (
    SELECT item.*, last.version, last.state, last.assignee, last.run_id, last.due_at, last.advice,
        (SELECT max(at_time) FROM case_events AS done WHERE done.case_id = item.case_id AND done.action = 'finish') AS finished_at
    FROM cases AS item JOIN case_events AS last USING (case_id) WHERE item.case_id = ? ORDER BY last.version DESC LIMIT 1)"""
WORKING = (CaseState.ASSIGNED, CaseState.REVIEWING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as it stands. ``advice``: clauses whose precision was below the floor when the case was opened."""

    case_id: str
    call_id: str
    kind: CaseKind
    pair_of: str
    sample_id: str
    reason: str
    opened_at: datetime
    agent_id: str
    team: str
    supervisor: str
    version: int
    state: CaseState
    assignee: str
    run_id: str
    due_at: datetime
    advice: tuple[str, ...]
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a new case is about."""

    call_id: str
    reason: str
    kind: CaseKind = CaseKind.PRIMARY
    sample_id: str = ""
    pair_of: str = ""
    advice: tuple[str, ...] = ()


def get_case(tx: Tx, case_id: str, version: int | None = None) -> Case:
    """The case as it stands; with ``version`` a ConflictError when somebody has changed it since."""
    case: Case | None = tx.memo.get(("case", case_id))
    if case is None:
        row = tx.row(_ONE_CASE, [case_id])
        if row is None:
            raise CaseworkError(f"没有工单 {case_id}。", command="用 qa cases 查看工单编号。")
        case = tx.memo["case", case_id] = _case(row)
    if version is not None and case.version != version:
        from qa_pipeline.casework import changes

        told = changes.since(tx, case, version)
        raise ConflictError(
            f"没有保存：工单 {case_id} 在您打开以后改动过（现在是第 {case.version} 版，您看到的是第 {version} 版）"
            f"{f'：{told}' if told else ''}。请刷新后再操作。"
        )
    return case


def find_cases(
    tx: Tx, *, state: CaseState | None = None, assignee: str | None = None, call_id: str | None = None, kind: CaseKind | None = None
) -> list[Case]:
    """By due time, then case_id."""
    tests = {"state": state, "assignee": assignee, "call_id": call_id, "kind": kind}
    used = {name: value for name, value in tests.items() if value is not None}
    where = " AND ".join(f"{name} = ?" for name in used)
    return _cases(tx, f"WHERE {where}" if used else "", list(used.values()))


def _cases(tx: Tx, where: str, values: Sequence[object]) -> list[Case]:
    rows = tx.rows(f"SELECT {_COLUMNS} FROM cases_now {where} ORDER BY due_at, case_id", values)
    return [_case(row) for row in rows]


def _case(row: Sequence[object]) -> Case:
    names = (
        "case_id call_id kind pair_of sample_id reason opened_at agent_id team supervisor version state assignee run_id due_at "
        "advice finished_at"
    )
    values = dict(zip(names.split(), row, strict=True))
    values |= {
        "kind": CaseKind(str(values["kind"])),
        "state": CaseState(str(values["state"])),
        "advice": tuple(values["advice"] or ()),  # type: ignore[arg-type]
    }
    return Case(**values)  # type: ignore[arg-type]


def open_case(tx: Tx, opening: Opening) -> Case:
    """Opens a case on the current run of a call; what the machine found becomes a proposal in the ledger.

    A call has one primary case: only that one moves the ledger.
    """
    from qa_pipeline.casework import ledger

    tx.need(Post.QA_LEAD, Post.MANAGER)
    judged = judged_calls(tx, [opening.call_id]).get(opening.call_id)
    if judged is None:
        raise CaseworkError(f"通话 {opening.call_id} 还没有质检结果，不能建工单。", command="请先用 qa run 处理它。")
    if opening.kind is CaseKind.PRIMARY and primary_of(tx, opening.call_id) is not None:
        raise CaseworkError(f"通话 {opening.call_id} 已经有工单了（一通电话只有一张主工单）。")
    case = Case(
        case_id=tx.next_id("K", "cases", "case_id"),
        call_id=opening.call_id,
        kind=opening.kind,
        pair_of=opening.pair_of,
        sample_id=opening.sample_id,
        reason=opening.reason,
        opened_at=tx.at,
        agent_id=judged.agent_id,
        team=judged.team,
        supervisor=judged.supervisor,
        version=1,
        state=CaseState.OPEN,
        assignee="",
        run_id=judged.run_id,
        due_at=tx.at + timedelta(hours=tx.settings.review_hours),
        advice=opening.advice,
        finished_at=None,
    )
    _insert(tx, case)
    if opening.kind is CaseKind.PRIMARY:
        tx.memo["primary",][opening.call_id] = case.case_id
    tx.memo["case", case.case_id] = case
    tx.memo |= {("held", case.case_id): {}, ("live", case.case_id, case.run_id): {}, ("added", case.case_id): []}
    tx.log("case.open", case.case_id, {"call": opening.call_id, "kind": opening.kind, "reason": opening.reason})
    ledger.reconcile(tx, case, note="建工单")
    return case


def _insert(tx: Tx, case: Case) -> None:
    tx.insert(
        "cases",
        case_id=case.case_id,
        call_id=case.call_id,
        kind=case.kind,
        pair_of=case.pair_of or None,
        sample_id=case.sample_id or None,
        reason=case.reason,
        opened_at=tx.at,
        opened_by=tx.actor.person_id,
        agent_id=case.agent_id,
        team=case.team,
        supervisor=case.supervisor,
    )
    event = {"action": "open", "state": case.state, "run_id": case.run_id, "due_at": case.due_at, "note": case.reason}
    _event(tx, case.case_id, 1, advice=list(case.advice), **event)


@dataclass(frozen=True, slots=True)
class Judged:
    """The current run of a call and whose call it is."""

    run_id: str
    agent_id: str
    team: str
    supervisor: str


def judged_calls(tx: Tx, call_ids: Sequence[str]) -> dict[str, Judged]:
    """Those of the calls that have a run, with what a case needs; one query for those not yet known in this transaction."""
    known: dict[str, Judged | None] = tx.memo.setdefault(("judged",), {})
    fresh = [call_id for call_id in call_ids if call_id not in known]
    if fresh:
        known |= dict.fromkeys(fresh)
        rows = tx.rows(
            """SELECT run.call_id, run.run_id, coalesce(call.agent_id, ''), coalesce(call.team, ''), coalesce(call.supervisor, '')
               FROM current_runs AS run LEFT JOIN calls AS call USING (call_id) WHERE list_contains(?, run.call_id)""",
            [fresh],
        )
        known |= {call_id: Judged(*rest) for call_id, *rest in rows}
    return {call_id: found for call_id in call_ids if (found := known[call_id]) is not None}


def primary_of(tx: Tx, call_id: str) -> str | None:
    """The primary case of a call."""
    if ("primary",) not in tx.memo:
        tx.memo["primary",] = dict(tx.rows("SELECT call_id, case_id FROM cases WHERE kind = ?", [CaseKind.PRIMARY]))
    primary: dict[str, str] = tx.memo["primary",]
    return primary.get(call_id)


def move(tx: Tx, case: Case, action: str, **changes: object) -> Case:
    """Writes the next event of a case and returns the case as it then stands. ``changes``: columns of ``case_events``."""
    event: dict[str, object] = {
        "state": case.state,
        "assignee": case.assignee or None,
        "run_id": case.run_id,
        "due_at": case.due_at,
        "advice": list(case.advice),
        "note": "",
    }
    event |= changes
    _event(tx, case.case_id, case.version + 1, action=action, **event)
    told = {name: value for name, value in changes.items() if name in ("state", "assignee", "note")}
    tx.log(f"case.{action}", case.case_id, told)
    moved = tx.memo["case", case.case_id] = replace(
        case,
        version=case.version + 1,
        state=CaseState(str(event["state"])),
        assignee=str(event["assignee"] or ""),
        run_id=str(event["run_id"]),
        due_at=event["due_at"],  # type: ignore[arg-type]
        finished_at=tx.at if action == "finish" else case.finished_at,
    )
    return moved


def _event(tx: Tx, case_id: str, version: int, **columns: object) -> None:
    tx.insert("case_events", case_id=case_id, version=version, at_time=tx.at, by_person=tx.actor.person_id, **columns)


# Ends


def void(tx: Tx, case_id: str, reason: str, version: int | None = None) -> Case:
    """Takes a case out: wrong call, recording gone. Not once it is finished; what the ledger proposed goes back."""
    from qa_pipeline.casework import ledger

    tx.need(Post.QA_LEAD)
    case = get_case(tx, case_id, version)
    if case.state in (CaseState.FINISHED, CaseState.VOID):
        raise CaseworkError(f"工单 {case_id} {case.state.value}，不能作废。")
    if not reason.strip():
        raise CaseworkError("作废工单要写明原因。")
    case = move(tx, case, "void", state=CaseState.VOID, note=reason)
    ledger.reconcile(tx, case)
    return case


def reopen(tx: Tx, case_id: str, reason: str, version: int | None = None) -> Case:
    """Puts a finished case back to its reviewer; the decisions stay until they are changed."""
    tx.need(Post.QA_LEAD, Post.MANAGER)
    case = get_case(tx, case_id, version)
    if case.state is not CaseState.FINISHED:
        raise CaseworkError(f"工单 {case_id} {case.state.value}，只有已完成的工单可以重开。")
    if not reason.strip():
        raise CaseworkError("重开工单要写明原因。")
    if tx.row("SELECT 1 FROM appeals WHERE case_id = ?", [case_id]) is not None:
        raise CaseworkError(f"工单 {case_id} 有申诉，结论由申诉决定，不能重开。")
    due_at = tx.at + timedelta(hours=tx.settings.review_hours)
    return move(tx, case, "reopen", state=CaseState.REVIEWING, due_at=due_at, note=reason)
