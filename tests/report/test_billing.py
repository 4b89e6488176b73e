"""The settlement's arithmetic, by hand (S0 part 4, 四.1: 50 % + 5 × 15 % = 125 % of the monthly fee over six months)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_pipeline.errors import UserError
from qa_pipeline.policy import Settlement
from qa_pipeline.report.billing import Subscriber, month, months_between, read_subscribers, settle

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
    users, bad = read_subscribers([path])
    assert [item.row for item in users] == [2]
    assert [(item.row, item.problem) for item in bad] == [
        (3, "没有客户号码或业务"),
        (4, "与第 2 行是同一个用户，没有重复计入"),
        (5, "月功能费“-1”不能是负数"),
        (6, "月份“昨天”看不懂，写成 2026-11"),
    ]
    path.write_text("号码,业务\n1,a\n", encoding="utf-8")
    with pytest.raises(UserError, match="缺列 月功能费、计费开始月"):
        read_subscribers([path])
