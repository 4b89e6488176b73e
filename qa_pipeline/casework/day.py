"""The morning in one command, and what waits for each person. Running the morning again changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from qa_pipeline.casework import complaints, followup, samples
from qa_pipeline.casework.desk import Desk
from qa_pipeline.casework.samples import Order, Sample
from qa_pipeline.casework.values import AppealState, CaseState, Person, Post, SanctionState
from qa_pipeline.model import CallData
from qa_pipeline.store import BatchInfo

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

Audit = Callable[[frozenset[str]], None]  # judges these calls; those already judged cost nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """What the day has. ``audit_all``: the machine judges every call, people the sample (and what the machine found fatal)."""

    day: date
    calls: tuple[CallData, ...]
    source: str
    audit: Audit
    audit_all: bool = False
    seed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayDone:
    day: date
    calls: int
    sample: Sample
    opened: int  # cases opened now; 0 when the morning was run before
    unassigned: tuple[str, ...]
    unheard: tuple[str, ...]  # sampled, but not judged: the recording failed
    blacklisted: tuple[str, ...]


def run_morning(desk: Desk, person_id: str, at: datetime, morning: Morning) -> DayDone:
    """Registers the calls, samples, audits, opens and assigns the cases. Killed anywhere, a second run completes it."""
    batch = BatchInfo(
        batch_id=f"day-{morning.day:%Y%m%d}", started_at=at.isoformat(timespec="seconds"), command="day", source=morning.source
    )
    desk.store.save_calls(morning.calls, batch)
    if morning.audit_all:
        morning.audit(frozenset(call.call_id for call in morning.calls))
    with desk.act(person_id, at) as tx:
        sample = samples.take(tx, Order(date_from=morning.day, date_to=morning.day, seed=morning.seed))
    if not morning.audit_all:
        morning.audit(frozenset(item.call.call_id for item in sample.items))
    with desk.act(person_id, at) as tx:
        opened = samples.open_cases(tx, sample)
        judged = {call_id for (call_id,) in tx.rows("SELECT call_id FROM current_runs")}
        waiting = tx.rows("SELECT case_id FROM cases_now WHERE sample_id = ? AND state = ?", [sample.sample_id, CaseState.OPEN])
        numbers = {call.call_id: call.customer_number for call in morning.calls if call.customer_number}
        listed = complaints.marked(tx, [number for number in numbers.values() if number])
    return DayDone(
        day=morning.day,
        calls=len(morning.calls),
        sample=sample,
        opened=len(opened),
        unassigned=tuple(case_id for (case_id,) in waiting),
        unheard=tuple(item.call.call_id for item in sample.items if item.call.call_id not in judged),
        blacklisted=tuple(sorted(call_id for call_id, number in numbers.items() if number in listed)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One kind of thing that waits for a person."""

    what: str
    things: tuple[str, ...]
    overdue: int = 0
    command: str = ""


def waiting_for(tx: Tx, person: Person) -> list[Waiting]:
    """What this person should do now, most urgent kind first; nothing empty."""
    found: list[Waiting] = []
    if person.has(Post.QA, Post.QA_LEAD):
        found.append(_cases(tx, person))
    if person.has(Post.QA_LEAD):
        found += [_unassigned(tx), _appeals(tx, AppealState.COMMENTED, "申诉待裁定"), _late_comments(tx)]
        found.append(_complaints(tx))
    if person.has(Post.QA, Post.QA_LEAD, Post.TEAM_LEADER):
        found += _calls_to_make(tx, person)
    if person.has(Post.TEAM_LEADER):
        found.append(_appeals(tx, AppealState.FILED, "申诉待写意见", team=person.team))
    if person.has(Post.MANAGER):
        found += [_appeals(tx, AppealState.ESCALATED, "申诉待终裁"), _sanctions(tx, person)]
    if person.has(Post.AGENT) and person.agent_id:
        found.append(_to_appeal(tx, person))
    return [item for item in found if item.things]


def _cases(tx: Tx, person: Person) -> Waiting:
    rows = tx.rows(
        """SELECT case_id, due_at FROM cases_now WHERE assignee = ? AND state IN (?, ?) ORDER BY due_at, case_id""",
        [person.person_id, CaseState.ASSIGNED, CaseState.REVIEWING],
    )
    return _waiting("工单待复核", rows, tx.at, "qa case show 工单编号")


def _unassigned(tx: Tx) -> Waiting:
    rows = tx.rows("SELECT case_id, due_at FROM cases_now WHERE state = ? ORDER BY case_id", [CaseState.OPEN])
    return _waiting("工单没有人可分", rows, tx.at, "qa case assign 工单编号 人员")


def _appeals(tx: Tx, state: AppealState, what: str, team: str | None = None) -> Waiting:
    rows = tx.rows(
        "SELECT appeal_id, due_at FROM appeals_now WHERE state = ? AND (? IS NULL OR team = ?) ORDER BY due_at, appeal_id",
        [state, team, team],
    )
    return _waiting(what, rows, tx.at, "qa appeal show 申诉编号")


def _late_comments(tx: Tx) -> Waiting:
    rows = tx.rows(
        "SELECT appeal_id, due_at FROM appeals_now WHERE state = ? AND due_at < ? ORDER BY due_at, appeal_id",
        [AppealState.FILED, tx.at],
    )
    return _waiting("申诉过了意见期限，可直接裁定", rows, tx.at, "qa appeal show 申诉编号")


def _complaints(tx: Tx) -> Waiting:
    open_ones = [item.complaint_id for item in complaints.all_complaints(tx) if item.state.value == "处理中"]
    return Waiting(what="投诉处理中", things=tuple(open_ones), command="qa complaint settle 投诉编号")


def _sanctions(tx: Tx, person: Person) -> Waiting:
    rows = tx.rows(
        "SELECT sanction_id FROM sanctions_now WHERE state = ? AND manager IN (?, '') ORDER BY sanction_id",
        [SanctionState.PROPOSED, person.person_id],
    )
    return Waiting(what="处分建议待决定", things=tuple(row[0] for row in rows), command="qa sanction decide 编号")


def _calls_to_make(tx: Tx, person: Person) -> list[Waiting]:
    teams = dict(tx.rows("SELECT call_id, team FROM calls"))
    mine = None if person.has(Post.QA, Post.QA_LEAD) else person.team

    def shown(call_id: str) -> bool:
        return mine is None or teams.get(call_id) == mine

    callbacks = [item.call_id for item in followup.callback_list(tx) if shown(item.call_id)]
    today = tx.at.date()
    due = [item for item in followup.confirmations(tx, today) if shown(item.call_id) and item.due and item.due[0] <= today]
    late = sum(1 for item in due if item.due[0] < today)
    return [
        Waiting(what="无效销售待回访", things=tuple(callbacks), command="qa followup callbacks"),
        Waiting(what="二次确认到期", things=tuple(item.call_id for item in due), overdue=late, command="qa followup confirmations"),
    ]


def _to_appeal(tx: Tx, person: Person) -> Waiting:
    """Finished cases of this agent with confirmed findings, while he may still appeal."""
    from datetime import timedelta

    rows = tx.rows(
        """SELECT DISTINCT one.case_id, one.finished_at FROM cases_now AS one JOIN decisions_now AS said USING (case_id)
           WHERE one.agent_id = ? AND one.state = ? AND one.kind = 'primary' AND said.decision = 'confirm' AND one.finished_at >= ?
           ORDER BY one.case_id""",
        [person.agent_id, CaseState.FINISHED, tx.at - timedelta(days=tx.settings.appeal_days)],
    )
    return Waiting(what="质检结果可以申诉", things=tuple(row[0] for row in rows), command="qa appeal file 工单编号 条款")


def _waiting(what: str, rows: list[tuple[str, datetime | None]], at: datetime, command: str) -> Waiting:
    late = sum(1 for _, due_at in rows if due_at is not None and due_at < at)
    return Waiting(what=what, things=tuple(row[0] for row in rows), overdue=late, command=command)
