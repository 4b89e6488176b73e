"""A small centre: people, a policy, judged calls."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # test files here share casework_make.py

from casework_make import Centre


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    return Centre(tmp_path / "qa.duckdb")
