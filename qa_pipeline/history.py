"""Verdicts that look across calls: the calls of one customer and product, as the store knows them.

Within a run every call is first judged by itself; then the sales with a trial are judged again beside the calls that the store
holds by now, so that the order of recordings never matters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa_pipeline.model import CallData, CallOutcome, CallType
from qa_pipeline.signals.base import PastCall

if TYPE_CHECKING:
    from qa_pipeline.store import Store

_QUERY = """
SELECT call.call_id, call.customer_number, call.product, strftime(call.started_at, '%Y-%m-%dT%H:%M:%S'), call.call_type, call.outcome,
    (SELECT list(DISTINCT item.clause ORDER BY item.clause) FROM verdicts AS item
        WHERE item.call_id = call.call_id AND item.verdict = '违规'),
    EXISTS (SELECT 1 FROM current_runs AS run WHERE run.call_id = call.call_id)
FROM calls AS call
WHERE call.customer_number IN (SELECT unnest(?))
ORDER BY call.started_at NULLS FIRST, call.call_id
"""


def looks_across(call: CallData) -> bool:
    """Whether a verdict on this call may depend on other calls: a sale with a trial period, also one made in a service call."""
    sale = call.call_type in (None, CallType.SALE, CallType.SERVICE) and call.outcome is CallOutcome.SUCCESS
    return sale and bool(call.trial_days) and bool(call.customer_number)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHistory:
    """The store's answer, read once for a set of customers."""

    known_until: str | None
    calls: dict[str, tuple[PastCall, ...]]  # by customer number

    def calls_about(self, call: CallData) -> tuple[PastCall, ...]:
        """Other calls of the same customer and product, by start time; a call without a product counts for every product."""
        others = self.calls.get(call.customer_number or "", ())
        return tuple(
            past
            for past in others
            if past.call.call_id != call.call_id
            and (not call.product or not past.call.product or past.call.product == call.product)
        )


def read_history(store: Store, calls: Iterable[CallData]) -> CallHistory:
    """Everything on record about the customers of ``calls``."""
    numbers = sorted({call.customer_number for call in calls if call.customer_number})
    grouped: dict[str, list[PastCall]] = {}
    with store.read() as connection:
        latest = connection.execute("SELECT strftime(max(started_at), '%Y-%m-%dT%H:%M:%S') FROM calls").fetchone()
        rows = connection.execute(_QUERY, [numbers]).fetchall() if numbers else []
    for call_id, number, product, started_at, call_type, outcome, violated, judged in rows:
        call = CallData(
            call_id=call_id,
            customer_number=number,
            product=product,
            started_at=started_at,
            call_type=CallType(call_type) if call_type else None,
            outcome=CallOutcome(outcome) if outcome else None,
        )
        past = PastCall(call=call, violated=frozenset(violated or ()), judged=bool(judged))
        grouped.setdefault(number, []).append(past)
    return CallHistory(
        known_until=latest[0] if latest else None,
        calls={number: tuple(items) for number, items in grouped.items()},
    )
