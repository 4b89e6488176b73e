"""Where calls, transcripts, verdicts and casework are kept. ``open_store`` is the only door."""

from __future__ import annotations

from pathlib import Path

from qa_pipeline.store.base import BatchEnd, BatchInfo, Failure, FileFact, Judged, Store

__all__ = ["BatchEnd", "BatchInfo", "Failure", "FileFact", "Judged", "Store", "open_store"]


def open_store(path: Path, *, patience_s: float = 30.0) -> Store:
    """The store at ``path``; touches no file yet. ``patience_s``: how long a lock of another process is waited for."""
    from qa_pipeline.store.duckdb import DuckStore

    return DuckStore(path, patience_s=patience_s)
