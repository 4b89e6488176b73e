"""回访与二次确认清单. Source: S0 part 4, 三.2 (不合格的营销须及时回访), 三.3(5) (收费前 2 次确认), 三.5 (黑名单)."""

from __future__ import annotations

from datetime import date
from typing import Any

from qa_pipeline.casework import followup
from qa_pipeline.report.document import Column, Fact, Kind, Report, Section, Table, count, text
from qa_pipeline.report.reading import Reading
from qa_pipeline.report.reviewed import Callback, callbacks

_BLACKLISTED = """
    SELECT call.call_id, call.started_at, call.agent_id, call.customer_number, black.reason, black.at_time
    FROM r_calls AS call JOIN blacklist AS black ON black.number = call.customer_number AND call.started_at > black.at_time
    ORDER BY call.started_at, call.call_id
"""


def build(reading: Reading) -> Report:
    """As of the last day of the period: what is still to be done then."""
    reading.need("r_calls")
    today = reading.period.last
    due = [item for item in callbacks(reading) if not item.settled and reading.period.first <= item.found_on <= today]
    confirmations = [item for item in followup.confirmations(reading.tx, today) if reading.period.first <= item.sold_on]
    black = reading.rows(_BLACKLISTED)
    late = [item for item in confirmations if item.state in ("逾期未确认", "不得收费")]
    return Report(
        kind="followup",
        title="回访与二次确认清单",
        period=f"截至 {today}",
        made_at="",
        facts=(
            Fact(label="待回访", value=len(due), unit=" 户"),
            Fact(label="待二次确认", value=len(confirmations), unit=" 户"),
            Fact(label="其中逾期或不得收费", value=len(late), unit=" 户", good=not late),
            Fact(label="拨打了黑名单号码", value=len(black), unit=" 通", good=not black),
        ),
        sections=(
            _callbacks(reading, due),
            _confirmations(reading, confirmations, today),
            _states(confirmations),
            _blacklisted(reading, black),
        ),
        notes=(
            "出处：S0 第四篇 三.2（不合格的营销须及时对用户进行回访，回访同样要符合四项标准）；三.3(5)（正式收费前进行 2 次确认，无法接通则"
            "延长一个体验期；未确认的不得收费）；三.5（黑名单）。",
        ),
    )


def _callbacks(reading: Reading, due: list[Callback]) -> Section:
    rows: list[dict[str, Any]] = [
        {
            "call_id": item.call_id,
            "customer": reading.number(item.customer_number),
            "product": item.product,
            "agent_id": item.agent_id,
            "reasons": item.reasons,
            "found_at": item.found_at,
            "waiting": (reading.period.last - item.found_on).days,
            "result": item.result or "未回访",
            "case_id": item.case_id,
        }
        for item in due
    ]
    columns = (
        text("call_id", "录音编号"),
        text("customer", "客户号码"),
        text("product", "业务"),
        text("agent_id", "工号"),
        text("reasons", "无效原因"),
        Column(key="found_at", title="确认时间", kind=Kind.TIME),
        Column(key="waiting", title="已等（天）", kind=Kind.INT),
        text("result", "最近回访结果"),
        text("case_id", "工单"),
    )
    return Section(title="待回访", table=Table(columns=columns, rows=rows), empty="没有待回访的客户。")


def _confirmations(reading: Reading, items: list[followup.Confirmation], today: date) -> Section:
    rows: list[dict[str, Any]] = [
        {
            "call_id": item.call_id,
            "customer": reading.number(item.customer_number),
            "product": item.product,
            "agent_id": item.agent_id,
            "sold_on": item.sold_on,
            "trial": item.trial_days,
            "done": len(item.done),
            "due": item.next_due,
            "charge": item.charge_day,
            "left": (item.charge_day - today).days,
            "extended": "已延长" if item.extended else "",
            "state": item.state,
        }
        for item in items
    ]
    columns = (
        text("call_id", "录音编号"),
        text("customer", "客户号码"),
        text("product", "业务"),
        text("agent_id", "工号"),
        Column(key="sold_on", title="成交日", kind=Kind.DAY),
        Column(key="trial", title="体验（天）", kind=Kind.INT),
        Column(key="done", title="已确认次数", kind=Kind.INT),
        Column(key="due", title="下次应在", kind=Kind.DAY),
        Column(key="charge", title="收费日", kind=Kind.DAY),
        Column(key="left", title="距收费（天）", kind=Kind.INT),
        text("extended", "体验期"),
        text("state", "状态"),
    )
    return Section(title="待二次确认", table=Table(columns=columns, rows=rows), empty="没有待确认的体验用户。")


def _states(items: list[followup.Confirmation]) -> Section:
    counts: dict[str, int] = {}
    for item in items:
        counts[item.state] = counts.get(item.state, 0) + 1
    rows: list[dict[str, Any]] = [{"state": state, "n": number} for state, number in sorted(counts.items())]
    return Section(title="二次确认状态", table=Table(columns=(text("state", "状态"), count("n", "户数")), rows=rows))


def _blacklisted(reading: Reading, black: list[dict[str, Any]]) -> Section:
    rows: list[dict[str, Any]] = [
        row | {"customer_number": reading.number(row["customer_number"]), "reason": reading.words(row["reason"])} for row in black
    ]
    columns = (
        text("call_id", "录音编号"),
        Column(key="started_at", title="拨打时间", kind=Kind.TIME),
        text("agent_id", "工号"),
        text("customer_number", "客户号码"),
        text("reason", "列入原因"),
        Column(key="at_time", title="列入时间", kind=Kind.TIME),
    )
    return Section(title="拨打了黑名单号码", table=Table(columns=columns, rows=rows), empty="没有。")
