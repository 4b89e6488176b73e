"""Money with its period, dates and terms: read from the normal text, by sound only where doubt favours the agent."""

from __future__ import annotations

import pytest

from qa_pipeline.model import Strength
from qa_pipeline.signals.amounts import DateSpec, MoneySpec
from qa_pipeline.signals.base import Where
from tests.signals.support import call, context, quotes, turn

FEE = MoneySpec(label="资费")


def money(*lines: str, strength: str = "strict", **values: object) -> list[str]:
    spec = MoneySpec(label="资费", **values)  # type: ignore[arg-type]
    return quotes(context(call(*lines), strength, s=spec).hits("s"))


@pytest.mark.parametrize(
    ("said", "quote"),
    [
        ("每月五元", "每月五元"),
        ("每月5元", "每月5元"),
        ("每月５元", "每月５元"),
        ("一个月三块钱", "一个月三块钱"),
        ("五毛一条", "五毛一条"),
        ("三块五一个月", "三块五一个月"),
        ("一年是三百六十元", "一年是三百六十元"),
        ("1,200元一年", "1,200元一年"),
        ("功能费每月一点五元", "功能费每月一点五元"),
        ("一次性九十九块", "一次性九十九块"),
        ("一个月十九，很便宜", "一个月十九"),
        ("五十九一个月", "五十九一个月"),
        ("每個月十塊錢", "每個月十塊錢"),
    ],
)
def test_an_amount_with_its_period(said: str, quote: str) -> None:
    assert money(f"坐：{said}") == [quote]


@pytest.mark.parametrize(
    "said",
    [
        "免费",
        "很便宜的，就几块钱",
        "您一共用了六十六块",
        "一个月以后再说",
        "每月三十号扣",
        "一个月三十个g",
        "三十天免费",
        "十几块钱吧",
    ],
)
def test_no_fee(said: str) -> None:
    assert money(f"坐：{said}") == []


def test_the_period_may_stand_as_far_away_as_reach_says() -> None:
    assert len(money("坐：五元啊从您的话费里面扣除的每月", reach=12)) == 1  # ten characters between, two of the period
    assert money("坐：五元啊从您的话费里面扣除的每月", reach=11) == []


def test_any_amount_where_no_period_is_asked_for() -> None:
    assert money("坐：您一共用了六十六块", period="any") == ["六十六块"]


def test_the_period_in_the_speakers_next_turn_counts_only_in_doubt() -> None:
    said = ("坐：那加一份延保就九十九块，", "客：一年？", "坐：不是，一次性的。")
    assert money(*said, strength="loose") == ["九十九块"]
    assert money(*said, strength="strict") == []


def test_misheard_units_count_only_in_doubt_and_are_told_as_sound() -> None:
    said = call("坐：功能废每月无元")
    assert context(said, "strict", s=FEE).hits("s") == ()
    assert [(hit.quote, hit.strength) for hit in context(said, "loose", s=FEE).hits("s")] == [("功能废每月无元", Strength.PHONETIC)]


def test_every_amount_is_a_hit_in_order() -> None:
    said = call("坐：每月五元", "客：一个月三块吧", "坐：不是，三块是每天")
    hits = context(said, s=FEE).hits("s")
    assert [(hit.position.turn, hit.quote) for hit in hits] == [(0, "每月五元"), (2, "三块是每天")]


def test_the_nearest_is_an_amount_without_period() -> None:
    ctx = context(call("坐：您一共用了六十六块"), s=FEE)
    near = ctx.signal("s").nearest(ctx)
    assert near is not None and (near.quote, near.heard_as) == ("六十六块", "金额（没有说周期）")


def test_guessed_roles_search_everybody_only_in_doubt() -> None:
    said = call("客：每月五元")
    assert quotes(context(said, "loose", both_roles=True, s=FEE).hits("s")) == ["每月五元"]
    assert context(said, "strict", both_roles=True, s=FEE).hits("s") == ()


def dates(said: str, *forms: str, strength: str = "strict") -> list[str]:
    spec = DateSpec(label="日期", forms=forms) if forms else DateSpec(label="日期")  # type: ignore[arg-type]
    return quotes(context(call(f"坐：{said}"), strength, s=spec).hits("s"))


@pytest.mark.parametrize(
    ("said", "quote"),
    [
        ("到十二月二十号", "十二月二十号"),
        ("到12月20日", "12月20日"),
        ("免费到下个月二十号", "下个月二十号"),
        ("体验到月底", "月底"),
        ("到二十号为止", "到二十号"),
        ("第三十天结束", "第三十天"),
        ("三十天以后开始收费", "三十天以后"),
        ("30天后收费", "30天后"),
        ("满三个月", "满三个月"),
        ("次月起收费", "次月起"),
    ],
)
def test_a_day_or_a_term_that_ends(said: str, quote: str) -> None:
    assert dates(said) == [quote]


@pytest.mark.parametrize("said", ["免费三十天", "前三个月", "首月免费", "一共二十号人", "今天就能用"])
def test_only_a_length_is_no_date(said: str) -> None:
    assert dates(said) == []


@pytest.mark.parametrize(
    ("form", "said", "quote"),
    [("day", "今晚就能用", "今"), ("day", "次日生效", "次日"), ("length", "免费三十天", "三十天"), ("length", "首月免费", "首月")],
)
def test_the_other_forms_are_asked_for_by_name(form: str, said: str, quote: str) -> None:
    assert [item[: len(quote)] for item in dates(said, form)] == [quote]


def test_dates_by_sound_only_in_doubt() -> None:
    assert dates("试用道下个月二时号", "date") == []
    assert dates("试用道下个月二时号", "date", strength="loose") == ["下个月二时号"]


def test_dates_in_their_place_and_without_times() -> None:
    spec = DateSpec(label="日期", where=Where(first_turns=1))
    hits = context(call(turn("坐：到十二月二十号"), turn("坐：到一月三号")), s=spec).hits("s")
    assert [(hit.quote, hit.start_s) for hit in hits] == [("十二月二十号", None)]
