"""Samples in the store: the frame taken from the calls of a day or week, the draw on record, cases opened from it, rates.

``qualified_rates`` is the one definition of the pass rate (复核合格率): pages, commands and reports all ask here.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from qa_pipeline.casework import agreement, assigning, cases, followup
from qa_pipeline.casework.cases import Case, Opening
from qa_pipeline.casework.sampling import Drawn, FrameCall, Plan, draw, frame_digest
from qa_pipeline.casework.stats import Rate, weighted
from qa_pipeline.casework.values import CaseKind, CaseState, Post
from qa_pipeline.errors import CaseworkError
from qa_pipeline.text.order import in_order

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

DAILY, WEEKLY = "daily", "weekly"
_FRAME = """
    SELECT call.call_id, call.agent_id, call.team, call.outcome,
        coalesce(run.duration_s, date_diff('millisecond', coalesce(call.answered_at, call.started_at), call.ended_at) / 1000.0),
        coalesce(call.complaint, false)
            OR call.call_id IN (SELECT call_id FROM complaints_now WHERE call_id IS NOT NULL AND state <> '投诉不成立'),
        coalesce(card.fatal, false)
    FROM (SELECT * FROM call_versions WHERE seq IN (SELECT max(seq) FROM call_versions WHERE seq <= ? GROUP BY call_id)) AS call
    LEFT JOIN current_runs AS run USING (call_id)
    LEFT JOIN scorecards AS card USING (run_id)
    WHERE call.started_at >= ?::DATE AND call.started_at < ?::DATE + 1
        AND coalesce(call.outcome, '') <> 'no_answer'
    ORDER BY call.call_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be drawn. Empty values come from the settings; the seed from level and dates."""

    date_from: date
    date_to: date
    level: str = DAILY
    rate: float | None = None
    floor: int | None = None
    seed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    sample_id: str
    order: Order
    plan: Plan
    frame: int  # valid calls
    items: tuple[Drawn, ...]
    fresh: bool = field(default=True)  # drawn now, not found in the store

    @property
    def base(self) -> list[Drawn]:
        return [item for item in self.items if item.base]

    @property
    def added(self) -> list[Drawn]:
        return [item for item in self.items if not item.base]


def take(tx: Tx, order: Order) -> Sample:
    """Draws and records a sample. The same level and dates again give the recorded one: a day is drawn once."""
    tx.need(Post.QA_LEAD, Post.MANAGER)
    if order.level not in (DAILY, WEEKLY) or order.date_to < order.date_from:
        raise CaseworkError("抽样的日期要从早到晚，级别只能是每日或每周二级。", command="级别写 daily 或 weekly。")
    known = tx.row(
        "SELECT sample_id FROM samples WHERE level = ? AND date_from = ? AND date_to = ?",
        [order.level, order.date_from, order.date_to],
    )
    if known is not None:
        return load(tx, known[0])
    last = tx.row("SELECT coalesce(max(seq), 0) FROM call_versions")
    mark = int(last[0]) if last else 0
    frame = _frame(tx, order, mark)
    if not frame:
        raise CaseworkError(f"{_days(order)} 没有有效录音可抽：当天的清单还没有读入。", command="请先用 qa run 或 qa day 读入。")
    plan = _plan(tx, order)
    items = draw(frame, plan)
    sample_id = f"{'D' if order.level == DAILY else 'W'}{order.date_from:%Y%m%d}"
    _record(tx, sample_id, order, plan, mark, frame)
    _record_items(tx, sample_id, items)
    detail = {"frame": len(frame), "base": sum(item.base for item in items), "added": sum(not item.base for item in items)}
    tx.log("sample", sample_id, {"seed": plan.seed, **detail})
    return Sample(sample_id=sample_id, order=order, plan=plan, frame=len(frame), items=items)


def load(tx: Tx, sample_id: str) -> Sample:
    """A recorded sample. Raises CaseworkError when there is none."""
    from qa_pipeline.store.codec import from_json

    row = tx.row("SELECT date_from, date_to, level, plan, frame FROM samples WHERE sample_id = ?", [sample_id])
    if row is None:
        raise CaseworkError(f"没有抽样 {sample_id}。")
    plan = from_json(row[3], Plan)
    order = Order(date_from=row[0], date_to=row[1], level=row[2], rate=plan.rate, floor=plan.floor, seed=plan.seed)
    stored = tx.rows(
        "SELECT call_id, agent_id, team, base, marks, population, drawn FROM sample_items WHERE sample_id = ? ORDER BY call_id",
        [sample_id],
    )
    items = tuple(
        Drawn(
            call=FrameCall(call_id=call_id, agent_id=agent_id, team=team),
            base=base,
            marks=tuple(marks),
            population=population,
            drawn=drawn,
        )
        for call_id, agent_id, team, base, marks, population, drawn in stored
    )
    return Sample(sample_id=sample_id, order=order, plan=plan, frame=row[4], items=items, fresh=False)


def replay(tx: Tx, sample_id: str) -> list[str]:
    """Draws a recorded sample again from the calls as they were known then; what differs, in Chinese (empty: it is the same).

    Whether a call was critical or a complaint may have changed since; the random part may not.
    """
    sample = load(tx, sample_id)
    row = tx.row("SELECT calls_seq FROM samples WHERE sample_id = ?", [sample_id])
    again = draw(_frame(tx, sample.order, int(row[0]) if row else 0), sample.plan)
    then, now = ({item.call.call_id for item in items if item.base} for items in (sample.items, again))
    return [f"原来抽到、重抽没有：{call_id}" for call_id in sorted(then - now)] + [
        f"重抽多出：{call_id}" for call_id in sorted(now - then)
    ]


def open_cases(tx: Tx, sample: Sample) -> list[Case]:
    """A case for every drawn call that has been judged and has none yet; a slice of the random part twice, blind. Assigned evenly.

    Running it again opens only what is missing.
    """
    advice = tuple(sorted(agreement.advice_only(tx)))
    judged = cases.judged_calls(tx, [item.call.call_id for item in sample.items])
    mine = {call_id for (call_id,) in tx.rows("SELECT call_id FROM cases WHERE sample_id = ?", [sample.sample_id])}
    tx.preload([judged[call_id].run_id for call_id in sorted(set(judged) - mine)])
    blind = _blind_slice(sample, tx.settings.blind_share)
    opened: list[Case] = []
    for item in sample.items:
        call_id = item.call.call_id
        if call_id not in judged or call_id in mine:
            continue
        reason = "、".join(item.marks) if item.marks else ("二级抽查" if sample.order.level == WEEKLY else "日常抽查")
        primary = cases.primary_of(tx, call_id)
        kind = CaseKind.PRIMARY if primary is None else CaseKind.SECOND
        if kind is CaseKind.SECOND and sample.order.level == DAILY:
            continue
        opening = Opening(
            call_id=call_id, reason=reason, kind=kind, sample_id=sample.sample_id, pair_of=primary or "", advice=advice
        )
        first = cases.open_case(tx, opening)
        opened.append(first)
        if call_id in blind and kind is CaseKind.PRIMARY:
            second = Opening(
                call_id=call_id,
                reason="盲评",
                kind=CaseKind.BLIND,
                sample_id=sample.sample_id,
                pair_of=first.case_id,
                advice=advice,
            )
            opened.append(cases.open_case(tx, second))
    return assigning.assign_evenly(tx, opened)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the reviews of one group say. ``rate`` is the share of qualified calls, weighted to the whole of the calls."""

    name: str
    reviewed: int
    rate: Rate | None


def qualified_rates(tx: Tx, by: str, first: date | None = None, last: date | None = None) -> list[Found]:
    """Share of qualified calls by ``agent_id`` or ``team`` (or ``all``), from finished cases of the random part of daily samples.

    ``first`` and ``last`` bound the days that were sampled, both included. Weekly second-level samples and calls that were
    added to a sample (complaints, critical ones, re-checks) never count: they were not drawn with the weight of a day.
    """
    if by not in ("agent_id", "team", "all"):
        raise CaseworkError(f"合格率只能按 agent（坐席）、team（班组）或 all（合计）统计，写的是“{by}”。")
    rows = tx.rows(
        """SELECT item.agent_id, item.team, item.weight, done.qualified FROM samples AS one
           JOIN sample_items AS item USING (sample_id)
           JOIN case_results_now AS done ON done.call_id = item.call_id AND done.state = ?
           WHERE item.base AND done.qualified IS NOT NULL AND one.level = ? AND one.date_from >= coalesce(?::DATE, one.date_from)
               AND one.date_to <= coalesce(?::DATE, one.date_to)
           ORDER BY item.call_id, item.sample_id""",
        [CaseState.FINISHED, DAILY, first, last],
    )
    groups: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    for agent_id, team, weight, qualified in rows:
        name = {"agent_id": agent_id, "team": team}.get(by, "全部")
        groups[name or "未知"].append((qualified, weight))
    return [
        Found(name=name, reviewed=len(items), rate=weighted(items))
        for name, items in sorted(groups.items(), key=lambda item: in_order(item[0]))
    ]


def _plan(tx: Tx, order: Order) -> Plan:
    daily = order.level == DAILY
    settings = tx.settings
    rate = order.rate if order.rate is not None else (settings.daily_rate if daily else settings.weekly_rate)
    floor = order.floor if order.floor is not None else (settings.agent_floor if daily else 0)
    return Plan(
        seed=order.seed or f"{order.level}-{order.date_from:%Y%m%d}-{order.date_to:%Y%m%d}",
        rate=rate,
        floor=floor,
        extra=settings.recheck_extra if daily else 0,
        recheck=tuple(item.agent_id for item in followup.recheck_list(tx)) if daily else (),
        add_complaints=daily,
        add_critical=daily,
    )


def _frame(tx: Tx, order: Order, mark: int) -> list[FrameCall]:
    shortest = tx.settings.min_valid_s
    rows = tx.rows(_FRAME, [mark, order.date_from, order.date_to])
    return [
        FrameCall(
            call_id=call_id,
            agent_id=agent_id or "",
            team=team or "",
            outcome=outcome or "",
            duration_s=duration_s,
            complaint=complaint,
            critical=critical,
        )
        for call_id, agent_id, team, outcome, duration_s, complaint, critical in rows
        if duration_s is None or duration_s >= shortest
    ]


def _record(tx: Tx, sample_id: str, order: Order, plan: Plan, mark: int, frame: Sequence[FrameCall]) -> None:
    from qa_pipeline.store.codec import to_json

    tx.insert(
        "samples",
        sample_id=sample_id,
        created_at=tx.at,
        by_person=tx.actor.person_id,
        date_from=order.date_from,
        date_to=order.date_to,
        level=order.level,
        seed=plan.seed,
        plan=to_json(plan).decode(),
        calls_seq=mark,
        frame=len(frame),
        frame_digest=frame_digest(frame),
    )


def _record_items(tx: Tx, sample_id: str, items: Sequence[Drawn]) -> None:
    from qa_pipeline.store.bulk import Bulk

    with Bulk() as bulk:
        bulk.add(
            "sample_items",
            (
                {
                    "sample_id": sample_id,
                    "call_id": item.call.call_id,
                    "agent_id": item.call.agent_id,
                    "team": item.call.team,
                    "stratum": item.call.stratum,
                    "base": item.base,
                    "marks": item.marks,
                    "population": item.population,
                    "drawn": item.drawn,
                    "weight": item.weight,
                }
                for item in items
            ),
        )
        bulk.insert(tx.connection, "sample_items")


def _blind_slice(sample: Sample, share: float) -> set[str]:
    """A seeded slice of the random part."""
    calls = sorted(item.call.call_id for item in sample.base)
    chance = random.Random(f"{sample.plan.seed}/blind")
    return set(chance.sample(calls, round(share * len(calls)))) if calls else set()


def _days(order: Order) -> str:
    return f"{order.date_from}" if order.date_from == order.date_to else f"{order.date_from} 至 {order.date_to}"
