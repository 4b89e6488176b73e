"""What an agent sees of himself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from qa_pipeline.casework.values import Account, CaseState, Decision, Party

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx


PAGE = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCase:
    case_id: str
    call_id: str
    started_at: datetime | None
    duration_s: float | None
    product: str
    finished_at: datetime
    clauses: tuple[str, ...]  # confirmed and standing
    yuan: Decimal  # charged: confirmed or booked
    score: int | None
    fatal: bool
    overturned: int


def own_cases(tx: Tx, agent_id: str) -> list[OwnCase]:
    """Reviewed calls with what people's decisions came to, newest first."""
    rows = tx.rows(
        """SELECT one.case_id, one.call_id, call.started_at, run.duration_s, coalesce(call.product, ''), one.finished_at,
               arg_max_null(done.score, done.seq), arg_max(done.fatal, done.seq)
           FROM cases_now AS one JOIN case_results AS done USING (case_id)
           LEFT JOIN runs AS run ON run.run_id = one.run_id LEFT JOIN calls AS call ON call.call_id = one.call_id
           WHERE one.agent_id = ? AND one.kind = 'primary' AND one.state = ? GROUP BY ALL
           ORDER BY one.finished_at DESC, one.case_id""",
        [agent_id, CaseState.FINISHED],
    )
    said, yuan = _said(tx, [row[0] for row in rows]), _charged(tx, agent_id)
    names = ["case_id", "call_id", "started_at", "duration_s", "product", "finished_at", "score", "fatal"]
    found = []
    for row in rows:
        mine = said.get(row[0], [])
        clauses = tuple(sorted({clause for clause, decision in mine if decision == Decision.CONFIRM}))
        overturned = sum(1 for _, decision in mine if decision == Decision.OVERTURN)
        found.append(
            OwnCase(
                **dict(zip(names, row, strict=True)),
                clauses=clauses,
                overturned=overturned,
                yuan=yuan.get(row[0], Decimal(0)),
            )
        )
    return found


def _charged(tx: Tx, agent_id: str) -> dict[str, Decimal]:
    """What the ledger charges the agent with, by case."""
    return dict(
        tx.rows(
            """SELECT case_id, sum(yuan)::DECIMAL(12,2) FROM ledger_entries WHERE party = ? AND person = ? AND account IN (?, ?)
               GROUP BY case_id""",
            [Party.AGENT, agent_id, Account.CONFIRMED, Account.BOOKED],
        )
    )


def _said(tx: Tx, case_ids: list[str]) -> dict[str, list[tuple[str, str]]]:
    """(clause, decision) as they stand, by case."""
    rows = tx.rows(
        """SELECT case_id, clause, arg_max(decision, seq) FROM decisions JOIN cases_now AS one USING (case_id, run_id)
           WHERE list_contains(?, case_id) GROUP BY case_id, clause, rule_id, ordinal""",
        [case_ids],
    )
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for case_id, clause, decision in rows:
        found[case_id].append((clause, decision))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTotals:
    calls: int
    reviewed: int
    clean: int
    charged_yuan: Decimal  # confirmed or booked, of finished cases: what the list of them adds up to
    unfinished_yuan: Decimal  # confirmed in cases that are still (or again) under review
    reversed_yuan: Decimal


def own_totals(tx: Tx, agent_id: str) -> OwnTotals:
    calls = tx.row("SELECT count(*) FROM calls WHERE agent_id = ?", [agent_id])
    reviewed = tx.row(
        """SELECT count(*), count(*) FILTER (violations = 0) FROM (
               SELECT case_id, arg_max(done.violations, done.seq) AS violations
               FROM case_results AS done JOIN cases_now AS one USING (case_id)
               WHERE one.agent_id = ? AND one.kind = 'primary' AND one.state = ? GROUP BY case_id)""",
        [agent_id, CaseState.FINISHED],
    )
    money = tx.row(
        """SELECT sum(yuan) FILTER (account IN (?, ?) AND state = ?), sum(yuan) FILTER (account IN (?, ?) AND state <> ?),
               sum(yuan) FILTER (account = ?)
           FROM ledger_entries JOIN cases_now USING (case_id) WHERE party = ? AND person = ?""",
        [
            *(Account.CONFIRMED, Account.BOOKED, CaseState.FINISHED) * 2,
            *(Account.REVERSED, Party.AGENT, agent_id),
        ],
    )
    charged, unfinished, reversed_yuan = (Decimal(value or 0) for value in money or (0, 0, 0))
    return OwnTotals(
        calls=int(calls[0]) if calls else 0,
        reviewed=int(reviewed[0]) if reviewed else 0,
        clean=int(reviewed[1]) if reviewed else 0,
        charged_yuan=charged,
        unfinished_yuan=unfinished,
        reversed_yuan=reversed_yuan,
    )


def weekly(cases: list[OwnCase]) -> list[tuple[str, int, float]]:
    """(week, calls, mean score) of the agent's own reviewed calls, oldest first."""
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for case in cases:
        year, week, _ = (case.started_at or case.finished_at).isocalendar()
        if case.score is not None:
            found[year, week].append(case.score)
    return [(f"第 {week} 周", len(scores), sum(scores) / len(scores)) for (_, week), scores in sorted(found.items())]
