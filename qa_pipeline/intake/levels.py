"""Sound levels on a regular grid, in bounded memory however long the recording is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

RATE = 16_000  # hertz: what the whole pipeline works with
HOP_S = 0.1
FLOOR_DB = -100.0  # digital silence
_BLOCK_S = 60


def blocks(samples: NDArray[np.int16], seconds: float = _BLOCK_S) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Pieces ``(first sample, [channels, n] in -1..1)``; only one of them is in memory at a time."""
    import numpy as np

    size = int(seconds * RATE)
    for start in range(0, samples.shape[1], size):
        yield start, samples[:, start : start + size].astype(np.float32) / np.float32(32768)


def levels_db(samples: NDArray[np.int16], hop_s: float = HOP_S) -> NDArray[np.float32]:
    """RMS level in dBFS (full-scale square wave = 0) per channel and hop: ``[channels, ceil(n / hop)]``."""
    import numpy as np

    hop = int(hop_s * RATE)
    parts: list[NDArray[np.float32]] = []
    for _, block in blocks(samples):
        rest = -block.shape[1] % hop
        count = np.full((block.shape[1] + rest) // hop, hop, np.float32)
        if rest:
            count[-1] -= rest
            block = np.pad(block, ((0, 0), (0, rest)))
        power = np.square(block).reshape(block.shape[0], -1, hop).sum(axis=2) / count
        parts.append(10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10))))
    if not parts:
        return np.zeros((samples.shape[0], 0), np.float32)
    return np.concatenate(parts, axis=1).astype(np.float32)
