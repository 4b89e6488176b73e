"""Ledger, sanctions, complaints, appeals, closing: what a month takes, to the cent."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal as D

import pytest
from casework_make import Centre, finding

from qa_pipeline.casework import appeals, cases, closing, complaints, sanctions
from qa_pipeline.casework.complaints import Received
from qa_pipeline.casework.values import AppealState, Party
from qa_pipeline.errors import CaseworkError, ConflictError


def test_every_row_names_its_case_clause_run_decision_and_person(centre: Centre) -> None:
    case = centre.done(finding("A04"), confirm=("A04",))
    with centre.store.read() as connection:
        rows = connection.execute(
            """SELECT txn, action, case_id, call_id, run_id = ?, clause, party, person, account, points, yuan::VARCHAR, decision,
               by_person, month FROM ledger_entries ORDER BY seq""",
            [case.run_id],
        ).fetchall()
    common = (case.case_id, "call-0001", True, "A04", "agent", "1001")
    assert rows == [
        (1, "提出", *common, "待确认", 10, "10.00", None, "lead", "2026-11"),
        (1, "提出", *common, "来源", -10, "-10.00", None, "lead", "2026-11"),
        (2, "确认", *common, "待确认", -10, "-10.00", 1, "qa1", "2026-11"),
        (2, "确认", *common, "已确认", 10, "10.00", 1, "qa1", "2026-11"),
    ]


def test_a_month_from_decision_to_pay(centre: Centre) -> None:
    centre.done(finding("A04"), confirm=("A04",))
    centre.done(finding("A11"), confirm=("A11",))
    centre.done(finding("A06"))
    with centre.act("lead") as tx, pytest.raises(CaseworkError, match="还没有过完"):
        closing.close_month(tx, "2026-11")
    centre.now = datetime(2026, 12, 1, 9, 0)
    late = centre.done(finding("A04"), confirm=("A04",))  # December
    centre.now = datetime(2026, 12, 8, 9, 0)
    with centre.act("lead") as tx:
        done = closing.close_month(tx, "2026-11")
    assert done.booked == {Party.AGENT: (20, D(60)), Party.SUPERVISOR: (0, D(0))}
    assert done.carried == ()
    assert centre.money() == {"agent 已入账": (20, D(60)), "agent 已确认": (10, D(10))}
    with centre.act("lead") as tx:
        lines = closing.statement(tx, "2026-11")
        assert [(line.person, line.taken, line.open, line.proposed) for line in lines] == [
            ("1001", (20, D(60)), (0, D(0)), (0, D(0)))
        ]
        with pytest.raises(CaseworkError, match="已经月结"):
            closing.close_month(tx, "2026-11")
        with pytest.raises(CaseworkError, match="月份写成"):
            closing.close_month(tx, "11")
    assert late.call_id == "call-0004"
    assert centre.problems() == []


def test_months_are_closed_in_order(centre: Centre) -> None:
    centre.done(finding("A04"), confirm=("A04",))
    centre.now = datetime(2027, 1, 8, 9, 0)
    with centre.act("lead") as tx, pytest.raises(CaseworkError, match="请先月结 2026-11"):
        closing.close_month(tx, "2026-12")


def test_what_is_under_appeal_is_carried_over(centre: Centre) -> None:
    centre.now = datetime(2026, 11, 27, 9, 0)
    case = centre.done(finding("A04"), finding("A06"), confirm=("A04", "A06"))
    with centre.act("a1001") as tx:
        appeal = appeals.file(tx, case.case_id, "A06", "是客户先挂的")
    centre.now = datetime(2026, 12, 8, 9, 0)
    with centre.act("lead") as tx:
        done = closing.close_month(tx, "2026-11")
        assert done.booked[Party.AGENT] == (0, D(0))
        assert done.carried == ((case.case_id, "申诉待班组长意见"),)
    with centre.act("lead") as tx:
        appeals.decide(tx, appeal.appeal_id, uphold_agent=True, note="录音证实客户先挂")
    assert centre.money() == {"agent 已确认": (10, D(10)), "agent 已冲回": (10, D(30))}
    centre.now = datetime(2027, 1, 8, 9, 0)
    with centre.act("lead") as tx:
        assert closing.close_month(tx, "2026-12").booked[Party.AGENT] == (10, D(10))
    assert centre.problems() == []


def test_a_booked_fine_that_falls_comes_back_in_the_open_month(centre: Centre) -> None:
    case = centre.done(finding("A04"), confirm=("A04",))
    centre.now = datetime(2026, 12, 8, 9, 0)
    with centre.act("lead") as tx:
        closing.close_month(tx, "2026-11")
    with centre.act("boss") as tx:
        cases.reopen(tx, case.case_id, "复听后认为听错了")
    from qa_pipeline.casework.values import Decision

    centre.decide(case, "A04", Decision.REJECT)
    centre.finish(case)
    assert centre.money() == {"agent 已冲回": (10, D(10))}
    assert centre.problems() == []
    centre.now = datetime(2027, 1, 8, 9, 0)
    with centre.act("lead") as tx:
        assert closing.close_month(tx, "2026-12").booked[Party.AGENT] == (-10, D(-10))
        november, december = closing.statement(tx, "2026-11"), closing.statement(tx, "2026-12")
    assert [line.taken for line in november] == [(10, D(10))]
    assert [line.taken for line in december] == [(-10, D(-10))]
    assert centre.problems() == []


def test_tampering_is_found(centre: Centre) -> None:
    centre.done(finding("A04"), confirm=("A04",))
    centre.now = datetime(2026, 12, 8, 9, 0)
    with centre.act("lead") as tx:
        closing.close_month(tx, "2026-11")
    with centre.store.write() as connection:
        connection.execute("UPDATE ledger_entries SET yuan = yuan - 5 WHERE account = '已入账'")
        connection.execute("UPDATE audit_log SET detail = '{}' WHERE seq = 3")
    problems = "\n".join(centre.problems())
    for told in (
        "笔不平",
        "台账与决定不符：应为 10 分 10 元，台账 10 分 5 元",
        "2026-11 的分录在月结之后被改动过",
        "日志第 3 行",
    ):
        assert told in problems


def test_a_sanction_waits_for_its_manager(centre: Centre) -> None:
    """B7: 500 yuan and dismissal, supervisor 200: confirmed by QA it is still only a proposal, but the call is already fatal."""
    case = centre.case(finding("B7"))
    assert centre.money() == {"agent 待确认": (10, D(550)), "supervisor 待确认": (0, D(200))}
    centre.decide(case, "B7")
    centre.finish(case)
    assert centre.money() == {"agent 待确认": (10, D(500)), "agent 已确认": (0, D(50)), "supervisor 待确认": (0, D(200))}
    with centre.store.read() as connection:
        proposal = connection.execute("SELECT sanction_id, state, manager, sanction FROM sanctions_now").fetchall()
    assert proposal == [("P20261102-0001", "待决定", "boss", "开除；主管口头警告；全公司通报")]
    with centre.act("lead") as tx, pytest.raises(CaseworkError, match="需要经理"):
        sanctions.decide(tx, "P20261102-0001", "approve", "同意")
    with centre.act("boss") as tx:
        with pytest.raises(ConflictError):
            sanctions.decide(tx, "P20261102-0001", "money", "?", version=7)
        sanctions.decide(tx, "P20261102-0001", "money", "初犯，扣款并培训")
    assert centre.money() == {"agent 已确认": (10, D(550)), "supervisor 已确认": (0, D(200))}
    with centre.act("boss") as tx, pytest.raises(CaseworkError, match="已经是“只扣款”"):
        sanctions.decide(tx, "P20261102-0001", "decline", "改主意")
    assert centre.problems() == []


def test_a_declined_sanction_keeps_points_only(centre: Centre) -> None:
    case = centre.done(finding("B7"), confirm=("B7",))
    with centre.act("boss") as tx:
        sanctions.decide(tx, "P20261102-0001", "decline", "语气问题，不处分")
    assert centre.money(case.case_id) == {"agent 已确认": (10, D(50))}
    assert centre.problems() == []


def test_a_sanction_falls_with_its_finding(centre: Centre) -> None:
    case = centre.done(finding("B7"), confirm=("B7",))
    with centre.act("a1001") as tx:
        appeal = appeals.file(tx, case.case_id, "B7", "没有说过")
    with centre.act("chief1") as tx:
        appeals.comment(tx, appeal.appeal_id, "请复听")
    with centre.act("lead") as tx:
        appeals.decide(tx, appeal.appeal_id, uphold_agent=True, note="是客户说的")
    with centre.store.read() as connection:
        assert connection.execute("SELECT state FROM sanctions_now").fetchall() == [("已撤回",)]
    assert centre.money() == {"agent 已冲回": (0, D(50))}
    assert centre.problems() == []


def test_a_complaint_is_fined_when_it_is_upheld(centre: Centre) -> None:
    case = centre.done(finding("B5", review=True), confirm=("B5",))
    assert centre.money() == {"agent 已确认": (10, D(50))}  # no complaint: B5 costs no money, but the call is fatal
    with centre.act("qa1") as tx:
        got = Received(customer_number="13900000001", content="说免费却扣钱", received_at=centre.now, call_id=case.call_id)
        complaint = complaints.register(tx, got)
        with pytest.raises(CaseworkError, match="没有通话"):
            complaints.register(tx, Received(customer_number="1", content="x", received_at=centre.now, call_id="nobody"))
        with pytest.raises(CaseworkError, match="需要质检组长、经理"):
            complaints.settle(tx, complaint.complaint_id, upheld=True, note="查实")
    with centre.act("lead") as tx:
        complaints.settle(tx, complaint.complaint_id, upheld=True, note="查实，已退费并道歉")
        with pytest.raises(CaseworkError, match="已经是“投诉成立”"):
            complaints.settle(tx, complaint.complaint_id, upheld=False, note="再看")
    # 100 for the complaint is certain; 200 and the supervisor's 100 wait for the manager, because a warning goes with them.
    assert centre.money() == {"agent 已确认": (0, D(150)), "agent 待确认": (10, D(200)), "supervisor 待确认": (0, D(100))}
    with centre.act("boss") as tx:
        sanctions.decide(tx, "P20261102-0001", "approve", "书面警告")
    money = centre.money()
    assert (money["agent 已确认"], money["supervisor 已确认"]) == ((10, D(350)), (0, D(100)))
    assert centre.problems() == []


def test_a_dismissed_complaint_costs_nothing(centre: Centre) -> None:
    case = centre.case(complaint=True)
    assert centre.money() == {"agent 待确认": (0, D(100))}
    with centre.act("qa1") as tx:
        got = Received(customer_number="13900000001", content="不满", received_at=centre.now, call_id=case.call_id)
        complaint = complaints.register(tx, got)
    with centre.act("boss") as tx:
        complaints.settle(tx, complaint.complaint_id, upheld=False, note="客户误会")
    assert centre.money() == {}
    assert centre.problems() == []


# Appeals


def test_two_rounds(centre: Centre) -> None:
    case = centre.done(finding("A04"), confirm=("A04",))
    with centre.act("a1001") as tx:
        appeal = appeals.file(tx, case.case_id, "A04", "是在复述客户的话")
        with pytest.raises(CaseworkError, match="已经申诉过"):
            appeals.file(tx, case.case_id, "A04", "再来")
    with centre.act("lead") as tx, pytest.raises(CaseworkError, match="请等意见"):
        appeals.decide(tx, appeal.appeal_id, uphold_agent=False, note="维持")
    with centre.act("chief1") as tx:
        assert appeals.comment(tx, appeal.appeal_id, "情况属实").state is AppealState.COMMENTED
    with centre.act("lead") as tx:
        assert appeals.decide(tx, appeal.appeal_id, uphold_agent=False, note="录音里是自己说的").state is AppealState.UPHELD
    with centre.act("a1001") as tx:
        assert appeals.escalate(tx, appeal.appeal_id, "请经理听").state is AppealState.ESCALATED
    with centre.act("lead") as tx, pytest.raises(CaseworkError, match="需要经理"):
        appeals.decide(tx, appeal.appeal_id, uphold_agent=True, note="?")
    assert centre.money() == {"agent 已确认": (10, D(10))}
    with centre.act("boss") as tx:
        assert appeals.decide(tx, appeal.appeal_id, uphold_agent=True, note="确为复述").state is AppealState.OVERTURNED
        steps = [(step.by_person, step.state.value) for step in appeals.history(tx, appeal.appeal_id)]
    assert steps == [
        ("a1001", "待班组长意见"),
        ("chief1", "待质检组长裁定"),
        ("lead", "一轮维持"),
        ("a1001", "待经理终裁"),
        ("boss", "申诉成立"),
    ]
    assert centre.money() == {"agent 已冲回": (10, D(10))}
    with centre.act("boss") as tx, pytest.raises(CaseworkError, match="需要质检组长"):
        appeals.decide(tx, appeal.appeal_id, uphold_agent=False, note="?")
    assert centre.problems() == []


def test_deadlines(centre: Centre) -> None:
    case = centre.done(finding("A04"), finding("A06"), confirm=("A04", "A06"))
    with centre.act("a1001", days=4) as tx:
        appeal = appeals.file(tx, case.case_id, "A04", "不服")
    with centre.act("a1001", days=1, hours=1) as tx, pytest.raises(CaseworkError, match=r"申诉期到 2026-11-07 .* 为止，已经过了"):
        appeals.file(tx, case.case_id, "A06", "不服")
    with centre.act("lead", days=1) as tx:  # the team leader had two days
        assert appeals.decide(tx, appeal.appeal_id, uphold_agent=False, note="维持").state is AppealState.UPHELD
    with centre.act("a1001", days=4) as tx, pytest.raises(CaseworkError, match=r"申请终裁到 .* 为止，已经过了"):
        appeals.escalate(tx, appeal.appeal_id, "再看")


def test_who_may_appeal_and_decide(centre: Centre) -> None:
    case = centre.done(finding("A04"), finding("A06"), confirm=("A04",), reviewer="lead")
    open_case = centre.case(finding("A04"))
    with centre.act("a1002") as tx, pytest.raises(CaseworkError, match="不是您的通话"):
        appeals.file(tx, case.case_id, "A04", "替他申诉")
    with centre.act("qa1") as tx, pytest.raises(CaseworkError, match="需要坐席"):
        appeals.file(tx, case.case_id, "A04", "?")
    with centre.act("a1001") as tx:
        with pytest.raises(CaseworkError, match="还没有完成复核"):
            appeals.file(tx, open_case.case_id, "A04", "?")
        with pytest.raises(CaseworkError, match="没有被确认为违规"):
            appeals.file(tx, case.case_id, "A06", "?")
        with pytest.raises(CaseworkError, match="写明理由"):
            appeals.file(tx, case.case_id, "A04", " ")
        appeal = appeals.file(tx, case.case_id, "A04", "不服")
    with centre.act("chief1") as tx:
        appeals.comment(tx, appeal.appeal_id, "请看")
    with centre.act("lead") as tx, pytest.raises(CaseworkError, match="是这条发现的复核人，不能裁定"):
        appeals.decide(tx, appeal.appeal_id, uphold_agent=False, note="维持")
    with centre.act("lead2") as tx:
        with pytest.raises(ConflictError):
            appeals.decide(tx, appeal.appeal_id, uphold_agent=False, note="维持", version=1)
        appeals.decide(tx, appeal.appeal_id, uphold_agent=False, note="维持", version=2)
    with centre.act("lead") as tx, pytest.raises(CaseworkError, match="有申诉，结论由申诉决定"):
        cases.reopen(tx, case.case_id, "再看看")


def test_withdrawn(centre: Centre) -> None:
    case = centre.done(finding("A04"), confirm=("A04",))
    with centre.act("a1001") as tx:
        appeal = appeals.file(tx, case.case_id, "A04", "不服")
        assert appeals.withdraw(tx, appeal.appeal_id).state is AppealState.WITHDRAWN
        with pytest.raises(CaseworkError, match="不能撤回"):
            appeals.withdraw(tx, appeal.appeal_id)
    assert centre.money() == {"agent 已确认": (10, D(10))}
