"""Made-up people for tests: a buzz through three resonances, switched on and off in syllables."""

from typing import Any

import numpy as np

RATE = 16_000
Sound = np.ndarray[Any, np.dtype[np.float64]]
MAN = (105.0, (600.0, 1100.0, 2400.0))
WOMAN = (230.0, (850.0, 1900.0, 3300.0))
CHILD = (330.0, (450.0, 2800.0, 3900.0))


def talk(person: tuple[float, tuple[float, ...]], seconds: float, seed: int) -> Sound:
    """Speech-like sound of one person: pitch and resonances wander about the person's own."""
    pitch, resonances = person
    noise = np.random.default_rng(seed)
    at = np.arange(int(seconds * RATE)) / RATE
    steps = np.arange(0, seconds + 0.3, 0.15)

    def wander(width: float) -> Sound:
        return np.interp(at, steps, noise.uniform(1 - width, 1 + width, len(steps)))

    hertz = pitch * wander(0.12)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    shifts = [wander(0.15) for _ in resonances]
    sound = np.zeros(len(at))
    for harmonic in range(1, int(5000 / pitch)):
        gain = sum(1 / (1 + ((harmonic * hertz - peak * shift) / 120) ** 2) for peak, shift in zip(resonances, shifts, strict=True))
        sound += gain * np.sin(harmonic * phase) / harmonic**0.5
    gate = np.interp(at, steps, noise.uniform(0.4, 1.0, len(steps)))
    sound *= gate
    return sound / np.abs(sound).max() * 0.3


def silence(seconds: float) -> Sound:
    return np.zeros(int(seconds * RATE))


def recorded(*parts: Sound) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Joined, with a little line noise."""
    sound = np.concatenate(parts)
    return np.asarray((sound + np.random.default_rng(99).normal(0, 0.0005, len(sound))) * 32767, np.int16)
