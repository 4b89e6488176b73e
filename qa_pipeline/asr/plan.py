"""Which recordings are handed out next, which are tried again, and what has been answered: the bookkeeping of ``workers``."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from qa_pipeline.errors import StageError
from qa_pipeline.model import Recording, Transcript

BATCH = 8  # recordings handed to a worker at once: enough windows of the same length to decode together
AHEAD = 4  # batches per worker that may be finished before the consumer has asked for them


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One recording: heard (``recording`` and ``transcript``) or failed (``error``)."""

    key: str
    path: Path
    recording: Recording | None = None
    transcript: Transcript | None = None
    error: StageError | None = None


class Plan:
    """What is left to hand out, and in which portions; forgets what was delivered."""

    def __init__(self, items: Sequence[tuple[str, Path]], workers: int) -> None:
        self.items = items
        self._next = 0
        self._workers = workers
        self._alone: deque[int] = deque()
        self._deaths: dict[int, int] = {}
        self.done: dict[int, Result] = {}

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left to hand out, as far as one knows: what is under way may have to be tried again."""
        return not self._alone and self._next == len(self.items)

    def take(self, delivered: int) -> tuple[int, ...]:
        """Numbers of the next recordings for a free worker: empty when there are none, or when the consumer lags behind."""
        if self._alone:
            return (self._alone.popleft(),)
        if self._next - delivered > AHEAD * BATCH * self._workers:
            return ()
        left = len(self.items) - self._next
        size = min(left, max(1, min(BATCH, left // (2 * self._workers))))
        portion = tuple(range(self._next, self._next + size))
        self._next += size
        return portion

    def died(self, numbers: Iterable[int]) -> None:
        """A worker died with these recordings in hand."""
        for number in sorted(numbers):
            self._deaths[number] = self._deaths.get(number, 0) + 1
            if self._deaths[number] == 1:
                self._alone.append(number)
            else:
                path = self.items[number][1]
                message = f"{path}：识别进程两次在这段录音上意外退出，已跳过。其他录音不受影响；请检查文件是否损坏、内存是否足够。"
                self.finish(number, error=StageError("asr", message))

    def finish(
        self,
        number: int,
        *,
        recording: Recording | None = None,
        transcript: Transcript | None = None,
        error: StageError | None = None,
    ) -> None:
        key, path = self.items[number]
        self.done[number] = Result(key=key, path=path, recording=recording, transcript=transcript, error=error)
