"""The numbers of the working day. Defaults with their source; a centre changes them with ``qa settings set``, on record."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING

from qa_pipeline.errors import CaseworkError

if TYPE_CHECKING:
    import duckdb

    from qa_pipeline.casework.desk import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseworkSettings:
    """Rates are shares of 1, times are days or hours."""

    daily_rate: float = 0.10  # S0 part 4, 三.3(3): 每天抽查所有有效录音的 10%
    weekly_rate: float = 0.05  # the same: 质量监督人员每星期抽查 5%
    agent_floor: int = 2  # S1 录音和回放 2: 每人每天 2–3 个电话试听
    recheck_extra: int = 2  # S0 part 4, 三.3(3): 对不合格的要加强多次重复核查
    recheck_clean: int = 2  # clean samples that take an agent off the re-check list (centre's choice)
    min_valid_s: float = 10.0  # shorter recordings are no 有效录音 (centre's choice)
    blind_share: float = 0.10  # of the random sample, reviewed twice
    review_hours: float = 24.0  # a case is due after so many hours
    appeal_days: int = 5  # an agent may appeal so many days after the case was finished
    comment_days: int = 2  # the team leader's comment; afterwards the lead decides without it
    decision_days: int = 3  # each round is due after so many days
    escalate_days: int = 3  # an upheld verdict may go to the manager so many days
    precision_floor: float = 0.80  # a clause below it is advice only until it recovers
    precision_count: int = 20  # the latest decisions that count; with fewer nothing is concluded
    retention_days: int = 180  # recordings, clips and transcripts
    confirm_days_before: int = 3  # the second confirmation is due so many days before charging


# What a setting is called on the pages and in lists.
EXPLAINED = {
    "daily_rate": "每日抽样比例",
    "weekly_rate": "每周二级抽样比例",
    "agent_floor": "每人每天至少抽几通",
    "recheck_extra": "重点复查的人另加几通",
    "recheck_clean": "连续几通合格后解除重点复查",
    "min_valid_s": "有效录音至少几秒",
    "blind_share": "盲评比例",
    "review_hours": "工单几小时内复核",
    "appeal_days": "几天内可申诉",
    "comment_days": "班组长几天内写意见",
    "decision_days": "几天内裁定",
    "escalate_days": "几天内可申请终裁",
    "precision_floor": "准确率低于多少只作提示",
    "precision_count": "准确率看最近几次决定",
    "retention_days": "录音和文字保存几天",
    "confirm_days_before": "收费前几天完成二次确认",
}

_NAMES = {field.name: field for field in fields(CaseworkSettings)}
_SHARES = ("daily_rate", "weekly_rate", "blind_share", "precision_floor")


def parse(name: str, text: str) -> int | float:
    """The value of a setting from text. Raises CaseworkError naming what is allowed."""
    if name not in _NAMES:
        raise CaseworkError(f"没有“{name}”这个设置。", command=f"可用：{'、'.join(sorted(_NAMES))}。")
    default = getattr(CaseworkSettings(), name)
    try:
        value = type(default)(text)
    except ValueError:
        raise _no_value(name, f"应是{'整数' if isinstance(default, int) else '数字'}", text) from None
    if not 0 <= value < math.inf or (name in _SHARES and value > 1):
        raise _no_value(name, f"应{'在 0 到 1 之间' if name in _SHARES else '不小于 0'}", text)
    return value  # type: ignore[no-any-return]


def _no_value(name: str, wanted: str, text: str) -> CaseworkError:
    return CaseworkError(f"设置“{EXPLAINED[name]}”{wanted}，写的是“{text}”。", command=f"它的名称是 {name}。")


def load(connection: duckdb.DuckDBPyConnection) -> CaseworkSettings:
    """The settings in force: the latest value of each name, defaults otherwise."""
    query = "SELECT name, value FROM settings_log ORDER BY seq"
    changes = {name: parse(name, value) for name, value in connection.execute(query).fetchall() if name in _NAMES}
    return replace(CaseworkSettings(), **changes)  # type: ignore[arg-type]


def listed(settings: CaseworkSettings) -> list[tuple[str, int | float]]:
    return sorted(asdict(settings).items())


def change(tx: Tx, name: str, text: str) -> None:
    """A new value from now on, on record. An administrator's or manager's action."""
    from qa_pipeline.casework.values import Post

    tx.need(Post.ADMIN, Post.MANAGER)
    parse(name, text)
    before = getattr(tx.settings, name)
    tx.append("settings_log", at_time=tx.at, by_person=tx.actor.person_id, name=name, value=text)
    tx.log("settings", name, {"before": before, "after": text})
