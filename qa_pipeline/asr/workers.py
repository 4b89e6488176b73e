"""Many recordings on many processes: each worker has its own engine, one consumer gets the results in order.

Every worker has its own pipe (a queue shared by processes stays locked for ever when one of them is killed while holding it).
A worker that dies takes nothing with it: its recordings are tried again, each alone; one that kills a worker twice is
reported as a failure of that recording. Memory is bounded: no more is handed out than a few batches ahead of the consumer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from qa_pipeline.asr import worker_process
from qa_pipeline.asr.base import ListenRequest
from qa_pipeline.asr.engines import describe_engine, device_of, open_engine
from qa_pipeline.asr.plan import BATCH, Plan, Result
from qa_pipeline.asr.worker_process import Broken, Failed, Hear, HeardOne, Idle, Listen, Listened, Ready
from qa_pipeline.errors import ModelError, StageError
from qa_pipeline.model import EngineInfo, Segment

if TYPE_CHECKING:
    from qa_pipeline.asr.base import Engine
    from qa_pipeline.config import AsrSettings

_WORKER_BYTES = 700 << 20  # a worker with the built-in model needs at most this much
_START_FAILURES = 3

Opener = Callable[["AsrSettings"], "Engine"]
OnProgress = Callable[[str, float], None]


@dataclass(slots=True, kw_only=True)
class _Worker:
    process: Any
    connection: Any
    ready: bool = False
    tasks: dict[int, Path] = field(default_factory=dict)  # handed out, not answered
    busy: bool = False


@dataclass(slots=True)
class _Seat:
    """Where a process for second listenings sits; it is started when first wanted, and has one listening at a time.

    A worker that no recording is left for takes a seat too, so that the last listenings have all processors.
    """

    worker: _Worker | None = None


class WorkerPool:
    """Worker processes with loaded engines. Use as a context manager; processes start with the first recording.

    ``opener`` must be a function of a module (it is called in the other process).
    """

    def __init__(self, settings: AsrSettings, opener: Opener = open_engine) -> None:
        self._settings = settings
        self._opener = opener
        self._workers: list[_Worker] = []
        self._seats: SimpleQueue[_Seat] = SimpleQueue()  # the free ones
        self._all_seats: list[_Seat] = []
        self._closed = False
        self._failed_starts = 0
        for _ in range(listener_count(settings)):
            self._seat(_Seat())

    @property
    def info(self) -> EngineInfo:
        """What the engines will say of themselves; loads nothing."""
        return describe_engine(self._settings)

    @property
    def listeners(self) -> int:
        """How many may listen at the same time in the end, when nobody hears any more."""
        return listener_count(self._settings) + worker_count(self._settings, BATCH)

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all processes, at once."""
        self._closed = True
        workers = [*self._workers, *(seat.worker for seat in self._all_seats if seat.worker)]
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.process.join()
        for worker in self._workers:
            worker.connection.close()
        self._workers = []

    def get_ready(self, recordings: int) -> None:
        """Start processes for so many recordings before it is known which: they load while others have something else to do."""
        for _ in range(worker_count(self._settings, recordings) if recordings else 0):
            self._workers.append(self._start())

    def hear(self, items: Iterable[tuple[str, Path]], on_progress: OnProgress | None = None) -> Iterator[Result]:
        """One result per item, in order. ``on_progress`` gets key and audio seconds when a recording is done, in any order.

        Raises ModelError when the engine cannot be opened. Leaving the iterator early ends the processes.
        """
        tasks = list(items)
        if not tasks:
            return
        self._closed = False
        limit = worker_count(self._settings, len(tasks))
        plan = Plan(tasks, limit)
        complete = False
        try:
            for number in range(len(tasks)):
                while number not in plan.done:
                    self._hand_out(plan, number, limit)
                    self._receive(plan, on_progress)
                yield plan.done.pop(number)
            complete = True
        finally:
            if not complete:
                self.close()

    def listen(self, path: Path, requests: tuple[ListenRequest, ...]) -> tuple[tuple[Segment, ...], ...]:
        """Hear spans of one recording again: for each the readings, best first. Raises StageError, ModelError.

        May be called while ``hear`` is under way, and from several threads: processes of their own listen, so that nobody waits
        for the recordings that the workers have in hand.
        """
        seat = self._seats.get()
        try:
            for _ in range(2):
                if self._closed:
                    break
                worker = seat.worker = seat.worker or self._start()
                try:
                    while not worker.ready:
                        self._started(worker, worker.connection.recv())
                    worker.connection.send(Listen(path=path, requests=requests))
                    answer = worker.connection.recv()
                except (EOFError, OSError):
                    seat.worker = None
                    self._bury(worker)
                    continue
                if isinstance(answer, Listened):
                    return answer.answers
                assert isinstance(answer, Failed)
                raise StageError(answer.stage, answer.message)
        finally:
            self._seats.put(seat)
        raise StageError("asr", f"{path}：重听时识别进程意外退出。请检查文件是否损坏、内存是否足够。")

    def _hand_out(self, plan: Plan, delivered: int, limit: int) -> None:
        for worker in list(self._workers):
            if not worker.busy:
                self._give(worker, plan, delivered)
        while len(self._workers) < limit and (portion := plan.take(delivered)):
            worker = self._start()
            self._workers.append(worker)
            self._send(worker, plan, portion)

    def _give(self, worker: _Worker, plan: Plan, delivered: int) -> None:
        if portion := plan.take(delivered):
            self._send(worker, plan, portion)
        elif plan.exhausted:  # should another one die, a new one takes its place
            self._workers.remove(worker)
            self._seat(_Seat(worker))

    def _seat(self, seat: _Seat) -> None:
        self._all_seats.append(seat)
        self._seats.put(seat)

    def _send(self, worker: _Worker, plan: Plan, portion: tuple[int, ...]) -> None:
        worker.tasks = {number: plan.items[number][1] for number in portion}
        worker.busy = True
        with suppress(OSError):  # dead already: its sentinel says so
            worker.connection.send(Hear(tasks=tuple(worker.tasks.items())))

    def _start(self) -> _Worker:
        from multiprocessing import get_context

        context = get_context("spawn")
        ours, theirs = context.Pipe()
        arguments = (theirs, self._opener, self._settings)
        process = context.Process(target=worker_process.run, args=arguments, daemon=True, name="qa-asr")
        with _environment("MALLOC_ARENA_MAX", "1"):  # else glibc keeps what is free for each thread by itself: 80 MB more
            process.start()
        theirs.close()
        return _Worker(process=process, connection=ours)

    def _receive(self, plan: Plan, on_progress: OnProgress | None) -> None:
        """Wait for something to happen and take note of it."""
        from multiprocessing.connection import wait

        happened = wait([one.connection for one in self._workers] + [one.process.sentinel for one in self._workers])
        for worker in list(self._workers):
            if worker.connection in happened:
                try:
                    self._note(worker, worker.connection.recv(), plan, on_progress)
                    continue
                except (EOFError, OSError):
                    pass
            elif worker.process.sentinel not in happened:
                continue
            self._bury(worker)
            plan.died(worker.tasks)

    def _note(self, worker: _Worker, message: object, plan: Plan, on_progress: OnProgress | None) -> None:
        if isinstance(message, HeardOne):
            worker.tasks.pop(message.number)
            plan.finish(message.number, recording=message.recording, transcript=message.transcript)
            if on_progress:
                on_progress(plan.items[message.number][0], message.recording.duration_s)
        elif isinstance(message, Failed) and message.number is not None:
            worker.tasks.pop(message.number)
            plan.finish(message.number, error=StageError(message.stage, message.message))
            if on_progress:
                on_progress(plan.items[message.number][0], 0.0)
        elif isinstance(message, Idle):
            worker.busy = False
        else:
            self._started(worker, message)

    def _started(self, worker: _Worker, message: object) -> None:
        if isinstance(message, Broken):
            raise ModelError(message.message)
        assert isinstance(message, Ready)
        worker.ready = True
        self._failed_starts = 0

    def _bury(self, worker: _Worker) -> None:
        """A worker is dead. Raises ModelError when they die again and again without having started."""
        if worker in self._workers:
            self._workers.remove(worker)
        worker.process.join(timeout=5)
        worker.process.kill()
        worker.connection.close()
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= _START_FAILURES:
                raise ModelError(
                    f"识别进程一启动就退出（退出码 {worker.process.exitcode}）。可能内存不足：请用 --workers 1 再试，"
                    "或运行 qa doctor 检查安装。"
                )


def transcribe_files(
    items: Iterable[tuple[str, Path]], settings: AsrSettings, on_progress: OnProgress | None = None
) -> Iterator[Result]:
    """Hear all ``items`` (key, path) on the worker processes that the settings ask for; one result each, in order."""
    with WorkerPool(settings) as pool:
        yield from pool.hear(items, on_progress)


def worker_count(settings: AsrSettings, recordings: int) -> int:
    """How many processes: as asked; else one per processor, as memory allows; one on a graphics card; no more than recordings."""
    if settings.workers > 0:
        wanted = settings.workers
    elif device_of(settings) == "cuda":
        wanted = 1
    else:
        import psutil

        wanted = min(cpu_count() // max(1, settings.threads), psutil.virtual_memory().available // _WORKER_BYTES)
    return max(1, min(wanted, recordings))


def listener_count(settings: AsrSettings) -> int:
    """How many processes listen a second time: one for every two that hear, at least one."""
    return max(1, (settings.workers if settings.workers > 0 else cpu_count()) // 2)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """The variable for processes that are started in this block, unless the user has set it."""
    if name in os.environ:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


def cpu_count() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
