"""Voices on one channel, with the real encoder on made-up people."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from people import CHILD, MAN, RATE, WOMAN, Sound, recorded, silence, talk

from qa_pipeline.model import VoiceSpan
from qa_pipeline.speakers import clusters, phrases
from qa_pipeline.speakers.diarize import diarize
from qa_pipeline.speakers.encoder import VoiceEncoder
from qa_pipeline.speakers.spans import Spans

GAP = silence(0.4)
ENCODER = VoiceEncoder()
SAMPLES = Path(__file__).parents[2] / "recordings_sample"


def spoken(parts: tuple[Sound, ...]) -> Spans:
    """Where the parts with sound are."""
    at = np.cumsum([0, *(len(part) for part in parts)]) / RATE
    return Spans((float(at[i]), float(at[i + 1])) for i, part in enumerate(parts) if np.abs(part).max() > 0)


def voices(*parts: Sound) -> list[tuple[int, float, float]]:
    found = diarize(recorded(*parts), spoken(parts), ENCODER)
    assert all(0 <= span.confidence <= 1 for span in found)
    return [(span.voice, span.start_s, span.end_s) for span in found]


def test_two_people_with_a_short_answer() -> None:
    parts = talk(MAN, 4, 1), GAP, talk(WOMAN, 3, 2), GAP, talk(MAN, 5, 3), GAP, talk(WOMAN, 0.8, 4), GAP, talk(MAN, 3, 5)
    assert voices(*parts) == [(0, 0.0, 4.0), (1, 4.4, 7.4), (0, 7.8, 12.8), (1, 13.2, 14.0), (0, 14.4, 17.4)]


def test_numbers_follow_the_first_appearance_not_the_share_of_talk() -> None:
    parts = talk(WOMAN, 2, 2), GAP, talk(MAN, 6, 1), GAP, talk(WOMAN, 1, 4), GAP, talk(MAN, 4, 3)
    assert [voice for voice, _, _ in voices(*parts)] == [0, 1, 0, 1]


@pytest.mark.parametrize("person", [MAN, WOMAN])
def test_one_person_is_one_voice(person: tuple[float, tuple[float, ...]]) -> None:
    parts = talk(person, 4, 1), GAP, talk(person, 3, 2), GAP, talk(person, 5, 3), GAP, talk(person, 0.8, 4)
    assert [voice for voice, _, _ in voices(*parts)] == [0, 0, 0, 0]


def test_a_third_voice_is_not_forced_onto_the_two() -> None:
    parts = talk(CHILD, 8, 1), GAP, talk(MAN, 3, 2), GAP, talk(WOMAN, 3, 3), GAP, talk(MAN, 4, 4), GAP, talk(WOMAN, 3, 6)
    assert [voice for voice, _, _ in voices(*parts)] == [2, 0, 1, 0, 1]


def test_a_change_without_a_pause_in_the_speech_found_is_cut_at_the_pause_in_the_sound() -> None:
    parts = talk(MAN, 3, 1), silence(0.2), talk(WOMAN, 3, 2)
    sound = recorded(*parts)
    first, second = diarize(sound, Spans([(0.0, 6.2)]), ENCODER)
    assert (first.voice, first.start_s, second.voice, second.end_s) == (0, 0.0, 1, 6.2)
    assert first.end_s == second.start_s == pytest.approx(3.1, abs=0.12)


@pytest.mark.parametrize("length", [0.1, 0.3, 1.0])
def test_a_single_word_and_silence(length: float) -> None:
    parts = silence(0.5), talk(MAN, length, 1), silence(0.5)
    assert voices(*parts) == [(0, 0.5, 0.5 + length)]
    assert diarize(recorded(silence(2)), Spans([]), ENCODER) == ()
    assert [voice for voice, _, _ in voices(silence(0.2), np.full(RATE, 1e-9))] == [0]  # speech was claimed where nothing sounds


def test_speech_that_is_said_to_go_past_the_end() -> None:
    sound = recorded(talk(MAN, 2, 1))
    assert diarize(sound, Spans([(0.0, 2.5)]), ENCODER) == (VoiceSpan(voice=0, start_s=0.0, end_s=2.0, confidence=0.9),)


def test_the_same_sound_gives_the_same_voices() -> None:
    parts = talk(MAN, 4, 1), GAP, talk(WOMAN, 3, 2), GAP, talk(MAN, 2, 3)
    sound = recorded(*parts)
    assert diarize(sound, spoken(parts), VoiceEncoder()) == diarize(sound, spoken(parts), VoiceEncoder())


def test_long_recordings_are_heard_in_pieces_with_the_same_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = talk(MAN, 4, 1), GAP, talk(WOMAN, 3, 2), GAP, talk(MAN, 5, 3), GAP, talk(WOMAN, 2, 4)
    whole = diarize(recorded(*parts), spoken(parts), ENCODER)
    monkeypatch.setattr(phrases, "_CHUNK_S", 6.0)
    pieces = diarize(recorded(*parts), spoken(parts), ENCODER)
    assert [replace(span, confidence=0.0) for span in pieces] == [replace(span, confidence=0.0) for span in whole]


def test_of_very_many_phrases_some_are_compared_and_the_others_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "MOST_WINDOWS", 14)
    parts = [part for number in range(14) for part in (talk(WOMAN if number % 2 else MAN, 1.5, number), GAP)]
    assert [voice for voice, _, _ in voices(*parts)] == [0, 1] * 7


@pytest.mark.slow
def test_the_sample_calls_on_one_channel() -> None:
    """Of the speech of our own one-channel sample calls at least 95 % gets the right voice."""
    from qa_pipeline.asr.vad import voiced
    from qa_pipeline.intake.decode import decode

    right = total = 0.0
    calls = [json.loads(line) for line in (SAMPLES / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    for call in calls:
        (path,) = SAMPLES.glob(f"{call['call_id']}.*")
        decoded = decode(path)
        if decoded.recording.channels != 1:
            continue
        found = diarize(decoded.samples[0], Spans((span.start_s, span.end_s) for span in voiced(decoded.samples[0])), ENCODER)
        shares = {(role, voice): 0.0 for role in ("agent", "customer") for voice in (0, 1, 2)}
        for turn in call["turns"]:
            for span in found:
                both = min(turn["end_s"], span.end_s) - max(turn["start_s"], span.start_s)
                shares[turn["role"], span.voice] += max(0.0, both)
        right += max(shares["agent", 0] + shares["customer", 1], shares["agent", 1] + shares["customer", 0])
        total += sum(shares.values())
    assert total > 100
    assert right / total >= 0.95
