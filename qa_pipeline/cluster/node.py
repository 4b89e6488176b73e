"""What runs on the machines of a cluster: recordings in, transcripts or reasons out. Knows nothing of Ray.

Every process keeps one engine for all portions that it gets: Ray gives a task to any process of the job that is free, and a
process that was lost is replaced by one that opens the engine again.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.asr.base import ListenRequest
from qa_pipeline.asr.worker_process import Broken, Failed, HeardOne, Listened, Ready
from qa_pipeline.asr.worker_process import Listen as ListenOnce
from qa_pipeline.asr.worker_process import hear as hear_all
from qa_pipeline.asr.worker_process import listen as listen_once
from qa_pipeline.errors import AudioError, QaError, StageError
from qa_pipeline.intake.remote import is_url, local

if TYPE_CHECKING:
    from qa_pipeline.asr.base import Engine
    from qa_pipeline.config import AsrSettings
    from qa_pipeline.model import EngineInfo

Answers = tuple[HeardOne | Failed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What every process must be able to do alike, or the same recording would be judged differently from machine to machine."""

    settings: AsrSettings
    opener: Callable[[AsrSettings], Engine]  # a function of a module
    info: EngineInfo
    version: str  # of the program


def check(job: Job) -> Ready | Broken:
    """Opens the engine and does nothing else."""
    try:
        _engine(job)
    except QaError as error:
        return Broken(message=f"{platform.node()}：{error}")
    return Ready()


def hear(job: Job, tasks: tuple[tuple[int, str], ...]) -> Answers | Broken:
    """An answer for each (number, location), in any order."""
    try:
        engine = _engine(job)
    except QaError as error:
        return Broken(message=f"{platform.node()}：{error}")
    answers: list[HeardOne | Failed] = []
    named: dict[int, tuple[str, Path]] = {}
    with ExitStack() as copies:
        for number, location in tasks:
            try:
                named[number] = (location, copies.enter_context(_here(location)))
            except StageError as error:
                answers.append(Failed(number=number, stage=error.stage, message=str(error)))
        for answer in hear_all(engine, tuple((number, path) for number, (_, path) in named.items())):
            assert answer.number is not None
            answers.append(_renamed(answer, *named[answer.number]))
    return tuple(answers)


def listen(job: Job, location: str, requests: tuple[ListenRequest, ...]) -> Listened | Failed | Broken:
    """The readings of spans of one recording."""
    try:
        engine = _engine(job)
        with _here(location) as path:
            answer = listen_once(engine, ListenOnce(path=path, requests=requests))
            return answer if isinstance(answer, Listened) else _renamed_failure(answer, location, path)
    except StageError as error:
        return Failed(number=None, stage=error.stage, message=str(error))
    except QaError as error:
        return Broken(message=f"{platform.node()}：{error}")


@lru_cache(maxsize=1)
def _engine(job: Job) -> Engine:
    """The engine of this process. A task has nowhere else to keep it, and loading it for each would cost more than hearing."""
    from qa_pipeline import __version__
    from qa_pipeline.errors import ConfigError

    if __version__ != job.version:
        raise ConfigError(f"这台机器上的 qa-pipeline 是 {__version__}，发起运行的是 {job.version}。请在每台机器上安装同一版本。")
    engine = job.opener(job.settings)
    if engine.info != job.info:
        raise ConfigError(
            f"这台机器上的识别模型或选项（{engine.info}）与发起运行的（{job.info}）不同，结果会因机器而异。"
            "请在每台机器上放同一个模型，并写明 --device。"
        )
    return engine


@contextmanager
def _here(location: str) -> Iterator[Path]:
    """The recording as a file of this machine, see ``remote.local``."""
    if not is_url(location) and not Path(location).exists():
        raise AudioError(
            f"{location}：集群里的机器 {platform.node()} 找不到这段录音。录音要放在每台机器用同一路径都能读到的共享文件夹，"
            "或对象存储（s3:// 一类的地址）。"
        )
    with local(location) as path:
        yield path


def _renamed(answer: HeardOne | Failed, location: str, path: Path) -> HeardOne | Failed:
    """A copy goes by the name of what it is a copy of."""
    if isinstance(answer, HeardOne):
        return replace(answer, recording=replace(answer.recording, path=location))
    return _renamed_failure(answer, location, path)


def _renamed_failure(failure: Failed, location: str, path: Path) -> Failed:
    return replace(failure, message=failure.message.replace(str(path), location))
