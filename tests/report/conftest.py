from __future__ import annotations

from pathlib import Path

import pytest

from tests.casework.casework_make import Centre
from tests.report.house import build_house


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """Read only: every report is made from the same store."""
    return build_house(tmp_path_factory.mktemp("house") / "qa.duckdb")


@pytest.fixture(scope="session")
def golden() -> Path:
    return Path(__file__).parent / "golden"
