"""The words of the working day: roles, states, decisions. The state machines are drawn in ``docs/casework.md``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class Post(StrEnum):
    """What a person does in the centre (the word *role* belongs to the speakers of a call)."""

    QA = "qa"
    QA_LEAD = "qa_lead"
    MANAGER = "manager"
    TEAM_LEADER = "team_leader"
    AGENT = "agent"
    ADMIN = "admin"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Post.QA: "质检员",
    Post.QA_LEAD: "质检组长",
    Post.MANAGER: "经理",
    Post.TEAM_LEADER: "班组长",
    Post.AGENT: "坐席",
    Post.ADMIN: "管理员",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    person_id: str
    name: str
    posts: tuple[Post, ...]
    team: str = ""  # of an agent: his team; of a team leader: the team he leads
    agent_id: str = ""  # the work number in the manifests, for agents (and for anybody who also calls)
    active: bool = True

    def has(self, *posts: Post) -> bool:
        return any(post in self.posts for post in posts)


class CaseKind(StrEnum):
    PRIMARY = "primary"  # moves the ledger
    BLIND = "blind"  # the same call by a second reviewer who sees nothing of the first; only for agreement
    SECOND = "second"  # the weekly second level on a call that has a primary case; only for agreement


class CaseState(StrEnum):
    OPEN = "待分配"
    ASSIGNED = "待复核"
    REVIEWING = "复核中"
    FINISHED = "已完成"
    VOID = "已作废"


class Decision(StrEnum):
    CONFIRM = "confirm"
    REJECT = "reject"
    CANNOT_TELL = "cannot_tell"
    OVERTURN = "overturn"  # an appeal was upheld

    @property
    def label(self) -> str:
        return {"confirm": "确认", "reject": "驳回", "cannot_tell": "无法判断", "overturn": "申诉撤销"}[self.value]

    @property
    def stands(self) -> bool:
        """Whether the finding stands after this decision: doubt favours the agent."""
        return self is Decision.CONFIRM


class AppealState(StrEnum):
    FILED = "待班组长意见"
    COMMENTED = "待质检组长裁定"
    UPHELD = "一轮维持"
    ESCALATED = "待经理终裁"
    OVERTURNED = "申诉成立"
    FINAL = "终裁维持"
    WITHDRAWN = "已撤回"

    @property
    def open(self) -> bool:
        """Somebody still has to act."""
        return self in (AppealState.FILED, AppealState.COMMENTED, AppealState.ESCALATED)


class SanctionState(StrEnum):
    PROPOSED = "待决定"
    APPROVED = "同意处分"
    MONEY_ONLY = "只扣款"
    DECLINED = "不予处分"
    WITHDRAWN = "已撤回"  # the finding fell


class ComplaintState(StrEnum):
    OPEN = "处理中"
    UPHELD = "投诉成立"
    DISMISSED = "投诉不成立"


class Party(StrEnum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"


class Account(StrEnum):
    SOURCE = "来源"  # where amounts come from and rejected proposals return to
    PROPOSED = "待确认"
    CONFIRMED = "已确认"
    BOOKED = "已入账"
    REVERSED = "已冲回"


class Key(NamedTuple):
    """One finding within one run."""

    rule_id: str
    ordinal: int

    def __str__(self) -> str:
        return self.rule_id if self.ordinal == 0 else f"{self.rule_id}#{self.ordinal}"


class Amount(NamedTuple):
    points: int = 0
    yuan: Decimal = Decimal(0)

    def __bool__(self) -> bool:
        return self.points != 0 or self.yuan != 0

    def plus(self, other: Amount) -> Amount:
        return Amount(self.points + other.points, self.yuan + other.yuan)

    def minus(self, other: Amount) -> Amount:
        return Amount(self.points - other.points, self.yuan - other.yuan)

    def part_above_zero(self) -> Amount:
        return Amount(max(self.points, 0), max(self.yuan, Decimal(0)))


def month_of(at: datetime) -> str:
    return f"{at:%Y-%m}"
