"""The contenders of ``qa bench``: each a function of the work that returns seconds of the clock and details."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_pipeline.errors import StageError

if TYPE_CHECKING:
    from qa_pipeline.asr.base import ListenRequest
    from qa_pipeline.asr.clock import Clock
    from qa_pipeline.config import Settings
    from qa_pipeline.model import CallData, EngineInfo, Segment
    from qa_pipeline.pipeline import Hearing, Recogniser


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """``calls`` as the manifest beside the recordings tells them; their files are absolute paths."""

    calls: tuple[CallData, ...]
    settings: Settings

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(Path(call.file or "") for call in self.calls)


Way = Callable[[Work], tuple[float, dict[str, float]]]


class _Silent:
    """A progress that nobody watches."""

    def identifying(self, calls: int) -> None: ...
    def identified(self) -> None: ...
    def hearing(self, calls: int, audio_s: float) -> None: ...
    def heard(self, call_id: str, audio_s: float, error: str) -> None: ...
    def judging(self, calls: int) -> None: ...
    def judged(self) -> None: ...
    def interrupted(self, stored: int, kept: int, left: int) -> None: ...


def ours(work: Work) -> tuple[float, dict[str, float]]:
    """The whole of ``qa run``: from files to stored verdicts, start of the workers and loading of the models included."""
    from qa_pipeline.recogniser import open_recogniser

    began = time.perf_counter()
    with open_recogniser(work.settings, len(work.calls)) as recogniser:
        _pipeline(work, recogniser)
    return time.perf_counter() - began, {}


def _pipeline(work: Work, recogniser: Recogniser) -> None:
    from qa_pipeline.judge import open_judge
    from qa_pipeline.pipeline import Pipeline
    from qa_pipeline.source import Source
    from qa_pipeline.store import open_store

    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "bench.duckdb")
        judge = open_judge(work.settings, store, recogniser.listen)
        pipeline = Pipeline(store=store, judge=judge, recogniser=recogniser, progress=_Silent(), cache=False)
        pipeline.run(Source(base=folder, calls=work.calls, name="bench"))


class _Noting:
    """A recogniser that remembers what it was asked to hear again."""

    def __init__(self, inner: Recogniser) -> None:
        self._inner = inner
        self.info = inner.info
        self.asked: dict[str, tuple[ListenRequest, ...]] = {}

    def hear(self, paths: Sequence[str]) -> Iterator[Hearing]:
        return self._inner.hear(paths)

    def listen(self, path: str, requests: tuple[ListenRequest, ...]) -> tuple[tuple[Segment, ...], ...]:
        self.asked[path] = requests
        return self._inner.listen(path, requests)

    def listeners(self) -> int:
        return self._inner.listeners()


def recognition(work: Work) -> tuple[float, dict[str, float]]:
    """The recognition of ``ours`` and nothing beside it: the same first and second hearings on the same processes.

    What is heard again is known from a run that is not timed.
    """
    from qa_pipeline.abreast import abreast
    from qa_pipeline.recogniser import open_recogniser

    with open_recogniser(work.settings, len(work.calls)) as recogniser:
        noting = _Noting(recogniser)
        _pipeline(work, noting)
    began = time.perf_counter()
    with open_recogniser(work.settings, len(work.calls)) as recogniser:

        def again(hearing: Hearing) -> None:
            if hearing.path in noting.asked:
                recogniser.listen(hearing.path, noting.asked[hearing.path])

        heard = recogniser.hear([str(path) for path in work.paths])
        for _ in abreast(again, heard, recogniser.listeners()):
            pass
    return time.perf_counter() - began, {}


class _InProcess:
    """A recogniser in this process that notes where the time goes."""

    def __init__(self, settings: Settings) -> None:
        from qa_pipeline.asr.engines import open_engine

        engine: Any = open_engine(replace(settings.asr, threads=1))
        self._engine = engine
        self.info: EngineInfo = self._engine.info
        self.clock: Clock = self._engine.clock
        self.inside_s = 0.0  # processor seconds spent in here
        self.listening_s = 0.0

    def hear(self, paths: Sequence[str]) -> Iterator[Hearing]:
        from qa_pipeline.intake.decode import decode
        from qa_pipeline.pipeline import Hearing

        began = time.process_time()
        decoded = []
        for path in paths:
            with self.clock.stage("intake"):
                decoded.append((path, decode(Path(path))))
        transcripts = self._engine.transcribe_many(item for _, item in decoded)
        for path, item in decoded:
            transcript = next(transcripts)
            self.inside_s += time.process_time() - began
            yield Hearing(path=path, recording=item.recording, transcript=transcript)
            began = time.process_time()

    def listen(self, path: str, requests: tuple[ListenRequest, ...]) -> tuple[tuple[Segment, ...], ...]:
        from qa_pipeline.intake.decode import decode

        began, before = time.process_time(), dict(self.clock.seconds)
        decoded = decode(Path(path))
        answers: tuple[tuple[Segment, ...], ...] = self._engine.listen_again(decoded, requests)
        self.clock.seconds = before  # its stages are its own, not those of the first hearing
        self.listening_s += time.process_time() - began
        return answers

    def listeners(self) -> int:
        return 1


def stages(work: Work) -> tuple[float, dict[str, float]]:
    """Processor seconds by stage, everything in one process."""
    recogniser = _InProcess(work.settings)
    began, clock = time.perf_counter(), time.process_time()
    _pipeline(work, recogniser)
    total = time.process_time() - clock
    seconds = {**recogniser.clock.seconds, "second listening": recogniser.listening_s}
    seconds["judging and storing"] = max(0.0, total - recogniser.inside_s - recogniser.listening_s)
    return time.perf_counter() - began, seconds


def plain_loop(work: Work) -> tuple[float, dict[str, float]]:
    """``WhisperModel.transcribe(vad_filter=True)`` on each channel, two threads or all there are; loading not counted."""
    model = _whisper_model(work)
    return _each_channel(work, lambda audio: model.transcribe(audio, language="zh", vad_filter=True)[0])


def batched(work: Work) -> tuple[float, dict[str, float]]:
    """``BatchedInferencePipeline`` on each channel, as above."""
    from faster_whisper import BatchedInferencePipeline

    pipeline = BatchedInferencePipeline(_whisper_model(work))
    return _each_channel(work, lambda audio: pipeline.transcribe(audio, language="zh")[0])


def _whisper_model(work: Work) -> Any:
    from faster_whisper import WhisperModel

    from qa_pipeline.asr.engines import describe_engine, device_of
    from qa_pipeline.asr.models import resolve
    from qa_pipeline.asr.workers import cpu_count

    asr = work.settings.asr
    compute_type = dict(describe_engine(asr).options)["compute_type"]
    return WhisperModel(str(resolve(asr.model).path), device=device_of(asr), compute_type=compute_type, cpu_threads=cpu_count())


def _each_channel(work: Work, transcribe: Callable[[Any], Any]) -> tuple[float, dict[str, float]]:
    import numpy as np

    from qa_pipeline.intake.decode import decode

    began = time.perf_counter()
    for path in work.paths:
        try:
            samples = decode(path).samples
        except StageError:
            continue
        for channel in samples:
            list(transcribe(channel.astype(np.float32) / 32768.0))
    return time.perf_counter() - began, {}


WAYS: dict[str, Way] = {
    "qa-pipeline": ours,
    "WhisperModel.transcribe": plain_loop,
    "BatchedInferencePipeline": batched,
    "recognition": recognition,
    "stages": stages,
}
CONTENDERS = ("WhisperModel.transcribe", "BatchedInferencePipeline")
