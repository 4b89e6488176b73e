"""申诉: what was appealed, how it ended, which clauses fall most often, and what is overdue."""

from __future__ import annotations

from typing import Any

from qa_pipeline.report.common import bounds, clause_names, interval, interval_columns
from qa_pipeline.report.document import Chart, Column, Fact, Kind, Report, Section, Table, count, share, text
from qa_pipeline.report.reading import Reading
from qa_pipeline.text.order import in_order

_APPEALS = """
    SELECT appeal_id, at_time, call_id, case_id, clause, agent_id, team, reason, state, due_at, changed_at,
        state IN ('待班组长意见', '待质检组长裁定', '待经理终裁') AS open,
        state IN ('待班组长意见', '待质检组长裁定', '待经理终裁') AND due_at < $now AS overdue,
        CASE WHEN state IN ('待班组长意见', '待质检组长裁定', '待经理终裁') THEN NULL
             ELSE date_diff('minute', at_time, changed_at) / 60.0 END AS hours
    FROM appeals_now WHERE at_time >= $first::DATE AND at_time < $last::DATE + 1 ORDER BY at_time, appeal_id
"""
_CONFIRMED = """
    SELECT clause, count(*) AS confirmed FROM r_decided
    WHERE decision IN ('confirm', 'overturn') AND kind = 'primary' AND finished_at >= $first::DATE AND finished_at < $last::DATE + 1
    GROUP BY 1
"""


def build(reading: Reading) -> Report:
    reading.need("r_cases", "r_decided")
    appeals = reading.rows(_APPEALS, bounds(reading) | {"now": reading.wish.made_at})
    settled = [row for row in appeals if not row["open"]]
    overturned = sum(1 for row in appeals if row["state"] == "申诉成立")
    late = sum(1 for row in appeals if row["overdue"])
    hours = [row["hours"] for row in settled]
    return Report(
        kind="appeals",
        title="申诉报告",
        period=str(reading.period),
        made_at="",
        facts=(
            Fact(label="受理", value=len(appeals), unit=" 件"),
            Fact(label="已结", value=len(settled), unit=" 件", note=f"未结 {len(appeals) - len(settled)}"),
            Fact(label="申诉成立", value=overturned, unit=" 件"),
            Fact(label="成立率", value=overturned / len(settled) if settled else None, kind=Kind.SHARE, note="成立 ÷ 已结"),
            Fact(label="平均处理（小时）", value=sum(hours) / len(hours) if hours else None, kind=Kind.HOURS),
            Fact(label="超期未办", value=late, unit=" 件", good=not late),
        ),
        sections=(_states(appeals), _clauses(reading, appeals), _listed(reading, appeals), _teams(appeals)),
        notes=("按申诉提出的时间统计。申诉成立的，违规撤销，扣分扣款在同一笔里冲回。",),
    )


def _states(appeals: list[dict[str, Any]]) -> Section:
    counts: dict[str, int] = {}
    for row in appeals:
        counts[row["state"]] = counts.get(row["state"], 0) + 1
    rows: list[dict[str, Any]] = [{"state": state, "n": number, "whole": len(appeals)} for state, number in sorted(counts.items())]
    columns = (
        text("state", "状态"),
        count("n", "件数"),
        Column(key="whole", title="全部", kind=Kind.INT),
        share("share", "占比", "n", "whole"),
    )
    chart = Chart(kind="bar", label="state", series=("n",), title="申诉状态")
    return Section(title="结果", table=Table(columns=columns, rows=rows), chart=chart, empty="这段时间没有申诉。")


def _clauses(reading: Reading, appeals: list[dict[str, Any]]) -> Section:
    names = clause_names(reading)
    confirmed = {row["clause"]: row["confirmed"] for row in reading.rows(_CONFIRMED, bounds(reading))}
    rows: list[dict[str, Any]] = []
    for clause in sorted({row["clause"] for row in appeals}):
        mine = [row for row in appeals if row["clause"] == clause]
        settled = sum(1 for row in mine if not row["open"])
        fallen = sum(1 for row in mine if row["state"] == "申诉成立")
        title = names[clause].title if clause in names else ""
        base = {"clause": clause, "title": title, "confirmed": confirmed.get(clause, 0), "filed": len(mine)}
        rows.append(base | {"settled": settled, "fallen": fallen} | interval(fallen, settled))
    columns = (
        text("clause", "条款"),
        text("title", "名称"),
        count("confirmed", "本期确认"),
        count("filed", "申诉"),
        count("settled", "已结"),
        count("fallen", "成立"),
        share("rate", "成立率", "fallen", "settled"),
        *interval_columns(),
    )
    return Section(title="按条款", table=Table(columns=columns, rows=rows), empty="这段时间没有申诉。")


def _teams(appeals: list[dict[str, Any]]) -> Section:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in appeals:
        groups.setdefault(row["team"] or "未知", []).append(row)
    rows: list[dict[str, Any]] = [
        {
            "team": team,
            "filed": len(mine),
            "settled": sum(1 for row in mine if not row["open"]),
            "fallen": sum(1 for row in mine if row["state"] == "申诉成立"),
        }
        for team, mine in sorted(groups.items(), key=lambda item: in_order(item[0]))
    ]
    columns = (
        text("team", "班组"),
        count("filed", "申诉"),
        count("settled", "已结"),
        count("fallen", "成立"),
        share("rate", "成立率", "fallen", "settled"),
    )
    return Section(title="按班组", table=Table(columns=columns, rows=rows), empty="这段时间没有申诉。")


def _listed(reading: Reading, appeals: list[dict[str, Any]]) -> Section:
    rows: list[dict[str, Any]] = [
        row | {"reason": reading.words(row["reason"]), "late": "超期" if row["overdue"] else ""} for row in appeals
    ]
    columns = (
        text("appeal_id", "申诉"),
        Column(key="at_time", title="提出", kind=Kind.TIME),
        text("agent_id", "工号"),
        text("team", "班组"),
        text("call_id", "录音编号"),
        text("clause", "条款"),
        text("reason", "理由"),
        text("state", "状态"),
        Column(key="due_at", title="期限", kind=Kind.TIME),
        text("late", "是否超期"),
        Column(key="hours", title="处理用时（小时）", kind=Kind.HOURS),
    )
    return Section(title="逐件", table=Table(columns=columns, rows=rows), empty="这段时间没有申诉。")
