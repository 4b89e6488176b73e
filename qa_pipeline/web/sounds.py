"""Recordings for the browser: the original where it can play it, else decoded once into a bounded cache; and pieces of them."""

from __future__ import annotations

import io
import os
import threading
import wave
from dataclasses import dataclass
from pathlib import Path

from qa_pipeline.errors import AudioError
from qa_pipeline.model import Recording

MOST_BYTES = 2_000_000_000  # of the cache: about 17 hours of decoded two-channel speech
LONGEST_CLIP_S = 60.0
_PLAYABLE = {"pcm_s16le": "audio/wav", "pcm_u8": "audio/wav", "mp3": "audio/mpeg", "mp3float": "audio/mpeg", "vorbis": "audio/ogg"}
_WAV = "audio/wav"


@dataclass(frozen=True, slots=True)
class Playable:
    path: Path
    media_type: str


class Sounds:
    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._busy: dict[str, threading.Lock] = {}

    def playable(self, recording: Recording) -> Playable:
        """What the browser is given. Raises AudioError when the recording is gone."""
        source = Path(recording.path)
        if not source.is_file():
            raise AudioError(f"录音文件 {source.name} 不在原来的位置了，不能播放。")
        known = _PLAYABLE.get(recording.codec)
        if known is not None and source.suffix.lower() in (".wav", ".mp3", ".ogg"):
            return Playable(source, known)
        return Playable(self._decoded(recording), _WAV)

    def clip(self, recording: Recording, start_s: float, end_s: float) -> bytes:
        """A WAV of a span, all channels mixed; at most a minute."""
        start_s = max(0.0, start_s)
        end_s = min(end_s, start_s + LONGEST_CLIP_S, recording.duration_s)
        with wave.open(str(self._decoded(recording)), "rb") as source:
            rate, channels = source.getframerate(), source.getnchannels()
            source.setpos(min(round(start_s * rate), source.getnframes()))
            data = source.readframes(max(0, round((end_s - start_s) * rate)))
        return _wav(_mixed(data, channels), rate)

    def prepare(self, recording: Recording) -> None:
        """Decodes what will be asked for, while the page is being read."""
        try:
            self._decoded(recording)
        except AudioError:
            return

    def _decoded(self, recording: Recording) -> Path:
        """A 16-bit WAV of the recording, made once."""
        file = self._folder / f"{recording.audio_hash}.wav"
        with self._lock:
            lock = self._busy.setdefault(recording.audio_hash, threading.Lock())
        with lock:
            if file.is_file():
                os.utime(file)
                return file
            self._decode(Path(recording.path), file)
        self._tidy(file)
        return file

    def _decode(self, source: Path, file: Path) -> None:
        from qa_pipeline.intake.decode import decode

        if not source.is_file():
            raise AudioError(f"录音文件 {source.name} 不在原来的位置了，不能播放。")
        samples = decode(source).samples
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = file.with_suffix(f".{os.getpid()}.part")
        with wave.open(str(part), "wb") as target:
            target.setnchannels(len(samples))
            target.setsampwidth(2)
            target.setframerate(16_000)
            step = 16_000 * 60
            for at in range(0, samples.shape[1], step):
                target.writeframes(samples[:, at : at + step].T.tobytes())
        part.replace(file)

    def _tidy(self, newest: Path) -> None:
        """The longest unused go first."""
        with self._lock:
            files = sorted(self._folder.glob("*.wav"), key=lambda file: file.stat().st_mtime)
            total = sum(file.stat().st_size for file in files)
            for file in files:
                if total <= self._most_bytes:
                    return
                if file != newest:
                    total -= file.stat().st_size
                    file.unlink(missing_ok=True)


def _mixed(data: bytes, channels: int) -> bytes:
    import numpy as np

    if channels == 1:
        return data
    samples = np.frombuffer(data, np.int16).reshape(-1, channels).astype(np.int32).sum(axis=1)
    return bytes(np.clip(samples, -32768, 32767).astype(np.int16).tobytes())


def _wav(data: bytes, rate: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(rate)
        target.writeframes(data)
    return buffer.getvalue()
