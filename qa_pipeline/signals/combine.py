"""Signals made of other signals of the same rule: one of several, or several close together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from qa_pipeline.signals.base import Context, Hit
from qa_pipeline.signals.hit import FromTo
from qa_pipeline.signals.kit import Finders, Kit
from qa_pipeline.signals.view import is_backchannel
from qa_pipeline.strict_yaml import Doc

_ROUNDING_S = 0.05  # measured spans are rounded to hundredths, word times drift more


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOfSpec:
    """几个信号里出现任何一个。"""

    kind: Literal["any_of"] = "any_of"
    label: Annotated[str, Doc("给人看的名字")]
    of: Annotated[tuple[str, ...], Doc("本规则里其他信号的名字")]

    def __post_init__(self) -> None:
        if not self.of:
            raise ValueError("any_of 至少要一个信号")

    def bind(self, kit: Kit) -> Finders:
        def find(ctx: Context) -> tuple[Hit, ...]:
            """What several of them find in the same place is one hit, of the first that is named."""
            places: dict[object, Hit] = {}
            for name in self.of:
                for hit in ctx.hits(name):
                    places.setdefault((hit.position, hit.end, hit.start_s) if hit.position.turn >= 0 else hit, hit)
            return tuple(sorted(places.values(), key=lambda hit: hit.position))

        def nearest(ctx: Context) -> Hit | None:
            near = [hit for name in self.of if (hit := ctx.signal(name).nearest(ctx)) is not None]
            return min(near, key=lambda hit: hit.distance, default=None)

        def each(ctx: Context) -> Iterator[Hit]:
            for name in self.of:
                yield from ctx.each(name)

        return Finders(find=find, scope=lambda ctx: ctx.signal(self.of[0]).scope(ctx), nearest=nearest, each=each)


@dataclass(frozen=True, slots=True, kw_only=True)
class TogetherSpec:
    """几个信号同时出现，而且离得近（同一方说的，不论先后）。命中从最早的一个到最晚的一个。"""

    kind: Literal["together"] = "together"
    label: Annotated[str, Doc("给人看的名字")]
    of: Annotated[tuple[str, ...], Doc("本规则里其他信号的名字，至少两个")]
    within_chars: Annotated[int, Doc("首尾相隔至多几个字")] = 30
    backwards_chars: Annotated[int | None, Doc("后写的信号先说时，首尾相隔至多几个字；不写则同 within_chars")] = None
    within_turns: Annotated[int, Doc("或先后隔着对方的话，相隔至多几个话轮（0：必须连着说）")] = 0

    def __post_init__(self) -> None:
        if len(self.of) < 2:
            raise ValueError("together 至少要两个信号")

    def bind(self, kit: Kit) -> Finders:
        def find(ctx: Context) -> tuple[Hit, ...]:
            first, *others = (ctx.hits(name) for name in self.of)
            found = []
            for start in first:
                group = [start]
                for hits in others:
                    near = [hit for hit in hits if self._close(group[0], hit)]
                    if not near:
                        break
                    group.append(min(near, key=lambda hit: abs(hit.span[0] - start.span[0])))
                else:
                    found.append(_span(group))
            return tuple(found)

        def nearest(ctx: Context) -> Hit | None:
            missing = [name for name in self.of if not ctx.hits(name)]
            return ctx.signal(missing[0]).nearest(ctx) if missing else next(iter(ctx.hits(self.of[0])), None)

        return Finders(find=find, scope=lambda ctx: ctx.signal(self.of[0]).scope(ctx), nearest=nearest)

    def _close(self, one: Hit, other: Hit) -> bool:
        if one.passage is not None and one.passage == other.passage:
            gap = max(one.span[0], other.span[0]) - min(one.span[1], other.span[1])
            backwards = self.backwards_chars is not None and other.span[0] < one.span[0]
            return gap <= (self.backwards_chars if backwards and self.backwards_chars is not None else self.within_chars)
        apart = other.position.turn - one.position.turn
        if one.passage is None or other.passage is None:  # measured, or call data: no order
            return abs(apart) <= self.within_turns
        return 0 < apart <= self.within_turns


def _span(group: list[Hit]) -> Hit:
    first = min(group, key=lambda hit: hit.position)
    last = max(group, key=lambda hit: hit.end)
    weakest = max(group, key=lambda hit: hit.distance)
    return first._replace(
        end=last.end,
        heard_as=" + ".join(hit.heard_as for hit in group),
        strength=weakest.strength,
        distance=weakest.distance,
        place=FromTo(first.place, last.place),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutSpec:
    """一个信号的命中，去掉附近有另一个信号的那些。"""

    kind: Literal["without"] = "without"
    label: Annotated[str, Doc("给人看的名字")]
    of: Annotated[str, Doc("要数的信号")]
    but: Annotated[str, Doc("附近有它就不算的信号")]
    turns_before: Annotated[int, Doc("往前看几个话轮")] = 0
    turns_after: Annotated[int, Doc("往后看几个话轮")] = 0
    seconds_before: Annotated[float | None, Doc("往前看几秒（有时间时）")] = None
    anywhere: Annotated[bool, Doc("true：整通电话里有就不算")] = False

    def bind(self, kit: Kit) -> Finders:
        def find(ctx: Context) -> tuple[Hit, ...]:
            others = ctx.hits(self.but)
            kept = []
            for hit in ctx.hits(self.of):
                excuse = next((other for other in others if self._beside(hit, other)), None)
                if excuse is None:
                    kept.append(hit)
                elif hit.position.turn >= 0:  # call data are no words that were taken back
                    ctx.excused.append(
                        hit._replace(note=f"附近有“{excuse.quote or excuse.note}”（{ctx.signal(self.but).label}），不算")
                    )
            return tuple(kept)

        return Finders(
            find=find, scope=lambda ctx: ctx.signal(self.of).scope(ctx), nearest=lambda ctx: ctx.signal(self.of).nearest(ctx)
        )

    def _beside(self, hit: Hit, other: Hit) -> bool:
        if self.anywhere:
            return True
        if self.seconds_before is not None and hit.start_s is not None and other.end_s is not None:
            return -_ROUNDING_S <= hit.start_s - other.end_s <= self.seconds_before or other.position.turn == hit.position.turn >= 0
        apart = other.position.turn - hit.position.turn
        return -self.turns_before <= apart <= self.turns_after


@dataclass(frozen=True, slots=True, kw_only=True)
class RepliedSpec:
    """一个问话信号里，得到（或没有得到）某种回答的那些。"""

    kind: Literal["replied"] = "replied"
    label: Annotated[str, Doc("给人看的名字")]
    of: Annotated[str, Doc("问话信号")]
    by: Annotated[str, Doc("回答信号")]
    within_turns: Annotated[int, Doc("回答在问话之后至多几个话轮")] = 2
    nods: Annotated[bool, Doc("true：紧接着的嗯、对、好的也算回答")] = False

    def bind(self, kit: Kit) -> Finders:
        def find(ctx: Context) -> tuple[Hit, ...]:
            answers = ctx.hits(self.by)
            return tuple(
                hit
                for hit in ctx.hits(self.of)
                if any(
                    hit.end <= answer.position and answer.position.turn - hit.end.turn <= self.within_turns for answer in answers
                )
                or (self.nods and _nodded(ctx, hit))
            )

        return Finders(
            find=find, scope=lambda ctx: ctx.signal(self.of).scope(ctx), nearest=lambda ctx: ctx.signal(self.of).nearest(ctx)
        )


def _nodded(ctx: Context, question: Hit) -> bool:
    """Whether the other side's next turn is a mere 嗯, 对 or 好的."""
    turns = ctx.view.turns[question.end.turn + 1 : question.end.turn + 3]
    reply = next((turn for turn in turns if turn.role is not question.role), None)
    return reply is not None and is_backchannel(reply)
