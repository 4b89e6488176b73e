"""Speech → what a call recorder stores: levels, line noise, hold music, crosstalk, channels, codec."""

import hashlib
import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from scipy.signal import butter, sosfilt

Audio = np.ndarray[Any, np.dtype[np.float32]]
SPEECH_DBFS = -22.0
"""RMS of the agent's speech; the customer comes a little weaker."""
CODECS = {"pcm": ("WAV", "PCM_16"), "mulaw": ("WAV", "ULAW"), "alaw": ("WAV", "ALAW"), "mp3": ("MP3", "MPEG_LAYER_III")}
MP3_KBPS = (24, 32, 40, 48, 56, 64)
"""Bit rates of an MP3 at 8 kHz. It has 8 and 16 too, but such a frame has no room for the note that says how much the encoder
delayed the sound, and everything would play 0.15 s late."""
MP3_LOWEST_KBPS = 8
ROLES = ("agent", "customer")


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioSpec:
    """The `audio:` mapping of a call script; `audio: true` is all defaults."""

    channels: int = 2
    codec: str = "mulaw"
    agent_channel: int = 0
    noise_db: float = -45.0
    """Line noise relative to the agent's speech."""
    crosstalk_db: float | None = None
    """Level at which each channel hears the other one; none by default."""
    hold_music: str = "agent"
    """Whose channel the music of a hold is recorded on: agent, customer or both."""
    voice: dict[str, str] = field(default_factory=dict)
    pace: dict[str, float] = field(default_factory=dict)
    """Characters a minute of a role where a turn names none (250)."""
    mp3_kbps: int | None = None
    """Constant bit rate of an MP3, as call recorders store it; the encoder's variable rate (about 45 in stereo) by default."""

    def __post_init__(self) -> None:
        if self.channels not in (1, 2) or self.agent_channel not in (0, 1):
            raise ValueError("audio: channels is 1 or 2, agent_channel is 0 or 1")
        if self.codec not in CODECS or self.hold_music not in (*ROLES, "both"):
            raise ValueError(f"audio: codec is one of {', '.join(CODECS)}; hold_music is agent, customer or both")
        if self.mp3_kbps is not None and (self.codec != "mp3" or self.mp3_kbps not in MP3_KBPS):
            raise ValueError(f"audio: mp3_kbps is for codec mp3 and is one of {', '.join(map(str, MP3_KBPS))}")

    @classmethod
    def parse(cls, value: object) -> "AudioSpec":
        if value is True:
            return cls()
        if not isinstance(value, dict):
            raise ValueError("audio: true or a mapping")
        unknown = set(value) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"audio: unknown keys {', '.join(sorted(unknown))}")
        return cls(**value)

    def channel_of(self, role: str) -> int:
        if self.channels == 1:
            return 0
        return self.agent_channel if role == "agent" else 1 - self.agent_channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A sound on the time line of a call."""

    role: str
    start_s: float
    audio: Audio
    gain_db: float = 0.0
    music: bool = False


def seeded(*parts: str) -> np.random.Generator:
    """The same random numbers for the same names, on every machine."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256("/".join(parts).encode()).digest()[:8], "big"))


def record(sounds: list[Placed], duration_s: float, spec: AudioSpec, rate: int, call_id: str) -> Audio:
    """The call as frames × channels, ready to be written."""
    rng = seeded(call_id, "line")
    usual_db = {"agent": SPEECH_DBFS, "customer": SPEECH_DBFS - 1 - 3 * rng.random()}
    lines = {role: np.zeros(math.ceil(duration_s * rate), np.float32) for role in ROLES}
    for sound in sounds:
        level = usual_db[sound.role] + sound.gain_db
        for role in ROLES if sound.music and spec.hold_music == "both" else (sound.role,):
            start = round(sound.start_s * rate)
            lines[role][start : start + len(sound.audio)] += at_level(band(sound.audio, rate), level)
    if spec.channels == 1:
        lanes = [lines["agent"] + lines["customer"]]
    else:
        lanes = [lines[r] for r in sorted(ROLES, key=spec.channel_of)]
        if spec.crosstalk_db is not None:
            leak = 10 ** (spec.crosstalk_db / 20)
            lanes = [lanes[0] + leak * lanes[1], lanes[1] + leak * lanes[0]]
    noise_db = SPEECH_DBFS + spec.noise_db
    noisy = [lane + at_level(band(line_noise(len(lane), rate, rng), rate), noise_db) for lane in lanes]
    return np.asarray(np.tanh(np.stack(noisy, axis=1)), np.float32)


def hold_music(duration_s: float, rate: int, call_id: str) -> Audio:
    """A slow arpeggio over four chords, made here so that nobody's tune is borrowed."""
    rng, beat_s = seeded(call_id, "music"), 0.4
    chords = [(60, 64, 67, 72), (57, 60, 64, 69), (53, 57, 60, 65), (55, 59, 62, 67)]
    out = np.zeros(math.ceil(duration_s * rate), np.float32)
    for beat in range(int(duration_s / beat_s)):
        note = rng.choice(chords[beat // 8 % 4])
        t = np.arange(int(2 * beat_s * rate)) / rate
        tone = sum(np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * k * t) / k**2 for k in (1, 2, 3))
        start = int(beat * beat_s * rate)
        piece = (tone * np.exp(-3 * t) * np.minimum(1, t / 0.01)).astype(np.float32)[: len(out) - start]
        out[start : start + len(piece)] += piece
    return out


def write(path: Path, frames: Audio, spec: AudioSpec, rate: int) -> None:
    container, subtype = CODECS[spec.codec]
    if spec.mp3_kbps is None:
        soundfile.write(path, frames, rate, format=container, subtype=subtype)
        return
    if rate >= 16000:
        raise ValueError("mp3_kbps is for telephone recordings, under 16 kHz")
    high = MP3_KBPS[-1]
    level = (high - spec.mp3_kbps) / (high - MP3_LOWEST_KBPS)  # libsndfile takes the bit rate as a share of the whole range
    soundfile.write(path, frames, rate, format=container, subtype=subtype, compression_level=level, bitrate_mode="CONSTANT")


def band(audio: Audio, rate: int) -> Audio:
    """Telephone band at 8 kHz; wider recordings only lose the rumble."""
    high = 3400 if rate <= 8000 else 0.45 * rate
    return np.asarray(sosfilt(butter(3, (250, high), "bandpass", fs=rate, output="sos"), audio), np.float32)


def at_level(audio: Audio, dbfs: float) -> Audio:
    """Scaled so that the RMS of its sounding part (frames within 40 dB of the loudest) is `dbfs`."""
    frames = audio[: max(160, len(audio) // 160 * 160)]
    power = (frames[: len(frames) // 160 * 160].reshape(-1, 160) ** 2).mean(axis=1) if len(frames) >= 160 else frames**2
    sounding = power[power > power.max() * 1e-4]
    return np.asarray(audio * (10 ** (dbfs / 20) / np.sqrt(sounding.mean())), np.float32)


def line_noise(count: int, rate: int, rng: np.random.Generator) -> Audio:
    """Line noise: falls off with frequency, and swells and fades a little."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1 / rate)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(frequency, 50)), count)
    knots = rng.uniform(0.7, 1.3, max(2, count // rate))
    return (pink * np.interp(np.arange(count), np.linspace(0, count, len(knots)), knots)).astype(np.float32)
