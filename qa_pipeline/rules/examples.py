"""A rule's own examples: built into conversations, judged, and compared as a whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from qa_pipeline.audit import audit_one
from qa_pipeline.model import (
    CallData,
    CallOutcome,
    CallType,
    Conversation,
    HangupBy,
    Outcome,
    Role,
    RoleSource,
    Turn,
)
from qa_pipeline.rules.base import Example, ExampleTurn, RuleSpec
from qa_pipeline.rules.book import Rule, RuleBook
from qa_pipeline.signals.base import PastCall
from qa_pipeline.text.normalise import normalise

_TURN = re.compile(r"^(?:[（(](?P<gap>-?\d+(?:\.\d+)?)\s*秒[）)])?\s*(?P<who>坐席|客户|其他)[：:](?P<text>.*)$", re.S)
_ROLES = {"坐席": Role.AGENT, "客户": Role.CUSTOMER, "其他": Role.UNKNOWN}
_CHARS_PER_S = 4.5
_GAP_S = 0.4
_BOOLEANS = {"true": True, "false": False, "是": True, "否": False}


_READERS: Mapping[str, Callable[[str], object]] = {
    "hangup_by": HangupBy,
    "call_type": CallType,
    "outcome": CallOutcome,
    "trial_days": int,
    "agent_channel": int,
    "hangup_at": float,
    "charged": _BOOLEANS.__getitem__,
    "complaint": _BOOLEANS.__getitem__,
}


class ExampleError(ValueError):
    """An example is malformed; Chinese."""


def call_data(fields: Mapping[str, str], call_id: str = "例") -> CallData:
    """Call data from manifest columns as text; unknown columns go to ``extra``. ExampleError names what cannot be read."""
    known: dict[str, object] = {}
    extra: list[tuple[str, str]] = []
    for name, value in fields.items():
        if name not in CallData.__dataclass_fields__:
            extra.append((name, value))
            continue
        try:
            known[name] = _READERS.get(name, str)(value)
        except (KeyError, ValueError):
            raise ExampleError(f"例子的通话数据不对：{name} 写的是“{value}”") from None
    return CallData(call_id=str(known.pop("call_id", call_id)), extra=tuple(sorted(extra)), **known)  # type: ignore[arg-type]


def conversation_of(example: Example, call_id: str = "例") -> Conversation:
    """An example as a conversation of a ready transcript, with times at an ordinary pace."""
    turns: list[Turn] = []
    clock = 0.0
    for item in example.turns:
        turn, gap = (_spoken(item), _GAP_S) if isinstance(item, ExampleTurn) else _written(item)
        start = turn.start_s if turn.start_s is not None else max(0.0, clock + (gap if turns else 0.3))
        end = turn.end_s if turn.end_s is not None else start + max(0.3, len(turn.text) / _CHARS_PER_S)
        turns.append(replace(turn, index=len(turns), start_s=round(start, 3), end_s=round(end, 3)))
        clock = max(clock, end)
    return Conversation(call=call_data(example.call or {}, call_id), turns=tuple(turns), duration_s=round(clock, 3))


def _written(text: str) -> tuple[Turn, float]:
    match = _TURN.match(text)
    if match is None:
        raise ExampleError(f"例子的话轮应写成“坐席：…”或“客户：…”：{text[:20]}")
    gap = float(match["gap"]) if match["gap"] else _GAP_S
    return _turn(_ROLES[match["who"]], match["text"]), gap


def _spoken(item: ExampleTurn) -> Turn:
    return replace(
        _turn(Role(item.role), item.text),
        start_s=item.start_s,
        end_s=item.end_s,
        confidence=item.confidence,
        loudness_db=item.loudness_db,
        pitch_st=item.pitch_st,
        after_hangup=item.after_hangup,
    )


def _turn(role: Role, raw: str) -> Turn:
    normal = normalise(raw)
    return Turn(
        index=0, role=role, role_source=RoleSource.IMPORTED, role_confidence=1.0, raw=raw, text=normal.text, to_raw=normal.to_raw
    )


class ExampleHistory:
    """Other calls of the same customer, written into the example."""

    def __init__(self, items: Sequence[Mapping[str, str]]) -> None:
        self._calls = tuple(
            PastCall(
                call=call_data({k: v for k, v in item.items() if k != "violated"}, f"他{nth}"),
                violated=frozenset(filter(None, item.get("violated", "").replace("，", ",").split(","))),
                judged=True,
            )
            for nth, item in enumerate(items)
        )

    @property
    def known_until(self) -> str:
        return "9999-12-31"

    def calls_about(self, call: CallData) -> tuple[PastCall, ...]:
        return self._calls


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleResult:
    """One example judged. ``problems`` is empty when everything is as the author wrote."""

    rule: str
    group: str  # violating | clear | todo
    number: int
    outcomes: tuple[Outcome, ...]
    problems: tuple[str, ...]

    @property
    def name(self) -> str:
        group = {"violating": "违规例", "clear": "合规例", "todo": "待办例"}[self.group]
        return f"{self.rule} {group} {self.number}"


def run_examples(book: RuleBook, rule: Rule) -> list[ExampleResult]:
    """All examples of a rule."""
    results = []
    groups: list[tuple[str, Sequence[Example]]] = [
        ("violating", rule.spec.examples.violating),
        ("clear", rule.spec.examples.clear),
        ("todo", rule.spec.examples.todo),
    ]
    for group, examples in groups:
        for number, example in enumerate(examples, 1):
            try:
                history = ExampleHistory(example.history)
                outcomes = audit_one(book, rule, conversation_of(example), history)
                problems = _compare(group, example, outcomes)
            except ExampleError as error:
                outcomes, problems = (), [str(error)]
            results.append(
                ExampleResult(rule=rule.spec.rule, group=group, number=number, outcomes=outcomes, problems=tuple(problems))
            )
    return results


def _compare(group: str, example: Example, outcomes: tuple[Outcome, ...]) -> list[str]:
    verdict = outcomes[0].verdict.value
    if group == "todo":
        due = example.verdict or "违规"
        return [f"待办的例子已经判为{due}，请移到正式例子里"] if verdict == due else []
    allowed = (example.verdict,) if example.verdict else ("违规",) if group == "violating" else ("合规", "不适用")
    if verdict not in allowed:
        return [f"应判{'或'.join(allowed)}，判成了{verdict}：{outcomes[0].reason}"]
    problems = []
    quotes = [item.quote for outcome in outcomes for item in outcome.evidence]
    quoted = "；".join(filter(None, quotes)) or "无"
    problems += [
        f"证据里没有引用“{wanted}”，引用的是：{quoted}" for wanted in example.finds if not any(wanted in quote for quote in quotes)
    ]
    missing = {label for outcome in outcomes for label in outcome.missing}
    if example.missing and set(example.missing) != missing:
        problems.append(f"应报缺少“{'、'.join(example.missing)}”，报的是“{'、'.join(sorted(missing))}”")
    return problems


def thin_examples(spec: RuleSpec) -> list[str]:
    """What a rule's examples lack by the book's own standard."""
    lacks = []
    groups = {"违规例": spec.examples.violating, "合规例": spec.examples.clear}
    for name, examples in groups.items():
        if len(examples) < 3:
            lacks.append(f"{name}只有 {len(examples)} 个，至少 3 个")
        if not any(example.noise for example in examples) and spec.judge_is_spoken:
            lacks.append(f"{name}里没有带识别错误的（noise: true）")
    if not any(example.lookalike for example in spec.examples.clear):
        lacks.append("合规例里没有容易误判的（lookalike: true）")
    return lacks
