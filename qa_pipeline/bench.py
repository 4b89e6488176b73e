"""``qa bench``: how fast this computer hears and judges, and beside it, in the same run, faster-whisper's own ways.

Every contender runs in a process of its own, on the same recordings, one after the other, ``rounds`` times; a sampler outside
adds up processor seconds and memory of its whole process tree. Ratios of one run are meaningful on a busy computer; hours per
hour are not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_pipeline.bench_ways import CONTENDERS, WAYS, Work
from qa_pipeline.errors import UserError

if TYPE_CHECKING:
    from qa_pipeline.config import Settings
    from qa_pipeline.model import CallData

_SAMPLE_S = 0.2
OURS, RECOGNITION = "qa-pipeline", "recognition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One contender: seconds of the clock and of all processors, and the most memory its process tree held (bytes)."""

    way: str
    wall_s: float
    cpu_s: float
    peak_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times faster than ``way`` we are, by the clock and by processor time."""

    way: str
    wall: float
    cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchResult:
    """``timings`` holds the median of the rounds (by the clock) of each way; ``stages`` shares of processor time, sum 1.

    ``recognition_share``: of our time by the clock, what the same recognition takes when nothing else is done beside it.
    """

    recordings: int
    audio_s: float
    workers: int
    rounds: int
    timings: tuple[Timing, ...]
    ratios: tuple[Ratio, ...]
    recognition_share: float
    stages: tuple[tuple[str, float], ...]

    @property
    def hours_per_hour(self) -> float:
        return self.audio_s / self.timings[0].wall_s


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchPlan:
    """``minutes``: as many recordings as needed for this much audio, 0: all; ``two_channel``: only recordings with two channels;
    ``compare``: run the other ways too."""

    folders: tuple[Path, ...]
    minutes: float = 15.0
    two_channel: bool = False
    rounds: int = 1
    compare: bool = True


def bench(plan: BenchPlan, settings: Settings, told: Callable[[str], None] = lambda _: None) -> BenchResult:
    """Measure. ``told`` hears what is being done. Raises UserError for a folder without usable recordings."""
    from qa_pipeline.asr.models import resolve
    from qa_pipeline.asr.workers import worker_count

    calls, audio_s = chosen(plan)
    resolve(settings.asr.model)  # assembled before anybody's clock runs
    work = Work(calls=calls, settings=settings)
    ways = [OURS, RECOGNITION, *CONTENDERS] if plan.compare else [OURS, RECOGNITION]
    rounds: dict[str, list[Timing]] = {way: [] for way in ways}
    for number in range(plan.rounds):
        for way in ways:
            told(f"第 {number + 1}/{plan.rounds} 轮：{way}")
            rounds[way].append(_run(way, work)[0])
    told("各阶段耗时")
    _, stages = _run("stages", work)
    timings = tuple(_median(rounds[way]) for way in ways if way != RECOGNITION)
    return BenchResult(
        recordings=len(calls),
        audio_s=round(audio_s, 1),
        workers=worker_count(settings.asr, len(calls)),
        rounds=plan.rounds,
        timings=timings,
        ratios=tuple(_ratio(way, rounds[way], rounds[OURS]) for way in ways[2:]),
        recognition_share=round(_ratio(RECOGNITION, rounds[RECOGNITION], rounds[OURS]).wall, 3),
        stages=_shares(stages),
    )


def _median(found: Sequence[Timing]) -> Timing:
    return sorted(found, key=lambda one: one.wall_s)[(len(found) - 1) // 2]


def chosen(plan: BenchPlan) -> tuple[tuple[CallData, ...], float]:
    """The calls of the folders, by their manifests as ``qa run`` takes them, until they are long enough together, and their seconds."""
    from qa_pipeline.errors import AudioError
    from qa_pipeline.intake.decode import decode

    chosen: list[CallData] = []
    total = 0.0
    for call in (call for folder in plan.folders for call in _calls(folder)):
        try:
            recording = decode(Path(call.file or "")).recording
        except AudioError:
            continue
        if plan.two_channel and recording.channels != 2:
            continue
        chosen.append(replace(call, call_id=f"{len(chosen):05}"))
        total += recording.duration_s
        if plan.minutes and total >= plan.minutes * 60:
            break
    if not chosen:
        kind = "双声道的" if plan.two_channel else "能读的"
        raise UserError(f"{'、'.join(map(str, plan.folders))}：没有{kind}录音。请放入录音后再测。")
    return tuple(chosen), total


def _calls(folder: Path) -> Iterator[CallData]:
    """With the files as absolute paths."""
    from qa_pipeline.source import open_source

    if not folder.is_dir():
        raise UserError(f"{folder}：没有这个文件夹。请给出放录音的文件夹。")
    source = open_source(folder, None, {})
    for call in source.calls:
        if call.file:
            yield replace(call, file=str((Path(source.base) / call.file).resolve()))


def _ratio(way: str, theirs: Sequence[Timing], ours: Sequence[Timing]) -> Ratio:
    """The median of the rounds' ratios: each round compares what ran next to each other."""
    wall = sorted(their.wall_s / our.wall_s for their, our in zip(theirs, ours, strict=True))
    cpu = sorted(their.cpu_s / our.cpu_s for their, our in zip(theirs, ours, strict=True))
    middle = (len(wall) - 1) // 2
    return Ratio(way=way, wall=round(wall[middle], 3), cpu=round(cpu[middle], 3))


def _shares(seconds: dict[str, float]) -> tuple[tuple[str, float], ...]:
    total = sum(seconds.values()) or 1.0
    return tuple((name, round(value / total, 4)) for name, value in sorted(seconds.items(), key=lambda item: -item[1]))


def _run(way: str, work: Work) -> tuple[Timing, dict[str, float]]:
    """One contender in a process of its own; what it returned besides."""
    from multiprocessing import get_context

    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(theirs, way, work), name=f"bench {way}")
    process.start()
    theirs.close()
    with _sampled(process.pid or 0) as sampler:
        try:
            wall_s, detail = ours.recv()
        except EOFError:
            raise UserError(f"测速“{way}”时进程意外退出。请检查内存是否足够，或减少 --minutes。") from None
        finally:
            process.join()
    cpu_s = sum(sampler.cpu.values())
    return Timing(way=way, wall_s=round(wall_s, 2), cpu_s=round(cpu_s, 2), peak_bytes=sampler.peak), detail


def _child(connection: Any, way: str, work: Work) -> None:
    wall_s, detail = WAYS[way](work)
    connection.send((wall_s, detail))
    connection.close()


class _Sampler:
    """Looks at a process tree again and again: the most memory, and the last known processor seconds of each process."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._end = threading.Event()
        self.peak = 0
        self.cpu: dict[int, float] = {}
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def stop(self) -> None:
        self._end.set()
        self.thread.join()

    def _watch(self) -> None:
        import psutil

        while not self._end.wait(_SAMPLE_S):
            held = 0
            try:
                root = psutil.Process(self._pid)
                tree = [root, *root.children(recursive=True)]
            except psutil.Error:
                continue
            for process in tree:
                try:
                    memory = process.memory_full_info()
                    held += getattr(memory, "pss", memory.uss)  # what is shared counts once, where the system can tell
                    times = process.cpu_times()
                    self.cpu[process.pid] = times.user + times.system
                except psutil.Error:
                    continue
            self.peak = max(self.peak, held)


@contextmanager
def _sampled(pid: int) -> Iterator[_Sampler]:
    sampler = _Sampler(pid)
    sampler.thread.start()
    try:
        yield sampler
    finally:
        time.sleep(0)  # let a last sample through
        sampler.stop()
