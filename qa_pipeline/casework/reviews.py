"""A reviewer's work in a case: decide each finding, add what the machine missed, finish.

Decision and ledger are one transaction.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.casework import assigning, cases, ledger
from qa_pipeline.casework.cases import Case
from qa_pipeline.casework.findings import MANUAL_RULE, Finding, Live, findings_of, live_decisions, pick
from qa_pipeline.casework.values import CaseKind, CaseState, Decision, Post
from qa_pipeline.errors import CaseworkError
from qa_pipeline.model import Conversation, Evidence, EvidenceKind, Outcome, Role, Verdict

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

FileThere = Callable[[str], bool]
_REVIEW_DECISIONS = (Decision.CONFIRM, Decision.REJECT, Decision.CANNOT_TELL)


def is_there(path: str) -> bool:
    return Path(path).is_file()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a reviewer says about one finding. ``finding``: A04, A04#1 or manual:M01."""

    finding: str
    decision: Decision
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A finding that the machine missed, or a manual item (现场纪律) that no recording proves."""

    clause: str
    reason: str
    turn: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    quote: str = ""


def decide(tx: Tx, case_id: str, said: Judgement, *, version: int | None = None, there: FileThere = is_there) -> Case:
    """Confirms, rejects or leaves open one finding; deciding again replaces the earlier decision as long as the case is open."""
    case = in_hand(tx, case_id, version)
    if said.decision not in _REVIEW_DECISIONS:
        raise CaseworkError("复核只能确认、驳回或标为无法判断。")
    finding = pick(findings_of(tx, case), said.finding)
    if said.decision is not Decision.CONFIRM and not said.reason.strip():
        raise CaseworkError("驳回或无法判断都要写明原因。", command="用 --reason 写。")
    if said.decision is Decision.CONFIRM and not finding.manual:
        _evidence_there(tx, case, there)
    case = _taken_up(tx, case, f"{finding.name}：{said.decision.label}")
    seq = record(tx, case, finding, said.decision, reason=said.reason)
    ledger.reconcile(tx, case, decision=seq)
    return case


def record(tx: Tx, case: Case, finding: Finding, decision: Decision, *, reason: str, stage: str = "review") -> int:
    """Writes a decision row; the ledger is the caller's next step, in the same transaction."""
    live_decisions(tx, case)  # read before the row is there, so that what is known is what was
    seq = tx.append(
        "decisions",
        at_time=tx.at,
        by_person=tx.actor.person_id,
        case_id=case.case_id,
        call_id=case.call_id,
        run_id=case.run_id,
        clause=finding.clause,
        rule_id=finding.key.rule_id,
        ordinal=finding.key.ordinal,
        decision=decision,
        stage=stage,
        reason=reason,
    )
    live_decisions(tx, case)[finding.key] = Live(seq=seq, decision=decision, by_person=tx.actor.person_id, reason=reason)
    tx.log("decision", case.case_id, {"finding": str(finding.key), "decision": decision, "reason": reason, "stage": stage})
    return seq


def add_finding(tx: Tx, case_id: str, added: Added, version: int | None = None) -> Case:
    """Adds a finding with its place, confirmed by whoever adds it."""
    case = in_hand(tx, case_id, version)
    item = tx.policy.file.manual.get(added.clause)
    if item is None and tx.policy.clause(added.clause) is None:
        manual = "、".join(f"{code} {entry.title}" for code, entry in tx.policy.file.manual.items())
        raise CaseworkError(f"没有条款“{added.clause}”。可用：规则手册里的条款，或人工项 {manual}。")
    if not added.reason.strip():
        raise CaseworkError("补充发现要写明依据。", command="用 --reason 写。")
    rule_id = MANUAL_RULE + added.clause
    found = tx.row("SELECT count(*) FROM manual_findings WHERE case_id = ? AND rule_id = ?", [case_id, rule_id])
    outcome = Outcome(
        clause=added.clause,
        rule_id=rule_id,
        title=item.title if item else _title(tx, case, added.clause),
        verdict=Verdict.VIOLATION,
        reason=added.reason,
        ordinal=int(found[0]) if found else 0,
        evidence=(_place(tx, case, added),),
    )
    _store_manual(tx, case, outcome)
    case = _taken_up(tx, case, f"补充 {added.clause} {outcome.title}")
    finding = pick(findings_of(tx, case), f"{rule_id}#{outcome.ordinal}")
    seq = record(tx, case, finding, Decision.CONFIRM, reason=added.reason)
    ledger.reconcile(tx, case, decision=seq)
    return case


def finish(tx: Tx, case_id: str, note: str = "", version: int | None = None) -> Case:
    """Ends the review. Every finding must be decided; findings that are only advice may be left."""
    case = in_hand(tx, case_id, version)
    left = [item.name for item in findings_of(tx, case) if item.pending and not item.advice]
    if left:
        raise CaseworkError(f"工单 {case_id} 还有 {len(left)} 条没有决定的发现：{'、'.join(left)}。")
    case = cases.move(tx, case, "finish", state=CaseState.FINISHED, note=note)
    ledger.reconcile(tx, case)
    return case


def in_hand(tx: Tx, case_id: str, version: int | None) -> Case:
    """The case, if this person may work on it now."""
    case = cases.get_case(tx, case_id, version)
    if case.state not in (CaseState.ASSIGNED, CaseState.REVIEWING):
        raise CaseworkError(
            f"工单 {case_id} {case.state.value}，不能再复核。需要改动请质检组长重开。", command="组长用 qa case reopen 重开。"
        )
    why = assigning.refusal(tx.actor, case)
    if why:
        raise CaseworkError(f"{tx.actor.name} {why}。")
    if case.assignee != tx.actor.person_id and not (tx.actor.has(Post.QA_LEAD) and case.kind is CaseKind.PRIMARY):
        raise CaseworkError(f"工单 {case_id} 分给了 {case.assignee}，不是您。")
    return case


def _taken_up(tx: Tx, case: Case, note: str) -> Case:
    """Each action moves the version on, so that whoever still sees the old one notices."""
    return cases.move(tx, case, "work", state=CaseState.REVIEWING, note=note)


def _evidence_there(tx: Tx, case: Case, there: FileThere) -> None:
    recording = tx.run(case.run_id).recording
    if recording is not None and not there(recording.path):
        raise CaseworkError(
            "这通电话的录音不在了，无法听取证据，不能确认违规。请找回录音；找不回时标为无法判断，或请质检组长作废工单。",
            command=f"录音原来在 {recording.path}；标为无法判断用 qa review unsure。",
        )


def _place(tx: Tx, case: Case, added: Added) -> Evidence:
    talk = tx.run(case.run_id).conversation
    turn = next((item for item in talk.turns if item.index == added.turn), None)
    if added.turn is not None and turn is None:
        raise CaseworkError(f"这通电话没有第 {added.turn + 1} 轮，共 {len(talk.turns)} 轮。")
    start_s = added.start_s if added.start_s is not None else (turn.start_s if turn is not None else None)
    end_s = added.end_s if added.end_s is not None else (turn.end_s if turn is not None else None)
    if added.start_s is not None or added.end_s is not None:
        _check_span(start_s, end_s, talk)
    return Evidence(
        kind=EvidenceKind.HIT,
        quote=added.quote or (turn.raw if turn is not None else ""),
        turn=added.turn,
        role=turn.role if turn is not None else Role.AGENT,
        start_s=start_s,
        end_s=end_s,
        note="人工补充",
    )


def _check_span(start_s: float | None, end_s: float | None, talk: Conversation) -> None:
    """Refuses a place that nobody could listen to; seconds are counted from the start of the recording."""
    if start_s is None and end_s is not None:
        raise CaseworkError("写了结束秒数，没有写开始秒数。请两个都写（--start、--end），或只写话轮（--turn）。")
    if start_s is None:
        return
    if start_s < 0:
        raise CaseworkError(f"开始秒数 {start_s:g} 不能是负数：从录音开头数起。")
    if end_s is not None and end_s <= start_s:
        raise CaseworkError(f"结束 {end_s:g} 秒不在开始 {start_s:g} 秒之后。请检查位置，--start 要小于 --end。")
    length_s = talk.duration_s
    if length_s is not None and max(start_s, end_s or 0) > math.ceil(length_s):  # places are read off a clock of whole seconds
        raise CaseworkError(f"位置 {max(start_s, end_s or 0):g} 秒超出了通话：这通电话只有 {length_s:.1f} 秒。")


def _title(tx: Tx, case: Case, clause: str) -> str:
    """The clause's title as its rule gives it, found in any stored verdict."""
    same = next((item.title for item in tx.run(case.run_id).outcomes if item.clause == clause), None)
    if same is not None:
        return same
    row = tx.row("SELECT max(title) FROM outcomes WHERE clause = ?", [clause])
    return str(row[0]) if row is not None and row[0] else clause


def _store_manual(tx: Tx, case: Case, outcome: Outcome) -> None:
    from qa_pipeline.store.codec import to_json
    from qa_pipeline.store.redact import covered

    outcome = covered(outcome)
    tx.append(
        "manual_findings",
        at_time=tx.at,
        by_person=tx.actor.person_id,
        case_id=case.case_id,
        call_id=case.call_id,
        clause=outcome.clause,
        rule_id=outcome.rule_id,
        ordinal=outcome.ordinal,
        title=outcome.title,
        body=to_json(outcome).decode(),
    )
    tx.memo.pop(("added", case.case_id), None)
