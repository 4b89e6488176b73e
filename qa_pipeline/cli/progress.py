"""Progress of a run on stderr: audio seconds done and left, on a terminal as a bar, else as a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from qa_pipeline.cli.common import duration, say

_LINE_EVERY_S = 30.0
_PACE_AFTER_S = 5.0


class RunProgress:
    """See :class:`qa_pipeline.pipeline.Progress`; a context manager so that the bar never outlives the run."""

    def __init__(self, *, quiet: bool = False, tick: Callable[[], float] = time.monotonic) -> None:
        self._quiet = quiet
        self._tick = tick
        self._bar: Any = None
        self._task: Any = None
        self._total_s = self._done_s = 0.0
        self._calls = self._heard_calls = self._failed_calls = 0
        self._first_at: float | None = None  # when the first recording was heard, and what had been heard with it
        self._first_s = 0.0
        self._told_at = tick()

    def __enter__(self) -> Self:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            columns = (TextColumn("{task.description}"), BarColumn(bar_width=28), TextColumn("{task.fields[told]}"))
            self._bar = Progress(*columns, console=Console(stderr=True, highlight=False))
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def identifying(self, calls: int) -> None:
        self._stage("核对录音", calls)

    def identified(self) -> None:
        self._advance(1)

    def judging(self, calls: int) -> None:
        if calls:
            self._stage("用已有转写判定", calls)

    def judged(self) -> None:
        self._advance(1)

    def hearing(self, calls: int, audio_s: float) -> None:
        self._calls, self._total_s = calls, audio_s
        self._stage("识别与判定", max(audio_s, 1.0))
        if self._bar is None and not self._quiet:
            say(f"要识别 {calls} 段录音，共 {duration(audio_s)}。")
        self._tell()

    def heard(self, call_id: str, audio_s: float, error: str) -> None:
        self._done_s += audio_s
        self._heard_calls += 1
        self._failed_calls += bool(error)  # why is said once, with all others at the end
        if self._first_at is None and not error:
            self._first_at, self._first_s = self._tick(), self._done_s
        self._advance(audio_s)
        self._tell()

    def interrupted(self, stored: int, kept: int, left: int) -> None:
        """What is safe and what is not: the bar counts what was heard, and the verdicts come after."""
        parts = [f"已入库 {stored} 通"]
        if kept:
            parts.append(f"听完还没判的 {kept} 段存下了转写，下次直接判定")
        if left:
            parts.append(f"没听完的 {left} 段下次要听")
        self._line(f"{'；'.join(parts)}。")

    def _stage(self, name: str, total: float) -> None:
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(name, total=total, told="")

    def _advance(self, amount: float) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, amount)

    def _tell(self) -> None:
        """Where the recognition stands: audio done and left, and the time that the rest will take."""
        left_s = max(0.0, self._total_s - self._done_s)
        failed = f"（未处理 {self._failed_calls}）" if self._failed_calls else ""
        told = f"{self._heard_calls}/{self._calls} 通{failed}  音频 {duration(self._done_s)}，剩 {duration(left_s)}"
        rest_s = self._rest_s(left_s)
        if rest_s:
            told += f"  约需 {duration(rest_s)}"
        if self._bar is not None:
            self._bar.update(self._task, told=told)
        elif not self._quiet and self._heard_calls and (self._tick() - self._told_at >= _LINE_EVERY_S or not left_s):
            self._told_at = self._tick()
            say(told)

    def _rest_s(self, left_s: float) -> float | None:
        """The time that the rest will take, from the pace since the first recording: before it, processes were starting. None until
        a tenth of the whole was heard at that pace for long enough; the first guess would be several times too long or too short."""
        if self._first_at is None:
            return None
        spent_s, done_s = self._tick() - self._first_at, self._done_s - self._first_s
        if spent_s < _PACE_AFTER_S or done_s < self._total_s / 10:
            return None
        return left_s * spent_s / done_s

    def _line(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(text, markup=False)
        elif not self._quiet:
            say(text)
