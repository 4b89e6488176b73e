"""The recogniser of a run: the engine of the settings on its worker processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.model import ChannelSpan, EngineInfo, Segment
from qa_pipeline.pipeline import Hearing, Recogniser

if TYPE_CHECKING:
    from qa_pipeline.asr.workers import WorkerPool
    from qa_pipeline.config import Settings


class Workers:
    """Worker processes as the pipeline wants them; they start with the first recording."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self.info: EngineInfo = pool.info

    def hear(self, paths: Sequence[Path]) -> Iterator[Hearing]:
        for one in self._pool.hear((str(path), path) for path in paths):
            yield Hearing(path=one.path, recording=one.recording, transcript=one.transcript, error=one.error)

    def listen(self, path: Path, requests: tuple[tuple[ChannelSpan, tuple[str, ...]], ...]) -> tuple[tuple[Segment, ...], ...]:
        return self._pool.listen(path, requests)


@contextmanager
def open_recogniser(settings: Settings) -> Iterator[Recogniser]:
    """The recogniser that the settings name; its processes end with the block."""
    from qa_pipeline.asr.workers import WorkerPool

    with WorkerPool(settings.asr) as pool:
        yield Workers(pool)
