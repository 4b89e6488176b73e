"""Voice activity: the network itself on silence, and the arithmetic around it."""

from __future__ import annotations

import numpy as np
import pytest

from qa_pipeline.asr.vad import FRAME, Vad, VadOptions, voiced
from qa_pipeline.intake.decode import decode
from qa_pipeline.resources import samples_dir

RATE = 16000


def test_silence_nothing_and_one_sample_are_not_speech() -> None:
    assert voiced(np.zeros(5 * RATE, dtype=np.int16)) == []
    assert voiced(np.zeros(0, dtype=np.int16)) == []
    assert voiced(np.ones(1, dtype=np.int16)) == []


def test_slices_give_the_same_probabilities_as_the_whole() -> None:
    """The library's own way, one array for the whole recording, is the reference."""
    from faster_whisper.vad import get_vad_model

    samples = decode(samples_dir() / "S001.wav").samples[0, : 20 * RATE + 100]
    whole = np.pad(samples.astype(np.float32) / 32768.0, (0, -len(samples) % FRAME))
    assert np.array_equal(Vad().probabilities(samples), get_vad_model()(whole).reshape(-1))


def spans(pattern: str, **options: float) -> list[tuple[float, float]]:
    """Voiced frames of a drawn pattern: ``#`` speech, ``-`` in between, ``.`` silence."""
    levels = {"#": 0.9, "-": 0.4, ".": 0.1}
    vad = Vad(VadOptions(pad_s=0.0, min_speech_s=2 * FRAME / RATE, min_silence_s=3 * FRAME / RATE, **options))
    found = vad.spans(np.array([levels[mark] for mark in pattern], dtype=np.float32), len(pattern) * FRAME)
    return [(start / FRAME, end / FRAME) for start, end in found]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("..####....", [(2, 6)]),
        ("..##..##...", [(2, 8)]),  # a short silence belongs to the speech
        ("..##...##...", [(2, 4), (7, 9)]),
        ("..#....##", [(7, 9)]),  # a click is not speech
        ("--##----..-...", [(2, 11)]),  # between the thresholds speech goes on, but does not begin
        ("####", [(0, 4)]),
        ("", []),
    ],
)
def test_speech_begins_and_ends_where_it_is_drawn(pattern: str, expected: list[tuple[int, int]]) -> None:
    assert spans(pattern) == expected


def test_padding_stays_inside_the_recording_and_joins_neighbours() -> None:
    vad = Vad(VadOptions(pad_s=1.0, min_speech_s=0.0, min_silence_s=0.1))
    p = np.zeros(200, dtype=np.float32)
    p[[10, 60, 150]] = 0.9
    assert vad.spans(p, 151 * FRAME) == [(0, 61 * FRAME + RATE), (150 * FRAME - RATE, 151 * FRAME)]
