"""What any store must do, and the small values it speaks besides those of :mod:`qa_pipeline.model`.

The contract is tested by ``tests/store/test_contract.py`` against every backend in the table of ``open_store``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from qa_pipeline.model import AuditRun, CallData, EngineInfo, Recording, Transcript

if TYPE_CHECKING:
    import duckdb

    from qa_pipeline.store.saving import Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchInfo:
    """One command that judged calls; times are passed in, ISO 8601."""

    batch_id: str
    started_at: str
    command: str = "run"  # run | import | rescore | correction | day | simulate
    source: str = ""  # folder or file
    options: tuple[tuple[str, str], ...] = ()  # sorted


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEnd:
    """How a batch ended; ``seconds`` is wall time, ``audio_s`` the audio it heard."""

    batch_id: str
    finished_at: str
    done: int = 0
    skipped: int = 0
    failed: int = 0
    audio_s: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One recording that could not be processed; the message is Chinese and says what to do."""

    call_id: str
    stage: str
    message: str
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFact:
    """What a file looked like when it was hashed: unchanged size and time mean an unchanged hash."""

    path: str
    size: int
    mtime_ns: int
    audio_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Enough of a stored run to know, without its transcript, that judging again would give the same."""

    call_id: str
    audio_hash: str  # empty for ready transcripts
    engine_digest: str
    call_digest: str  # of the call data alone, see ``codec.digest``


# What an engine heard in one recording, whole or a span of it; None where it has not heard it.
Kept = Callable[[EngineInfo], Transcript | None]


def nothing_kept(_: EngineInfo) -> None:
    """Of a recording that is heard for the first time."""


class TranscriptCache(Protocol):
    """Transcripts by what was heard and by which engine: recognised once, kept for every later rule set."""

    def kept(self, audio_hashes: Iterable[str]) -> dict[str, Kept]:
        """All that was ever heard in each of these recordings, whole or spans; one connection for all."""
        ...

    def put(self, transcripts: Sequence[Transcript]) -> None:
        """Keeps transcripts that are not there yet; one transaction."""
        ...

    def known(self, audio_hashes: Iterable[str], engine: EngineInfo) -> set[str]: ...


class Store(Protocol):
    """Append-only audit runs. Every method is one short connection; a locked store is retried, then StoreLockedError."""

    path: Path

    @property
    def transcripts(self) -> TranscriptCache: ...

    def save(self, runs: Sequence[AuditRun], batch: BatchInfo) -> int:
        """Stores runs in one transaction; returns how many were new. A stored run saved again becomes current again. Inside
        ``write`` it belongs to that transaction."""
        ...

    def save_prepared(self, prepared: Prepared, batch: BatchInfo) -> int:
        """The same for runs that ``prepare_runs`` encoded, in this process or another; their files are removed."""
        ...

    def save_calls(self, calls: Sequence[CallData], batch: BatchInfo) -> None:
        """Registers calls of a manifest before anybody has heard them (for sampling)."""
        ...

    def save_failures(self, failures: Sequence[Failure], batch: BatchInfo) -> None: ...

    def end_batch(self, end: BatchEnd) -> None: ...

    def known_runs(self, run_ids: Iterable[str]) -> set[str]: ...

    def judged(self, rules_digest: str, version: str) -> frozenset[Judged]:
        """The current runs of this rule set and program version."""
        ...

    def load_run(self, call_id: str) -> AuditRun | None:
        """The current run of a call, with its transcript when that is still cached; None when its words have been purged."""
        ...

    def load_run_by_id(self, run_id: str) -> AuditRun | None: ...

    def load_runs(self, run_ids: Sequence[str]) -> list[AuditRun]:
        """Several runs by id, without transcripts, by call_id; purged ones are left out."""
        ...

    def iter_runs(self, *, date_from: str | None = None, date_to: str | None = None) -> Iterator[AuditRun]:
        """Current runs by call_id, without transcripts, of calls started from ``date_from`` to ``date_to`` (ISO dates, both
        included; calls without a time only when neither is given). Holds no connection while the caller works."""
        ...

    def load_call(self, call_id: str) -> CallData | None: ...

    def recordings(self, audio_hashes: Iterable[str]) -> dict[str, Recording]: ...

    def file_facts(self, paths: Iterable[str]) -> dict[str, FileFact]: ...

    def put_file_facts(self, facts: Sequence[FileFact]) -> None: ...

    def read(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]: ...

    def write(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]: ...
