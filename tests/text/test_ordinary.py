"""What is said anyway is not something else misheard."""

from __future__ import annotations

import pytest

from qa_pipeline.text.ordinary import homophones
from qa_pipeline.text.pattern import compile_pattern
from qa_pipeline.text.stream import Stream


def found(template: str, text: str, runs: bool = False) -> list[str]:
    stream = Stream(text)
    hits = compile_pattern(template).find(stream.chars, stream.sounds, by_sound=True, runs=runs)
    return [f"{text[hit.start : hit.end]} {hit.strength.value}" for hit in hits]


@pytest.mark.parametrize(
    ("template", "text", "expected"),
    [
        ("网上", "晚上再说", []),  # a word of its own, and more often said
        ("网上", "往上看", []),
        ("网上", "网上看", ["网上 exact"]),
        ("网上", "旺上看", ["旺上 phonetic"]),  # nobody says that: misheard
        ("(麻利|利索)", "方便你说", []),
        ("(麻利|利索)", "利锁点", ["利锁 phonetic"]),
        ("工号", "公号五二九零", ["公号 phonetic"]),  # written sometimes, 工号 is said all the time
        ("再见", "好的再讲", ["再讲 phonetic"]),
        ("(联系|找)~4客服", "联系一下客户", []),  # inside a longer template too
        ("(联系|找)~4客服", "联系一下克服", ["联系一下克服 phonetic"]),
    ],
)
def test_a_phrase_by_its_sound(template: str, text: str, expected: list[str]) -> None:
    assert found(template, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("能停", ["能停 exact"]), ("就能听", []), ("能挺", ["能挺 phonetic"])],
)
def test_single_characters_beside_each_other(text: str, expected: list[str]) -> None:
    """Where doubt favours the agent these go by their sound too, and together they are a stretch like any other."""
    assert found("(能|就能)(停|退)", text, runs=True) == expected


def test_what_sounds_alike_and_is_said_often() -> None:
    assert (homophones("利索"), homophones("您好"), homophones("骗子")) == (("你说", "里说"), (), ("片子",))


@pytest.mark.parametrize("phrase", ["", "停", "营业厅里", "三十天"])
def test_nothing_for_what_is_too_short_too_long_or_has_none(phrase: str) -> None:
    assert homophones(phrase) == ()
