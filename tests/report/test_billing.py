"""The settlement's arithmetic, by hand (S0 part 4, 四.1: 50 % + 5 × 15 % = 125 % of the monthly fee over six months)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_pipeline.errors import UserError
from qa_pipeline.policy import Settlement
from qa_pipeline.report.billing import Increase, Surveys, increases_of, months_between, settle, surveys_of
from qa_pipeline.report.lists import BadRow, Bill, Lists, NewUser, Subscriber, Survey, month, read_lists

TERMS = Settlement()
MONTHS = ["2026-11", "2026-12", "2027-01", "2027-02", "2027-03", "2027-04", "2027-05", "2027-06"]


def user(fee: str = "10", stop: str = "") -> Subscriber:
    return Subscriber(row=2, number="13900000001", product="天气预报", fee=Decimal(fee), start="2026-11", stop=stop)


def paid(one: Subscriber, invalid: dict[Subscriber, str] | None = None, terms: Settlement = TERMS) -> list[Decimal]:
    found = [settle([one], now, terms, invalid or {}) for now in MONTHS]
    return [sum((line.commission - line.taken_back for line in lines), Decimal(0)) for lines in found]


def test_six_months_are_125_percent() -> None:
    assert [str(amount) for amount in paid(user())] == ["5.00", "1.50", "1.50", "1.50", "1.50", "1.50", "0.00", "0.00"]
    assert sum(paid(user())) == Decimal("12.50")


def test_a_user_who_left_earns_until_then() -> None:
    assert [str(amount) for amount in paid(user(stop="2027-01"))] == ["5.00", "1.50", "0", "0", "0", "0", "0", "0"]
    assert settle([user()], "2026-10", TERMS, {}) == []


def test_an_invalid_sale_is_taken_back_in_the_month_of_the_finding() -> None:
    one = user()
    assert [str(amount) for amount in paid(one, {one: "2027-01"})] == ["5.00", "1.50", "-6.50", "0", "0", "0", "0", "0"]
    kept = Settlement(take_back=False)
    assert [str(amount) for amount in paid(one, {one: "2027-01"}, kept)] == ["5.00", "1.50", "0", "0", "0", "0", "0", "0"]


def test_taken_back_is_what_was_paid_even_after_the_user_left() -> None:
    one = user(stop="2026-12")
    assert [str(amount) for amount in paid(one, {one: "2027-02"})][:5] == ["5.00", "0", "0", "-5.00", "0"]


@given(st.decimals(0, 500, places=2), st.sampled_from(["", *MONTHS]), st.sampled_from(["", *MONTHS]))
def test_an_invalid_sale_earns_nothing_in_the_end(fee: Decimal, stop: str, found: str) -> None:
    one = user(str(fee), stop)
    total = sum(paid(one, {one: found} if found else {}))
    assert total == (0 if found else sum(paid(one)))
    assert total <= fee * Decimal("1.25") + Decimal("0.06")


def test_months() -> None:
    assert [month(text) for text in ("2026-11", "2026/1", "2026年9月", "2026-11-05")] == [
        "2026-11",
        "2026-01",
        "2026-09",
        "2026-11",
    ]
    assert (months_between("2026-11", "2027-01"), months_between("2027-01", "2026-11")) == (2, -2)
    with pytest.raises(ValueError, match="看不懂"):
        month("11月")


def test_bad_rows_are_named(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text(
        "用户号码,业务名称,月费,计费开始\n1,a,3,2026-11\n,a,3,2026-11\n1,a,3,2026-11\n2,a,-1,2026-11\n3,a,3,昨天\n",
        encoding="utf-8-sig",
    )
    found = read_lists([path])
    assert [item.row for item in found.subscribers] == [2]
    assert [(item.row, item.problem) for item in found.bad] == [
        (3, "没有客户号码或业务"),
        (4, "与第 2 行是同一个用户，没有重复计入"),
        (5, "月功能费“-1”不能是负数"),
        (6, "月份“昨天”看不懂，写成 2026-11"),
    ]
    path.write_text("号码,业务\n1,a\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"缺列 月功能费、计费开始月.*问卷：问卷编号、完成日期、是否有效"):
        read_lists([path])


# 四.2, 四.4: questionnaires


def questionnaires(valid: int, invalid: int, wrong: int) -> list[Survey]:
    """Of November; ``wrong`` of the valid ones carry a mistake. Beside them one of December."""
    mine = [
        Survey(row=number + 2, survey_id=str(number), month="2026-11", valid=number < valid, wrong=number < wrong)
        for number in range(valid + invalid)
    ]
    return [*mine, Survey(row=99, survey_id="later", month="2026-12", valid=True, wrong=True)]


@pytest.mark.parametrize(
    ("valid", "invalid", "wrong", "pay", "fine"),
    [
        (1000, 0, 10, "2000.00", "0"),  # the example of the source: 1,000 questionnaires; 1 % is not above 1 %
        (1000, 0, 11, "2000.00", "4000.00"),  # 1.1 %: twice the pay
        (50, 51, 1, "100.00", "0"),  # 1 of 101 handed in
        (50, 49, 1, "100.00", "200.00"),  # 1 of 99: 1.01 %
        (0, 3, 0, "0.00", "0"),
    ],
)
def test_questionnaires_by_hand(valid: int, invalid: int, wrong: int, pay: str, fine: str) -> None:
    found = surveys_of(questionnaires(valid, invalid, wrong), "2026-11", TERMS)
    assert found == Surveys(handed_in=valid + invalid, valid=valid, wrong=wrong, pay=Decimal(pay), fine=Decimal(fine))


def test_a_month_without_questionnaires_has_no_error_rate() -> None:
    found = surveys_of([], "2026-11", TERMS)
    assert (found.pay, found.fine, found.error_share) == (0, 0, None)
    agreed = Settlement(survey_fee=Decimal("1.55"), error_multiple=Decimal(3), error_rate=Decimal(0))
    three = surveys_of(questionnaires(3, 0, 1), "2026-11", agreed)
    assert (three.pay, three.fine) == (Decimal("4.65"), Decimal("13.95"))


# 四.3: what looked-after users spend more


def bill(spent: str, now: str = "2026-11", start: str = "2026-11", before: str = "10") -> Bill:
    return Bill(row=2, number="13900000001", start=start, before=Decimal(before), month=now, spent=Decimal(spent))


@pytest.mark.parametrize(
    ("before", "spent", "pay"),
    [
        ("10", "20", "1.00"),  # the example of the source: (20 − 10) × 10 %
        ("10", "10", "0.00"),
        ("10", "4", "0.00"),  # less than before takes nothing away
        ("9.95", "10", "0.01"),  # 0.005 is rounded up
        ("9.96", "10", "0.00"),
    ],
)
def test_an_increase_by_hand(before: str, spent: str, pay: str) -> None:
    assert [item.pay for item in increases_of([bill(spent, before=before)], "2026-11", TERMS)] == [Decimal(pay)]


def test_six_months_and_no_more() -> None:
    bills = [bill("20", now) for now in ("2026-10", *MONTHS)]
    paid_out = {now: [(item.nth, item.pay) for item in increases_of(bills, now, TERMS)] for now in ("2026-10", *MONTHS)}
    one = Decimal("1.00")
    assert paid_out == {"2026-10": []} | {now: [(nth, one)] if nth <= 6 else [] for nth, now in enumerate(MONTHS, start=1)}
    shorter = Settlement(increase_months=2, increase_share=Decimal("0.2"))
    assert increases_of(bills, "2026-12", shorter) == [Increase(bill=bills[2], nth=2, more=Decimal(10), pay=Decimal("2.00"))]
    assert increases_of(bills, "2027-01", shorter) == []


@given(st.lists(st.tuples(st.decimals(0, 300, places=2), st.decimals(0, 300, places=2)), max_size=8))
def test_increases_are_never_more_than_their_share(fees: list[tuple[Decimal, Decimal]]) -> None:
    bills = [bill(str(spent), before=str(before)) for before, spent in fees]
    whole = sum((item.pay for item in increases_of(bills, "2026-11", TERMS)), Decimal(0))
    assert whole == sum((item.pay for one in bills for item in increases_of([one], "2026-11", TERMS)), Decimal(0))
    grown = sum((max(spent - before, Decimal(0)) for before, spent in fees), Decimal(0))
    assert abs(whole - grown / 10) <= Decimal("0.005") * len(fees)


def test_every_list_is_known_by_its_headers(tmp_path: Path) -> None:
    """In any order of files and columns; a row that cannot be used is told with its number."""
    texts = {
        "a.csv": "是否有效,问卷编号,完成日期,差错\n是,W1,2026-11-03,\n否,W2,2026-11-30,是\n也许,W3,2026-11-01,\n,W4,2026-11-01,\n是,W1,2026-11-04,\n",
        "b.csv": "客户号码,维护开始月,原月话费,话费月份,当月话费\n139,2026-10,10,2026-11,20元\n139,2026-10,10,2026/11,25\n138,2026-11,十,2026-11,1\n",
        "c.csv": "手机号,发展月,每户酬金,用户类型\n137,2026年11月,35.5,宽带\n,2026-11,3,\n",
        "d.csv": "号码,业务,月费,计费月\n136,彩铃,6,2026-11\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_lists([tmp_path / name for name in texts]) == Lists(
        subscribers=[Subscriber(row=2, number="136", product="彩铃", fee=Decimal(6), start="2026-11")],
        surveys=[
            Survey(row=2, survey_id="W1", month="2026-11", valid=True),
            Survey(row=3, survey_id="W2", month="2026-11", valid=False, wrong=True),
        ],
        bills=[Bill(row=2, number="139", start="2026-10", before=Decimal(10), month="2026-11", spent=Decimal(20))],
        new_users=[NewUser(row=2, number="137", month="2026-11", yuan=Decimal("35.5"), kind="宽带")],
        bad=[
            BadRow(path="a.csv", row=4, problem="是否有效“也许”看不懂，写是或否"),
            BadRow(path="a.csv", row=5, problem="没有写是否有效"),
            BadRow(path="a.csv", row=6, problem="与第 2 行是同一个问卷，没有重复计入"),
            BadRow(path="b.csv", row=3, problem="与第 2 行是同一个用户的同一个月，没有重复计入"),
            BadRow(path="b.csv", row=4, problem="原月话费“十”不是金额"),
            BadRow(path="c.csv", row=3, problem="没有客户号码"),
        ],
    )
