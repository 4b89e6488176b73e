"""The recogniser of a run: the engine of the settings on worker processes of this machine or on a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.hearing import Hearing, Recogniser
from qa_pipeline.model import ChannelSpan, EngineInfo, Segment

if TYPE_CHECKING:
    from qa_pipeline.asr.workers import WorkerPool
    from qa_pipeline.config import Settings


class Workers:
    """Worker processes as the pipeline wants them."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self.info: EngineInfo = pool.info

    def hear(self, paths: Sequence[str]) -> Iterator[Hearing]:
        _on_this_machine(paths)
        for one in self._pool.hear((path, Path(path)) for path in paths):
            yield Hearing(path=one.key, recording=one.recording, transcript=one.transcript, error=one.error)

    def listen(self, path: str, requests: tuple[tuple[ChannelSpan, tuple[str, ...]], ...]) -> tuple[tuple[Segment, ...], ...]:
        _on_this_machine((path,))
        return self._pool.listen(Path(path), requests)

    def listeners(self) -> int:
        """A thread that waits for its turn keeps nobody from handing out recordings."""
        return self._pool.listeners


def _on_this_machine(paths: Sequence[str]) -> None:
    """Copying from afar is the cluster's: there it goes on beside the hearing."""
    from qa_pipeline.errors import UserError
    from qa_pipeline.intake.remote import is_url

    if far := next(filter(is_url, paths), None):
        raise UserError(f"{far}：对象存储上的录音请加 --cluster local（本机）或 --cluster 集群地址。")


@contextmanager
def open_recogniser(settings: Settings, recordings: int = 0) -> Iterator[Recogniser]:
    """The recogniser that the settings name, on this machine or on a cluster; its processes end with the block.

    ``recordings``: how many will be heard as far as is known; processes for them load beside what the caller does next.
    """
    from qa_pipeline.asr.workers import WorkerPool

    if settings.cluster:
        from qa_pipeline.cluster import Cluster

        with Cluster(settings.asr, settings.cluster) as cluster:
            yield cluster
        return
    with WorkerPool(settings.asr) as pool:
        pool.get_ready(recordings)
        yield Workers(pool)
