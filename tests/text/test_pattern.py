"""Templates: what an author writes is found by characters, by sound and by distance, and malformed ones are told in Chinese."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_pipeline.model import Strength
from qa_pipeline.text.normalise import normalise
from qa_pipeline.text.pattern import MAX_GAP, Match, PatternError, allowed_distance, compile_pattern, strip
from qa_pipeline.text.phonetic import phonetics


def find(template: str, text: str, by_sound: bool = True) -> list[tuple[str, Strength]]:
    chars = strip(normalise(text).text)
    matches = compile_pattern(template).find(chars, phonetics().sound(chars), by_sound)
    return [(chars[match.start : match.end], match.strength) for match in matches]


@pytest.mark.parametrize(
    ("template", "text", "found"),
    [
        ("取消", "可以取消的", [("取消", Strength.EXACT)]),
        ("退订", "可以推定的", [("推定", Strength.PHONETIC)]),
        ("功能费", "每月功能废五元", [("功能废", Strength.PHONETIC)]),
        ("(取消|退订)~6(10086|营业厅)", "退订的话打10086", [("退订的话打一零零八六", Strength.EXACT)]),
        ("(取消|退订)~2营业厅", "退订的话要到我们的营业厅", []),
        ("[您]懂不懂", "您懂不懂，懂不懂", [("您懂不懂", Strength.EXACT), ("懂不懂", Strength.EXACT)]),
        ("办[吗|啊]再见", "办啊再见", [("办再见", Strength.EXACT)]),  # in [ ] an option of fillers alone does no harm
        ("(好|好的)再见", "好的，嗯，再见", [("好的再见", Strength.EXACT)]),
        ("9.9元", "九点九元", [("九点九元", Strength.EXACT)]),  # a point between digits is said
        ("#元", "十五元", [("十五元", Strength.EXACT)]),
        ("#点", "机电", []),  # a syllable that sounds like a number is not one
        ("有意见您就告去", "有一件您就告去", [("有一件您就告去", Strength.PHONETIC)]),
        ("中国移动", "中国联通", []),
    ],
)
def test_found(template: str, text: str, found: list[tuple[str, Strength]]) -> None:
    assert find(template, text) == found


def test_sound_is_not_used_when_not_asked_for() -> None:
    assert find("退订", "可以推定的", by_sound=False) == []


def nearest(template: str, chars: str) -> Match | None:
    return compile_pattern(template).nearest(phonetics().split(phonetics().sound(chars)))


def test_nearest_tells_the_distance_in_syllables() -> None:
    chars = "请问是基主北人吗"
    assert nearest("机主本人", chars) == Match(start=3, end=7, heard_as="机主本人", strength=Strength.FUZZY, distance=0.5)
    assert nearest("机主本人", "今天天气不错啊朋友") is None
    assert nearest("我的工号", "那我的高号是八零") == Match(
        start=1, end=5, heard_as="我的工号", strength=Strength.FUZZY, distance=0.5
    )
    assert nearest("上午好", "三五号") is None  # three syllables are too few


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("(a", "缺少“)”"),
        ("a)", "多余的“)”"),
        ("a]", "多余的“]”"),
        ("嗯啊", "什么也不剩"),
        ("[您]", "什么也不剩"),
        ("，。", "什么也不剩"),
        ("同意(了)?吗", "“?”不参加比对"),  # no regular expression: 吗 would be all that is left
        ("转~6(吗|不$)", "“$”不参加比对"),
        ("(哈喽|你好)", "去掉语气词只剩“喽”"),  # would be found in every 小喽
        ("(您|嗯)", "什么也不剩"),
        ("(吗|啊)呢", "可有可无请写在 [ ] 里"),
        ("甲(|乙)", "可有可无请写在 [ ] 里"),
        ("甲~乙~丙~丁~戊", "多于 3 个"),
        ("甲~99乙", f"1 到 {MAX_GAP} 个字"),
        ("#", "没有任何固定的字"),
        ("甲~30#~30#~30#乙", "太多太宽"),
        ("甲#点#点#点#点#点#乙", "太多太宽"),
        ("(" * 5000, "套一层太深"),
    ],
)
def test_malformed(template: str, message: str) -> None:
    with pytest.raises(PatternError, match=r".*") as caught:
        compile_pattern(template)
    assert message in str(caught.value)


def test_allowed_distances() -> None:
    assert [allowed_distance(n) for n in (2, 3, 4, 6, 7, 8, 12)] == [0, 0, 1, 1.5, 1.5, 2, 3]


_words = st.text(alphabet="您好请问取消退订营业厅每月元", min_size=1, max_size=4)
_parts = st.one_of(
    _words.map(lambda text: (text, text)),
    st.tuples(_words, _words).map(lambda pair: (f"({pair[0]}|{pair[1]})", pair[1])),
    st.tuples(_words, _words).map(lambda pair: (f"{pair[0]}[{pair[1]}]", pair[0])),
    st.tuples(_words, _words).map(lambda pair: (f"{pair[0]}~3{pair[1]}", f"{pair[0]}天天{pair[1]}")),
)


@given(st.lists(_parts, min_size=1, max_size=3), st.text(alphabet="天地人和", max_size=6))
def test_whatever_a_template_means_is_found_and_anchored(parts: list[tuple[str, str]], around: str) -> None:
    template = "".join(part for part, _ in parts)
    said = around + "".join(meaning for _, meaning in parts) + around
    pattern = compile_pattern(template)
    sounds = phonetics().sound(said)
    matches = pattern.find(said, sounds, by_sound=True)
    assert matches
    assert any(anchor in sounds for anchor in pattern.anchors)
    assert all(said[m.start : m.end] and 0 <= m.start < m.end <= len(said) for m in matches)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="()[|]~#甲乙丙丁0123456789", max_size=40))
def test_any_template_is_refused_or_runs_in_linear_time(template: str) -> None:
    try:
        pattern = compile_pattern(template)
    except PatternError:
        return
    text = "甲乙丙丁一二" * 1500
    started = time.perf_counter()
    pattern.find(text, phonetics().sound(text), by_sound=True)
    assert time.perf_counter() - started < 5  # 10,000 characters; a blow-up would take minutes


@pytest.mark.parametrize(
    "template", ["一~30一~30一~30二", "#########元", "二#~20#", "一#点#点#点#二", "[一][一][一][一][一][一][一][一]二"]
)
def test_the_worst_templates_against_the_worst_text(template: str) -> None:
    text = "二元" + "一" * 300
    pattern = compile_pattern(template)
    started = time.perf_counter()
    pattern.find(text, phonetics().sound(text), by_sound=True)
    assert time.perf_counter() - started < 5


def test_a_row_of_numbers_is_one_number_of_at_least_as_many_characters() -> None:
    pattern = compile_pattern("卡号~2####")
    for said, found in (
        ("卡号是六二二二", "卡号是六二二二"),
        ("卡号是六二二", ""),
        ("卡号六二二二零二一一", "卡号六二二二零二一一"),
    ):
        matches = pattern.find(said, phonetics().sound(said), by_sound=True)
        assert "".join(said[m.start : m.end] for m in matches) == found


@given(st.integers(0, 5), st.text(alphabet="甲乙丙丁", max_size=20))
def test_offset_shifts_matches(offset: int, text: str) -> None:
    pattern = compile_pattern("甲乙")
    sounds = phonetics().sound(text)
    plain = pattern.find(text, sounds, by_sound=False)
    shifted = pattern.find(text, sounds, by_sound=False, offset=offset)
    assert [(m.start + offset, m.end + offset) for m in plain] == [(m.start, m.end) for m in shifted]
