"""What every recogniser promises.

A transcript depends on the recording, the model and the options in ``EngineInfo`` alone: never on the calls that were
recognised beside it, the number of workers, the batch size or the order. Anything that would break this must either become
an option in ``EngineInfo`` or not be done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from qa_pipeline.model import ChannelSpan, EngineInfo, Segment, Transcript

if TYPE_CHECKING:
    from qa_pipeline.intake.decode import Decoded

ListenRequest = tuple[ChannelSpan, tuple[str, ...]]
"""What to hear again, and words to lean towards."""

SAMPLE_RATE = 16000  # Hz; what ``intake.decode`` delivers and Whisper hears


class Engine(Protocol):
    """A recogniser, loaded and ready. Not shared between threads or processes."""

    @property
    def info(self) -> EngineInfo:
        """What goes into the provenance and the cache key."""
        ...

    def transcribe_many(self, items: Iterable[Decoded]) -> Iterator[Transcript]:
        """One transcript per recording, in the order of ``items``; reads ahead by a small, bounded number of recordings."""
        ...

    def listen_again(self, decoded: Decoded, requests: Sequence[ListenRequest]) -> tuple[tuple[Segment, ...], ...]:
        """Hear each span alone with a wide beam: its readings, best first, each one segment; empty when nothing is heard.

        The words of a request lean the recogniser towards neutral words of a clause; never give it forbidden words.
        """
        ...


def engine_digest(info: EngineInfo) -> str:
    """16 hex digits that differ whenever anything differs that a transcript may depend on."""
    parts = [info.name, info.model, info.model_hash, *(f"{key}={value}" for key, value in sorted(info.options))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
