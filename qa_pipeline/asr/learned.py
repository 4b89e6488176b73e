"""What the built-in model has learned about calls: low-rank additions to its weights (``data/README.md`` says how it came about).

A weight ``W`` becomes ``W + up @ down``. The file holds ``up`` and ``down`` of every weight in float16.
"""

from __future__ import annotations

import hashlib
import io
from importlib.resources import files
from typing import TYPE_CHECKING

from qa_pipeline.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEARNED_SHA256 = "1421dbd2ec3ebbfc4b09c43f29c0052b3ae38ff37ef42ba158f06a1208588c98"
NONE = "none"


def learned() -> dict[str, NDArray[np.float32]]:
    """What is added to each variable, by its name in the model's file. Raises ModelError when the file is not the one released."""
    import numpy as np

    content = files(__package__).joinpath("data/calls.npz").read_bytes()
    if hashlib.sha256(content).hexdigest() != LEARNED_SHA256:
        raise ModelError("自带的语音模型的通话适配文件 calls.npz 和发布时不一样，不能使用。请重新安装本程序。")
    parts = np.load(io.BytesIO(content))
    names = [name.removesuffix(":up") for name in parts.files if name.endswith(":up")]
    return {name: parts[f"{name}:up"].astype(np.float32) @ parts[f"{name}:down"].astype(np.float32) for name in names}
