"""Does packing cost accuracy? Our engine beside ``WhisperModel.transcribe(vad_filter=True)`` on each channel, same recordings.

    python -m benchmarks.asr_accuracy [--speech FOLDER] [--samples recordings_sample] [--set beam=5 gap_s=0 ...] [--plain]

``--speech``: the folder of real clips (AISHELL-1 with transcripts); they are joined into two-channel calls in the telephone
band. Printed: character error rate (script, width and numbers normalised, punctuation left out) with its three parts, and the
distance between the start times that both ways give to the same character.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein

from benchmarks.speakers_calls import RATE, sound_of, telephone
from qa_pipeline.asr.faster_whisper import FasterWhisperEngine
from qa_pipeline.asr.models import resolve
from qa_pipeline.asr.options import HearingOptions
from qa_pipeline.asr.whisper import Machine
from qa_pipeline.intake.decode import Decoded, decode
from qa_pipeline.model import Recording
from qa_pipeline.text.normalise import normalise

Timed = list[tuple[str, float]]
"""Characters in order, each with the second in which it begins (of its word)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    name: str
    decoded: Decoded
    said: tuple[str, ...]  # per channel; one entry for a call that is heard as a whole


def plain_text(text: str) -> str:
    return "".join(letter for letter in normalise(text).text if letter.isalnum())


def real_calls(folder: Path) -> Iterator[Call]:
    """The 40 clips in pairs of clips a turn: eight two-channel calls, telephone band, faint line noise."""
    with (folder / "manifest.tsv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["file"].startswith("aishell1_") and row["transcript"]]
    noise = np.random.default_rng(7)
    for number in range(0, len(rows) - 4, 5):
        channels: list[list[np.ndarray[Any, Any]]] = [[], []]
        said = ["", ""]
        for turn, row in enumerate(rows[number : number + 5]):
            sound, side = telephone(sound_of(folder / row["file"])), turn % 2
            pause = np.zeros(int(noise.uniform(0.3, 1.5) * RATE), np.float32)
            channels[side] += [sound, pause]
            channels[1 - side] += [np.zeros(len(sound), np.float32), pause]
            said[side] += row["transcript"]
        both = np.stack([np.concatenate(parts) for parts in channels])
        both = both + noise.normal(0, 0.0005, both.shape)
        samples = np.clip(np.rint(both * 32767), -32768, 32767).astype(np.int16)
        recording = Recording(
            path=f"real{number}",
            audio_hash="",
            duration_s=samples.shape[1] / RATE,
            sample_rate=8000,
            channels=2,
            codec="pcm_mulaw",
        )
        yield Call(name=f"real{number:02}", decoded=Decoded(recording=recording, samples=samples), said=tuple(said))


def sample_calls(folder: Path) -> Iterator[Call]:
    for line in (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines():
        call = json.loads(line)
        (path,) = (path for path in folder.glob(f"{call['call_id']}.*") if path.suffix in (".wav", ".mp3"))
        decoded = decode(path)
        turns = sorted(call["turns"], key=lambda turn: turn["start_s"])
        channels = range(decoded.samples.shape[0])
        said = tuple("".join(t["text"] for t in turns if len(channels) == 1 or t["channel"] == channel) for channel in channels)
        yield Call(name=call["call_id"], decoded=decoded, said=said)


Ear = Callable[[Decoded], list[Timed]]


def engine(options: HearingOptions) -> Ear:
    heard = FasterWhisperEngine(resolve(""), Machine(), options, batch=8)

    def hear(decoded: Decoded) -> list[Timed]:
        result: list[Timed] = [[] for _ in range(decoded.samples.shape[0])]
        (transcript,) = heard.transcribe_many([decoded])
        for segment in transcript.segments:
            for word in segment.words:
                result[segment.channel] += [(letter, word.start_s) for letter in plain_text(segment.text[word.start : word.end])]
        return result

    return hear


def faster_whisper() -> Ear:
    from faster_whisper import WhisperModel

    model = WhisperModel(str(resolve("").path), device="cpu", compute_type="int8", cpu_threads=1)

    def hear(decoded: Decoded) -> list[Timed]:
        result: list[Timed] = []
        for channel in decoded.samples:
            segments, _ = model.transcribe(
                channel.astype(np.float32) / 32768.0, language="zh", vad_filter=True, word_timestamps=True
            )
            words = [word for segment in segments for word in segment.words or ()]
            result.append([(letter, word.start) for word in words for letter in plain_text(word.word)])
        return result

    return hear


@dataclass(slots=True)
class Count:
    letters: int = 0
    insert: int = 0
    delete: int = 0
    replace: int = 0
    cpu_s: float = 0.0

    def add(self, said: str, heard: str) -> None:
        self.letters += len(said)
        for step in Levenshtein.editops(said, heard):
            setattr(self, step.tag, getattr(self, step.tag) + 1)

    def __str__(self) -> str:
        parts = (self.insert + self.delete + self.replace, self.replace, self.delete, self.insert)
        shown = [f"{part / max(1, self.letters):.1%}" for part in parts]
        return f"字错率 {shown[0]}（错 {shown[1]}，漏 {shown[2]}，多 {shown[3]}），{self.letters} 字，处理器 {self.cpu_s:.0f} 秒"


def gaps(first: list[Timed], second: list[Timed]) -> list[float]:
    """Seconds between the starts of the characters that both heard."""
    found = []
    for one, other in zip(first, second, strict=True):
        texts = ["".join(letter for letter, _ in side) for side in (one, other)]
        for block in Levenshtein.opcodes(*texts):
            if block.tag == "equal":
                same = zip(one[block.src_start : block.src_end], other[block.dest_start : block.dest_end], strict=True)
                found += [abs(first_s - other_s) for (_, first_s), (_, other_s) in same]
    return found


def measure(calls: list[Call], ears: dict[str, Ear], show: bool) -> None:
    counts = {name: Count() for name in ears}
    apart: list[float] = []
    for call in calls:
        results = []
        for name, ear in ears.items():
            began = time.process_time()
            heard = ear(call.decoded)
            counts[name].cpu_s += time.process_time() - began
            results.append(heard)
            for said, timed in zip(call.said, heard, strict=True):
                counts[name].add(plain_text(said), "".join(letter for letter, _ in timed))
                if show:
                    print(f"{call.name} {name}\n  {plain_text(said)}\n  {''.join(letter for letter, _ in timed)}")
        if len(results) == 2:
            apart += gaps(*results)
    for name, count in counts.items():
        print(f"  {name}: {count}")
    if apart:
        print(f"  起始时间相差：中位 {statistics.median(apart):.3f} 秒，九成以内 {statistics.quantiles(apart, n=10)[8]:.3f} 秒")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--speech", type=Path)
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--set", nargs="*", default=[], metavar="OPTION=VALUE", help="hearing options that differ from the default")
    parser.add_argument("--plain", action="store_true", help="run the plain way beside it")
    parser.add_argument("--show", action="store_true", help="print what was said and heard")
    asked = parser.parse_args()
    options = HearingOptions.of_the_built_in()
    for pair in asked.set:
        name, value = pair.split("=", 1)
        options = replace(options, **{name: type(getattr(options, name))(value)})
    ears = {"打包": engine(options)} | ({"逐声道 transcribe": faster_whisper()} if asked.plain else {})
    if asked.speech:
        print("真实朗读（AISHELL-1），电话频带，双声道")
        measure(list(real_calls(asked.speech)), ears, asked.show)
    if asked.samples:
        print("示例录音")
        measure(list(sample_calls(asked.samples)), ears, asked.show)


if __name__ == "__main__":
    main()
