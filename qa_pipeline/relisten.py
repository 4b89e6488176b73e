"""Second listening: before an accusation stands, the span it rests on is heard again.

An omission (or a commission found by sound or with little confidence) is first a suspicion. The turns it rests on are heard again
with a wider beam, several hypotheses and the clause's neutral words as hot-words (never forbidden ones). Then the rule is asked again:
an omission is cleared when either reading holds what was missing; an unsure commission stands only when the second reading has it too.
Both readings stay in the evidence, and the reason says which one decided. Pure but for ``Listener``, which hears and remembers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil
from typing import Protocol

from qa_pipeline.acts.understanding import forget, twice
from qa_pipeline.audit import audit_one
from qa_pipeline.model import (
    ChannelSpan,
    Conversation,
    Evidence,
    EvidenceKind,
    Outcome,
    Strength,
    Turn,
    Verdict,
)
from qa_pipeline.rules.book import Rule, RuleBook
from qa_pipeline.rules.ordinals import renumber
from qa_pipeline.text.normalise import normalise

SURE = 0.85  # recogniser confidence from which a commission found by its own characters needs no second listening
MARGIN_S = 0.4  # heard before and after a turn, as in the first listening: speech may begin before it is noticed
MAX_SPAN_S = 28.0  # one window of the recogniser
MAX_HOTWORDS = 24
_PARTS = re.compile(r"\w+")
FASTEST = 9.0  # letters a second: a reading with more (and two to spare) was not said in that time
_SPOKEN = (Strength.EXACT, Strength.PHONETIC, Strength.FUZZY, Strength.MEANING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A span to hear again and the words to lean towards."""

    span: ChannelSpan
    hotwords: tuple[str, ...]


class Listener(Protocol):
    """Hears spans of one recording again: for each request the readings, best first. The same request, the same readings."""

    def hear(self, requests: tuple[Request, ...]) -> tuple[tuple[str, ...], ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Suspicion:
    rule: Rule
    outcomes: tuple[Outcome, ...]
    turns: frozenset[int]


def second_listening(
    book: RuleBook, conversation: Conversation, outcomes: tuple[Outcome, ...], listener: Listener
) -> tuple[Outcome, ...]:
    """The outcomes after the second listening; only violations can change, and only in the agent's favour."""
    suspicions = list(_suspicions(book, conversation, outcomes))
    if not suspicions:
        return outcomes
    readings = _hear(conversation, suspicions, listener)
    changed: dict[str, tuple[Outcome, ...]] = {}
    for suspicion in suspicions:
        changed[suspicion.rule.spec.rule] = _decide(book, conversation, suspicion, readings)
    result: list[Outcome] = []
    for outcome in outcomes:
        if outcome.rule_id not in changed:
            result.append(outcome)
        elif outcome.ordinal == 0:
            result += changed[outcome.rule_id]
    return tuple(result)


def _suspicions(book: RuleBook, conversation: Conversation, outcomes: tuple[Outcome, ...]) -> Iterable[_Suspicion]:
    for rule in book.rules:
        own = tuple(outcome for outcome in outcomes if outcome.rule_id == rule.spec.rule and outcome.verdict is Verdict.VIOLATION)
        if not own or not rule.spec.judge_is_spoken:
            continue
        turns = _searched(conversation, own) if rule.spec.judge.omission else _unsure(own)
        timed = frozenset(index for index in turns if conversation.turns[index].start_s is not None)
        if timed:
            yield _Suspicion(rule=rule, outcomes=own, turns=timed)


def _searched(conversation: Conversation, outcomes: tuple[Outcome, ...]) -> set[int]:
    """The turns in which something was looked for: those of the searched role within the searched time."""
    turns: set[int] = set()
    for outcome in outcomes:
        for item in outcome.evidence:
            if item.kind is EvidenceKind.SEARCHED and item.start_s is not None and item.end_s is not None:
                turns |= {
                    turn.index
                    for turn in conversation.turns
                    if item.role in (None, turn.role)
                    and turn.start_s is not None
                    and turn.end_s is not None
                    and turn.start_s >= item.start_s - 0.01
                    and turn.end_s <= item.end_s + 0.01
                }
    return turns


def _unsure(outcomes: tuple[Outcome, ...]) -> set[int]:
    """The turns of spoken hits that were found by sound, or with little confidence."""
    return {
        item.turn
        for outcome in outcomes
        for item in outcome.evidence
        if item.kind is EvidenceKind.HIT
        and item.turn is not None
        and item.strength in _SPOKEN
        and (item.strength is not Strength.EXACT or (item.confidence is not None and item.confidence < SURE))
    }


def _hear(conversation: Conversation, suspicions: list[_Suspicion], listener: Listener) -> Mapping[int, tuple[str, ...]]:
    """Readings of every turn that any suspicion rests on; each turn is heard once."""
    wanted = sorted({index for suspicion in suspicions for index in suspicion.turns})
    requests: list[Request] = []
    owners: list[int] = []
    for index in wanted:
        words: dict[str, None] = {}
        for suspicion in suspicions:
            if index in suspicion.turns:
                words.update(dict.fromkeys(suspicion.rule.spec.hotwords))
        for span in _spans(conversation.turns[index]):
            requests.append(Request(span=span, hotwords=tuple(words)[:MAX_HOTWORDS]))
            owners.append(index)
    answers = listener.hear(tuple(requests))
    readings: dict[int, tuple[str, ...]] = {}
    for index, request, heard in zip(owners, requests, answers, strict=True):
        answer = tuple(reading for reading in heard if _credible(reading, request))
        earlier = readings.get(index)
        readings[index] = answer if earlier is None else _joined(earlier, answer)
    return readings


def _credible(reading: str, request: Request) -> bool:
    """Whether somebody may have said it. Asked to lean towards words, a recogniser writes them over noise and breath: such an
    echo of the hot-words, or more than a mouth can say in the time, is no reading and must neither clear nor accuse."""
    letters = sum(letter.isalnum() for letter in reading)
    if letters > FASTEST * (request.span.end_s - request.span.start_s - MARGIN_S) + 2:  # at most one margin of the two is speech
        return False
    listed = [part for part in _PARTS.findall(reading) if part in request.hotwords]  # said one by one, as they stand in the list
    return len(set(listed)) < 2 or 2 * sum(map(len, listed)) < letters


def _joined(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """Readings of a long turn heard in pieces: the best with the best, the second with the second."""
    pairs = ((_ranked(first, nth), _ranked(second, nth)) for nth in range(max(len(first), len(second))))
    return tuple("，".join(filter(None, pair)) for pair in pairs)


def _ranked(readings: tuple[str, ...], rank: int) -> str:
    """The reading of a rank, the last one where there are fewer."""
    return readings[min(rank, len(readings) - 1)] if readings else ""


def _spans(turn: Turn) -> list[ChannelSpan]:
    """The turn with a margin, cut at its word gaps into what fits one window."""
    assert turn.start_s is not None and turn.end_s is not None
    channel = turn.channel or 0
    cuts = [turn.start_s]
    last_gap: float | None = None
    for earlier, later in pairwise(turn.words):
        if later.end_s - cuts[-1] > MAX_SPAN_S - 2 * MARGIN_S:
            cuts.append(last_gap if last_gap is not None and last_gap > cuts[-1] else earlier.end_s)
        last_gap = (earlier.end_s + later.start_s) / 2
    cuts = _short_enough([*cuts, turn.end_s])
    spans = []
    for nth, (start, end) in enumerate(pairwise(cuts)):
        low = max(0.0, start - MARGIN_S) if nth == 0 else start
        high = end + MARGIN_S if nth == len(cuts) - 2 else end
        spans.append(ChannelSpan(channel=channel, start_s=round(low, 3), end_s=round(min(high, low + MAX_SPAN_S), 3)))
    return spans


def _short_enough(cuts: list[float]) -> list[float]:
    """What has no word times to be cut by is cut evenly: nothing that was searched may go unheard."""
    fine = cuts[:1]
    for start, end in pairwise(cuts):
        pieces = max(1, ceil((end - start) / (MAX_SPAN_S - 2 * MARGIN_S) - 1e-9))
        fine += [start + (end - start) * nth / pieces for nth in range(1, pieces + 1)]
    return fine


def _decide(
    book: RuleBook, conversation: Conversation, suspicion: _Suspicion, readings: Mapping[int, tuple[str, ...]]
) -> tuple[Outcome, ...]:
    exhibits = tuple(_exhibit(conversation.turns[index], readings.get(index, ())) for index in sorted(suspicion.turns))
    if suspicion.rule.spec.judge.omission:
        both = _with_readings(conversation, suspicion.turns, readings, lambda turn, said: "，".join((turn.raw, *said)))
        both = replace(both, turns=tuple(_meant(book, conversation, turn, readings) for turn in both.turns))
        again = audit_one(book, suspicion.rule, both)
        if any(outcome.verdict is Verdict.VIOLATION for outcome in again):
            kept = _matching(suspicion.outcomes, again)
            return tuple(_told(outcome, "复听后仍没有听到", exhibits) for outcome in renumber(kept))
        return (_told(again[0], "复听时听到，以复听为准", exhibits),)
    return _confirm(book, conversation, suspicion, readings, exhibits)


def _left(
    book: RuleBook, conversation: Conversation, suspicion: _Suspicion, index: int, readings: tuple[str, ...]
) -> Iterable[set[int]]:
    """The turns of every violation that is left when one turn was said as one of its readings has it.

    Turn by turn: the second guess at one turn has nothing to do with the second guess at another. Where nothing was heard again
    nothing is said: the first reading must not confirm itself.
    """
    for reading in readings or ("",):
        other = _with_readings(conversation, frozenset({index}), {index: (reading,)}, lambda turn, said: said[0])
        for outcome in audit_one(book, suspicion.rule, other):
            if outcome.verdict is Verdict.VIOLATION:
                yield {item.turn for item in outcome.evidence if item.kind is EvidenceKind.HIT and item.turn is not None}


def _matching(outcomes: tuple[Outcome, ...], again: tuple[Outcome, ...]) -> list[Outcome]:
    """Of the first outcomes those that are left when both readings count; what is missing may have become less."""
    still = [outcome for outcome in again if outcome.verdict is Verdict.VIOLATION]
    if len(outcomes) == 1 and len(still) == 1:
        first, left = outcomes[0], still[0]
        return [first if first.missing == left.missing else replace(first, missing=left.missing, reason=left.reason)]
    starts = {_place(outcome) for outcome in still}
    return [outcome for outcome in outcomes if _place(outcome) in starts] or list(outcomes[: len(still)])


def _place(outcome: Outcome) -> tuple[float | None, int | None]:
    hit = next((item for item in outcome.evidence if item.kind is EvidenceKind.HIT), None)
    return (hit.start_s, hit.turn) if hit is not None else (None, None)


def _confirm(
    book: RuleBook,
    conversation: Conversation,
    suspicion: _Suspicion,
    readings: Mapping[int, tuple[str, ...]],
    exhibits: tuple[Evidence, ...],
) -> tuple[Outcome, ...]:
    left = {index: list(_left(book, conversation, suspicion, index, readings.get(index, ()))) for index in suspicion.turns}
    decided: list[Outcome] = []
    for outcome in suspicion.outcomes:
        turns = {item.turn for item in outcome.evidence if item.kind is EvidenceKind.HIT and item.turn is not None}
        unsure = turns & suspicion.turns
        if not unsure:
            decided.append(outcome)
        elif all(any(hits & (unsure if len(turns) == 1 else turns) for hits in left[index]) for index in unsure):
            decided.append(_told(outcome, "复听也听到", exhibits))
        else:
            doubtful = replace(outcome, verdict=Verdict.NOT_EVALUATED, review=False, confidence=None)
            decided.append(_told(doubtful, "复听没有听到，两次听写不一致，不予认定", exhibits))
    standing = [outcome for outcome in decided if outcome.verdict is Verdict.VIOLATION]
    return renumber(standing) if standing else renumber(decided[:1])


def _with_readings(
    conversation: Conversation,
    turns: frozenset[int],
    readings: Mapping[int, tuple[str, ...]],
    combine: Callable[[Turn, tuple[str, ...]], str],
) -> Conversation:
    """The conversation with other words in some turns. Word times do not fit the new words: places are by proportion."""
    changed = []
    for turn in conversation.turns:
        said = readings.get(turn.index, ())
        if turn.index in turns and said:
            raw = combine(turn, said)
            normal = normalise(raw)
            turn = replace(turn, raw=raw, text=normal.text, to_raw=normal.to_raw, words=())
        changed.append(turn)
    return replace(conversation, turns=forget(changed, turns))


def _meant(book: RuleBook, conversation: Conversation, both: Turn, readings: Mapping[int, tuple[str, ...]]) -> Turn:
    """A turn with all readings, doing what its first hearing or the best of the second does."""
    heard = conversation.turns[both.index]
    if both.text == heard.text:
        return replace(both, acts=heard.acts)
    return replace(both, acts=twice(book.reader, conversation.turns, heard, normalise(readings[both.index][0]).text))


def _exhibit(turn: Turn, said: tuple[str, ...]) -> Evidence:
    return Evidence(
        kind=EvidenceKind.READING,
        quote=said[0] if said else "",
        turn=turn.index,
        role=turn.role,
        start_s=turn.start_s,
        end_s=turn.end_s,
        note=f"第一次听作“{_short(turn.raw)}”"
        + (f"；另有 {len(said) - 1} 种听法" if len(said) > 1 else "" if said else "；复听什么也没有听到"),
    )


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:30] + "……" + text[-30:]


def _told(outcome: Outcome, how: str, exhibits: tuple[Evidence, ...]) -> Outcome:
    return replace(outcome, reason=f"{outcome.reason}（{how}）", evidence=outcome.evidence + exhibits[:6])
