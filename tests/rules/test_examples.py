"""The shipped rules prove themselves, and what an example gets wrong is told in full."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from qa_pipeline.rules.base import Example, ExampleTurn
from qa_pipeline.rules.examples import ExampleError, call_data, conversation_of, run_examples, thin_examples
from tests.rules.support import book, phrase, rule, shipped


@pytest.mark.parametrize("clause", [item.spec.rule for item in shipped().rules])
def test_every_shipped_rule_passes_its_own_examples(clause: str) -> None:
    item = shipped().rule(clause)
    assert [(result.name, result.problems) for result in run_examples(shipped(), item) if result.problems] == []
    assert thin_examples(item.spec) == []


def test_the_clauses_that_are_easily_got_wrong_have_more_examples() -> None:
    counts = {clause: sum(len(r.spec.examples.violating) + len(r.spec.examples.clear) for r in shipped().rules if r.clause == clause)
              for clause in ("A04", "A11", "B4", "B7", "C4")}  # fmt: skip
    assert all(count >= 8 for count in counts.values()), counts


def results(
    folder: Path,
    violating: Sequence[dict[str, Any]] = (),
    clear: Sequence[dict[str, Any]] = (),
    todo: Sequence[dict[str, Any]] = (),
    **changes: Any,
) -> list[tuple[str, tuple[str, ...]]]:
    made = book(folder, rule(examples={"violating": [*violating], "clear": [*clear], "todo": [*todo]}, **changes))
    return [(result.name, result.problems) for result in run_examples(made, made.rules[0])]


BAD, GOOD = ["坐席：说坏话。"], ["坐席：说好话。"]


def test_right_examples_have_no_problems(tmp_path: Path) -> None:
    assert results(tmp_path, [{"turns": BAD, "finds": ["坏话"]}], [{"turns": GOOD}, {"turns": ["坐席：您说。", "客户：坏话"]}]) == [
        ("X01-test 违规例 1", ()),
        ("X01-test 合规例 1", ()),
        ("X01-test 合规例 2", ()),
    ]


def test_a_wrong_verdict_is_told_with_its_reason(tmp_path: Path) -> None:
    assert results(tmp_path, [{"turns": GOOD}], [{"turns": BAD}]) == [
        ("X01-test 违规例 1", ("应判违规，判成了合规：没有出现：坏话",)),
        ("X01-test 合规例 1", ("应判合规或不适用，判成了违规：坏话：“坏话”",)),
    ]


def test_a_wanted_verdict_is_the_only_right_one(tmp_path: Path) -> None:
    examples = [
        {"turns": GOOD, "verdict": "无法判定"},
        {"turns": ["客户：你好"], "verdict": "无法判定"},
        {"turns": GOOD, "verdict": "不适用"},
    ]
    assert [problems for _, problems in results(tmp_path, clear=examples)] == [
        ("应判无法判定，判成了合规：没有出现：坏话",),
        (),
        ("应判不适用，判成了合规：没有出现：坏话",),
    ]


def test_wrong_quotes_and_parts_are_told_with_what_was_found(tmp_path: Path) -> None:
    assert results(tmp_path, [{"turns": BAD, "finds": ["坏话", "丑话"]}]) == [
        ("X01-test 违规例 1", ("证据里没有引用“丑话”，引用的是：坏话",))
    ]
    must = {"signals": {"a": phrase("甲甲", label="甲"), "b": phrase("乙乙", label="乙")}, "judge": {"must": ["a", "b"]}}
    assert results(
        tmp_path / "m", [{"turns": ["坐席：甲甲"], "missing": ["甲"]}, {"turns": ["坐席：无"], "missing": ["甲", "乙"]}], **must
    ) == [
        ("X01-test 违规例 1", ("应报缺少“甲”，报的是“乙”",)),
        ("X01-test 违规例 2", ()),
    ]


def test_a_todo_that_works_must_be_moved(tmp_path: Path) -> None:
    assert results(tmp_path, todo=[{"turns": BAD}, {"turns": GOOD}, {"turns": GOOD, "verdict": "合规"}]) == [
        ("X01-test 待办例 1", ("待办的例子已经判为违规，请移到正式例子里",)),
        ("X01-test 待办例 2", ()),
        ("X01-test 待办例 3", ("待办的例子已经判为合规，请移到正式例子里",)),
    ]


@pytest.mark.parametrize(
    ("example", "problem"),
    [
        ({"turns": ["说坏话"]}, "例子的话轮应写成“坐席：…”或“客户：…”：说坏话"),
        ({"turns": ["坐席说：坏话"]}, "例子的话轮应写成“坐席：…”或“客户：…”：坐席说：坏话"),
        ({"turns": BAD, "call": {"outcome": "sold"}}, "例子的通话数据不对：outcome 写的是“sold”"),
        ({"turns": BAD, "call": {"trial_days": "三十"}}, "例子的通话数据不对：trial_days 写的是“三十”"),
        ({"turns": BAD, "call": {"charged": "yes"}}, "例子的通话数据不对：charged 写的是“yes”"),
        ({"turns": BAD, "history": [{"call_type": "confrim"}]}, "例子的通话数据不对：call_type 写的是“confrim”"),
    ],
)
def test_a_malformed_example_is_told_and_the_others_go_on(tmp_path: Path, example: dict[str, Any], problem: str) -> None:
    assert results(tmp_path, [example, {"turns": BAD}]) == [("X01-test 违规例 1", (problem,)), ("X01-test 违规例 2", ())]


def test_what_too_few_examples_lack(tmp_path: Path) -> None:
    made = book(tmp_path, rule(examples={"violating": [{"turns": BAD}], "clear": [{"turns": GOOD, "noise": True}] * 3}))
    assert thin_examples(made.rules[0].spec) == [
        "违规例只有 1 个，至少 3 个",
        "违规例里没有带识别错误的（noise: true）",
        "合规例里没有容易误判的（lookalike: true）",
    ]


def test_an_example_as_a_conversation() -> None:
    example = Example(
        turns=(
            "坐席：您好。",
            "（3.5秒）客户：喂",
            "（-1秒）其他：請問",
            ExampleTurn(role="agent", text="好", start_s=20.0, confidence=0.4),
        ),
        call={"line": "10088", "charged": "true", "班次": "晚"},
    )
    made = conversation_of(example)
    assert [(turn.role.value, turn.raw, turn.text, turn.start_s, turn.end_s, turn.confidence) for turn in made.turns] == [
        ("agent", "您好。", "您好。", 0.3, 0.967, None),
        ("customer", "喂", "喂", 4.467, 4.767, None),
        ("unknown", "請問", "请问", 3.767, 4.211, None),
        ("agent", "好", "好", 20.0, 20.3, 0.4),
    ]
    assert made.call == call_data({"line": "10088", "charged": "true", "班次": "晚"}, "例")
    assert (made.call.line, made.call.charged, made.call.extra, made.duration_s) == ("10088", True, (("班次", "晚"),), 20.3)
    with pytest.raises(ExampleError):
        conversation_of(Example(turns=("",)))
