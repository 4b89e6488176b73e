"""The recogniser of a run on Ray.

Recordings go out in portions as Ray tasks: Ray finds a free processor on any machine, tries a portion again when its process
or its machine is lost, and uses machines that join later. A portion that is lost twice is handed out recording by recording;
one that is lost again is a failure of that recording alone. A bounded number of portions is under way; results come back
in order to the one writer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from queue import LifoQueue
from typing import Any, Self

from qa_pipeline import __version__
from qa_pipeline.asr.engines import EngineKind, describe_engine, device_of, open_engine
from qa_pipeline.asr.plan import Plan
from qa_pipeline.asr.worker_process import Broken, Failed, HeardOne, Listened
from qa_pipeline.asr.workers import worker_count
from qa_pipeline.cluster import node
from qa_pipeline.cluster.ray_session import connect
from qa_pipeline.config import AsrSettings
from qa_pipeline.errors import ConfigError, ModelError, StageError
from qa_pipeline.hearing import Hearing
from qa_pipeline.model import ChannelSpan, EngineInfo, Segment

_PORTIONS_A_PROCESS = 2  # one that is heard, one that waits there, so that no process waits for the writer
_PROCESSES_A_LISTENER = 2  # on calls full of suspicions a listener has 3/4 of a process's work (sample calls, 2026-11-22)
_MANY = 1 << 20


ENGINE = EngineKind(describe=describe_engine, open=open_engine)


class Cluster:
    """See :class:`qa_pipeline.hearing.Recogniser`. A context manager; connects with the first recording.

    ``address``: ``local``, ``auto`` or that of a Ray cluster. The functions of ``engine`` belong to modules that are
    installed on all machines.
    """

    def __init__(self, settings: AsrSettings, address: str, engine: EngineKind = ENGINE) -> None:
        self.info: EngineInfo = engine.describe(settings)
        self._settings = replace(settings, device=device_of(settings), threads=settings.threads or 1)
        self._address = address
        self._open = engine.open
        self._ending = ExitStack()
        self._session: _Session | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session = None
        self._ending.close()

    def hear(self, paths: Sequence[str]) -> Iterator[Hearing]:
        """One answer per path, in order. Raises ConfigError, ModelError when nothing can be heard at all."""
        if not paths:
            return
        session = self._connected()
        plan = Plan([(path, Path(path)) for path in paths], session.processes())
        under_way: dict[Any, tuple[int, ...]] = {}
        try:
            for number, path in enumerate(paths):
                while number not in plan.done:
                    session.hand_out(plan, number, under_way)
                    session.receive(plan, under_way)
                one = plan.done.pop(number)
                yield Hearing(path=path, recording=one.recording, transcript=one.transcript, error=one.error)
        finally:
            session.drop(under_way)

    def listen(self, path: str, requests: tuple[tuple[ChannelSpan, tuple[str, ...]], ...]) -> tuple[tuple[Segment, ...], ...]:
        """Hear spans of one recording again: for each the readings, best first. Raises StageError, ConfigError."""
        answer = self._connected().listen(path, requests)
        if isinstance(answer, Failed):
            raise StageError(answer.stage, answer.message)
        return answer.answers

    def listeners(self) -> int:
        """Connects."""
        return self._connected().listeners

    def _connected(self) -> _Session:
        if self._session is None:
            ray = connect(self._address, worker_count(self._settings, _MANY), self._ending)
            job = node.Job(settings=self._settings, opener=self._open, info=self.info, version=__version__)
            self._session = _Session(ray, job)
        return self._session


class _Session:
    """One connection to Ray with the tasks of one job."""

    def __init__(self, ray: Any, job: node.Job) -> None:
        self._ray = ray
        self._job = job
        self._works = False  # some process has opened the engine
        self.listeners = max(1, self.processes() // _PROCESSES_A_LISTENER)
        self._free: LifoQueue[Any] = LifoQueue()
        for _ in range(self.listeners):
            self._free.put(None)  # started when it is needed
        graphics = 1 if job.settings.device == "cuda" else 0
        task = ray.remote(num_cpus=job.settings.threads, num_gpus=graphics, max_retries=1)
        self._hear, self._check = task(node.hear), task(node.check)

    def processes(self) -> int:
        """How many tasks can run at the same time now, on all machines; no more than asked for."""
        there = self._ray.cluster_resources()
        if self._job.settings.device == "cuda":
            most = int(there.get("GPU", 0))
        else:
            most = int(there.get("CPU", 0)) // self._job.settings.threads
        return max(1, min(most, self._job.settings.workers or most))

    def hand_out(self, plan: Plan, delivered: int, under_way: dict[Any, tuple[int, ...]]) -> None:
        most = _PORTIONS_A_PROCESS * self.processes()
        while len(under_way) < most and (numbers := plan.take(delivered)):
            tasks = tuple((number, plan.items[number][0]) for number in numbers)
            under_way[self._hear.remote(self._job, tasks)] = numbers

    def receive(self, plan: Plan, under_way: dict[Any, tuple[int, ...]]) -> None:
        """Wait for one portion and take note of it."""
        (first,), _ = self._ray.wait(list(under_way), num_returns=1)
        numbers = under_way.pop(first)
        answers = self._get(first)
        if answers is None:
            self._prove()
            plan.died(numbers)
            return
        self._works = True
        for answer in answers:
            if isinstance(answer, HeardOne):
                plan.finish(answer.number, recording=answer.recording, transcript=answer.transcript)
            else:
                plan.finish(answer.number, error=StageError(answer.stage, answer.message))

    def listen(self, path: str, requests: tuple[Any, ...]) -> Listened | Failed:
        """By a process of its own, so that nobody waits for the portions that the others have in hand. From any thread."""
        listener = self._free.get()
        try:
            if listener is None:
                actor = self._ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=1, scheduling_strategy="SPREAD")
                listener = actor(_Listener).remote(self._job)
            answer = self._get(listener.listen.remote(path, requests))
        finally:
            self._free.put(listener)
        return answer or Failed(
            number=None, stage="asr", message=f"{path}：重听时识别进程两次意外退出。请检查文件是否损坏、内存是否足够。"
        )

    def drop(self, under_way: dict[Any, tuple[int, ...]]) -> None:
        """Tell Ray that nobody wants these any more."""
        for task in under_way:
            self._ray.cancel(task, force=True)

    def _get(self, task: Any) -> Any:
        """The answer; None when the process or the machine was lost, again and again. Raises ConfigError."""
        lost = self._ray.exceptions
        try:
            answer = self._ray.get(task)
        except (lost.RayTaskError, lost.RuntimeEnvSetupError) as error:  # not of a recording: those come back as answers
            raise ConfigError(f"集群里的机器不能运行识别，请在每台机器上安装同一版本的 qa-pipeline。原因：{error}") from error
        except lost.RayError:
            return None
        if isinstance(answer, Broken):
            raise ConfigError(answer.message)
        return answer

    def _prove(self) -> None:
        """Before recordings are blamed: can a process be started at all?"""
        if not self._works and self._get(self._check.remote(self._job)) is None:
            raise ModelError("识别进程一启动就退出，可能内存不足：请减少 --workers 再试，或在集群的机器上运行 qa doctor 检查安装。")
        self._works = True


class _Listener:
    """The process for the second listening."""

    def __init__(self, job: node.Job) -> None:
        self._job = job

    def listen(self, path: str, requests: tuple[Any, ...]) -> Listened | Failed | Broken:
        return node.listen(self._job, path, requests)
