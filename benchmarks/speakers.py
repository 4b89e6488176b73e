"""How much speech gets the right voice and the right role: composed calls of real voices, and the sample calls.

    QA_REAL_SPEECH=FOLDER .venv/bin/python -m benchmarks.speakers --write

``FOLDER`` holds real recordings (see its README); they are measured with and never copied. Without it only the sample calls are measured.
Composed calls are joined from clips whose speakers are known, so that speaker times are exact; each is measured at 16 kHz and through
a simulated telephone line (250–3,500 Hz, 8 kHz, μ-law). Scripts are attached to the turns so that roles can be decided.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from qa_pipeline.asr.vad import Vad
from qa_pipeline.intake.decode import Decoded, decode
from qa_pipeline.model import (
    CallData,
    ChannelSpan,
    EngineInfo,
    Recording,
    Role,
    Segment,
    Transcript,
    VoicedSpan,
    VoiceSpan,
    Word,
)
from qa_pipeline.speakers import converse
from qa_pipeline.speakers.acoustics import measure

ROOT = Path(__file__).resolve().parents[1]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Hundredths of a second of speech: all, given to the right voice, to the right role."""

    group: str
    name: str
    frames: int
    voice: int
    role: int
    voices: int
    seconds: float


# ---------------------------------------------------------------------------------------------------------------- composing calls


def sound_of(path: Path) -> Sound:
    """One channel at -24 dBFS, from its first to its last speech."""
    row = decode(path).samples[0]
    spans = spoken(row)
    if spans:
        row = row[int(spans[0][0] * RATE) : int(spans[-1][1] * RATE)]
    sound = row.astype(np.float32) / np.float32(32768)
    return sound * np.float32(10 ** (-24 / 20) / np.sqrt(np.mean(np.square(sound))))


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
    clips = sorted(folder.glob("aishell1_*.wav"), key=lambda path: (-path.stat().st_size, path.name))[:24]
    for first, second in zip(clips[::2], clips[1::2], strict=True):
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


# ------------------------------------------------------------------------------------------------------------------------ scoring


def transcript_of(case: Case, voiced: Sequence[ChannelSpan]) -> Transcript:
    """What a flawless recogniser would have heard: the turns' text, its characters spread evenly."""
    channels = {turn.role: index for index, turn in enumerate(case.turns[:1])}
    segments = []
    for turn in case.turns:
        channel = 0 if len(case.decoded.samples) == 1 else _channel(case, turn, voiced)
        step = (turn.end_s - turn.start_s) / max(1, len(turn.text))
        words = tuple(
            Word(start=i, end=i + 1, start_s=turn.start_s + i * step, end_s=turn.start_s + (i + 1) * step, confidence=0.9)
            for i in range(len(turn.text))
        )
        segments.append(
            Segment(channel=channel, start_s=turn.start_s, end_s=turn.end_s, text=turn.text, words=words, confidence=0.9)
        )
    assert len(channels) == 1
    return Transcript(
        audio_hash="", duration_s=case.decoded.recording.duration_s, channels=len(case.decoded.samples),
        engine=EngineInfo(name="truth", model="", model_hash=""), segments=tuple(segments), voiced=tuple(voiced),
        acoustics=measure(case.decoded, voiced),
    )  # fmt: skip


def _channel(case: Case, turn: Turn, voiced: Sequence[ChannelSpan]) -> int:
    """The channel with more speech in all turns of this role."""
    mine = [other for other in case.turns if other.role is turn.role]
    shares = [sum(_overlap(other, span) for other in mine for span in voiced if span.channel == channel) for channel in (0, 1)]
    return int(shares[1] > shares[0])


def _overlap(turn: Turn, span: ChannelSpan | VoiceSpan | VoicedSpan) -> float:
    return max(0.0, min(turn.end_s, span.end_s) - max(turn.start_s, span.start_s))


def score(case: Case) -> Score:
    """Measured as the product does it: voice activity, voices, roles from the text."""
    voiced = [
        ChannelSpan(channel=channel, start_s=start, end_s=end)
        for channel, row in enumerate(case.decoded.samples)
        for start, end in spoken(np.asarray(row))
    ]
    began = time.perf_counter()
    transcript = transcript_of(case, voiced)
    conversation = converse(CallData(call_id=case.name), case.decoded.recording, transcript)
    seconds = time.perf_counter() - began
    size = int(case.decoded.recording.duration_s * 100) + 100
    truth = {role: _mask(size, [turn for turn in case.turns if turn.role is role]) for role in SCRIPTS}
    use = _mask(size, voiced) & (truth[Role.AGENT] | truth[Role.CUSTOMER])
    given = {role: _mask(size, [span for span in conversation.voiced or () if span.role is role]) for role in SCRIPTS}
    role = int((use & (truth[Role.AGENT] & given[Role.AGENT] | truth[Role.CUSTOMER] & given[Role.CUSTOMER])).sum())
    voices = transcript.acoustics.voices if transcript.acoustics else ()
    tracks = {voice: _mask(size, [span for span in voices if span.voice == voice]) for voice in (0, 1)}
    fits = [int((use & (truth[Role.AGENT] & tracks[agent] | truth[Role.CUSTOMER] & tracks[1 - agent])).sum()) for agent in (0, 1)]
    return Score(
        group=case.group, name=case.name, frames=int(use.sum()), voice=max(fits) if voices else role, role=role,
        voices=len({span.voice for span in voices}), seconds=seconds,
    )  # fmt: skip


def _mask(size: int, spans: Sequence[Turn] | Sequence[ChannelSpan] | Sequence[VoiceSpan] | Sequence[VoicedSpan]) -> Any:
    mask = np.zeros(size, np.bool_)
    for span in spans:
        mask[int(span.start_s * 100) : int(span.end_s * 100)] = True
    return mask


def table(scores: Sequence[Score]) -> str:
    """One row a group: calls, minutes of speech, shares, worst call."""
    lines = [
        "| 组 | 通数 | 说话分钟 | 声音正确 | 最差一通 | 角色正确 | 最差一通 | 听出两人的通数 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    groups: Mapping[str, list[Score]] = {}
    for item in scores:
        groups.setdefault(item.group, []).append(item)  # type: ignore[attr-defined]
    for group, items in groups.items():
        total = sum(item.frames for item in items)
        voice, role = sum(item.voice for item in items) / total, sum(item.role for item in items) / total
        worst = min(items, key=lambda item: item.voice / item.frames)
        worst_role = min(items, key=lambda item: item.role / item.frames)
        lines.append(
            f"| {group} | {len(items)} | {total / 6000:.1f} | {voice:.1%} | {worst.voice / worst.frames:.1%}（{worst.name}） "
            f"| {role:.1%} | {worst_role.role / worst_role.frames:.1%}（{worst_role.name}） | {sum(item.voices > 1 for item in items)} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, default=os.environ.get("QA_REAL_SPEECH"), help="folder of real speech")
    parser.add_argument("--samples", type=Path, default=ROOT / "recordings_sample")
    parser.add_argument("--write", action="store_true", help="write benchmarks/speakers.md")
    options = parser.parse_args()
    cases: Iterator[Case] = samples(options.samples)
    if options.speech:
        cases = itertools.chain(composed(Path(options.speech)), cases)
    scores = [score(case) for case in cases]
    for item in scores:
        if item.role < 0.95 * item.frames:
            print(
                f"{item.group} {item.name}: voice {item.voice / item.frames:.3f} role {item.role / item.frames:.3f} voices {item.voices}"
            )
    text = table(scores)
    print(text)
    speech_s, cost_s = sum(item.frames for item in scores) / 100, sum(item.seconds for item in scores)
    print(f"{speech_s:.0f} s of speech in {cost_s:.1f} s")
    if options.write:
        note = (ROOT / "benchmarks" / "speakers.md").read_text(encoding="utf-8").split("<!-- 以下由命令生成 -->")[0]
        body = f"<!-- 以下由命令生成 -->\n\n{date.today().isoformat()} 测得。\n\n{text}\n"
        (ROOT / "benchmarks" / "speakers.md").write_text(note + body, encoding="utf-8")


if __name__ == "__main__":
    main()
