"""The second listening joined to recogniser and cache: every reading is heard once, and goes into the store with its run.

A reading is keyed by what it depends on: recording, model and options, span, hot-words. So judging again, with these rules or
others, gives the same verdicts without hearing anything twice; a rescore, which may not hear at all, uses what is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from qa_pipeline.errors import StageError
from qa_pipeline.hearing import Heard, HeardAgain, Relisten
from qa_pipeline.model import ChannelSpan, Conversation, EngineInfo, Outcome, Segment, Transcript
from qa_pipeline.store.base import TranscriptCache

if TYPE_CHECKING:
    from qa_pipeline.relisten import Request
    from qa_pipeline.rules.book import RuleBook

# Hears spans of one recording again, with hot-words: for each the readings, best first.
Listen = Callable[[str, tuple[tuple[ChannelSpan, tuple[str, ...]], ...]], tuple[tuple[Segment, ...], ...]]


class CannotListenError(Exception):
    """A reading is wanted that nobody may or can make now."""


class Readings:
    """The listener of one recording: first what was kept, then ``listen`` (None: nothing is heard); ``fresh`` is what it heard."""

    def __init__(self, cache: TranscriptCache, heard: Heard, listen: Listen | None) -> None:
        self._cache = cache
        self._heard = heard
        self._listen = listen
        self.fresh: tuple[Transcript, ...] = ()

    def hear(self, requests: tuple[Request, ...]) -> tuple[tuple[str, ...], ...]:
        assert self._heard.recording is not None
        audio_hash = self._heard.recording.audio_hash
        kept = self._heard.kept or self._cache.kept([audio_hash])[audio_hash]
        found = {request: kept(_reader(self._heard.engine, request)) for request in requests}
        missing = tuple(request for request, reading in found.items() if reading is None)
        if missing:
            self.fresh = self._hear(missing)
            found |= dict(zip(missing, self.fresh, strict=True))
        readings = (found[request] for request in requests)
        return tuple(tuple(segment.text for segment in reading.segments) if reading is not None else () for reading in readings)

    def _hear(self, requests: tuple[Request, ...]) -> tuple[Transcript, ...]:
        recording = self._heard.recording
        if self._listen is None or self._heard.path is None or recording is None:
            raise CannotListenError
        try:
            answers = self._listen(self._heard.path, tuple((request.span, request.hotwords) for request in requests))
        except StageError as error:  # the file has gone since it was first heard
            raise CannotListenError from error
        return tuple(
            Transcript(
                audio_hash=recording.audio_hash,
                duration_s=recording.duration_s,
                channels=recording.channels,
                engine=_reader(self._heard.engine, request),
                segments=answer,
            )
            for request, answer in zip(requests, answers, strict=True)
        )


def _reader(engine: EngineInfo, request: Request) -> EngineInfo:
    """The engine as it is for this one reading: the key under which the reading is kept."""
    span = f"{request.span.channel}:{request.span.start_s:.3f}-{request.span.end_s:.3f}"
    options = (*engine.options, ("listen_again", span), ("listen_again_hotwords", " ".join(request.hotwords)))
    return replace(engine, options=tuple(sorted(options)))


def relistener(book: RuleBook, cache: TranscriptCache, listen: Listen | None) -> Relisten:
    """The second listening for a judge. None as answer: it would be needed and cannot be done."""
    from qa_pipeline.relisten import second_listening

    def relisten(conversation: Conversation, outcomes: tuple[Outcome, ...], heard: Heard) -> HeardAgain | None:
        if heard.recording is None:  # a ready transcript: there is nothing to hear
            return HeardAgain(outcomes=outcomes)
        readings = Readings(cache, heard, listen)
        try:
            decided = second_listening(book, conversation, outcomes, readings)
        except CannotListenError:
            return None
        return HeardAgain(outcomes=decided, readings=readings.fresh)

    return relisten
