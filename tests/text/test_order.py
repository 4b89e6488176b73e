"""Names with numbers come in the order in which people count."""

from __future__ import annotations

import random

from qa_pipeline.text.order import in_order

NAMES = [
    "一组",
    "二组",
    "三组",
    "四组",
    "五组",
    "六组",
    "七组",
    "八组",
    "九组",
    "十组",
    "十一组",
    "二十组",
    "二十一组",
    "一百零二组",
]


def test_chinese_numerals_are_numbers() -> None:
    mixed = random.Random(1).sample(NAMES, len(NAMES))
    assert sorted(mixed, key=in_order) == NAMES


def test_digits_and_words_too() -> None:

    assert sorted(["10组", "2组", "外呼10组", "外呼2组"], key=in_order) == ["2组", "10组", "外呼2组", "外呼10组"]
    assert sorted(["未知", "", "一", "一组"], key=in_order) == ["", "一", "一组", "未知"]


def test_different_names_are_never_the_same() -> None:
    assert in_order("一组") != in_order("1组")
