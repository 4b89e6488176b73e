"""What weakens a recording as evidence, measured: rules whose needs a fact touches answer 无法判定."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa_pipeline.intake.levels import HOP_S, RATE, blocks, levels_db
from qa_pipeline.model import Fitness, FitnessFact

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TOO_SHORT_S = 3.0  # nobody greets and says goodbye in less
SILENT_DB = -55.0  # telephone line noise lies under it, whispered speech above
ACTIVE_DB = -45.0  # a channel that certainly carries somebody's voice
CLIPPED_SHARE = 0.002  # of the samples, flat at the ceiling; clean speech is under 0.0002
FLAT_RUN = 3
CROSSTALK_COHERENCE = 0.35
CROSSTALK_MIN_S = 3  # seconds with only one channel talking, below which nothing is said about crosstalk
MUSIC_SHARE = 0.5
MUSIC_MIN_S = 8.0
CROSSTALK_LEAST_DB = -30.0  # a fainter leak is not heard as speech
HELD_SHARE = 0.25  # real and synthetic speech stayed under 0.15 in every second (60 clips, 20 calls), held chords reach 0.9
_LAG_S = 0.05
_THIN = 4


class NativeStats:
    """Sums over the samples as they are in the file, before any resampling rounds off what was clipped."""

    def __init__(self, channels: int) -> None:
        import numpy as np

        self._total = 0
        self._power = np.zeros(channels)
        self._cross = 0.0
        self._flat = np.zeros(channels)
        self._ceiling = np.zeros(channels)

    def add(self, block: NDArray[np.int16]) -> None:
        """``[channels, n]``; blocks of some seconds, in order."""
        import numpy as np

        if block.shape[1] == 0:
            return
        self._total += block.shape[1]
        wide = block.astype(np.float32)  # sums, not dot products: BLAS threads wait for each other on such short rows
        self._power += np.square(wide).sum(axis=1, dtype=np.float64)
        if len(wide) == 2:
            self._cross += float((wide[0] * wide[1]).sum(dtype=np.float64))
        for channel, row in enumerate(block):
            high, low = int(row.max()), int(row.min())
            self._flat[channel] += _flat_samples(row, high) + _flat_samples(row, low)
            self._ceiling[channel] += np.count_nonzero(row >= 32_700) + np.count_nonzero(row <= -32_700)

    @property
    def correlation(self) -> float:
        """Of the two channels, -1..1; 0 when one of them is silent."""
        product = float(self._power[0] * self._power[-1]) ** 0.5 if len(self._power) == 2 else 0.0
        return self._cross / product if product > 0 else 0.0

    @property
    def louder(self) -> int:
        """The channel with more energy."""
        return int(self._power.argmax())

    def clipped_share(self, channel: int) -> float:
        """Share of the samples that lie flat at a block's extreme or at full scale."""
        return float(max(self._flat[channel], self._ceiling[channel])) / max(1, self._total)


def _flat_samples(row: NDArray[np.int16], extreme: int) -> int:
    """Samples in runs of at least ``FLAT_RUN`` at the extreme value; 0 when the extreme is not loud."""
    import numpy as np

    if abs(extreme) < 3_277:  # -20 dBFS: quieter plateaus are quantisation, not clipping
        return 0
    at = np.flatnonzero(row == extreme)
    if len(at) < FLAT_RUN:
        return 0
    edges = np.flatnonzero(np.diff(at) != 1)
    lengths = np.diff(np.concatenate(([-1], edges, [len(at) - 1])))
    return int(lengths[lengths >= FLAT_RUN].sum())


def fitness(samples: NDArray[np.int16], native: NativeStats | None = None) -> tuple[FitnessFact, ...]:
    """All weaknesses of a recording of one or two channels, 16 kHz; in a fixed order of kind and channel."""
    duration_s = samples.shape[1] / RATE
    facts: list[FitnessFact] = []
    if duration_s < TOO_SHORT_S:
        message = f"录音只有 {duration_s:.1f} 秒"
        facts.append(FitnessFact(kind=Fitness.TOO_SHORT, value=round(duration_s, 2), message=message))
    levels = levels_db(samples)
    facts += _near_silence(levels)
    facts += _clipping(len(samples), native)
    facts += _crosstalk(samples, levels)
    facts += _music(samples, levels)
    return tuple(facts)


def _where(channel: int, channels: int) -> str:
    return f"声道 {channel} " if channels > 1 else "录音"


def _fact(kind: Fitness, channel: int, channels: int, value: float, message: str) -> FitnessFact:
    return FitnessFact(kind=kind, channel=channel if channels > 1 else None, value=value, message=message)


def _near_silence(levels: NDArray[np.float32]) -> list[FitnessFact]:
    """A channel whose loudest moments (95th percentile) are under ``SILENT_DB``."""
    import numpy as np

    facts = []
    for channel, row in enumerate(levels):
        loud = float(np.percentile(row, 95)) if len(row) else SILENT_DB * 2
        if loud < SILENT_DB and float(row.max(initial=-200.0)) < ACTIVE_DB:
            message = f"{_where(channel, len(levels))}几乎没有声音（{loud:.0f} dBFS）"
            facts.append(_fact(Fitness.NEAR_SILENCE, channel, len(levels), round(loud, 1), message))
    return facts


def _clipping(channels: int, native: NativeStats | None) -> list[FitnessFact]:
    if native is None:
        return []
    facts = []
    for channel in range(channels):
        share = native.clipped_share(channel)
        if share >= CLIPPED_SHARE:
            message = f"{_where(channel, channels)}有 {share:.1%} 的采样削波失真"
            facts.append(_fact(Fitness.CLIPPING, channel, channels, round(share, 4), message))
    return facts


def _crosstalk(samples: NDArray[np.int16], levels: NDArray[np.float32]) -> list[FitnessFact]:
    """Each channel for the other's voice in it: seconds in which only the other talks, compared within ±50 ms of delay."""
    import numpy as np

    if len(levels) != 2:
        return []
    facts = []
    per_s = round(1 / HOP_S)
    seconds = samples.shape[1] // RATE
    power = 10 ** (levels[:, : seconds * per_s].reshape(2, seconds, per_s) / 10)
    level = 10 * np.log10(power.mean(axis=2))
    for victim in (0, 1):
        talker = 1 - victim
        alone = np.flatnonzero((level[talker] > ACTIVE_DB) & (level[talker] > level[victim] + 6) & (level[victim] > -75))
        if len(alone) < CROSSTALK_MIN_S:
            continue
        chosen = alone[np.linspace(0, len(alone) - 1, min(40, len(alone))).astype(int)]
        coherence = float(np.median([_coherence(samples[:, s * RATE : (s + 1) * RATE]) for s in chosen]))
        leak = float(np.median(level[victim][chosen] - level[talker][chosen]))
        if coherence >= CROSSTALK_COHERENCE and leak >= CROSSTALK_LEAST_DB:
            message = f"声道 {victim} 里能听到声道 {talker} 的人（低 {-leak:.0f} dB，相关 {coherence:.2f}）"
            facts.append(FitnessFact(kind=Fitness.CROSSTALK, channel=victim, value=round(leak, 1), message=message))
    return facts


def _coherence(pair: NDArray[np.int16]) -> float:
    """Highest normalised cross-correlation of two channels within the allowed delay, 0..1."""
    import numpy as np

    thin = pair.astype(np.float32).reshape(2, -1, _THIN).mean(axis=2)  # voices are loudest under 2 kHz: an eighth of the work
    first, second = (row - row.mean() for row in thin)
    norm = float(np.sqrt((first @ first) * (second @ second)))
    if norm == 0:
        return 0.0
    size = 2 * len(first)
    cross = np.fft.irfft(np.fft.rfft(first, size) * np.conj(np.fft.rfft(second, size)), size)
    lag = int(_LAG_S * RATE) // _THIN
    return float(max(np.abs(cross[: lag + 1]).max(), np.abs(cross[-lag:]).max())) / norm


def _music(samples: NDArray[np.int16], levels: NDArray[np.float32]) -> list[FitnessFact]:
    """Channels of which at least half of what sounds, and 8 s, is held tones (hold music, ring-back), not speech.

    A second counts as tonal when most of its energy stays in the same narrow bands all through it: speech moves its
    harmonics with every syllable and pauses, music and tones hold them.
    """
    import numpy as np

    tonal = [0] * len(samples)
    sounding = [0] * len(samples)
    step = 1 if samples.shape[1] < 60 * RATE else 3  # one second in three is enough of a long recording
    for _, block in blocks(samples):
        seconds = block.shape[1] // RATE
        for channel in range(len(samples)):
            pieces = block[channel, : seconds * RATE].reshape(seconds, RATE)[::step]
            heard = pieces[np.square(pieces).mean(axis=1) > 10 ** (ACTIVE_DB / 10)]
            sounding[channel] += step * len(heard)
            tonal[channel] += step * int((_held(heard) > HELD_SHARE).sum()) if len(heard) else 0
    facts = []
    for channel, (music_s, heard_s) in enumerate(zip(tonal, sounding, strict=True)):
        if music_s >= MUSIC_MIN_S and music_s >= MUSIC_SHARE * heard_s:
            message = f"{_where(channel, len(samples))}有 {music_s} 秒像音乐或提示音，不是说话"
            facts.append(_fact(Fitness.MUSIC, channel, len(samples), float(music_s), message))
    return facts


def _held(pieces: NDArray[np.float32]) -> NDArray[np.float64]:
    """For each second: the share of its energy that is in narrow tones holding their level over the whole second, 0..1.

    64 ms frames, 15.6 Hz bands; a band counts with its lower quartile over time, and only when it stands 13 dB above the
    median band: steady noise fills all bands alike.
    """
    import numpy as np

    size, hop = 1024, 512
    frames = np.lib.stride_tricks.sliding_window_view(pieces, size, axis=1)[:, ::hop]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(size).astype(np.float32), axis=2)))
    steady = np.percentile(power, 25, axis=1)
    tones = np.where(steady > 20 * np.median(steady, axis=1, keepdims=True), steady, 0)
    return np.asarray(tones.sum(axis=1) / np.maximum(power.mean(axis=1).sum(axis=1), 1e-12))
