"""Following a script: paths, gaps, wrong jumps; the scripts that come with the product; mistakes of authors."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa_pipeline.callscript.check import check, conversation_of
from qa_pipeline.callscript.follow import Walk, follow
from qa_pipeline.callscript.load import load_scripts, script_of
from qa_pipeline.callscript.model import CallScript, Example
from qa_pipeline.errors import RuleFileError
from qa_pipeline.model import CallData, CallOutcome, CallType, Conversation, Strength
from qa_pipeline.report.script_view import script_view
from qa_pipeline.resources import scripts_dir

SMALL = """
script: small
title: 小话术
source: "自编"
start: A
steps:
  - {id: A, title: 问在不在, say: [王经理在不在], next: B, answers: [{label: 在, hear: [在的], next: B}, {label: 不在, hear: [出差了], next: D}]}
  - {id: B, title: 介绍, say: [介绍一下产品], next: C}
  - {id: C, title: 确认时间, say: [您看明天方便吗], next: D}
  - {id: D, title: 告别, say: [祝您工作顺利], next: 结束}
points:
  - {id: P, title: 价格, say: [每个月五块钱], once: B}
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> CallScript:
    folder = tmp_path_factory.mktemp("scripts")
    (folder / "small.yaml").write_text(SMALL, encoding="utf-8")
    return load_scripts(folder)[0]


def walk(script: CallScript, *turns: str) -> Walk:
    return follow(script, conversation_of(Example(turns=turns, path=())))


ALL = ("坐席：王经理在不在", "客户：在的", "坐席：介绍一下产品，每个月五块钱", "坐席：您看明天方便吗", "坐席：祝您工作顺利")


def test_the_whole_way(small: CallScript) -> None:
    found = walk(small, *ALL)
    assert (found.steps, found.skipped, found.wrong, found.late) == (("A", "B", "C", "D"), (), (), ())
    assert (found.answers, found.coverage) == ((("A", "在"),), 1.0)
    assert [item.item for item in found.points] == ["P"]


def test_left_out_steps_and_points(small: CallScript) -> None:
    found = walk(small, "坐席：王经理在不在", "客户：在的", "坐席：介绍一下产品")
    assert (found.steps, found.skipped) == (("A", "B"), ("C", "D", "P"))
    assert (found.said, found.expected, found.coverage) == (2, ("A", "B", "C", "D", "P"), 0.4)


def test_an_answer_that_leads_elsewhere(small: CallScript) -> None:
    """王经理 is away: the way ends at D, and B is a wrong jump; nothing of the other way counts as left out."""
    right = walk(small, "坐席：王经理在不在", "客户：他出差了", "坐席：祝您工作顺利")
    assert (right.steps, right.skipped, right.wrong, right.coverage) == (("A", "D"), (), (), 1.0)
    wrong = walk(small, "坐席：王经理在不在", "客户：他出差了", "坐席：介绍一下产品", "坐席：祝您工作顺利")
    assert [str(jump) for jump in wrong.wrong] == ["A→B"]
    assert (wrong.wrong[0].answer, wrong.wrong[0].expected) == ("不在", "D")


def test_doubt_favours_the_agent(small: CallScript) -> None:
    """No answer was understood: both ways are right. A step said twice is no jump back, one said late is not left out."""
    assert walk(small, "坐席：王经理在不在", "客户：嗯嗯", "坐席：祝您工作顺利").skipped == ()
    again = walk(small, *ALL[:4], "坐席：介绍一下产品", ALL[4])
    assert (again.steps, again.wrong) == (("A", "B", "C", "D"), ())
    late = walk(small, ALL[0], ALL[1], ALL[3], "坐席：介绍一下产品，每个月五块钱", ALL[4])
    assert (late.late, late.skipped, late.wrong) == (("B",), (), ())


def test_misheard_words_are_found(small: CallScript) -> None:
    found = walk(
        small, "坐席：王经理在不在", "客户：在的", "坐席：借绍一下产平，每个月五块前", "坐席：您看名天方便吗", "坐席：住您工作顺利"
    )
    assert (found.steps, found.skipped) == (("A", "B", "C", "D"), ())
    assert {item.strength for item in found.path} == {Strength.EXACT, Strength.PHONETIC}
    assert found.path[1].quote == "借绍一下产平"  # the characters heard, untouched


def test_nothing_said(small: CallScript) -> None:
    found = walk(small)
    assert (found.steps, found.skipped, found.coverage) == ((), ("A", "D"), 0.0)  # the shortest way: he was away


def test_the_scripts_of_the_product_agree_with_their_examples() -> None:
    scripts = load_scripts(scripts_dir())
    assert [script.script for script in scripts] == ["conference_lead", "value_added_sale"]
    assert [problem for script in scripts for problem in check(script)] == []
    sale = CallData(call_id="x", call_type=CallType.SALE, outcome=CallOutcome.SUCCESS)
    assert [getattr(script_of(scripts, call), "script", None) for call in (sale, CallData(call_id="y"))] == [
        "value_added_sale",
        None,
    ]
    assert script_view(Conversation(call=CallData(call_id="y"), turns=())) is None


def test_mistakes_are_told_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SMALL.replace("next: B}, {label", "next: Z}, {label"), encoding="utf-8")
    (tmp_path / "b.yaml").write_text(SMALL.replace("say: [介绍一下产品]", 'say: ["(介绍"]'), encoding="utf-8")
    (tmp_path / "c.yaml").write_text(SMALL.replace("start: A", "start: D"), encoding="utf-8")
    with pytest.raises(RuleFileError) as caught:
        load_scripts(tmp_path)
    words = str(caught.value)
    assert "a.yaml:2:1: 步骤 A 要走到的“Z”不存在" in words
    assert "b.yaml:8:5: 短语“(介绍”" in words
    assert "从第一步走不到步骤 A、B、C" in words
