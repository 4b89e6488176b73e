"""What holds for every kind of signal: nothing is found in nothing, nobody's role is guessed, and nothing needs times to run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qa_pipeline.model import Conversation, Role
from qa_pipeline.rules.base import SignalSpec
from qa_pipeline.rules.schema import signal_kinds
from qa_pipeline.signals.act import ActSpec
from qa_pipeline.signals.amounts import DateSpec, MoneySpec
from qa_pipeline.signals.base import Context, Where
from qa_pipeline.signals.call_facts import ConfirmationsSpec, DataSpec, SegmentSpec
from qa_pipeline.signals.combine import AnyOfSpec, RepliedSpec, TogetherSpec, WithoutSpec
from qa_pipeline.signals.entity import EntitySpec
from qa_pipeline.signals.insist import InsistedSpec
from qa_pipeline.signals.measured import LoudnessSpec, PaceSpec, PitchSpec, RateSpec
from qa_pipeline.signals.phrase import PhraseSpec
from qa_pipeline.signals.remarks import RemarksSpec
from qa_pipeline.signals.similar import SimilarSpec
from qa_pipeline.signals.timing import OverlapSpec, SilenceSpec
from tests.signals.support import call, context, turn

FOUND = PhraseSpec(label="嗯哼", phrases=("办理",))
OTHER = PhraseSpec(label="嗯哼", phrases=("那个",))
# One of each kind, made to be found in CALL and to find nothing in a call without words.
SPECIMENS: dict[str, SignalSpec] = {
    "phrase": FOUND,
    "similar": SimilarSpec(label="近", samples=("帮您办理那个业务",), at_least=0.5),
    "money": MoneySpec(label="钱"),
    "date": DateSpec(label="日", forms=("day",)),
    "entity": EntitySpec(label="号", what="work_number"),
    "pace": PaceSpec(label="快", over=10, min_chars=2),
    "rate": RateSpec(label="口头禅", words=("那个",), per_100_over=1),
    "loudness": LoudnessSpec(label="响", above_median_db=6),
    "pitch": PitchSpec(label="平", below_st=1, min_chars=2),
    "silence": SilenceSpec(label="静", longer_s=3),
    "overlap": OverlapSpec(label="抢"),
    "data": DataSpec(label="线", field="line", is_=("10088",)),
    "segment": SegmentSpec(label="段", field="caller_number", carriers=("联通",)),
    "too_few_confirmations": ConfirmationsSpec(label="确认"),
    "any_of": AnyOfSpec(label="任一", of=("found", "other")),
    "together": TogetherSpec(label="同时", of=("found", "other")),
    "without": WithoutSpec(label="没有", of="found", but="nothing"),
    "replied": RepliedSpec(label="答", of="found", by="answer"),
    "insisted": InsistedSpec(label="仍说", of="found", against="other", times=1),
    "act": ActSpec(label="资费", acts=("states_fee",), at_least=0.3),
    "remarks": RemarksSpec(label="另外讲了", besides=("found",), at_least_chars=1),
}
ONLY_DATA = {"data", "segment", "too_few_confirmations"}  # need nobody to speak
NEED_TIMES = {"pace", "silence", "overlap"}
HELPERS = {
    "found": FOUND,
    "other": OTHER,
    "nothing": PhraseSpec(label="无", phrases=("从来不说",)),
    "answer": PhraseSpec(label="答", who="any", phrases=("可以",)),
}


class NoOtherCalls:
    known_until = "2026-12-01"

    def calls_about(self, call: object) -> tuple[()]:
        return ()


CALL = call(
    turn("坐：您好，工号八零一二。", 0.0, 2.0, loudness_db=-30.0, pitch_st=0.5),
    turn("客：你说，我在外面听得见，你慢慢讲。", 2.2, 6.0),
    turn("坐：今天帮您办理那个业务，每月五元。", 4.0, 8.0, loudness_db=-30.0, pitch_st=0.5),
    turn("客：可以。", 8.2, 9.0),
    turn("坐：好的，已经帮您办理好了。", 15.0, 17.0, loudness_db=-20.0, pitch_st=3.0),
    line="10088",
    caller_number="13012345678",
)


def ask(kind: str, conversation: Conversation, both_roles: bool = False) -> Context:
    return context(conversation, history=NoOtherCalls(), both_roles=both_roles, it=SPECIMENS[kind], **HELPERS)  # type: ignore[arg-type]


def test_every_kind_of_the_union_has_a_specimen() -> None:
    assert sorted(SPECIMENS) == sorted(signal_kinds())
    assert all(spec.kind == kind for kind, spec in SPECIMENS.items())


@pytest.mark.parametrize("kind", SPECIMENS)
def test_found_in_the_call_that_holds_it(kind: str) -> None:
    ctx = ask(kind, CALL)
    hits = ctx.hits("it")
    assert hits
    assert list(hits) == sorted(hits, key=lambda hit: hit.position)
    assert all(hit.role in (None, Role.AGENT) for hit in hits)


@pytest.mark.parametrize("kind", SPECIMENS)
def test_nothing_in_an_empty_call(kind: str) -> None:
    empty = Conversation(call=CALL.call, turns=())
    ctx = ask(kind, empty)
    assert (len(ctx.hits("it")) > 0) is (kind in ONLY_DATA)
    assert ctx.signal("it").nearest(ctx) is None
    assert ctx.signal("it").scope(ctx).turns == frozenset()


@pytest.mark.parametrize("kind", sorted(set(SPECIMENS) - ONLY_DATA))
def test_nothing_when_the_role_is_missing_or_unknown(kind: str) -> None:
    """Words of the customer or of nobody are never taken for the agent's; a silence belongs to nobody."""
    for role in (Role.CUSTOMER, Role.UNKNOWN):
        nobody = replace(CALL, turns=tuple(replace(item, role=role) for item in CALL.turns))
        assert len(ask(kind, nobody).hits("it")) == (kind == "silence")


@pytest.mark.parametrize("kind", sorted(set(SPECIMENS)))
def test_without_any_times(kind: str) -> None:
    untimed = replace(CALL, turns=tuple(replace(item, start_s=None, end_s=None) for item in CALL.turns))
    hits = ask(kind, untimed).hits("it")
    assert bool(hits) is (kind not in NEED_TIMES)
    assert {(hit.start_s, hit.end_s) for hit in hits} <= {(None, None)}


@pytest.mark.parametrize("kind", SPECIMENS)
def test_asking_twice_changes_nothing(kind: str) -> None:
    ctx = ask(kind, CALL)
    first, excused = ctx.hits("it"), list(ctx.excused)
    ctx.signal("it").nearest(ctx)
    assert (ctx.hits("it"), ctx.excused) == (first, excused)
    assert ask(kind, CALL).hits("it") == first


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"answering": "q", "not_answering": "q"}, "answering 与 not_answering 互相矛盾"),
        ({"first_turns": 1, "last_turns": 1}, "first_turns 与 last_turns 互相矛盾"),
        ({"first_turns": 0}, "first_turns 必须大于 0"),
        ({"last_s": -1.0}, "last_s 必须大于 0"),
        ({"first_share": 0.0}, "first_share 必须大于 0"),
        ({"first_share": 50.0}, "first_share 是 0 到 1 之间的比例"),
    ],
)
def test_a_contradictory_place_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Where(**values)  # type: ignore[arg-type]
