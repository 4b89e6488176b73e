from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import Qa, truth_recogniser


@pytest.fixture
def qa(capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Qa:
    """``qa`` in an empty folder, with the truth for a recogniser."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QA_CONFIG", raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr("qa_pipeline.recogniser.open_recogniser", truth_recogniser)
    return Qa(capsysbinary, tmp_path)
