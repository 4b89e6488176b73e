"""Recordings in, stored verdicts out: the only module that knows all stages.

    folder + manifest → identify → (hear | cached transcript) → converse → judge → store

One writer, small transactions: what is interrupted loses at most the recordings that are being heard at that moment. Every call
that is done (same recording, call data, engine, rules, version) is skipped; every transcript that is known is used again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Protocol

from qa_pipeline import spool
from qa_pipeline.abreast import abreast
from qa_pipeline.across import concerned
from qa_pipeline.errors import AudioError, Problem, StageError, StoreError, StoreLockedError, UserError
from qa_pipeline.hearing import Heard, Hearing, Recogniser
from qa_pipeline.identify import Identified, identify, length_s
from qa_pipeline.judge import Judge
from qa_pipeline.model import AuditRun, Recording, Transcript
from qa_pipeline.source import Source, open_source
from qa_pipeline.store import BatchEnd, BatchInfo, Failure, Store
from qa_pipeline.store.base import Kept, nothing_kept

__all__ = ["Hearing", "Pipeline", "Progress", "Recogniser", "RunResult", "Source", "open_source"]

BATCH_CALLS = 20  # calls a transaction
BATCH_S = 30.0  # or so many seconds since the last one
MOST_WAITING = 400  # calls held in memory while the store is busy; about 0.2 MB each


class Progress(Protocol):
    """What the one who waits is told; seconds are seconds of audio."""

    def identifying(self, calls: int) -> None: ...
    def identified(self) -> None: ...
    def hearing(self, calls: int, audio_s: float) -> None: ...
    def heard(self, call_id: str, audio_s: float, error: str) -> None: ...
    def judging(self, calls: int) -> None: ...
    def judged(self) -> None: ...
    def interrupted(self, stored: int, kept: int, left: int) -> None: ...  # calls, recordings heard, recordings not heard


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    batch_id: str
    calls: tuple[str, ...]  # every call of the source that has a verdict now
    done: int
    skipped: int
    failures: tuple[Failure, ...]
    warnings: tuple[Problem, ...]
    audio_s: float  # heard now
    seconds: float  # wall time
    from_cache: int = 0  # judged now from transcripts that were there


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """A call that can be judged; ``cached``: heard in an earlier run, of which ``kept`` holds all."""

    item: Identified
    recording: Recording
    transcript: Transcript
    cached: bool
    kept: Kept = nothing_kept


@dataclass(slots=True, kw_only=True)
class Pipeline:
    """The stages of one command. ``now`` gives local time, ``tick`` seconds of a steady clock."""

    store: Store
    judge: Judge
    recogniser: Recogniser
    progress: Progress
    cache: bool = True
    limit: int | None = None
    now: Callable[[], datetime] = datetime.now
    tick: Callable[[], float] = time.monotonic
    _waiting: list[AuditRun] = field(default_factory=list)
    _failures: list[Failure] = field(default_factory=list)
    _kept_at: float = 0.0
    _unjudged: dict[str, Transcript] = field(default_factory=dict)  # heard now, by recording; the verdict is still to come
    _unheard: int = 0

    def run(self, source: Source, command: str = "run") -> RunResult:
        """Processes what is not done yet. StoreError and Ctrl-C end it; what was heard until then is stored first."""
        started, begun = self.now(), self.tick()
        batch = BatchInfo(
            batch_id=f"{command}-{started:%Y%m%dT%H%M%S%f}",
            started_at=started.isoformat(timespec="seconds"),
            command=command,
            source=source.name,
            options=self.judge.batch_options,
        )
        self._waiting, self._failures, self._kept_at, self._unjudged = [], [], begun, {}
        spool.bring_in(self.store, batch)
        self.progress.identifying(len(source.calls))
        found, missing = identify(source.calls, source.base, self.store, told=self.progress.identified)
        self._failures += missing
        undone = self._pending(found)
        pending = undone[: self.limit]
        heard_s: dict[str, float] = {}
        cached = 0
        done: list[str] = []
        try:
            ready, unheard = self._split(pending)
            self._unheard = len({item.audio_hash for item in unheard})
            self.progress.judging(len(ready))
            calls = chain(self._ready(ready), self._hear(unheard, heard_s))
            for call, judged in abreast(self._judge, calls, self.recogniser.listeners() if pending else 1):
                done += self._take(call, judged, batch)
                if call.cached:
                    cached += 1
                    self.progress.judged()
        except BaseException as error:
            self._keep_all(batch)
            if isinstance(error, KeyboardInterrupt):
                self.progress.interrupted(len(done), len(self._unjudged), self._unheard)
            raise
        self._keep_rest(batch)
        self._judge_across(done, batch)
        if self._failures:
            self.store.save_failures(self._failures, batch)
        result = RunResult(
            batch_id=batch.batch_id,
            calls=tuple(sorted({item.call.call_id for item in found} - {item.call.call_id for item in undone} | set(done))),
            done=len(done),
            skipped=len(found) - len(undone),
            failures=tuple(self._failures),
            warnings=source.warnings,
            audio_s=sum(heard_s.values()),
            seconds=self.tick() - begun,
            from_cache=cached,
        )
        self._end(result, bool(pending or self._failures))
        return result

    def _pending(self, found: list[Identified]) -> list[Identified]:
        """Calls whose verdict could be another one now."""
        from qa_pipeline.store.base import Judged
        from qa_pipeline.store.codec import digest, engine_digest

        judged = self.store.judged(self.judge.rules_digest, self.judge.version) if self.cache else frozenset()
        engine = engine_digest(self.recogniser.info)
        return [
            item
            for item in found
            if Judged(call_id=item.call.call_id, audio_hash=item.audio_hash, engine_digest=engine, call_digest=digest(item.call))
            not in judged
        ]

    def _split(self, pending: list[Identified]) -> tuple[list[Identified], list[Identified]]:
        known = self.store.transcripts.known((item.audio_hash for item in pending), self.recogniser.info) if self.cache else set()
        return [item for item in pending if item.audio_hash in known], [item for item in pending if item.audio_hash not in known]

    def _ready(self, items: list[Identified]) -> Iterator[_Call]:
        """What was heard before; a recording that is not on record (killed in between) is only decoded, not recognised."""
        from qa_pipeline.intake.decode import decode
        from qa_pipeline.intake.remote import local

        recordings = self.store.recordings(item.audio_hash for item in items)
        for item, kept in self._with_kept(items):
            transcript = kept(self.recogniser.info)
            try:
                recording = recordings.get(item.audio_hash)
                if recording is None:
                    with local(item.path) as path:
                        recording = decode(path).recording
            except AudioError as error:
                self._fail([item], error)
                continue
            if transcript is not None:
                yield _Call(item=item, recording=recording, transcript=transcript, cached=True, kept=kept)

    def _with_kept(self, items: list[Identified]) -> Iterator[tuple[Identified, Kept]]:
        """Each with what the store holds of its recording; looked up for some at a time, for opening the store costs more."""
        for start in range(0, len(items), BATCH_CALLS):
            page = items[start : start + BATCH_CALLS]
            kept = self.store.transcripts.kept(item.audio_hash for item in page)
            yield from ((item, kept[item.audio_hash]) for item in page)

    def _hear(self, items: list[Identified], heard_s: dict[str, float]) -> Iterator[_Call]:
        """Each distinct recording is heard once, for all calls that it belongs to; ``heard_s`` gets its length."""
        calls: dict[str, list[Identified]] = {}
        for item in items:
            calls.setdefault(item.audio_hash, []).append(item)
        if not calls:
            return
        by_path = {group[0].path: group for group in calls.values()}
        lengths = {path: length_s(path) for path in by_path}
        self.progress.hearing(len(by_path), sum(lengths.values()))
        for answer in self.recogniser.hear(list(by_path)):
            group = by_path[answer.path]
            self._unheard -= 1
            if answer.transcript is not None:
                self._unjudged[group[0].audio_hash] = answer.transcript
            self.progress.heard(group[0].call.call_id, lengths[answer.path], str(answer.error) if answer.error else "")
            if answer.error is not None or answer.recording is None or answer.transcript is None:
                self._fail(group, answer.error or AudioError(f"{answer.path}：没有得到转写结果，请重新运行。"))
                continue
            heard_s[answer.path] = answer.recording.duration_s
            for item in group:
                yield _Call(item=item, recording=answer.recording, transcript=answer.transcript, cached=False)

    def _judge(self, call: _Call) -> AuditRun | StageError:
        """Converse and judge; may run in a thread of its own. Trouble of one call is an answer, not the end."""
        from qa_pipeline.speakers import converse

        path = call.item.path
        recording = replace(call.recording, path=path)
        try:
            conversation = converse(call.item.call, recording, call.transcript)
            engine = call.transcript.engine
            heard = Heard(engine=engine, recording=recording, transcript=call.transcript, path=path, kept=call.kept)
            return self.judge(conversation, heard)
        except (StoreError, UserError):
            raise
        except StageError as error:
            return error
        except Exception as error:  # a fault of ours must not take the other calls down
            return StageError("audit", _own_fault(path, error))

    def _take(self, call: _Call, judged: AuditRun | StageError, batch: BatchInfo) -> list[str]:
        """Keep what was judged, sooner or later; of a call that could not be judged the transcript is kept all the same."""
        self._unjudged.pop(call.item.audio_hash, None)
        if isinstance(judged, StageError):
            self._fail([call.item], judged)
            self.store.transcripts.put([call.transcript])
            return []
        self._waiting.append(judged)
        if len(self._waiting) >= BATCH_CALLS or self.tick() - self._kept_at >= BATCH_S:
            self._keep_some(batch)
        return [call.item.call.call_id]

    def _judge_across(self, calls: list[str], batch: BatchInfo) -> None:
        """Calls whose verdict looks at other calls (二次确认) are asked again now that these are known, in whatever order they came."""
        if not calls or not self.judge.across_calls:
            return
        for call_id in concerned(self.store, self.judge.across_calls, calls):
            before = self.store.load_run(call_id)
            if before is None:
                continue
            recording = before.recording
            heard = Heard(
                engine=before.provenance.engine, recording=recording, path=recording.path if recording is not None else None
            )
            after = self.judge(before.conversation, heard)
            if after.run_id != before.run_id:
                self._waiting.append(after)
        self._keep_rest(batch)

    def _keep(self, batch: BatchInfo) -> None:
        """One transaction; the runs bring their transcripts and recordings."""
        if self._waiting:
            self.store.save(self._waiting, batch)
            self._waiting = []
        self._kept_at = self.tick()

    def _keep_some(self, batch: BatchInfo) -> None:
        """A store that is busy now is tried again later: hearing goes on, as long as what waits fits in memory."""
        try:
            self._keep(batch)
        except StoreLockedError:
            if len(self._waiting) >= MOST_WAITING:
                raise
            self._kept_at = self.tick()

    def _keep_rest(self, batch: BatchInfo) -> None:
        """The last save. When the store refuses, what was heard is put beside it, and the error says so."""
        try:
            self._keep(batch)
        except StoreError as error:
            kept = spool.put(self.store.path, self._waiting)
            count = len(self._waiting)
            note = (
                f"已识别的 {count} 通暂存在 {kept}，下次运行会自动入库，不用重新识别。"
                if kept
                else f"最后 {count} 通没有存下，下次要重新识别。"
            )
            raise type(error)(f"{error}\n{note}") from error

    def _keep_all(self, batch: BatchInfo) -> None:
        """The run ends early: its verdicts, and the transcripts of what was heard and has no verdict yet."""
        self._keep_rest(batch)
        if self._unjudged:
            try:
                self.store.transcripts.put(list(self._unjudged.values()))
            except StoreError as error:
                note = f"听完还没判的 {len(self._unjudged)} 段没有存下，下次要重新识别。"
                raise type(error)(f"{error}\n{note}") from error

    def _fail(self, items: Iterable[Identified], error: StageError) -> None:
        for item in items:
            self._failures.append(
                Failure(call_id=item.call.call_id, file=item.call.file or "", stage=error.stage, message=str(error))
            )

    def _end(self, result: RunResult, worth_telling: bool) -> None:
        """A run that found everything done leaves no trace: ten thousand done calls cost seconds, not rows."""
        if not worth_telling:
            return
        self.store.end_batch(
            BatchEnd(
                batch_id=result.batch_id,
                finished_at=self.now().isoformat(timespec="seconds"),
                done=result.done,
                skipped=result.skipped,
                failed=len(result.failures),
                audio_s=result.audio_s,
                seconds=round(result.seconds, 3),
            )
        )


def _own_fault(path: str, error: Exception) -> str:
    return f"{path}：判定时程序出错（{type(error).__name__}：{error}）。这通电话没有评分，其余照常；请把这条信息报告给维护者。"
