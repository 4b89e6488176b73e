"""The engine: speech packed into windows, heard in batches, mapped back, and audited for what was not heard.

Each recording is heard by itself, so its transcript depends on nothing beside it. Hallucinated loops and text over silence are
dropped and told; voiced stretches without words are heard again alone; what stays without words is told too.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa_pipeline.asr.base import SAMPLE_RATE
from qa_pipeline.asr.packing import PackRules, Piece, Window, alone, make_pieces, pack, seconds
from qa_pipeline.asr.vad import Vad
from qa_pipeline.asr.whisper import Decoding, Heard, Machine, Whisper
from qa_pipeline.model import ChannelSpan, EngineInfo, Segment, Transcript, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa_pipeline.asr.models import LocalModel
    from qa_pipeline.intake.decode import Decoded


def _samples(seconds_: float) -> int:
    return round(seconds_ * SAMPLE_RATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedOptions:
    """Everything that the text depends on; goes into ``EngineInfo``. Seconds unless said otherwise."""

    language: str = "zh"
    window_s: float = 28.0
    gap_s: float = 0.3
    keep_s: float = 0.6
    pad_s: float = 0.12
    beam: int = 1
    batch: int = 8  # windows decoded together: speed only
    again_beam: int = 5
    readings: int = 3  # of a second listening
    uncovered_s: float = 0.7  # a voiced stretch with less than this without words is covered
    cut_gap_s: float = 0.5  # silence between words at which a segment ends

    def rules(self) -> PackRules:
        return PackRules(
            window=_samples(self.window_s),
            gap=_samples(self.gap_s),
            keep=_samples(self.keep_s),
            pad=_samples(self.pad_s),
            quantum=_samples(2.0),
            shortest=_samples(10.0),
        )

    def named(self) -> tuple[tuple[str, str], ...]:
        """Sorted names and values of what the text depends on."""
        values = {name: str(getattr(self, name)) for name in self.__dataclass_fields__ if name != "batch"}
        return tuple(sorted(values.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spoken:
    """Words of one piece, in the recording's samples."""

    piece: Piece
    text: str
    words: tuple[Word, ...]
    confidence: float


class PackedWhisper:
    """Whisper over packed windows; one instance a process."""

    def __init__(self, model: LocalModel, model_hash: str, options: PackedOptions, machine: Machine) -> None:
        self._options = options
        self._whisper = Whisper(model.path, machine, options.language)
        self._vad = Vad()
        self._info = EngineInfo(name="faster-whisper", model=model.name, model_hash=model_hash, options=options.named())

    @property
    def info(self) -> EngineInfo:
        return self._info

    def transcribe_many(self, items: Iterable[Decoded]) -> Iterator[Transcript]:
        for item in items:
            yield self.transcribe(item)

    def transcribe(self, decoded: Decoded) -> Transcript:
        """One recording: all channels, packed, heard, audited."""
        from qa_pipeline.speakers.acoustics import measure

        rules = self._options.rules()
        voiced: list[ChannelSpan] = []
        segments: list[Segment] = []
        dropped: list[ChannelSpan] = []
        uncovered: list[ChannelSpan] = []
        for channel, samples in enumerate(decoded.samples):
            spans = self._vad.spans(self._vad.probabilities(samples), len(samples))
            voiced += [_span(channel, start, end) for start, end in spans]
            pieces = make_pieces(channel, spans, len(samples), _quietest(samples), rules)
            spoken = self._hear(samples, pack(pieces, rules), Decoding(beam=self._options.beam), dropped)
            gaps = self._gaps(spans, spoken)
            again = [alone(Piece(channel=channel, start=start, end=end), rules) for start, end in gaps]
            spoken += self._hear(samples, again, Decoding(beam=self._options.again_beam), dropped)
            uncovered += [_span(channel, start, end, "听了两遍都没有识别出文字") for start, end in self._gaps(spans, spoken)]
            segments += [segment for item in spoken for segment in self._segments(item)]
        return Transcript(
            audio_hash=decoded.recording.audio_hash,
            duration_s=decoded.recording.duration_s,
            channels=len(decoded.samples),
            engine=self._info,
            segments=tuple(sorted(segments, key=lambda item: (item.start_s, item.channel, item.end_s))),
            voiced=tuple(sorted(voiced, key=lambda item: (item.start_s, item.channel))),
            uncovered=tuple(sorted(uncovered, key=lambda item: (item.start_s, item.channel))),
            dropped=tuple(sorted(dropped, key=lambda item: (item.start_s, item.channel))),
            acoustics=measure(decoded, voiced),
        )

    def listen_again(self, decoded: Decoded, span: ChannelSpan, hotwords: tuple[str, ...]) -> tuple[Segment, ...]:
        """The readings of a span, best first."""
        samples = decoded.samples[min(span.channel, len(decoded.samples) - 1)]
        start, end = max(0, _samples(span.start_s)), min(len(samples), _samples(span.end_s))
        if end - start < _samples(0.1):
            return ()
        window = alone(Piece(channel=span.channel, start=start, end=end), self._options.rules())
        how = Decoding(beam=self._options.again_beam, readings=self._options.readings, hotwords=" ".join(hotwords))
        readings = self._whisper.decode([self._whisper.encode(_fill(samples, window))], [window.filled], how)[0]
        heard = [reading for reading in readings if reading.text.strip() and not _is_loop(reading)]
        return tuple(self._whole(window, reading) for reading in heard)

    def _hear(
        self, samples: NDArray[np.int16], windows: Sequence[Window], how: Decoding, dropped: list[ChannelSpan]
    ) -> list[_Spoken]:
        spoken: list[_Spoken] = []
        by_length: dict[int, list[Window]] = {}
        for window in windows:
            by_length.setdefault(window.length, []).append(window)
        for group in by_length.values():
            for first in range(0, len(group), self._options.batch):
                batch = group[first : first + self._options.batch]
                encoded = [self._whisper.encode(_fill(samples, window)) for window in batch]
                readings = self._whisper.decode(encoded, [window.filled for window in batch], how)
                for window, best in zip(batch, readings, strict=True):
                    spoken += self._place(window, best[0], dropped)
        return spoken

    def _place(self, window: Window, heard: Heard, dropped: list[ChannelSpan]) -> list[_Spoken]:
        """The words of a window in their pieces; a loop drops the whole window."""
        if not heard.text.strip():
            return []
        if _is_loop(heard):
            dropped += [
                _span(piece.channel, piece.start, piece.end, f"循环的幻听：{heard.text.strip()[:20]}") for piece in window.pieces
            ]
            return []
        groups: dict[int, list[int]] = {}
        for nth, word in enumerate(heard.words):
            groups.setdefault(window.piece_at((word.first + word.last) // 2), []).append(nth)
        placed = []
        for index, members in sorted(groups.items()):
            low, high = heard.words[members[0]].start, heard.words[members[-1]].end
            text = heard.text[low:high]
            words = tuple(
                Word(
                    start=heard.words[nth].start - low,
                    end=heard.words[nth].end - low,
                    start_s=seconds(window.locate(heard.words[nth].first, index)),
                    end_s=seconds(window.locate(heard.words[nth].last, index)),
                    confidence=round(heard.words[nth].confidence, 4),
                )
                for nth in members
            )
            mean = sum(word.confidence for word in words) / len(words)
            placed.append(_Spoken(piece=window.pieces[index], text=text, words=words, confidence=round(mean, 4)))
        return placed

    def _gaps(self, voiced: Sequence[tuple[int, int]], spoken: Sequence[_Spoken]) -> list[tuple[int, int]]:
        """Voiced stretches, or parts of them, without words."""
        words = sorted((_samples(word.start_s), _samples(word.end_s)) for item in spoken for word in item.words)
        least = _samples(self._options.uncovered_s)
        gaps: list[tuple[int, int]] = []
        for start, end in voiced:
            reached = start
            for low, high in words:
                if high <= start or low >= end:
                    continue
                if low - reached >= least:
                    gaps.append((reached, low))
                reached = max(reached, high)
            if end - reached >= least:
                gaps.append((reached, end))
        return gaps

    def _segments(self, spoken: _Spoken) -> Iterator[Segment]:
        """A piece's words cut at the silences between them."""
        words = spoken.words
        first = 0
        for nth in range(1, len(words) + 1):
            ends = nth == len(words)
            if ends or words[nth].start_s - words[nth - 1].end_s >= self._options.cut_gap_s:
                low = words[first].start
                high = len(spoken.text) if ends else words[nth].start
                group = tuple(
                    Word(start=w.start - low, end=w.end - low, start_s=w.start_s, end_s=w.end_s, confidence=w.confidence)
                    for w in words[first:nth]
                )
                yield Segment(
                    channel=spoken.piece.channel,
                    start_s=group[0].start_s,
                    end_s=group[-1].end_s,
                    text=spoken.text[low:high],
                    words=group,
                    confidence=round(sum(w.confidence for w in group) / len(group), 4),
                )
                first = nth

    def _whole(self, window: Window, heard: Heard) -> Segment:
        piece = window.pieces[0]
        confidence = sum(word.confidence for word in heard.words) / len(heard.words) if heard.words else 0.0
        return Segment(
            channel=piece.channel,
            start_s=seconds(piece.start),
            end_s=seconds(piece.end),
            text=heard.text.strip(),
            confidence=round(confidence, 4),
        )


def _span(channel: int, start: int, end: int, note: str = "") -> ChannelSpan:
    return ChannelSpan(channel=channel, start_s=seconds(start), end_s=seconds(end), note=note)


def _fill(samples: NDArray[np.int16], window: Window) -> NDArray[np.int16]:
    import numpy as np

    filled = np.zeros(window.length, dtype=np.int16)
    for piece, at in zip(window.pieces, window.at, strict=True):
        filled[at : at + piece.length] = samples[piece.start : piece.end]
    return filled


def _quietest(samples: NDArray[np.int16]):  # type: ignore[no-untyped-def]
    """The quietest 20 ms between two places: where a cut hurts least."""
    import numpy as np

    step = SAMPLE_RATE // 50

    def find(start: int, end: int) -> int:
        part = np.asarray(samples[start:end], dtype=np.float64)
        frames = part[: len(part) // step * step].reshape(-1, step)
        return start + int(np.argmin((frames**2).sum(axis=1))) * step + step // 2 if len(frames) else (start + end) // 2

    return find


def _is_loop(heard: Heard) -> bool:
    """A recogniser that repeats itself: the length limit reached, or text that compresses far too well."""
    text = heard.text.strip()
    data = text.encode()
    return heard.cut_short or (len(text) > 30 and len(data) / len(zlib.compress(data)) > 2.6)
