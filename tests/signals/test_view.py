"""Streams and the way back: passages, clauses, quotes, seconds, confidence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_pipeline.signals.view import Position, View
from tests.signals.support import call, turn, words


def test_a_backchannel_does_not_end_a_passage() -> None:
    view = View(call("坐：取消的话您", "客：嗯", "坐：打10086就行", "客：不要", "坐：好的"))
    assert [(p.role.value, p.chars) for p in view.passages] == [
        ("agent", "取消的话您打一零零八六就行"),
        ("customer", ""),
        ("customer", "不要"),
        ("agent", "好的"),
    ]


def test_quote_seconds_and_confidence_come_from_what_was_heard() -> None:
    raw = "您好,我這裡 是"
    spoken = turn(f"坐：{raw}", 1.0, 3.0)
    spoken = replace(spoken, words=words(raw, 1.0, 0.2))
    passage = View(call(spoken)).passages[0]
    assert passage.chars == "您好我这里是"
    assert passage.raw(2, 5) == "我這裡"
    low, high = passage.seconds(2, 5)
    assert (round(low or 0, 2), round(high or 0, 2)) == (1.6, 2.2)
    assert passage.confidence(0, 6) == pytest.approx(0.9)
    assert passage.clauses == (0, 2, 5)  # a space between phrases ends a clause like a comma


def test_times_without_words_are_by_proportion_and_without_times_unknown() -> None:
    assert View(call(turn("坐：一二三四", 10.0, 14.0))).passages[0].seconds(1, 3) == (11.0, 13.0)
    assert View(call(turn("坐：一二三四"))).passages[0].seconds(1, 3) == (None, None)


def test_a_pause_between_words_begins_a_clause() -> None:
    spoken = replace(turn("坐：好那我开通", 0.0, 3.0), words=words("好那我开通", 0.0, 0.2, gap_after={0: 0.6}))
    assert View(call(spoken)).passages[0].clauses == (0, 1)


@pytest.mark.parametrize(
    ("raw", "clauses"),
    [
        ("喂 您好 听得见吗", (0, 1, 3)),
        ("您 好 这 里 是 客 服", (0,)),
        ("拨 10086 转人工", (0,)),
        ("好的 ", (0,)),
        ("wifi 很快 吧", (0, 6)),
    ],
)
def test_spaces_part_phrases_unless_they_part_every_word(raw: str, clauses: tuple[int, ...]) -> None:
    assert View(call(f"坐：{raw}")).passages[0].clauses == clauses


def test_empty_call() -> None:
    view = View(call())
    assert (view.passages, view.weakest_role, view.sounds) == ((), 1.0, "")


def test_substantive_turns_skip_lone_greetings_of_the_line() -> None:
    view = View(call("坐：喂", "坐：喂喂", "坐：您好这里是移动", "客：嗯", "坐：好的"))
    assert [t.index for t in view.substantive[view.turns[0].role]] == [2]


@given(st.lists(st.tuples(st.sampled_from("坐客"), st.text(alphabet="您好，。啊嗯5a ", max_size=8)), max_size=6))
def test_every_character_of_a_stream_has_its_place(lines: list[tuple[str, str]]) -> None:
    view = View(call(*(f"{who}：{text}" for who, text in lines)))
    for passage in view.passages:
        assert len(passage.at) == len(passage.chars) == len(passage.sounds)
        for offset, (nth, char) in enumerate(passage.at):
            assert passage.turns[nth].text[char] == passage.chars[offset]
            assert passage.position(offset) == Position(passage.turns[nth].index, char)
        assert list(passage.clauses) == sorted(set(passage.clauses))
        assert not passage.chars or passage.clauses[0] == 0
