"""What is measured from the samples once and kept with the transcript: levels, pitch, and on one channel the voices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qa_pipeline.intake.levels import HOP_S, RATE, levels_db
from qa_pipeline.model import Acoustics, ChannelSpan, VoiceSpan
from qa_pipeline.speakers.spans import Spans

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa_pipeline.intake.decode import Decoded

ZERO_HZ = 55.0  # zero semitones
LOWEST_HZ, HIGHEST_HZ = 65.0, 420.0
PERIODIC = 0.6  # likeness of a wave to itself one period later, from which a frame counts as voiced
DEAD_S = 0.3  # a channel with less speech than this carries nobody
_THIN = 2  # pitch is measured at 8 kHz
_WINDOW = 320  # 40 ms at 8 kHz: two periods of the lowest voice and more
_FRAMES_AT_ONCE = 2_000


def measure(decoded: Decoded, voiced: Sequence[ChannelSpan]) -> Acoustics:
    """Levels (dBFS) and pitch (semitones above 55 Hz) every 100 ms of every channel; pitch in speech only.

    ``voices``: of a recording of one channel, and of one with two of which only one carries speech when two people are on it.
    """
    samples = decoded.samples
    spoken = [Spans((span.start_s, span.end_s) for span in voiced if span.channel == channel) for channel in range(len(samples))]
    levels = levels_db(samples)
    return Acoustics(
        hop_s=HOP_S,
        level_db=tuple(tuple(round(level, 1) for level in row.tolist()) for row in levels),
        pitch_st=tuple(_pitches(samples[channel], levels.shape[1], spans) for channel, spans in enumerate(spoken)),
        voices=_voices(samples, spoken),
    )


def _voices(samples: NDArray[np.int16], spoken: Sequence[Spans]) -> tuple[VoiceSpan, ...]:
    from qa_pipeline.speakers.diarize import diarize

    if len(samples) == 1:
        return diarize(samples[0], spoken[0])
    alive = [channel for channel, spans in enumerate(spoken) if spans.total_s >= DEAD_S]
    if len(alive) != 1:
        return ()
    found = diarize(samples[alive[0]], spoken[alive[0]])
    return found if len({span.voice for span in found}) > 1 else ()


def _pitches(row: NDArray[np.int16], count: int, spans: Spans) -> tuple[float | None, ...]:
    """One pitch a hop, rounded to a tenth of a semitone; None outside speech and where the voice has no pitch."""
    import numpy as np

    pitches: list[float | None] = [None] * count
    hop, reach = int(HOP_S * RATE), (_WINDOW + _lags()[1]) * _THIN
    wanted = [
        index
        for start_s, end_s in spans
        for index in range(max(0, int(start_s / HOP_S)), min(count, int(end_s / HOP_S) + 1))
        if start_s <= (index + 0.5) * HOP_S < end_s
    ]
    for at in range(0, len(wanted), _FRAMES_AT_ONCE):
        part = wanted[at : at + _FRAMES_AT_ONCE]
        starts = [index * hop + (hop - reach) // 2 for index in part]
        usable = [(index, start) for index, start in zip(part, starts, strict=True) if start >= 0 and start + reach <= len(row)]
        if not usable:
            continue
        frames = np.stack([row[start : start + reach] for _, start in usable]).astype(np.float32)
        frames = frames.reshape(len(usable), -1, _THIN).mean(axis=2)
        for (index, _), pitch in zip(usable, pitch_st(frames).tolist(), strict=True):
            pitches[index] = None if np.isnan(pitch) else round(pitch, 1)
    return tuple(pitches)


def _lags() -> tuple[int, int]:
    """Shortest and longest period in samples at 8 kHz."""
    return int(RATE / _THIN / HIGHEST_HZ), int(RATE / _THIN / LOWEST_HZ) + 2


def pitch_st(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """Pitch of 8 kHz frames ``[n, 320 + longest period]`` in semitones above 55 Hz; NaN where nothing repeats.

    Normalised cross-correlation of the first 40 ms with what follows. Of all periods nearly as good as the best the shortest
    is taken: two periods repeat as well as one.
    """
    import numpy as np

    shortest, longest = _lags()
    frames = frames - frames.mean(axis=1, keepdims=True)
    size = 1 << int(np.ceil(np.log2(frames.shape[1] + _WINDOW)))
    spectrum = np.fft.rfft(frames, size, axis=1)
    cross = np.fft.irfft(spectrum * np.conj(np.fft.rfft(frames[:, :_WINDOW], size, axis=1)), size, axis=1)[:, : longest + 1]
    energy = np.cumsum(np.pad(np.square(frames, dtype=np.float64), ((0, 0), (1, 0))), axis=1)
    norm = np.sqrt(energy[:, [_WINDOW]] * (energy[:, _WINDOW : _WINDOW + longest + 1] - energy[:, : longest + 1]))
    likeness = np.where(norm > 1e-3, cross / np.maximum(norm, 1e-3), 0)
    likeness[:, :shortest] = 0
    middle = likeness[:, 1:-1]
    peaks = np.where((middle >= likeness[:, :-2]) & (middle >= likeness[:, 2:]), middle, 0)
    best = peaks.max(axis=1)
    first = (peaks >= np.maximum(0.9 * best, 1e-9)[:, None]).argmax(axis=1) + 1
    rows = np.arange(len(frames))
    left, top, right = likeness[rows, first - 1], likeness[rows, first], likeness[rows, first + 1]
    bend = left - 2 * top + right
    shift = np.where(np.abs(bend) > 1e-9, 0.5 * (left - right) / np.where(np.abs(bend) > 1e-9, bend, 1), 0).clip(-0.5, 0.5)
    hertz = RATE / _THIN / (first + shift)
    return np.where(best >= PERIODIC, 12 * np.log2(hertz / ZERO_HZ), np.nan)
