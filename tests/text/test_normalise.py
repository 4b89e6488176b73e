"""Normal form: whatever is heard, rules see one spelling, and evidence finds its way back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_pipeline.text.normalise import normalise, spell_digits, spell_number


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("您好，這裡是中國移動10086客服中心", "您好，这里是中国移动一零零八六客服中心"),
        ("每月5元", "每月五元"),
        ("每月５元", "每月五元"),
        ("30天后", "三十天后"),
        ("3.5元", "三点五元"),
        ("1,200块", "一千二百块"),
        ("工号8012", "工号八零一二"),
        ("工号是 8012", "工号是八零一二"),
        ("2026年", "二零二六年"),
        ("400热线", "四零零热线"),
        ("打114查", "打一一四查"),
        ("007号", "零零七号"),
        ("我是6035号的小周", "我是六零三五号的小周"),
        ("下个月20号", "下个月二十号"),
        ("一 个 月", "一个月"),
        ("APP 里 退订 OK fine", "app里退订ok fine"),
        ("妳好", "你好"),
        ("好…行", "好，行"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_normal_form(raw: str, text: str) -> None:
    assert normalise(raw).text == text


def test_map_leads_back_to_the_characters_heard() -> None:
    raw = "每月 15 元，從話費裡扣"
    normal = normalise(raw)
    start = normal.text.index("十五元")
    assert raw[normal.to_raw[start] : normal.to_raw[start + 2] + 1] == "15 元"
    start = normal.text.index("从话费")
    assert raw[normal.to_raw[start] : normal.to_raw[start + 2] + 1] == "從話費"


@given(st.text(alphabet=st.sampled_from("您好元月０1２3４56789.,， 。…ａAb妳這裡㍿①½嗯啊\n\t"), max_size=40))
def test_map_is_total_monotonic_and_inside(raw: str) -> None:
    normal = normalise(raw)
    assert len(normal.to_raw) == len(normal.text)
    assert all(0 <= index < len(raw) for index in normal.to_raw)
    assert list(normal.to_raw) == sorted(normal.to_raw)


@given(st.text(max_size=60))
def test_any_text_is_normal_after_one_pass(raw: str) -> None:
    once = normalise(raw).text
    assert normalise(once).text == once


def test_numbers() -> None:
    assert [spell_number("24"), spell_number("10"), spell_number("3.5"), spell_digits("10086")] == [
        "二十四",
        "十",
        "三点五",
        "一零零八六",
    ]
