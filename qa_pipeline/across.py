"""Verdicts across calls within a run: which history a judge sees, and which stored calls must be asked again."""

from __future__ import annotations

from collections.abc import Iterable

from qa_pipeline.history import CallHistory, looks_across, read_history
from qa_pipeline.model import CallData
from qa_pipeline.store import Store

_CONCERNED = """
    SELECT DISTINCT run.call_id FROM current_runs AS run
    JOIN outcomes AS item USING (run_id)
    JOIN calls AS call ON call.call_id = run.call_id
    WHERE item.rule_id IN (SELECT unnest($rules::VARCHAR[])) AND item.verdict <> '不适用' AND call.customer_number IS NOT NULL
    AND (item.verdict = '无法判定' OR EXISTS (
        SELECT 1 FROM calls AS other
        WHERE other.call_id IN (SELECT unnest($calls::VARCHAR[])) AND other.customer_number = call.customer_number))
    ORDER BY run.call_id
"""


def history_of(store: Store, call: CallData) -> CallHistory | None:
    """The other calls of this customer as far as they are stored; None where no rule would look at them or there is no store yet."""
    if not looks_across(call) or not store.path.exists():
        return None
    return read_history(store, (call,))


def concerned(store: Store, rules: Iterable[str], calls: Iterable[str]) -> list[str]:
    """Stored calls whose verdict on ``rules`` (those that look at other calls) may be another one now that ``calls`` are known."""
    with store.read() as connection:
        parameters = {"rules": sorted(rules), "calls": sorted(calls)}
        return [row[0] for row in connection.execute(_CONCERNED, parameters).fetchall()]
