"""The shape of a rule file: one clause, its signals, one verdict shape, its own examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from qa_pipeline.rules.links import circle, links, reachable, references
from qa_pipeline.signals.act import ActSpec
from qa_pipeline.signals.amounts import DateSpec, MoneySpec
from qa_pipeline.signals.call_facts import ConfirmationsSpec, DataSpec, SegmentSpec
from qa_pipeline.signals.combine import AnyOfSpec, RepliedSpec, TogetherSpec, WithoutSpec
from qa_pipeline.signals.entity import EntitySpec
from qa_pipeline.signals.insist import InsistedSpec
from qa_pipeline.signals.measured import LoudnessSpec, PaceSpec, PitchSpec, RateSpec
from qa_pipeline.signals.phrase import PhraseSpec
from qa_pipeline.signals.remarks import RemarksSpec
from qa_pipeline.signals.similar import SimilarSpec
from qa_pipeline.signals.timing import OverlapSpec, SilenceSpec
from qa_pipeline.strict_yaml import Doc

SignalSpec = (
    PhraseSpec
    | SimilarSpec
    | MoneySpec
    | DateSpec
    | EntitySpec
    | PaceSpec
    | RateSpec
    | LoudnessSpec
    | PitchSpec
    | SilenceSpec
    | OverlapSpec
    | DataSpec
    | SegmentSpec
    | ConfirmationsSpec
    | AnyOfSpec
    | TogetherSpec
    | WithoutSpec
    | RepliedSpec
    | InsistedSpec
    | RemarksSpec
    | ActSpec
)

Need = Literal[
    "agent", "customer", "times", "audio", "two_channels", "sure_roles", "loudness", "pitch", "history", "charge_due", "closing",
    "hangup_by", "hangup_at", "line", "caller_number", "customer_number", "customer_name", "trial_days", "charged", "outcome", "call_type",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the clause comes from, in the source's own words."""

    doc: Annotated[Literal["S0", "S1", "S2", "S3"], Doc("来源文件")]
    article: Annotated[str, Doc("篇、章、条")]
    text: Annotated[str, Doc("原文（或其要点）")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition for a rule to apply; outside it the verdict is 不适用. Exactly one of the first keys."""

    sold: Annotated[bool | None, Doc("成交的通话（outcome 为 success，或听到为客户开通）")] = None
    settled: Annotated[bool | None, Doc("成交的通话，或客户确认了的二次确认（call_type 为 confirm、outcome 为 success）")] = None
    field: Annotated[str, Doc("清单列名，与 in 或 not_in 同用")] = ""
    in_: Annotated[tuple[str, ...], Doc("字段是这些值之一；字段不明则无法判定")] = ()
    not_in: Annotated[tuple[str, ...], Doc("字段不是这些值；字段不明也算")] = ()
    at_least: Annotated[float | None, Doc("与 field 同用：数值至少为")] = None
    found: Annotated[str, Doc("听到本规则的这个信号")] = ""
    not_found: Annotated[str, Doc("没有听到本规则的这个信号")] = ""
    min_talk_s: Annotated[float | None, Doc("说话总时长至少几秒")] = None
    min_agent_chars: Annotated[int | None, Doc("坐席至少说了多少字")] = None
    min_agent_turns: Annotated[int | None, Doc("坐席至少有几个话轮")] = None
    otherwise: Annotated[str, Doc("不满足时给人看的理由")] = ""

    def __post_init__(self) -> None:
        keys = [
            self.sold is not None,
            self.settled is not None,
            bool(self.field),
            bool(self.found),
            bool(self.not_found),
            self.min_talk_s is not None,
            self.min_agent_chars is not None,
            self.min_agent_turns is not None,
        ]
        if sum(keys) != 1:
            raise ValueError(
                "每个适用条件写且只写一种（sold、settled、field、found、not_found、min_talk_s、min_agent_chars、min_agent_turns）"
            )
        if self.field and sum((bool(self.in_), bool(self.not_in), self.at_least is not None)) != 1:
            raise ValueError("field 要配 in、not_in、at_least 中的一个")


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMost:
    """More than ``times`` hits are a violation, told as one finding."""

    signal: str
    times: int
    outweighed_by: Annotated[str, Doc("识别可能混淆时：该信号更多就不算（如“您”多于“你”）")] = ""
    worse_with: Annotated[str, Doc("有这个信号时，一次也算")] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLeast:
    """Fewer than ``kinds`` of the signals heard is a violation."""

    of: tuple[str, ...]
    kinds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """Every hit of ``signal`` wants something before it and something after it."""

    signal: str
    before: Annotated[tuple[str, ...], Doc("之前要有的信号（任一）")] = ()
    after: Annotated[tuple[str, ...], Doc("之后要有的信号（任一）")] = ()
    within_turns: Annotated[int, Doc("前后各看几个话轮")] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """The verdict shape: exactly one."""

    must: Annotated[tuple[str, ...], Doc("都要听到；缺一个即违规")] = ()
    must_not: Annotated[tuple[str, ...], Doc("一次也不能有；每次命中是一条违规")] = ()
    at_most: AtMost | None = None
    at_least: AtLeast | None = None
    each: Each | None = None
    findings: Annotated[Literal["each", "one"], Doc("must_not：每次命中一条，或整通电话一条")] = "each"

    def __post_init__(self) -> None:
        shapes = [bool(self.must), bool(self.must_not), self.at_most is not None, self.at_least is not None, self.each is not None]
        if sum(shapes) != 1:
            raise ValueError("judge 写且只写一种：must、must_not、at_most、at_least、each")
        if self.at_most is not None and self.at_most.times < 0:
            raise ValueError("at_most 的 times 不能小于 0")
        if self.at_least is not None and not 1 <= self.at_least.kinds <= len(self.at_least.of):
            raise ValueError("at_least 的 kinds 应在 1 到信号的个数之间")
        if self.each is not None and not (self.each.before or self.each.after):
            raise ValueError("each 的 before 与 after 至少写一个")

    @property
    def omission(self) -> bool:
        """Whether the violation is something that was not said."""
        return bool(self.must) or self.at_least is not None or self.each is not None

    def names(self) -> tuple[str, ...]:
        names = [*self.must, *self.must_not]
        if self.at_most:
            names += [self.at_most.signal, self.at_most.outweighed_by, self.at_most.worse_with]
        if self.at_least:
            names += self.at_least.of
        if self.each:
            names += [self.each.signal, *self.each.before, *self.each.after]
        return tuple(name for name in names if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """When a violation is flagged 待复核."""

    always: bool = False
    unless_field: Annotated[str, Doc("清单里这个字段为 true 时不必")] = ""
    below_confidence: Annotated[float | None, Doc("命中处识别置信度低于此值时")] = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleTurn:
    role: Literal["agent", "customer", "unknown"]
    text: str
    start_s: float | None = None
    end_s: float | None = None
    confidence: float | None = None
    loudness_db: float | None = None
    pitch_st: float | None = None
    after_hangup: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One call of a rule's own examples. A turn is ``坐席：…`` or ``客户：…``; ``（3.5秒）`` in front gives the silence before it."""

    turns: Annotated[tuple[str | ExampleTurn, ...], Doc("话轮：“坐席：…”“客户：…”，可在前面写（3.5秒）表示之前的静默")]
    call: Annotated[dict[str, str] | None, Doc("通话数据，同清单列名")] = None
    noise: Annotated[bool, Doc("带识别错误的例子")] = False
    lookalike: Annotated[bool, Doc("容易误判的例子")] = False
    finds: Annotated[tuple[str, ...], Doc("违规证据里应引用的原话")] = ()
    missing: Annotated[tuple[str, ...], Doc("应报缺少的部分（label）")] = ()
    verdict: Annotated[Literal["", "违规", "合规", "不适用", "无法判定"], Doc("不写：违规例应违规，合规例应合规或不适用")] = ""
    history: Annotated[tuple[dict[str, str], ...], Doc('同一客户的其他通话（C5）：清单列名，另可写 violated: "C1,C4"')] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    violating: tuple[Example, ...]
    clear: tuple[Example, ...]
    todo: Annotated[tuple[Example, ...], Doc("还做不到的例子（note 写明原因）；一旦做到，检查会提醒移走")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSpec:
    """A rule file."""

    clause: Annotated[str, Doc("条款代码，如 A04，公开而且不变")]
    rule: Annotated[str, Doc("规则编号，如 A04-forbidden，全书唯一")]
    title: Annotated[str, Doc("条款名")]
    source: Source
    means: Annotated[str, Doc("这条规则管什么，给人看的一两句话")]
    instead: Annotated[str, Doc("应当怎么说、怎么做，给坐席看")]
    advice: Annotated[bool, Doc("true：只提示，不计分不扣款")] = False
    review: Review = Review()
    applies: tuple[Condition, ...] = ()
    needs: tuple[Need, ...] = ("agent",)
    signals: Annotated[dict[str, SignalSpec], Doc("信号：名字: 定义")]
    borrows: Annotated[dict[str, tuple[str, ...]], Doc("借用别的规则的信号：规则编号: [信号名]，连同它们所用的信号")] = field(
        default_factory=dict
    )
    judge: Judge
    excuses: Annotated[tuple[str, ...], Doc("听到其中任何一个信号就不追究")] = ()
    hotwords: Annotated[tuple[str, ...], Doc("复听时偏向的中性词（应说的词；绝不写违禁词）")] = ()
    examples: Examples

    def __post_init__(self) -> None:
        known = {*self.signals, *(name for names in self.borrows.values() for name in names)}
        used = {*self.judge.names(), *self.excuses}
        for condition in self.applies:
            used |= {name for name in (condition.found, condition.not_found) if name}
        reached = reachable(self.signals, used)
        for spec in self.signals.values():
            used |= references(spec)
        if unknown := sorted(used - known):
            raise ValueError(f"没有定义的信号：{'、'.join(unknown)}；已定义：{'、'.join(sorted(known))}")
        if self.hotwords and not self.judge.omission:
            raise ValueError("只有“应说”的规则可以写 hotwords：识别器会凭空听出热词，违禁词绝不能写")
        if unused := sorted(set(self.signals) - reached):
            raise ValueError(f"定义了却没有用到的信号：{'、'.join(unused)}")
        if way := circle(self.signals):
            raise ValueError(f"信号互相引用，绕成了圈：{' → '.join(way)}")

    @property
    def judge_is_spoken(self) -> bool:
        """Whether recognised words take part in the verdict, so that recognition errors matter."""
        return any(isinstance(spec, _SPOKEN) for spec in self.signals.values())


_SPOKEN = (PhraseSpec, SimilarSpec, MoneySpec, DateSpec, EntitySpec, ActSpec)


def strengths(spec: RuleSpec) -> dict[str, str]:
    """How every signal of a rule is matched unless it says so itself: by what its being found does to the agent.

    What speaks against the agent (forbidden words, occasions, conditions) is matched strictly; what the agent owed loosely, by
    sound and by distance; what excuses by sound, for a distance can turn the meaning (没问完呢 ~ 没问题了). Doubt favours the
    agent. A signal used in several ways is matched as its strictest use asks.
    """
    judge = spec.judge
    against: list[str] = [*judge.must_not, *(condition.found for condition in spec.applies)]
    owed: list[str] = [*judge.must]
    excuses: list[str] = [*spec.excuses, *(condition.not_found for condition in spec.applies)]
    if judge.at_most:
        against += [judge.at_most.signal, judge.at_most.worse_with]
        excuses.append(judge.at_most.outweighed_by)
    if judge.at_least:
        owed += judge.at_least.of
    if judge.each:
        against.append(judge.each.signal)
        owed += [*judge.each.before, *judge.each.after]
    opposite = {"strict": "sounds", "sounds": "strict", "loose": "strict"}
    open_ = [(name, "strict") for name in against] + [(name, "loose") for name in owed] + [(name, "sounds") for name in excuses]
    seen: set[tuple[str, str]] = set()
    while open_:
        name, strength = open_.pop()
        if (name, strength) in seen or name not in spec.signals:
            continue
        seen.add((name, strength))
        open_ += [(other, strength if same else opposite[strength]) for other, same in links(spec.signals[name])]
    order = ("loose", "sounds", "strict")
    return {name: max((found for of, found in seen if of == name), key=order.index, default="strict") for name in spec.signals}
