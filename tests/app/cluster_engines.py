"""Engines for tests of the cluster; in a module of its own, because processes of other machines import it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from qa_pipeline.asr.base import Engine, ListenRequest
from qa_pipeline.asr.engines import EngineKind, describe_engine, open_engine
from qa_pipeline.config import AsrSettings
from qa_pipeline.intake.decode import Decoded
from qa_pipeline.model import EngineInfo, Segment, Transcript
from tests.asr.engines_for_tests import INFO, open_broken, open_deadly, open_fake


class Napping:
    """The engine of the settings; at a recording with ``NAME.nap`` beside it, it sleeps once, with its process number in there.

    Every recording that was begun is noted in ``begun`` beside it: recording, process.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.info = engine.info

    def transcribe_many(self, items: Iterable[Decoded]) -> Iterator[Transcript]:
        for decoded in items:
            path = Path(decoded.recording.path)
            with (path.parent / "begun").open("a") as log:
                log.write(f"{path.stem} {os.getpid()}\n")
            nap = path.with_suffix(".nap")
            if nap.exists() and not nap.read_text():
                nap.write_text(str(os.getpid()))
                time.sleep(600)
            yield from self._engine.transcribe_many([decoded])

    def listen_again(self, decoded: Decoded, requests: Sequence[ListenRequest]) -> tuple[tuple[Segment, ...], ...]:
        return self._engine.listen_again(decoded, requests)


def open_napping(settings: AsrSettings) -> Engine:
    return Napping(open_engine(settings))


def fake_info(settings: AsrSettings) -> EngineInfo:
    return INFO


NAPPING = EngineKind(describe=describe_engine, open=open_napping)
FAKE = EngineKind(describe=fake_info, open=open_fake)
BROKEN = EngineKind(describe=fake_info, open=open_broken)
DEADLY = EngineKind(describe=fake_info, open=open_deadly)
