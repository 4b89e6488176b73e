"""Speech to learn from: turns of the corpus of ``tools/meaning``, each in an invented voice, at 8 kHz.

    python -m tools.hearing.clips --out FOLDER --hours 3 --part 0/2

Needs the packages of ``recordings_sample/requirements-tts.txt``. A part writes ``part0.pcm`` (int16, one turn after the other)
and ``part0.jsonl`` (one line a turn). A dialogue keeps its two voices; no voice is that of a sample call.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "recordings_sample"))

from spoken_text import phrases, speak_as  # noqa: E402
from voices import VOICES, Synthesiser, Voice  # noqa: E402

RATE = 8000
_LEAST, _MOST = 2, 90  # characters of a turn
_UNSPEAKABLE = re.compile(r"[“”‘’「」《》（）()~～\s]")


def dialogues(folder: Path) -> Iterator[list[tuple[str, str]]]:
    """(A or C, text) of every turn, dialogue by dialogue."""
    for path in sorted(folder.glob("*.txt")):
        turns: list[tuple[str, str]] = []
        for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
            parts = line.split("\t")
            if len(parts) == 3 and not line.startswith("#"):
                turns.append((parts[0], parts[2].strip()))
            elif turns:
                yield turns
                turns = []


def invented(draw: random.Random) -> Voice:
    """A woman or a man, not too near to any voice of the samples."""
    while True:
        woman = draw.random() < 0.5
        voice = Voice(
            sex="f" if woman else "m",
            pitch=draw.uniform(0.72, 1.15) if woman else draw.uniform(0.40, 0.68),
            formants=draw.uniform(0.93, 1.16) if woman else draw.uniform(0.79, 0.92),
            liveliness=draw.uniform(0.75, 1.3),
            energy=draw.uniform(0.9, 1.15),
        )
        if all(abs(voice.pitch - v.pitch) + abs(voice.formants - v.formants) > 0.03 for v in VOICES.values()):
            return voice


def pace(draw: random.Random) -> float:
    """Characters a minute of the synthesiser: mostly 210–320, some up to 430."""
    return draw.uniform(320, 430) if draw.random() < 0.15 else draw.uniform(210, 320)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=ROOT / "tools" / "meaning" / "corpus")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hours", type=float, required=True, help="of this part")
    parser.add_argument("--part", default="0/1", help="which of how many processes, such as 0/2")
    args = parser.parse_args()
    number, parts = map(int, args.part.split("/"))
    args.out.mkdir(parents=True, exist_ok=True)
    everything = list(dialogues(args.corpus))
    random.Random(1).shuffle(everything)
    mine = everything[number::parts]
    draw = random.Random(f"clips {number}")
    synthesiser, at = Synthesiser(), 0
    with (args.out / f"part{number}.pcm").open("wb") as sound, (args.out / f"part{number}.jsonl").open("w") as lines:
        for nth, turns in enumerate(mine):
            cast = {"A": invented(draw), "C": invented(draw)}
            paces = {"A": pace(draw), "C": pace(draw)}
            for role, text in turns:
                text = _UNSPEAKABLE.sub("", text)
                if not _LEAST <= len(text) <= _MOST:
                    continue
                try:
                    spoken = said(synthesiser, speak_as(text), cast[role], paces[role])
                except (ValueError, KeyError, IndexError, RuntimeError):  # a character that the synthesiser does not know
                    continue
                sound.write(spoken.tobytes())
                line: dict[str, Any] = {"dialogue": f"{number}-{nth}", "role": role, "text": text, "at": at, "length": len(spoken)}
                lines.write(json.dumps(line, ensure_ascii=False) + "\n")
                at += len(spoken)
            sound.flush()
            lines.flush()
            if at > args.hours * 3600 * RATE:
                break


def said(synthesiser: Synthesiser, spoken: str, voice: Voice, chars_a_minute: float) -> np.ndarray[Any, np.dtype[np.int16]]:
    """One turn at ``RATE``, at half of full scale."""
    import soxr
    from voices import TTS_RATE

    audio = synthesiser.speak(phrases(spoken), voice, 250 / chars_a_minute)
    audio = soxr.resample(audio, TTS_RATE, RATE)
    return np.rint(audio / max(1e-3, float(np.abs(audio).max())) * 16000).astype(np.int16)


if __name__ == "__main__":
    main()
