"""The sections of the settlement sheet: one for each way of earning and losing in S0 part 4, 四."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from qa_pipeline.policy import Settlement
from qa_pipeline.report.billing import Increase, Line, Surveys
from qa_pipeline.report.document import Chart, Column, Kind, Section, Table, count, money, share, text
from qa_pipeline.report.lists import BadRow, Lists, NewUser, Subscriber
from qa_pipeline.report.reading import Reading


def months(lines: list[Line]) -> Section:
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


def products(lines: list[Line]) -> Section:
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


def taken_back(reading: Reading, lines: list[Line], why: dict[Subscriber, tuple[str, str]]) -> Section:
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


def complaints(reading: Reading, complaints: list[dict[str, Any]], fine: Decimal) -> Section:
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


def users(reading: Reading, lines: list[Line], lists: Lists) -> Section:
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
    left = len(lists.subscribers) - len(lines)
    note = f"清单里另有 {left} 行本月不计费（还没有开始，或已停止）。" if left else ""
    return Section(title="逐户", table=Table(columns=columns, rows=rows), note=note, empty="本月没有计费用户。")


def bad(bad: list[BadRow]) -> Section:
    rows: list[dict[str, Any]] = [{"path": item.path, "row": item.row, "problem": item.problem} for item in bad]
    columns = (text("path", "文件"), Column(key="row", title="行号", kind=Kind.INT), text("problem", "问题"))
    return Section(title="清单里的问题", table=Table(columns=columns, rows=rows), empty="没有发现问题。")


def surveys(found: Surveys, lists: Lists, now: str, terms: Settlement) -> Section:
    """四.2 and the mistakes of 四.4."""
    rows: list[dict[str, Any]] = [
        {
            "handed_in": found.handed_in,
            "valid": found.valid,
            "fee": terms.survey_fee,
            "pay": found.pay,
            "wrong": found.wrong,
            "allowed": terms.error_rate,
            "fine": found.fine,
        }
    ]
    columns = (
        Column(key="handed_in", title="回收问卷", kind=Kind.INT),
        Column(key="valid", title="有效问卷", kind=Kind.INT),
        share("valid_share", "有效率", "valid", "handed_in"),
        money("fee", "每份（元）", total=False),
        money("pay", "酬金（元）", total=False),
        Column(key="wrong", title="有差错", kind=Kind.INT),
        share("error_share", "差错率", "wrong", "handed_in"),
        Column(key="allowed", title="不得高于", kind=Kind.SHARE),
        money("fine", "差错罚款（元）", total=False),
    )
    note = _elsewhere("问卷", sum(1 for item in lists.surveys if item.month != now))
    table = Table(columns=columns, rows=rows if found.handed_in else [])
    return Section(title="问卷酬金（四.2）", table=table, note=note, empty="没有本月的问卷清单。")


def increases(reading: Reading, found: list[Increase], lists: Lists) -> Section:
    """四.3: users looked after, by what they spend more."""
    rows: list[dict[str, Any]] = [
        {
            "row": item.bill.row,
            "number": reading.number(item.bill.number),
            "start": item.bill.start,
            "nth": item.nth,
            "before": item.bill.before,
            "spent": item.bill.spent,
            "more": item.more,
            "pay": item.pay,
        }
        for item in found
    ]
    columns = (
        Column(key="row", title="清单行号", kind=Kind.INT),
        text("number", "客户号码"),
        text("start", "维护开始月"),
        Column(key="nth", title="第几个月", kind=Kind.INT),
        money("before", "原月话费（元）"),
        money("spent", "当月话费（元）"),
        money("more", "净增（元）"),
        money("pay", "酬金（元）"),
    )
    note = _elsewhere("话费", len(lists.bills) - len(found))
    table = Table(columns=columns, rows=rows)
    return Section(title="话费增长提成（四.3）", table=table, note=note, empty="没有本月可以提成的话费清单。")


def new_users(reading: Reading, found: list[NewUser], lists: Lists) -> Section:
    """四.3: users from other networks, at the price agreed for each."""
    rows: list[dict[str, Any]] = [
        {"row": item.row, "number": reading.number(item.number), "kind": item.kind, "pay": item.yuan} for item in found
    ]
    columns = (
        Column(key="row", title="清单行号", kind=Kind.INT),
        text("number", "客户号码"),
        text("kind", "用户类型"),
        money("pay", "每户酬金（元）"),
    )
    note = _elsewhere("外网用户", len(lists.new_users) - len(found))
    return Section(title="外网用户（四.3）", table=Table(columns=columns, rows=rows), note=note, empty="没有本月的外网用户清单。")


def _elsewhere(what: str, rows: int) -> str:
    return f"{what}清单里另有 {rows} 行不属于本月，或已满提取期，没有计入。" if rows else ""
