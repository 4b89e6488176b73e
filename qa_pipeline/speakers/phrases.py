"""Speech cut at its pauses: the pieces that are given to one voice each, and their vectors."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa_pipeline.intake.levels import RATE
from qa_pipeline.speakers.encoder import FRAME_S, SIZE, WINDOW_FRAMES, VoiceEncoder, mel_frames

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa_pipeline.speakers.spans import Spans

PAUSE_FRAMES = 15  # people change at pauses; shorter ones are inside words
DROP_DB = 22.0  # below the loud part of the stretch: a pause
SHORTEST_FRAMES = 15
LOUDNESS = 1e-3  # mean power (-30 dBFS) that windows are brought to, as the network was trained
HOP_FRAMES = 40
_FRAME = int(FRAME_S * RATE)
_CHUNK_S = 60.0  # of audio in memory at a time
_MARGIN = 4  # frames around a piece, so that its edges see what is really there


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Frames of 10 ms ``[first, last)`` that sound; ``start_s``/``end_s`` also take in the pauses around, up to the next phrase."""

    first: int
    last: int
    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        return (self.last - self.first) * FRAME_S


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heard:
    """Windows of all phrases: their vectors ``[n, 256]``, phrase numbers, frame ranges ``[n, 2]`` and shares of time in seconds."""

    phrases: tuple[Phrase, ...]
    vectors: NDArray[np.float32]
    phrase: NDArray[np.intp]
    frames: NDArray[np.intp]
    weight: NDArray[np.float64]


def listen(row: NDArray[np.int16], spoken: Spans, encoder: VoiceEncoder) -> Heard:
    """Phrases of one channel (16 kHz) and their voice vectors; memory bounded whatever the length."""
    import numpy as np

    hop = HOP_FRAMES * (1 if spoken.total_s < 600 else 2 if spoken.total_s < 1800 else 4)
    phrases: list[Phrase] = []
    vectors: list[NDArray[np.float32]] = [np.zeros((0, SIZE), np.float32)]
    numbers: list[int] = []
    ranges: list[tuple[int, int]] = []
    for sound, offset, spans in _chunks(row, spoken):
        mels = mel_frames(sound)
        power = np.concatenate(([0.0], np.cumsum(np.square(sound, dtype=np.float64))))
        windows: list[NDArray[np.float32]] = []
        for start_s, end_s in spans:
            for phrase in _split(power, offset, start_s, end_s):
                for first, last in _windows(phrase, hop):
                    windows.append(_window(mels, power, first - offset, last - offset))
                    numbers.append(len(phrases))
                    ranges.append((first, last))
                phrases.append(phrase)
        if windows:
            vectors.append(encoder.vectors(np.stack(windows)))
    frames = np.array(ranges, np.intp).reshape(-1, 2)
    number = np.array(numbers, np.intp)
    return Heard(
        phrases=tuple(phrases), vectors=np.concatenate(vectors), phrase=number, frames=frames, weight=_weights(frames, number)
    )


def _chunks(row: NDArray[np.int16], spoken: Spans) -> Iterator[tuple[NDArray[np.float32], int, list[tuple[float, float]]]]:
    """Stretches of the recording: (sound, number of its first frame, the speech in it); cut between spans, long spans cut up."""
    import numpy as np

    pieces = [part for start, end in spoken for part in _cut(start, min(end, len(row) / RATE))]
    group: list[tuple[float, float]] = []
    for index, piece in enumerate(pieces):
        group.append(piece)
        following = pieces[index + 1] if index + 1 < len(pieces) else None
        if following is None or following[1] - group[0][0] > _CHUNK_S:
            offset = max(0, int(group[0][0] / FRAME_S) - _MARGIN)
            stop = int(group[-1][1] / FRAME_S) + _MARGIN
            yield np.asarray(row[offset * _FRAME : stop * _FRAME], np.float32) / np.float32(32768), offset, group
            group = []


def _cut(start: float, end: float) -> Iterator[tuple[float, float]]:
    while end - start > _CHUNK_S:
        yield start, start + _CHUNK_S
        start += _CHUNK_S
    if end > start:
        yield start, end


def _split(power: NDArray[np.float64], offset: int, start_s: float, end_s: float) -> list[Phrase]:
    """The phrases of one stretch of speech: cut where it is quiet for ``PAUSE_FRAMES``."""
    import numpy as np

    first, last = round(start_s / FRAME_S), round(end_s / FRAME_S)
    last = min(last, offset + (len(power) - 1) // _FRAME)
    if last - first < SHORTEST_FRAMES // 2:
        return []
    edges = power[(np.arange(first, last + 1) - offset) * _FRAME]
    level = 10 * np.log10(np.maximum(np.diff(edges) / _FRAME, 1e-10))
    level = np.convolve(np.pad(level, 1, mode="edge"), np.ones(3) / 3, "valid")
    quiet = level < np.percentile(level, 90) - DROP_DB
    cuts = [(a, b) for a, b in _runs(quiet) if b - a >= PAUSE_FRAMES and a > 0 and b < len(quiet)]
    sounding: list[tuple[int, int]] = []
    at = 0
    for a, b in [*cuts, (len(quiet), len(quiet))]:
        if a - at >= SHORTEST_FRAMES:
            sounding.append((first + at, first + a))
        at = b
    if not sounding:
        sounding = [(first, last)]
    joints = [(left[1] + right[0]) / 2 * FRAME_S for left, right in itertools.pairwise(sounding)]
    starts, ends = [start_s, *joints], [*joints, end_s]
    return [Phrase(first=a, last=b, start_s=s, end_s=e) for (a, b), s, e in zip(sounding, starts, ends, strict=True)]


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Ranges ``[first, last)`` of True."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _windows(phrase: Phrase, hop: int) -> Iterator[tuple[int, int]]:
    """Windows of 1.6 s that cover a phrase evenly; a shorter phrase is one window."""
    spare = phrase.last - phrase.first - WINDOW_FRAMES
    if spare <= 0:
        yield phrase.first, phrase.last
        return
    steps = -(-spare // hop)
    for step in range(steps + 1):
        start = phrase.first + round(step * spare / steps)
        yield start, start + WINDOW_FRAMES


def _window(mels: NDArray[np.float32], power: NDArray[np.float64], first: int, last: int) -> NDArray[np.float32]:
    """One window at the network's loudness; a short one is repeated until it is full."""
    import numpy as np

    mean = (power[min(last * _FRAME, len(power) - 1)] - power[first * _FRAME]) / ((last - first) * _FRAME)
    frames = mels[first:last] * np.float32(LOUDNESS / max(mean, 1e-9))
    return frames if len(frames) == WINDOW_FRAMES else np.resize(frames, (WINDOW_FRAMES, mels.shape[1]))


def _weights(frames: NDArray[np.intp], number: NDArray[np.intp]) -> NDArray[np.float64]:
    """Seconds that each window stands for: up to the next one of its phrase."""
    import numpy as np

    weight = (frames[:, 1] - frames[:, 0]).astype(np.float64)
    same = np.flatnonzero(number[1:] == number[:-1])
    weight[same] = frames[same + 1, 0] - frames[same, 0]
    return weight * FRAME_S
