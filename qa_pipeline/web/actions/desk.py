"""On the review desk: decide, add, correct, finish, assign, sample."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from qa_pipeline.casework import (
    assigning,
    cases,
    charges,
    corrections,
    reviews,
    samples,
)
from qa_pipeline.casework.values import CaseKind, Decision, Post
from qa_pipeline.model import AuditRun, Conversation, Role
from qa_pipeline.web.actions.base import Done, Model, Note, Versioned

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx
    from qa_pipeline.web.site import Site


class Decide(Versioned):
    finding: str
    decision: Literal["confirm", "reject", "cannot_tell"]
    reason: str = ""


def _case(message: str, case: cases.Case) -> Done:
    return Done(message, {"case_id": case.case_id, "version": case.version, "state": case.state.value, "run_id": case.run_id})


def decide(site: Site, tx: Tx, ids: dict[str, str], said: Decide) -> Done:
    judgement = reviews.Judgement(finding=said.finding, decision=Decision(said.decision), reason=said.reason)
    case = reviews.decide(tx, ids["case_id"], judgement, version=said.version)
    done = _case(f"{said.finding} 已{Decision(said.decision).label}。", case)
    if case.kind is CaseKind.PRIMARY:
        lines = charges.bill_of(tx, case).lines
        done.data["charges"] = {f"{line.key.rule_id}#{line.key.ordinal}": line.words for line in lines if line.is_finding}
    return done


class Add(Versioned):
    clause: str
    reason: str
    turn: int | None = None
    start_s: float | None = Field(None, ge=0)
    end_s: float | None = Field(None, ge=0)
    quote: str = ""


def add(site: Site, tx: Tx, ids: dict[str, str], said: Add) -> Done:
    added = reviews.Added(
        clause=said.clause, reason=said.reason, turn=said.turn, start_s=said.start_s, end_s=said.end_s, quote=said.quote
    )
    return _case(f"已补充 {said.clause}。", reviews.add_finding(tx, ids["case_id"], added, said.version))


class TurnCorrection(Model):
    turn: int
    role: Literal["agent", "customer", "unknown"] | None = None
    text: str | None = None


class Correct(Versioned):
    turns: list[TurnCorrection] = Field(default_factory=list, max_length=200)
    swap: bool = Field(False, description="坐席与客户整个对调")


def correct(site: Site, tx: Tx, ids: dict[str, str], said: Correct) -> Done:
    from qa_pipeline.hearing import Heard

    def rejudge(run: AuditRun, talk: Conversation) -> AuditRun:
        return site.judge()(talk, Heard(engine=run.provenance.engine, recording=run.recording))

    case = reviews.in_hand(tx, ids["case_id"], said.version)
    given: tuple[corrections.Correction, ...] = tuple(
        corrections.Correction(turn=item.turn, role=Role(item.role) if item.role else None, text=item.text) for item in said.turns
    )
    if said.swap:
        given = corrections.swapped(tx.run(case.run_id).conversation)
    moved = corrections.correct(tx, ids["case_id"], given, rejudge, said.version)
    return _case("已更正并重新判定。", moved)


def finish(site: Site, tx: Tx, ids: dict[str, str], said: Note) -> Done:
    return _case(f"工单 {ids['case_id']} 已完成。", reviews.finish(tx, ids["case_id"], said.note, said.version))


class OpenCase(Model):
    call_id: str
    reason: str = "指定复核"


def open_case(site: Site, tx: Tx, ids: dict[str, str], said: OpenCase) -> Done:
    from qa_pipeline.casework import agreement

    opening = cases.Opening(call_id=said.call_id, reason=said.reason, advice=tuple(sorted(agreement.advice_only(tx))))
    case = cases.open_case(tx, opening)
    if tx.actor.has(Post.QA_LEAD):
        case = assigning.assign_evenly(tx, [case])[0]
    return _case(f"已建工单 {case.case_id}{f'，分给 {case.assignee}' if case.assignee else '，等待质检组长分配'}。", case)


class Assign(Versioned):
    reviewer: str


def assign(site: Site, tx: Tx, ids: dict[str, str], said: Assign) -> Done:
    case = assigning.assign(tx, ids["case_id"], said.reviewer, said.version)
    return _case(f"工单 {case.case_id} 已分给 {said.reviewer}。", case)


class Reason(Versioned):
    reason: str


def reopen(site: Site, tx: Tx, ids: dict[str, str], said: Reason) -> Done:
    return _case(f"工单 {ids['case_id']} 已重开。", cases.reopen(tx, ids["case_id"], said.reason, said.version))


def void(site: Site, tx: Tx, ids: dict[str, str], said: Reason) -> Done:
    return _case(f"工单 {ids['case_id']} 已作废。", cases.void(tx, ids["case_id"], said.reason, said.version))


class TakeSample(Model):
    date_from: date
    date_to: date
    level: Literal["daily", "weekly"] = "daily"
    seed: str = ""


def take_sample(site: Site, tx: Tx, ids: dict[str, str], said: TakeSample) -> Done:
    order = samples.Order(date_from=said.date_from, date_to=said.date_to, level=said.level, seed=said.seed)
    sample = samples.take(tx, order)
    opened = samples.open_cases(tx, sample) if tx.actor.has(Post.QA_LEAD) else []
    counts = {"frame": sample.frame, "base": len(sample.base), "added": len(sample.added), "opened": len(opened)}
    return Done(
        f"抽样 {sample.sample_id}：有效 {sample.frame} 通，抽 {len(sample.base)} 通，另加 {len(sample.added)} 通；"
        f"建工单 {len(opened)} 张。",
        {"sample_id": sample.sample_id, **counts},
    )
