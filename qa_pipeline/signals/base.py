"""What every kind of signal shares: hits, scopes, and the context in which a signal looks at a call."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Literal, Protocol

from qa_pipeline.model import CallData, Conversation, Evidence, EvidenceKind, Role, Strength
from qa_pipeline.signals.view import Passage, Position, View
from qa_pipeline.strict_yaml import Doc

Who = Literal["agent", "customer", "any"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A signal found: where, what was heard, as what, how sure. Measured signals have no passage."""

    signal: str
    position: Position
    end: Position
    role: Role | None = None
    quote: str = ""
    heard_as: str = ""
    strength: Strength = Strength.EXACT
    distance: float = 0
    start_s: float | None = None
    end_s: float | None = None
    confidence: float | None = None
    note: str = ""
    value: float | None = None  # what was measured
    passage: int | None = None
    span: tuple[int, int] = (0, 0)  # offsets in the passage's stream

    def evidence(self, kind: EvidenceKind = EvidenceKind.HIT) -> Evidence:
        turn = self.position.turn if self.position.turn >= 0 else None
        return Evidence(
            kind=kind,
            quote=self.quote,
            heard_as=self.heard_as,
            turn=turn,
            role=self.role,
            start_s=self.start_s,
            end_s=self.end_s,
            strength=self.strength,
            distance=self.distance,
            confidence=None if self.confidence is None else round(self.confidence, 3),
            note=self.note,
            value=self.value,
        )


NOWHERE = Position(-1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """``signal`` and which of its hits (``nth`` from 1; 0: any)."""

    signal: Annotated[str, Doc("本规则里另一个信号的名字")]
    nth: Annotated[int, Doc("第几次命中，从 1 数起；-1 为最后一次")] = 1
    within_turns: Annotated[int | None, Doc("相隔至多几个话轮")] = None
    within_s: Annotated[float | None, Doc("相隔至多几秒（没有时间时不看）")] = None

    def __post_init__(self) -> None:
        if self.nth == 0 or self.nth < -1:
            raise ValueError("nth 从 1 数起，-1 表示最后一次")


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The part of the call in which a signal is looked for. Everything left out does not narrow."""

    first_turns: Annotated[int | None, Doc("只看该角色的前几个话轮（喂、嗯不算）")] = None
    last_turns: Annotated[int | None, Doc("只看该角色的最后几个话轮")] = None
    first_s: Annotated[float | None, Doc("只看开头几秒")] = None
    last_s: Annotated[float | None, Doc("只看最后几秒")] = None
    first_share: Annotated[float | None, Doc("只看通话的前百分之几（0–1，按话轮）")] = None
    after: Annotated[Relation | None, Doc("只看另一个信号命中之后")] = None
    before: Annotated[Relation | None, Doc("只看另一个信号命中之前；没有命中则不限")] = None
    answering: Annotated[str | None, Doc("只看对该信号（问话）的回答")] = None
    not_answering: Annotated[str | None, Doc("不看对该信号（问话）的回答")] = None
    after_hangup: Annotated[bool | None, Doc("true 只看挂机以后说的；false 只看挂机以前")] = None

    @property
    def alone(self) -> bool:
        """Whether the part of the call does not depend on other signals."""
        return not (self.after or self.before or self.answering or self.not_answering)

    def __post_init__(self) -> None:
        if self.answering and self.not_answering:
            raise ValueError("answering 与 not_answering 互相矛盾，只能写一个")
        if self.first_turns is not None and self.last_turns is not None:
            raise ValueError("first_turns 与 last_turns 互相矛盾，只能写一个")
        for name in ("first_turns", "last_turns", "first_s", "last_s", "first_share"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} 必须大于 0")
        if self.first_share is not None and self.first_share > 1:
            raise ValueError("first_share 是 0 到 1 之间的比例")


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one passage's stream in which text is searched."""

    passage: Passage
    start: int
    end: int

    @property
    def chars(self) -> str:
        whole = self.passage.chars
        return whole if self.start == 0 and self.end == len(whole) else whole[self.start : self.end]

    @property
    def sounds(self) -> str:
        whole = self.passage.sounds
        return whole if self.start == 0 and self.end == len(whole) else whole[self.start : self.end]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is left of the call for one signal: windows of text, a stretch of time, and a test for any hit."""

    windows: tuple[Window, ...]
    turns: frozenset[int]
    start_s: float | None = None
    end_s: float | None = None
    low: Position = NOWHERE
    high: Position | None = None

    def holds(self, hit: Hit) -> bool:
        """Whether a hit of a measured signal lies in the scope."""
        if hit.position.turn >= 0 and hit.position.turn not in self.turns:
            return False
        if hit.position < self.low or (self.high is not None and hit.position >= self.high):
            return False
        if hit.start_s is not None:
            return not (
                (self.start_s is not None and hit.start_s < self.start_s) or (self.end_s is not None and hit.start_s >= self.end_s)
            )
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCall:
    """A call of the same customer and product, with the verdicts on it; what C5 needs to look across calls."""

    call: CallData
    violated: frozenset[str]
    judged: bool


class History(Protocol):
    """Earlier and later calls, answered by the store."""

    @property
    def known_until(self) -> str | None:
        """Start (ISO 8601) of the latest call on record: what comes later cannot be judged yet."""

    def calls_about(self, call: CallData) -> tuple[PastCall, ...]:
        """Other calls of the same customer number and product, by start time."""


class PatternIndex(Protocol):
    def present(self, patterns: Collection[str]) -> Iterable[tuple[str, set[int]]]:
        """Of ``patterns`` those one of whose anchors sounds in the call, with the passages in which it does."""


Finder = Callable[["Context"], tuple[Hit, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A signal of a rule, ready to look: its name, label and finder."""

    name: str
    label: str
    role: Who
    find: Finder
    nearest: Callable[[Context], Hit | None]
    scope: Callable[[Context], Scope]


class Context:
    """One rule looking at one call. Hits are found when asked for and kept; nothing outlives the call."""

    def __init__(
        self, view: View, signals: Mapping[str, Bound], index: PatternIndex, history: History | None, both_roles: bool
    ) -> None:
        self.view = view
        self.conversation: Conversation = view.conversation
        self.call: CallData = view.conversation.call
        self.index = index
        self.history = history
        self.both_roles = both_roles  # roles are guessed: an omission is only one if nobody said it
        self._signals = signals
        self._found: dict[str, tuple[Hit, ...]] = {}
        self.excused: list[Hit] = []

    def hits(self, name: str) -> tuple[Hit, ...]:
        if name not in self._found:
            self._found[name] = ()  # a signal that refers to itself finds nothing
            self._found[name] = tuple(replace(hit, signal=name) for hit in self._signals[name].find(self))
        return self._found[name]

    def signal(self, name: str) -> Bound:
        return self._signals[name]

    @cached_property
    def duration_s(self) -> float | None:
        if self.conversation.duration_s is not None:
            return self.conversation.duration_s
        ends = [turn.end_s for turn in self.conversation.turns if turn.end_s is not None]
        return max(ends, default=None)
