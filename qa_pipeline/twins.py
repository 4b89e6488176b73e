"""Calls that hold the same recording: a copy of a file, or a call that got another number. Each would be scored and fined."""

from __future__ import annotations

from collections.abc import Iterable

from qa_pipeline.store import Store

_QUERY = """
    SELECT list(call_id ORDER BY call_id) FROM current_runs
    WHERE audio_hash <> '' AND audio_hash IN (SELECT audio_hash FROM current_runs WHERE call_id IN (SELECT unnest(?::VARCHAR[])))
    GROUP BY audio_hash HAVING count(*) > 1 ORDER BY 1
"""


def twins(store: Store, calls: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Groups of stored calls of one and the same recording, as far as ``calls`` belong to them."""
    wanted = list(calls)
    if not wanted:
        return ()
    with store.read() as connection:
        return tuple(tuple(group) for (group,) in connection.execute(_QUERY, [wanted]).fetchall())
