"""A script's own examples: what they should give and what they give."""

from __future__ import annotations

from qa_pipeline.callscript.follow import Walk, follow
from qa_pipeline.callscript.model import CallScript, Example
from qa_pipeline.model import CallData, Conversation, Role, RoleSource, Turn
from qa_pipeline.text.normalise import normalise


def conversation_of(example: Example) -> Conversation:
    """The example as a conversation, without times."""
    turns = []
    for index, line in enumerate(example.turns):
        who, _, words = line.partition("：")
        normal = normalise(words)
        turns.append(
            Turn(
                index=index,
                role=Role.AGENT if who == "坐席" else Role.CUSTOMER,
                role_source=RoleSource.IMPORTED,
                role_confidence=1.0,
                raw=words,
                text=normal.text,
                to_raw=normal.to_raw,
            )
        )
    return Conversation(call=CallData(call_id="例子", trial_days=example.trial_days), turns=tuple(turns))


def check(script: CallScript) -> list[str]:
    """Everything in which the examples differ from what they should give, in Chinese; empty when all is right."""
    problems = [] if script.examples else [f"{script.script}：没有例子，无法核对"]
    for number, example in enumerate(script.examples, start=1):
        walk = follow(script, conversation_of(example))
        for title, wanted, got in _pairs(example, walk):
            if wanted != got:
                problems.append(
                    f"{script.script} 例 {number}：{title}应为 {'、'.join(wanted) or '无'}，得到 {'、'.join(got) or '无'}"
                )
    return problems


def _pairs(example: Example, walk: Walk) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    return (
        ("路径", example.path, walk.steps),
        ("漏掉的", tuple(sorted(example.skipped)), tuple(sorted(walk.skipped))),
        ("错误跳转", example.wrong, tuple(str(jump) for jump in walk.wrong)),
    )
