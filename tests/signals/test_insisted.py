"""Going on after so many refusals."""

from __future__ import annotations

import pytest

from qa_pipeline.signals.insist import InsistedSpec
from qa_pipeline.signals.phrase import PhraseSpec
from tests.signals.support import call, context

PUSH = PhraseSpec(label="推销", phrases=("优惠",))
NO = PhraseSpec(label="拒绝", who="customer", phrases=("不要", "不用"))
BUT = PhraseSpec(label="改主意", who="customer", phrases=("多少钱",))


def insisted(*lines: str, times: int = 3) -> list[tuple[int, str]]:
    spec = InsistedSpec(label="仍推销", of="push", against="no", taken_back="but", times=times)
    return [(hit.position.turn, hit.note) for hit in context(call(*lines), s=spec, push=PUSH, no=NO, but=BUT).hits("s")]


REFUSED = ("客：不要", "坐：优惠呢", "客：不用", "坐：优惠呢", "客：不要")


def test_all_refusals_and_the_first_push_after_them() -> None:
    assert insisted(*REFUSED, "坐：好的，有优惠", "坐：优惠") == [
        (0, "第 1 次拒绝，到第 3 次以后坐席仍说“优惠”"),
        (2, "第 2 次拒绝"),
        (4, "第 3 次拒绝"),
        (5, "仍推销"),  # what the rule calls it: refusing an offer, a pitch or an opening
    ]


def test_two_are_not_three_and_a_push_before_the_third_is_none_after_it() -> None:
    assert insisted(*REFUSED[:4]) == []
    assert insisted(*REFUSED) == []
    assert insisted(*REFUSED, "坐：好的，再见", "客：优惠") == []
    assert [turn for turn, _ in insisted("客：不要", "坐：优惠", times=1)] == [0, 1]


def test_refusing_twice_in_one_turn_is_once() -> None:
    assert insisted("客：不要不要，不用了", "坐：优惠") == []
    assert insisted("客：不要，不要，不要", "坐：嗯那个", "客：不用", "坐：优惠") == []


def test_who_comes_back_begins_anew() -> None:
    assert insisted(*REFUSED[:4], "客：多少钱", "坐：优惠", "客：不要", "坐：优惠") == []
    assert [turn for turn, _ in insisted("客：多少钱", *REFUSED, "坐：优惠")] == [1, 3, 5, 6]
    assert insisted(*REFUSED, "客：多少钱", "坐：优惠") == []


@pytest.mark.parametrize("times", [0, -1])
def test_a_number_that_means_nothing_is_refused(times: int) -> None:
    with pytest.raises(ValueError, match="times 至少为 1"):
        InsistedSpec(label="坏", of="push", against="no", times=times)
