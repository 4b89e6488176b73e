"""Every backend passes the same contract: a new one is added to BACKENDS."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from qa_pipeline.store import Store, open_store

sys.path.insert(0, str(Path(__file__).parent))  # test files here share store_make.py

BACKENDS: dict[str, Callable[[Path], Store]] = {"duckdb": lambda path: open_store(path, patience_s=0.3)}


@pytest.fixture(params=sorted(BACKENDS))
def opener(request: pytest.FixtureRequest) -> Callable[[Path], Store]:
    return BACKENDS[request.param]


@pytest.fixture
def store(opener: Callable[[Path], Store], tmp_path: Path) -> Store:
    return opener(tmp_path / "data" / "qa.duckdb")
