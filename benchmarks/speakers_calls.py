"""Calls with known speaker times to measure on: joined from real clips, and our own sample calls."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from qa_pipeline.asr.vad import Vad
from qa_pipeline.intake.decode import Decoded, decode
from qa_pipeline.model import Recording, Role

RATE = 16_000
Sound = np.ndarray[Any, np.dtype[np.float32]]
SCRIPTS = {
    Role.AGENT: "您好这里是客户服务中心我的工号是八零一二给您来电是想介绍一下业务请问您现在方便吗我帮您开通感谢您的接听祝您生活愉快再见",
    Role.CUSTOMER: "你说吧多少钱一个月我考虑一下不用了我在开会你们怎么老打电话好的知道了",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    role: Role
    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One call with known speaker times."""

    group: str
    name: str
    decoded: Decoded
    turns: tuple[Turn, ...]


def sound_of(path: Path) -> Sound:
    """One channel at -24 dBFS, from its first to its last speech."""
    row = decode(path).samples[0]
    spans = spoken(row)
    if spans:
        row = row[int(spans[0][0] * RATE) : int(spans[-1][1] * RATE)]
    sound = row.astype(np.float32) / np.float32(32768)
    return np.asarray(sound * (10 ** (-24 / 20) / np.sqrt(np.mean(np.square(sound)))), np.float32)


def spoken(row: np.ndarray[Any, np.dtype[np.int16]], vad: Vad = Vad()) -> list[tuple[float, float]]:  # noqa: B008 - stateless
    return [(start / RATE, end / RATE) for start, end in vad.spans(vad.probabilities(row), len(row))]


def telephone(sound: Sound) -> Sound:
    """Through a telephone line and back to 16 kHz."""
    narrow = soxr.resample(sound, RATE, 8000)
    spectrum, hertz = np.fft.rfft(narrow), np.fft.rfftfreq(len(narrow), 1 / 8000)
    spectrum *= 1 / np.sqrt((1 + (250 / np.maximum(hertz, 1)) ** 6) * (1 + (hertz / 3500) ** 12))
    line = np.clip(np.fft.irfft(spectrum, len(narrow)), -1, 1)
    steps = np.round(np.sign(line) * np.log1p(255 * np.abs(line)) / np.log(256) * 127) / 127
    back = np.sign(steps) * (256 ** np.abs(steps) - 1) / 255
    return np.asarray(soxr.resample(back.astype(np.float32), 8000, RATE), np.float32)


def compose(parts: Sequence[tuple[Role, Sound]], seed: int, gap_s: float = 0.3) -> tuple[Sound, tuple[Turn, ...]]:
    """Turns joined with pauses of half to twice ``gap_s``, faint line noise under all."""
    noise = np.random.default_rng(seed)
    pieces: list[Sound] = [np.zeros(RATE // 2, np.float32)]
    turns: list[Turn] = []
    at = 0.5
    used = dict.fromkeys(SCRIPTS, 0)
    for role, sound in parts:
        length_s = len(sound) / RATE
        script = SCRIPTS[role] * 20
        count = max(1, round(4 * length_s))
        turns.append(Turn(role=role, start_s=at, end_s=at + length_s, text=script[used[role] : used[role] + count]))
        used[role] += count
        pause = np.zeros(int(gap_s * noise.uniform(0.5, 2) * RATE), np.float32)
        pieces += [sound, pause]
        at += length_s + len(pause) / RATE
    joined = np.concatenate(pieces)
    return joined + noise.normal(0, 0.001, len(joined)).astype(np.float32), tuple(turns)


def as_decoded(sound: Sound, name: str) -> Decoded:
    samples = np.clip(np.rint(sound * 32767), -32768, 32767).astype(np.int16)[None]
    recording = Recording(
        path=name, audio_hash="", duration_s=samples.shape[1] / RATE, sample_rate=RATE, channels=1, codec="pcm_s16le"
    )
    return Decoded(recording=recording, samples=samples)


def cut(sound: Sound, count: int) -> list[Sound]:
    """Into pieces of about equal length, at pauses where there are some."""
    starts = [int(start * RATE) for start, _ in spoken((sound * 32767).astype(np.int16))][1:]
    edges = [0]
    for number in range(1, count):
        wanted = len(sound) * number // count
        near = min(starts, key=lambda start: abs(start - wanted), default=wanted)
        edges.append(near if abs(near - wanted) < len(sound) // (2 * count) else wanted)
    return [sound[start:end] for start, end in zip(edges, [*edges[1:], len(sound)], strict=True)]


def words_of(sound: Sound, count: int) -> list[Sound]:
    """Short answers: pieces of 0.6, 0.85 and 1.1 s."""
    lengths = [int((0.6 + 0.25 * (number % 3)) * RATE) for number in range(count)]
    starts = np.linspace(0, max(0, len(sound) - max(lengths)), count).astype(int)
    return [sound[start : start + length] for start, length in zip(starts, lengths, strict=True)]


def alternate(agent: Sequence[Sound], customer: Sequence[Sound]) -> list[tuple[Role, Sound]]:
    pairs = itertools.zip_longest(((Role.AGENT, sound) for sound in agent), ((Role.CUSTOMER, sound) for sound in customer))
    return [part for pair in pairs for part in pair if part is not None]


def recipes(folder: Path) -> Iterator[tuple[str, str, list[tuple[Role, Sound]]]]:
    """(group, name, parts) of every composed call."""
    people = {name: [sound_of(folder / f"spk4_{name}_{number}.wav") for number in (1, 2, 3)] for name in "abxz"}
    for agent, customer in itertools.permutations(people, 2):
        yield "两人交替（spk4）", f"{agent}{customer}", alternate(people[agent], people[customer])
        answers = [word for sound in people[customer] for word in words_of(sound, 2)][:3]
        yield "客户只有短答（spk4）", f"{agent}{customer}", alternate(people[agent], answers)
    talkers = (
        "funasr_vad_example_70s",
        "wenet_ios_test",
        "ibm_zh-CN_sample1_for_8k",
        "ibm_zh-CN_sample2_for_8k",
        "ibm_zh-CN_sample1_for_16k",
    )
    for talker in talkers:
        sound = sound_of(folder / f"{talker}.wav")[: 60 * RATE]
        yield "只有一人", talker, [(Role.AGENT, sound)]
        for customer, clips in people.items():
            yield (
                "坐席长谈、客户几句",
                f"{talker}+{customer}",
                alternate(cut(sound, 4), [word for clip in clips for word in words_of(clip, 1)]),
            )
    for name, clips in people.items():
        yield "只有一人", name, [(Role.AGENT, clip) for clip in clips]
    files = sorted(folder.glob("aishell1_*.wav"), key=lambda path: (-path.stat().st_size, path.name))[:24]
    for first, second in zip(files[::2], files[1::2], strict=True):
        parts = alternate(cut(sound_of(first), 3), cut(sound_of(second), 3))
        yield "两人交替（AISHELL，未用于调参）", f"{first.stem[-16:]}+{second.stem[-16:]}", parts


def composed(folder: Path) -> Iterator[Case]:
    for seed, (group, name, parts) in enumerate(recipes(folder)):
        sound, turns = compose(parts, seed)
        yield Case(group=group, name=f"{name} 16k", decoded=as_decoded(sound, name), turns=turns)
        yield Case(group=f"{group}·电话频带", name=f"{name} tel", decoded=as_decoded(telephone(sound), name), turns=turns)
    real = decode(folder / "en_channel_tests_Auto_Repairs_40_stereo_L-agent_R-caller.wav").samples
    turns = tuple(
        Turn(role=role, start_s=start, end_s=end, text=SCRIPTS[role])
        for channel, role in enumerate((Role.AGENT, Role.CUSTOMER))
        for start, end in spoken(real[channel])
    )
    mixed = real.astype(np.float32).sum(axis=0) / np.float32(32768)
    yield Case(group="真实双声道电话混成单声道（英语）", name="Auto_Repairs_40", decoded=as_decoded(mixed, "en"), turns=turns)


def samples(folder: Path) -> Iterator[Case]:
    """Our own sample calls; those of two channels also mixed down to one."""
    for line in (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines():
        call = json.loads(line)
        (path,) = folder.glob(f"{call['call_id']}.*")
        decoded = decode(path)
        turns = tuple(Turn(role=Role(t["role"]), start_s=t["start_s"], end_s=t["end_s"], text=t["text"]) for t in call["turns"])
        two = decoded.recording.channels == 2
        yield Case(group="示例·双声道" if two else "示例·单声道", name=call["call_id"], decoded=decoded, turns=turns)
        if two:
            mixed = as_decoded(decoded.samples.astype(np.float32).sum(axis=0) / np.float32(32768), call["call_id"])
            yield Case(group="示例·双声道混成单声道", name=call["call_id"], decoded=mixed, turns=turns)
