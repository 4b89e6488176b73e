"""Appeals: one per finding, filed by the agent, commented by the team leader, decided by the QA lead, once more by the manager.

    待班组长意见 → 待质检组长裁定 → 一轮维持 → 待经理终裁 → 终裁维持
          └───────────┴──────────→ 申诉成立 ←──────┘        已撤回 from any open state

When an appeal is upheld the finding falls and the ledger gives back, in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from qa_pipeline.casework import cases, ledger, reviews
from qa_pipeline.casework.findings import findings_of, pick
from qa_pipeline.casework.values import AppealState, CaseKind, CaseState, Decision, Key, Post
from qa_pipeline.errors import CaseworkError, ConflictError

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

_COLUMNS = """appeal_id, at_time, case_id, call_id, run_id, clause, rule_id, ordinal, agent_id, team, reason, version, state,
    due_at, changed_at"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal:
    appeal_id: str
    at_time: datetime
    case_id: str
    call_id: str
    run_id: str
    clause: str
    rule_id: str
    ordinal: int
    agent_id: str
    team: str
    reason: str
    version: int
    state: AppealState
    due_at: datetime | None
    changed_at: datetime

    def escalates_at(self, at: datetime) -> bool:
        """Whether the agent may still ask for the second round at this time."""
        return self.state is AppealState.UPHELD and (self.due_at is None or at <= self.due_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step as the agent sees it."""

    at_time: datetime
    by_person: str
    action: str
    state: AppealState
    due_at: datetime | None
    note: str


def file(tx: Tx, case_id: str, finding: str, reason: str) -> Appeal:
    """The agent appeals against one confirmed finding of a finished case of his own, within the days of the policy."""
    tx.need(Post.AGENT)
    case = cases.get_case(tx, case_id)
    if case.kind is not CaseKind.PRIMARY or not case.agent_id or case.agent_id != tx.actor.agent_id:
        raise CaseworkError(f"没有工单 {case_id}，或它不是您的通话。")
    if case.state is not CaseState.FINISHED or case.finished_at is None:
        raise CaseworkError(f"工单 {case_id} 还没有完成复核，完成后才能申诉。")
    deadline = case.finished_at + timedelta(days=tx.settings.appeal_days)
    if tx.at > deadline:
        raise CaseworkError(f"申诉期到 {deadline:%Y-%m-%d %H:%M} 为止，已经过了。")
    if not reason.strip():
        raise CaseworkError("申诉要写明理由。")
    chosen = pick(findings_of(tx, case), finding)
    if not chosen.confirmed:
        raise CaseworkError(f"{chosen.clause} {chosen.outcome.title}没有被确认为违规，不需要申诉。")
    key = [case_id, chosen.key.rule_id, chosen.key.ordinal]
    if tx.row("SELECT 1 FROM appeals WHERE case_id = ? AND rule_id = ? AND ordinal = ?", key) is not None:
        raise CaseworkError(f"{chosen.clause} {chosen.outcome.title}已经申诉过，每一条只能申诉一次。")
    appeal_id = tx.next_id("S", "appeals", "appeal_id")
    tx.insert(
        "appeals",
        appeal_id=appeal_id,
        at_time=tx.at,
        by_person=tx.actor.person_id,
        case_id=case_id,
        call_id=case.call_id,
        run_id=case.run_id,
        clause=chosen.clause,
        rule_id=chosen.key.rule_id,
        ordinal=chosen.key.ordinal,
        agent_id=case.agent_id,
        team=case.team,
        reason=reason,
    )
    _event(tx, appeal_id, 1, "file", AppealState.FILED, note=reason, days=tx.settings.comment_days)
    return get_appeal(tx, appeal_id)


def comment(tx: Tx, appeal_id: str, note: str, version: int | None = None) -> Appeal:
    """The team leader of the agent says what he thinks; the decision is the lead's."""
    tx.need(Post.TEAM_LEADER)
    appeal = get_appeal(tx, appeal_id, version)
    _must_be(appeal, AppealState.FILED)
    if appeal.team and tx.actor.team != appeal.team:
        raise CaseworkError(f"申诉 {appeal_id} 属于{appeal.team}，请该组的班组长写意见。")
    _said(note)
    return _next(tx, appeal, "comment", AppealState.COMMENTED, note=note, days=tx.settings.decision_days)


def decide(tx: Tx, appeal_id: str, *, uphold_agent: bool, note: str, version: int | None = None) -> Appeal:
    """First round by the QA lead, second and last by the manager. Nobody decides on an appeal against his own decision."""
    appeal = get_appeal(tx, appeal_id, version)
    _said(note)
    if appeal.state is AppealState.ESCALATED:
        tx.need(Post.MANAGER)
        refused = AppealState.FINAL
    else:
        tx.need(Post.QA_LEAD)
        _must_be(appeal, AppealState.FILED, AppealState.COMMENTED)
        _comment_had_its_time(tx, appeal)
        refused = AppealState.UPHELD
    if _decided_by(tx, appeal) == tx.actor.person_id:
        raise CaseworkError(f"{tx.actor.name} 是这条发现的复核人，不能裁定对它的申诉。请另一位质检组长或经理处理。")
    if not uphold_agent:
        days = tx.settings.escalate_days if refused is AppealState.UPHELD else None
        return _next(tx, appeal, "uphold", refused, note=note, days=days)
    moved = _next(tx, appeal, "overturn", AppealState.OVERTURNED, note=note)
    case = cases.get_case(tx, appeal.case_id)
    finding = next(item for item in findings_of(tx, case) if item.key == Key(appeal.rule_id, appeal.ordinal))
    seq = reviews.record(tx, case, finding, Decision.OVERTURN, reason=f"{appeal_id}：{note}", stage="appeal")
    ledger.reconcile(tx, case, decision=seq, note=f"申诉 {appeal_id} 成立")
    return moved


def escalate(tx: Tx, appeal_id: str, note: str, version: int | None = None) -> Appeal:
    """The agent asks the manager for the second, last round."""
    appeal = _own(tx, appeal_id, version)
    _must_be(appeal, AppealState.UPHELD)
    if not appeal.escalates_at(tx.at):
        raise CaseworkError(f"申请终裁到 {appeal.due_at:%Y-%m-%d %H:%M} 为止，已经过了。")
    _said(note)
    return _next(tx, appeal, "escalate", AppealState.ESCALATED, note=note, days=tx.settings.decision_days)


def withdraw(tx: Tx, appeal_id: str, version: int | None = None) -> Appeal:
    appeal = _own(tx, appeal_id, version)
    if not appeal.state.open:
        raise CaseworkError(f"申诉 {appeal_id} {appeal.state.value}，不能撤回。")
    return _next(tx, appeal, "withdraw", AppealState.WITHDRAWN, note="坐席撤回")


def get_appeal(tx: Tx, appeal_id: str, version: int | None = None) -> Appeal:
    appeal: Appeal | None = tx.memo.get(("appeal", appeal_id))
    if appeal is None:
        found = _appeals(tx, "WHERE appeal_id = ?", [appeal_id])
        if not found:
            raise CaseworkError(f"没有申诉 {appeal_id}。")
        appeal = tx.memo["appeal", appeal_id] = found[0]
    if version is not None and appeal.version != version:
        raise ConflictError(f"申诉 {appeal_id} 刚被别人改动过，请刷新后再操作。")
    return appeal


def find_appeals(tx: Tx, *, state: AppealState | None = None, agent_id: str | None = None) -> list[Appeal]:
    tests = {"state": state, "agent_id": agent_id}
    used = {name: value for name, value in tests.items() if value is not None}
    where = " AND ".join(f"{name} = ?" for name in used)
    return _appeals(tx, f"WHERE {where}" if used else "", list(used.values()))


def history(tx: Tx, appeal_id: str) -> list[Step]:
    rows = tx.rows(
        "SELECT at_time, by_person, action, state, due_at, note FROM appeal_events WHERE appeal_id = ? ORDER BY version",
        [appeal_id],
    )
    return [
        Step(at_time=at, by_person=by_person, action=action, state=AppealState(state), due_at=due_at, note=note)
        for at, by_person, action, state, due_at, note in rows
    ]


def _appeals(tx: Tx, where: str, values: list[object]) -> list[Appeal]:
    names = _COLUMNS.replace(",", " ").split()
    rows = tx.rows(f"SELECT {_COLUMNS} FROM appeals_now {where} ORDER BY appeal_id", values)
    return [Appeal(**(dict(zip(names, row, strict=True)) | {"state": AppealState(row[names.index("state")])})) for row in rows]


def _own(tx: Tx, appeal_id: str, version: int | None) -> Appeal:
    tx.need(Post.AGENT)
    appeal = get_appeal(tx, appeal_id, version)
    if not tx.actor.agent_id or appeal.agent_id != tx.actor.agent_id:
        raise CaseworkError(f"没有申诉 {appeal_id}，或它不是您的。")
    return appeal


def _must_be(appeal: Appeal, *states: AppealState) -> None:
    if appeal.state not in states:
        raise CaseworkError(f"申诉 {appeal.appeal_id} {appeal.state.value}，现在不能这样操作。")


def _said(note: str) -> None:
    if not note.strip():
        raise CaseworkError("请写明意见或理由。")


def _comment_had_its_time(tx: Tx, appeal: Appeal) -> None:
    if appeal.state is AppealState.FILED and appeal.due_at is not None and tx.at <= appeal.due_at:
        raise CaseworkError(f"班组长还没有写意见（到 {appeal.due_at:%Y-%m-%d %H:%M} 为止），请等意见或等期限过了再裁定。")


def _decided_by(tx: Tx, appeal: Appeal) -> str:
    """Whoever confirmed the finding."""
    row = tx.row(
        """SELECT by_person FROM decisions WHERE case_id = ? AND rule_id = ? AND ordinal = ? AND decision = ?
           ORDER BY seq DESC LIMIT 1""",
        [appeal.case_id, appeal.rule_id, appeal.ordinal, Decision.CONFIRM],
    )
    return str(row[0]) if row is not None else ""


def _next(tx: Tx, appeal: Appeal, action: str, state: AppealState, *, note: str, days: int | None = None) -> Appeal:
    due_at = _event(tx, appeal.appeal_id, appeal.version + 1, action, state, note=note, days=days)
    moved = replace(appeal, version=appeal.version + 1, state=state, due_at=due_at, changed_at=tx.at)
    tx.memo["appeal", appeal.appeal_id] = moved
    return moved


def _event(
    tx: Tx, appeal_id: str, version: int, action: str, state: AppealState, *, note: str, days: int | None = None
) -> datetime | None:
    """Writes one step; returns when the next is due."""
    due_at = None if days is None else tx.at + timedelta(days=days)
    tx.insert(
        "appeal_events",
        appeal_id=appeal_id,
        version=version,
        at_time=tx.at,
        by_person=tx.actor.person_id,
        action=action,
        state=state,
        due_at=due_at,
        note=note,
    )
    tx.log(f"appeal.{action}", appeal_id, {"state": state, "note": note})
    return due_at
