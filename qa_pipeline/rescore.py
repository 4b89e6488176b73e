"""Stored conversations judged again with other rules or another policy: no recognition, no audio.

``rescore`` stores the new verdicts; ``difference`` only tells what would change: newly flagged, cleared, score and yuan.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice

from qa_pipeline.hearing import Heard
from qa_pipeline.judge import Judge
from qa_pipeline.model import AuditRun, Outcome, Verdict
from qa_pipeline.store import BatchInfo, Store

BATCH_CALLS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One finding that only one of the two rule sets makes."""

    call_id: str
    agent_id: str
    clause: str
    title: str
    kind: str  # 新增 | 撤销
    reason: str
    quote: str
    customer_name: str = ""  # so that whoever prints the words can cover it


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Before and after over some calls."""

    calls: int = 0
    flagged: int = 0
    cleared: int = 0
    scored_before: int = 0  # calls that have a score
    scored_after: int = 0
    score_before: int = 0
    score_after: int = 0
    fine_before: Decimal = Decimal(0)
    fine_after: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    calls: int
    changed_calls: int
    changes: tuple[Change, ...]
    clauses: dict[str, tuple[int, int]]  # clause → newly flagged, cleared
    agents: dict[str, Sum]
    total: Sum
    unpriced: tuple[str, ...] = ()  # clauses newly flagged that the policy does not know: they cost nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class RescoreResult:
    calls: int
    new: int  # runs that differ from every stored one


def judged_again(store: Store, judge: Judge, *, told: Callable[[], None] = lambda: None) -> Iterator[tuple[AuditRun, AuditRun]]:
    """Every current run with its successor."""
    runs = store.iter_runs()
    while page := list(islice(runs, BATCH_CALLS)):
        kept = store.transcripts.kept(run.provenance.audio_hash for run in page if run.recording is not None)
        for before in page:
            recording, engine = before.recording, before.provenance.engine
            path = recording.path if recording is not None else None
            heard = Heard(engine=engine, recording=recording, path=path, kept=kept.get(before.provenance.audio_hash))
            yield before, judge(before.conversation, heard)
            told()


def rescore(store: Store, judge: Judge, now: datetime, *, told: Callable[[], None] = lambda: None) -> RescoreResult:
    batch = BatchInfo(
        batch_id=f"rescore-{now:%Y%m%dT%H%M%S%f}",
        started_at=now.isoformat(timespec="seconds"),
        command="rescore",
        options=judge.batch_options,
    )
    waiting: list[AuditRun] = []
    calls = new = 0
    for _, after in judged_again(store, judge, told=told):
        calls += 1
        waiting.append(after)
        if len(waiting) >= BATCH_CALLS:
            new += store.save(waiting, batch)
            waiting = []
    if waiting:
        new += store.save(waiting, batch)
    return RescoreResult(calls=calls, new=new)


def difference(store: Store, judge: Judge, *, told: Callable[[], None] = lambda: None) -> Difference:
    """What ``judge`` would make of the stored calls; stores nothing."""
    changes: list[Change] = []
    agents: dict[str, Sum] = {}
    total = Sum()
    changed = 0
    counting: set[str] = set()  # clauses with findings that are more than advice
    for before, after in judged_again(store, judge, told=told):
        found = _changes(before, after)
        changes += found
        counting |= {item.clause for item in _findings(after) if not item.advice}
        flagged = sum(1 for change in found if change.kind == "新增")
        one = Sum(
            calls=1,
            flagged=flagged,
            cleared=len(found) - flagged,
            scored_before=before.scorecard.score is not None,
            scored_after=after.scorecard.score is not None,
            score_before=before.scorecard.score or 0,
            score_after=after.scorecard.score or 0,
            fine_before=before.scorecard.fine_yuan,
            fine_after=after.scorecard.fine_yuan,
        )
        changed += bool(found) or before.scorecard != after.scorecard
        agent = before.conversation.call.agent_id or "（未知）"
        agents[agent] = _plus(agents.get(agent, Sum()), one)
        total = _plus(total, one)
    clauses: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for change in changes:
        clauses[change.clause][change.kind != "新增"] += 1
    return Difference(
        calls=total.calls,
        changed_calls=changed,
        changes=tuple(changes),
        clauses={clause: (counts[0], counts[1]) for clause, counts in sorted(clauses.items())},
        agents=dict(sorted(agents.items())),
        total=total,
        unpriced=tuple(judge.policy.unpriced(clause for clause in sorted(clauses) if clauses[clause][0] and clause in counting)),
    )


def _plus(one: Sum, other: Sum) -> Sum:
    return Sum(
        calls=one.calls + other.calls,
        flagged=one.flagged + other.flagged,
        cleared=one.cleared + other.cleared,
        scored_before=one.scored_before + other.scored_before,
        scored_after=one.scored_after + other.scored_after,
        score_before=one.score_before + other.score_before,
        score_after=one.score_after + other.score_after,
        fine_before=one.fine_before + other.fine_before,
        fine_after=one.fine_after + other.fine_after,
    )


def _changes(before: AuditRun, after: AuditRun) -> list[Change]:
    """Findings by what they rest on: the same words found by a renumbered hit are no change."""
    old, new = Counter(map(_fact, _findings(before))), Counter(map(_fact, _findings(after)))
    call = before.conversation.call
    made = []
    for kind, run, surplus in (("新增", after, new - old), ("撤销", before, old - new)):
        for item in _findings(run):
            if surplus[_fact(item)] <= 0:
                continue
            surplus[_fact(item)] -= 1
            quote = item.proof.quote if item.proof else ""
            made.append(
                Change(
                    call_id=call.call_id,
                    agent_id=call.agent_id or "",
                    clause=item.clause,
                    title=item.title,
                    kind=kind,
                    reason=item.reason,
                    quote=quote,
                    customer_name=call.customer_name or "",
                )
            )
    return made


def _findings(run: AuditRun) -> list[Outcome]:
    return [item for item in run.outcomes if item.verdict is Verdict.VIOLATION]


def _fact(item: Outcome) -> tuple[str, int | None, str]:
    proof = item.proof
    return item.clause, proof.turn if proof else None, proof.quote if proof else ""
