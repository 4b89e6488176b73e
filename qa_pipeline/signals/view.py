"""A conversation as signals look at it: passages over one stream of characters and sounds."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from qa_pipeline.model import Conversation, Role, Turn
from qa_pipeline.signals.passage import Passage, Position, bare
from qa_pipeline.text.pattern import Hearing, Match
from qa_pipeline.text.stream import Stream

T = TypeVar("T")

if TYPE_CHECKING:
    from qa_pipeline.signals.base import Scope
    from qa_pipeline.signals.hit import Hit

__all__ = ["BETWEEN", "Passage", "Position", "View", "bare", "is_backchannel"]

BETWEEN = "\n"  # between passages in the stream of the whole call: no phrase crosses it
_BACKCHANNELS = frozenset(
    (
        "",
        "对",
        "对对",
        "对对对",
        "好",
        "好的",
        "好好",
        "好好好",
        "是",
        "是的",
        "是是",
        "行",
        "行行",
        "可以",
        "喂",
        "知道",
        "明白",
        "哼",
        "对的",
        "恩",
        "恩恩",
    )
)
_LISTENING = frozenset(
    ("", "对", "对对", "对对对", "是", "是是", "恩", "恩恩", "哼", "喂", "对的", "您说", "你说", "哦对", "是吗", "这样")
)


def is_backchannel(turn: Turn) -> bool:
    """嗯, 对, 好的: the listener shows that he listens. Never a refusal, never an interruption."""
    return bare(turn.text) in _BACKCHANNELS


def _only_listens(turn: Turn) -> bool:
    """Narrower: sounds that do not answer anything, so that the other's sentence goes on across them."""
    return bare(turn.text) in _LISTENING


class Searched:
    """A template in a call: the bits of the passages that were searched from end to end, and what stands in which."""

    __slots__ = ("found", "passages")

    def __init__(self) -> None:
        self.passages = 0
        self.found: dict[int, list[Match]] = {}


class View:
    """A conversation cut into passages, built once per call and shared by all rules (read-only)."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.turns = conversation.turns
        groups = self._cut()
        texts = ["".join([bare(turn.text) for turn in group]) for group in groups]
        self.stream = Stream(BETWEEN.join(texts))
        self.bits: list[int] = []  # for each character of the stream the bit of its passage
        self.passage_bits: list[int] = [0] * len(self.turns)  # for each turn the bit of its passage
        passages = []
        for index, (group, text) in enumerate(zip(groups, texts, strict=True)):
            passages.append(Passage(index, tuple(group), self.stream, len(self.bits), len(text)))
            self.bits += [1 << index] * (len(text) + len(BETWEEN))
            for turn in group:
                self.passage_bits[turn.index] = 1 << index
        self.passages: tuple[Passage, ...] = tuple(passages)
        # What depends on the call alone and was worked out for one rule serves the others: scopes, matches, answers.
        self.scopes: dict[object, Scope] = {}
        self.searched: dict[Hearing, dict[str, Searched]] = {"chars": {}, "sounds": {}, "runs": {}}
        self._worked_out: dict[object, object] = {}
        self.asked: dict[object, tuple[tuple[Hit, ...], tuple[Hit, ...]]] = {}

    def of_call(self, work_out: Callable[[View], T]) -> T:
        """What a function makes of the call, worked out once."""
        if work_out not in self._worked_out:
            self._worked_out[work_out] = work_out(self)
        return self._worked_out[work_out]  # type: ignore[return-value]

    def _cut(self) -> list[list[Turn]]:
        groups: list[list[Turn]] = []
        open_group: dict[Role, int] = {}
        for turn in self.turns:
            nth = open_group.get(turn.role)
            if nth is None:
                open_group[turn.role] = len(groups)
                groups.append([turn])
            else:
                groups[nth].append(turn)
            if not _only_listens(turn):
                open_group = {turn.role: open_group[turn.role]}
        return groups

    @property
    def sounds(self) -> str:
        """Of the whole call, passages apart."""
        return self.stream.sounds

    @cached_property
    def by_role(self) -> dict[Role, tuple[Passage, ...]]:
        return {role: tuple(p for p in self.passages if p.role is role) for role in Role}

    @cached_property
    def turns_of(self) -> dict[Role, tuple[Turn, ...]]:
        return {role: tuple(turn for turn in self.turns if turn.role is role) for role in Role}

    @cached_property
    def substantive(self) -> dict[Role, tuple[Turn, ...]]:
        """Turns that say something; a lone 喂, 嗯 or 您好？ while the line connects does not use up an opening turn."""
        return {
            role: tuple(
                turn for turn in turns if len(bare(turn.text).replace("喂", "")) > 2 and bare(turn.text) not in _BACKCHANNELS
            )
            for role, turns in self.turns_of.items()
        }

    @cached_property
    def has_times(self) -> bool:
        return self.conversation.has_times

    @cached_property
    def duration_s(self) -> float | None:
        if self.conversation.duration_s is not None:
            return self.conversation.duration_s
        return max((turn.end_s for turn in self.turns if turn.end_s is not None), default=None)

    @cached_property
    def weakest_role(self) -> float:
        """How sure the least sure role of the call is: 1.0 when all roles are facts."""
        return min((turn.role_confidence for turn in self.turns if not turn.role_source.known), default=1.0)
