"""质检日报. Source: S1 (每人每天 2–3 个电话试听, 提供录音评分和录音号, QC 每天不少于 4 小时), S0 part 4, 三.3(3) (每天抽查 10%, 登记抽查记录)."""

from __future__ import annotations

from typing import Any

from qa_pipeline.casework.samples import qualified_rates
from qa_pipeline.casework.stats import Rate, weighted
from qa_pipeline.report.common import DECISION, at_clock, bounds, conclusion, staff_names
from qa_pipeline.report.document import Column, Fact, Kind, Report, Section, Table, count, mean, share, text
from qa_pipeline.report.reading import Reading

HOURS_A_DAY = 4.0  # S1: QC 监控每天不少于 4 小时

_CALLS = """
    SELECT count(*) AS calls, count(*) FILTER (coalesce(outcome, '') <> 'no_answer') AS connected,
        (SELECT count(*) FROM r_scores) AS scored, (SELECT sum(score) FROM r_scores) AS score_sum,
        (SELECT count(*) FILTER (fatal) FROM r_scores) AS fatal
    FROM r_calls
"""
_SAMPLE = """
    SELECT item.call_id, call.agent_id, call.agent_name, call.team, score.duration_s, score.score, score.qualified, score.fatal,
        item.base, item.weight, array_to_string(item.marks, '、') AS marks, one.case_id, one.state, one.assignee,
        coalesce(found.clauses, '') AS clauses, coalesce(kept.clauses, '') AS kept
    FROM (SELECT call_id, bool_or(base AND level = 'daily') AS base, max(CASE WHEN level = 'daily' THEN weight END) AS weight,
              list_sort(list_distinct(flatten(list(CASE WHEN level = 'daily' THEN marks ELSE ['二级抽查'] END)))) AS marks
          FROM sample_items JOIN samples USING (sample_id) GROUP BY call_id) AS item
    JOIN r_calls AS call USING (call_id)
    LEFT JOIN r_scores AS score USING (call_id)
    LEFT JOIN r_cases AS one ON one.call_id = item.call_id AND one.kind = 'primary'
    LEFT JOIN (SELECT call_id, string_agg(DISTINCT clause, ' ' ORDER BY clause) AS clauses FROM r_findings GROUP BY 1) AS found
        ON found.call_id = item.call_id
    LEFT JOIN (SELECT case_id, string_agg(DISTINCT clause, ' ' ORDER BY clause) AS clauses FROM r_decided
               WHERE decision = 'confirm' GROUP BY 1) AS kept ON kept.case_id = one.case_id
    ORDER BY score.score NULLS LAST, item.call_id
"""
_FINDINGS = """
    SELECT item.call_id, item.agent_id, item.clause, item.title, item.start_s, item.quote, item.reason, call.customer_name,
        decided.decision, one.case_id IS NOT NULL AS sampled
    FROM r_findings AS item
    JOIN r_calls AS call USING (call_id)
    JOIN (SELECT DISTINCT call_id FROM sample_items) AS drawn USING (call_id)
    LEFT JOIN r_cases AS one ON one.call_id = item.call_id AND one.kind = 'primary' AND one.run_id = item.run_id
    LEFT JOIN r_decided AS decided
        ON decided.case_id = one.case_id AND decided.rule_id = item.rule_id AND decided.ordinal = item.ordinal
    ORDER BY item.call_id, item.clause, item.rule_id, item.ordinal
"""
_REVIEWERS = """
    SELECT coalesce(one.assignee, '') AS person, count(*) AS calls, coalesce(sum(run.duration_s), 0) / 3600 AS hours,
        coalesce(sum(said.confirmed), 0)::BIGINT AS confirmed, coalesce(sum(said.rejected), 0)::BIGINT AS rejected,
        coalesce(sum(said.unclear), 0)::BIGINT AS unclear
    FROM r_cases AS one
    LEFT JOIN runs AS run USING (run_id)
    LEFT JOIN (SELECT case_id, count(*) FILTER (decision IN ('confirm', 'overturn')) AS confirmed,
                   count(*) FILTER (decision = 'reject') AS rejected, count(*) FILTER (decision = 'cannot_tell') AS unclear
               FROM r_decided GROUP BY case_id) AS said USING (case_id)
    WHERE one.state = '已完成' AND one.finished_at >= $first::DATE AND one.finished_at < $last::DATE + 1
    GROUP BY 1 ORDER BY 1
"""
_AGENTS = """
    SELECT call.agent_id, arg_max(call.agent_name, (call.started_at, call.call_id)) AS agent_name,
        string_agg(DISTINCT call.team, '、' ORDER BY call.team) AS team, count(*) AS calls,
        count(score.call_id) AS scored, coalesce(sum(score.score), 0)::BIGINT AS score_sum,
        count(*) FILTER (score.qualified) AS qualified, count(*) FILTER (score.fatal) AS fatal,
        coalesce(sum(found.n), 0)::BIGINT AS findings
    FROM r_calls AS call LEFT JOIN r_scores AS score USING (call_id)
    LEFT JOIN (SELECT call_id, count(*) AS n FROM r_findings GROUP BY 1) AS found USING (call_id)
    GROUP BY call.agent_id ORDER BY call.agent_id
"""


def build(reading: Reading) -> Report:
    reading.need("r_calls", "r_scores", "r_findings", "r_cases", "r_decided")
    sample = reading.rows(_SAMPLE)
    return Report(
        kind="daily",
        title="质检日报",
        period=str(reading.period),
        made_at="",
        facts=_facts(reading, sample),
        sections=(_sampled(reading, sample), _found(reading), _reviewers(reading), _agents(reading)),
        notes=(
            "机检分与机检结论是系统的建议，复核后以复核结论为准。合格率只看随机抽到的录音，按每名坐席的通话数加权；定向加抽的不计入。",
            f"出处：S1 录音和回放（每天不少于 {HOURS_A_DAY:g} 小时、提供录音评分和录音号）；S0 第四篇 三.3(3)（每天抽查 10%）。",
        ),
    )


def _facts(reading: Reading, sample: list[dict[str, Any]]) -> tuple[Fact, ...]:
    sums = reading.one(_CALLS)
    base = [row for row in sample if row["base"]]
    machine = weighted([(bool(row["qualified"]), row["weight"]) for row in base if row["qualified"] is not None])
    people = qualified_rates(reading.tx, "all", reading.period.first, reading.period.last)
    done = sum(1 for row in sample if row["state"] == "已完成")
    average = sums["score_sum"] / sums["scored"] if sums["scored"] else None
    return (
        Fact(label="清单通话", value=sums["calls"], note=f"接通 {sums['connected']}"),
        Fact(label="已机检", value=sums["scored"]),
        Fact(label="机检平均分", value=average, kind=Kind.NUMBER),
        Fact(label="致命（0 分）", value=sums["fatal"], good=False if sums["fatal"] else None),
        Fact(label="抽查录音", value=len(sample), note=f"随机 {len(base)}，定向加抽 {len(sample) - len(base)}"),
        Fact(label="已复核", value=done, note=f"未完成 {len(sample) - done}"),
        _rate("机检合格率（随机部分）", machine),
        _rate("复核合格率（随机部分）", people[0].rate if people else None),
    )


def _rate(label: str, rate: Rate | None) -> Fact:
    note = "" if rate is None else f"95% 区间 {rate.low:.1%}–{rate.high:.1%}"
    return Fact(label=label, value=None if rate is None else rate.share, kind=Kind.SHARE, note=note)


def _sampled(reading: Reading, sample: list[dict[str, Any]]) -> Section:
    names = staff_names(reading)
    rows = [
        row
        | {
            "why": "、".join(filter(None, ("随机" if row["base"] else "", row["marks"]))),
            "conclusion": conclusion(row["score"], row["qualified"], row["fatal"]),
            "state": row["state"] or "没有工单",
            "assignee": names.get(row["assignee"] or "", row["assignee"]),
        }
        for row in sample
    ]
    columns = (
        text("call_id", "录音编号"),
        text("agent_id", "工号"),
        text("agent_name", "姓名"),
        text("team", "班组"),
        Column(key="duration_s", title="时长（秒）", kind=Kind.SECONDS, total=True),
        Column(key="score", title="机检分", kind=Kind.INT),
        text("conclusion", "机检结论"),
        text("why", "抽查原因"),
        text("clauses", "机检违规条款"),
        text("kept", "复核确认条款"),
        text("state", "复核状态"),
        text("assignee", "质检员"),
        text("case_id", "工单"),
    )
    return Section(title="抽查录音与评分", table=Table(columns=columns, rows=rows), empty="这段时间没有抽样。")


def _found(reading: Reading) -> Section:
    rows = [
        row
        | {
            "at": at_clock(row["start_s"]),
            "quote": reading.words(row["quote"], row["customer_name"]),
            "reason": reading.words(row["reason"], row["customer_name"]),
            "decision": DECISION.get(row["decision"] or "", "待复核"),
        }
        for row in reading.rows(_FINDINGS)
    ]
    columns = (
        text("call_id", "录音编号"),
        text("agent_id", "工号"),
        text("clause", "条款"),
        text("title", "名称"),
        text("at", "位置"),
        text("quote", "原话"),
        text("reason", "理由"),
        text("decision", "复核结论"),
    )
    return Section(title="抽查录音的发现", table=Table(columns=columns, rows=rows), empty="抽查的录音里没有发现违规。")


def _reviewers(reading: Reading) -> Section:
    names = staff_names(reading)
    rows = [
        row | {"person": names.get(row["person"], row["person"]), "target": HOURS_A_DAY * reading.period.days}
        for row in reading.rows(_REVIEWERS, bounds(reading))
    ]
    columns = (
        text("person", "质检员"),
        count("calls", "听完通数"),
        Column(key="hours", title="录音时长（小时）", kind=Kind.HOURS, total=True),
        Column(key="target", title="要求（小时）", kind=Kind.HOURS, total=True),
        share("reached", "完成比例", "hours", "target"),
        count("confirmed", "确认"),
        count("rejected", "驳回"),
        count("unclear", "无法判断"),
    )
    note = "按复核完成的时间统计；时长是所听录音的长度，不含回放与讨论。S1 要求每人每天不少于 4 小时。"
    return Section(title="质检员工作量", table=Table(columns=columns, rows=rows), note=note, empty="这段时间没有完成的复核。")


def _agents(reading: Reading) -> Section:
    columns = (
        text("agent_id", "工号"),
        text("agent_name", "姓名"),
        text("team", "班组"),
        count("calls", "通话"),
        count("scored", "已机检"),
        Column(key="score_sum", title="得分合计", kind=Kind.INT, total=True),
        mean("average", "平均分", "score_sum", "scored"),
        count("qualified", "合格"),
        share("rate", "合格率", "qualified", "scored"),
        count("fatal", "致命"),
        count("findings", "违规次数"),
    )
    return Section(title="坐席成绩（机检）", table=Table(columns=columns, rows=reading.rows(_AGENTS)))
