"""What runs inside a worker process: one engine, fed through a pipe, until the pipe closes or the parent dies.

Only plain values cross the pipe. Parent → worker: ``Hear``, ``Listen``, None (stop). Worker → parent: the other classes below.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.asr.base import ListenRequest
from qa_pipeline.errors import QaError, StageError, reason_of
from qa_pipeline.model import Recording, Segment, Transcript

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from qa_pipeline.asr.base import Engine
    from qa_pipeline.config import AsrSettings
    from qa_pipeline.intake.decode import Decoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Hear:
    """Recordings to hear in one go: (number, path)."""

    tasks: tuple[tuple[int, Path], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    path: Path
    requests: tuple[ListenRequest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The engine could not be opened; nothing will ever come of this worker."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardOne:
    number: int
    recording: Recording
    transcript: Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """``number`` is None for an answer to ``Listen``."""

    number: int | None
    stage: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listened:
    answers: tuple[tuple[Segment, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """All tasks of a ``Hear`` are answered."""


def run(connection: Connection, opener: Callable[[AsrSettings], Engine], settings: AsrSettings) -> None:
    """Entry point of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides what ends
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # read when numpy is imported, below
        os.environ[variable] = str(settings.threads or 1)
    _follow_parent()
    try:
        engine = opener(settings)
    except QaError as error:
        connection.send(Broken(message=str(error)))
        return
    try:
        connection.send(Ready())
        while (message := connection.recv()) is not None:
            if isinstance(message, Listen):
                connection.send(listen(engine, message))
            else:
                for answer in hear(engine, message.tasks):
                    connection.send(answer)
                connection.send(Idle())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the parent has gone


def _follow_parent() -> None:
    """End this process when the parent ends in whatever way, even in the middle of a long recording."""
    from multiprocessing import parent_process

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def hear(engine: Engine, tasks: tuple[tuple[int, Path], ...]) -> Iterator[HeardOne | Failed]:
    """Answers for all tasks. If the engine fails on several together, each is tried alone, so that one pays for itself only."""
    waiting: list[tuple[int, Recording]] = []
    failed: list[Failed] = []
    answered: set[int] = set()

    def decoded() -> Iterator[Decoded]:
        from qa_pipeline.intake.decode import decode

        for number, path in tasks:
            try:
                item = decode(path)
            except StageError as error:
                failed.append(Failed(number=number, stage=error.stage, message=str(error)))
                continue
            waiting.append((number, item.recording))
            yield item

    try:
        for transcript in engine.transcribe_many(decoded()):
            number, recording = waiting.pop(0)
            answered.add(number)
            yield HeardOne(number=number, recording=recording, transcript=transcript)
    except Exception as error:  # whatever an engine or a codec raises: the batch goes on
        rest = [task for task in tasks if task[0] not in answered and task[0] not in {one.number for one in failed}]
        if len(tasks) == 1:
            yield _failure(tasks[0], error)
        else:
            yield from failed
            for task in rest:
                yield from hear(engine, (task,))
        return
    yield from failed


def _failure(task: tuple[int, Path], error: Exception) -> Failed:
    number, path = task
    if isinstance(error, StageError):
        return Failed(number=number, stage=error.stage, message=str(error))
    if isinstance(error, OSError | MemoryError):
        reason = reason_of(error) if isinstance(error, OSError) else "内存不足"
        return Failed(number=number, stage="asr", message=f"{path}：识别时系统出错（{reason}）。请检查磁盘空间和内存后再运行一次。")
    message = f"{path}：识别时程序出错（{type(error).__name__}: {error}）。其他录音不受影响；请把这段录音和这句话告诉开发者。"
    return Failed(number=number, stage="asr", message=message)


def listen(engine: Engine, message: Listen) -> Listened | Failed:
    from qa_pipeline.intake.decode import decode

    try:
        decoded = decode(message.path)
        return Listened(answers=engine.listen_again(decoded, message.requests))
    except Exception as error:  # as above
        failure = _failure((0, message.path), error)
        return Failed(number=None, stage=failure.stage, message=failure.message)
