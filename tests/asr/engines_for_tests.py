"""Engines without a model for tests of the worker processes; in a module of its own, because other processes import it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from qa_pipeline.asr.base import Engine, ListenRequest
from qa_pipeline.config import AsrSettings
from qa_pipeline.errors import ModelError
from qa_pipeline.intake.decode import Decoded
from qa_pipeline.model import EngineInfo, Segment, Transcript

INFO = EngineInfo(name="fake", model="none", model_hash="0")


class FakeEngine:
    """Hears the file's name. Names decide what happens: ``kill`` dies, ``raise`` fails, ``once`` dies the first time."""

    info = INFO

    def transcribe_many(self, items: Iterable[Decoded]) -> Iterator[Transcript]:
        gathered = list(items)  # like the real one: read ahead, answer later
        for decoded in gathered:
            _misbehave(Path(decoded.recording.path))
        for decoded in gathered:
            yield Transcript(
                audio_hash=decoded.recording.audio_hash,
                duration_s=decoded.recording.duration_s,
                channels=1,
                engine=INFO,
                segments=(Segment(channel=0, start_s=0.0, end_s=0.1, text=Path(decoded.recording.path).stem, confidence=1.0),),
            )

    def listen_again(self, decoded: Decoded, requests: Sequence[ListenRequest]) -> tuple[tuple[Segment, ...], ...]:
        _misbehave(Path(decoded.recording.path))
        name = Path(decoded.recording.path).stem
        return tuple(
            (Segment(channel=at.channel, start_s=at.start_s, end_s=at.end_s, text=f"{name} {' '.join(words)}", confidence=1.0),)
            for at, words in requests
        )


def _misbehave(path: Path) -> None:
    if path.stem.startswith("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    if path.stem.startswith("raise"):
        raise RuntimeError("out of ideas")
    if path.stem.startswith("slow"):
        time.sleep(60)
    if path.stem.startswith("once") and not (mark := path.with_suffix(".mark")).exists():
        mark.write_text("")
        os.kill(os.getpid(), signal.SIGKILL)


def open_fake(settings: AsrSettings) -> Engine:
    return FakeEngine()


def open_broken(settings: AsrSettings) -> Engine:
    raise ModelError("模型坏了，请重装。")


def open_deadly(settings: AsrSettings) -> Engine:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError
