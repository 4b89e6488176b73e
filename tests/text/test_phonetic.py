"""Syllable classes: homophones and the confusions of the recogniser are one, other syllables stay apart."""

from __future__ import annotations

import pytest

from qa_pipeline.text.phonetic import confuse, phonetics, plain
from tools import readings


@pytest.mark.parametrize(
    ("one", "other"), [("业务", "夜午"), ("功能费", "功能废"), ("工号", "公号"), ("您", "林"), ("商", "三"), ("幺", "一")]
)
def test_heard_alike(one: str, other: str) -> None:
    assert phonetics().sound(one) == phonetics().sound(other)


@pytest.mark.parametrize(
    ("one", "other"), [("停电", "挺厌"), ("资费", "字会"), ("取消", "需要"), ("再见", "在家"), ("移动", "联通"), ("您", "你")]
)
def test_heard_apart(one: str, other: str) -> None:
    assert phonetics().sound(one) != phonetics().sound(other)


def test_length_and_foreign_characters_stay() -> None:
    assert len(phonetics().sound("APP里退订123")) == len("APP里退订123")
    assert phonetics().sound("app") == "app"


def test_phrase_readings() -> None:
    assert len(phonetics().readings("银行")) == 2  # yínháng, and by characters yínxíng
    assert phonetics().readings("取消") == (phonetics().sound("取消"),)


def test_plain_and_confused_syllables() -> None:
    assert [plain("xíng"), plain("lǜ"), plain("nǚ")] == ["xing", "lv", "nv"]
    assert [confuse(s) for s in ("shang", "zheng", "ning", "nong", "fan", "xue")] == ["san", "zen", "lin", "lon", "han", "xue"]


def test_the_files_of_the_readings_are_what_the_tool_makes() -> None:
    assert {name: (readings.DATA / name).read_text(encoding="utf-8") for name in readings.made()} == readings.made()


def test_a_phrase_is_read_by_its_longest_words() -> None:
    said = phonetics().sound
    assert phonetics().readings("去银行了解") == (said("去银行了解"), said("去银航聊解"))
    assert phonetics().readings("app") == ("app",)
