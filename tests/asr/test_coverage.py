"""Voiced time without words is found, whatever hides it."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from qa_pipeline.asr.coverage import CoverageRules, Said, merged, uncovered

RULES = CoverageRules(reach=25, longest=70, least=70)


def said(*words: tuple[int, int]) -> list[Said]:
    return [Said(start=start, end=end, chars=1) for start, end in words]


def test_speech_with_words_all_along_is_covered() -> None:
    assert uncovered([(0, 300)], said((10, 60), (60, 120), (150, 200), (230, 290)), RULES) == []


def test_speech_without_any_word_is_uncovered_as_a_whole() -> None:
    assert uncovered([(0, 300), (500, 900)], said((10, 60), (60, 120), (150, 200), (230, 290)), RULES) == [(500, 900)]


def test_a_hole_in_the_middle_and_a_lost_end_are_found() -> None:
    assert uncovered([(0, 1000)], said((0, 50), (300, 350), (700, 750)), RULES) == [(75, 275), (375, 675), (775, 1000)]


def test_short_rests_are_breath() -> None:
    assert uncovered([(0, 164)], said((0, 70)), RULES) == []
    assert uncovered([(0, 165)], said((0, 70)), RULES) == [(95, 165)]


def test_a_word_stretched_over_lost_speech_covers_its_ends_only() -> None:
    assert uncovered([(0, 900)], said((0, 800)), RULES) == [(35, 765), (825, 900)]


def test_words_over_silence_cover_nothing() -> None:
    assert uncovered([(1000, 1200)], said((0, 50), (2000, 2050)), RULES) == [(1000, 1200)]


def test_silence_and_no_words_make_nothing() -> None:
    assert uncovered([], said((0, 50)), RULES) == []
    assert uncovered([], [], RULES) == []


INTERVALS = st.lists(
    st.tuples(st.integers(0, 500), st.integers(1, 200)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=12
)


@given(INTERVALS, INTERVALS)
def test_what_is_uncovered_is_voiced_long_enough_and_far_from_words(
    voiced: list[tuple[int, int]], words: list[tuple[int, int]]
) -> None:
    spans = merged(voiced)
    for start, end in uncovered(spans, said(*words), RULES):
        assert end - start >= RULES.least
        assert any(first <= start and end <= last for first, last in spans)
        for word_start, word_end in words:
            assert not (start < word_start < end or start < word_end < end)


@given(INTERVALS)
def test_merged_intervals_hold_the_same_points_and_are_apart(intervals: list[tuple[int, int]]) -> None:
    result = merged(intervals)
    points = {point for start, end in intervals for point in range(start, end)}
    assert {point for start, end in result for point in range(start, end)} == points
    assert all(one[1] < other[0] for one, other in pairwise(result))
