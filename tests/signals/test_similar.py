"""Sentences near a sample by their words."""

from __future__ import annotations

import pytest

from qa_pipeline.model import Strength
from qa_pipeline.signals.base import Where
from qa_pipeline.signals.similar import SimilarSpec
from tests.signals.support import call, context, turn

SPEC = SimilarSpec(label="录音提示", samples=("本次通话将会录音",), at_least=0.6)


def test_other_words_order_and_clauses_are_the_same_sentence() -> None:
    hits = context(call("坐：您好，跟您说一下，录音，本次，通话，谢谢"), s=SPEC).hits("s")
    assert [(hit.quote, hit.heard_as, hit.strength, hit.note) for hit in hits] == [
        ("录音，本次，通话", "本次通话将会录音", Strength.FUZZY, "与样句重合 75%")
    ]
    assert hits[0].distance == 0.25


def test_exactly_the_share_asked_for_counts_and_less_does_not() -> None:
    said = call("坐：本次，通话，录音")  # three of four words
    assert len(context(said, s=SimilarSpec(label="录", samples=SPEC.samples, at_least=0.75)).hits("s")) == 1
    assert context(said, s=SimilarSpec(label="录", samples=SPEC.samples, at_least=0.76)).hits("s") == ()


def test_one_hit_a_passage_of_the_right_role() -> None:
    said = call("客：本次通话将会录音", "坐：本次通话将会录音，本次通话将会录音", "客：什么？", "坐：本次通话将会录音")
    assert [hit.position.turn for hit in context(said, s=SPEC).hits("s")] == [1, 3]
    assert [hit.position.turn for hit in context(said, "loose", both_roles=True, s=SPEC).hits("s")] == [0, 1, 3]


def test_in_its_place_and_without_times() -> None:
    spec = SimilarSpec(label="录", samples=SPEC.samples, where=Where(last_turns=1))
    said = call(turn("坐：本次通话将会录音"), turn("客：什么意思"), turn("坐：没有什么别的意思"))
    assert context(said, s=spec).hits("s") == ()
    assert [hit.start_s for hit in context(said, s=SPEC).hits("s")] == [None]


def test_the_nearest_is_told_with_its_distance() -> None:
    ctx = context(call("坐：这次通话很短"), s=SimilarSpec(label="录", samples=("通话可能录音",), at_least=0.9))
    near = ctx.signal("s").nearest(ctx)
    assert ctx.hits("s") == ()
    assert near is not None and (near.quote, near.note) == ("这次通话很短", "与样句重合 33%")


@pytest.mark.parametrize(
    ("samples", "at_least", "message"),
    [
        ((), 0.6, "至少六个字"),
        (("太短了嗯嗯嗯",), 0.6, "至少六个字"),
        (("本次通话将会录音",), 0.2, "0.3 到 1"),
        (("本次通话将会录音",), 1.1, "0.3 到 1"),
    ],
)
def test_refuses_what_cannot_work(samples: tuple[str, ...], at_least: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SimilarSpec(label="坏", samples=samples, at_least=at_least)
