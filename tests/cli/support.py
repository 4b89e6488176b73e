"""Runs ``qa`` in this process with recorded hearing, or in a process of its own that can be interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from qa_pipeline.cli import main
from tests.app.support import TruthRecogniser

# A process of its own: the truth is heard slowly, one recording after a sign on stdout.
SLOW = """
import os, sys, time
from contextlib import contextmanager
import qa_pipeline.recogniser as recogniser
from qa_pipeline.cli.main import main
from tests.app.support import TruthRecogniser

class Slow(TruthRecogniser):
    def hear(self, paths):
        for answer in super().hear(paths):
            print("heard", os.path.basename(answer.path), flush=True)
            yield answer
            time.sleep(float(sys.argv[1]))

@contextmanager
def open_slow(settings, recordings=0):
    yield Slow()

recogniser.open_recogniser = open_slow
main(sys.argv[2:])
"""


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


class Qa:
    """``qa`` with what it prints; the recogniser knows the sample calls."""

    def __init__(self, capsysbinary: pytest.CaptureFixture[bytes], folder: Path) -> None:
        self._capture = capsysbinary
        self.db = folder / "out" / "qa.duckdb"

    def __call__(self, *words: str | Path) -> Said:
        self._capture.readouterr()
        code = main.run([str(word) for word in words])
        out, err = self._capture.readouterr()
        return Said(int(code), out.decode(), err.decode())


@contextmanager
def truth_recogniser(settings: object, recordings: int = 0) -> Iterator[TruthRecogniser]:
    yield TruthRecogniser()
