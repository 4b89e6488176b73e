"""Reads the program's network back from its seven-bit file, so that a training can go on from it.

python -m tools.meaning.readback acts.pt      # needs torch and onnx
python -m tools.meaning.train --base … --go-on acts.pt
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from tools.meaning.export import OUT

_OF_A_LAYER = ("qkv", "out", "up", "down")  # in the order of the file


def saved(path: Path = OUT) -> dict[str, Any]:
    """What ``train.py`` would have saved of it."""
    model = onnx.load(path)
    about = {entry.key: entry.value for entry in model.metadata_props}
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    state = {name: value for name, value in held.items() if not name.endswith(("_scale", "_zero_point", "_quantized"))}
    matrices = []
    for name in held:
        if name.endswith("_quantized"):
            source = name.removesuffix("_quantized")
            value = (held[name].astype(np.float32) - held[source + "_zero_point"]) * held[source + "_scale"]
            if source.endswith(".weight"):
                state[source] = value
            else:
                matrices.append(value.T)
    layers = len(matrices) // len(_OF_A_LAYER)
    names = [f"layers.{layer}.{part}.weight" for layer in range(layers) for part in _OF_A_LAYER]
    state |= dict(zip([*names, "acts.weight"], matrices, strict=True))
    return {
        "chars": about["chars"],
        "sounds": [int(number) for number in about["sounds"].split(",")],
        "names": about["acts"].split("\n"),
        "layers": layers,
        "state": {name: torch.from_numpy(np.array(value, dtype=np.float32)) for name, value in state.items()},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    torch.save(saved(), parser.parse_args().out)
