"""结算表. Source: S0 part 4, 四 (分成、问卷、话费增长、投诉加倍与差错), 三.2 (不合格的营销无效)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from qa_pipeline.errors import UserError
from qa_pipeline.report import settlement_parts as parts
from qa_pipeline.report.billing import Increase, Line, Surveys, increases_of, settle, surveys_of
from qa_pipeline.report.common import bounds
from qa_pipeline.report.document import Fact, Kind, Report
from qa_pipeline.report.lists import NewUser, Subscriber, read_lists
from qa_pipeline.report.reading import Reading
from qa_pipeline.report.reviewed import callbacks

_COMPLAINTS = """
    SELECT complaint_id, customer_number, content, changed_at, call_id, note FROM complaints_now
    WHERE state = '投诉成立' AND changed_at >= $first::DATE AND changed_at < $last::DATE + 1 ORDER BY changed_at, complaint_id
"""


def build(reading: Reading) -> Report:
    now = f"{reading.period.first:%Y-%m}"
    if now != f"{reading.period.last:%Y-%m}":
        raise UserError(
            f"结算一次做一个月：{reading.period} 跨了月。请把开始和结束日期写在同一个月里。", command="日期用 --from 和 --to 写。"
        )
    if not reading.wish.files:
        raise UserError(
            "结算要有清单（CSV 或 XLSX）。计费用户清单的列：客户号码、业务、月功能费、计费开始月。",
            command="加 --users 文件，可写多次；问卷、话费、外网用户的清单见 docs/reports.md。",
        )
    lists = read_lists(reading.wish.files)
    terms = reading.policy.file.settlement
    why = _invalid(reading, lists.subscribers)
    lines = settle(lists.subscribers, now, terms, {user: found for user, (found, _) in why.items()})
    complaints = reading.rows(_COMPLAINTS, bounds(reading))
    earned = Earned(
        lines=lines,
        surveys=surveys_of(lists.surveys, now, terms),
        increases=increases_of(lists.bills, now, terms),
        new_users=[item for item in lists.new_users if item.month == now],
        complaint_fine=reading.policy.file.complaint_fine * terms.complaint_multiple,
        complaints=len(complaints),
    )
    return Report(
        kind="settlement",
        title="结算表",
        period=now,
        made_at="",
        facts=_facts(earned),
        sections=(
            parts.months(lines),
            parts.products(lines),
            parts.surveys(earned.surveys, lists, now, terms),
            parts.increases(reading, earned.increases, lists),
            parts.new_users(reading, earned.new_users, lists),
            parts.taken_back(reading, lines, why),
            parts.complaints(reading, complaints, earned.complaint_fine),
            parts.users(reading, lines, lists),
            parts.bad(lists.bad),
        ),
        notes=(
            f"出处：{terms.source or 'S0 第四篇 四'}。比例、单价、倍数、是否扣回在考核政策的 settlement 里改。",
            "计费开始月算在网第 1 个月；停止计费月起不再计。酬金按户四舍五入到分。无效成交：复核确认、使成交无效的条款，从查实的当月起不计酬金。",
            "话费净增按户计，比原来少的不倒扣。差错率 = 有差错的问卷 ÷ 本月回收的问卷，高于规定时罚当月问卷酬金的倍数。",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """The month in its parts."""

    lines: list[Line]
    surveys: Surveys
    increases: list[Increase]
    new_users: list[NewUser]
    complaint_fine: Decimal  # of one
    complaints: int


def _facts(earned: Earned) -> tuple[Fact, ...]:
    """实结 is what is earned, less what is taken back and the fines."""
    due = sum((line.commission for line in earned.lines), Decimal(0))
    back = sum((line.taken_back for line in earned.lines), Decimal(0))
    more = sum((item.pay for item in earned.increases), Decimal(0))
    won = sum((item.yuan for item in earned.new_users), Decimal(0))
    fined = earned.complaint_fine * earned.complaints
    said = earned.surveys
    total = due + said.pay + more + won - back - fined - said.fine
    valid = sum(1 for line in earned.lines if not line.invalid)

    def yuan(label: str, value: Decimal, note: str = "") -> Fact:
        return Fact(label=label, value=value, kind=Kind.MONEY, unit=" 元", note=note)

    return (
        Fact(label="计费用户", value=len(earned.lines), unit=" 户", note=f"有效 {valid}"),
        yuan("应结酬金", due, "包月业务（四.1）"),
        yuan("问卷酬金", said.pay, f"有效 {said.valid} 份（四.2）"),
        yuan("话费增长提成", more, f"{len(earned.increases)} 户（四.3）"),
        yuan("外网用户酬金", won, f"{len(earned.new_users)} 户（四.3）"),
        yuan("扣回无效成交", back),
        yuan("投诉扣款", fined, f"{earned.complaints} 件 × {earned.complaint_fine:f} 元（四.4）"),
        yuan("差错罚款", said.fine, f"有差错 {said.wrong} 份（四.4）"),
        yuan("实结", total, "四项酬金 − 扣回 − 投诉扣款 − 差错罚款"),
    )


def _invalid(reading: Reading, users: list[Subscriber]) -> dict[Subscriber, tuple[str, str]]:
    """Users whose sale was found invalid → (month found, why). By the call's number, else by customer number and product."""
    by_call: dict[str, tuple[str, str]] = {}
    by_customer: dict[tuple[str, str], tuple[str, str]] = {}
    for item in callbacks(reading):
        found = (f"{item.found_at:%Y-%m}", item.reasons)
        by_call[item.call_id] = found
        by_customer[item.customer_number, item.product] = found
    hits = {}
    for user in users:
        found_now = by_call.get(user.call_id) if user.call_id else by_customer.get((user.number, user.product))
        if found_now is not None:
            hits[user] = found_now
    return hits
