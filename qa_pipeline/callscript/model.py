"""A call script as it is written: questions, accepted answers, where to jump. See ``scripts/*.yaml`` and docs/reports.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from qa_pipeline.model import CallOutcome, CallType
from qa_pipeline.strict_yaml import Doc

END = "结束"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the customer may say and where the agent goes on."""

    label: Annotated[str, Doc("给人看的名字，如“不在”")]
    hear: Annotated[tuple[str, ...], Doc("客户的说法（短语模板，与规则里的写法相同）")]
    next: Annotated[str, Doc("接着走到哪一步；“结束”为挂机")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to say or ask."""

    id: Annotated[str, Doc("步骤编号，如 Q1")]
    title: Annotated[str, Doc("步骤名称")]
    say: Annotated[tuple[str, ...], Doc("坐席的说法（短语模板），任何一种都算说了")]
    next: Annotated[str, Doc("没有听出下面任何一种回答时走到哪一步")]
    answers: Annotated[tuple[Answer, ...], Doc("接受的回答")] = ()
    required: Annotated[bool, Doc("false：可以不说，不算漏")] = True

    def __post_init__(self) -> None:
        if not self.say:
            raise ValueError(f"步骤 {self.id} 没有写说法（say）")

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*(answer.next for answer in self.answers), self.next)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What must be said somewhere, in any order, once the call has come to a step."""

    id: Annotated[str, Doc("要点编号")]
    title: Annotated[str, Doc("要点名称")]
    say: Annotated[tuple[str, ...], Doc("坐席的说法（短语模板）")]
    once: Annotated[str, Doc("通话走到这一步才要求")]
    trial_only: Annotated[bool, Doc("true：只有体验期的业务才要求")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Applies:
    """Which calls follow the script; everything left out does not narrow."""

    call_types: Annotated[tuple[CallType, ...], Doc("通话类型")] = ()
    outcomes: Annotated[tuple[CallOutcome, ...], Doc("通话结果")] = ()
    products: Annotated[tuple[str, ...], Doc("业务名称里含有其中一个词")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A call and what the script makes of it."""

    turns: Annotated[tuple[str, ...], Doc("“坐席：…”“客户：…”，一句一条")]
    path: Annotated[tuple[str, ...], Doc("应当走出的路径（步骤编号）")]
    skipped: Annotated[tuple[str, ...], Doc("应当漏掉的步骤和要点")] = ()
    wrong: Annotated[tuple[str, ...], Doc("应当标出的错误跳转，写成“Q3→Q6”")] = ()
    trial_days: Annotated[int | None, Doc("体验期天数")] = None

    def __post_init__(self) -> None:
        for turn in self.turns:
            if not turn.startswith(("坐席：", "客户：")):
                raise ValueError(f"例句“{turn}”要以“坐席：”或“客户：”开头")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallScript:
    """One file."""

    script: Annotated[str, Doc("编号，全部话术里唯一")]
    title: Annotated[str, Doc("名称")]
    source: Annotated[str, Doc("出处")]
    start: Annotated[str, Doc("第一步")]
    steps: Annotated[tuple[Step, ...], Doc("步骤")]
    applies: Annotated[Applies, Doc("哪些通话按这份话术")] = Applies()
    points: Annotated[tuple[Point, ...], Doc("必讲要点")] = ()
    examples: Annotated[tuple[Example, ...], Doc("例子，qa script check 逐个核对")] = ()

    def __post_init__(self) -> None:
        names = [step.id for step in self.steps] + [point.id for point in self.points]
        if len(set(names)) != len(names):
            raise ValueError("步骤和要点的编号不能重复")
        known = {step.id for step in self.steps}
        if self.start not in known:
            raise ValueError(f"第一步“{self.start}”不在步骤里")
        for step in self.steps:
            if unknown := [target for target in step.targets if target not in known and target != END]:
                raise ValueError(f"步骤 {step.id} 要走到的“{unknown[0]}”不存在")
        if unknown := [point.id for point in self.points if point.once not in known]:
            raise ValueError(f"要点 {unknown[0]} 的 once 不是一个步骤")
        reached, waiting = set[str](), [self.start]
        while waiting:
            name = waiting.pop()
            if name not in reached and name != END:
                reached.add(name)
                waiting += self.step(name).targets
        if lost := [step.id for step in self.steps if step.id not in reached]:
            raise ValueError(f"从第一步走不到步骤 {'、'.join(lost)}")

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.id == name)

    def name_of(self, item: str) -> str:
        """“Q3 说明来意”."""
        titles = {step.id: step.title for step in self.steps} | {point.id: point.title for point in self.points}
        return f"{item} {titles[item]}" if item in titles else item
