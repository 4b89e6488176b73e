"""What people do, each thing once: the API and the forms of the pages call the same functions.

An action reads its values from a model, works in one transaction and answers with the sentence that a page shows and the data that
the API gives back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from qa_pipeline.casework import (
    appeals,
    assigning,
    cases,
    closing,
    complaints,
    corrections,
    followup,
    people,
    privacy,
    reviews,
    samples,
    sanctions,
)
from qa_pipeline.casework import settings as casework_settings
from qa_pipeline.casework.values import CaseKind, Decision, Person, Post
from qa_pipeline.errors import CaseworkError
from qa_pipeline.model import AuditRun, Conversation, Role

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx
    from qa_pipeline.web.site import Site


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, str_max_length=4000)


class Versioned(Model):
    version: int | None = Field(None, description="看到的版本；别人改过就拒绝")


@dataclass(frozen=True, slots=True)
class Done:
    message: str
    data: dict[str, Any]


Work = Callable[["Site", "Tx", dict[str, str], Any], Done]


@dataclass(frozen=True, slots=True)
class Action:
    """``path`` under ``/do`` for forms and ``/api/v1`` for programs; ``prepare`` runs before the transaction is opened."""

    name: str
    path: str
    title: str
    model: type[Model]
    work: Work
    prepare: Callable[[Site], object] | None = None
    after: Callable[[Site], object] | None = None


# cases


class Decide(Versioned):
    finding: str
    decision: Literal["confirm", "reject", "cannot_tell"]
    reason: str = ""


def _case(message: str, case: cases.Case) -> Done:
    return Done(message, {"case_id": case.case_id, "version": case.version, "state": case.state.value, "run_id": case.run_id})


def decide(site: Site, tx: Tx, ids: dict[str, str], said: Decide) -> Done:
    judgement = reviews.Judgement(finding=said.finding, decision=Decision(said.decision), reason=said.reason)
    case = reviews.decide(tx, ids["case_id"], judgement, version=said.version)
    return _case(f"{said.finding} 已{Decision(said.decision).label}。", case)


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
    from qa_pipeline.judge import Heard

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


class Note(Versioned):
    note: str = ""


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


# appeals


class FileAppeal(Model):
    case_id: str
    finding: str
    reason: str


def _appeal(message: str, appeal: appeals.Appeal) -> Done:
    return Done(message, {"appeal_id": appeal.appeal_id, "state": appeal.state.value, "version": appeal.version})


def file_appeal(site: Site, tx: Tx, ids: dict[str, str], said: FileAppeal) -> Done:
    appeal = appeals.file(tx, said.case_id, said.finding, said.reason)
    return _appeal(f"申诉 {appeal.appeal_id} 已提交，班组长会先写意见。", appeal)


def comment(site: Site, tx: Tx, ids: dict[str, str], said: Note) -> Done:
    return _appeal("意见已提交。", appeals.comment(tx, ids["appeal_id"], said.note, said.version))


class DecideAppeal(Versioned):
    uphold_agent: bool = Field(description="true：申诉成立，撤销违规；false：维持原判")
    note: str


def decide_appeal(site: Site, tx: Tx, ids: dict[str, str], said: DecideAppeal) -> Done:
    appeal = appeals.decide(tx, ids["appeal_id"], uphold_agent=said.uphold_agent, note=said.note, version=said.version)
    return _appeal(f"申诉 {appeal.appeal_id}：{appeal.state.value}。", appeal)


def escalate(site: Site, tx: Tx, ids: dict[str, str], said: Note) -> Done:
    return _appeal("已申请经理终裁。", appeals.escalate(tx, ids["appeal_id"], said.note, said.version))


def withdraw(site: Site, tx: Tx, ids: dict[str, str], said: Versioned) -> Done:
    return _appeal("申诉已撤回。", appeals.withdraw(tx, ids["appeal_id"], said.version))


# money


class DecideSanction(Versioned):
    choice: Literal["approve", "money", "decline"]
    note: str


def decide_sanction(site: Site, tx: Tx, ids: dict[str, str], said: DecideSanction) -> Done:
    sanctions.decide(tx, ids["sanction_id"], said.choice, said.note, said.version)
    return Done(
        f"处分建议 {ids['sanction_id']}：{sanctions.CHOICES[said.choice].value}。", {"state": sanctions.CHOICES[said.choice].value}
    )


def close_month(site: Site, tx: Tx, ids: dict[str, str], said: Model) -> Done:
    done = closing.close_month(tx, ids["month"])
    agent = next((amount for party, amount in done.booked.items() if party == "agent"), None)
    text = f"{ids['month']} 已月结：坐席入账 {agent.yuan if agent else 0} 元，结转 {len(done.carried)} 项。"
    return Done(text, {"month": done.month, "carried": [list(item) for item in done.carried]})


# follow-up


class Revisit(Model):
    result: Literal["继续使用", "取消", "未接通", "需要考虑", "重新确认"]
    standards_met: bool | None = None
    note: str = ""


def record_revisit(site: Site, tx: Tx, ids: dict[str, str], said: Revisit) -> Done:
    privacy.open_call(tx, ids["call_id"], "回访")
    followup.record_revisit(tx, ids["call_id"], said.result, standards_met=said.standards_met, note=said.note)
    return Done(f"通话 {ids['call_id']} 的回访结果已记录：{said.result}。", {"call_id": ids["call_id"], "result": said.result})


class RegisterComplaint(Model):
    customer_number: str
    content: str
    received_at: datetime
    channel: str = "电话"
    call_id: str = ""


def register_complaint(site: Site, tx: Tx, ids: dict[str, str], said: RegisterComplaint) -> Done:
    received = complaints.Received(
        customer_number=said.customer_number,
        content=said.content,
        received_at=said.received_at.replace(tzinfo=None),
        channel=said.channel,
        call_id=said.call_id,
    )
    complaint = complaints.register(tx, received)
    return Done(f"投诉 {complaint.complaint_id} 已登记。", {"complaint_id": complaint.complaint_id})


class SettleComplaint(Versioned):
    upheld: bool
    note: str


def settle_complaint(site: Site, tx: Tx, ids: dict[str, str], said: SettleComplaint) -> Done:
    settled = complaints.settle(tx, ids["complaint_id"], upheld=said.upheld, note=said.note, version=said.version)
    return Done(f"投诉 {settled.complaint_id}：{settled.state.value}。", {"state": settled.state.value})


class Blacklist(Model):
    number: str
    reason: str
    listed: bool = True


def change_blacklist(site: Site, tx: Tx, ids: dict[str, str], said: Blacklist) -> Done:
    complaints.list_number(tx, said.number, said.reason, listed=said.listed)
    return Done("黑名单已更新。", {"listed": said.listed})


# administration


class SavePerson(Model):
    name: str
    posts: list[str]
    team: str = ""
    agent_id: str = ""
    active: bool = True


def save_person(site: Site, tx: Tx, ids: dict[str, str], said: SavePerson) -> Done:
    person = Person(
        person_id=ids["person_id"],
        name=said.name,
        posts=people.posts_from(said.posts),
        team=said.team,
        agent_id=said.agent_id,
        active=said.active,
    )
    people.save_person(tx, person)
    return Done(f"{person.name}（{person.person_id}）已保存。", {"person_id": person.person_id})


class Password(Model):
    model_config = ConfigDict(extra="forbid", str_max_length=200)
    password: str


def set_password(site: Site, tx: Tx, ids: dict[str, str], said: Password) -> Done:
    people.set_password(tx, ids["person_id"], said.password)
    return Done(f"{ids['person_id']} 的密码已设定，原来的登录都已失效。", {"person_id": ids["person_id"]})


class Setting(Model):
    value: str


def change_setting(site: Site, tx: Tx, ids: dict[str, str], said: Setting) -> Done:
    casework_settings.change(tx, ids["name"], said.value)
    return Done("设置已更改，从现在起生效。", {"name": ids["name"], "value": said.value})


class Purge(Model):
    before: date
    calls: int = Field(description="预览里看到的通数；不一致就拒绝")


def purge(site: Site, tx: Tx, ids: dict[str, str], said: Purge) -> Done:
    from qa_pipeline.casework import retention

    if said.before > retention.before_day(tx, tx.at.date()):
        raise CaseworkError("只能清理保存期以前的通话。要缩短保存期，请先改设置。")
    planned = retention.plan(tx, said.before)
    if len(planned.calls) != said.calls:
        raise CaseworkError("要清理的内容和预览时不同了，请重新预览。")
    done = retention.carry_out(tx, planned)
    return Done(f"已清理 {len(done.calls)} 通，回执 {done.receipt_id}。", {"receipt_id": done.receipt_id})


KINDS = {CaseKind.PRIMARY: "主单", CaseKind.BLIND: "盲评", CaseKind.SECOND: "二级"}
_C, _A = "/cases/{case_id}", "/appeals/{appeal_id}"
ACTIONS: tuple[Action, ...] = (
    Action("case.decide", f"{_C}/decisions", "对一条发现作决定", Decide, decide),
    Action("case.add", f"{_C}/findings", "补充发现或人工项", Add, add),
    Action("case.correct", f"{_C}/corrections", "更正角色或文字，重新判定", Correct, correct, prepare=lambda site: site.judge()),
    Action("case.finish", f"{_C}/finish", "完成复核", Note, finish),
    Action("case.open", "/cases", "指定复核：建工单", OpenCase, open_case),
    Action("case.assign", f"{_C}/assign", "分配工单", Assign, assign),
    Action("case.reopen", f"{_C}/reopen", "重开工单", Reason, reopen),
    Action("case.void", f"{_C}/void", "作废工单", Reason, void),
    Action("sample.take", "/samples", "抽样并建工单", TakeSample, take_sample),
    Action("appeal.file", "/appeals", "提出申诉", FileAppeal, file_appeal),
    Action("appeal.comment", f"{_A}/comment", "班组长意见", Note, comment),
    Action("appeal.decide", f"{_A}/decision", "裁定申诉", DecideAppeal, decide_appeal),
    Action("appeal.escalate", f"{_A}/escalate", "申请终裁", Note, escalate),
    Action("appeal.withdraw", f"{_A}/withdraw", "撤回申诉", Versioned, withdraw),
    Action("sanction.decide", "/sanctions/{sanction_id}/decision", "决定处分建议", DecideSanction, decide_sanction),
    Action("month.close", "/months/{month}/closing", "月结", Model, close_month),
    Action("revisit.record", "/calls/{call_id}/revisits", "登记回访结果", Revisit, record_revisit),
    Action("complaint.register", "/complaints", "登记投诉", RegisterComplaint, register_complaint),
    Action("complaint.settle", "/complaints/{complaint_id}/settlement", "处理投诉", SettleComplaint, settle_complaint),
    Action("blacklist.change", "/blacklist", "更改黑名单", Blacklist, change_blacklist),
    Action("person.save", "/people/{person_id}", "新增或更改人员", SavePerson, save_person),
    Action("person.password", "/people/{person_id}/password", "设定密码", Password, set_password),
    Action("setting.change", "/settings/{name}", "更改设置", Setting, change_setting),
    Action("retention.purge", "/retention/purges", "按保存期清理", Purge, purge, after=lambda site: site.rewrite()),
)
