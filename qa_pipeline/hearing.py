"""What the run wants from whoever hears recordings: processes of this machine, a cluster, or the truth in a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from qa_pipeline.errors import StageError
from qa_pipeline.model import ChannelSpan, Conversation, EngineInfo, Outcome, Recording, Segment, Transcript
from qa_pipeline.store.base import Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """The answer of a recogniser to one recording (``path``: as asked): recording and transcript, or what went wrong."""

    path: str
    recording: Recording | None = None
    transcript: Transcript | None = None
    error: StageError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one recording gave; ``path`` may be None for ready transcripts, ``kept`` where nobody has looked it up yet."""

    engine: EngineInfo
    recording: Recording | None = None
    transcript: Transcript | None = None
    path: str | None = None
    kept: Kept | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardAgain:
    """The outcomes after the second listening, and the readings that were made for them and are not stored yet."""

    outcomes: tuple[Outcome, ...]
    readings: tuple[Transcript, ...] = ()


# The second listening may hear spans of the recording again and answer with other outcomes; None: it cannot be done now.
Relisten = Callable[[Conversation, tuple[Outcome, ...], Heard], HeardAgain | None]


class Recogniser(Protocol):
    """Hears recordings, in any order, on as many processes as it likes. ``info`` must be known without loading a model.

    A ``path`` is absolute, or a URL that fsspec opens.
    """

    info: EngineInfo

    def hear(self, paths: Sequence[str]) -> Iterator[Hearing]: ...

    def listen(self, path: str, requests: tuple[tuple[ChannelSpan, tuple[str, ...]], ...]) -> tuple[tuple[Segment, ...], ...]:
        """Hears spans of one recording again, each with its hot-words: the readings, best first."""
        ...

    def listeners(self) -> int:
        """How many may ``listen`` at the same time, each in a thread of its own; with one, only in that of ``hear``."""
        ...
