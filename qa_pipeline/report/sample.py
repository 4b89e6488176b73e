"""抽查执行情况与重点复查名单. Source: S0 part 4, 三.3(3): 每天 10%, 每星期 5%, 不合格的加强多次重复核查; S1: 每人每天 2–3 个."""

from __future__ import annotations

from typing import Any

from qa_pipeline.casework.followup import Recheck
from qa_pipeline.report.common import bounds
from qa_pipeline.report.document import Chart, Column, Fact, Kind, Report, Section, Table, count, share, text
from qa_pipeline.report.reading import Reading
from qa_pipeline.report.reviewed import recheck_list

_SAMPLES = """
    SELECT one.sample_id, one.level, one.date_from, one.date_to, one.seed, one.frame AS frame,
        count(item.call_id) FILTER (item.base) AS base, count(item.call_id) FILTER (NOT item.base) AS added,
        count(*) FILTER (coalesce(mine.state, usual.state) = '已完成') AS reviewed, count(item.call_id) AS drawn
    FROM samples AS one
    LEFT JOIN sample_items AS item USING (sample_id)
    LEFT JOIN (SELECT sample_id, call_id, state FROM r_cases WHERE kind <> 'blind') AS mine
        ON mine.sample_id = one.sample_id AND mine.call_id = item.call_id
    LEFT JOIN (SELECT call_id, state FROM r_cases WHERE kind = 'primary') AS usual ON usual.call_id = item.call_id
    WHERE one.date_from <= $last::DATE AND one.date_to >= $first::DATE
    GROUP BY ALL ORDER BY one.date_from, one.sample_id
"""
_AGENTS = """
    SELECT call.agent_id, arg_max(call.agent_name, (call.started_at, call.call_id)) AS agent_name,
        arg_max(call.team, (call.started_at, call.call_id)) AS team,
        count(DISTINCT call.started_at::DATE) AS days, count(*) AS calls, count(drawn.call_id) AS drawn,
        count(*) FILTER (drawn.base) AS base, count(one.case_id) AS reviewed
    FROM r_calls AS call
    LEFT JOIN (SELECT call_id, bool_or(base) AS base FROM sample_items GROUP BY 1) AS drawn USING (call_id)
    LEFT JOIN r_cases AS one ON one.call_id = call.call_id AND one.kind = 'primary' AND one.state = '已完成'
    GROUP BY 1 ORDER BY 1
"""
LEVEL = {"daily": "日常抽查", "weekly": "二级抽查"}


def build(reading: Reading) -> Report:
    reading.need("r_calls", "r_cases")
    samples = reading.rows(_SAMPLES, bounds(reading))
    recheck = recheck_list(reading)
    drawn, reviewed = (sum(row[key] for row in samples) for key in ("drawn", "reviewed"))
    return Report(
        kind="sample",
        title="抽查执行情况与重点复查名单",
        period=str(reading.period),
        made_at="",
        facts=(
            Fact(label="抽样次数", value=len(samples)),
            Fact(label="抽到录音", value=drawn, note=f"已复核 {reviewed}"),
            Fact(label="重点复查", value=len(recheck), unit=" 人", good=False if recheck else None),
        ),
        sections=(_recheck(reading, recheck), _drawn(reading, samples), _agents(reading)),
        notes=(
            "随机部分可以用种子重抽核对（qa sample --replay）。定向加抽（投诉、机检致命、重点复查）不进合格率。",
            "出处：S0 第四篇 三.3(3)：每天抽查有效录音的 10%，每星期 5%，对不合格的加强多次重复核查；S1：每人每天 2–3 个电话试听。",
        ),
    )


def _recheck(reading: Reading, recheck: list[Recheck]) -> Section:
    people = {row["agent_id"]: row for row in reading.rows(_AGENTS)}
    rows: list[dict[str, Any]] = [
        {
            "agent_id": item.agent_id,
            "agent_name": people.get(item.agent_id, {}).get("agent_name") or "",
            "team": people.get(item.agent_id, {}).get("team") or "",
            "failed_case": item.failed_case,
            "failed_at": item.failed_at,
            "clean": item.clean_since,
            "needed": item.clean_needed,
        }
        for item in recheck
    ]
    columns = (
        text("agent_id", "工号"),
        text("agent_name", "姓名"),
        text("team", "班组"),
        text("failed_case", "不合格工单"),
        Column(key="failed_at", title="复核完成", kind=Kind.TIME),
        Column(key="clean", title="此后合格次数", kind=Kind.INT),
        Column(key="needed", title="需要合格次数", kind=Kind.INT),
    )
    note = "按全部复核记录计算，不限本期；连续合格达到次数后自动移出。"
    return Section(title="重点复查名单", table=Table(columns=columns, rows=rows), note=note, empty="没有需要重点复查的坐席。")


def _drawn(reading: Reading, samples: list[dict[str, Any]]) -> Section:
    settings = reading.tx.settings
    wanted = {"daily": settings.daily_rate, "weekly": settings.weekly_rate}
    rows: list[dict[str, Any]] = [
        row | {"level": LEVEL.get(str(row["level"]), str(row["level"])), "wanted": wanted.get(str(row["level"]))} for row in samples
    ]
    columns = (
        text("sample_id", "抽样"),
        text("level", "级别"),
        Column(key="date_from", title="从", kind=Kind.DAY),
        Column(key="date_to", title="到", kind=Kind.DAY),
        Column(key="frame", title="有效录音", kind=Kind.INT, total=True),
        count("base", "随机抽到"),
        share("rate", "实际比例", "base", "frame"),
        Column(key="wanted", title="规定比例", kind=Kind.SHARE),
        count("added", "定向加抽"),
        count("drawn", "合计抽到"),
        count("reviewed", "已复核"),
        share("done", "复核完成率", "reviewed", "drawn"),
        text("seed", "种子"),
    )
    return Section(title="抽样记录", table=Table(columns=columns, rows=rows), empty="这段时间没有抽样。")


def _agents(reading: Reading) -> Section:
    columns = (
        text("agent_id", "工号"),
        text("agent_name", "姓名"),
        text("team", "班组"),
        count("days", "有通话的天数"),
        count("calls", "通话"),
        count("drawn", "被抽到"),
        count("base", "其中随机"),
        count("reviewed", "已复核"),
        share("rate", "抽中比例", "drawn", "calls"),
        Column(key="per_day", title="每天被抽", kind=Kind.NUMBER, part="drawn", over="days"),
    )
    chart = Chart(kind="bar", label="agent_id", series=("per_day",), title="每人每天被抽的通数")
    return Section(title="每人被抽情况", table=Table(columns=columns, rows=reading.rows(_AGENTS)), chart=chart)
