"""A recogniser that answers with what was really said in the sample calls, and small recordings made on the spot."""

from __future__ import annotations

import json
import math
import wave
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from qa_pipeline.errors import StageError
from qa_pipeline.intake.decode import audio_hash, decode
from qa_pipeline.model import Acoustics, ChannelSpan, EngineInfo, Recording, Segment, Transcript, VoiceSpan
from qa_pipeline.pipeline import Hearing
from qa_pipeline.resources import samples_dir

ENGINE = EngineInfo(name="truth", model="none", model_hash="0")


@cache
def truth() -> dict[str, list[dict[str, object]]]:
    lines = (samples_dir() / "truth.jsonl").read_text(encoding="utf-8").splitlines()
    return {call["call_id"]: call["turns"] for call in map(json.loads, lines)}


@cache
def _calls() -> dict[str, str]:
    """Content hash → call_id of the sample recordings."""
    return {audio_hash(path): path.stem for path in samples_dir().glob("S*.*")}


def transcript(recording: Recording, turns: Sequence[dict[str, object]]) -> Transcript:
    spans = [(0 if recording.channels == 1 else int(str(turn.get("channel") or 0)), turn) for turn in turns]
    segments = tuple(
        Segment(
            channel=channel,
            start_s=float(str(turn["start_s"])),
            end_s=float(str(turn["end_s"])),
            text=str(turn["text"]),
            confidence=0.95,
        )
        for channel, turn in spans
    )
    voiced = tuple(ChannelSpan(channel=item.channel, start_s=item.start_s, end_s=item.end_s) for item in segments)
    return Transcript(
        audio_hash=recording.audio_hash,
        duration_s=recording.duration_s,
        channels=recording.channels,
        engine=ENGINE,
        segments=segments,
        voiced=voiced,
        acoustics=_acoustics(recording, turns),
    )


def _acoustics(recording: Recording, turns: Sequence[dict[str, object]]) -> Acoustics:
    """An even level, no pitch; for one channel the two voices as they really spoke."""
    steps = round(recording.duration_s / 0.1)
    order = list(dict.fromkeys(str(turn["role"]) for turn in turns))
    voices = tuple(
        VoiceSpan(
            voice=order.index(str(turn["role"])),
            start_s=float(str(turn["start_s"])),
            end_s=float(str(turn["end_s"])),
            confidence=1.0,
        )
        for turn in turns
        if recording.channels == 1 and order.index(str(turn["role"])) < 2
    )
    return Acoustics(
        hop_s=0.1,
        level_db=((-20.0,) * steps,) * recording.channels,
        pitch_st=((None,) * steps,) * recording.channels,
        voices=voices,
    )


class TruthRecogniser:
    """Knows the sample calls; hears nothing in other recordings. ``heard`` lists what it was asked for."""

    info = ENGINE

    def __init__(self, *, stop_after: int | None = None) -> None:
        self.heard: list[str] = []
        self.listened = 0
        self._stop_after = stop_after

    def hear(self, paths: Sequence[str]) -> Iterator[Hearing]:
        for path in paths:
            if self._stop_after is not None and len(self.heard) >= self._stop_after:
                raise KeyboardInterrupt
            self.heard.append(Path(path).name)
            try:
                recording = decode(Path(path)).recording
            except StageError as error:
                yield Hearing(path=path, error=error)
                continue
            turns = truth().get(_calls().get(recording.audio_hash, ""), [])
            yield Hearing(path=path, recording=recording, transcript=transcript(recording, turns))

    def listeners(self) -> int:
        return 1

    def listen(self, path: str, requests: tuple[tuple[ChannelSpan, tuple[str, ...]], ...]) -> tuple[tuple[Segment, ...], ...]:
        """The truth once more: what the span overlaps."""
        recording = decode(Path(path)).recording
        said = transcript(recording, truth().get(_calls().get(recording.audio_hash, ""), [])).segments
        self.listened += len(requests)
        return tuple(
            (
                Segment(
                    channel=span.channel,
                    start_s=span.start_s,
                    end_s=span.end_s,
                    confidence=0.9,
                    text="".join(
                        item.text
                        for item in said
                        if item.channel == span.channel and item.start_s < span.end_s and item.end_s > span.start_s
                    ),
                ),
            )
            for span, _ in requests
        )


class Silent:
    """Progress that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def identifying(self, calls: int) -> None:
        self.told.append(("identifying", calls))

    def identified(self) -> None: ...

    def hearing(self, calls: int, audio_s: float) -> None:
        self.told.append(("hearing", calls, round(audio_s, 1)))

    def heard(self, call_id: str, audio_s: float, error: str) -> None:
        self.told.append(("heard", call_id, error))

    def judging(self, calls: int) -> None:
        self.told.append(("judging", calls))

    def judged(self) -> None: ...

    def interrupted(self, stored: int, kept: int, left: int) -> None:
        self.told.append(("interrupted", stored, kept, left))


def tone(path: Path, seconds: float, *, channels: int = 1, level: float = 0.3, hertz: float = 440.0) -> Path:
    """A recording of a plain tone (``level`` 0: silence), 8 kHz PCM."""
    count = round(seconds * 8000)
    period = max(1, round(8000 / hertz))
    cycle = [round(32767 * level * math.sin(2 * math.pi * step / period)) for step in range(period)]
    one = b"".join(value.to_bytes(2, "little", signed=True) * channels for value in cycle)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((one * (count // period + 1))[: count * 2 * channels])
    return path
