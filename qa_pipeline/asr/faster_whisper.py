"""The default engine: Whisper models in faster-whisper's format, run on CTranslate2 in packed windows.

voiced stretches → pieces → windows → first hearing (all calls of a group in common batches)
  → what looped or has no words is heard again, alone, with a wide beam → segments, uncovered, dropped
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypedDict

from qa_pipeline.asr.assemble import segments_of
from qa_pipeline.asr.base import SAMPLE_RATE, ListenRequest
from qa_pipeline.asr.coverage import Interval, Said, uncovered
from qa_pipeline.asr.guards import doubtful, reject
from qa_pipeline.asr.leaks import without_leaks
from qa_pipeline.asr.options import HearingOptions, engine_info, to_samples
from qa_pipeline.asr.packing import Piece, Window, alone, make_pieces, pack, seconds
from qa_pipeline.asr.vad import FRAME, Vad
from qa_pipeline.asr.whisper import Decoding, Heard, Machine, Whisper
from qa_pipeline.model import ChannelSpan, Recording, Segment, Transcript

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa_pipeline.asr.models import LocalModel
    from qa_pipeline.intake.decode import Decoded

_GROUP_WINDOWS = 4  # a group of calls is heard together once it fills this many batches
_ENCODED_BATCHES = 2  # so much is encoded before it is decoded: doubtful windows of several batches are searched again together
_GROUP_SECONDS = 1800  # and never holds more audio than this, but for a single long recording


@dataclass(slots=True, kw_only=True)
class _Job:
    """One recording on its way through the hearings."""

    decoded: Decoded
    voiced: list[list[Interval]]  # per channel
    quiet: list[NDArray[np.float32]]  # speech probability per frame and channel: where to cut
    segments: list[Segment] = field(default_factory=list)
    fallback: dict[Piece, Segment] = field(default_factory=dict)  # the first reading of a doubtful window, if it may stand
    again: list[Piece] = field(default_factory=list)
    dropped: list[ChannelSpan] = field(default_factory=list)


class _Activity(TypedDict):
    voiced: list[list[Interval]]
    quiet: list[NDArray[np.float32]]


class FasterWhisperEngine:
    """See ``asr.base.Engine``. ``batch`` windows are decoded at a time; it changes the speed only."""

    def __init__(self, model: LocalModel, machine: Machine, options: HearingOptions, batch: int) -> None:
        self.options = replace(options, compute_type=machine.compute_type)
        self.info = engine_info(model.name, model.sha256, self.options)
        self._whisper = Whisper(model, machine, options, batch=batch)
        self.clock = self._whisper.clock
        self._vad = Vad()
        self._batch = batch
        self._rules = self.options.pack_rules()
        self._second = Decoding(
            beam=options.second_beam, prompt=options.prompt, hotwords=options.hotwords, timestamps=options.timestamps
        )
        self._first = replace(self._second, beam=options.beam, beam_below=options.beam_below)

    def transcribe_many(self, items: Iterable[Decoded]) -> Iterator[Transcript]:
        """See ``Engine``: recordings are gathered until their windows fill some batches, then heard together."""
        jobs: list[_Job] = []
        windows: list[tuple[_Job, Window]] = []
        held_s = 0.0
        for decoded in items:
            job = self._job(decoded)
            jobs.append(job)
            windows += [(job, window) for window in self._windows(job)]
            held_s += decoded.recording.duration_s
            if len(windows) >= _GROUP_WINDOWS * self._batch or held_s >= _GROUP_SECONDS:
                yield from self._hear_group(jobs, windows)
                jobs, windows, held_s = [], [], 0.0
        yield from self._hear_group(jobs, windows)

    def listen_again(self, decoded: Decoded, requests: Sequence[ListenRequest]) -> tuple[tuple[Segment, ...], ...]:
        """See ``Engine``. Only the voiced parts of a span are heard. More than one window of speech has one reading only."""
        alike: dict[tuple[str, ...], list[tuple[int, _Job, Window]]] = defaultdict(list)  # what leans towards the same words
        for index, (span, words) in enumerate(requests):
            part = self._part(decoded, span)
            alike[words] += [(index, part, window) for window in self._windows(part)] if part is not None else []
        found: list[list[list[Segment]]] = [[] for _ in requests]
        for words, windows in alike.items():
            how = replace(self._second, readings=self.options.readings, hotwords=" ".join(words), timed=False)
            heard = self._hear([(part, window) for _, part, window in windows], how)
            for (index, _, window), readings in zip(windows, heard, strict=True):
                span, _ = requests[index]
                kept = [_reading(window, one) for one in readings if not reject(one, SAMPLE_RATE)]
                start_s = seconds(max(0, to_samples(span.start_s)))
                found[index].append([_moved(one, self._channel(decoded, span), start_s) for one in kept if one is not None])
        return tuple(
            _distinct(windows[0]) if len(windows) == 1 else _joined([readings[0] for readings in windows if readings])
            for windows in found
        )

    def _part(self, decoded: Decoded, span: ChannelSpan) -> _Job | None:
        """A span as a recording of its own; None when it is too short to hold anything."""
        start, end = max(0, to_samples(span.start_s)), min(decoded.samples.shape[1], to_samples(span.end_s))
        if end - start < FRAME:
            return None
        channel = self._channel(decoded, span)
        samples = decoded.samples[channel : channel + 1, start:end]
        return _Job(decoded=replace(decoded, samples=samples), **self._activity(samples))

    @staticmethod
    def _channel(decoded: Decoded, span: ChannelSpan) -> int:
        return span.channel if span.channel < decoded.samples.shape[0] else 0

    def _job(self, decoded: Decoded) -> _Job:
        return _Job(decoded=decoded, **self._activity(decoded.samples, decoded.recording))

    def _activity(self, samples: NDArray[np.int16], whole: Recording | None = None) -> _Activity:
        """``whole``: the recording that these are all samples of."""
        with self.clock.stage("voice activity"):
            quiet = [self._vad.probabilities(channel) for channel in samples]
            if whole is not None:
                quiet = without_leaks(quiet, samples, whole, self.options.leak_db)
        return {"quiet": quiet, "voiced": [self._vad.spans(one, samples.shape[1]) for one in quiet]}

    def _windows(self, job: _Job) -> list[Window]:
        return [w for channel, spans in enumerate(job.voiced) for w in pack(self._pieces(job, channel, spans), self._rules)]

    def _pieces(self, job: _Job, channel: int, spans: Sequence[Interval]) -> list[Piece]:
        return make_pieces(channel, spans, job.decoded.samples.shape[1], _quietest(job.quiet[channel], 0), self._rules)

    def _hear_group(self, jobs: Sequence[_Job], windows: Sequence[tuple[_Job, Window]]) -> Iterator[Transcript]:
        for (job, window), readings in zip(windows, self._hear(windows, self._first), strict=True):
            self._take_first(job, window, readings[0])
        for job in jobs:
            for channel, gaps in enumerate(self._gaps(job)):
                waiting = {(piece.start, piece.end) for piece in job.again if piece.channel == channel}
                new = [gap for gap in gaps if not any(start <= gap[0] and gap[1] <= end for start, end in waiting)]
                job.again += self._pieces(job, channel, new)
        again = [(job, alone(piece, self._rules)) for job in jobs for piece in job.again]
        for (job, window), readings in zip(again, self._hear(again, self._second), strict=True):
            self._take_second(job, window, readings[0])
        for job in jobs:
            yield self._transcript(job)

    def _take_first(self, job: _Job, window: Window, heard: Heard) -> None:
        segments = segments_of(window, heard)
        if doubtful(heard, SAMPLE_RATE):
            job.again += window.pieces
            if not reject(heard, SAMPLE_RATE):
                job.fallback |= dict(segments)
        else:
            job.segments += [segment for _, segment in segments]

    def _take_second(self, job: _Job, window: Window, heard: Heard) -> None:
        """A stretch heard alone: its words stand where no word of the first hearing stands."""
        piece = window.pieces[0]
        why = reject(heard, SAMPLE_RATE)
        found = [] if why else segments_of(window, heard)
        if not found and piece in job.fallback:
            found = [(piece, job.fallback[piece])]
        elif why:
            span = ChannelSpan(channel=piece.channel, start_s=seconds(piece.start), end_s=seconds(piece.end), note=why)
            job.dropped.append(span)
        job.segments += [segment for _, segment in found]

    def _gaps(self, job: _Job) -> list[list[Interval]]:
        said: dict[int, list[Said]] = defaultdict(list)
        for segment in job.segments:
            for word in segment.words:
                start, end = to_samples(word.start_s), to_samples(word.end_s)
                said[segment.channel].append(Said(start=start, end=end, chars=word.end - word.start))
        rules = self.options.coverage_rules()
        return [uncovered(spans, said[channel], rules) for channel, spans in enumerate(job.voiced)]

    def _transcript(self, job: _Job) -> Transcript:
        from qa_pipeline.speakers.acoustics import measure

        recording = job.decoded.recording
        voiced = _spans(job.voiced)
        with self.clock.stage("acoustics"):
            acoustics = measure(job.decoded, voiced)
        return Transcript(
            audio_hash=recording.audio_hash,
            duration_s=recording.duration_s,
            channels=job.decoded.samples.shape[0],
            engine=self.info,
            segments=tuple(sorted(job.segments, key=lambda segment: (segment.start_s, segment.channel, segment.end_s))),
            voiced=voiced,
            uncovered=_spans(self._gaps(job), "有人说话，听了两遍都没有听出字"),
            dropped=tuple(sorted(job.dropped, key=lambda span: (span.start_s, span.channel))),
            acoustics=acoustics,
        )

    def _hear(self, requests: Sequence[tuple[_Job, Window]], how: Decoding) -> list[list[Heard]]:
        """The readings of every window, in the order of ``requests``; windows of about one length are decoded together."""
        alike: dict[int, list[int]] = defaultdict(list)
        for index, (_, window) in sorted(enumerate(requests), key=lambda request: request[1][1].filled):
            alike[-(-window.length // self._rules.alike) * self._rules.alike].append(index)
        results: list[list[Heard]] = [[] for _ in requests]
        at_once = _ENCODED_BATCHES * self._batch
        for length, indexes in alike.items():
            for first in range(0, len(indexes), at_once):
                part = indexes[first : first + at_once]
                encoded = [self._whisper.encode(_audio(*requests[index])) for index in part]
                heard = self._whisper.decode(encoded, [requests[index][1].filled for index in part], length, how)
                for index, readings in zip(part, heard, strict=True):
                    results[index] = readings
        return results


def _audio(job: _Job, window: Window) -> NDArray[np.int16]:
    import numpy as np

    buffer = np.zeros(window.length, dtype=np.int16)
    for piece, at in zip(window.pieces, window.at, strict=True):
        buffer[at : at + piece.length] = job.decoded.samples[piece.channel, piece.start : piece.end]
    return buffer


class _quietest:
    """Where speech is least likely; ``probabilities`` begin at sample ``origin``."""

    def __init__(self, probabilities: NDArray[np.float32], origin: int) -> None:
        self._probabilities, self._origin = probabilities, origin

    def __call__(self, start: int, end: int) -> int:
        first = max(0, (start - self._origin) // FRAME)
        part = self._probabilities[first : max(first + 1, (end - self._origin) // FRAME)]
        middle = self._origin + (first + int(part.argmin())) * FRAME + FRAME // 2 if len(part) else start
        return min(max(middle, start), end)


def _spans(intervals: Sequence[Sequence[Interval]], note: str = "") -> tuple[ChannelSpan, ...]:
    spans = [
        ChannelSpan(channel=channel, start_s=seconds(start), end_s=seconds(end), note=note)
        for channel, found in enumerate(intervals)
        for start, end in found
    ]
    return tuple(sorted(spans, key=lambda span: (span.start_s, span.channel)))


def _reading(window: Window, heard: Heard) -> Segment | None:
    """A reading of a window as one segment, with the times of the window's pieces."""
    if not (text := heard.text.strip()):
        return None
    first, last = window.pieces[0], window.pieces[-1]
    confidence = round(math.exp(min(0.0, heard.avg_logprob)), 4)
    return Segment(channel=first.channel, start_s=seconds(first.start), end_s=seconds(last.end), text=text, confidence=confidence)


def _moved(segment: Segment, channel: int, by_s: float) -> Segment:
    return replace(segment, channel=channel, start_s=round(segment.start_s + by_s, 3), end_s=round(segment.end_s + by_s, 3))


def _distinct(readings: Sequence[Segment]) -> tuple[Segment, ...]:
    """Each text once, in order."""
    return tuple(
        {segment.text: segment for segment in reversed(readings)}[text] for text in dict.fromkeys(s.text for s in readings)
    )


def _joined(parts: Sequence[Segment]) -> tuple[Segment, ...]:
    """One segment of several that follow each other."""
    if not parts:
        return ()
    text = "".join(part.text for part in parts)
    confidence = sum(part.confidence * len(part.text) for part in parts) / len(text)
    return (replace(parts[0], end_s=parts[-1].end_s, text=text, confidence=round(confidence, 4)),)
