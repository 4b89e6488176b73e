"""结算表. Source: S0 part 4, 四.1 (分成), 四.4 (投诉加倍处罚); 三.2 (不合格的营销无效)."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from qa_pipeline.errors import UserError
from qa_pipeline.report.billing import BadRow, Line, Subscriber, read_subscribers, settle
from qa_pipeline.report.common import bounds
from qa_pipeline.report.document import Chart, Column, Fact, Kind, Report, Section, Table, count, money, text
from qa_pipeline.report.reading import Reading
from qa_pipeline.report.reviewed import callbacks

_COMPLAINTS = """
    SELECT complaint_id, customer_number, content, changed_at, call_id, note FROM complaints_now
    WHERE state = '投诉成立' AND changed_at >= $first::DATE AND changed_at < $last::DATE + 1 ORDER BY changed_at, complaint_id
"""


def build(reading: Reading) -> Report:
    now = f"{reading.period.first:%Y-%m}"
    if now != f"{reading.period.last:%Y-%m}":
        raise UserError(f"结算一次做一个月：{reading.period} 跨了月。请把 --from 和 --to 写在同一个月里。")
    if not reading.wish.files:
        raise UserError("结算要有甲方的计费用户清单：加 --users 文件（CSV 或 XLSX，列：客户号码、业务、月功能费、计费开始月）。")
    users, bad = read_subscribers(reading.wish.files)
    terms = reading.policy.file.settlement
    why = _invalid(reading, users)
    lines = settle(users, now, terms, {user: found for user, (found, _) in why.items()})
    complaints = reading.rows(_COMPLAINTS, bounds(reading))
    fine = reading.policy.file.complaint_fine * terms.complaint_multiple
    due = sum((line.commission for line in lines), Decimal(0))
    back = sum((line.taken_back for line in lines), Decimal(0))
    fined = fine * len(complaints)
    return Report(
        kind="settlement",
        title="结算表",
        period=now,
        made_at="",
        facts=(
            Fact(label="计费用户", value=len(lines), unit=" 户", note=f"有效 {sum(1 for line in lines if not line.invalid)}"),
            Fact(label="应结酬金", value=due, kind=Kind.MONEY, unit=" 元"),
            Fact(label="扣回无效成交", value=back, kind=Kind.MONEY, unit=" 元"),
            Fact(label="投诉扣款", value=fined, kind=Kind.MONEY, unit=" 元", note=f"{len(complaints)} 件 × {fine:f} 元"),
            Fact(label="实结", value=due - back - fined, kind=Kind.MONEY, unit=" 元", note="应结 − 扣回 − 投诉扣款"),
        ),
        sections=(
            _months(lines),
            _products(lines),
            _taken_back(reading, lines, why),
            _complaints(reading, complaints, fine),
            _users(reading, lines),
            _bad(bad),
        ),
        notes=(
            f"出处：{terms.source or 'S0 第四篇 四'}。分成比例、投诉倍数、是否扣回在考核政策的 settlement 里改。",
            "计费开始月算在网第 1 个月；停止计费月起不再计。酬金按户四舍五入到分。无效成交：复核确认、使成交无效的条款，从查实的当月起不计酬金。",
        ),
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


def _months(lines: list[Line]) -> Section:
    groups: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        if not line.invalid:
            groups[line.month_in_net].append(line)
    rows: list[dict[str, Any]] = [
        {
            "nth": f"第 {nth} 个月",
            "users": len(items),
            "fees": sum((line.user.fee for line in items), Decimal(0)),
            "share": items[0].share,
            "yuan": sum((line.commission for line in items), Decimal(0)),
        }
        for nth, items in sorted(groups.items())
    ]
    columns = (
        text("nth", "在网月"),
        count("users", "有效用户"),
        money("fees", "功能费总额（元）"),
        Column(key="share", title="分成比例", kind=Kind.SHARE),
        money("yuan", "酬金（元）"),
    )
    chart = Chart(kind="bar", label="nth", series=("yuan",), title="各在网月的酬金（元）")
    return Section(title="按在网月", table=Table(columns=columns, rows=rows), chart=chart, empty="本月没有有效的计费用户。")


def _products(lines: list[Line]) -> Section:
    groups: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        groups[line.user.product].append(line)
    rows: list[dict[str, Any]] = [
        {
            "product": product,
            "users": len(items),
            "valid": sum(1 for line in items if not line.invalid),
            "yuan": sum((line.commission for line in items), Decimal(0)),
            "back": sum((line.taken_back for line in items), Decimal(0)),
        }
        for product, items in sorted(groups.items())
    ]
    columns = (
        text("product", "业务"),
        count("users", "计费用户"),
        count("valid", "有效用户"),
        money("yuan", "酬金（元）"),
        money("back", "扣回（元）"),
    )
    return Section(title="按业务", table=Table(columns=columns, rows=rows), empty="本月没有计费用户。")


def _taken_back(reading: Reading, lines: list[Line], why: dict[Subscriber, tuple[str, str]]) -> Section:
    rows: list[dict[str, Any]] = [
        {
            "row": line.user.row,
            "number": reading.number(line.user.number),
            "product": line.user.product,
            "call_id": line.user.call_id,
            "found": why[line.user][0],
            "reasons": why[line.user][1],
            "back": line.taken_back,
        }
        for line in lines
        if line.invalid
    ]
    columns = (
        Column(key="row", title="清单行号", kind=Kind.INT),
        text("number", "客户号码"),
        text("product", "业务"),
        text("call_id", "录音编号"),
        text("found", "查实月份"),
        text("reasons", "无效原因"),
        money("back", "扣回已结酬金（元）"),
    )
    return Section(title="无效成交", table=Table(columns=columns, rows=rows), empty="没有被判为无效的成交。")


def _complaints(reading: Reading, complaints: list[dict[str, Any]], fine: Decimal) -> Section:
    rows = [
        row
        | {
            "customer_number": reading.number(row["customer_number"]),
            "content": reading.words(row["content"]),
            "fine": fine,
        }
        for row in complaints
    ]
    columns = (
        text("complaint_id", "投诉编号"),
        text("customer_number", "客户号码"),
        text("content", "内容"),
        Column(key="changed_at", title="判定成立", kind=Kind.TIME),
        text("call_id", "录音编号"),
        money("fine", "扣款（元）"),
    )
    return Section(title="成立的投诉", table=Table(columns=columns, rows=rows), empty="本月没有成立的投诉。")


def _users(reading: Reading, lines: list[Line]) -> Section:
    rows: list[dict[str, Any]] = [
        {
            "row": line.user.row,
            "number": reading.number(line.user.number),
            "product": line.user.product,
            "fee": line.user.fee,
            "start": line.user.start,
            "nth": line.month_in_net,
            "share": line.share,
            "yuan": line.commission,
            "state": "无效" if line.invalid else "满期" if line.share == 0 else "有效",
        }
        for line in lines
    ]
    columns = (
        Column(key="row", title="清单行号", kind=Kind.INT),
        text("number", "客户号码"),
        text("product", "业务"),
        money("fee", "月功能费（元）"),
        text("start", "计费开始月"),
        Column(key="nth", title="在网第几月", kind=Kind.INT),
        Column(key="share", title="分成比例", kind=Kind.SHARE),
        money("yuan", "酬金（元）"),
        text("state", "状态"),
    )
    return Section(title="逐户", table=Table(columns=columns, rows=rows), empty="本月没有计费用户。")


def _bad(bad: list[BadRow]) -> Section:
    rows: list[dict[str, Any]] = [{"path": item.path, "row": item.row, "problem": item.problem} for item in bad]
    columns = (text("path", "文件"), Column(key="row", title="行号", kind=Kind.INT), text("problem", "问题"))
    return Section(title="清单里的问题", table=Table(columns=columns, rows=rows), empty="没有发现问题。")
