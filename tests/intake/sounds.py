"""Made-up sound for tests: voices are noise-modulated harmonics, good enough for levels, delays and formats."""

from pathlib import Path
from typing import Any

import av
import numpy as np

Samples = np.ndarray[Any, np.dtype[np.int16]]


def voice(seconds: float, seed: int, rate: int = 8000, pitch: float = 140.0, level: float = 0.3) -> Samples:
    """Syllable-like: a gliding harmonic tone that is switched on and off about four times a second."""
    noise = np.random.default_rng(seed)
    count = int(seconds * rate)
    at = np.arange(count) / rate
    wander = np.interp(at, np.arange(0, seconds + 1, 0.15), noise.uniform(0.8, 1.25, len(np.arange(0, seconds + 1, 0.15))))
    phase = 2 * np.pi * np.cumsum(pitch * wander) / rate
    tone = sum(np.sin(k * phase + k) / k for k in range(1, 12))
    gate = np.interp(at, np.arange(0, seconds + 1, 0.125), noise.choice([0.0, 0.3, 1.0], len(np.arange(0, seconds + 1, 0.125))))
    sound = tone * gate + 0.003 * noise.standard_normal(count)
    return np.asarray(sound / np.abs(sound).max() * level * 32767, np.int16)


def chords(seconds: float, rate: int = 8000) -> Samples:
    """Hold music: three-note chords, a new one every two seconds."""
    at = np.arange(int(seconds * rate)) / rate
    sound = np.zeros(len(at))
    for index, root in enumerate((262, 220, 349, 392, 262, 220, 349, 392, 262, 220)):
        part = (at >= 2 * index) & (at < 2 * index + 2)
        for ratio in (1, 1.25, 1.5):
            sound[part] += np.sin(2 * np.pi * root * ratio * at[part])
    return np.asarray(sound * 5000, np.int16)


def silence(seconds: float, rate: int = 8000) -> Samples:
    return np.zeros(int(seconds * rate), np.int16)


def write(path: Path, channels: list[Samples], rate: int = 8000, codec: str = "pcm_s16le") -> Path:
    """Encode channels of equal length; the container follows the file's ending."""
    layout = "mono" if len(channels) == 1 else "stereo"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(np.stack(channels).T.reshape(1, -1)), format="s16", layout=layout)
        frame.sample_rate = rate
        wanted = stream.codec_context
        convert = av.AudioResampler(format=wanted.format, layout=layout, rate=wanted.rate, frame_size=wanted.frame_size or 1024)
        for piece in [*convert.resample(frame), *convert.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path
