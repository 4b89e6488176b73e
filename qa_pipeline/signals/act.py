"""What is meant, whatever the words: turns that do something (state the fee, refuse, scold), by the bundled network of the acts.

A rule looks for the words first (``said``): what they found counts when the turn may well mean it, what they did not find when it
surely does. Reading costs some milliseconds a turn, so of what is owed no more is read than it takes to find it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Annotated, Literal

from qa_pipeline.acts.names import ACTS
from qa_pipeline.acts.reader import ActReader
from qa_pipeline.acts.understanding import acts_of
from qa_pipeline.model import Act, Strength, Turn
from qa_pipeline.signals.base import Context, Hit, Where, Who
from qa_pipeline.signals.hit import passage_hit
from qa_pipeline.signals.kit import Finders, Kit
from qa_pipeline.signals.passage import Passage
from qa_pipeline.signals.scope import scope_in
from qa_pipeline.signals.view import View, bare
from qa_pipeline.strict_yaml import Doc
from qa_pipeline.text.pattern import Match

QUOTED = 16  # characters on either side of the place that is quoted, unless the clause ends sooner
_NEAR = 0.25  # sure enough to be told as the nearest thing
_ORDER = {name: nth for nth, name in enumerate(ACTS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ActSpec:
    """按意思：话轮做了什么事，不看用词（程序自带的小模型）；字面也像的，把握可以小些。"""

    kind: Literal["act"] = "act"
    label: Annotated[str, Doc("给人看的名字")]
    who: Who = "agent"
    acts: Annotated[tuple[str, ...], Doc("行为的名字，是其中任何一种就算，几种的把握合在一起看；qa rules acts 列出全部")]
    at_least: Annotated[float, Doc("只凭意思，至少多大把握，0–1；1 就是只认字面也像的")] = 0.5
    said: Annotated[str, Doc("按字面找的信号；它的命中，把握到 said_at_least 就算，不到就不算")] = ""
    said_at_least: Annotated[float, Doc("字面像的，至少多大把握，0–1")] = 0.1
    where: Where = Where()

    def __post_init__(self) -> None:
        if unknown := [act for act in self.acts if act not in ACTS]:
            raise ValueError(f"没有这种行为：{'、'.join(unknown)}；可用：{'、'.join(ACTS)}")
        if not self.acts or len({ACTS[act].agents for act in self.acts}) > 1:
            raise ValueError("acts 至少写一个，而且都是同一方的行为")
        if not 0 < self.at_least <= 1 or not 0 < self.said_at_least <= 1:
            raise ValueError("at_least 与 said_at_least 应在 0 到 1 之间")

    def bind(self, kit: Kit) -> Finders:
        owed = kit.default_strength == "loose"  # one is enough: the rest need not be read
        scope = scope_in(self.who, self.where, widens=owed)

        def read(ctx: Context) -> Iterator[tuple[Act, Turn]]:
            best_of = _bests(kit.acts, ctx.view, self.acts)
            for index in sorted(scope(ctx).turns):
                best = best_of(index)
                if best is not None:
                    yield best, ctx.view.turns[index]

        def alike(ctx: Context, told: Collection[int] = ()) -> Iterator[Hit]:
            if self.at_least < 1:
                for act, turn in read(ctx):
                    if act.sure >= self.at_least and turn.index not in told:
                        yield _hit(ctx.view, turn, act)

        def find(ctx: Context) -> tuple[Hit, ...]:
            found = list(self._said(kit.acts, ctx, ctx.hits(self.said))) if self.said else []
            if not (found and owed):
                found += alike(ctx, {hit.position.turn for hit in found})
            return tuple(sorted(found, key=lambda hit: hit.position))

        def each(ctx: Context) -> Iterator[Hit]:
            if self.said:
                yield from self._said(kit.acts, ctx, ctx.each(self.said))
            yield from alike(ctx)

        def nearest(ctx: Context) -> Hit | None:
            act, turn = max(read(ctx), key=lambda item: item[0].sure, default=(None, None))
            if act is not None and turn is not None and act.sure >= _NEAR:
                return _hit(ctx.view, turn, act)
            return ctx.signal(self.said).nearest(ctx) if self.said else None

        return Finders(find=find, scope=scope, nearest=nearest, each=each if owed else None)

    def _said(self, reader: ActReader, ctx: Context, hits: Iterable[Hit]) -> Iterator[Hit]:
        return meant(reader, ctx, hits, self.acts, self.said_at_least)


def meant(reader: ActReader, ctx: Context, hits: Iterable[Hit], acts: tuple[str, ...], at_least: float) -> Iterator[Hit]:
    """Of what was found by its words, what is meant so; the rest is told as excused."""
    best_of = _bests(reader, ctx.view, acts)
    for hit in hits:
        turns = range(hit.position.turn, hit.end.turn + 1)
        sure = max([best.sure for turn in turns if (best := best_of(turn))], default=0.0)
        if sure >= at_least:
            yield hit
        else:
            ctx.excused.append(hit._replace(note=f"字面像，意思不像（{sure:.0%}），不算"))


class _Meanings:
    """What the turns of a call do, by the names of the acts, as far as it is stored with them."""

    def __init__(self, view: View) -> None:
        self.unread = any(turn.acts is None for turn in view.turns)
        self._of: dict[str, dict[int, Act]] = {}
        for turn in view.turns:
            for act in turn.acts or ():
                self._of.setdefault(act.name, {})[turn.index] = act
        self._best: dict[tuple[str, ...], dict[int, Act]] = {}

    def best(self, acts: tuple[str, ...]) -> dict[int, Act]:
        """Of each turn that does any of these, how surely."""
        if acts not in self._best:
            found: dict[int, list[Act]] = {}
            for name in sorted(acts, key=_ORDER.__getitem__):
                for turn, act in self._of.get(name, {}).items():
                    found.setdefault(turn, []).append(act)
            self._best[acts] = {turn: _joined(kinds) for turn, kinds in found.items()}
        return self._best[acts]


def _bests(reader: ActReader, view: View, acts: tuple[str, ...]) -> Callable[[int], Act | None]:
    """Asked for a turn by its index: how surely it does one of these, shown where it does the surest; read as words of the side that
    can (roles may be guessed wrong)."""
    meanings = view.of_call(_Meanings)
    if not meanings.unread:
        return meanings.best(acts).get

    def best(index: int) -> Act | None:
        agents = ACTS[acts[0]].agents
        found = [act for act in acts_of(reader, view.turns, view.turns[index], agents) if act.name in acts]
        return _joined(found) if found else None

    return best


def _joined(found: list[Act]) -> Act:
    """Acts asked for together are kinds of one thing: what speaks for each speaks for all."""
    if len(found) < 2:
        return found[0]
    surest = max(found, key=lambda act: act.sure)
    return replace(surest, sure=round(1 - prod(1 - act.sure for act in found), 2))


def _hit(view: View, turn: Turn, act: Act) -> Hit:
    """The clause in which it shows, not more than ``QUOTED`` characters to either side."""
    passage: Passage = next(p for p in view.by_role[turn.role] if turn.index in p.indices)
    nth = passage.indices.index(turn.index)
    begin = passage.begins[nth]
    inside = min(bisect_left(passage.kept[nth], act.at), max(0, len(bare(turn.text)) - 1))
    low, high = passage.clause(begin + inside)
    start, end = max(low, begin, begin + inside - QUOTED), min(high, passage.begins[nth + 1], begin + inside + QUOTED)
    match = Match(start, max(end, start + 1), ACTS[act.name].label, Strength.MEANING, round(1 - act.sure, 2))
    return passage_hit(passage, match, f"按意思（{act.sure:.0%}）")
