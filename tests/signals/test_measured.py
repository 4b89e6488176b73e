"""Pace, filler rate, loudness, pitch: exactly at the limit is allowed, and doubt about times or words favours the speaker."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qa_pipeline.model import Conversation, Role, VoicedSpan
from qa_pipeline.signals.base import Where
from qa_pipeline.signals.measured import LoudnessSpec, PaceSpec, PitchSpec, RateSpec
from tests.signals.support import call, context, turn, words

PACE = PaceSpec(label="快", over=320)


def spoken(count: int, seconds: float, start: float = 0.0, who: str = "坐", **values: object) -> Conversation:
    return call(turn(f"{who}：" + "说" * count, start, start + seconds), **values)  # type: ignore[arg-type]


def paces(conversation: Conversation, spec: PaceSpec = PACE) -> list[float | None]:
    return [hit.value for hit in context(conversation, s=spec).hits("s")]


@pytest.mark.parametrize("start", [0.0, 0.1, 0.3, 1.1, 7.7, 100.07, 3599.9])
def test_exactly_320_characters_a_minute_is_not_too_fast(start: float) -> None:
    assert paces(spoken(32, 6.0, start)) == []
    assert paces(spoken(33, 6.0, start)) == [330]


def test_the_finding_says_what_was_measured() -> None:
    hit = context(spoken(40, 6.0), s=PACE).hits("s")[0]
    assert (hit.note, hit.value, hit.start_s, hit.end_s, hit.quote) == (
        "每分钟 400 字（40 字，说话 6.0 秒）",
        400,
        0.0,
        6.0,
        "说" * 40,
    )


def test_turns_under_twenty_characters_are_not_looked_at() -> None:
    assert paces(spoken(19, 1.0)) == []
    assert paces(spoken(20, 1.0)) == [1200]


def test_punctuation_and_spaces_take_no_time_digits_do() -> None:
    assert paces(call(turn("坐：" + "说，" * 20 + "。 ！", 0.0, 3.8))) == []  # 20 characters in 3.8 s: 316
    assert paces(call(turn("坐：" + "说" * 15 + "10086", 0.0, 3.0))) == [400]


def test_recognised_speech_has_the_benefit_of_miscounted_characters() -> None:
    """Seven characters in a hundred may be the recogniser's: 342 is still allowed, 343 is not."""
    assert paces(spoken(342, 60.0, channels=1)) == []
    assert paces(spoken(343, 60.0, channels=1)) == [343]


@pytest.mark.parametrize(("pause", "found"), [(0.49, []), (0.5, [400]), (0.6, [400])])
def test_pauses_of_half_a_second_are_left_out_shorter_ones_are_speech(pause: float, found: list[float]) -> None:
    """Forty characters in six seconds and nine pauses between words."""
    gaps = dict.fromkeys(range(3, 39, 4), pause)
    text = "说" * 40
    timed = replace(turn(f"坐：{text}", 0.0, 6 + 9 * pause), words=words(text, 0.0, 0.15, gaps))
    assert paces(call(timed)) == found


def test_without_words_the_audio_tells_the_pauses_and_where_they_differ_the_longer_speech_counts() -> None:
    text = "说" * 40
    voiced = (VoicedSpan(role=Role.AGENT, start_s=0.0, end_s=3.0), VoicedSpan(role=Role.AGENT, start_s=7.0, end_s=10.0))
    assert paces(call(turn(f"坐：{text}", 0.0, 10.0), voiced=voiced)) == [400]
    assert paces(call(turn(f"坐：{text}", 0.0, 10.0))) == []
    slow = replace(turn(f"坐：{text}", 0.0, 10.0), words=words(text, 0.0, 0.2))
    assert paces(call(slow, voiced=voiced)) == []
    customer = tuple(replace(span, role=Role.CUSTOMER) for span in voiced)
    assert paces(call(turn(f"坐：{text}", 0.0, 10.0), voiced=customer)) == []  # no speech of his own measured: the turn's length


def test_no_times_no_length_other_speaker() -> None:
    assert paces(call(turn("坐：" + "说" * 40))) == []
    assert paces(call(turn("坐：" + "说" * 40, 5.0, 5.0))) == []
    assert paces(spoken(40, 3.0, who="客")) == []
    assert paces(spoken(40, 3.0, who="？")) == []


def rate(text: str, per_100: float, *fillers: str, who: str = "坐") -> list[tuple[float | None, str]]:
    spec = RateSpec(label="口头禅", words=fillers, per_100_over=per_100)
    return [(hit.value, hit.note) for hit in context(call(f"{who}：{text}"), s=spec).hits("s")]


@pytest.mark.parametrize("times", [1, 3, 6, 7, 14, 19, 28, 29])
def test_exactly_the_allowed_rate_is_allowed(times: int) -> None:
    text = "呃，" * times + "说" * (100 - times)
    assert rate(text, times, "呃") == []
    assert rate("呃" + text, times, "呃") == [
        (round((times + 1) / 1.01, 1), f"101 字里 {times + 1} 次，每百字 {round((times + 1) / 1.01, 1)} 次")
    ]


def test_the_longest_filler_counts_once_and_traditional_ones_are_the_same() -> None:
    assert rate("就是说我们", 20, "就是", "就是说") == []
    assert rate("就是说我们", 19, "就是", "就是说") == [(20.0, "5 字里 1 次，每百字 20.0 次")]
    assert rate("這個這個我說", 1, "這個") == [(33.3, "6 字里 2 次，每百字 33.3 次")]


def test_the_turn_with_most_fillers_is_quoted_and_nobody_elses_count() -> None:
    said = call("坐：那个您好", "客：那个那个那个", "坐：那个那个业务")
    hits = context(said, s=RateSpec(label="口头禅", words=("那个",), per_100_over=5)).hits("s")
    assert [(hit.quote, hit.note) for hit in hits] == [("那个那个业务", "10 字里 3 次，每百字 30.0 次")]


@pytest.mark.parametrize("fillers", [(), ("",), ("那个", "。")])
def test_a_rate_of_nothing_is_refused(fillers: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="words 至少写一个字词"):
        RateSpec(label="空", words=fillers, per_100_over=1)


def loud(*levels: float | None, spec: LoudnessSpec | None = None) -> list[tuple[int, str]]:
    turns = [turn("坐：我说了一句话", loudness_db=level) for level in levels]
    hits = context(call(*turns, turn("客：我吼", loudness_db=0.0)), s=spec or LoudnessSpec(label="响", above_median_db=6)).hits("s")
    return [(hit.position.turn, hit.note) for hit in hits]


def test_exactly_six_decibels_above_the_speakers_own_median_is_loud() -> None:
    assert loud(-30.0, -30.0, -24.0) == [(2, "比本人平时响 6.0 分贝")]
    assert loud(-30.0, -30.0, -24.1) == []
    assert loud(-30.2, -30.2, -24.2) == [(2, "比本人平时响 6.0 分贝")]
    assert loud(-30.0, -25.0, -20.0, -19.0) == []  # always loud is his voice


def test_too_few_measured_turns_have_no_median() -> None:
    assert loud(-30.0, -10.0) == []
    assert loud(-30.0, None, -10.0, None) == []
    assert loud(None, None, None) == []


def test_the_median_is_of_the_whole_call_wherever_one_looks() -> None:
    spec = LoudnessSpec(label="响", above_median_db=6, where=Where(last_turns=1))
    assert loud(-30.0, -30.0, -30.0, -20.0, spec=spec) == [(3, "比本人平时响 10.0 分贝")]


def test_flat_pitch() -> None:
    said = call(
        turn("坐：您好这里是客服中心", pitch_st=1.29),
        turn("坐：您好这里是客服中心", pitch_st=1.3),
        turn("坐：您好，这里是客服吧", pitch_st=0.5),  # eight characters
        turn("坐：您好这里是客服中心", pitch_st=None),
        turn("坐：好的好的", pitch_st=0.1),
        turn("客：您好这里是客服中心", pitch_st=0.1),
    )
    hits = context(said, s=PitchSpec(label="平", below_st=1.3)).hits("s")
    assert [(hit.position.turn, hit.note, hit.value) for hit in hits] == [
        (0, "音高起伏 1.3 个半音", 1.29),
        (2, "音高起伏 0.5 个半音", 0.5),
    ]
