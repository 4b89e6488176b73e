"""What every kind of signal shares: scopes, and the context in which a signal looks at a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, NamedTuple, Protocol

from qa_pipeline.model import CallData, Conversation, Strength
from qa_pipeline.signals.hit import Hit, passage_hit
from qa_pipeline.signals.passage import NOWHERE, Passage, Position
from qa_pipeline.signals.view import View
from qa_pipeline.strict_yaml import Doc
from qa_pipeline.text.index import Present
from qa_pipeline.text.pattern import Match

__all__ = [
    "NOWHERE",
    "Bound",
    "Context",
    "Finder",
    "History",
    "Hit",
    "PastCall",
    "Relation",
    "Scope",
    "Where",
    "Who",
    "Window",
    "window_hit",
]

Who = Literal["agent", "customer", "any"]


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


class Window(NamedTuple):
    """A stretch of one passage's stream in which text is searched."""

    passage: Passage
    start: int
    end: int

    @property
    def whole(self) -> bool:
        return self.start == 0 and self.end == self.passage.length

    @property
    def chars(self) -> str:
        return self.passage.chars[self.start : self.end]

    @property
    def sounds(self) -> str:
        return self.passage.sounds[self.start : self.end]

    @property
    def split(self) -> str:
        begin = self.passage.start
        return self.passage.stream.split[2 * (begin + self.start) : 2 * (begin + self.end)]


class Scope:
    """What is left of the call for one signal: turns, and of these what lies from ``low`` to before ``high``."""

    def __init__(
        self,
        view: View,
        turns: frozenset[int] = frozenset(),
        low: Position = NOWHERE,
        high: Position | None = None,
    ) -> None:
        self._view = view
        self._inside: dict[int, tuple[Window, ...]] = {}
        self.compared: dict[object, list[tuple[float, float, int, int]]] = {}  # phrases with what was said here, by edit distance
        self.turns = turns
        self.low = low
        self.high = high

    @cached_property
    def passages(self) -> int:
        """The bits of the passages that have a turn in the scope."""
        mask = 0
        bits = self._view.passage_bits
        for turn in self.turns:
            mask |= bits[turn]
        return mask

    @cached_property
    def whole(self) -> int:
        """The bits of those of them that lie in it from end to end."""
        mask = self.passages
        for end in (self.low, self.high):
            if end is not None and end.turn >= 0:
                mask &= ~self._view.passage_bits[end.turn]
        if len(self.turns) < len(self._view.turns):
            for passage in self._view.passages:
                if mask >> passage.index & 1 and not self.turns.issuperset(passage.indices):
                    mask ^= 1 << passage.index
        return mask

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        mask = self.passages
        return tuple(
            window for passage in self._view.passages if mask >> passage.index & 1 for window in self.inside(passage.index)
        )

    def inside(self, index: int) -> tuple[Window, ...]:
        """What of one passage is in the scope."""
        known = self._inside.get(index)
        if known is None:
            passage = self._view.passages[index]
            if self.low == NOWHERE and self.high is None and self.turns.issuperset(passage.indices):
                known = (Window(passage, 0, passage.length),)
            else:
                parts = passage.parts(self.turns, self.low, self.high)
                known = tuple(Window(passage, start, end) for start, end in parts)
            self._inside[index] = known
        return known


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
    each: Callable[[Context], Iterator[Hit]] | None = None  # one by one, where that saves looking for all


class Context:
    """One rule looking at one call. Hits are found when asked for and kept; nothing outlives the call."""

    def __init__(self, view: View, signals: Mapping[str, Bound], index: Present, history: History | None, both_roles: bool) -> None:
        self.view = view
        self.conversation: Conversation = view.conversation
        self.call: CallData = view.conversation.call
        self.index = index
        self.history = history
        self.both_roles = both_roles  # roles are guessed: an omission is only one if nobody said it
        self._signals = signals
        self._found: dict[str, tuple[Hit, ...]] = {}
        self.scopes: dict[object, Scope] = {}  # those that depend on the rule's other signals
        self.excused: list[Hit] = []

    def hits(self, name: str) -> tuple[Hit, ...]:
        if name not in self._found:
            self._found[name] = ()  # a signal that refers to itself finds nothing
            self._found[name] = self._signals[name].find(self)
        return self._found[name]

    def each(self, name: str) -> Iterator[Hit]:
        """The hits one by one, in no given order; what nobody asks for is not looked for."""
        each = self._signals[name].each
        if name in self._found or each is None:
            yield from self.hits(name)
        else:
            yield from each(self)

    def some(self, name: str) -> Hit | None:
        """One of the hits: enough for what is owed."""
        return next(self.each(name), None)

    def signal(self, name: str) -> Bound:
        return self._signals[name]


def window_hit(
    window: Window, span: tuple[int, int], heard_as: str, strength: Strength, distance: float = 0, note: str = ""
) -> Hit:
    """A span of a window as a hit."""
    start, end = span[0] + window.start, span[1] + window.start
    return passage_hit(window.passage, Match(start, end, heard_as, strength, distance), note)
