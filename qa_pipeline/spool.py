"""What was heard while the store could not be written waits in a file beside it, and goes in with the next run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qa_pipeline.model import AuditRun
from qa_pipeline.store import BatchInfo, Store


def spool_path(db: Path) -> Path:
    return db.with_name(f"{db.name}.waiting")


def put(db: Path, runs: Sequence[AuditRun]) -> Path | None:
    """Keeps runs beside the database, with those that wait there already. None when even that is impossible (disk full)."""
    import msgspec

    from qa_pipeline.tables import write_whole

    path = spool_path(db)
    try:
        kept = {run.run_id: run for run in (*_read(path), *runs)}
        write_whole(path, msgspec.json.encode(list(kept.values())))
    except OSError:
        return None
    return path


def bring_in(store: Store, batch: BatchInfo) -> int:
    """Saves what waits and removes the file; returns the number of calls."""
    path = spool_path(store.path)
    runs = _read(path)
    if runs:
        store.save(runs, batch)
    path.unlink(missing_ok=True)
    return len(runs)


def _read(path: Path) -> list[AuditRun]:
    """A file that is not ours or is damaged holds nothing: its calls are simply heard again."""
    import msgspec

    try:
        return msgspec.json.decode(path.read_bytes(), type=list[AuditRun])
    except (OSError, msgspec.DecodeError):
        return []
