"""Speech that is only the other channel's, heard through: it must not be written down as said by this channel's speaker.

A measured fact of the recording (``Fitness.CROSSTALK``) names the channel that others are heard in; there, frames that are much
louder on the other channel at about the same time are nobody's speech.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa_pipeline.asr.vad import FRAME
from qa_pipeline.model import Fitness, Recording

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NEAR = 2  # frames of 32 ms: a leak may come a little later than what it is a leak of
_SLICE = 8192  # frames at a time: a long recording is never one array of floats


def without_leaks(
    probabilities: list[NDArray[np.float32]], samples: NDArray[np.int16], recording: Recording, least_db: float
) -> list[NDArray[np.float32]]:
    """Speech probabilities of both channels, zero where the other channel is at least ``least_db`` louder and leaks."""
    import numpy as np

    leaking = {fact.channel for fact in recording.fitness if fact.kind is Fitness.CROSSTALK and fact.channel is not None}
    if len(probabilities) != 2 or not leaking:
        return probabilities
    levels = [_levels(channel) for channel in samples]
    result = list(probabilities)
    for victim in sorted(leaking):
        around = np.pad(levels[1 - victim], _NEAR, mode="edge")
        louder = np.max([around[shift : shift + len(levels[victim])] for shift in range(2 * _NEAR + 1)], axis=0) - levels[victim]
        result[victim] = np.where(louder >= least_db, np.float32(0), probabilities[victim])
    return result


def _levels(channel: NDArray[np.int16]) -> NDArray[np.float32]:
    """Level of every frame in dB of whatever reference; the last frame is padded with silence."""
    import numpy as np

    parts = []
    for first in range(0, len(channel), _SLICE * FRAME):
        part = channel[first : first + _SLICE * FRAME].astype(np.float32)
        rows = np.pad(part, (0, -len(part) % FRAME)).reshape(-1, FRAME)
        parts.append(10 * np.log10((rows * rows).mean(axis=1) + 1))
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
