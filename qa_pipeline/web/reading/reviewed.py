"""What people made of cases, for lists: the reviewed score beside the machine's, and what was said of each clause.

Whoever has an unfinished case of his own on a call is told nothing of what others decided about it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from qa_pipeline.casework.values import CaseState, Decision

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

PENDING, ADVICE = "待决定", "仅提示"
_ORDER = (PENDING, *(item.label for item in Decision), ADVICE)


class Result(NamedTuple):
    score: int | None  # None: nothing could be judged
    fatal: bool


class Asked(NamedTuple):
    """A case of a list."""

    case_id: str
    call_id: str
    run_id: str
    state: str
    assignee: str


Said = tuple[tuple[str, tuple[str, ...]], ...]  # ("确认", ("A04", "A11")), …


def results(tx: Tx, case_ids: Sequence[str]) -> dict[str, Result]:
    """The recorded results of those of the cases that have one, by case; only what the person may know."""
    rows = tx.rows(
        """SELECT done.case_id, arg_max_null(done.score, done.seq), arg_max(done.fatal, done.seq) FROM case_results AS done
           JOIN cases_now AS one USING (case_id) WHERE list_contains(?, done.case_id) AND one.state = ?
             AND NOT list_contains(?, one.call_id) GROUP BY done.case_id""",
        [list(case_ids), CaseState.FINISHED, list(_own_open(tx))],
    )
    return {case_id: Result(score, fatal) for case_id, score, fatal in rows}


def said(tx: Tx, asked: Sequence[Asked]) -> dict[str, Said]:
    """What each case's findings stand at, clauses by decision. Of a finished case nothing is 待决定: what was left is advice."""
    hidden = _own_open(tx)
    found: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
    for run_id, clause, rule_id, ordinal in tx.rows(
        "SELECT run_id, clause, rule_id, ordinal FROM outcomes WHERE list_contains(?, run_id) AND verdict = '违规' AND NOT advice",
        [[one.run_id for one in asked]],
    ):
        found[run_id].append((clause, rule_id, ordinal))
    decided: dict[tuple[str, str], dict[tuple[str, str, int], str]] = defaultdict(dict)
    for case_id, run_id, clause, rule_id, ordinal, decision in tx.rows(
        """SELECT case_id, run_id, clause, rule_id, ordinal, arg_max(decision, seq) FROM decisions
           WHERE list_contains(?, case_id) GROUP BY case_id, run_id, clause, rule_id, ordinal""",
        [[one.case_id for one in asked]],
    ):
        decided[case_id, run_id][clause, rule_id, ordinal] = Decision(decision).label
    told: dict[str, Said] = {}
    for one in asked:
        blind = one.call_id in hidden and one.assignee != tx.actor.person_id
        left = ADVICE if one.state == CaseState.FINISHED and not blind else PENDING
        live = dict.fromkeys(found[one.run_id], left) | ({} if blind else decided[one.case_id, one.run_id])
        told[one.case_id] = _grouped(live)
    return told


def _grouped(live: dict[tuple[str, str, int], str]) -> Said:
    clauses: dict[str, set[str]] = defaultdict(set)
    for (clause, _, _), label in live.items():
        clauses[label].add(clause)
    return tuple((label, tuple(sorted(clauses[label]))) for label in _ORDER if label in clauses)


def _own_open(tx: Tx) -> frozenset[str]:
    """Calls on which this person has an unfinished case."""
    rows = tx.rows(
        "SELECT call_id FROM cases_now WHERE assignee = ? AND state IN (?, ?)",
        [tx.actor.person_id, CaseState.ASSIGNED, CaseState.REVIEWING],
    )
    return frozenset(call_id for (call_id,) in rows)
