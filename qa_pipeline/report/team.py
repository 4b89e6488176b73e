"""团队对比, every rate with its 95 % interval: whether two teams differ is said, not guessed from two bars."""

from __future__ import annotations

from typing import Any

from qa_pipeline.casework.samples import qualified_rates
from qa_pipeline.casework.stats import wilson
from qa_pipeline.report.common import ends, interval, interval_columns
from qa_pipeline.report.document import Chart, Column, Kind, Report, Section, Table, count, mean, share, text
from qa_pipeline.report.reading import Reading
from qa_pipeline.text.order import in_order

_TEAMS = """
    SELECT coalesce(call.team, '') AS team, string_agg(DISTINCT call.supervisor, '、' ORDER BY call.supervisor) AS supervisor,
        count(DISTINCT call.agent_id) AS agents,
        count(*) AS calls, count(*) FILTER (coalesce(call.outcome, '') <> 'no_answer') AS connected,
        count(*) FILTER (call.call_type = 'sale' AND call.outcome = 'success') AS sales,
        count(*) FILTER (call.call_type = 'sale' AND call.outcome = 'success' AND score.call_id IS NOT NULL) AS judged,
        count(*) FILTER (call.call_type = 'sale' AND call.outcome = 'success' AND NOT score.sale_invalid) AS valid,
        count(score.call_id) AS scored, coalesce(sum(score.score), 0)::BIGINT AS score_sum,
        count(*) FILTER (score.qualified) AS qualified, count(*) FILTER (score.fatal) AS fatal,
        coalesce(sum(found.n), 0)::BIGINT AS findings
    FROM r_calls AS call LEFT JOIN r_scores AS score USING (call_id)
    LEFT JOIN (SELECT call_id, count(*) AS n FROM r_findings GROUP BY 1) AS found USING (call_id)
    GROUP BY 1
"""
_CLAUSES = """
    SELECT item.clause, max(item.title) AS title, item.team, count(DISTINCT item.call_id) AS calls
    FROM r_findings AS item GROUP BY item.clause, item.team
"""


def build(reading: Reading) -> Report:
    reading.need("r_calls", "r_scores", "r_findings")
    teams = sorted(({**row, "team": row["team"] or "未知"} for row in reading.rows(_TEAMS)), key=lambda row: in_order(row["team"]))
    return Report(
        kind="team",
        title="团队对比",
        period=str(reading.period),
        made_at="",
        sections=(_machine(teams), _reviewed(reading), _clauses(reading, teams)),
        notes=(
            "区间为 95% Wilson 区间。两个班组的区间重叠，说明数据还不足以断定谁高谁低；“与最高者”一栏据此写明。",
            "复核合格率只看每日随机抽到并已复核的录音（二级抽查和定向加抽不计入），按每名坐席的通话数加权，区间按有效样本量计算。",
        ),
    )


def _machine(teams: list[dict[str, Any]]) -> Section:
    rates = {row["team"]: wilson(row["qualified"], row["scored"]) for row in teams}
    best = max((rate for rate in rates.values() if rate is not None), key=lambda rate: rate.share, default=None)
    rows: list[dict[str, Any]] = []
    for row in teams:
        rate = rates[row["team"]]
        against = (
            "" if rate is None or best is None else "最高" if rate is best else "不能区分" if rate.overlaps(best) else "明显较低"
        )
        rows.append(row | interval(row["qualified"], row["scored"]) | {"against": against})
    columns = (
        text("team", "班组"),
        text("supervisor", "主管"),
        Column(key="agents", title="人数", kind=Kind.INT),
        count("calls", "通话"),
        count("connected", "接通"),
        share("connect_rate", "接通率", "connected", "calls"),
        count("sales", "成交"),
        share("sale_rate", "成交率", "sales", "connected"),
        count("judged", "已判定成交"),
        count("valid", "有效（机检）"),
        share("valid_rate", "有效率", "valid", "judged"),
        count("scored", "已机检"),
        Column(key="score_sum", title="得分合计", kind=Kind.INT, total=True),
        mean("average", "平均分", "score_sum", "scored"),
        count("qualified", "合格"),
        share("rate", "合格率", "qualified", "scored"),
        *interval_columns(),
        text("against", "与最高者"),
        count("fatal", "致命"),
        count("findings", "违规次数"),
        Column(key="per_100", title="每百通违规", kind=Kind.NUMBER, part="findings", over="scored", scale=100.0),
    )
    chart = Chart(kind="bar", label="team", series=("rate",), title="合格率（机检）")
    return Section(title="班组成绩（机检）", table=Table(columns=columns, rows=rows), chart=chart)


def _reviewed(reading: Reading) -> Section:
    rows: list[dict[str, Any]] = [
        {"team": item.name, "reviewed": item.reviewed, "rate": item.rate.share if item.rate else None} | ends(item.rate)
        for item in qualified_rates(reading.tx, "team", reading.period.first, reading.period.last)
    ]
    columns = (
        text("team", "班组"),
        count("reviewed", "已复核（随机部分）"),
        Column(key="rate", title="复核合格率", kind=Kind.SHARE),
        *interval_columns(),
    )
    chart = Chart(kind="bar", label="team", series=("rate",), title="复核合格率（加权）")
    return Section(title="复核合格率", table=Table(columns=columns, rows=rows), chart=chart, empty="这段时间没有复核完的随机抽样。")


def _clauses(reading: Reading, teams: list[dict[str, Any]]) -> Section:
    """Calls with a finding per team and clause, and their share of the team's judged calls."""
    scored = {row["team"]: row["scored"] for row in teams}
    rows: list[dict[str, Any]] = [
        row | {"team": row["team"] or "未知", "scored": scored.get(row["team"] or "未知", 0)} for row in reading.rows(_CLAUSES)
    ]
    rows.sort(key=lambda row: (row["clause"], in_order(row["team"])))
    columns = (
        text("clause", "条款"),
        text("title", "名称"),
        text("team", "班组"),
        Column(key="calls", title="涉及通话", kind=Kind.INT),
        Column(key="scored", title="已机检通话", kind=Kind.INT),
        share("share", "涉及比例", "calls", "scored"),
    )
    return Section(title="各班组的问题（机检）", table=Table(columns=columns, rows=rows), empty="没有发现违规。")
