"""What a case costs, line by line: whatever was decided, the lines are the ledger's amounts and explain the score."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal as D

import pytest
from casework_make import Centre, finding, held_open
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qa_pipeline.casework import appeals, cases, charges, complaints, reviews, sanctions
from qa_pipeline.casework.cases import Case
from qa_pipeline.casework.charges import Bill
from qa_pipeline.casework.complaints import Received
from qa_pipeline.casework.reviews import Added
from qa_pipeline.casework.values import Decision

CLAUSES = ("A04", "A06", "A11", "B3b", "B5", "B7", "C3", "A01", "A16")
SAID = (Decision.CONFIRM, Decision.REJECT, Decision.CANNOT_TELL)


def bill(centre: Centre, case: Case) -> Bill:
    with centre.desk.look(centre.now) as tx:
        return charges.bill_of(tx, cases.get_case(tx, case.case_id))


def lines(centre: Centre, case: Case) -> list[tuple[str, str, str]]:
    return [(line.clause, line.words, line.source) for line in bill(centre, case).lines]


def test_who_is_left_carries_the_fine_of_one_fact(centre: Centre) -> None:
    """As on the sample call S023: of one hang-up the dearer clause could not be told, so the other is fined."""
    case = centre.case(finding("A06"), finding("B3b"), finding("A04", quote="不知道"))
    assert [words for _, words, _ in lines(centre, case)] == [
        "确认后计：扣 10 分，10 元",
        "确认后计：扣 10 分，30 元",
        "同一事实已按 A06 处理",
    ]
    centre.decide(case, "A06", Decision.CANNOT_TELL)
    centre.decide(case, "B3b")
    centre.decide(case, "A04", Decision.REJECT)
    centre.finish(case)
    found = bill(centre, case)
    assert lines(centre, case) == [
        ("A04", "", "S0 第一篇 三、六.1：出现禁用语扣 10 元/次"),
        ("A06", "", "S0 第一篇 六.2：不能主动挂机，扣 30 元/次"),
        ("B3b", "扣 10 分，10 元", "S0 第二篇 禁令 3：未完成通话主动挂断，罚 10 元"),
    ]
    assert (found.sure.words, found.waiting.words, found.reckoning) == ("扣 10 分，10 元", "", "100 − 10 = 90 分")


def test_a_finding_under_review_counts_when_it_is_confirmed(centre: Centre) -> None:
    case = centre.done(finding("A04", quote="不知道", review=True), confirm=("A04",))
    assert [words for _, words, _ in lines(centre, case)] == ["扣 10 分，10 元"]


def test_the_fatal_fifty_has_a_line_and_an_article(centre: Centre) -> None:
    case = centre.done(finding("C3"), finding("B3a"), confirm=("C3", "B3a"))
    assert lines(centre, case) == [
        ("B3a", "扣 10 分，5 元", "S0 第二篇 禁令 3：未代表中国移动祝福，罚 5 元"),
        ("C3", "扣 10 分；致命：本通 0 分", "S0 第四篇 三.2 第 3 款：业务介绍须完整"),
        ("不合格工单", "50 元", "S0 第一篇 六.7、六.8"),
    ]
    assert (bill(centre, case).sure.words, bill(centre, case).reckoning) == ("扣 20 分，55 元", "有致命项，本通 0 分")


def test_a_manual_item_and_a_complaint_have_lines(centre: Centre) -> None:
    case = centre.case()
    with centre.act("qa1") as tx:
        reviews.add_finding(tx, case.case_id, Added(clause="M08", reason="在玩手机"))
    centre.finish(case)
    complain(centre, case, upheld=None)
    told = "投诉登记并核实成立后计：100 元"
    assert lines(centre, case) == [("M08", "100 元", "S0 第一篇 五.8：100 元/次")]
    with centre.act("boss") as tx:
        row = tx.row("SELECT complaint_id FROM complaints WHERE call_id = ?", [case.call_id])
        assert row is not None
        complaints.settle(tx, row[0], upheld=True, note="属实")
    assert lines(centre, case) == [
        ("M08", "100 元", "S0 第一篇 五.8：100 元/次"),
        ("投诉", "100 元", "S0 第一篇 六.9"),
    ]
    listed = centre.done(complaint=True)  # the manifest tells of one that nobody has registered
    assert lines(centre, listed) == [("投诉", told, "S0 第一篇 六.9")]


def test_a_sanction_holds_the_money_back_until_it_is_decided(centre: Centre) -> None:
    case = centre.done(finding("B7"), confirm=("B7",))
    wish = "处分建议“开除；主管口头警告；全公司通报”"
    fatal = "致命：本通 0 分；"
    assert [words for _, words, _ in lines(centre, case)] == [
        f"经理决定处分后计：扣 10 分，500 元，主管 200 元；{fatal}{wish}（待决定）",
        "50 元",
    ]
    decide_sanction(centre, case, "decline")
    assert [words for _, words, _ in lines(centre, case)] == [f"扣 10 分；{fatal}{wish}（不予处分，不扣款）", "50 元"]


def test_what_was_overturned_costs_nothing(centre: Centre) -> None:
    case = centre.done(finding("A04"), finding("A09"), confirm=("A04", "A09"))
    with centre.act("a1001") as tx:
        appeal = appeals.file(tx, case.case_id, "A09", "没有")
    with centre.act("chief1") as tx:
        appeals.comment(tx, appeal.appeal_id, "请查")
    with centre.act("lead") as tx:
        appeals.decide(tx, appeal.appeal_id, uphold_agent=True, note="属实")
    assert [(clause, words) for clause, words, _ in lines(centre, case)] == [("A04", "扣 10 分，10 元"), ("A09", "")]
    assert bill(centre, case).reckoning == "100 − 10 = 90 分"


def complain(centre: Centre, case: Case, *, upheld: bool | None) -> None:
    received = Received(customer_number="13900000000", content="没说资费", received_at=centre.now, call_id=case.call_id)
    with centre.act("qa1") as tx:
        complaint = complaints.register(tx, received)
    if upheld is not None:
        with centre.act("boss") as tx:
            complaints.settle(tx, complaint.complaint_id, upheld=upheld, note="查过")


def decide_sanction(centre: Centre, case: Case, choice: str) -> None:
    with centre.act("boss") as tx:
        for (sanction_id,) in tx.rows(
            "SELECT sanction_id FROM sanctions_now WHERE case_id = ? AND state = '待决定'", [case.case_id]
        ):
            sanctions.decide(tx, sanction_id, choice, "已定")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    centre = Centre(tmp_path_factory.mktemp("charges") / "qa.duckdb")
    with held_open(centre):
        yield centre


FOUND = st.lists(st.tuples(st.sampled_from(CLAUSES), st.sampled_from(SAID), st.booleans()), max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    found=FOUND,
    added=st.lists(st.sampled_from(("M01", "M06", "M08", "A04", "A11")), max_size=3),
    complaint=st.sampled_from(("", "listed", "open", "upheld", "dismissed")),
    sanction=st.sampled_from(("", "approve", "money", "decline")),
)
def test_the_lines_add_up_to_what_is_booked(
    busy: Centre, found: list[tuple[str, Decision, bool]], added: list[str], complaint: str, sanction: str
) -> None:
    outcomes = [
        finding(clause, ordinal, quote=("不知道", "别说了")[ordinal % 2], review=review)
        for ordinal, (clause, _, review) in enumerate(found)
    ]
    case = busy.case(*outcomes, complaint=True if complaint == "listed" else None)
    for outcome, (_, decision, _) in zip(outcomes, found, strict=True):
        busy.decide(case, f"{outcome.rule_id}#{outcome.ordinal}", decision)
    for clause in added:
        with busy.act("qa1") as tx:
            reviews.add_finding(tx, case.case_id, Added(clause=clause, reason="听过"))
    busy.finish(case)
    if complaint in ("open", "upheld", "dismissed"):
        complain(busy, case, upheld={"open": None, "upheld": True, "dismissed": False}[complaint])
    if sanction:
        decide_sanction(busy, case, sanction)

    shown = bill(busy, case)
    assert (shown.sure, shown.waiting) == ledger_of(busy, case)
    assert printed(shown) == ledger_of(busy, case)
    lost = shown.sure.points + shown.waiting.points
    assert shown.score == (0 if shown.fatal else max(0, 100 - lost))
    assert all(line.source and line.title for line in shown.lines if line.sure or line.waiting)


Sums = tuple[tuple[int, D, D], tuple[int, D, D]]


def ledger_of(centre: Centre, case: Case) -> Sums:
    """Points, yuan, supervisor's yuan: what is charged and what is proposed, from the rows of the ledger."""
    sums = []
    for accounts in (["已确认", "已入账"], ["待确认"]):
        with centre.store.read() as connection:
            row = connection.execute(
                """SELECT coalesce(sum(points), 0)::INTEGER, coalesce(sum(yuan) FILTER (party = 'agent'), 0)::DECIMAL(12,2),
                       coalesce(sum(yuan) FILTER (party = 'supervisor'), 0)::DECIMAL(12,2)
                   FROM ledger_entries WHERE case_id = ? AND list_contains(?, account)""",
                [case.case_id, accounts],
            ).fetchone()
        assert row is not None
        sums.append(row)
    return sums[0], sums[1]


def printed(shown: Bill) -> Sums:
    """The same sums, read from the words of the lines as a reader would add them up."""
    sums = [[0, D(0), D(0)], [0, D(0), D(0)]]
    for line in shown.lines:
        for part in line.words.split("；"):
            place = sums["后计：" in part]
            for index, pattern in enumerate((r"扣 (\d+) 分", r"(?<!主管 )\b([\d,.]+) 元", r"主管 ([\d,.]+) 元")):
                place[index] += sum(D(text.replace(",", "")) for text in re.findall(pattern, part))  # type: ignore[operator]
    one, two = sums
    return (int(one[0]), one[1], one[2]), (int(two[0]), two[1], two[2])
