"""A longer day to measure with: each recording several times, a decibel quieter every time, so that none is known from another.

    python -m benchmarks.longer recordings_sample benchmarks/labelled/test_audio --times 4 --out FOLDER && qa bench FOLDER --minutes 0

Two-channel recordings only, as 16-bit WAV at 8 kHz, with their rows of the manifests (but without customers: they are the same people).
Only for speed: what was heard once is heard almost alike again.
"""

from __future__ import annotations

import argparse
import csv
import wave
from pathlib import Path

import numpy as np

from qa_pipeline.intake.decode import decode

RATE = 8000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--times", type=int, default=4)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, str]] = []
    for folder in options.folders:
        for row in csv.DictReader((folder / "manifest.csv").open(encoding="utf-8-sig")):
            samples = decode(folder / row["file"]).samples
            for number in range(options.times if samples.shape[0] == 2 else 0):
                name = f"{number:02}_{row['call_id']}"
                rows.append(row | {"call_id": name, "file": f"{name}.wav", "customer_number": ""})
                # 16 kHz is what recognisers want, 8 kHz what exchanges write
                _write(options.out / f"{name}.wav", samples[:, ::2] * 10 ** (-number / 20))
    with (options.out / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)), restval="")
        writer.writeheader()
        writer.writerows(rows)


def _write(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(samples.shape[0])
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.T.round().astype("<i2").tobytes())


if __name__ == "__main__":
    main()
