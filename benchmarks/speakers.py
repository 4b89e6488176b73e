"""How much speech gets the right voice and the right role: composed calls of real voices, and the sample calls.

    QA_REAL_SPEECH=FOLDER .venv/bin/python -m benchmarks.speakers --heard --write

``FOLDER`` holds real recordings (see its README); they are measured with and never copied. Without it only the sample calls are measured.
Composed calls are joined from clips whose speakers are known, so that speaker times are exact; each is measured at 16 kHz and through
a simulated telephone line (250–3,500 Hz, 8 kHz, μ-law). Scripts are attached to the turns so that roles can be decided.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speakers_calls import SCRIPTS, Case, Turn, composed, samples, spoken
from qa_pipeline.model import CallData, ChannelSpan, EngineInfo, Role, Segment, Transcript, VoicedSpan, VoiceSpan, Word
from qa_pipeline.speakers import converse
from qa_pipeline.speakers.acoustics import measure

ROOT = Path(__file__).resolve().parents[1]


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


def transcript_of(case: Case, voiced: Sequence[ChannelSpan]) -> Transcript:
    """What a flawless recogniser would have heard: the turns' text, its characters spread evenly."""
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


def heard(folder: Path) -> str:
    """Our sample calls as the built-in recogniser hears them, agent channel not told: share of words given to the right role."""
    from qa_pipeline.asr.engines import open_engine
    from qa_pipeline.config import AsrSettings

    engine = open_engine(AsrSettings(threads=1))
    lines = ["| 组 | 通数 | 字 | 角色正确 | 最差一通 |", "|---|---|---|---|---|"]
    groups: dict[str, list[tuple[str, int, int]]] = {}
    for case in samples(folder):
        if "混成" in case.group:
            continue
        (transcript,) = engine.transcribe_many([case.decoded])
        conversation = converse(CallData(call_id=case.name), case.decoded.recording, transcript)
        right = total = 0
        for turn in conversation.turns:
            for word in turn.words:
                middle = (word.start_s + word.end_s) / 2
                there = {other.role for other in case.turns if other.start_s - 0.1 <= middle <= other.end_s + 0.1}
                total += bool(there)
                right += turn.role in there
        groups.setdefault(case.group, []).append((case.name, right, total))
    for group, items in groups.items():
        worst = min(items, key=lambda item: item[1] / item[2])
        right, total = sum(item[1] for item in items), sum(item[2] for item in items)
        lines.append(f"| {group} | {len(items)} | {total} | {right / total:.1%} | {worst[1] / worst[2]:.1%}（{worst[0]}） |")
    return "\n".join(lines)


def table(scores: Sequence[Score]) -> str:
    """One row a group: calls, minutes of speech, shares, worst call."""
    lines = [
        "| 组 | 通数 | 说话分钟 | 声音正确 | 最差一通 | 角色正确 | 最差一通 | 听出两人的通数 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    groups: dict[str, list[Score]] = {}
    for item in scores:
        groups.setdefault(item.group, []).append(item)
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
    parser.add_argument("--heard", action="store_true", help="also with the words of the built-in recogniser (minutes)")
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
    if options.heard:
        text += f"\n\n## 用内置识别模型听出的字（示例录音，不告知坐席声道）\n\n{heard(options.samples)}"
        print(text)
    if options.write:
        note = (ROOT / "benchmarks" / "speakers.md").read_text(encoding="utf-8").split("<!-- 以下由命令生成 -->")[0]
        body = f"<!-- 以下由命令生成 -->\n\n{date.today().isoformat()} 测得。\n\n{text}\n"
        (ROOT / "benchmarks" / "speakers.md").write_text(note + body, encoding="utf-8")


if __name__ == "__main__":
    main()
