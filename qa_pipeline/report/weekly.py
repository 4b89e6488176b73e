"""质检周报, for the client. Source: S0 part 4, 三.5: 每星期提交上星期的工作总结，包括总拨打电话量、接通率、有效率、投诉数和处理结果，
用户反映以及营销工作中出现的问题汇总; S3: 分析问题, 提出整改要求."""

from __future__ import annotations

from collections import Counter
from typing import Any

from qa_pipeline.casework.stats import weighted
from qa_pipeline.kpi.database import log_path
from qa_pipeline.kpi.outbound import logged_days
from qa_pipeline.report.common import OUTCOME, bounds, clause_names, interval, interval_columns
from qa_pipeline.report.document import Chart, Column, Fact, Kind, Report, Section, Table, count, share, text
from qa_pipeline.report.reading import Reading
from qa_pipeline.text.order import in_order

REPEATED = 2  # findings of one clause by one agent from which training is proposed by name
MOST_AGENTS = 8  # named in one proposal

_DAYS = """
    SELECT call.started_at::DATE AS day, count(*) AS calls, count(*) FILTER (coalesce(call.outcome, '') <> 'no_answer') AS connected,
        count(*) FILTER (call.call_type = 'sale' AND call.outcome = 'success') AS sales,
        count(*) FILTER (call.call_type = 'sale' AND call.outcome = 'success' AND score.call_id IS NOT NULL) AS judged,
        count(*) FILTER (call.call_type = 'sale' AND call.outcome = 'success' AND NOT score.sale_invalid) AS valid,
        count(*) FILTER (call.call_id IN (SELECT call_id FROM complaints WHERE call_id IS NOT NULL)) AS complained
    FROM r_calls AS call LEFT JOIN r_scores AS score USING (call_id) GROUP BY 1 ORDER BY 1
"""
_REVIEWED = """
    SELECT item.weight, one.case_id,
        one.case_id IN (SELECT case_id FROM r_decided WHERE decision = 'confirm' AND list_contains(?, clause)) AS invalid
    FROM sample_items AS item JOIN samples ON samples.sample_id = item.sample_id AND samples.level = 'daily'
    JOIN r_calls AS call ON call.call_id = item.call_id AND call.call_type = 'sale' AND call.outcome = 'success'
    JOIN r_cases AS one ON one.call_id = item.call_id AND one.kind = 'primary' AND one.state = '已完成'
    WHERE item.base ORDER BY item.call_id
"""
_COMPLAINTS = """
    SELECT complaint_id, received_at, customer_number, channel, content, state, note, changed_at, call_id
    FROM complaints_now WHERE received_at >= $first::DATE AND received_at < $last::DATE + 1 ORDER BY received_at, complaint_id
"""
_FEEDBACK = """
    SELECT coalesce(call_type, '') AS call_type, coalesce(outcome, '') AS outcome, count(*) AS calls,
        (SELECT count(*) FROM r_calls) AS whole
    FROM r_calls GROUP BY 1, 2 ORDER BY calls DESC, 1, 2
"""
_REVISITS = """
    SELECT result, count(*) AS calls FROM revisits
    WHERE at_time >= $first::DATE AND at_time < $last::DATE + 1 GROUP BY 1 ORDER BY calls DESC, 1
"""
_PROBLEMS = """
    SELECT item.clause, max(item.title) AS title, count(*) AS findings, count(DISTINCT item.call_id) AS calls,
        (SELECT count(*) FROM r_scores) AS scored,
        count(*) FILTER (said.decision IN ('confirm', 'overturn')) AS confirmed, count(*) FILTER (said.decision = 'reject') AS rejected
    FROM r_findings AS item
    LEFT JOIN r_cases AS one ON one.call_id = item.call_id AND one.kind = 'primary' AND one.run_id = item.run_id
    LEFT JOIN r_decided AS said ON said.case_id = one.case_id AND said.rule_id = item.rule_id AND said.ordinal = item.ordinal
    GROUP BY 1 ORDER BY calls DESC, 1
"""
_BY_AGENT = """
    SELECT item.clause, item.agent_id, count(*) AS findings, string_agg(DISTINCT item.team, '、' ORDER BY item.team) AS teams
    FROM r_findings AS item
    LEFT JOIN r_cases AS one ON one.call_id = item.call_id AND one.kind = 'primary' AND one.run_id = item.run_id
    LEFT JOIN r_decided AS said ON said.case_id = one.case_id AND said.rule_id = item.rule_id AND said.ordinal = item.ordinal
    WHERE coalesce(said.decision, '') <> 'reject' AND NOT item.review GROUP BY 1, 2 HAVING count(*) >= ? ORDER BY 1, 3 DESC, 2
"""
TYPES = {"sale": "营销", "confirm": "二次确认", "revisit": "回访", "service": "服务", "other": "其他", "": "未填写"}


def build(reading: Reading) -> Report:
    reading.need("r_calls", "r_scores", "r_findings", "r_cases", "r_decided")
    days = _days(reading)
    complaints = reading.rows(_COMPLAINTS, bounds(reading))
    problems = reading.rows(_PROBLEMS)
    return Report(
        kind="weekly",
        title="质检周报",
        period=str(reading.period),
        made_at="",
        facts=_facts(reading, days, complaints),
        sections=(
            _by_day(days),
            _complaints(reading, complaints),
            _feedback(reading),
            _revisits(reading),
            _problems(problems),
            _training(reading, problems),
        ),
        notes=(
            "有效率：未被判为无效的成交 ÷ 已判定的成交。机检有效率是系统的建议；复核有效率只看随机抽到并已复核的成交，按坐席通话数加权。",
            "出处：S0 第四篇 三.5（总拨打电话量、接通率、有效率、投诉数和处理结果、用户反映、问题汇总）。",
            "拨打、接通、成交：导入了当天的通话记录（qa kpi import）时按通话记录，没有的日子按清单里的通话，见“每日情况”的来源。"
            "用户反映、已判定、有效和问题按清单里的录音。",
        ),
    )


def _days(reading: Reading) -> list[dict[str, Any]]:
    """Day by day. What was dialled comes from the call log where one was imported for the day: a manifest lists recordings only."""
    database = reading.wish.call_log or log_path(reading.tx.store.path)
    logged = logged_days(database, reading.period.first, reading.period.last)
    listed = {row["day"]: row for row in reading.rows(_DAYS)}
    nothing = dict.fromkeys(("calls", "connected", "sales", "judged", "valid", "complained"), 0)
    rows: list[dict[str, Any]] = []
    for day in sorted({*listed, *logged}):
        row = {**nothing, "day": day, **listed.get(day, {}), "source": "清单"}
        log = logged.get(day)
        if log is not None:
            row |= {"calls": log.calls, "connected": log.connected, "source": "通话记录"}
            row["sales"] = row["sales"] if log.sales is None else log.sales
        rows.append(row)
    return rows


def _source(days: list[dict[str, Any]]) -> str:
    counts = Counter(row["source"] for row in days)
    if len(counts) == 1:
        return f"按{next(iter(counts))}"
    return "，".join(f"{name} {counts[name]} 天" for name in ("通话记录", "清单") if counts[name])


def _facts(reading: Reading, days: list[dict[str, Any]], complaints: list[dict[str, Any]]) -> tuple[Fact, ...]:
    sums = {key: sum(row[key] for row in days) for key in ("calls", "connected", "sales", "judged", "valid")}
    invalid = [code for code, clause in reading.policy.file.clauses.items() if clause.sale_invalid]
    reviewed = reading.rows(_REVIEWED, [invalid])
    rate = weighted([(not row["invalid"], row["weight"]) for row in reviewed])
    upheld = sum(1 for item in complaints if item["state"] == "投诉成立")
    return (
        Fact(label="总拨打量", value=sums["calls"], unit=" 通", note=_source(days)),
        Fact(label="接通率", value=_share(sums["connected"], sums["calls"]), kind=Kind.SHARE, note=f"接通 {sums['connected']} 通"),
        Fact(label="成交", value=sums["sales"], unit=" 笔"),
        Fact(
            label="机检有效率",
            value=_share(sums["valid"], sums["judged"]),
            kind=Kind.SHARE,
            note=f"{sums['valid']} / {sums['judged']}",
        ),
        Fact(
            label="复核有效率",
            value=None if rate is None else rate.share,
            kind=Kind.SHARE,
            note=f"复核成交 {len(reviewed)} 笔" + ("" if rate is None else f"，95% 区间 {rate.low:.1%}–{rate.high:.1%}"),
        ),
        Fact(label="投诉", value=len(complaints), unit=" 件", note=f"成立 {upheld} 件", good=False if upheld else None),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _by_day(days: list[dict[str, Any]]) -> Section:
    columns = (
        Column(key="day", title="日期", kind=Kind.DAY),
        count("calls", "拨打"),
        count("connected", "接通"),
        share("connect_rate", "接通率", "connected", "calls"),
        count("sales", "成交"),
        share("sale_rate", "成交率", "sales", "connected"),
        count("judged", "已判定成交"),
        count("valid", "有效（机检）"),
        share("valid_rate", "有效率（机检）", "valid", "judged"),
        count("complained", "被投诉通话"),
        text("source", "拨打的来源"),
    )
    chart = Chart(kind="line", label="day", series=("connect_rate", "valid_rate"), title="每日接通率与有效率")
    return Section(title="每日情况", table=Table(columns=columns, rows=days), chart=chart)


def _complaints(reading: Reading, complaints: list[dict[str, Any]]) -> Section:
    rows = [
        row
        | {
            "customer_number": reading.number(row["customer_number"]),
            "content": reading.words(row["content"]),
            "note": reading.words(row["note"]),
            "settled": None if row["state"] == "处理中" else row["changed_at"],
        }
        for row in complaints
    ]
    columns = (
        text("complaint_id", "投诉编号"),
        Column(key="received_at", title="受理时间", kind=Kind.TIME),
        text("customer_number", "客户号码"),
        text("channel", "渠道"),
        text("content", "内容"),
        text("state", "结果"),
        text("note", "处理说明"),
        Column(key="settled", title="办结时间", kind=Kind.TIME),
        text("call_id", "录音编号"),
    )
    return Section(title="投诉与处理结果", table=Table(columns=columns, rows=rows), empty="这段时间没有登记投诉。")


def _feedback(reading: Reading) -> Section:
    rows = [
        row | {"call_type": TYPES.get(row["call_type"], row["call_type"]), "outcome": OUTCOME.get(row["outcome"], row["outcome"])}
        for row in reading.rows(_FEEDBACK)
    ]
    columns = (
        text("call_type", "外呼类型"),
        text("outcome", "客户反映（通话结果）"),
        count("calls", "通数"),
        Column(key="whole", title="全部通话", kind=Kind.INT),
        share("share", "占比", "calls", "whole"),
    )
    return Section(title="用户反映", table=Table(columns=columns, rows=rows))


def _revisits(reading: Reading) -> Section:
    columns = (text("result", "回访结果"), count("calls", "户数"))
    rows = reading.rows(_REVISITS, bounds(reading))
    return Section(title="回访结果", table=Table(columns=columns, rows=rows), empty="这段时间没有登记回访。")


def _problems(problems: list[dict[str, Any]]) -> Section:
    rows = [row | interval(row["calls"], row["scored"]) for row in problems]
    columns = (
        text("clause", "条款"),
        text("title", "问题"),
        count("findings", "次数"),
        Column(key="calls", title="涉及通话", kind=Kind.INT),
        Column(key="scored", title="已机检通话", kind=Kind.INT),
        share("share", "涉及比例", "calls", "scored"),
        *interval_columns(),
        count("confirmed", "复核确认"),
        count("rejected", "复核驳回"),
    )
    note = "机检发现，含待复核的；一通电话可以涉及几个条款。区间为 95% Wilson 区间。"
    chart = Chart(kind="bar", label="clause", series=("findings",), title="各条款的发现次数")
    return Section(
        title="营销中出现的问题", table=Table(columns=columns, rows=rows), note=note, chart=chart, empty="没有发现问题。"
    )


def _training(reading: Reading, problems: list[dict[str, Any]]) -> Section:
    """A proposal for each clause that one agent broke repeatedly; the requirement is the source article itself."""
    names = clause_names(reading)
    by_clause: dict[str, list[dict[str, Any]]] = {}
    for row in reading.rows(_BY_AGENT, [REPEATED]):
        by_clause.setdefault(row["clause"], []).append(row)
    rows = []
    for problem in problems:
        agents = by_clause.get(problem["clause"], [])
        if not agents:
            continue
        listed = "、".join(f"{row['agent_id'] or '未知'}（{row['findings']} 次）" for row in agents[:MOST_AGENTS])
        more = f" 等 {len(agents)} 人" if len(agents) > MOST_AGENTS else ""
        rows.append(
            {
                "clause": problem["clause"],
                "title": problem["title"],
                "agents": len(agents),
                "who": listed + more,
                "teams": "、".join(sorted({team or "未知" for row in agents for team in row["teams"].split("、")}, key=in_order)),
                "what": names[problem["clause"]].source,
            }
        )
    columns = (
        text("clause", "条款"),
        text("title", "培训内容"),
        Column(key="agents", title="人数", kind=Kind.INT),
        text("who", "建议参加"),
        text("teams", "班组"),
        text("what", "要求与出处"),
    )
    note = f"同一人同一条款发现 {REPEATED} 次以上（复核驳回的和只能由人判定的不算），建议培训后复查。"
    return Section(title="培训建议", table=Table(columns=columns, rows=rows), note=note, empty="没有人在同一条款上重复出现问题。")
