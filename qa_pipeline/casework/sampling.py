"""Which calls are looked at: a seeded random sample that can be drawn again, and the calls that are added on purpose.

Pure: calls in, draw out. The random part is drawn per agent, proportionally over outcome × duration by systematic sampling from
a random start, so that every call of an agent has the same chance; the weight (calls of the agent / drawn of them) makes rates
over agents unbiased. Calls added on purpose (re-check, complaint, machine-critical) are marked and carry no weight.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qa_pipeline.casework.stats import Rate

DURATION_STEPS_S = (30.0, 60.0, 180.0)  # bucket borders: most sales calls of the sources' kind last one to three minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCall:
    """One valid call of the frame. ``duration_s`` None: not known before the recording is opened."""

    call_id: str
    agent_id: str = ""
    team: str = ""
    outcome: str = ""
    duration_s: float | None = None
    complaint: bool = False
    critical: bool = False  # the machine found something fatal

    @property
    def stratum(self) -> str:
        return f"{self.team}|{self.agent_id}|{self.outcome}|{_bucket(self.duration_s)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a sample is drawn; recorded with it."""

    seed: str
    rate: float  # share of the frame
    floor: int = 0  # at least so many of every agent, as far as he has calls
    extra: int = 0  # calls added for each agent of ``recheck``
    recheck: tuple[str, ...] = ()  # agents who failed the last sample, sorted
    add_complaints: bool = True
    add_critical: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """``base``: of the random sample, with its weight. ``marks``: why else it is looked at."""

    call: FrameCall
    base: bool
    marks: tuple[str, ...] = ()
    population: int = 0
    drawn: int = 0

    @property
    def weight(self) -> float:
        return self.population / self.drawn if self.base and self.drawn else 0.0


def draw(frame: Sequence[FrameCall], plan: Plan) -> tuple[Drawn, ...]:
    """The sample, by call_id. The same frame and plan give the same sample on every machine."""
    by_agent: dict[str, list[FrameCall]] = defaultdict(list)
    for call in sorted(frame, key=lambda item: item.call_id):
        by_agent[call.agent_id].append(call)
    sizes = _sizes({agent: len(calls) for agent, calls in by_agent.items()}, plan)
    chosen: dict[str, Drawn] = {}
    for agent, calls in by_agent.items():
        for call in _systematic(calls, sizes[agent], random.Random(f"{plan.seed}/{agent}/base")):
            chosen[call.call_id] = Drawn(call=call, base=True, population=len(calls), drawn=sizes[agent])
    for call_id, marks in _added(by_agent, plan, chosen).items():
        known = chosen.get(call_id)
        call = known.call if known else next(item for item in by_agent[marks.agent] if item.call_id == call_id)
        size = len(by_agent[call.agent_id])
        chosen[call_id] = Drawn(
            call=call, base=known is not None, marks=tuple(marks.texts), population=size, drawn=sizes[call.agent_id]
        )
    return tuple(chosen[call_id] for call_id in sorted(chosen))


def frame_digest(frame: Sequence[FrameCall]) -> str:
    """Names the frame, so that a draw can be checked later."""
    lines = sorted(f"{call.call_id}\x1f{call.stratum}\x1f{call.complaint:d}{call.critical:d}" for call in frame)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Standing:
    """One agent or team among the others. ``tier`` 1 is the best; equal tiers cannot be told apart."""

    name: str
    rate: Rate
    tier: int


def standings(rates: Mapping[str, Rate]) -> tuple[Standing, ...]:
    """Tiers of those whose intervals overlap, directly or through others. Nobody is ranked within a tier: the sample cannot
    tell them apart."""
    order = sorted(rates, key=lambda name: (-rates[name].low, name))
    result: list[Standing] = []
    tier, lowest = 0, math.inf
    for name in order:
        if rates[name].high < lowest:
            tier += 1
            lowest = rates[name].low
        else:
            lowest = min(lowest, rates[name].low)
        result.append(Standing(name, rates[name], tier))
    return tuple(sorted(result, key=lambda item: (item.tier, item.name)))


def _bucket(duration_s: float | None) -> str:
    if duration_s is None:
        return "?"
    return str(sum(1 for step in DURATION_STEPS_S if duration_s >= step))


def _sizes(counts: Mapping[str, int], plan: Plan) -> dict[str, int]:
    """How many of each agent: the floor first, then the rest of the rate by largest remainder."""
    wanted = math.ceil(plan.rate * sum(counts.values()) - 1e-9)
    exact = {agent: plan.rate * count for agent, count in counts.items()}
    sizes = {agent: min(count, max(plan.floor, math.floor(exact[agent] + 1e-9))) for agent, count in counts.items()}
    by_remainder = sorted(counts, key=lambda agent: (-(exact[agent] - math.floor(exact[agent] + 1e-9)), agent))
    for agent in by_remainder:
        if sum(sizes.values()) >= wanted:
            break
        if sizes[agent] < counts[agent] and sizes[agent] <= exact[agent]:
            sizes[agent] += 1
    return sizes


def _systematic(calls: Sequence[FrameCall], size: int, chance: random.Random) -> list[FrameCall]:
    """Every k-th call from a random start, over calls shuffled within their stratum: proportional to the strata."""
    if size <= 0:
        return []
    if size >= len(calls):
        return list(calls)
    order = sorted(calls, key=lambda call: call.call_id)
    chance.shuffle(order)
    order.sort(key=lambda call: call.stratum)
    step = len(order) / size
    start = chance.random() * step
    return [order[min(int(start + number * step), len(order) - 1)] for number in range(size)]


@dataclass(slots=True)
class _Marks:
    agent: str
    texts: list[str] = field(default_factory=list)


RECHECK, COMPLAINT, CRITICAL = "重点复查", "客户投诉", "机检致命"


def _added(by_agent: Mapping[str, list[FrameCall]], plan: Plan, chosen: Mapping[str, Drawn]) -> dict[str, _Marks]:
    marks: dict[str, _Marks] = {}

    def mark(call: FrameCall, text: str) -> None:
        marks.setdefault(call.call_id, _Marks(call.agent_id)).texts.append(text)

    for agent in plan.recheck:
        left = [call for call in by_agent.get(agent, []) if call.call_id not in chosen]
        for call in _systematic(left, min(plan.extra, len(left)), random.Random(f"{plan.seed}/{agent}/recheck")):
            mark(call, RECHECK)
    for calls in by_agent.values():
        for call in calls:
            if plan.add_complaints and call.complaint:
                mark(call, COMPLAINT)
            if plan.add_critical and call.critical:
                mark(call, CRITICAL)
    return marks
