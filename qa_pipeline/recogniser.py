"""The recogniser of a run: the engine of the settings, on worker processes or in this one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.errors import StageError
from qa_pipeline.model import ChannelSpan, EngineInfo, Segment
from qa_pipeline.pipeline import Hearing, Recogniser

if TYPE_CHECKING:
    from qa_pipeline.asr.base import Engine
    from qa_pipeline.config import Settings


class InProcess:
    """An engine in this process, one recording after the other; it is loaded when the first recording is heard."""

    def __init__(self, info: EngineInfo, load: Callable[[], Engine]) -> None:
        self.info = info
        self._load = load
        self._loaded: Engine | None = None

    @property
    def _engine(self) -> Engine:
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def hear(self, paths: Sequence[Path]) -> Iterator[Hearing]:
        from qa_pipeline.intake.decode import decode

        for path in paths:
            try:
                decoded = decode(path)
                transcript = next(iter(self._engine.transcribe_many([decoded])))
            except StageError as error:
                yield Hearing(path=path, error=error)
                continue
            yield Hearing(path=path, recording=decoded.recording, transcript=transcript)

    def listen(self, path: Path, requests: tuple[tuple[ChannelSpan, tuple[str, ...]], ...]) -> tuple[tuple[Segment, ...], ...]:
        from qa_pipeline.intake.decode import decode

        decoded = decode(path)
        return tuple(self._engine.listen_again(decoded, span, hotwords) for span, hotwords in requests)


@contextmanager
def open_recogniser(settings: Settings) -> Iterator[Recogniser]:
    """The recogniser that the settings name; its processes end with the block."""
    from qa_pipeline.asr.engines import describe_engine, open_engine

    yield InProcess(describe_engine(settings.asr), lambda: open_engine(settings.asr))
