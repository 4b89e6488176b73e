"""Every number of every report against a count by hand (see house.py), and every report against its golden file.

A golden file changes on purpose only: QA_GOLDEN=write pytest tests/report writes them anew; then read the difference.
"""

from __future__ import annotations

import os
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from qa_pipeline.casework import ledger
from qa_pipeline.casework.cases import find_cases
from qa_pipeline.casework.followup import callback_list
from qa_pipeline.casework.followup import recheck_list as casework_recheck
from qa_pipeline.casework.stats import wilson
from qa_pipeline.casework.values import CaseKind, CaseState
from qa_pipeline.errors import UserError
from qa_pipeline.kpi.importing import import_files
from qa_pipeline.report import registry
from qa_pipeline.report.kinds import REPORTS
from qa_pipeline.report.reading import Wish, open_reading
from qa_pipeline.report.reviewed import callbacks, need_reviewed, recheck_list
from tests.casework.casework_make import POLICY, Centre
from tests.report.house import MADE, column, facts, report, section

DAY = date(2026, 11, 2)
USERS = "客户号码,业务,月功能费,计费开始月,停止计费月\n" + "\n".join(
    (
        "13900000001,天气预报,10.01,2026-11,",  # 50 % of 10.01 is 5.005: 5.01
        "13900000002,天气预报,3,2026-09,",  # third month: 15 %
        "13900000003,天气预报,4,2026-10,",  # the sale was found invalid in November: 2.00 of October comes back
        "13900000004,天气预报,4,2026-04,",  # eighth month: nothing any more
        "13900000005,天气预报,4,2026-10,2026-11",  # stopped
        "13900000006,天气预报,四元,2026-11,",
    )
)
SURVEYS = "问卷编号,完成日期,是否有效,差错\nW1,2026-11-02,是,\nW2,2026-11-03,是,是\nW3,2026-11-03,否,\nW4,2026-12-01,是,\n"
BILLS = (
    "客户号码,维护开始月,原月话费,话费月份,当月话费\n"
    "13900000007,2026-09,10,2026-11,20\n"  # 10 % of 10 more
    "13900000008,2026-11,30,2026-11,25\n"  # less than before
    "13900000009,2026-05,10,2026-11,99\n"  # seventh month
)
WON = "客户号码,发展月,每户酬金,用户类型\n13100000001,2026-11,20,宽带\n13100000002,2026-10,20,宽带\n"


def wish(kind: str, tmp_path: Path) -> dict[str, object]:
    if kind == "settlement":
        users = tmp_path / "users.csv"
        users.write_text(USERS, encoding="gb18030")
        others = {"surveys.csv": SURVEYS, "bills.csv": BILLS, "won.csv": WON}
        for name, words in others.items():
            (tmp_path / name).write_text(words, encoding="utf-8")
        return {"files": (users, *(tmp_path / name for name in others))}
    return {"date_to": DAY} if kind == "daily" else {}


@pytest.mark.parametrize("kind", [kind for kind in REPORTS if kind != "kpi"])
def test_golden(house: Centre, golden: Path, tmp_path: Path, kind: str) -> None:
    found = registry.render(report(house, kind, **wish(kind, tmp_path)), "md").decode()
    path = golden / f"{kind}.md"
    if os.environ.get("QA_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


def test_daily(house: Centre) -> None:
    found = report(house, "daily", date_to=DAY)
    assert facts(found) == {
        "清单通话": 5,
        "已机检": 5,
        "机检平均分": (90 + 100 + 0 + 80 + 100) / 5,
        "致命（0 分）": 1,
        "抽查录音": 4,
        "已复核": 4,
        "机检合格率（随机部分）": 3 / 4,
        "复核合格率（随机部分）": 3 / 4,
    }
    people = section(found, "质检员工作量")
    assert column(people, "calls") == [5]  # every case was finished on the second
    assert column(people, "hours") == [pytest.approx(5 * 60 / 3600)]
    assert column(people, "reached") == [pytest.approx(300 / (4 * 3600))]
    assert (column(people, "confirmed"), column(people, "rejected")) == ([5], [1])
    assert column(section(found, "抽查录音的发现"), "decision") == ["申诉撤销", "确认", "确认", "驳回"]
    assert column(section(found, "坐席成绩（机检）"), "average") == [95.0, 0.0, 90.0]


def test_weekly(house: Centre) -> None:
    found = report(house, "weekly")
    assert found.period == "2026-11-02 至 2026-11-08"
    assert facts(found) == {
        "总拨打量": 8,
        "接通率": 7 / 8,
        "成交": 5,
        "机检有效率": 4 / 5,
        "复核有效率": 3 / 4,
        "投诉": 1,
    }
    problems = section(found, "营销中出现的问题")
    assert list(zip(column(problems, "clause"), column(problems, "findings"), column(problems, "calls"), strict=True)) == [
        ("A04", 4, 3),
        ("A06", 1, 1),
        ("A13", 1, 1),
        ("B3b", 1, 1),
    ]
    rate = wilson(3, 8)
    assert rate is not None
    assert (problems.table.rows[0]["low"], problems.table.rows[0]["high"]) == (rate.low, rate.high)
    complaint = section(found, "投诉与处理结果").table.rows[0]
    assert (complaint["customer_number"], complaint["state"]) == ("139****0003", "投诉成立")


LOG = """通话编号,开始时间,被叫号码,方向,通话时长,结果
1,2026-11-02 09:00,13900000001,呼出,60,成功
2,2026-11-02 09:05,13900000002,呼出,30,拒绝
3,2026-11-02 09:06,13900000003,呼出,0,无人接听
4,2026-11-02 09:07,13900000003,呼出,,无人接听
5,2026-11-02 09:08,13900000004,呼入,60,接听
1,2026-11-02 09:00,13900000001,呼出,60,成功
6,2026-11-08 10:00,13900000005,呼出,12,预约
"""


def test_weekly_counts_what_was_dialled_from_the_call_log(house: Centre, tmp_path: Path) -> None:
    """The log knows calls that were never recorded. Days it does not know are counted from the manifest, and the report says so."""
    (tmp_path / "log.csv").write_text(LOG, encoding="utf-8")
    database = tmp_path / "calls.duckdb"
    import_files(database, [tmp_path / "log.csv"])
    found = report(house, "weekly", call_log=database)
    days = section(found, "每日情况").table.rows
    plain = {row["day"]: row for row in section(report(house, "weekly"), "每日情况").table.rows}
    told = [(row["day"].day, row["calls"], row["connected"], row["sales"], row["source"]) for row in days]
    others = [
        (day.day, row["calls"], row["connected"], row["sales"], "清单") for day, row in plain.items() if day.day not in (2, 8)
    ]
    # 2 November: four outbound calls (one was twice in the log, one came in), two with talk; 8 November is in the log alone
    assert told == sorted([(2, 4, 2, 1, "通话记录"), (8, 1, 1, 0, "通话记录"), *others])
    calls, connected = 5 + sum(item[1] for item in others), 3 + sum(item[2] for item in others)
    assert (facts(found)["总拨打量"], facts(found)["接通率"]) == (calls, connected / calls)
    notes = {fact.label: fact.note for fact in found.facts}
    assert notes["总拨打量"] == f"通话记录 2 天，清单 {len(others)} 天"
    assert notes["接通率"] == f"接通 {connected} 通"
    first = next(row for row in days if row["day"].day == 2)
    mine = plain[first["day"]]
    assert [first[key] for key in ("judged", "valid", "complained")] == [mine[key] for key in ("judged", "valid", "complained")]


def test_monthly_reconciles_with_the_ledger(house: Centre) -> None:
    found = report(house, "monthly")
    shown = facts(found)
    assert (shown["坐席入账"], shown["主管入账"], shown["与台账核对"]) == (Decimal("190.00"), Decimal(0), "相符")
    agents = section(found, "坐席汇总")
    assert dict(zip(column(agents, "person"), column(agents, "taken_yuan"), strict=True)) == {
        "1002": Decimal("150.00"),  # 不合格工单 50 and an upheld complaint 100
        "1003": Decimal("10.00"),
        "1004": Decimal("30.00"),  # A06 and B3b are one fact
    }
    detail = section(found, "逐笔明细")
    assert [row["back_yuan"] for row in detail.table.rows if row["call_id"] == "call-0001"] == [Decimal("10.00")]
    with pytest.raises(UserError, match="跨了月"):
        report(house, "monthly", date_from=date(2026, 10, 1), date_to=date(2026, 11, 30))


def test_agent(house: Centre) -> None:
    people = section(report(house, "agent"), "个人汇总")
    assert column(people, "average") == [95.0, 50.0, 90.0, 95.0]
    assert column(people, "rate") == [1.0, 0.5, 1.0, 1.0]
    assert column(people, "confirmed") == [0, 1, 1, 2]
    assert column(people, "yuan") == [0, Decimal("150.00"), Decimal("10.00"), Decimal("30.00")]
    one = report(house, "agent", agent="1003")
    assert column(section(one, "逐通评分"), "call_id") == ["call-0004", "call-0005"]
    assert column(section(one, "发现明细"), "at") == ["00:03", "00:04"]
    with pytest.raises(UserError, match="工号 9999"):
        report(house, "agent", agent="9999")


def test_team_says_whether_a_difference_is_known(house: Centre) -> None:
    found = report(house, "team")
    machine = section(found, "班组成绩（机检）")
    assert (column(machine, "team"), column(machine, "against")) == (["一组", "二组"], ["不能区分", "最高"])
    assert column(machine, "per_100") == [75.0, 100.0]
    assert column(machine, "valid_rate") == [0.75, 1.0]
    assert column(section(found, "复核合格率"), "rate") == [pytest.approx(2 / 3), 1.0]


def test_clause(house: Centre) -> None:
    found = report(house, "clause")
    assert facts(found) == {"已机检通话": 8, "有发现的通话": 5, "发现次数": 7, "涉及条款": 4}
    assert column(section(found, "每日走势"), "share") == [3 / 5, 2 / 3]
    assert column(section(found, "条款分布"), "review") == [1, 0, 0, 0]
    trusted = section(found, "机检可信度").table.rows[0]
    assert (trusted["clause"], trusted["confirmed"], trusted["rejected"], trusted["overturned"]) == ("A04", 1, 2, 1)


def test_sample_and_recheck(house: Centre) -> None:
    found = report(house, "sample")
    drawn = section(found, "抽样记录")
    assert (column(drawn, "frame"), column(drawn, "base"), column(drawn, "reviewed")) == ([4, 3], [4, 3], [4, 1])
    assert column(section(found, "重点复查名单"), "agent_id") == ["1002"]


def test_appeals(house: Centre) -> None:
    found = report(house, "appeals")
    assert {name: value for name, value in facts(found).items() if name != "平均处理（小时）"} == {
        "受理": 1,
        "已结": 1,
        "申诉成立": 1,
        "成立率": 1.0,
        "超期未办": 0,
    }
    assert facts(found)["平均处理（小时）"] == pytest.approx(2 / 60)  # filed, commented, decided: a minute each
    assert column(section(found, "按条款"), "confirmed") == [2]  # 0001, overturned later, and 0004
    assert column(section(found, "逐件"), "reason") == ["是在复述客户的话，电话 139****1234"]


def test_followup(house: Centre) -> None:
    found = report(house, "followup", date_to=date(2026, 11, 30))
    due = section(found, "待回访").table.rows
    assert [(row["call_id"], row["result"], row["reasons"], row["waiting"]) for row in due] == [
        ("call-0003", "未接通", "A13 A13", 28)
    ]
    trial = section(found, "待二次确认").table.rows
    assert [(row["call_id"], row["charge"], row["done"], row["left"]) for row in trial] == [("call-0003", date(2026, 12, 2), 0, 2)]


def test_settlement(house: Centre, tmp_path: Path) -> None:
    found = report(house, "settlement", **wish("settlement", tmp_path))
    assert facts(found) == {
        "计费用户": 4,
        "应结酬金": Decimal("5.46"),  # 5.01 + 0.45 + 0.00
        "问卷酬金": Decimal("4.00"),  # two valid ones of November
        "话费增长提成": Decimal("1.00"),
        "外网用户酬金": Decimal("20"),
        "扣回无效成交": Decimal("2.00"),
        "投诉扣款": Decimal("200"),  # one upheld complaint, twice 100
        "差错罚款": Decimal("8.00"),  # one of three has a mistake, above 1 %: twice 4.00
        "实结": Decimal("-179.54"),  # 5.46 + 4 + 1 + 20 − 2 − 200 − 8
    }
    assert column(section(found, "清单里的问题"), "row") == [7]
    assert column(section(found, "逐户"), "state") == ["有效", "有效", "无效", "满期"]


def test_reviewed_says_what_casework_says(house: Centre) -> None:
    """The one query and the case-by-case judging again agree on every case."""
    with house.desk.act("lead", MADE) as tx:
        cases = find_cases(tx, state=CaseState.FINISHED, kind=CaseKind.PRIMARY)
        slow = {case.case_id: ledger.value_of(tx, case).card.score for case in cases}
        again = casework_recheck(tx)
        calls = [(item.call_id, item.result) for item in callback_list(tx)]
    with open_reading(house.store, POLICY, Wish(made_at=MADE), "month") as reading:
        need_reviewed(reading)
        assert dict(reading.tx.rows("SELECT case_id, score FROM r_reviewed")) == slow
        assert recheck_list(reading) == again
        assert [(item.call_id, item.result) for item in callbacks(reading) if not item.settled] == calls


def test_a_wrong_name_or_date_is_told(house: Centre) -> None:
    with pytest.raises(UserError, match="没有“yearly”这种报表"):
        report(house, "yearly")
    with pytest.raises(UserError, match="日期写反了"):
        report(house, "clause", date_from=date(2026, 11, 9), date_to=DAY)
    empty = report(house, "team", date_from=date(2027, 1, 1), date_to=date(2027, 1, 31))
    assert "无数据" not in registry.render(empty, "md").decode().split("## 说明")[0]
    assert "没有。" in registry.render(empty, "md").decode()
