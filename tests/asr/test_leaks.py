"""Only where crosstalk was measured, and only where the other channel is much louder at about the same time, is speech a leak."""

from __future__ import annotations

import numpy as np

from qa_pipeline.asr.leaks import without_leaks
from qa_pipeline.asr.vad import FRAME
from qa_pipeline.model import Fitness, FitnessFact, Recording

VOICE = np.random.default_rng(1).normal(0, 3000, 10 * FRAME)


def recording(*victims: int) -> Recording:
    facts = tuple(FitnessFact(kind=Fitness.CROSSTALK, channel=victim, value=-26.0, message="") for victim in victims)
    return Recording(path="a", audio_hash="", duration_s=1.0, sample_rate=8000, channels=2, codec="pcm", fitness=facts)


def call(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Ten frames of each, one after the other; each channel hears the other 26 dB lower."""
    own = np.stack([np.concatenate([first, np.zeros_like(first)]), np.concatenate([np.zeros_like(second), second])])
    return np.rint(own + own[::-1] * 0.05).astype(np.int16)


def speaking(samples: np.ndarray, *victims: int) -> list[list[int]]:
    """Frames that are left as speech of each channel when everything looked like speech."""
    everything = [np.ones(samples.shape[1] // FRAME, np.float32) for _ in samples]
    return [np.flatnonzero(one).tolist() for one in without_leaks(everything, samples, recording(*victims), 12.0)]


def test_what_is_heard_through_is_not_this_channels_speech() -> None:
    own, other = speaking(call(VOICE, VOICE), 0, 1)
    assert (own, other) == (list(range(10)), list(range(10, 20)))


def test_without_a_measured_leak_and_on_the_channel_that_has_none_nothing_changes() -> None:
    everything = list(range(20))
    assert speaking(call(VOICE, VOICE)) == [everything, everything]
    assert speaking(call(VOICE, VOICE), 1)[0] == everything


def test_both_at_once_is_speech_of_both() -> None:
    both = np.rint(np.stack([VOICE, VOICE * 0.5])).astype(np.int16)
    assert speaking(both, 0, 1) == [list(range(10)), list(range(10))]
