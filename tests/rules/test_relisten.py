"""Second listening: only what is suspected is heard again, and only in the agent's favour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_pipeline.audit import audit
from qa_pipeline.model import Conversation, EvidenceKind, Outcome, RoleSource, Turn, Word
from qa_pipeline.relisten import MAX_HOTWORDS, MAX_SPAN_S, Request, _spans, second_listening
from qa_pipeline.rules.book import RuleBook
from tests.rules.support import book, phrase, rule, told
from tests.signals.support import call, turn

THANKS = rule(
    "M01", signals={"thanks": phrase("感谢您的接听", label="感谢")}, judge={"must": ["thanks"]}, hotwords=["感谢", "接听"]
)
BOTH = rule(
    "M02",
    signals={"thanks": phrase("感谢您的接听", label="感谢"), "bye": phrase("祝您生活愉快", label="祝愿")},
    judge={"must": ["thanks", "bye"]},
    hotwords=["生活愉快"],
)
RUDE = rule("N01", signals={"said": phrase("你懂不懂", label="忌语")})


@dataclass
class FakeListener:
    """Hears what it is told to hear from each second on; keeps what it was asked."""

    heard: Mapping[float, tuple[str, ...]] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    def hear(self, requests: tuple[Request, ...]) -> tuple[tuple[str, ...], ...]:
        self.asked += requests
        return tuple(self.heard.get(request.span.start_s, ()) for request in requests)


class Deaf:
    def hear(self, requests: tuple[Request, ...]) -> tuple[tuple[str, ...], ...]:
        raise AssertionError("nothing was suspected")


def again(made: RuleBook, conversation: Conversation, listener: FakeListener) -> tuple[Outcome, ...]:
    return second_listening(made, conversation, audit(made, conversation), listener)


def readings(outcome: Outcome) -> list[tuple[int | None, str, str]]:
    return [(item.turn, item.quote, item.note) for item in outcome.evidence if item.kind is EvidenceKind.READING]


BYE = (turn("客：不要", 0.0, 1.0), turn("坐：敢写林的杰听", 2.0, 4.0, channel=1), turn("坐：再见", 8.0, 9.0, channel=1))


@pytest.fixture
def thanks(tmp_path: Path) -> RuleBook:
    return book(tmp_path, THANKS)


def omitted(*turns: Turn) -> Conversation:
    """A call without thanks whose second turn is so garbled that no tolerance finds them."""
    return call(*(turns or (BYE[0], turn("坐：好得那先这样", 2.0, 4.0, channel=1), BYE[2])))


def test_nothing_is_heard_when_nothing_is_suspected(tmp_path: Path) -> None:
    made = book(
        tmp_path,
        THANKS,
        RUDE,
        rule("N02", signals={"fast": {"kind": "pace", "label": "快", "over": 320}}, judge={"must_not": ["fast"]}),
    )
    for said in (
        call("坐：感谢您的接听"),
        call(turn("坐：感谢您的接听，你懂不懂", 0.0, 4.0)),  # its own characters, and nobody says how sure
        call(turn("坐：感谢您的接听，你懂不懂", 0.0, 4.0, confidence=0.85)),
        call(turn("坐：感谢您的接听" + "说" * 40, 0.0, 4.0)),  # measured, not recognised
        call("客：喂"),
        omitted(turn("坐：再见")),  # no times: nowhere to listen
    ):
        outcomes = audit(made, said)
        assert second_listening(made, said, outcomes, Deaf()) is outcomes


def test_an_omission_is_cleared_by_what_the_second_reading_holds(thanks: RuleBook) -> None:
    said = omitted()
    assert told(audit(thanks, said)) == [("M01", "违规", "没有听到：感谢")]
    (outcome,) = again(thanks, said, FakeListener({1.6: ("好的那先这样", "好的感谢您的接听")}))
    assert told((outcome,)) == [("M01", "合规", "都听到了：感谢（复听时听到，以复听为准）")]
    assert readings(outcome) == [
        (1, "好的那先这样", "第一次听作“好得那先这样”；另有 1 种听法"),
        (2, "", "第一次听作“再见”；复听什么也没有听到"),
    ]


def test_an_omission_stays_when_neither_reading_holds_it(thanks: RuleBook) -> None:
    listener = FakeListener({1.6: ("好的那先这样",), 7.6: ("再见",)})
    (outcome,) = again(thanks, omitted(), listener)
    assert told((outcome,)) == [("M01", "违规", "没有听到：感谢（复听后仍没有听到）")]
    assert outcome.missing == ("感谢",)
    assert [item.kind for item in outcome.evidence if item.kind is not EvidenceKind.NEAREST] == [
        EvidenceKind.SEARCHED,
        EvidenceKind.READING,
        EvidenceKind.READING,
    ]


def test_what_the_first_listening_had_still_counts(tmp_path: Path) -> None:
    made = book(tmp_path, BOTH)
    said = call(turn("坐：感谢您的接听", 2.0, 4.0), turn("坐：那先这样", 8.0, 9.0))
    (outcome,) = again(made, said, FakeListener({1.6: ("赶紧",), 7.6: ("祝您生活愉快",)}))
    assert told((outcome,)) == [("M02", "合规", "都听到了：感谢、祝愿（复听时听到，以复听为准）")]
    (less,) = again(made, omitted(), FakeListener({7.6: ("祝您生活愉快",)}))
    assert told((less,)) == [("M02", "违规", "没有听到：感谢（复听后仍没有听到）")]
    assert less.missing == ("感谢",)


def test_only_the_searched_turns_of_the_searched_speaker_are_heard_with_a_margin(tmp_path: Path) -> None:
    opening = {**THANKS, "signals": {"thanks": phrase("感谢您的接听", label="感谢", where={"first_turns": 1})}}
    listener = FakeListener()
    said = omitted(BYE[0], turn("坐：好得那先这样", 2.0, 4.0, channel=1), turn("坐：那么就再见了", 8.0, 9.0, channel=1))
    again(book(tmp_path, opening), said, listener)
    (request,) = listener.asked
    assert (request.span.channel, request.span.start_s, request.span.end_s, request.hotwords) == (1, 1.6, 4.4, ("感谢", "接听"))


def test_with_guessed_roles_everybody_is_heard_again(thanks: RuleBook) -> None:
    said = omitted()
    guessed = replace(said, turns=tuple(replace(item, role_source=RoleSource.CUES, role_confidence=0.9) for item in said.turns))
    listener = FakeListener({0.0: ("感谢您的接听",)})
    (outcome,) = again(thanks, guessed, listener)
    assert [request.span.start_s for request in listener.asked] == [0.0, 1.6, 7.6]
    assert outcome.verdict.value == "合规"


def test_a_turn_that_several_rules_suspect_is_heard_once_with_the_words_of_both(tmp_path: Path) -> None:
    listener = FakeListener()
    outcomes = again(book(tmp_path, THANKS, BOTH, RUDE), call(turn("坐：好得那先这样，你董不懂", 2.0, 4.0)), listener)
    assert [(request.span.start_s, request.hotwords) for request in listener.asked] == [(1.6, ("感谢", "接听", "生活愉快"))]
    assert len(outcomes) == 3


def test_hot_words_are_bounded_and_never_those_of_a_forbidden_word(tmp_path: Path) -> None:
    many = {**THANKS, "hotwords": [f"好词{n}" for n in "一二三四五六七八九十" * 4][:40]}
    listener = FakeListener()
    again(book(tmp_path, {**many, "hotwords": [f"词{chr(0x4E00 + n)}" for n in range(40)]}), omitted(), listener)
    assert {len(request.hotwords) for request in listener.asked} == {MAX_HOTWORDS}
    unsure = FakeListener()
    again(book(tmp_path / "n", RUDE), call(turn("坐：你董不懂", 2.0, 4.0)), unsure)
    assert [request.hotwords for request in unsure.asked] == [()]


def test_an_unsure_commission_stands_when_any_second_reading_has_it(tmp_path: Path) -> None:
    made = book(tmp_path, RUDE)
    said = call(turn("坐：你董不懂", 2.0, 4.0))
    (outcome,) = again(made, said, FakeListener({1.6: ("您懂不懂", "你懂不懂")}))
    assert told((outcome,)) == [("N01", "违规", "忌语：“你董不懂”（复听也听到）")]
    assert readings(outcome) == [(0, "您懂不懂", "第一次听作“你董不懂”；另有 1 种听法")]


@pytest.mark.parametrize("second", [("你看行吗",), ("",), ()])
def test_an_unsure_commission_that_is_not_heard_again_proves_nothing(tmp_path: Path, second: tuple[str, ...]) -> None:
    (outcome,) = again(book(tmp_path, RUDE), call(turn("坐：你董不懂", 2.0, 4.0)), FakeListener({1.6: second}))
    assert told((outcome,)) == [("N01", "无法判定", "忌语：“你董不懂”（复听没有听到，两次听写不一致，不予认定）")]
    assert (outcome.review, outcome.confidence) == (False, None)
    assert len(readings(outcome)) == 1


def test_little_confidence_is_unsure_too(tmp_path: Path) -> None:
    listener = FakeListener({1.6: ("你懂不懂",)})
    (outcome,) = again(book(tmp_path, RUDE), call(turn("坐：你懂不懂", 2.0, 4.0, confidence=0.84)), listener)
    assert (len(listener.asked), outcome.verdict.value) == (1, "违规")


def test_of_several_commissions_each_is_decided_for_itself(tmp_path: Path) -> None:
    said = call(
        turn("坐：你董不懂", 2.0, 4.0), turn("客：什么", 5.0, 6.0), turn("坐：你懂不懂", 8.0, 9.0), turn("坐：你董不懂", 12.0, 13.0)
    )
    outcomes = again(book(tmp_path, RUDE), said, FakeListener({11.6: ("你懂不懂",)}))
    assert told(outcomes) == [("N01", "违规", "忌语：“你懂不懂”"), ("N01", "违规", "忌语：“你董不懂”（复听也听到）")]
    assert [item.ordinal for item in outcomes] == [0, 1]


def test_one_sure_hit_carries_a_finding_of_several(tmp_path: Path) -> None:
    made = book(tmp_path, {**RUDE, "judge": {"must_not": ["said"], "findings": "one"}})
    said = call(turn("坐：你董不懂", 2.0, 4.0), turn("客：什么", 5.0, 6.0), turn("坐：你懂不懂", 8.0, 9.0))
    (outcome,) = again(made, said, FakeListener({1.6: ("你看",)}))
    assert outcome.verdict.value == "违规"


def test_a_count_that_falls_to_its_limit_is_no_violation(tmp_path: Path) -> None:
    made = book(tmp_path, {**RUDE, "judge": {"at_most": {"signal": "said", "times": 1}}})
    said = call(turn("坐：你董不懂", 2.0, 4.0), turn("客：什么", 5.0, 6.0), turn("坐：你懂不懂", 8.0, 9.0))
    (outcome,) = again(made, said, FakeListener({1.6: ("你看",)}))
    assert outcome.verdict.value == "无法判定"
    (confirmed,) = again(made, said, FakeListener({1.6: ("你懂不懂",)}))
    assert confirmed.verdict.value == "违规"


def test_other_rules_and_their_order_are_untouched(tmp_path: Path) -> None:
    made = book(tmp_path, THANKS, RUDE, rule("Z01"))
    said = call(turn("坐：坏话，好得那先这样", 2.0, 4.0))
    before = audit(made, said)
    after = again(made, said, FakeListener())
    assert [item.clause for item in after] == ["M01", "N01", "Z01"]
    assert after[1:] == before[1:]
    assert again(made, said, FakeListener()) == after


def timed(count: int, word_s: float, gap: Callable[[int], float]) -> Turn:
    clock, made = 0.0, []
    for index in range(count):
        made.append(Word(start=index, end=index + 1, start_s=clock, end_s=clock + word_s, confidence=0.9))
        clock += word_s + gap(index)
    return replace(turn("坐：" + "说" * count, 0.0, made[-1].end_s), words=tuple(made))


@given(st.integers(1, 400), st.sampled_from([0.1, 0.25, 0.9]), st.sampled_from([0.0, 0.05, 0.3]), st.booleans())
def test_a_long_turn_is_heard_in_pieces_of_one_window_that_leave_nothing_out(
    count: int, word_s: float, gap_s: float, words: bool
) -> None:
    item = timed(count, word_s, lambda _: gap_s)
    item = item if words else replace(item, words=())
    spans = _spans(item)
    assert all(span.end_s - span.start_s <= MAX_SPAN_S + 0.001 for span in spans)
    assert spans[0].start_s == 0.0 and spans[-1].end_s >= (item.end_s or 0.0)
    assert all(abs(later.start_s - earlier.end_s) < 0.002 for earlier, later in pairwise(spans))
    assert len(spans) <= (item.end_s or 0.0) / 13 + 1


def test_pieces_end_between_words() -> None:
    spans = _spans(timed(60, 0.9, lambda index: 0.1))
    assert spans[0].end_s % 1 == pytest.approx(0.95)


def test_the_pieces_of_a_long_turn_are_read_together(thanks: RuleBook) -> None:
    long = replace(timed(60, 0.9, lambda index: 0.1), raw="说" * 60)
    listener = FakeListener()
    again(thanks, call(long), listener)
    second = listener.asked[1].span.start_s
    (outcome,) = again(thanks, call(long), FakeListener({0.0: ("感谢您的", "干些"), second: ("接听",)}))
    assert outcome.verdict.value == "合规"
    assert readings(outcome)[0][1] == "感谢您的，接听"


@pytest.mark.parametrize(
    ("reading", "clears"),
    [("感谢您的接听", True), ("感谢 接听", False), ("感谢 接听 嗯", False), ("那个感谢 您的接听 再见", True)],
)
def test_an_echo_of_the_hot_words_is_no_reading(thanks: RuleBook, reading: str, clears: bool) -> None:
    (outcome,) = again(thanks, omitted(), FakeListener({1.6: (reading,)}))
    assert outcome.verdict.value == ("合规" if clears else "违规")


def test_more_than_a_mouth_can_say_is_no_reading(thanks: RuleBook) -> None:
    short = omitted(BYE[0], turn("坐：好", 2.0, 2.1, channel=1), BYE[2])
    (outcome,) = again(thanks, short, FakeListener({1.6: ("嗯感谢您的接听啊",)}))
    assert outcome.verdict.value == "违规"
