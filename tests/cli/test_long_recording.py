"""A recording of three hours: judged like any other, in bounded memory."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from tests.cli.support import SLOW, Qa
from tests.cli.test_commands import table

HOURS_3 = 3 * 3600
MOST_BYTES = 600_000_000  # 3 hours at 16 kHz are 691 MB in two channels: they must lie in a file, not in private memory


def bounded() -> None:
    """Private memory past the limit is refused by the system; pages of mapped files are not private."""
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))


@pytest.mark.slow
def test_three_hours_are_judged_in_bounded_memory(tmp_path: Path, qa: Qa) -> None:
    folder = tmp_path / "long"
    folder.mkdir()
    with wave.open(str(folder / "long.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        for _ in range(HOURS_3 // 60):
            file.writeframes(bytes(60 * 8000 * 4))
    words = [sys.executable, "-c", SLOW, "0", "run", str(folder), "--db", str(qa.db)]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False, preexec_fn=bounded)
    assert done.returncode == 0, done.stderr
    (row,) = table(qa("export", "scores", "--db", qa.db).out)[1]
    assert (row["call_id"], float(row["duration_s"])) == ("long", float(HOURS_3))
