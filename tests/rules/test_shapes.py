"""The five verdict shapes, with their reasons and their evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qa_pipeline.audit import audit
from qa_pipeline.model import Conversation, Evidence, EvidenceKind, Outcome, Verdict
from tests.rules.support import book, phrase, rule, told
from tests.signals.support import call, turn

A, B, C = phrase("甲甲", label="甲"), phrase("乙乙", label="乙"), phrase("丙丙", label="丙")
ABC = {"a": A, "b": B, "c": C}


def judged(folder: Path, judge: dict[str, Any], *lines: Any, signals: dict[str, Any] = ABC) -> tuple[Outcome, ...]:
    used = {name: spec for name, spec in signals.items() if f"'{name}'" in str(judge)}
    return audit(book(folder, rule(signals=used, judge=judge)), lines[0] if isinstance(lines[0], Conversation) else call(*lines))


def shown(evidence: tuple[Evidence, ...]) -> list[tuple[EvidenceKind, str]]:
    return [(item.kind, item.quote) for item in evidence]


def test_must_finds_all_parts(tmp_path: Path) -> None:
    (outcome,) = judged(tmp_path, {"must": ["a", "b"]}, "坐：乙乙，甲甲", "坐：甲甲")
    assert (outcome.verdict, outcome.reason, outcome.missing) == (Verdict.CLEAR, "都听到了：甲、乙", ())
    assert shown(outcome.evidence) == [(EvidenceKind.HIT, "甲甲"), (EvidenceKind.HIT, "乙乙")]


def test_must_names_what_is_missing_where_it_was_searched_and_what_was_heard(tmp_path: Path) -> None:
    (outcome,) = judged(
        tmp_path, {"must": ["a", "b"]}, turn("坐：甲甲。", 1.0, 2.0), turn("客：乙乙", 2.0, 3.0), turn("坐：好", 3.0, 4.5)
    )
    assert told((outcome,)) == [("X01", "违规", "没有听到：乙")]
    assert outcome.missing == ("乙",)
    searched, heard = outcome.evidence
    assert (searched.kind, searched.quote, searched.start_s, searched.end_s) == (EvidenceKind.SEARCHED, "甲甲。／好", 1.0, 4.5)
    assert searched.note == "在这一段里找：乙（共 2 个话轮）"
    assert (heard.kind, heard.quote) == (EvidenceKind.SAID, "甲甲")
    assert outcome.confidence is None


def test_must_tells_the_nearest_thing_heard(tmp_path: Path) -> None:
    signals = {"a": phrase("感谢您的来电", label="感谢")}
    (outcome,) = judged(tmp_path, {"must": ["a"]}, "坐：敢写李到家去", signals=signals)
    assert [item.kind for item in outcome.evidence] == [EvidenceKind.SEARCHED, EvidenceKind.NEAREST]
    assert (outcome.evidence[1].heard_as, outcome.evidence[1].quote, outcome.evidence[1].distance) == (
        "感谢您的来电",
        "敢写李到",
        3.0,
    )


def test_must_not_is_one_finding_per_hit_in_order(tmp_path: Path) -> None:
    outcomes = judged(tmp_path, {"must_not": ["b", "a"]}, "坐：甲甲", "客：甲甲", "坐：乙乙")
    assert told(outcomes) == [("X01", "违规", "甲：“甲甲”"), ("X01", "违规", "乙：“乙乙”")]
    assert [item.ordinal for item in outcomes] == [0, 1]
    assert [item.evidence[0].turn for item in outcomes] == [0, 2]
    assert all((item.evidence[0].start_s or 0) >= 0 and item.evidence[0].end_s for item in outcomes)


def test_must_not_counts_the_same_words_once(tmp_path: Path) -> None:
    signals = {"a": phrase("你懂不懂", label="甲"), "b": phrase("懂不懂啊你", "懂不懂", label="乙")}
    assert told(judged(tmp_path, {"must_not": ["a", "b"]}, "坐：你懂不懂", signals=signals)) == [("X01", "违规", "甲：“你懂不懂”")]


def test_must_not_may_be_one_finding_of_the_whole_call(tmp_path: Path) -> None:
    (outcome,) = judged(tmp_path, {"must_not": ["a"], "findings": "one"}, "坐：甲甲", "坐：那个", "坐：甲甲")
    assert told((outcome,)) == [("X01", "违规", "甲：“甲甲”等 2 处")]
    assert [item.turn for item in outcome.evidence] == [0, 2]


def test_must_not_tells_what_it_excused(tmp_path: Path) -> None:
    signals = {"a": phrase("甲甲", label="甲", unless=["不是"])}
    (outcome,) = judged(tmp_path, {"must_not": ["a"]}, "坐：不是甲甲", signals=signals)
    assert told((outcome,)) == [("X01", "合规", "没有出现：甲；1 处相似的说法不算")]
    assert [(item.kind, item.quote, item.note) for item in outcome.evidence] == [
        (EvidenceKind.EXCUSE, "甲甲", "附近有“不是”，不算")
    ]


@pytest.mark.parametrize(
    ("times", "lines", "expected"),
    [
        (2, ["坐：甲甲", "坐：甲甲"], ("合规", "甲 2 次，没有超过 2 次")),
        (2, ["坐：甲甲", "坐：甲甲甲甲"], ("违规", "甲 3 次")),
        (0, ["坐：好"], ("合规", "甲 0 次，没有超过 0 次")),
        (0, ["坐：甲甲"], ("违规", "甲 1 次")),
    ],
)
def test_at_most(tmp_path: Path, times: int, lines: list[str], expected: tuple[str, str]) -> None:
    assert told(judged(tmp_path, {"at_most": {"signal": "a", "times": times}}, *lines)) == [("X01", *expected)]


def test_at_most_is_worse_with_something_else(tmp_path: Path) -> None:
    judge = {"at_most": {"signal": "a", "times": 2, "worse_with": "b"}}
    assert told(judged(tmp_path, judge, "坐：甲甲，乙乙")) == [("X01", "违规", "甲 1 次，并且乙")]
    assert told(judged(tmp_path / "2", judge, "坐：乙乙"))[0][1] == "合规"


def test_at_most_believes_recognised_speech_only_by_majority(tmp_path: Path) -> None:
    """In recognised speech 你 and 您 are confused; a typed transcript says what it says."""
    made = book(tmp_path, rule(signals={"a": A, "b": B}, judge={"at_most": {"signal": "a", "times": 1, "outweighed_by": "b"}}))
    even, more = ("坐：甲甲，甲甲，乙乙，乙乙",), ("坐：甲甲，甲甲，乙乙",)
    assert told(audit(made, call(*even, channels=2))) == [("X01", "合规", "甲 2 次，乙 2 次，识别难以区分，不追究")]
    assert told(audit(made, call(*more, channels=1))) == [("X01", "违规", "甲 2 次")]
    assert told(audit(made, call(*even))) == [("X01", "违规", "甲 2 次")]


@pytest.mark.parametrize(
    ("line", "expected", "missing"),
    [
        ("甲甲，丙丙", ("合规", "听到 2 种：甲、丙"), ()),
        ("甲甲，甲甲", ("违规", "应有 2 种，只听到 1 种（甲）"), ("乙", "丙")),
        ("没有", ("违规", "应有 2 种，只听到 0 种（没有）"), ("甲", "乙", "丙")),
    ],
)
def test_at_least_so_many_kinds(tmp_path: Path, line: str, expected: tuple[str, str], missing: tuple[str, ...]) -> None:
    outcomes = judged(tmp_path, {"at_least": {"of": ["a", "b", "c"], "kinds": 2}}, f"坐：{line}")
    assert told(outcomes) == [("X01", *expected)]
    assert outcomes[0].missing == missing


EACH = {"each": {"signal": "a", "before": ["b"], "after": ["c"], "within_turns": 1}}


def test_each_occasion_wants_something_before_and_after(tmp_path: Path) -> None:
    assert told(judged(tmp_path, EACH, "坐：好")) == [("X01", "合规", "没有出现：甲")]
    assert told(judged(tmp_path / "1", EACH, "坐：乙乙", "坐：甲甲", "坐：丙丙")) == [("X01", "合规", "1 次甲，用语齐全")]
    assert told(judged(tmp_path / "2", EACH, "坐：乙乙，甲甲，丙丙")) == [("X01", "合规", "1 次甲，用语齐全")]
    outcomes = judged(tmp_path / "3", EACH, "坐：丙丙", "坐：甲甲", "坐：乙乙")
    assert told(outcomes) == [("X01", "违规", "甲，没有听到：乙、丙")]
    assert outcomes[0].missing == ("乙", "丙")


def test_each_occasion_is_a_finding_of_its_own(tmp_path: Path) -> None:
    outcomes = judged(tmp_path, EACH, "坐：甲甲", "坐：丙丙", "坐：那个", "坐：那个", "坐：甲甲", "坐：那个", "坐：丙丙")
    assert told(outcomes) == [("X01", "违规", "甲，没有听到：乙"), ("X01", "违规", "甲，没有听到：乙、丙")]
    assert [(item.ordinal, next(e.turn for e in item.evidence if e.kind is EvidenceKind.HIT)) for item in outcomes] == [
        (0, 0),
        (1, 4),
    ]


def test_a_call_that_ends_there_owes_nothing_afterwards(tmp_path: Path) -> None:
    assert told(judged(tmp_path, EACH, "坐：乙乙", "坐：甲甲", "客：喂")) == [("X01", "合规", "1 次甲，用语齐全")]
    assert told(judged(tmp_path / "1", EACH, "坐：甲甲")) == [("X01", "违规", "甲，没有听到：乙")]


def test_evidence_is_bounded_and_its_confidence_is_the_weakest(tmp_path: Path) -> None:
    (outcome,) = judged(
        tmp_path,
        {"must_not": ["a"], "findings": "one"},
        call(*[turn("坐：甲甲", n, n + 1.0, confidence=0.9 - n / 100) for n in range(20)]),
    )
    assert (len(outcome.evidence), outcome.confidence) == (12, 0.71)
    assert outcome.reason == "甲：“甲甲”等 20 处"


def test_of_words_easily_confused_only_those_clearly_heard_count(tmp_path: Path) -> None:
    """One blurred hit among clear ones does not blur the count; too few clear ones and the doubt is told."""
    made = book(
        tmp_path,
        rule(signals={"a": A}, judge={"at_most": {"signal": "a", "times": 1}}, review={"below_confidence": 0.8, "note": "须听辨"}),
    )

    def heard(*confidences: float) -> list[tuple[str, str, str]]:
        lines = [turn("坐：甲甲", float(at), at + 0.9, confidence=value) for at, value in enumerate(confidences)]
        return told(audit(made, call(*lines)))

    assert heard(0.44, 0.9, 0.85) == [("X01", "违规", "甲 2 次")]
    assert heard(0.44, 0.9) == [("X01", "无法判定", "甲 2 次；识别置信度只有 44%，听不真切，不予认定")]
    assert heard(0.9) == [("X01", "合规", "甲 1 次，没有超过 1 次")]
