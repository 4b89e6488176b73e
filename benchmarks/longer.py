"""A longer day to measure with: each recording several times, a decibel quieter every time, so that none is known from another.

    python -m benchmarks.longer recordings_sample benchmarks/labelled/test_audio --times 4 --out FOLDER && qa bench FOLDER --minutes 0

Written as 16-bit WAV at 8 kHz, all channels. Only for speed: what was heard once is heard almost alike again.
"""

from __future__ import annotations

import argparse
import wave
from pathlib import Path

import numpy as np

from qa_pipeline.intake.decode import decode
from qa_pipeline.intake.folder import scan_folder

RATE = 8000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--times", type=int, default=4)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for folder in options.folders:
        for call in scan_folder(folder).calls:
            path = folder / (call.file or "")
            samples = decode(path).samples
            if samples.shape[0] == 2:  # 16 kHz is what recognisers want, 8 kHz what exchanges write
                for number in range(options.times):
                    _write(options.out / f"{number:02}_{path.stem}.wav", samples[:, ::2] * 10 ** (-number / 20))


def _write(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(samples.shape[0])
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.T.round().astype("<i2").tobytes())


if __name__ == "__main__":
    main()
