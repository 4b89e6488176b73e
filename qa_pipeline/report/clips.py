"""Evidence clips for a page: cut from the recording with pydub, mono, small, as data URIs that play without any other file."""

from __future__ import annotations

import base64
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE = 16_000
BEFORE_S = 0.6
AFTER_S = 0.8
LONGEST_S = 15.0
_BIT_RATE = 24_000  # mp3 of telephone speech at 3 kB a second is still clear


class Clips:
    """Clips of one recording; it is decoded once, at the first clip. ``reason`` says why there are none."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path else None
        self._sound: Any = None
        self.reason = "" if path else "没有录音"

    def cut(self, start_s: float | None, end_s: float | None, channel: int | None) -> str:
        """A data URI of the words from ``start_s`` to ``end_s`` with a little before and after; empty when there is none."""
        if start_s is None or end_s is None or not self._ready():
            return ""
        start = max(0.0, start_s - BEFORE_S)
        end = min(max(end_s, start_s + 0.2) + AFTER_S, start + LONGEST_S)
        sound = self._sound[channel if channel is not None and channel < len(self._sound) else -1]
        piece = sound[round(start * 1000) : round(end * 1000)]
        return _data_uri(piece.fade_in(30).fade_out(60)) if len(piece) >= 100 else ""

    def _ready(self) -> bool:
        """One sound per channel, and the mixture of all as the last."""
        from qa_pipeline.errors import AudioError
        from qa_pipeline.intake.decode import decode

        if self._sound is not None or self.reason or self._path is None:
            return self._sound is not None
        try:
            samples = decode(self._path).samples
        except AudioError:
            self.reason = f"录音 {self._path.name} 不在原来的位置或已读不了，没有片段"
            return False
        self._sound = [_segment(row) for row in samples]
        if len(self._sound) > 1:
            self._sound.append(self._sound[0].overlay(self._sound[1]))
        return True


def _segment(samples: NDArray[np.int16]) -> Any:
    with warnings.catch_warnings():  # pydub warns that ffmpeg is missing; cutting needs none
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
    return AudioSegment(data=samples.tobytes(), sample_width=2, frame_rate=RATE, channels=1)


def _data_uri(piece: Any) -> str:
    """MP3 by the bundled encoder; a plain WAV where it is missing."""
    try:
        return "data:audio/mpeg;base64," + base64.b64encode(_mp3(piece)).decode()
    except (ValueError, OSError):
        buffer = io.BytesIO()
        piece.set_frame_rate(8000).export(buffer, format="wav")
        return "data:audio/wav;base64," + base64.b64encode(buffer.getvalue()).decode()


def _mp3(piece: Any) -> bytes:
    import av
    import numpy as np

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3") as container:
        stream: Any = container.add_stream("libmp3lame", rate=RATE)
        stream.bit_rate = _BIT_RATE
        stream.layout = "mono"
        samples = np.frombuffer(piece.raw_data, np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16p", layout="mono")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return buffer.getvalue()
