"""What is to be decided in a case: the machine's findings of its run and those a person added, with the live decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qa_pipeline.casework.values import Decision, Key
from qa_pipeline.errors import CaseworkError
from qa_pipeline.model import Outcome, Verdict

if TYPE_CHECKING:
    from qa_pipeline.casework.cases import Case
    from qa_pipeline.casework.desk import Tx

MANUAL_RULE = "manual:"  # rule_id of what a person added: "manual:A04", "manual:M01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """The decision that counts now."""

    seq: int
    decision: Decision
    by_person: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``advice``: told to the reviewer, moves nothing unless he confirms it (its clause was below the precision floor, or is
    advice by policy)."""

    key: Key
    outcome: Outcome
    live: Live | None
    manual: bool
    advice: bool

    @property
    def clause(self) -> str:
        return self.outcome.clause

    @property
    def name(self) -> str:
        """As people call it: clause and title, with its number where there are several."""
        return f"{self.clause} {self.outcome.title}{f'（第 {self.key.ordinal + 1} 处）' if self.key.ordinal else ''}"

    @property
    def confirmed(self) -> bool:
        return self.live is not None and self.live.decision.stands

    @property
    def pending(self) -> bool:
        return self.live is None


def findings_of(tx: Tx, case: Case) -> list[Finding]:
    """By clause, rule and ordinal."""
    live = live_decisions(tx, case)
    outcomes = [item for item in tx.run(case.run_id).outcomes if item.verdict is Verdict.VIOLATION]
    machine = [_finding(tx, case, item, live) for item in outcomes]
    added = [_finding(tx, case, item, live) for item in _added(tx, case)]
    return sorted([*machine, *added], key=lambda item: (item.clause, item.key))


def preload(tx: Tx, cases: Sequence[Case]) -> None:
    """Reads runs, decisions and additions of many cases in three queries instead of three for each."""
    from qa_pipeline.store.codec import from_json

    tx.preload([case.run_id for case in cases])
    names = [case.case_id for case in cases]
    tx.memo |= {("live", case.case_id, case.run_id): {} for case in cases}
    tx.memo |= {("added", name): [] for name in names}
    for case_id, run_id, rule_id, ordinal, seq, decision, by_person, reason in tx.rows(
        """SELECT case_id, run_id, rule_id, ordinal, seq, decision, by_person, reason FROM decisions
           WHERE list_contains(?, case_id) ORDER BY seq""",
        [names],
    ):
        live = Live(seq=seq, decision=Decision(decision), by_person=by_person, reason=reason or "")
        tx.memo.setdefault(("live", case_id, run_id), {})[Key(rule_id, ordinal)] = live
    query = "SELECT case_id, body FROM manual_findings WHERE list_contains(?, case_id) ORDER BY seq"
    for case_id, body in tx.rows(query, [names]):
        tx.memo["added", case_id].append(from_json(body, Outcome))


def live_decisions(tx: Tx, case: Case) -> dict[Key, Live]:
    """The latest decision on each finding of the case's run."""
    place = ("live", case.case_id, case.run_id)
    if place not in tx.memo:
        rows = tx.rows(
            "SELECT rule_id, ordinal, seq, decision, by_person, reason FROM decisions WHERE case_id = ? AND run_id = ? ORDER BY seq",
            [case.case_id, case.run_id],
        )
        tx.memo[place] = {
            Key(rule_id, ordinal): Live(seq=seq, decision=Decision(decision), by_person=by_person, reason=reason or "")
            for rule_id, ordinal, seq, decision, by_person, reason in rows
        }
    live: dict[Key, Live] = tx.memo[place]
    return live


def pick(findings: list[Finding], name: str) -> Finding:
    """The finding called ``A04``, ``A04#1`` or ``manual:M01``. Raises CaseworkError listing what there is."""
    rule, _, number = name.partition("#")
    for finding in findings:
        named = rule in (finding.key.rule_id, finding.clause)
        if named and (str(finding.key.ordinal) == number if number else True):
            same = [item for item in findings if rule in (item.key.rule_id, item.clause)]
            if not number and len(same) > 1:
                raise CaseworkError(f"“{name}”有 {len(same)} 处，请写明是哪一处：{'、'.join(str(item.key) for item in same)}。")
            return finding
    listed = "、".join(str(item.key) for item in findings) or "没有"
    raise CaseworkError("这张工单里没有这一条发现，它可能刚被更正掉了。", command=f"写的是“{name}”，可用：{listed}。")


def _added(tx: Tx, case: Case) -> list[Outcome]:
    from qa_pipeline.store.codec import from_json

    place = ("added", case.case_id)
    if place not in tx.memo:
        rows = tx.rows("SELECT body FROM manual_findings WHERE case_id = ? ORDER BY seq", [case.case_id])
        tx.memo[place] = [from_json(body, Outcome) for (body,) in rows]
    added: list[Outcome] = tx.memo[place]
    return added


def _finding(tx: Tx, case: Case, outcome: Outcome, live: dict[Key, Live]) -> Finding:
    key = Key(outcome.rule_id, outcome.ordinal)
    manual = outcome.rule_id.startswith(MANUAL_RULE)
    clause = tx.policy.clause(outcome.clause)
    advice = not manual and (outcome.advice or outcome.clause in case.advice or (clause is not None and clause.advice))
    return Finding(key=key, outcome=outcome, live=live.get(key), manual=manual, advice=advice)


def judged(findings: list[Finding], *, only_confirmed: bool) -> tuple[tuple[Outcome, ...], frozenset[tuple[str, int]]]:
    """The violations that stand (and, unless ``only_confirmed``, those that wait), and the keys that a person has confirmed.

    A confirmed finding of a clause below the floor counts: the person has looked.
    """
    kept = [item for item in findings if item.confirmed or (item.pending and not item.advice and not only_confirmed)]
    outcomes = tuple(replace(item.outcome, advice=item.outcome.advice and not item.confirmed) for item in kept)
    return outcomes, frozenset((item.key.rule_id, item.key.ordinal) for item in kept if item.confirmed)
