"""The score table of a run: one line a call, the calls that need a person first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from qa_pipeline.store import Store

if TYPE_CHECKING:
    import duckdb

_QUERY = """
    SELECT run.call_id, coalesce(call.agent_id, '') AS agent_id, coalesce(call.agent_name, '') AS agent_name, run.duration_s,
        card.score, card.qualified, card.fatal, card.provisional, card.not_evaluated, card.fine_yuan,
        list_sort(coalesce(found.clauses, [])) AS clauses, coalesce(found.counted, 0) AS violations
    FROM current_runs AS run
    JOIN scorecards AS card USING (run_id)
    LEFT JOIN calls AS call USING (call_id)
    LEFT JOIN (
        SELECT item.run_id, count(*) FILTER (NOT item.advice) AS counted,
            list(DISTINCT item.clause || CASE
                WHEN item.advice THEN '(提示)'
                WHEN item.review OR (money.provisional AND NOT money.counted) THEN '?' ELSE '' END) AS clauses
        FROM outcomes AS item
        LEFT JOIN run_penalties AS money
            ON money.run_id = item.run_id AND money.rule_id = item.rule_id AND money.ordinal = item.ordinal
        WHERE item.verdict = '违规' GROUP BY item.run_id
    ) AS found ON found.run_id = run.run_id
    WHERE run.call_id IN (SELECT unnest(?::VARCHAR[]))
    ORDER BY card.score NULLS FIRST, violations DESC, run.call_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreLine:
    call_id: str
    agent: str
    duration_s: float | None
    score: int | None  # None: nothing could be judged
    qualified: bool | None
    fatal: bool
    provisional: bool
    not_evaluated: int
    fine_yuan: Decimal
    clauses: tuple[str, ...]  # violated clauses; "?" after one that waits for a person
    violations: int

    @property
    def conclusion(self) -> str:
        if self.fatal:
            return "致命"
        return "无法判定" if self.score is None else "合格" if self.qualified else "不合格"


def score_lines(store: Store, calls: frozenset[str]) -> list[ScoreLine]:
    """Lines of the named calls, lowest score first."""
    with store.read() as connection:
        found = connection.execute(_QUERY, [sorted(calls)]).fetchall()
    return [
        ScoreLine(
            call_id=call_id,
            agent=f"{agent_id} {agent_name}".strip(),
            duration_s=duration_s,
            score=score,
            qualified=qualified,
            fatal=fatal,
            provisional=provisional,
            not_evaluated=not_evaluated,
            fine_yuan=fine_yuan,
            clauses=tuple(clauses),
            violations=violations,
        )
        for (
            call_id,
            agent_id,
            agent_name,
            duration_s,
            score,
            qualified,
            fatal,
            provisional,
            not_evaluated,
            fine_yuan,
            clauses,
            violations,
        ) in found
    ]


def worst(store: Store, calls: frozenset[str]) -> int:
    """0 nothing found, 1 some violation, 2 something fatal."""
    lines = score_lines(store, calls)
    return 2 if any(line.fatal for line in lines) else int(any(line.violations for line in lines))


def judged_by_folder(connection: duckdb.DuckDBPyConnection, rules_digest: str, calls: Sequence[str]) -> dict[str, list[str]]:
    """Of these calls those whose verdict comes from a rule folder that the user named and from other rules than ``rules_digest``:
    folder → calls, sorted. A folder with the same rules as now is not another one; ``-1`` marks a second listening still due."""
    rows = connection.execute(
        """WITH named AS (
               SELECT replace(rules_digest, '-1', '') AS book, arg_max(options ->> 'rules', started_at) AS folder
               FROM runs JOIN batches USING (batch_id) WHERE options ->> 'rules' <> '' GROUP BY ALL)
           SELECT named.folder, run.call_id FROM current_runs AS run JOIN named ON named.book = replace(run.rules_digest, '-1', '')
           WHERE named.book <> ? AND list_contains(?::VARCHAR[], run.call_id) ORDER BY ALL""",
        [rules_digest, list(calls)],
    ).fetchall()
    found: dict[str, list[str]] = {}
    for folder, call_id in rows:
        found.setdefault(folder, []).append(call_id)
    return found
