"""What every turn of a conversation does, read once and kept with it: judging again never reads again."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from qa_pipeline.acts.encoding import Said
from qa_pipeline.acts.reader import ActReader
from qa_pipeline.model import Act, Conversation, Role, Turn

BEFORE_TURNS = 2
_QUOTED = re.compile("“[^”]*”|‘[^’]*’|「[^」]*」|《[^》]*》")


def understand(conversation: Conversation, reader: ActReader) -> Conversation:
    """The conversation with the acts of every turn. Where a role is a guess, the turn is read as words of either side."""
    if all(turn.acts is not None for turn in conversation.turns):
        return conversation
    turns = conversation.turns
    read = (turn if turn.acts is not None else replace(turn, acts=_acts(reader, turns, turn)) for turn in turns)
    return replace(conversation, turns=tuple(read))


def acts_of(reader: ActReader, turns: Sequence[Turn], turn: Turn, agents: bool) -> tuple[Act, ...]:
    """The acts of one turn as words of one side, whoever said it."""
    if turn.acts is not None:
        return turn.acts
    return reader.read(Said(agents, _own_words(turn.text)), _before(turns, turn))


def twice(reader: ActReader, turns: Sequence[Turn], turn: Turn, again: str) -> tuple[Act, ...]:
    """What a turn does by its own words or by another hearing of them (``again``, behind them with one mark between), whichever is
    surer. Other guesses of that hearing are not asked: among many, one always seems to do it."""
    first = turn.acts if turn.acts is not None else _acts(reader, turns, turn)
    second = _acts(reader, turns, replace(turn, text=again, acts=None))
    surest = {act.name: act for act in first}
    for act in second:
        if act.name not in surest or act.sure > surest[act.name].sure:
            surest[act.name] = replace(act, at=len(turn.text) + 1 + act.at)
    return tuple(surest.values())


def forget(turns: Sequence[Turn], changed: Collection[int]) -> tuple[Turn, ...]:
    """The turns without the acts that no longer hold, because they or what was said before them is another."""
    stale = {index + after for index in changed for after in range(BEFORE_TURNS + 1)}
    return tuple(replace(turn, acts=None) if turn.index in stale else turn for turn in turns)


def _acts(reader: ActReader, turns: Sequence[Turn], turn: Turn) -> tuple[Act, ...]:
    sides = (turn.role is not Role.CUSTOMER,) if turn.role_source.known else (True, False)
    return tuple(act for agents in sides for act in acts_of(reader, turns, turn, agents))


def _own_words(text: str) -> str:
    """What a person wrote down in quotation marks, or as a title, was said by somebody else: it is left out, place for place."""
    return _QUOTED.sub(lambda match: "，" * len(match.group()), text)


def _before(turns: Sequence[Turn], turn: Turn) -> tuple[Said, ...]:
    earlier = turns[max(0, turn.index - BEFORE_TURNS) : turn.index]
    return tuple(Said(other.role is not Role.CUSTOMER, other.text) for other in earlier)
