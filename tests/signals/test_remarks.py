"""What is said beyond a given kind of talk."""

from __future__ import annotations

import pytest

from qa_pipeline.model import Strength
from qa_pipeline.signals.phrase import PhraseSpec
from qa_pipeline.signals.remarks import RemarksSpec
from tests.signals.support import call, context

FEE = PhraseSpec(label="资费", phrases=("三块钱一个月",))
GREETING = PhraseSpec(label="问候", phrases=("您好",))


def remarks(*lines: str, **values: int) -> list[tuple[str, str]]:
    spec = RemarksSpec(label="介绍", besides=("fee", "greeting"), **values)
    found = context(call(*lines), s=spec, fee=FEE, greeting=GREETING).hits("s")
    assert all(hit.strength is Strength.MEASURED for hit in found)
    return [(hit.quote, hit.heard_as) for hit in found]


def test_counts_what_is_left_of_each_stretch_of_talk() -> None:
    lines = ("坐：您好，这个三块钱一个月。", "客：关机的时候谁打过电话都能收到？", "坐：对，您好，关机时谁找过您，开机就告诉您。")
    assert remarks(*lines, at_least_chars=14, margin_chars=0) == [("对，您好，关机时谁找过您，开机就告诉您", "另外讲了 14 个字")]
    assert remarks(*lines, at_least_chars=15, margin_chars=0) == []


def test_known_talk_takes_its_neighbours_along() -> None:
    assert remarks("坐：您好甲乙丙三块钱一个月丁", at_least_chars=1, margin_chars=1) == [("乙", "另外讲了 1 个字")]
    assert remarks("坐：您好甲乙丙三块钱一个月丁", at_least_chars=1, margin_chars=2) == []


def test_limits_that_make_no_sense_are_refused() -> None:
    for values in ({"at_least_chars": 0}, {"at_least_chars": 1, "margin_chars": -1}):
        with pytest.raises(ValueError, match="besides 至少写一个信号"):
            RemarksSpec(label="介绍", besides=("fee",), **values)
    with pytest.raises(ValueError, match="besides 至少写一个信号"):
        RemarksSpec(label="介绍", besides=(), at_least_chars=1)
