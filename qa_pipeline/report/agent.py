"""个人评分表. Source: S1 2 (录音评分和录音号), S0 part 4 三.4 (营销的成功数、有效率、投诉率)."""

from __future__ import annotations

from typing import Any

from qa_pipeline.casework import closing
from qa_pipeline.casework.values import Party
from qa_pipeline.errors import UserError
from qa_pipeline.report.common import at_clock, conclusion, interval, interval_columns
from qa_pipeline.report.document import Chart, Column, Fact, Kind, Report, Section, Table, count, mean, money, share, text
from qa_pipeline.report.reading import Reading

MOST_CALLS = 20_000  # listed one by one; a whole centre's month is read agent by agent
_PEOPLE = """
    SELECT coalesce(call.agent_id, '') AS agent_id, arg_max(call.agent_name, (call.started_at, call.call_id)) AS agent_name,
        string_agg(DISTINCT call.team, '、' ORDER BY call.team) AS team, count(*) AS calls,
        count(*) FILTER (coalesce(call.outcome, '') <> 'no_answer') AS connected,
        count(*) FILTER (call.call_type = 'sale' AND call.outcome = 'success') AS sales,
        count(*) FILTER (call.call_type = 'sale' AND call.outcome = 'success' AND score.sale_invalid) AS invalid,
        count(score.call_id) AS scored, coalesce(sum(score.score), 0)::BIGINT AS score_sum,
        count(*) FILTER (score.qualified) AS qualified, count(*) FILTER (score.fatal) AS fatal,
        coalesce(sum(found.n), 0)::BIGINT AS findings, count(one.case_id) AS reviewed,
        coalesce(sum(kept.n), 0)::BIGINT AS confirmed,
        count(*) FILTER (call.call_id IN (SELECT call_id FROM complaints_now WHERE state = '投诉成立')) AS complaints
    FROM r_calls AS call LEFT JOIN r_scores AS score USING (call_id)
    LEFT JOIN (SELECT call_id, count(*) AS n FROM r_findings GROUP BY 1) AS found USING (call_id)
    LEFT JOIN r_cases AS one ON one.call_id = call.call_id AND one.kind = 'primary' AND one.state = '已完成'
    LEFT JOIN (SELECT case_id, count(*) AS n FROM r_decided WHERE decision = 'confirm' GROUP BY 1) AS kept
        ON kept.case_id = one.case_id
    WHERE ($agent = '' OR call.agent_id = $agent) AND ($team = '' OR call.team = $team)
    GROUP BY 1 ORDER BY 1
"""
_CALLS = """
    SELECT score.call_id, score.agent_id, score.started_at, score.call_type, score.outcome, score.duration_s, score.score,
        score.qualified, score.fatal, score.provisional, coalesce(found.clauses, '') AS clauses, one.case_id, count(*) OVER () AS every,
        coalesce(one.state, '') AS state, coalesce(kept.clauses, '') AS kept
    FROM r_scores AS score
    LEFT JOIN (SELECT call_id, string_agg(DISTINCT clause, ' ' ORDER BY clause) AS clauses FROM r_findings GROUP BY 1) AS found
        USING (call_id)
    LEFT JOIN r_cases AS one ON one.call_id = score.call_id AND one.kind = 'primary'
    LEFT JOIN (SELECT case_id, string_agg(DISTINCT clause, ' ' ORDER BY clause) AS clauses FROM r_decided
               WHERE decision = 'confirm' GROUP BY 1) AS kept ON kept.case_id = one.case_id
    WHERE ($agent = '' OR score.agent_id = $agent) AND ($team = '' OR score.team = $team)
        AND ($agent <> '' OR NOT score.qualified OR one.case_id IS NOT NULL)
    QUALIFY row_number() OVER (ORDER BY score.score, score.call_id) <= $most
    ORDER BY score.agent_id, score.started_at, score.call_id
"""
_FINDINGS = """
    SELECT item.call_id, item.started_at, item.clause, item.title, item.start_s, item.quote, item.reason, call.customer_name
    FROM r_findings AS item JOIN r_calls AS call USING (call_id)
    WHERE item.agent_id = $agent AND ($team = '' OR item.team = $team) ORDER BY item.started_at, item.call_id, item.clause, item.rule_id, item.ordinal
"""
_TREND = """
    SELECT started_at::DATE AS day, count(*) AS scored, sum(score)::BIGINT AS score_sum, count(*) FILTER (qualified) AS qualified
    FROM r_scores WHERE ($agent = '' OR agent_id = $agent) AND ($team = '' OR team = $team) GROUP BY 1 ORDER BY 1
"""


def build(reading: Reading) -> Report:
    reading.need("r_calls", "r_scores", "r_findings", "r_cases", "r_decided")
    wanted = {"agent": reading.wish.agent, "team": reading.wish.team}
    people = reading.rows(_PEOPLE, wanted)
    if not people:
        whom = f"工号 {wanted['agent']}" if wanted["agent"] else f"班组 {wanted['team']}" if wanted["team"] else "任何人"
        raise UserError(
            f"{reading.period} 没有{whom}的通话。请检查工号、班组和日期。", command="它们用 --agent、--team、--from、--to 写。"
        )
    sections = [_people(reading, people), _trend(reading, wanted), _calls(reading, wanted)]
    if wanted["agent"]:
        sections.append(_found(reading, wanted))
    title = f"个人评分表 {wanted['agent']} {people[0]['agent_name'] or ''}".rstrip() if wanted["agent"] else "个人评分表"
    return Report(
        kind="agent",
        title=title,
        period=str(reading.period),
        made_at="",
        facts=_facts(people),
        sections=tuple(sections),
        notes=("机检分与违规是系统的建议，“复核确认”才是结论。合格率区间为 95% Wilson 区间：通数少的人区间宽，不宜直接排名。",),
    )


def _facts(people: list[dict[str, Any]]) -> tuple[Fact, ...]:
    sums = {key: sum(row[key] for row in people) for key in ("calls", "scored", "score_sum", "qualified", "fatal", "confirmed")}
    scored = sums["scored"]
    return (
        Fact(label="坐席", value=len(people), unit=" 人"),
        Fact(label="通话", value=sums["calls"]),
        Fact(label="平均分（机检）", value=sums["score_sum"] / scored if scored else None, kind=Kind.NUMBER),
        Fact(label="合格率（机检）", value=sums["qualified"] / scored if scored else None, kind=Kind.SHARE),
        Fact(label="致命（0 分）", value=sums["fatal"], good=False if sums["fatal"] else None),
        Fact(label="复核确认的违规", value=sums["confirmed"]),
    )


def _people(reading: Reading, people: list[dict[str, Any]]) -> Section:
    held = _money(reading)
    rows = [row | interval(row["qualified"], row["scored"]) | {"yuan": held.get(row["agent_id"], 0)} for row in people]
    columns = (
        text("agent_id", "工号"),
        text("agent_name", "姓名"),
        text("team", "班组"),
        count("calls", "通话"),
        count("connected", "接通"),
        count("sales", "成交"),
        count("invalid", "无效成交（机检）"),
        count("scored", "已机检"),
        Column(key="score_sum", title="得分合计", kind=Kind.INT, total=True),
        mean("average", "平均分", "score_sum", "scored"),
        count("qualified", "合格"),
        share("rate", "合格率", "qualified", "scored"),
        *interval_columns(),
        count("fatal", "致命"),
        count("findings", "违规（机检）"),
        count("reviewed", "已复核"),
        count("confirmed", "复核确认"),
        count("complaints", "投诉成立"),
        money("yuan", "已确认扣款（元）"),
    )
    note = "一人在这段时间换过班组的，班组栏列出全部班组。已确认扣款含已入账和未入账，按台账到本期末所在月。"
    chart = Chart(kind="bar", label="agent_id", series=("average",), title="平均分（机检）")
    return Section(title="个人汇总", table=Table(columns=columns, rows=rows), note=note, chart=chart)


def _money(reading: Reading) -> dict[str, Any]:
    month = f"{reading.period.last:%Y-%m}"
    lines = closing.statement(reading.tx, month)
    return {line.person: line.taken.yuan + line.open.yuan for line in lines if line.party is Party.AGENT}


def _trend(reading: Reading, wanted: dict[str, str]) -> Section:
    columns = (
        Column(key="day", title="日期", kind=Kind.DAY),
        count("scored", "已机检"),
        Column(key="score_sum", title="得分合计", kind=Kind.INT, total=True),
        mean("average", "平均分", "score_sum", "scored"),
        count("qualified", "合格"),
        share("rate", "合格率", "qualified", "scored"),
    )
    chart = Chart(kind="line", label="day", series=("average",), title="每日平均分（机检）")
    return Section(title="每日走势", table=Table(columns=columns, rows=reading.rows(_TREND, wanted)), chart=chart)


def _calls(reading: Reading, wanted: dict[str, str]) -> Section:
    rows = [
        row | {"conclusion": conclusion(row["score"], row["qualified"], row["fatal"])}
        for row in reading.rows(_CALLS, wanted | {"most": MOST_CALLS})
    ]
    columns = (
        text("call_id", "录音编号"),
        text("agent_id", "工号"),
        Column(key="started_at", title="开始", kind=Kind.TIME),
        Column(key="duration_s", title="时长（秒）", kind=Kind.SECONDS),
        Column(key="score", title="机检分", kind=Kind.INT),
        text("conclusion", "机检结论"),
        text("clauses", "机检违规条款"),
        text("state", "复核状态"),
        text("kept", "复核确认条款"),
        text("case_id", "工单"),
    )
    note = "" if wanted["agent"] else "列出机检不合格的和已有工单的通话；写明工号可以看一个人的全部通话。"
    if rows and rows[0]["every"] > len(rows):
        note += f" 共 {rows[0]['every']} 通，这里是得分最低的 {len(rows)} 通。"
    return Section(title="逐通评分", table=Table(columns=columns, rows=rows), note=note)


def _found(reading: Reading, wanted: dict[str, str]) -> Section:
    rows = [
        row
        | {
            "at": at_clock(row["start_s"]),
            "quote": reading.words(row["quote"], row["customer_name"]),
            "reason": reading.words(row["reason"], row["customer_name"]),
        }
        for row in reading.rows(_FINDINGS, wanted)
    ]
    columns = (
        text("call_id", "录音编号"),
        Column(key="started_at", title="开始", kind=Kind.TIME),
        text("clause", "条款"),
        text("title", "名称"),
        text("at", "位置"),
        text("quote", "原话"),
        text("reason", "理由"),
    )
    return Section(title="发现明细", table=Table(columns=columns, rows=rows), empty="没有发现违规。")
