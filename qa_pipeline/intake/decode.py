"""A file to samples: any common telephony format, 16 kHz, channels kept apart, memory bounded whatever the length."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_pipeline.errors import AudioError, reason_of
from qa_pipeline.intake.declared import declared_s, ends_midway
from qa_pipeline.intake.levels import RATE
from qa_pipeline.model import Fitness, FitnessFact, Recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

MEMORY_S = 20 * 60  # longer recordings live in a temporary file: 20 min of two channels are 77 MB
DUAL_MONO = 0.98  # correlation; two people's channels with heavy crosstalk stay under 0.9
# Playlists, subtitles and other formats that name further files are not recordings and are never opened.
FORMATS = "wav,w64,rf64,mp3,aac,mov,mp4,m4a,3gp,ogg,amr,amrnb,amrwb,flac,asf,au,aiff,caf,gsm,matroska,webm"
AT_LEAST_S = 0.1  # what is missing of a file that breaks off without having told its length
_BATCH_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decoded:
    """A recording with its samples: int16, ``[channels, n]``, 16 kHz; a temporary memory map when longer than 20 minutes."""

    recording: Recording
    samples: NDArray[np.int16]


def audio_hash(path: Path) -> str:
    """SHA-256 of the file's bytes, hex: the identity of a recording. Raises AudioError when the file cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from None


def decode(path: Path) -> Decoded:
    """Decode the first audio stream of a file.

    Two channels with the same signal become one. A file that ends early is decoded as far as it goes and says so.
    Raises AudioError: missing, empty, not audio, damaged beyond use, more than two channels, no room for the temporary file.
    """
    import av

    from qa_pipeline.intake.fitness import NativeStats, fitness

    identity = audio_hash(path)
    if path.stat().st_size == 0:
        raise AudioError(f"{path}：文件是空的（0 字节）；请重新导出这段录音")
    try:
        # "file:" so that a colon in a name (10:03.wav) is not taken for a protocol
        with av.open(f"file:{path}", options={"format_whitelist": FORMATS, "protocol_whitelist": "file"}) as container:
            reader = _Reader(path, container)
            stats = NativeStats(reader.channels)
            samples = _resampled(path, reader, stats)
    except (av.error.FFmpegError, ValueError) as error:
        raise AudioError(f"{path}：不是可识别的录音，或文件不完整（{_reason(error)}）；请确认能播放后重新导出") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if samples.shape[1] < RATE // 100:
        raise AudioError(f"{path}：录音没有声音内容（0 秒）；请重新导出这段录音")
    duration_s = samples.shape[1] / RATE
    facts = list(fitness(samples, stats))
    if (short_s := reader.missing_s(duration_s)) > 0:
        told = f"应有 {duration_s + short_s:.1f} 秒，只读到" if short_s > AT_LEAST_S else "后面断了，有多长不清楚；只读到"
        message = f"文件不完整：{told} {duration_s:.1f} 秒"
        facts.append(FitnessFact(kind=Fitness.TRUNCATED, value=round(short_s, 1), message=message))
    recording = Recording(
        path=str(path),
        audio_hash=identity,
        duration_s=round(duration_s, 3),
        sample_rate=reader.rate,
        channels=samples.shape[0],
        codec=reader.codec,
        fitness=tuple(facts),
    )
    return _collapsed(Decoded(recording=recording, samples=samples), stats)


def _collapsed(decoded: Decoded, stats: Any) -> Decoded:
    """One channel instead of two that hold the same."""
    if decoded.recording.channels != 2 or abs(stats.correlation) < DUAL_MONO:
        return decoded
    keep = stats.louder
    message = f"两个声道是同一信号（相关 {abs(stats.correlation):.3f}），按单声道处理"
    fact = FitnessFact(kind=Fitness.DUAL_MONO, value=round(abs(stats.correlation), 4), message=message)
    facts = [replace(item, channel=None) for item in decoded.recording.fitness if item.channel in (None, keep)]
    recording = replace(decoded.recording, channels=1, fitness=(fact, *facts))
    return Decoded(recording=recording, samples=decoded.samples[keep : keep + 1])


class _Reader:
    """The first audio stream of an open container, as int16 blocks at the file's own rate."""

    def __init__(self, path: Path, container: Any) -> None:
        if not container.streams.audio:
            raise AudioError(f"{path}：文件里没有声音；请确认导出的是录音")
        self._container = container
        self._stream = container.streams.audio[0]
        context = self._stream.codec_context
        self.rate: int = context.sample_rate
        self.channels: int = context.channels
        self.codec: str = context.name
        self.damaged = False
        if self.channels not in (1, 2):
            raise AudioError(f"{path}：录音有 {self.channels} 个声道，只支持一个或两个；请按坐席、客户两路导出")
        if not 4_000 <= self.rate <= 384_000:
            raise AudioError(f"{path}：采样率 {self.rate} Hz 不合理，文件可能已损坏；请重新导出")
        self._declared_s = declared_s(path, container, self._stream)
        self._midway = ends_midway(path, container)

    def frames(self) -> Iterator[NDArray[np.int16]]:
        """Blocks ``[channels, n]``. Damage after the first good frame ends the stream and is remembered."""
        import av
        import numpy as np

        layout = "mono" if self.channels == 1 else "stereo"
        convert = av.AudioResampler(format="s16p", layout=layout, rate=self.rate)
        some = False
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                frames = [] if packet is None else packet.decode()
                for frame in frames:
                    some = True
                    if frame.format.name == "s16" and frame.layout.nb_channels == self.channels and frame.sample_rate == self.rate:
                        yield np.asarray(frame.to_ndarray(), np.int16).reshape(-1, self.channels).T
                        continue
                    for piece in convert.resample(frame):
                        yield np.asarray(piece.to_ndarray(), np.int16)
            except (av.error.FFmpegError, ValueError):  # ValueError: the stream changes its rate or layout midway
                if not some:
                    raise
                self.damaged = True
                return
            if packet is None:
                return

    def missing_s(self, decoded_s: float) -> float:
        """Seconds that the file promises and does not hold; 0.0 when it is whole, ``AT_LEAST_S`` when nobody knows how many."""
        short_s = 0.0 if self._declared_s is None else self._declared_s - decoded_s
        if short_s > max(0.5, 0.02 * decoded_s):
            return short_s
        return AT_LEAST_S if self.damaged or self._midway else 0.0


def _resampled(path: Path, reader: _Reader, stats: Any) -> NDArray[np.int16]:
    """All of the stream at 16 kHz, ``[channels, n]``."""
    import numpy as np
    import soxr

    stream = soxr.ResampleStream(reader.rate, RATE, reader.channels, dtype="float32", quality="HQ")
    sink = _Sink(path, reader.channels)
    batch: list[NDArray[np.int16]] = []
    size = 0

    def flush(last: bool) -> None:
        block = np.concatenate(batch, axis=1) if batch else np.zeros((reader.channels, 0), np.int16)
        stats.add(block)
        if reader.rate != RATE:
            # In floats: soxr dithers whole numbers with a seed of its own, and the same file must give the same samples.
            fine = stream.resample_chunk(block.T.astype(np.float32), last=last).reshape(-1, reader.channels).T
            block = np.clip(np.rint(fine), -32768, 32767).astype(np.int16)
        sink.write(np.ascontiguousarray(block))

    for block in reader.frames():
        batch.append(block)
        size += block.shape[1]
        if size >= _BATCH_S * reader.rate:
            flush(False)
            batch, size = [], 0
    flush(True)
    return sink.finish()


class _Sink:
    """Collects samples in memory; past ``MEMORY_S`` one temporary file a channel, deleted with the last reference."""

    def __init__(self, path: Path, channels: int) -> None:
        self._path = path
        self._parts: list[NDArray[np.int16]] = []
        self._files: list[Any] = []
        self._channels = channels
        self._length = 0

    def write(self, block: NDArray[np.int16]) -> None:
        import tempfile

        self._length += block.shape[1]
        if self._files:
            self._spill(block)
            return
        self._parts.append(block)
        if self._length > MEMORY_S * RATE:
            self._files = [tempfile.TemporaryFile() for _ in range(self._channels)]  # noqa: SIM115 - outlives this call
            for part in self._parts:
                self._spill(part)
            self._parts = []

    def _spill(self, block: NDArray[np.int16]) -> None:
        try:
            for file, row in zip(self._files, block, strict=True):
                file.write(row.data)
        except OSError as error:
            raise self._no_room(error) from None

    def _no_room(self, error: OSError) -> AudioError:
        return AudioError(
            f"{self._path}：录音太长，临时文件写不下（{reason_of(error)}）；请清理临时目录所在磁盘，或用 TMPDIR 指到别处"
        )

    def finish(self) -> NDArray[np.int16]:
        import shutil

        import numpy as np

        if not self._files:
            return np.concatenate(self._parts, axis=1)
        first = self._files[0]
        try:
            for other in self._files[1:]:  # channel after channel in the first file: each one stays contiguous
                other.seek(0)
                shutil.copyfileobj(other, first, 1 << 20)
                other.close()
            first.flush()
        except OSError as error:
            raise self._no_room(error) from None
        mapped = np.memmap(first, dtype=np.int16, mode="r", shape=(self._channels, self._length))
        first.close()  # the map holds the nameless file until it is dropped
        return mapped


def _unreadable(path: Path, error: OSError) -> AudioError:
    if isinstance(error, FileNotFoundError):
        return AudioError(f"{path}：找不到录音文件；请检查清单里的文件名和所在文件夹")
    if isinstance(error, IsADirectoryError):
        return AudioError(f"{path}：这是文件夹，不是录音文件；请检查清单")
    if isinstance(error, PermissionError):
        return AudioError(f"{path}：没有读取权限；请检查文件权限")
    return AudioError(f"{path}：录音读不了（{reason_of(error)}）；请检查磁盘或网络共享后重新运行")


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return {"Invalid data found when processing input": "内容不是音频", "End of file": "文件提前结束"}.get(text, text)
