"""Where a signal is looked for: role, part of the call, before or after another signal, in answer to a question."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from qa_pipeline.model import Role, Turn
from qa_pipeline.signals.base import NOWHERE, Context, Hit, Relation, Scope, Where, Who
from qa_pipeline.signals.view import is_backchannel

ANSWER_REACH = 60  # characters between a question and the end of the turn that holds it
_SHORT_TAIL = 20
_ASKS_AGAIN = re.compile(r"吗|好不好|行不行|可不可以|要不要|需不需要|怎么样|可以不|[吧呢么](?=[^一-龥]|您|你|$)")
_LATER_SENTENCE_ASKS = re.compile(r"[。？！?!].*[一-龥]\W*[？?]", re.S)
_SAME_QUESTION = re.compile(r"^\W*(还是|或者|或是|[吗吧呢么啊呀没]|不是|对吧|是吧|是吗|对吗)")

_ROLES: dict[str, frozenset[Role]] = {
    "agent": frozenset((Role.AGENT,)),
    "customer": frozenset((Role.CUSTOMER,)),
    "any": frozenset(Role),
}


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """Whose words and where; there is one object for all signals that look at the same part of a call."""

    who: Who
    where: Where
    alone: bool  # whether it does not depend on other signals


@lru_cache(maxsize=4096)
def part_of(who: Who, where: Where) -> Part:
    return Part(who, where, where.alone)


WHOLE = part_of("any", Where())


def scope_in(who: Who, where: Where, widens: bool = False) -> Callable[[Context], Scope]:
    """Where a signal looks; ``widens``: at everybody's words when roles are guessed."""
    own, anybodys = part_of(who, where), part_of("any", where)

    def scope(ctx: Context) -> Scope:
        return make_scope(ctx, anybodys if widens and ctx.both_roles else own)

    return scope


def whole_scope(ctx: Context) -> Scope:
    """The scope of signals that look at the call as a whole."""
    return make_scope(ctx, WHOLE)


def make_scope(ctx: Context, part: Part) -> Scope:
    """The scope of one signal in one call. An ``after`` whose signal was not found leaves an empty scope."""
    scopes = ctx.view.scopes if part.alone else ctx.scopes
    known = scopes.get(part)
    if known is None:
        known = scopes[part] = _make_scope(ctx, part)
    return known


def _make_scope(ctx: Context, part: Part) -> Scope:
    where = part.where
    turns = _turns(ctx, part.who, where)
    low, high = NOWHERE, None
    if where.after is not None:
        anchor = _nth(ctx, where.after)
        if anchor is None:
            return Scope(ctx.view)
        low = anchor.end
        turns = [turn for turn in turns if turn.index >= low.turn and _near(turn, anchor, where.after)]
    if where.before is not None:
        anchor = _nth(ctx, where.before)
        if anchor is not None:
            high = anchor.position
            turns = [turn for turn in turns if turn.index <= high.turn and _near(turn, anchor, where.before)]
    if where.after_hangup is not None:
        turns = [turn for turn in turns if turn.after_hangup is where.after_hangup]
    if where.answering is not None:
        replies = _answering(ctx, turns, where.answering)
        turns = [turn for turn in turns if turn.index in replies]
    if where.not_answering is not None:
        replies = _answering(ctx, turns, where.not_answering)
        turns = [turn for turn in turns if turn.index not in replies]
    return Scope(ctx.view, frozenset([turn.index for turn in turns]), low, high)


def _turns(ctx: Context, who: Who, where: Where) -> Sequence[Turn]:
    """The turns of the part, as far as it does not depend on other signals."""
    view = ctx.view
    turns: Sequence[Turn] = view.turns if who == "any" else view.turns_of[Role(who)]
    if where.first_turns is not None or where.last_turns is not None or where.first_share is not None:
        turns = _by_count(ctx, turns, _ROLES[who], where)
    start_s = None
    if where.last_s is not None and view.duration_s is not None:
        start_s = view.duration_s - where.last_s
    if start_s is not None or where.first_s is not None:
        turns = [turn for turn in turns if _in_time(turn, start_s, where.first_s)]
    return turns


def _answering(ctx: Context, turns: Sequence[Turn], question: str) -> frozenset[int]:
    """Which of the turns reply to a hit of ``question``: asked by the other side since, and last of all.

    Who asks two things in one breath is answered on the second (现在方便吗……给您开一个好吗); 本人吗还是家人呢 is one question.
    """
    hits = ctx.hits(question) if turns else ()
    asking = {place.turn for hit in hits for place in (hit.position, hit.end)}
    found = []
    for turn in turns if asking else ():
        asked: list[int] = []  # the other side's turns since, last first
        for index in range(turn.index - 1, -1, -1):
            earlier = ctx.view.turns[index]
            if earlier.role is not turn.role:
                asked.append(index)
            elif not is_backchannel(earlier):
                break
        if not asking.isdisjoint(asked):
            near = (hit for hit in hits if hit.end.turn in asked or hit.position.turn in asked)
            if any(_is_last_asked(ctx, hit, asked[0]) for hit in near):
                found.append(turn.index)
    return frozenset(found)


def _is_last_asked(ctx: Context, hit: Hit, last_turn: int) -> bool:
    between = [turn for turn in ctx.view.turns[hit.end.turn : last_turn + 1] if turn.role is ctx.view.turns[hit.end.turn].role]
    rest = "".join(turn.text for turn in between)[hit.end.char :]
    if len(rest) > ANSWER_REACH:
        return False
    same = _SAME_QUESTION.match(rest)
    if same is not None and len(rest) < _SHORT_TAIL:
        return True
    tail = rest[same.end() if same is not None else 0 :]
    return _ASKS_AGAIN.search(tail) is None and _LATER_SENTENCE_ASKS.search(tail) is None


def _by_count(ctx: Context, turns: Sequence[Turn], roles: frozenset[Role], where: Where) -> list[Turn]:
    kept: list[Turn] = []
    for role in roles:
        own = [turn for turn in turns if turn.role is role]
        # What is muttered after the hang-up is not the end of the call.
        counted = [turn for turn in ctx.view.substantive[role] if turn.after_hangup is bool(where.after_hangup)]
        if where.first_turns is not None and len(counted) > where.first_turns:
            own = [turn for turn in own if turn.index <= counted[where.first_turns - 1].index]
        if where.last_turns is not None and len(counted) > where.last_turns:
            own = [turn for turn in own if turn.index >= counted[-where.last_turns].index]
        kept += own
    if where.first_share is not None:
        limit = where.first_share * len(ctx.view.turns)
        kept = [turn for turn in kept if turn.index < limit]
    return sorted(kept, key=lambda turn: turn.index)


def _in_time(turn: Turn, start_s: float | None, end_s: float | None) -> bool:
    if turn.start_s is None or turn.end_s is None:
        return True
    return not ((start_s is not None and turn.end_s <= start_s) or (end_s is not None and turn.start_s >= end_s))


def _nth(ctx: Context, relation: Relation) -> Hit | None:
    hits = ctx.hits(relation.signal)
    index = relation.nth - 1 if relation.nth > 0 else relation.nth
    return hits[index] if -len(hits) <= index < len(hits) else None


def _near(turn: Turn, anchor: Hit, relation: Relation) -> bool:
    if relation.within_turns is not None and abs(turn.index - anchor.end.turn) > relation.within_turns:
        return False
    if relation.within_s is None or turn.start_s is None or turn.end_s is None or anchor.start_s is None or anchor.end_s is None:
        return True
    return turn.start_s - anchor.end_s <= relation.within_s and anchor.start_s - turn.end_s <= relation.within_s
