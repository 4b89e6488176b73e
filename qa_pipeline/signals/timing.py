"""Signals of time: silences with their cause, and one speaker breaking in on the other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from qa_pipeline.model import Conversation, Role, Strength, Turn, VoicedSpan
from qa_pipeline.signals.base import NOWHERE, Context, Hit
from qa_pipeline.signals.hit import Measured
from qa_pipeline.signals.kit import Finders, Kit
from qa_pipeline.signals.scope import whole_scope
from qa_pipeline.signals.view import Position, View, is_backchannel
from qa_pipeline.strict_yaml import Doc

_QUESTION_END = re.compile(
    r"(吗|么|呢|吧|没|没有|好不好|行不行|可不可以|要不要|多少|什么|哪里|哪个|几号|几点|怎么样|如何|对不对|是不是|[？?])[。，,.！\s您啊呀]*$"
)
_REQUEST = re.compile(
    r"(?<![给帮替为])[您你麻烦请][先再慢去可以]{0,2}(?:报|念|提供|记|找|打开|点|输入|登录|扫|操作|试|按|拨|填|拍|插|拔|重启|关机|看[看一]|想|说|告诉|核对|确认)[^，。]{0,16}$"
)
_STILL_HOLDS = 4  # turns: who asked for a wait and then said another word or two has asked for it
_BREATH_S = 0.7  # a shorter pause does not give up the floor
_MARGIN_S = 0.01  # no rounding reaches so far
_JITTER_S = 0.15  # shorter bursts of voice activity are clicks, not speech


def speech(conversation: Conversation) -> tuple[VoicedSpan, ...]:
    """Who speaks when: measured from the audio, else the turns' own times."""
    if conversation.voiced is not None:
        return conversation.voiced
    return tuple(
        VoicedSpan(role=turn.role, start_s=turn.start_s, end_s=turn.end_s)
        for turn in conversation.turns
        if turn.start_s is not None and turn.end_s is not None
    )


def _speech(view: View) -> tuple[VoicedSpan, ...]:
    return speech(view.conversation)


def _silences(view: View) -> list[tuple[float, float, float]]:
    """Stretches in which nobody speaks, between the first and the last speech: start, end, length."""
    gaps: list[tuple[float, float, float]] = []
    reached: float | None = None
    for span in sorted(view.of_call(_speech), key=lambda item: item.start_s):
        start, end = span.start_s, span.end_s
        if end - start < _JITTER_S:
            continue
        if reached is not None and start > reached:
            gaps.append((reached, start, round(start - reached, 3)))  # exactly as long as allowed is allowed
        reached = end if reached is None else max(reached, end)
    return gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceSpec:
    """静默：没有人说话的一段时间（按录音量出来的，不看识别的分段）。"""

    kind: Literal["silence"] = "silence"
    label: Annotated[str, Doc("给人看的名字")]
    longer_s: Annotated[float, Doc("长于几秒")]
    shorter_s: Annotated[float | None, Doc("并且不长于几秒")] = None
    ended_by: Annotated[Literal["agent", "customer", "any"], Doc("之后谁先开口")] = "any"
    agent_spoke_last: Annotated[bool, Doc("true：之前最后说话的是坐席")] = False
    agent_caused: Annotated[bool, Doc("true：轮到坐席说话；坐席问了话等客户回答的不算")] = False
    after: Annotated[str, Doc("之前最近的两个话轮里有这个信号")] = ""
    not_after: Annotated[str, Doc("之前最近的四个话轮里没有这个信号；写了 after 的，在 after 以后没有")] = ""

    def bind(self, kit: Kit) -> Finders:
        def find(ctx: Context) -> tuple[Hit, ...]:
            hits = []
            for start, end, length in ctx.view.of_call(_silences):
                if length > self.longer_s and (self.shorter_s is None or length <= self.shorter_s):
                    before, after = _around(ctx.view.turns, start, end)
                    if self._fits(ctx, before, after):
                        hits.append(_silence(start, end, before))
            return tuple(hits)

        return Finders(find=find, scope=whole_scope)

    def _fits(self, ctx: Context, before: Turn | None, after: Turn | None) -> bool:
        if self.ended_by != "any" and (after is None or after.role.value != self.ended_by):
            return False
        if self.agent_spoke_last and (before is None or before.role is not Role.AGENT):
            return False
        if self.agent_caused and (before is None or _customers_turn(before)):
            return False
        last = before.index if before is not None else -1
        since = last - _STILL_HOLDS + 1
        if self.after:
            told = [min(hit.end.turn, last) for hit in ctx.hits(self.after) if hit.position.turn <= last <= hit.end.turn + 1]
            if not told:
                return False
            since = max(told)
        return not (self.not_after and any(since <= hit.end.turn <= last for hit in ctx.hits(self.not_after)))


def _customers_turn(before: Turn) -> bool:
    """Whether the agent has just asked something, or asked the customer to do something, so that the customer is to go on."""
    text = before.text.rstrip("。，！… ")
    return before.role is Role.AGENT and (_QUESTION_END.search(text) is not None or _REQUEST.search(text) is not None)


def _around(turns: tuple[Turn, ...], start: float, end: float) -> tuple[Turn | None, Turn | None]:
    """The turn that was spoken last before a silence and the first one after it; a turn may contain the silence and be both."""
    before = [turn for turn in turns if turn.start_s is not None and turn.start_s < start + 0.3]
    after = [turn for turn in turns if turn.end_s is not None and turn.end_s > end - 0.3]
    return (max(before, key=lambda t: t.end_s or 0.0) if before else None), (
        min(after, key=lambda t: t.start_s or 0.0) if after else None
    )


def _silence(start: float, end: float, before: Turn | None) -> Hit:
    place = Position(before.index, len(before.text)) if before is not None else NOWHERE
    return Hit(
        position=place,
        end=place,
        role=None,
        strength=Strength.MEASURED,
        note=f"静默 {end - start:.1f} 秒",
        value=round(end - start, 1),
        place=Measured(start_s=round(start, 2), end_s=round(end, 2)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapSpec:
    """抢话：对方已说了一会儿时插进来，两人同时说了一段；嗯、对、好的不算。"""

    kind: Literal["overlap"] = "overlap"
    label: Annotated[str, Doc("给人看的名字")]
    who: Annotated[Literal["agent", "customer"], Doc("谁插进来")] = "agent"
    spoken_s: Annotated[float, Doc("对方已说了至少几秒")] = 1.0
    both_s: Annotated[float, Doc("同时说话至少几秒")] = 0.5

    def bind(self, kit: Kit) -> Finders:
        role = Role(self.who)

        def find(ctx: Context) -> tuple[Hit, ...]:
            mine, theirs = ctx.view.of_call(_agents_floors), ctx.view.of_call(_customers_floors)
            if role is not Role.AGENT:
                mine, theirs = theirs, mine
            hits: list[Hit] = []
            for start, end in mine:
                both = self._together(start, end, theirs)
                turn = _turn_of(ctx, start, end, role) if both is not None else None
                if both is not None and turn is not None and not is_backchannel(turn):
                    hits.append(_break_in(turn, start, start + both))
            return tuple(hits)

        return Finders(find=find, scope=whole_scope)

    def _together(self, start: float, end: float, theirs: list[tuple[float, float]]) -> float | None:
        """Seconds spoken together with the first of the others' floors that was broken into; None when none was."""
        for since, until in theirs:
            if since > start - self.spoken_s + _MARGIN_S:
                return None
            if until < start + self.both_s - _MARGIN_S:
                continue
            spoken = round(start - since, 3)
            both = round(min(end, until) - start, 3)
            if spoken >= self.spoken_s and both >= self.both_s:
                return both
        return None


def _agents_floors(view: View) -> list[tuple[float, float]]:
    return _floors(span for span in view.of_call(_speech) if span.role is Role.AGENT)


def _customers_floors(view: View) -> list[tuple[float, float]]:
    return _floors(span for span in view.of_call(_speech) if span.role is Role.CUSTOMER)


def _floors(spans: Iterable[VoicedSpan]) -> list[tuple[float, float]]:
    """One role's speech with its short pauses closed: who pauses for breath keeps the floor, and going on is no breaking in."""
    merged: list[tuple[float, float]] = []
    for span in sorted(spans, key=lambda item: item.start_s):
        if merged and span.start_s - merged[-1][1] < _BREATH_S:
            merged[-1] = (merged[-1][0], max(merged[-1][1], span.end_s))
        else:
            merged.append((span.start_s, span.end_s))
    return merged


def _turn_of(ctx: Context, start: float, end: float, role: Role) -> Turn | None:
    """The turn that shares most time with a stretch of speech."""
    best: tuple[float, Turn] | None = None
    for turn in ctx.view.turns_of[role]:
        if turn.start_s is not None and turn.end_s is not None:
            shared = min(turn.end_s, end) - max(turn.start_s, start)
            if shared > 0 and (best is None or shared > best[0]):
                best = (shared, turn)
    return best[1] if best else None


def _break_in(turn: Turn, start: float, end: float) -> Hit:
    return Hit(
        position=Position(turn.index, 0),
        end=Position(turn.index, 0),
        role=turn.role,
        strength=Strength.MEASURED,
        note=f"两人同时说话 {end - start:.1f} 秒",
        value=round(end - start, 1),
        place=Measured(quote=turn.raw[:20], start_s=round(start, 2), end_s=round(end, 2)),
    )
