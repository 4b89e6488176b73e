"""Audit runs on their way into the store: encoded to files anywhere (another process too), inserted by whoever holds the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_pipeline.model import AuditRun, CallData, Transcript
from qa_pipeline.store import rows
from qa_pipeline.store.base import BatchInfo
from qa_pipeline.store.bulk import Bulk
from qa_pipeline.store.codec import digest, engine_digest

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Runs as files of rows. ``order``: the run of each call, in the order of saving. Small: it goes between processes."""

    bulk: Bulk
    order: tuple[str, ...]


def prepare_runs(runs: Sequence[AuditRun], batch: BatchInfo, folder: Path | None = None) -> Prepared:
    """Encodes runs for ``Store.save_prepared``. With a ``folder`` (empty, the caller's) the files outlive this process."""
    unique = list({run.run_id: run for run in runs}.values())
    bulk = Bulk(folder)
    try:
        _encode(bulk, unique, batch)
    except BaseException:
        bulk.close()
        raise
    return Prepared(bulk=bulk, order=tuple({run.conversation.call.call_id: run.run_id for run in unique}.values()))


def _encode(bulk: Bulk, runs: Sequence[AuditRun], batch: BatchInfo) -> None:
    names = {run.run_id: digest(run.conversation) for run in runs}
    talks = {names[run.run_id]: run.conversation for run in runs}
    calls = last_by_id(run.conversation.call for run in runs)
    heard = {run.recording.audio_hash: run.recording for run in runs if run.recording is not None}
    bulk.add("call_versions", numbered(rows.call_row(call, batch.batch_id) for call in calls))
    bulk.add("recordings", (rows.recording_row(recording) for recording in heard.values()))
    heard_whole = [run.transcript for run in runs if run.transcript is not None]
    bulk.add("transcripts", fresh_transcripts([*heard_whole, *(reading for run in runs for reading in run.readings)]))
    bulk.add("conversations", (rows.conversation_row(talk, name) for name, talk in talks.items()))
    bulk.add("conversation_turns", (row for name, talk in talks.items() for row in rows.turn_rows(talk, name)))
    bulk.add("runs", (rows.run_row(run, batch.batch_id, names[run.run_id]) for run in runs))
    bulk.add("scorecards", (rows.scorecard_row(run) for run in runs))
    bulk.add("outcomes", (row for run in runs for row in rows.outcome_rows(run)))
    bulk.add("run_penalties", (row for run in runs for row in rows.penalty_rows(run)))


def insert_runs(connection: duckdb.DuckDBPyConnection, prepared: Prepared, batch: BatchInfo) -> int:
    """Inside a transaction: rows of new runs, then the log that says which run of a call is current."""
    bulk, order = prepared.bulk, list(prepared.order)
    insert_batch(connection, batch)
    insert_calls(connection, bulk)
    bulk.insert(connection, "recordings", unless="audio_hash")
    bulk.insert(connection, "transcripts", unless="(audio_hash, engine_digest)")
    # Turns before conversations and details before runs: what is new is told by the parent not being there yet.
    bulk.insert(connection, "conversation_turns", unless="digest", among="conversations")
    bulk.insert(connection, "conversations", unless="digest")
    for table in ("scorecards", "outcomes", "run_penalties"):
        bulk.insert(connection, table, unless="run_id", among="runs")
    fresh = bulk.insert(connection, "runs", unless="run_id")
    connection.execute(
        """INSERT INTO run_log
           SELECT (SELECT coalesce(max(seq), 0) FROM run_log) + row_number() OVER (ORDER BY given.place), run.call_id,
                  given.run_id, ?
           FROM (SELECT unnest(?::VARCHAR[]) AS run_id, generate_subscripts(?::VARCHAR[], 1) AS place) AS given
           JOIN runs AS run USING (run_id)
           WHERE given.run_id NOT IN (SELECT run_id FROM current_runs)""",
        [batch.batch_id, order, order],
    )
    return fresh


def insert_batch(connection: duckdb.DuckDBPyConnection, batch: BatchInfo) -> None:
    connection.execute(
        "INSERT INTO batches SELECT ?, ?, ?, ?, ?::JSON WHERE NOT EXISTS (SELECT 1 FROM batches WHERE batch_id = ?)",
        [batch.batch_id, rows.timestamp(batch.started_at), batch.command, batch.source, _options(batch), batch.batch_id],
    )


def _options(batch: BatchInfo) -> str:
    from qa_pipeline.store.codec import to_json

    return to_json(dict(batch.options)).decode()


def insert_calls(connection: duckdb.DuckDBPyConnection, bulk: Bulk) -> None:
    """A new version only where the call data differ from the newest version."""
    bulk.insert(
        connection,
        "call_versions",
        unless="(call_id, digest)",
        among="(SELECT call_id, digest FROM call_versions WHERE seq IN (SELECT max(seq) FROM call_versions GROUP BY call_id))",
    )


def last_by_id(calls: Iterable[CallData]) -> list[CallData]:
    return list({call.call_id: call for call in calls}.values())


def numbered(items: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, item in enumerate(items, start=1):
        yield item | {"seq": number}


def fresh_transcripts(transcripts: Sequence[Transcript]) -> Iterator[dict[str, Any]]:
    unique = {(item.audio_hash, engine_digest(item.engine)): item for item in transcripts}
    return (rows.transcript_row(item) for item in unique.values())
