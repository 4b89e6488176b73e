"""Silences and interruptions: exactly at the limit, with gaps in the measurement, and by whose cause."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_pipeline.model import Conversation, Role, VoicedSpan
from qa_pipeline.signals.phrase import PhraseSpec
from qa_pipeline.signals.timing import OverlapSpec, SilenceSpec
from tests.signals.support import call, context, turn

HUNDREDTHS = st.integers(0, 400_000).map(lambda n: n / 100)
A, C = Role.AGENT, Role.CUSTOMER


def silent(seconds: float, start: float = 0.0, before: str = "客：那怎么办", after: str = "坐：您看这样行吗") -> Conversation:
    return call(turn(before, start, start + 2.0), turn(after, round(start + 2.0 + seconds, 2), round(start + 4.0 + seconds, 2)))


def silences(conversation: Conversation, spec: SilenceSpec, **others: PhraseSpec) -> list[str]:
    return [hit.note for hit in context(conversation, s=spec, **others).hits("s")]


@given(HUNDREDTHS, st.sampled_from([4, 5, 8, 20, 60]))
def test_a_silence_exactly_as_long_as_allowed_is_allowed(start: float, longer: int) -> None:
    spec = SilenceSpec(label="静", longer_s=longer)
    assert silences(silent(longer, start), spec) == []
    assert silences(silent(longer + 0.1, start), spec) == [f"静默 {longer + 0.1:.1f} 秒"]


@given(HUNDREDTHS)
def test_shorter_than(start: float) -> None:
    spec = SilenceSpec(label="静", longer_s=8, shorter_s=20)
    assert silences(silent(20, start), spec) == ["静默 20.0 秒"]
    assert silences(silent(20.1, start), spec) == []


def test_where_a_silence_lies_and_what_it_measures() -> None:
    hit = context(silent(12.34), s=SilenceSpec(label="静", longer_s=8)).hits("s")[0]
    assert (hit.start_s, hit.end_s, hit.value, hit.role, hit.position.turn, hit.quote) == (2.0, 14.34, 12.3, None, 0, "")


def test_the_audio_decides_not_the_recognised_turns() -> None:
    said = silent(30)
    spec = SilenceSpec(label="静", longer_s=20)
    heard = (VoicedSpan(role=C, start_s=0.0, end_s=2.0), VoicedSpan(role=Role.UNKNOWN, start_s=15.0, end_s=16.0))
    end = VoicedSpan(role=A, start_s=32.0, end_s=34.0)
    assert silences(replace(said, voiced=(*heard, end)), spec) == []  # somebody spoke, unrecognised
    click = VoicedSpan(role=A, start_s=15.0, end_s=15.1)
    assert silences(replace(said, voiced=(heard[0], click, end)), spec) == ["静默 30.0 秒"]
    assert silences(replace(said, voiced=()), spec) == []


def test_speech_under_speech_ends_no_silence() -> None:
    spec = SilenceSpec(label="静", longer_s=5)
    said = call(turn("坐：一二三四五六七八九十", 0.0, 20.0), turn("客：嗯", 2.0, 3.0), turn("坐：好", 24.0, 25.0))
    assert silences(said, spec) == []
    assert silences(call(turn("坐：好", 100.0, 101.0)), spec) == []  # before the first word and after the last nobody waits


def test_who_speaks_first_afterwards() -> None:
    by_agent = SilenceSpec(label="静", longer_s=5, ended_by="agent")
    assert silences(silent(6), by_agent) == ["静默 6.0 秒"]
    assert silences(silent(6, after="客：喂"), by_agent) == []
    assert silences(silent(6, after="？：喂"), by_agent) == []


def test_who_spoke_last_before() -> None:
    spec = SilenceSpec(label="静", longer_s=5, agent_spoke_last=True)
    assert silences(silent(6), spec) == []
    assert silences(silent(6, before="坐：好的"), spec) == ["静默 6.0 秒"]


@pytest.mark.parametrize(
    ("before", "caused"),
    [
        ("客：我的流量还有多少？", True),
        ("坐：好的", True),
        ("坐：您看方便吗？", False),
        ("坐：麻烦您报一下身份证号", False),
        ("坐：请问您是王先生吗", False),
        ("坐：您方便吗，我查一下", True),
        ("坐：我给您看看", True),  # the agent looks
        ("坐：您看看", False),
    ],
)
def test_waiting_for_the_customers_answer_is_not_the_agents_silence(before: str, caused: bool) -> None:
    assert bool(silences(silent(9, before=before), SilenceSpec(label="静", longer_s=8, agent_caused=True))) is caused


def test_after_and_not_after_a_signal() -> None:
    look = PhraseSpec(label="查", phrases=("查一下",))
    spec = SilenceSpec(label="静", longer_s=4, after="look")
    assert silences(silent(5, before="坐：我查一下"), spec, look=look) == ["静默 5.0 秒"]
    assert silences(silent(5, before="坐：好的"), spec, look=look) == []
    nodded = call(turn("坐：我查一下", 0.0, 2.0), turn("客：好", 2.2, 2.5), turn("坐：是这样", 9.0, 10.0))
    assert silences(nodded, spec, look=look) == ["静默 6.5 秒"]
    time = PhraseSpec(label="等", who="any", phrases=("等一下",))
    over = PhraseSpec(label="转", phrases=("转过去~8组",))  # said before the silence, and its last word behind it
    sent = call(turn("坐：我给您转过去", 0.0, 2.0), turn("坐：您好，电视组", 8.0, 10.0))
    assert silences(sent, SilenceSpec(label="静", longer_s=4, after="look"), look=over) == ["静默 6.0 秒"]
    wait = SilenceSpec(label="静", longer_s=4, not_after="time")
    assert silences(silent(5, before="客：等一下"), wait, time=time) == []
    assert silences(silent(5, before="客：那怎么办"), wait, time=time) == ["静默 5.0 秒"]


@pytest.mark.parametrize(("more", "told"), [(1, []), (3, []), (4, ["静默 8.0 秒"])])
def test_who_asked_for_a_wait_and_said_another_word_or_two_has_asked_for_it(more: int, told: list[str]) -> None:
    time = PhraseSpec(label="等", who="any", phrases=("等一下",))
    turns = [turn("坐：请您等一下", 0.0, 1.0)]
    turns += [turn("客：嗯" if n % 2 == 0 else "坐：不会的", 1.1 + n, 2.0 + n) for n in range(more)]
    last = turns[-1].end_s or 0.0
    turns.append(turn("坐：好了", last + 8.0, last + 9.0))
    assert silences(call(*turns), SilenceSpec(label="静", longer_s=4, not_after="time"), time=time) == told


def spans(*items: tuple[Role, float, float]) -> tuple[VoicedSpan, ...]:
    return tuple(VoicedSpan(role=role, start_s=start, end_s=end) for role, start, end in items)


def overlaps(*items: tuple[Role, float, float], text: str = "这个要排队的", at: tuple[float, float] | None = None) -> list[str]:
    mine = [(start, end) for role, start, end in items if role is A]
    low, high = at or (mine[0][0], mine[-1][1]) if mine or at else (0.0, 0.0)
    said = call(turn("客：我那个宽带坏了好几天了没有人来", 0.0, 9.0), turn(f"坐：{text}", low, high), voiced=spans(*items))
    return [hit.note for hit in context(said, s=OverlapSpec(label="抢")).hits("s")]


@given(HUNDREDTHS)
def test_exactly_one_second_spoken_and_half_a_second_together_is_an_interruption(start: float) -> None:
    def broke_in(after: float, both: float) -> list[str]:
        begin = round(start + after, 2)
        other = VoicedSpan(role=C, start_s=start, end_s=round(begin + both, 2))
        own = VoicedSpan(role=A, start_s=begin, end_s=round(begin + 3, 2))
        said = call(turn("客：我那个宽带坏了", start, other.end_s), turn("坐：这个要排队的", begin, own.end_s), voiced=(other, own))
        return [hit.note for hit in context(said, s=OverlapSpec(label="抢")).hits("s")]

    assert broke_in(1.0, 0.5) == ["两人同时说话 0.5 秒"]
    assert broke_in(0.99, 0.5) == []
    assert broke_in(1.0, 0.49) == []


def test_what_is_no_interruption() -> None:
    assert overlaps((C, 0.0, 5.0), (A, 3.0, 3.4)) == []  # over before it was one
    assert overlaps((A, 0.0, 5.0), (C, 3.0, 9.0)) == []  # the customer broke in
    assert overlaps((C, 0.0, 5.0), (A, 5.0, 8.0)) == []  # one after the other
    assert overlaps((C, 0.0, 5.0), (Role.UNKNOWN, 3.0, 8.0)) == []
    assert overlaps((C, 0.0, 5.0), (A, 3.0, 6.0), at=(7.0, 9.0)) == []  # voice without words
    assert overlaps() == []


@pytest.mark.parametrize("text", ["嗯", "对对", "好的", "嗯嗯，是的。", "喂", "明白"])
def test_backchannels_never_interrupt(text: str) -> None:
    assert overlaps((C, 0.0, 5.0), (A, 3.0, 5.0), text=text) == []


def test_a_pause_for_breath_does_not_give_up_the_floor() -> None:
    assert overlaps((C, 0.0, 0.8), (C, 1.3, 5.0), (A, 2.0, 4.0)) == ["两人同时说话 2.0 秒"]
    assert overlaps((C, 0.0, 0.8), (C, 1.6, 5.0), (A, 2.0, 4.0)) == []  # spoken for 0.4 s only
    assert overlaps((C, 2.0, 9.0), (A, 0.0, 2.8), (A, 3.2, 6.0)) == []  # the agent goes on after a breath


def test_each_interruption_once_and_by_turns_without_audio() -> None:
    said = call(
        turn("客：我那个宽带上个星期就坏了", 0.0, 4.0),
        turn("坐：先生您听我说", 2.0, 5.0),
        turn("客：我都等了五天了", 6.0, 9.0),
        turn("坐：我知道但是师傅忙", 8.0, 11.0),
    )
    hits = context(said, s=OverlapSpec(label="抢")).hits("s")
    assert [(hit.position.turn, hit.start_s, hit.end_s, hit.quote) for hit in hits] == [
        (1, 2.0, 4.0, "先生您听我说"),
        (3, 8.0, 9.0, "我知道但是师傅忙"),
    ]
