import numpy as np
import pytest
from sounds import Samples, chords, silence, voice

from qa_pipeline.intake.fitness import NativeStats, fitness
from qa_pipeline.intake.levels import blocks, levels_db
from qa_pipeline.model import Fitness, FitnessFact

RATE = 16000


def facts(*channels: Samples) -> list[tuple[Fitness, int | None]]:
    stats = NativeStats(len(channels))
    block = np.stack(channels)
    for start in range(0, block.shape[1], 40_000):
        stats.add(block[:, start : start + 40_000])
    return [(fact.kind, fact.channel) for fact in fitness(block, stats)]


def turns(seed: int, first: bool) -> Samples:
    """Twenty seconds in which this side talks in its own halves of every ten seconds."""
    sound = voice(20, seed, RATE)
    talking = (np.arange(len(sound)) // (5 * RATE)) % 2 == (0 if first else 1)
    return np.where(talking, sound, 0).astype(np.int16)


def leaked(own: Samples, other: Samples, gain: float, delay: int = 0) -> Samples:
    return (own + gain * np.roll(other, delay)).astype(np.int16)


def test_sound_recordings_have_no_facts() -> None:
    assert facts(turns(1, True), turns(2, False)) == []
    assert facts(voice(20, 3, RATE)) == []


@pytest.mark.parametrize(("gain", "delay"), [(0.1, 0), (0.3, 0), (0.1, 320), (0.05, 640)])
def test_crosstalk_is_found_on_the_channel_that_suffers_it(gain: float, delay: int) -> None:
    agent, customer = turns(1, True), turns(2, False)
    assert facts(agent, leaked(customer, agent, gain, delay)) == [(Fitness.CROSSTALK, 1)]
    assert facts(leaked(agent, customer, gain, delay), customer) == [(Fitness.CROSSTALK, 0)]


def test_crosstalk_in_a_recording_that_ends_within_a_second() -> None:
    agent, customer = turns(1, True), turns(2, False)
    cut = 14 * RATE + 15_999  # 150 levels, the last of a hop that is not full
    assert facts(agent[:cut], leaked(customer, agent, 0.1)[:cut]) == [(Fitness.CROSSTALK, 1)]


def test_line_noise_and_inaudible_leaks_are_not_crosstalk() -> None:
    noise = np.random.default_rng(1).normal(0, 200, 20 * RATE)
    agent, customer = turns(1, True), turns(2, False)
    assert facts(agent, (customer + noise).astype(np.int16)) == []
    assert facts(agent, leaked(customer, agent, 0.01)) == []


def test_crosstalk_says_how_loud_it_is() -> None:
    agent, customer = turns(1, True), turns(2, False)
    (fact,) = fitness(np.stack([agent, leaked(customer, agent, 0.1)]))
    assert abs(fact.value + 20) < 1
    assert fact.message.startswith("声道 1 里能听到声道 0 的人（低 20 dB")


def test_clipping_at_full_scale_and_below_it() -> None:
    loud = voice(10, 1, RATE, level=0.9).astype(float)
    assert facts(np.clip(loud * 3, -32768, 32767).astype(np.int16)) == [(Fitness.CLIPPING, None)]
    assert facts(np.clip(loud, -9000, 9000).astype(np.int16)) == [(Fitness.CLIPPING, None)]  # clipped, then turned down
    assert facts(turns(1, True), np.clip(loud.repeat(2) * 3, -20000, 20000).astype(np.int16)) == [(Fitness.CLIPPING, 1)]
    assert facts(loud.astype(np.int16)) == []


def test_near_silence_of_a_channel_and_of_all() -> None:
    hiss = np.random.default_rng(2).normal(0, 20, 20 * RATE).astype(np.int16)
    assert facts(turns(1, True), hiss) == [(Fitness.NEAR_SILENCE, 1)]
    assert facts(hiss) == [(Fitness.NEAR_SILENCE, None)]
    one_word = hiss.copy()
    one_word[5 * RATE : 6 * RATE] = voice(1, 3, RATE)
    assert facts(one_word) == []  # one short answer in a long call is speech


def test_music_is_measured_on_its_channel_and_a_short_hold_is_not_the_call() -> None:
    music = chords(20, RATE)
    assert facts(music) == [(Fitness.MUSIC, None)]
    assert facts(turns(1, True), music) == [(Fitness.MUSIC, 1)]
    assert facts(np.concatenate([voice(20, 1, RATE), music[: 9 * RATE]])) == []


def test_ring_back_tone_is_not_speech() -> None:
    at = np.arange(40 * RATE) / RATE
    ring = np.where(at % 5 < 1, 6000 * np.sin(2 * np.pi * 450 * at), 0).astype(np.int16)
    assert facts(ring) == [(Fitness.MUSIC, None)]


def test_too_short() -> None:
    assert fitness(voice(1, 1, RATE)[None]) == (FitnessFact(kind=Fitness.TOO_SHORT, value=1.0, message="录音只有 1.0 秒"),)


def test_levels_on_the_grid_with_a_part_of_a_hop_at_the_end() -> None:
    samples = np.zeros((2, int(0.25 * RATE)), np.int16)
    samples[0, :1600] = 32767
    samples[0, 3200:] = 16384
    levels = levels_db(samples)
    assert levels.shape == (2, 3)
    assert np.allclose(levels[0], [0.0, -100.0, -6.02], atol=0.01)
    assert np.allclose(levels[1], -100.0)
    assert levels_db(np.zeros((1, 0), np.int16)).shape == (1, 0)


def test_blocks_cover_everything_once() -> None:
    samples = np.arange(50_000, dtype=np.int16)[None]
    pieces = list(blocks(samples, 1.0))
    assert [start for start, _ in pieces] == [0, 16000, 32000, 48000]
    assert np.array_equal(np.concatenate([piece[0] for _, piece in pieces]) * 32768, samples[0])


def test_empty_statistics() -> None:
    stats = NativeStats(2)
    stats.add(np.zeros((2, 0), np.int16))
    assert (stats.correlation, stats.clipped_share(0)) == (0.0, 0.0)
    assert silence(0).shape == (0,)
