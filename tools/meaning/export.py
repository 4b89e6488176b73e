"""Writes the trained network as ONNX with 7-bit weights, the alphabet and the acts in the metadata.

    python -m tools.meaning.export acts.pt        # needs torch, onnx and onnxruntime

Weights of seven bits (``reduce_range``) never overflow the 16-bit sums of older processors. With that, and what lies between the products
done as ``network.py`` tells, every processor gives the same scores.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import tempfile
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from qa_pipeline.acts import reader
from qa_pipeline.acts.encoding import Alphabet
from tools.meaning.network import Network

OUT = Path(reader.__file__).parent / "data/acts.onnx"


def export(saved: dict, out: Path) -> str:
    """Gives the SHA-256 of the file written."""
    alphabet = Alphabet.kept(saved["chars"], saved["sounds"])
    network = Network(len(saved["chars"]) + 2, alphabet.sound_count, len(saved["names"]), saved["layers"])
    network.load_state_dict(saved["state"])
    network.eval()
    names = ["ids", "sounds", "places"]
    example = tuple(torch.full((2, 9), value) for value in (5, 3, 3))
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        torch.onnx.export(network, example, str(plain), input_names=names, output_names=["scores"], opset_version=17, dynamo=False,
                          dynamic_axes={name: {0: "turns", 1: "length"} for name in (*names, "scores")})  # fmt: skip
        quantize_dynamic(plain, out, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True,
                         op_types_to_quantize=["MatMul", "Gemm", "Gather"])  # fmt: skip
    model = onnx.load(out)
    sounds = ",".join(map(str, saved["sounds"]))
    for key, value in (("chars", saved["chars"]), ("sounds", sounds), ("acts", "\n".join(saved["names"]))):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    out.write_bytes(model.SerializeToString())
    return hashlib.sha256(out.read_bytes()).hexdigest()


def pin(digest: str) -> None:
    """The program takes no other file than this one."""
    code = Path(reader.__file__)
    code.write_text(re.sub(r'^ACTS_SHA256 = ".*"', f'ACTS_SHA256 = "{digest}"', code.read_text("utf-8"), flags=re.M), "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("saved", type=Path)
    options = parser.parse_args()
    OUT.parent.mkdir(parents=True, exist_ok=True)
    pin(export(torch.load(options.saved, weights_only=True), OUT))
    print(OUT.name, OUT.stat().st_size)
