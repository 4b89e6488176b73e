"""Voices as vectors: the bundled speaker encoder on onnxruntime, with its mel front-end in numpy.

The network is Resemblyzer's (Apache-2.0), see ``data/README.md``. Equal voices have a cosine near 1, two people mostly under 0.75.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from qa_pipeline.errors import ModelError
from qa_pipeline.intake.levels import RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENCODER_SHA256 = "a6c739b4ca906e5b21d7ef8b01d4bc10c0b3c31374aae27df3580d2f83bc952b"
WINDOW_FRAMES = 160  # 1.6 s, what the network was trained on
FRAME_S = 0.01
SIZE = 256
_FFT, _HOP, _MELS = 400, 160, 40
_BATCH = 64


class VoiceEncoder:
    """One loaded network; build once per process and pass down. One thread: the recogniser's workers share the cores."""

    def __init__(self, threads: int = 1) -> None:
        import onnxruntime

        content = files("qa_pipeline.speakers").joinpath("data/encoder.onnx").read_bytes()
        if hashlib.sha256(content).hexdigest() != ENCODER_SHA256:
            raise ModelError("声纹模型文件已损坏（校验和不符）；请重新安装 qa-pipeline")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def vectors(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mel windows ``[n, frames, 40]`` to unit vectors ``[n, 256]``."""
        import numpy as np

        if not len(windows):
            return np.zeros((0, SIZE), np.float32)
        parts = [self._session.run(None, {"mels": windows[at : at + _BATCH]})[0] for at in range(0, len(windows), _BATCH)]
        return np.asarray(np.concatenate(parts), np.float32)


def mel_frames(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Power mel spectrogram ``[1 + n // 160, 40]`` of 16 kHz sound in -1..1: a 25 ms Hann window every 10 ms, linear."""
    import numpy as np

    padded = np.pad(sound.astype(np.float32, copy=False), _FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP]
    filters, window = _filters(), _window()
    parts = [
        np.square(np.abs(np.fft.rfft(frames[at : at + 6000] * window, axis=1))).astype(np.float32) @ filters.T
        for at in range(0, len(frames), 6000)
    ]
    return np.asarray(np.concatenate(parts), np.float32)


@lru_cache(maxsize=1)
def _window() -> NDArray[np.float32]:
    """Periodic Hann window."""
    import numpy as np

    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FFT) / _FFT), np.float32)


@lru_cache(maxsize=1)
def _filters() -> NDArray[np.float32]:
    """Slaney's mel filters with unit area, ``[40, 201]``: linear under 1 kHz, logarithmic above."""
    import numpy as np

    def to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))

    highest = 15 + 27 * np.log(RATE / 2 / 1000) / np.log(6.4)
    edges = to_hertz(np.linspace(0, highest, _MELS + 2))
    bins = np.linspace(0, RATE / 2, _FFT // 2 + 1)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    shape = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(shape * (2 / (edges[2:] - edges[:-2]))[:, None], np.float32)
