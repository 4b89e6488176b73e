"""The store in one DuckDB file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_pipeline.model import AuditRun, CallData, Conversation, EngineInfo, Provenance, Recording, Transcript
from qa_pipeline.store import rows
from qa_pipeline.store.base import BatchEnd, BatchInfo, Failure, FileFact, Judged, Kept
from qa_pipeline.store.bulk import Bulk
from qa_pipeline.store.codec import Judgement, engine_digest, from_json, unpack
from qa_pipeline.store.connection import Connections
from qa_pipeline.store.saving import (
    Prepared,
    fresh_transcripts,
    insert_batch,
    insert_calls,
    insert_runs,
    last_by_id,
    numbered,
    prepare_runs,
)

if TYPE_CHECKING:
    import duckdb

_PAGE = 200  # runs read by one connection: a page is held in memory, not a month
_RUN_COLUMNS = "run.run_id, run.audio_hash, run.content_hash, run.engine_digest, run.rules_digest, run.version, run.body, talk.body"


class DuckTranscripts:
    """The transcript cache, keyed by audio hash and engine digest."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def kept(self, audio_hashes: Iterable[str]) -> dict[str, Kept]:
        found: dict[str, dict[str, bytes]] = {audio_hash: {} for audio_hash in audio_hashes}
        if found and self._connections.exists():
            query = "SELECT audio_hash, engine_digest, body FROM transcripts WHERE audio_hash IN (SELECT unnest(?::VARCHAR[]))"
            with self._connections.read() as connection:
                for audio_hash, engine, body in connection.execute(query, [list(found)]).fetchall():
                    found[audio_hash][engine] = body
        return {audio_hash: partial(_transcript_of, bodies) for audio_hash, bodies in found.items()}

    def put(self, transcripts: Sequence[Transcript]) -> None:
        with Bulk() as bulk:
            bulk.add("transcripts", fresh_transcripts(transcripts))
            with self._connections.write() as connection:
                bulk.insert(connection, "transcripts", unless="(audio_hash, engine_digest)")

    def known(self, audio_hashes: Iterable[str], engine: EngineInfo) -> set[str]:
        wanted = list(audio_hashes)
        if not wanted or not self._connections.exists():
            return set()
        query = "SELECT audio_hash FROM transcripts WHERE engine_digest = ? AND audio_hash IN (SELECT unnest(?::VARCHAR[]))"
        with self._connections.read() as connection:
            return {name for (name,) in connection.execute(query, [engine_digest(engine), wanted]).fetchall()}


class DuckStore:
    """See :class:`qa_pipeline.store.base.Store`."""

    def __init__(self, path: Path, *, patience_s: float = 30.0) -> None:
        self.path = path
        self._connections = Connections(path, patience_s)
        self._transcripts = DuckTranscripts(self._connections)

    @property
    def transcripts(self) -> DuckTranscripts:
        return self._transcripts

    def read(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return self._connections.read()

    def write(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return self._connections.write()

    def save(self, runs: Sequence[AuditRun], batch: BatchInfo) -> int:
        return self.save_prepared(prepare_runs(runs, batch), batch)

    def save_prepared(self, prepared: Prepared, batch: BatchInfo) -> int:
        with prepared.bulk, self._connections.join() as connection:
            return insert_runs(connection, prepared, batch)

    def save_calls(self, calls: Sequence[CallData], batch: BatchInfo) -> None:
        with Bulk() as bulk:
            bulk.add("call_versions", numbered(rows.call_row(call, batch.batch_id) for call in last_by_id(calls)))
            with self._connections.join() as connection:
                insert_batch(connection, batch)
                insert_calls(connection, bulk)

    def save_failures(self, failures: Sequence[Failure], batch: BatchInfo) -> None:
        with self.write() as connection:
            insert_batch(connection, batch)
            for failure in failures:
                connection.execute(
                    "INSERT INTO failures SELECT coalesce(max(seq), 0) + 1, ?, ?, ?, ?, ? FROM failures",
                    [batch.batch_id, failure.call_id, failure.file, failure.stage, failure.message],
                )

    def end_batch(self, end: BatchEnd) -> None:
        values = [end.batch_id, rows.timestamp(end.finished_at), end.done, end.skipped, end.failed, end.audio_s, end.seconds]
        with self.write() as connection:
            connection.execute("INSERT INTO batch_ends VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def known_runs(self, run_ids: Iterable[str]) -> set[str]:
        wanted = list(run_ids)
        if not wanted or not self._connections.exists():
            return set()
        with self.read() as connection:
            query = "SELECT run_id FROM runs WHERE run_id IN (SELECT unnest(?::VARCHAR[]))"
            return {run_id for (run_id,) in connection.execute(query, [wanted]).fetchall()}

    def judged(self, rules_digest: str, version: str) -> frozenset[Judged]:
        if not self._connections.exists():
            return frozenset()
        query = """SELECT call_id, audio_hash, engine_digest, call_digest FROM current_runs
                   WHERE rules_digest = ? AND version = ?"""
        with self.read() as connection:
            found = connection.execute(query, [rules_digest, version]).fetchall()
        return frozenset(
            Judged(call_id=call_id, audio_hash=audio, engine_digest=engine, call_digest=call)
            for call_id, audio, engine, call in found
        )

    def load_run(self, call_id: str) -> AuditRun | None:
        return self._load("JOIN current_runs AS now USING (run_id) WHERE now.call_id = ?", call_id)

    def load_run_by_id(self, run_id: str) -> AuditRun | None:
        return self._load("WHERE run.run_id = ?", run_id)

    def load_runs(self, run_ids: Sequence[str]) -> list[AuditRun]:
        if not run_ids or not self._connections.exists():
            return []
        with self.read() as connection:
            return self._page(connection, run_ids)

    @staticmethod
    def _page(connection: duckdb.DuckDBPyConnection, run_ids: Sequence[str]) -> list[AuditRun]:
        where = "WHERE run.body IS NOT NULL AND run.run_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY run.call_id, run.run_id"
        rows = connection.execute(f"SELECT {_RUN_COLUMNS} {_RUN_TABLES} {where}", [list(run_ids)]).fetchall()
        return [_run(row, None) for row in rows]

    def _load(self, where: str, key: str) -> AuditRun | None:
        if not self._connections.exists():
            return None
        with self.read() as connection:
            row = connection.execute(f"SELECT {_RUN_COLUMNS} {_RUN_TABLES} {where}", [key]).fetchone()
            if row is None or row[6] is None:  # never there, or purged
                return None
            transcript = _transcript(connection, row[1], row[3]) if row[1] else None
        return _run(row, transcript)

    def iter_runs(self, *, date_from: str | None = None, date_to: str | None = None) -> Iterator[AuditRun]:
        if not self._connections.exists():
            return
        with self.read() as connection:
            query = """SELECT run.run_id FROM current_runs AS run LEFT JOIN calls AS call USING (call_id)
                       WHERE ($from IS NULL OR call.started_at >= $from::DATE)
                         AND ($to IS NULL OR call.started_at < $to::DATE + 1) ORDER BY run.call_id"""
            wanted = [run_id for (run_id,) in connection.execute(query, {"from": date_from, "to": date_to}).fetchall()]
        for start in range(0, len(wanted), _PAGE):
            page = wanted[start : start + _PAGE]
            with self.read() as connection:
                found = self._page(connection, page)
            yield from found

    def load_call(self, call_id: str) -> CallData | None:
        if not self._connections.exists():
            return None
        with self.read() as connection:
            query = "SELECT body FROM call_versions WHERE call_id = ? ORDER BY seq DESC LIMIT 1"
            row = connection.execute(query, [call_id]).fetchone()
        return None if row is None else from_json(row[0], CallData)

    def recordings(self, audio_hashes: Iterable[str]) -> dict[str, Recording]:
        wanted = list(audio_hashes)
        if not wanted or not self._connections.exists():
            return {}
        with self.read() as connection:
            query = "SELECT audio_hash, body FROM recordings WHERE audio_hash IN (SELECT unnest(?::VARCHAR[]))"
            found = connection.execute(query, [wanted]).fetchall()
        return {audio_hash: from_json(body, Recording) for audio_hash, body in found}

    def file_facts(self, paths: Iterable[str]) -> dict[str, FileFact]:
        wanted = list(paths)
        if not wanted or not self._connections.exists():
            return {}
        with self.read() as connection:
            query = "SELECT path, size, mtime_ns, audio_hash FROM files WHERE path IN (SELECT unnest(?::VARCHAR[]))"
            found = connection.execute(query, [wanted]).fetchall()
        return {row[0]: FileFact(path=row[0], size=row[1], mtime_ns=row[2], audio_hash=row[3]) for row in found}

    def put_file_facts(self, facts: Sequence[FileFact]) -> None:
        last = {fact.path: fact for fact in facts}
        with Bulk() as bulk:
            bulk.add("files", last.values())  # type: ignore[arg-type]
            with self.write() as connection:
                connection.execute("DELETE FROM files WHERE path IN (SELECT unnest(?::VARCHAR[]))", [list(last)])
                bulk.insert(connection, "files")


def _transcript_of(bodies: Mapping[str, bytes], engine: EngineInfo) -> Transcript | None:
    """Decoded when it is asked for: of a recording that many engines have heard, one is."""
    body = bodies.get(engine_digest(engine))
    return None if body is None else unpack(body, Transcript)


_RUN_TABLES = "FROM runs AS run JOIN conversations AS talk ON talk.digest = run.conversation_digest"


def _transcript(connection: duckdb.DuckDBPyConnection, audio_hash: str, engine: str) -> Transcript | None:
    query = "SELECT body FROM transcripts WHERE audio_hash = ? AND engine_digest = ?"
    row = connection.execute(query, [audio_hash, engine]).fetchone()
    return None if row is None else unpack(row[0], Transcript)


def _run(row: Sequence[Any], transcript: Transcript | None) -> AuditRun:
    run_id, audio_hash, content_hash, _, rules_digest, version, body, talk = row
    judgement = unpack(body, Judgement)
    return AuditRun(
        run_id=run_id,
        conversation=unpack(talk, Conversation),
        outcomes=judgement.outcomes,
        scorecard=judgement.scorecard,
        provenance=Provenance(
            audio_hash=audio_hash, content_hash=content_hash, engine=judgement.engine, rules_digest=rules_digest, version=version
        ),
        recording=judgement.recording,
        transcript=transcript,
    )
