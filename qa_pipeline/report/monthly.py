"""月度扣罚汇总与明细, straight from the ledger. Source: S0 part 1 六, part 2 (amounts), part 4 三.4 (与工资挂钩).

The statement is the one of the monthly closing; the lines below it add up to it to the cent, and the report says whether they do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from qa_pipeline.casework import closing
from qa_pipeline.casework.values import Party
from qa_pipeline.errors import UserError
from qa_pipeline.report.common import Named, clause_names
from qa_pipeline.report.document import Chart, Column, Fact, Kind, Report, Section, Table, count, money, text
from qa_pipeline.report.reading import Reading
from qa_pipeline.text.order import in_order

PARTY = {"agent": "坐席", "supervisor": "主管"}
_DETAIL = """
    CREATE TEMP TABLE r_detail AS
    SELECT entry.person, entry.party, entry.case_id, max(entry.call_id) AS call_id, max(entry.clause) AS clause,
        entry.rule_id, entry.ordinal, min(entry.at_time) AS first_at,
        coalesce(sum(entry.points) FILTER (account = '已入账' AND month = $month), 0)::INTEGER AS taken_points,
        coalesce(sum(entry.yuan) FILTER (account = '已入账' AND month = $month), 0)::DECIMAL(12,2) AS taken_yuan,
        coalesce(sum(entry.points) FILTER (account = '已确认'), 0)::INTEGER AS open_points,
        coalesce(sum(entry.yuan) FILTER (account = '已确认'), 0)::DECIMAL(12,2) AS open_yuan,
        coalesce(sum(entry.points) FILTER (account = '待确认'), 0)::INTEGER AS waiting_points,
        coalesce(sum(entry.yuan) FILTER (account = '待确认'), 0)::DECIMAL(12,2) AS waiting_yuan,
        coalesce(sum(entry.yuan) FILTER (account = '已冲回' AND month = $month), 0)::DECIMAL(12,2) AS back_yuan
    FROM ledger_entries AS entry WHERE entry.month <= $month
    GROUP BY entry.person, entry.party, entry.case_id, entry.rule_id, entry.ordinal
    HAVING taken_points <> 0 OR taken_yuan <> 0 OR open_points <> 0 OR open_yuan <> 0 OR waiting_points <> 0 OR waiting_yuan <> 0
        OR back_yuan <> 0
"""
_LISTED = """
    SELECT coalesce(nullif(person, ''), '未知') AS person, party, case_id, call_id, clause, first_at, taken_points, taken_yuan, open_points,
        open_yuan, waiting_points, waiting_yuan, back_yuan
    FROM r_detail ORDER BY r_detail.party, r_detail.person, case_id, rule_id, ordinal
"""
_AMOUNTS = ("taken_points", "taken_yuan", "open_points", "open_yuan", "waiting_points", "waiting_yuan")
_SUMS = ", ".join(f"sum({key}) AS {key}" for key in _AMOUNTS)
_WHOLE = f"SELECT {_SUMS} FROM r_detail"
_BY_CLAUSE = f"SELECT clause, count(*) AS times, {_SUMS} FROM r_detail GROUP BY clause ORDER BY sum(taken_yuan) DESC, clause"
_UNBALANCED = "SELECT count(*) AS n FROM (SELECT txn FROM ledger_entries GROUP BY txn HAVING sum(points) <> 0 OR sum(yuan) <> 0)"
_PEOPLE = """
    SELECT agent_id, arg_max(agent_name, (started_at, call_id)) AS name, arg_max(team, (started_at, call_id)) AS team
    FROM calls WHERE agent_id IS NOT NULL GROUP BY 1
"""


def build(reading: Reading) -> Report:
    month = f"{reading.period.first:%Y-%m}"
    if month != f"{reading.period.last:%Y-%m}":
        raise UserError(
            f"月度扣罚一次做一个月：{reading.period} 跨了月。请把开始和结束日期写在同一个月里。",
            command="日期用 --from 和 --to 写。",
        )
    people = {row["agent_id"]: row for row in reading.rows(_PEOPLE)}
    lines = [_line(item, people) for item in closing.statement(reading.tx, month)]
    reading.tx.connection.execute(_DETAIL, {"month": month})
    names = clause_names(reading)
    return Report(
        kind="monthly",
        title="月度扣罚汇总与明细",
        period=month,
        made_at="",
        facts=_facts(reading, month, lines),
        sections=(
            _summary("坐席汇总", [line for line in lines if line["party"] == "坐席"]),
            _summary("主管汇总", [line for line in lines if line["party"] == "主管"]),
            _teams(lines),
            _detail(reading, people, names),
            _clauses(reading, names),
        ),
        notes=(
            "已入账：本月计入工资的数，冲减以前月份的记为负数。已确认未入账：复核已确认，申诉期未满或申诉未决，结转以后的月份。",
            "待确认：等人决定的建议，不从工资里扣。处分（开除、通报等）只建议，由指定的经理决定，不在金额里。",
            "出处：S0 第一篇 六、第二篇八项禁令（金额），第四篇 三.4（与员工和管理人员的工资挂钩）；金额见考核政策。",
        ),
    )


def _line(item: closing.Line, people: dict[str, dict[str, Any]]) -> dict[str, Any]:
    known = people.get(item.person, {}) if item.party is Party.AGENT else {}
    return {
        "person": item.person or "未知",
        "name": known.get("name") or "",
        "team": known.get("team") or "",
        "party": PARTY[item.party.value],
        "taken_points": item.taken.points,
        "taken_yuan": item.taken.yuan,
        "open_points": item.open.points,
        "open_yuan": item.open.yuan,
        "waiting_points": item.proposed.points,
        "waiting_yuan": item.proposed.yuan,
    }


def _sum(rows: list[dict[str, Any]], key: str) -> Any:
    return sum((row[key] for row in rows), Decimal(0) if key.endswith("yuan") else 0)


def _facts(reading: Reading, month: str, lines: list[dict[str, Any]]) -> tuple[Fact, ...]:
    closed = reading.rows("SELECT at_time, yuan, supervisor_yuan FROM month_closings WHERE month = ?", [month])
    unbalanced = reading.one(_UNBALANCED)["n"]
    whole = reading.one(_WHOLE)
    apart = [key for key in _AMOUNTS if _sum(lines, key) != (whole[key] or 0)]
    agents = _sum([line for line in lines if line["party"] == "坐席"], "taken_yuan")
    chiefs = _sum([line for line in lines if line["party"] == "主管"], "taken_yuan")
    if closed and (closed[0]["yuan"], closed[0]["supervisor_yuan"]) != (agents, chiefs):
        apart.append("month_closings")
    wrong = bool(apart or unbalanced)
    return (
        Fact(label="坐席入账", value=agents, kind=Kind.MONEY, unit=" 元"),
        Fact(label="主管入账", value=chiefs, kind=Kind.MONEY, unit=" 元"),
        Fact(label="已确认未入账", value=_sum(lines, "open_yuan"), kind=Kind.MONEY, unit=" 元"),
        Fact(label="待确认", value=_sum(lines, "waiting_yuan"), kind=Kind.MONEY, unit=" 元"),
        Fact(label="月结", value=f"{closed[0]['at_time']:%Y-%m-%d %H:%M}" if closed else "尚未月结", kind=Kind.TEXT),
        Fact(
            label="与台账核对",
            value="不符" if wrong else "相符",
            kind=Kind.TEXT,
            good=not wrong,
            note="请运行 qa ledger check" if wrong else "汇总 = 明细 = 台账，每笔借贷相平",
        ),
    )


def _money_columns() -> tuple[Column, ...]:
    return (
        count("taken_points", "入账扣分"),
        money("taken_yuan", "入账扣款（元）"),
        count("open_points", "未入账扣分"),
        money("open_yuan", "未入账（元）"),
        count("waiting_points", "待确认扣分"),
        money("waiting_yuan", "待确认（元）"),
    )


def _summary(title: str, rows: list[dict[str, Any]]) -> Section:
    columns = (text("person", "工号或姓名"), text("name", "姓名"), text("team", "班组"), *_money_columns())
    return Section(title=title, table=Table(columns=columns, rows=rows), empty="没有扣罚。")


def _teams(lines: list[dict[str, Any]]) -> Section:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        if line["party"] == "坐席":
            groups[line["team"] or "未知"].append(line)
    rows: list[dict[str, Any]] = [
        {"team": team, "people": len(items)} | {key: _sum(items, key) for key in _AMOUNTS}
        for team, items in sorted(groups.items(), key=lambda item: in_order(item[0]))
    ]
    columns = (text("team", "班组"), count("people", "人数"), *_money_columns())
    chart = Chart(kind="bar", label="team", series=("taken_yuan", "open_yuan"), title="各班组扣款（元）")
    return Section(title="班组合计（坐席）", table=Table(columns=columns, rows=rows), chart=chart, empty="没有扣罚。")


def _detail(reading: Reading, people: dict[str, dict[str, Any]], names: Mapping[str, Named]) -> Section:
    rows = reading.rows(_LISTED)
    for row in rows:  # in place: there may be hundreds of thousands
        known, clause = people.get(row["person"]), names.get(row["clause"])
        row["party"] = PARTY[row["party"]]
        row["name"] = (known["name"] or "") if known else ""
        row["title"] = clause.title if clause else ""
    columns = (
        text("person", "工号或姓名"),
        text("name", "姓名"),
        text("party", "对象"),
        text("call_id", "录音编号"),
        text("case_id", "工单"),
        text("clause", "条款"),
        text("title", "名称"),
        Column(key="first_at", title="提出时间", kind=Kind.TIME),
        *_money_columns(),
        money("back_yuan", "本月冲回（元）"),
    )
    return Section(title="逐笔明细", table=Table(columns=columns, rows=rows), empty="没有扣罚。")


def _clauses(reading: Reading, names: Mapping[str, Named]) -> Section:
    rows = [row | {"title": names[row["clause"]].title if row["clause"] in names else ""} for row in reading.rows(_BY_CLAUSE)]
    columns = (text("clause", "条款"), text("title", "名称"), count("times", "笔数"), *_money_columns())
    return Section(title="按条款合计", table=Table(columns=columns, rows=rows), empty="没有扣罚。")
