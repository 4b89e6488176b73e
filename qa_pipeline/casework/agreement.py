"""How far the machine, and people among themselves, can be trusted: precision, κ, drift, overturned appeals, advice-only clauses.

Counts are kept beside every rate. Only finished cases of the random sample and added cases speak; blind cases speak only about
agreement between people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa_pipeline.casework.findings import MANUAL_RULE
from qa_pipeline.casework.stats import Kappa, Rate, kappa, kappa_of_sets, wilson
from qa_pipeline.casework.values import AppealState, CaseKind, CaseState, Decision

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

_JUDGED = """
    SELECT decision.clause, decision.decision, decision.rule_id, decision.case_id, item.call_id, item.kind, item.finished_at
    FROM decisions_now AS decision JOIN cases_now AS item USING (case_id)
    WHERE item.state = '已完成'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseTrust:
    """One clause. ``missed``: found by people only; ``overturned``: confirmed first, lost on appeal."""

    clause: str
    confirmed: int
    rejected: int
    cannot_tell: int
    missed: int
    overturned: int
    appealed: int
    precision: Rate | None
    machine: Kappa  # machine and people over reviewed calls
    advice_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekTrust:
    clause: str
    week: str  # 2026-W45
    confirmed: int
    rejected: int
    precision: Rate | None


def trust(tx: Tx) -> list[ClauseTrust]:
    """By clause."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    people: dict[str, set[str]] = defaultdict(set)
    for clause, decision, rule_id, _, call_id, kind, _ in tx.rows(_JUDGED):
        if kind != CaseKind.PRIMARY:
            continue
        manual = rule_id.startswith(MANUAL_RULE)
        counts[clause]["missed" if manual and decision == Decision.CONFIRM else ("" if manual else decision)] += 1
        if decision == Decision.CONFIRM:
            people[clause].add(call_id)
    machine, calls = _machine(tx)
    appealed, overturned = _appeals(tx)
    advice = advice_only(tx)
    result = []
    for clause in sorted({*counts, *machine}):
        count = counts[clause]
        # An appeal that was upheld says that the machine was wrong.
        wrong = count[Decision.REJECT] + count[Decision.OVERTURN]
        result.append(
            ClauseTrust(
                clause=clause,
                confirmed=count[Decision.CONFIRM],
                rejected=wrong,
                cannot_tell=count[Decision.CANNOT_TELL],
                missed=count["missed"],
                overturned=overturned[clause],
                appealed=appealed[clause],
                precision=wilson(count[Decision.CONFIRM], count[Decision.CONFIRM] + wrong),
                machine=kappa_of_sets(machine[clause], people[clause], calls),
                advice_only=clause in advice,
            )
        )
    return result


def people_agreement(tx: Tx) -> dict[str, Kappa]:
    """Per clause: the first reviewer against the second, over calls that two have finished without seeing each other."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for clause, decision, _, case_id, _, _, _ in tx.rows(_JUDGED):
        # What the first reviewer had confirmed counts as such even when an appeal fell later.
        if decision in (Decision.CONFIRM, Decision.OVERTURN):
            found[case_id][clause].add(decision)
    pairs = tx.rows(
        """SELECT one.case_id, two.case_id FROM cases_now AS two JOIN cases_now AS one ON one.case_id = two.pair_of
           WHERE one.state = ? AND two.state = ? ORDER BY two.case_id""",
        [CaseState.FINISHED, CaseState.FINISHED],
    )
    clauses = sorted({clause for pair in pairs for case_id in pair for clause in found[case_id]})
    return {clause: kappa([(clause in found[one], clause in found[two]) for one, two in pairs]) for clause in clauses}


def disagreements(tx: Tx) -> list[tuple[str, str, str, str]]:
    """(call_id, first case, second case, clause) of double reviews that differ: for the lead to look at."""
    rows = tx.rows(
        """SELECT one.call_id, one.case_id, two.case_id FROM cases_now AS two JOIN cases_now AS one ON one.case_id = two.pair_of
           WHERE one.state = ? AND two.state = ? ORDER BY one.call_id""",
        [CaseState.FINISHED, CaseState.FINISHED],
    )
    stand: dict[str, set[str]] = defaultdict(set)
    for clause, decision, _, case_id, _, _, _ in tx.rows(_JUDGED):
        if decision in (Decision.CONFIRM, Decision.OVERTURN):
            stand[case_id].add(clause)
    return [(call_id, one, two, clause) for call_id, one, two in rows for clause in sorted(stand[one] ^ stand[two])]


def drift(tx: Tx) -> list[WeekTrust]:
    """The machine's precision by clause and ISO week of finishing."""
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for clause, decision, rule_id, _, _, kind, finished_at in tx.rows(_JUDGED):
        if kind != CaseKind.PRIMARY or rule_id.startswith(MANUAL_RULE) or decision == Decision.CANNOT_TELL or finished_at is None:
            continue
        year, week, _ = finished_at.isocalendar()
        counts[clause, f"{year}-W{week:02d}"][0 if decision == Decision.CONFIRM else 1] += 1
    return [
        WeekTrust(clause=clause, week=week, confirmed=right, rejected=wrong, precision=wilson(right, right + wrong))
        for (clause, week), (right, wrong) in sorted(counts.items())
    ]


def advice_only(tx: Tx) -> frozenset[str]:
    """Clauses whose latest decisions fall below the floor. They recover by the same count: reviewers go on confirming or
    rejecting them, only proposals stop."""
    rows = tx.rows(
        """SELECT clause, decision FROM decisions_now JOIN cases_now USING (case_id)
           WHERE kind = ? AND state = ? AND NOT starts_with(rule_id, ?) AND decision <> ? ORDER BY seq DESC""",
        [CaseKind.PRIMARY, CaseState.FINISHED, MANUAL_RULE, Decision.CANNOT_TELL],
    )
    latest: dict[str, list[bool]] = defaultdict(list)
    for clause, decision in rows:
        if len(latest[clause]) < tx.settings.precision_count:
            latest[clause].append(decision == Decision.CONFIRM)
    return frozenset(
        clause
        for clause, right in latest.items()
        if len(right) == tx.settings.precision_count and sum(right) / len(right) < tx.settings.precision_floor
    )


def _machine(tx: Tx) -> tuple[dict[str, set[str]], int]:
    """Calls that the machine flagged per clause, among the calls that people have finished; how many these are."""
    counted = tx.row("SELECT count(*) FROM cases_now WHERE kind = ? AND state = ?", _finished())
    rows = tx.rows(
        """SELECT DISTINCT item.clause, item.call_id FROM outcomes AS item
           JOIN cases_now AS done ON done.run_id = item.run_id AND done.kind = ? AND done.state = ?
           WHERE item.verdict = '违规' AND NOT item.advice""",
        _finished(),
    )
    flagged: dict[str, set[str]] = defaultdict(set)
    for clause, call_id in rows:
        flagged[clause].add(call_id)
    return flagged, int(counted[0]) if counted else 0


def _finished() -> list[object]:
    return [CaseKind.PRIMARY, CaseState.FINISHED]


def _appeals(tx: Tx) -> tuple[dict[str, int], dict[str, int]]:
    appealed: dict[str, int] = defaultdict(int)
    overturned: dict[str, int] = defaultdict(int)
    for clause, state in tx.rows("SELECT clause, state FROM appeals_now"):
        appealed[clause] += 1
        overturned[clause] += state == AppealState.OVERTURNED
    return appealed, overturned


def total_precision(items: Iterable[ClauseTrust]) -> Rate | None:
    listed = list(items)
    right = sum(item.confirmed for item in listed)
    return wilson(right, right + sum(item.rejected for item in listed))
