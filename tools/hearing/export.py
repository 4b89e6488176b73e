"""Writes what was learned as float16 beside the program, and pins its hash.

    python -m tools.hearing.export hearing.pt [--share 0.8]

``--share``: how much of it is kept; less than 1 stays nearer to the model as it was (Wortsman et al., Robust fine-tuning of
zero-shot models, 2022).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import re
from pathlib import Path

import numpy as np
import torch

from qa_pipeline.asr import learned
from qa_pipeline.asr.models import resolve
from tools.hearing.network import Network, variables

OUT = Path(learned.__file__).parent / "data" / "calls.npz"


def export(saved: Path, share: float, out: Path) -> str:
    """Gives the SHA-256 of the file written."""
    state = torch.load(saved)
    rank = next(value.shape[1] for name, value in state.items() if name.startswith("up."))
    network = Network(variables(resolve("").path / "model.bin"), rank)
    network.load_state_dict(state)
    arrays = {}
    for name, (up, down) in network.additions().items():
        arrays[f"{name}:up"] = (share * up).detach().numpy().astype(np.float16)
        arrays[f"{name}:down"] = down.detach().numpy().astype(np.float16)
    file = io.BytesIO()
    np.savez(file, **arrays)
    out.parent.mkdir(exist_ok=True)
    out.write_bytes(file.getvalue())
    return hashlib.sha256(file.getvalue()).hexdigest()


def pin(digest: str) -> None:
    code = Path(learned.__file__)
    code.write_text(re.sub(r'^LEARNED_SHA256 = ".*"', f'LEARNED_SHA256 = "{digest}"', code.read_text("utf-8"), flags=re.M), "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("saved", type=Path)
    parser.add_argument("--share", type=float, default=1.0)
    options = parser.parse_args()
    pin(export(options.saved, options.share, OUT))
