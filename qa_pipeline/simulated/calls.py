"""The calls of a simulated month: who calls whom, when, about what, and with which faults. Seeded; no clock, no store."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property

from qa_pipeline.model import CallData, CallOutcome, CallType, Conversation, HangupBy
from qa_pipeline.simulated import dialogue
from qa_pipeline.simulated.dialogue import PRODUCTS, Product, Script
from qa_pipeline.speakers import conversation_from_turns

FIRST_DAY = date(2026, 11, 2)  # a Monday
# How often an average agent breaks a clause in a call of the kind where it can be broken. Invented, so that a month looks alive:
# about one call in six has a finding.
SALE_FAULTS = {"A10": 0.02, "A11": 0.015, "A12": 0.025, "A13": 0.03, "B5": 0.004, "C1": 0.012, "C4": 0.01}
EVERY_FAULTS = {
    "A01": 0.02,
    "A02": 0.02,
    "A04": 0.012,
    "A05": 0.012,
    "A06": 0.008,
    "A14": 0.004,
    "A17": 0.006,
    "B3a": 0.03,
    "B7": 0.0015,
}
REFUSAL_FAULTS = {"B4": 0.03}
MADE_FAULTS = frozenset((*SALE_FAULTS, *EVERY_FAULTS, *REFUSAL_FAULTS))
# What a listener also finds where a fault was made.
IMPLIED = {
    "A01": ("D1",),
    "A02": ("B3a",),
    "A06": ("A02", "B3a", "B3b"),
    "A10": ("C3",),
    "A11": ("C3",),
    "A12": ("C3",),
    "A13": ("C3",),
    "A14": ("A01", "D1"),
    "B4": ("A07",),
    "B7": ("A04", "A17", "B1"),
    "C4": ("A07",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """``care``: 1 is average; a careless agent has 3, a careful one 0.3 times the faults."""

    agent_id: str
    name: str
    team: str
    supervisor: str
    care: float
    line: str = "10088"


@dataclass(frozen=True, kw_only=True)
class Size:
    """``scale`` multiplies the calls of a day, not the people or days."""

    scale: int = 1
    seed: int = 2026
    agents: int = 40
    teams: int = 5
    days: int = 20
    calls_a_day: int = 5  # an agent, at scale 1

    @cached_property
    def workdays(self) -> tuple[date, ...]:
        found: list[date] = []
        day = FIRST_DAY
        while len(found) < self.days:
            if day.weekday() < 5:
                found.append(day)
            day += timedelta(days=1)
        return tuple(found)

    @cached_property
    def people(self) -> tuple[Agent, ...]:
        chance = random.Random(f"{self.seed}/people")
        chiefs = [dialogue.person_name(chance) for _ in range(self.teams)]
        return tuple(
            Agent(
                agent_id=str(1001 + number),
                name=dialogue.person_name(chance),
                team=f"{'一二三四五六七八九十'[number % self.teams]}组",
                supervisor=chiefs[number % self.teams],
                care=chance.choice((0.3, 0.6, 1.0, 1.0, 1.0, 1.5, 3.0)),
            )
            for number in range(self.agents)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeCall:
    """``faults``: the clauses that a careful listener finds broken."""

    call: CallData
    conversation: Conversation
    faults: frozenset[str]


def calls_of(size: Size) -> int:
    return len(size.workdays) * len(size.people) * size.calls_a_day * size.scale


def made_calls(size: Size, first: int = 0, count: int | None = None) -> Iterator[MadeCall]:
    """The calls of the month by day, agent and number, from the ``first`` on. Each call has its own seed: it is the same whatever
    else is made."""
    last = calls_of(size) if count is None else min(first + count, calls_of(size))
    each = size.calls_a_day * size.scale
    for index in range(first, last):
        row, number = divmod(index, each)
        day, agent = divmod(row, len(size.people))
        yield _made(size, size.workdays[day], size.people[agent], number)


def _made(size: Size, day: date, agent: Agent, number: int) -> MadeCall:
    chance = random.Random(f"{size.seed}/{day}/{agent.agent_id}/{number}")
    kind = chance.choices(("sale", "refused", "callback", "no_answer", "confirm"), (0.27, 0.45, 0.12, 0.09, 0.07))[0]
    product = chance.choice(PRODUCTS)
    trial = chance.choice((0, 0, 30)) if kind in ("sale", "confirm") else 0
    faults = _faults(chance, kind, agent, trial)
    script = Script(
        chance=chance,
        product=product,
        agent_number=agent.agent_id,
        customer_name=dialogue.person_name(chance),
        faults=faults,
        trial_days=trial,
    )
    writers = {
        "sale": dialogue.sale,
        "refused": dialogue.refusal,
        "callback": dialogue.callback,
        "no_answer": dialogue.no_answer,
        "confirm": dialogue.confirmation,
    }
    writers[kind](script)
    lines = list(dialogue.turns(script.lines, chance, fast="A05" in faults))
    start = _start(day, number, size, chance)
    call = _call_data(_Facts(kind=kind, agent=agent, product=product, trial=trial), script, start, float(lines[-1]["end_s"]))
    call = replace(call, call_id=f"{day:%Y%m%d}-{agent.agent_id}-{number + 1:03d}")
    implied = {other for fault in faults for other in IMPLIED.get(fault, ())}
    return MadeCall(call=call, conversation=conversation_from_turns(call, lines), faults=faults | implied)


def _faults(chance: random.Random, kind: str, agent: Agent, trial: int) -> frozenset[str]:
    if kind == "no_answer":
        return frozenset()
    rates = dict(EVERY_FAULTS)
    if kind == "sale":
        rates |= SALE_FAULTS
    if kind == "refused":
        rates |= REFUSAL_FAULTS
    if not trial:
        rates.pop("A13", None)
    found = {clause for clause, rate in sorted(rates.items()) if chance.random() < rate * agent.care}
    if "A02" in found or "A06" in found:
        found.discard("B3a")
    return frozenset(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    kind: str
    agent: Agent
    product: Product
    trial: int


def _start(day: date, number: int, size: Size, chance: random.Random) -> datetime:
    """Spread over 09:00–17:30, in order of number."""
    share = (number + chance.random() * 0.8) / (size.calls_a_day * size.scale)
    return datetime.combine(day, time(9)) + timedelta(seconds=int(share * 8.5 * 3600))


_KINDS = {
    "sale": (CallType.SALE, CallOutcome.SUCCESS),
    "refused": (CallType.SALE, CallOutcome.REFUSED),
    "callback": (CallType.SALE, CallOutcome.CALLBACK),
    "no_answer": (CallType.SALE, CallOutcome.NO_ANSWER),
    "confirm": (CallType.CONFIRM, CallOutcome.SUCCESS),
}


def _call_data(facts: _Facts, script: Script, start: datetime, talk_s: float) -> CallData:
    call_type, outcome = _KINDS[facts.kind]
    chance = script.chance
    length = talk_s + 1.2
    agent_left = "A06" in script.faults
    return CallData(
        call_id="",
        agent_id=facts.agent.agent_id,
        agent_name=facts.agent.name,
        team=facts.agent.team,
        supervisor=facts.agent.supervisor,
        line=facts.agent.line,
        caller_number="10088",
        customer_number=f"139{chance.randrange(10**8):08d}",
        customer_name=script.customer_name,
        started_at=start.isoformat(),
        answered_at=start.isoformat(),
        ended_at=(start + timedelta(seconds=round(length))).isoformat(),
        hangup_by=HangupBy.SYSTEM if facts.kind == "no_answer" else HangupBy.AGENT if agent_left else HangupBy.CUSTOMER,
        hangup_at=round(length, 1),
        call_type=call_type,
        outcome=outcome,
        product=facts.product.name,
        trial_days=facts.trial or None,
        charged=False if facts.trial else None,
        complaint=bool(script.faults & {"B5", "C4"}) and chance.random() < 0.4,
    )
