"""After the review: appeals, money, follow-up."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from qa_pipeline.casework import (
    appeals,
    closing,
    complaints,
    followup,
    privacy,
    sanctions,
)
from qa_pipeline.web.actions.base import Done, Model, Note, Versioned

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx
    from qa_pipeline.web.site import Site


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
