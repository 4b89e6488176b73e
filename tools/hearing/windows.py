"""Windows as the engine packs them, out of clips: some turns one after the other, on a telephone line, through a codec."""

from __future__ import annotations

import io
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "recordings_sample"))

from telephone import at_level, band, line_noise  # noqa: E402

RATE = 8000
HEARD_AT = 16000
TAIL_S = 1.0
_KBPS = {8: 1.0, 16: 0.86, 24: 0.715, 32: 0.572, 40: 0.429, 64: 0.0}  # libsndfile's compression levels at 8 kHz
_MARKS = "，。？！；、："


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    dialogue: str
    role: str
    text: str
    sound: NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    samples: NDArray[np.float32]  # 16 kHz, a multiple of one second
    text: str
    hint: str  # hot-words said before the window; "" mostly


def clips(folder: Path) -> list[list[Clip]]:
    """Dialogue by dialogue."""
    found: dict[str, list[Clip]] = {}
    for path in sorted(folder.glob("part*.jsonl")):
        sound = np.memmap(path.with_suffix(".pcm"), np.int16, "r")
        for line in path.read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            if item["at"] + item["length"] > len(sound):
                break
            clip = Clip(
                dialogue=item["dialogue"],
                role=item["role"],
                text=item["text"],
                sound=sound[item["at"] : item["at"] + item["length"]],
            )
            found.setdefault(item["dialogue"], []).append(clip)
    return list(found.values())


def example(dialogues: Sequence[Sequence[Clip]], seconds: float, draw: random.Random) -> Example:
    """About ``seconds`` of speech: turns of one dialogue and, when it ends, of another; one speaker's or both speakers'."""
    dice = np.random.default_rng(draw.getrandbits(32))
    chosen: list[Clip] = []
    left = seconds * RATE
    while left > 0 and len(chosen) < 40:
        turns = draw.choice(dialogues)
        if draw.random() < 0.6:
            role = draw.choice("AC")
            turns = [turn for turn in turns if turn.role == role]
        first = draw.randrange(len(turns)) if turns else 0
        for turn in turns[first:]:
            if len(turn.sound) > left + RATE / 2:
                left -= RATE / 4  # gives up slowly
                break
            chosen.append(turn)
            left -= len(turn.sound) + RATE / 2
    if not chosen:
        return example(dialogues, seconds + 1, draw)
    usual = {role: -22 - draw.uniform(0, 4) for role in "AC"}
    parts = [np.zeros(int(draw.uniform(0, 0.4) * RATE), np.float32)]
    bodies = {role: draw.uniform(0.86, 1.16) for role in "AC"}  # faster and higher, or slower and deeper: other throats
    room = _room(dice) if draw.random() < 0.35 else None
    tilt = draw.uniform(-0.6, 0.6)
    for turn in chosen:
        sound = soxr.resample(turn.sound.astype(np.float32) / 32768, RATE * bodies[turn.role], RATE)
        sound = lfilter([1.0, tilt], [1.0], sound)
        if room is not None:
            sound = fftconvolve(sound, room)
        spoken = at_level(band(sound.astype(np.float32), RATE), usual[turn.role] + draw.uniform(-3, 3))
        parts += [spoken, np.zeros(int(draw.choice((0.3, 0.8, draw.uniform(0.1, 1.2))) * RATE), np.float32)]
    sound = np.concatenate(parts)
    if draw.random() < 0.15:  # the other side leaks in
        other = draw.choice(draw.choice(dialogues)).sound.astype(np.float32) / 32768
        other = at_level(band(np.resize(other, len(sound)), RATE), -22 - draw.uniform(18, 36))
        sound = sound + other
    sound = sound + at_level(band(line_noise(len(sound), RATE, dice), RATE), -22 - draw.choice((45, draw.uniform(8, 45))))
    sound = np.tanh(sound * 10 ** (draw.uniform(-12, 6) / 20)).astype(np.float32)
    heard = soxr.resample(_through_codec(sound, draw), RATE, HEARD_AT)
    length = -(-(len(heard) + int(TAIL_S * HEARD_AT)) // HEARD_AT) * HEARD_AT
    samples = np.zeros(length, np.float32)
    samples[: len(heard)] = np.rint(np.clip(heard, -1, 1) * 32767) / 32768
    text = "".join(_ended(turn.text) for turn in chosen)
    return Example(samples=samples, text=text, hint=_hint(text, dialogues, draw) if draw.random() < 0.3 else "")


def _room(dice: np.random.Generator) -> NDArray[np.float64]:
    """The echo of a room: the sound itself and a noise that dies away within 0.1 to 0.4 s."""
    length = int(dice.uniform(0.1, 0.4) * RATE)
    echo = dice.standard_normal(length) * np.exp(-6 * np.arange(length) / length) * dice.uniform(0.05, 0.35) / 5
    echo[0] = 1.0
    return echo


def _ended(text: str) -> str:
    text = text.replace("…", "，").replace("—", "，").strip(_MARKS[:2])
    return text if text[-1:] in _MARKS else text + "。"


def _hint(text: str, dialogues: Sequence[Sequence[Clip]], draw: random.Random) -> str:
    """Some words of the trade; now and then one of them is said."""
    words = []
    for _ in range(draw.randint(2, 12)):
        source = text if draw.random() < 0.15 else draw.choice(draw.choice(dialogues)).text
        source = "".join(letter for letter in source if "\u4e00" <= letter <= "\u9fff")
        if len(source) > 3:
            begin = draw.randrange(len(source) - 2)
            words.append(source[begin : begin + draw.randint(2, 5)])
    return " ".join(words)


def _through_codec(sound: NDArray[np.float32], draw: random.Random) -> NDArray[np.float32]:
    kind = draw.random()
    if kind < 0.25:
        return sound
    file = io.BytesIO()
    if kind < 0.5:
        soundfile.write(file, sound, RATE, format="WAV", subtype="ULAW")
    else:
        level = draw.choice([_KBPS[16], _KBPS[24], _KBPS[24], _KBPS[32], _KBPS[40], _KBPS[64]])
        soundfile.write(file, sound, RATE, format="MP3", subtype="MPEG_LAYER_III", compression_level=level, bitrate_mode="CONSTANT")
    file.seek(0)
    return np.asarray(soundfile.read(file, dtype="float32")[0])


def batches(dialogues: Sequence[Sequence[Clip]], size: int, draw: random.Random) -> Iterator[list[Example]]:
    """For ever; the windows of a batch are about equally long, from 2 to 15 s of speech."""
    while True:
        seconds = draw.choice((draw.uniform(2, 7), draw.uniform(7, 13.5), draw.uniform(11, 13.5)))
        yield [example(dialogues, seconds + draw.uniform(-0.5, 0.5), draw) for _ in range(size if seconds > 7 else 2 * size)]
