"""Errors made to order: seeded, of the documented mix, and counted whole."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_pipeline.model import Role
from qa_pipeline.rules.noise import Fragility, fragility, mishear, mutate
from qa_pipeline.text.normalise import normalise
from qa_pipeline.text.phonetic import phonetics
from tests.rules.support import book, rule
from tests.signals.support import call, turn

TEXT = "您好这里是中国移动客服中心给您介绍一个每月五元的来电提醒业务不想用了可以拨打客服热线取消" * 50


def test_the_same_seed_makes_the_same_errors_and_another_one_others() -> None:
    said = call(turn(f"坐：{TEXT[:80]}", 0.0, 10.0), turn("客：好的，知道了", 10.0, 12.0))
    assert mutate(said, 0.2, "a") == mutate(said, 0.2, "a") != mutate(said, 0.2, "b")
    assert mutate(said, 0.2, "a").turns[0].raw != mutate(said, 0.3, "a").turns[0].raw


def test_errors_are_of_the_documented_kinds_and_shares() -> None:
    length = len(TEXT)
    deleted = length - len(mishear(TEXT, 0.2, random.Random(1)))
    assert deleted / length == pytest.approx(0.2 * 0.25, abs=0.015)
    same_sound = changed = 0
    draw = random.Random(2)
    for char in TEXT:
        heard = mishear(char, 0.2, draw)
        if heard and heard != char:
            changed += 1
            same_sound += phonetics().sound(heard) == phonetics().sound(char)
    assert same_sound / changed > 0.6
    assert changed / length < 0.2 * 0.75


def test_no_rate_no_errors_and_only_chinese_characters_are_misheard() -> None:
    assert mishear(TEXT, 0.0, random.Random(1)) == TEXT
    assert mishear("10086, abc！", 1.0, random.Random(1)) == "10086, abc！"
    said = call("坐：您好", "客：喂")
    assert [item.raw for item in mutate(said, 0.0, "a").turns] == ["您好", "喂"]


@given(
    st.lists(st.tuples(st.sampled_from("坐客？"), st.text(alphabet="您好办理业务，。嗯5", max_size=30)), max_size=5),
    st.sampled_from([0.05, 0.3, 1.0]),
)
def test_a_noisy_call_is_a_call(lines: list[tuple[str, str]], rate: float) -> None:
    said = call(*(f"{who}：{text}" for who, text in lines))
    noisy = mutate(said, rate, "s")
    assert [item.index for item in noisy.turns] == list(range(len(noisy.turns)))
    assert len(noisy.turns) >= len(said.turns)
    for item in noisy.turns:
        normal = normalise(item.raw)
        assert (item.text, item.to_raw, item.words) == (normal.text, normal.to_raw, ())
        assert item.start_s is not None and item.end_s is not None and item.start_s <= item.end_s
    assert all(earlier.start_s <= later.start_s + 1e-9 for earlier, later in pairwise(noisy.turns))  # type: ignore[operator]


def test_short_turns_may_change_sides_and_long_ones_be_cut() -> None:
    said = call(*["客：好的", f"坐：{TEXT[:40]}"] * 200)
    noisy = mutate(said, 0.3, "x")
    short = [item for item in noisy.turns if len(item.raw) <= 2]
    assert 0 < sum(item.role is Role.AGENT for item in short) < 30
    assert 8 < len(noisy.turns) - len(said.turns) < 40  # a third of the rate


def test_fragility_counts_every_variant_of_every_example(tmp_path: Path) -> None:
    examples = {"violating": [{"turns": ["坐席：说坏话"]}] * 3, "clear": [{"turns": ["坐席：说好话"]}] * 2}
    made = book(tmp_path, rule(examples=examples))
    rows = fragility(made, made.rules[0], (0.0, 1.0), variants=4)
    assert rows[0] == Fragility(rule="X01-test", clause="X01", rate=0.0, violating=12, found=12, clear=8, accused=0)
    assert (rows[0].recall, rows[1].rate, rows[1].violating, rows[1].clear) == (1.0, 1.0, 12, 8)
    assert rows[1].found < 12
    assert rows == fragility(made, made.rules[0], (0.0, 1.0), variants=4)
    empty = book(tmp_path / "e", rule())
    assert [item.recall for item in fragility(empty, empty.rules[0], (0.1,), variants=1)] == [None]
