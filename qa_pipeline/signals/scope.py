"""Where a signal is looked for: role, part of the call, before or after another signal, in answer to a question."""

from __future__ import annotations

import re

from qa_pipeline.model import Role, Turn
from qa_pipeline.signals.base import NOWHERE, Context, Hit, Relation, Scope, Where, Who, Window
from qa_pipeline.signals.view import Passage, Position, is_backchannel

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


def make_scope(ctx: Context, who: Who, where: Where) -> Scope:
    """The scope of one signal in one call. An ``after`` whose signal was not found leaves an empty scope."""
    if not where.alone:
        return _make_scope(ctx, who, where)
    known = ctx.view.scopes.get((who, where))
    if not isinstance(known, Scope):
        known = ctx.view.scopes[who, where] = _make_scope(ctx, who, where)
    return known


def _make_scope(ctx: Context, who: Who, where: Where) -> Scope:
    roles = _ROLES[who]
    turns = [turn for turn in ctx.view.turns if turn.role in roles]
    turns = _by_count(ctx, turns, roles, where)
    start_s, end_s = _seconds(ctx, where)
    turns = [turn for turn in turns if _in_time(turn, start_s, end_s)]
    low, high = NOWHERE, None
    if where.after is not None:
        anchor = _nth(ctx, where.after)
        if anchor is None:
            return Scope(windows=(), turns=frozenset())
        low = anchor.end
        turns = [turn for turn in turns if turn.index >= anchor.end.turn and _near(turn, anchor, where.after)]
        start_s = anchor.end_s if start_s is None else start_s
    if where.before is not None:
        anchor = _nth(ctx, where.before)
        if anchor is not None:
            high = anchor.position
            turns = [turn for turn in turns if turn.index <= high.turn and _near(turn, anchor, where.before)]
    if where.after_hangup is not None:
        turns = [turn for turn in turns if turn.after_hangup is where.after_hangup]
    if where.answering is not None:
        turns = [turn for turn in turns if answers(ctx, turn, where.answering)]
    if where.not_answering is not None:
        turns = [turn for turn in turns if not answers(ctx, turn, where.not_answering)]
    allowed = frozenset(turn.index for turn in turns)
    windows = tuple(_windows(ctx, allowed, low, high))
    return Scope(windows=windows, turns=allowed, start_s=start_s, end_s=end_s, low=low, high=high)


def answers(ctx: Context, turn: Turn, question: str) -> bool:
    """Whether ``turn`` replies to a hit of ``question``: asked by the other side since, and last of all.

    Who asks two things in one breath is answered on the second (现在方便吗……给您开一个好吗); 本人吗还是家人呢 is one question.
    """
    asked: set[int] = set()
    for earlier in reversed(ctx.view.turns[: turn.index]):
        if earlier.role is turn.role:
            if is_backchannel(earlier):
                continue
            break
        asked.add(earlier.index)
    for hit in ctx.hits(question):
        if (hit.end.turn in asked or hit.position.turn in asked) and _is_last_asked(ctx, hit, max(asked)):
            return True
    return False


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


def _by_count(ctx: Context, turns: list[Turn], roles: frozenset[Role], where: Where) -> list[Turn]:
    if where.first_turns is None and where.last_turns is None and where.first_share is None:
        return turns
    kept: list[Turn] = []
    for role in roles:
        own = [turn for turn in turns if turn.role is role]
        counted = ctx.view.substantive[role]
        if where.first_turns is not None and len(counted) > where.first_turns:
            own = [turn for turn in own if turn.index <= counted[where.first_turns - 1].index]
        if where.last_turns is not None and len(counted) > where.last_turns:
            own = [turn for turn in own if turn.index >= counted[-where.last_turns].index]
        kept += own
    if where.first_share is not None:
        limit = where.first_share * len(ctx.view.turns)
        kept = [turn for turn in kept if turn.index < limit]
    return sorted(kept, key=lambda turn: turn.index)


def _seconds(ctx: Context, where: Where) -> tuple[float | None, float | None]:
    duration = ctx.duration_s
    start = duration - where.last_s if where.last_s is not None and duration is not None else None
    return start, where.first_s


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


def _windows(ctx: Context, allowed: frozenset[int], low: Position, high: Position | None) -> list[Window]:
    windows: list[Window] = []
    for passage in ctx.view.passages:
        inside = [turn.index in allowed for turn in passage.turns]
        if not any(inside):
            continue
        if all(inside) and low == NOWHERE and high is None:
            windows.append(Window(passage, 0, len(passage.chars)))
        else:
            windows += _stretches(passage, allowed, low, high)
    return windows


def _stretches(passage: Passage, allowed: frozenset[int], low: Position, high: Position | None) -> list[Window]:
    windows: list[Window] = []
    start: int | None = None
    for offset, (nth, char) in enumerate(passage.at):
        position = Position(passage.turns[nth].index, char)
        inside = position.turn in allowed and position >= low and (high is None or position < high)
        if inside and start is None:
            start = offset
        if not inside and start is not None:
            windows.append(Window(passage, start, offset))
            start = None
    if start is not None:
        windows.append(Window(passage, start, len(passage.at)))
    return windows
