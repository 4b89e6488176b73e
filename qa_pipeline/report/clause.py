"""条款分布 and 走势: what is broken how often, how often people agree with the machine, and whether it gets better."""

from __future__ import annotations

from typing import Any

from qa_pipeline.casework import agreement
from qa_pipeline.report.common import clause_names, ends, interval, interval_columns, week_of
from qa_pipeline.report.document import Chart, Column, Fact, Kind, Report, Section, Table, count, share, text
from qa_pipeline.report.reading import Reading

_CLAUSES = """
    SELECT item.clause, max(item.title) AS title, count(*) AS findings, count(DISTINCT item.call_id) AS calls,
        count(*) FILTER (item.review) AS review, count(DISTINCT item.agent_id) AS agents,
        (SELECT count(*) FROM r_scores) AS scored
    FROM r_findings AS item GROUP BY item.clause ORDER BY calls DESC, item.clause
"""
_UNJUDGED = """
    SELECT item.clause, count(DISTINCT item.call_id) AS calls FROM outcomes AS item JOIN r_scores USING (run_id)
    WHERE item.verdict = '无法判定' GROUP BY 1
"""
_DAYS = """
    SELECT score.started_at::DATE AS day, count(*) AS scored,
        count(*) FILTER (score.call_id IN (SELECT call_id FROM r_findings)) AS flagged
    FROM r_scores AS score GROUP BY 1 ORDER BY 1
"""
_WEEKLY = """
    SELECT item.clause, max(item.title) AS title, item.started_at::DATE AS day, count(DISTINCT item.call_id) AS calls
    FROM r_findings AS item GROUP BY item.clause, day ORDER BY item.clause, day
"""


def build(reading: Reading) -> Report:
    reading.need("r_calls", "r_scores", "r_findings")
    clauses = reading.rows(_CLAUSES)
    days = reading.rows(_DAYS)
    scored = sum(row["scored"] for row in days)
    flagged = sum(row["flagged"] for row in days)
    return Report(
        kind="clause",
        title="条款分布与走势",
        period=str(reading.period),
        made_at="",
        facts=(
            Fact(label="已机检通话", value=scored),
            Fact(label="有发现的通话", value=flagged, note="" if not scored else f"{flagged / scored:.1%}"),
            Fact(label="发现次数", value=sum(row["findings"] for row in clauses)),
            Fact(label="涉及条款", value=len(clauses)),
        ),
        sections=(_spread(reading, clauses), _days(days), _weeks(reading, days), _trusted(reading)),
        notes=("机检发现，含待复核的。仅提示的条款不计。“无法判定”不是违规：缺数据或听不清，由人决定。",),
    )


def _spread(reading: Reading, clauses: list[dict[str, Any]]) -> Section:
    unjudged = {row["clause"]: row["calls"] for row in reading.rows(_UNJUDGED)}
    names = clause_names(reading)
    rows: list[dict[str, Any]] = [
        row
        | interval(row["calls"], row["scored"])
        | {"unjudged": unjudged.get(row["clause"], 0), "source": names[row["clause"]].source if row["clause"] in names else ""}
        for row in clauses
    ]
    columns = (
        text("clause", "条款"),
        text("title", "名称"),
        count("findings", "次数"),
        Column(key="calls", title="涉及通话", kind=Kind.INT),
        Column(key="scored", title="已机检通话", kind=Kind.INT),
        share("share", "涉及比例", "calls", "scored"),
        *interval_columns(),
        Column(key="agents", title="涉及坐席", kind=Kind.INT),
        count("review", "只能由人判定"),
        Column(key="unjudged", title="无法判定的通话", kind=Kind.INT),
        text("source", "出处"),
    )
    chart = Chart(kind="bar", label="clause", series=("calls",), title="各条款涉及的通话")
    return Section(title="条款分布", table=Table(columns=columns, rows=rows), chart=chart, empty="没有发现违规。")


def _days(days: list[dict[str, Any]]) -> Section:
    columns = (
        Column(key="day", title="日期", kind=Kind.DAY),
        count("scored", "已机检"),
        count("flagged", "有发现"),
        share("share", "有发现的比例", "flagged", "scored"),
    )
    chart = Chart(kind="line", label="day", series=("share",), title="每日有发现的通话比例")
    return Section(title="每日走势", table=Table(columns=columns, rows=days), chart=chart)


def _weeks(reading: Reading, days: list[dict[str, Any]]) -> Section:
    """Calls with a finding per clause and ISO week; a clause that was not broken in a week stands there with 0."""
    scored: dict[str, int] = {}
    for row in days:
        scored[week_of(row["day"])] = scored.get(week_of(row["day"]), 0) + row["scored"]
    found: dict[tuple[str, str], int] = {}
    titles: dict[str, str] = {}
    for row in reading.rows(_WEEKLY):
        key = (row["clause"], week_of(row["day"]))
        found[key] = found.get(key, 0) + row["calls"]
        titles[row["clause"]] = row["title"]
    rows: list[dict[str, Any]] = [
        {"clause": clause, "title": titles[clause], "week": week, "calls": found.get((clause, week), 0), "scored": scored[week]}
        for clause in sorted(titles)
        for week in sorted(scored)
    ]
    columns = (
        text("clause", "条款"),
        text("title", "名称"),
        text("week", "周"),
        Column(key="calls", title="涉及通话", kind=Kind.INT),
        Column(key="scored", title="已机检通话", kind=Kind.INT),
        share("share", "涉及比例", "calls", "scored"),
    )
    return Section(title="每周走势", table=Table(columns=columns, rows=rows), empty="没有发现违规。")


def _trusted(reading: Reading) -> Section:
    """Over everything that was ever reviewed: a month alone has too few decisions for most clauses."""
    names = clause_names(reading)
    rows: list[dict[str, Any]] = [
        {
            "clause": item.clause,
            "title": names[item.clause].title if item.clause in names else "",
            "confirmed": item.confirmed,
            "rejected": item.rejected,
            "decided": item.confirmed + item.rejected,
            "unclear": item.cannot_tell,
            "missed": item.missed,
            "appealed": item.appealed,
            "overturned": item.overturned,
            "kappa": item.machine.value,
            "advice": "仅提示" if item.advice_only else "",
        }
        | ends(item.precision)
        for item in agreement.trust(reading.tx)
    ]
    columns = (
        text("clause", "条款"),
        text("title", "名称"),
        count("confirmed", "确认"),
        count("rejected", "驳回或撤销"),
        count("decided", "已决定"),
        share("precision", "机检准确率", "confirmed", "decided"),
        *interval_columns(),
        count("unclear", "无法判断"),
        count("missed", "人补的"),
        count("appealed", "申诉"),
        count("overturned", "申诉成立"),
        Column(key="kappa", title="人机一致 κ", kind=Kind.NUMBER),
        text("advice", "现状"),
    )
    note = "按全部已完成的复核统计，不限本期。准确率低于下限的条款自动降为仅提示。"
    return Section(title="机检可信度", table=Table(columns=columns, rows=rows), note=note, empty="还没有完成的复核。")
