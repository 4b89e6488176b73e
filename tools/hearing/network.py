"""Whisper in torch, with the names and shapes of CTranslate2's file, and what is learned on top of it: low-rank additions.

A weight ``W`` of the file acts as ``W + up @ down``; only ``up`` (outputs x rank) and ``down`` (rank x inputs) are trained. Source
of the layout: Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision (2022); Hu et al., LoRA (2021).
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, embedding, gelu, layer_norm, linear, scaled_dot_product_attention

from qa_pipeline.asr import vocabulary

LAYERS = 6
HEADS = 8


def variables(path: Path) -> dict[str, Tensor]:
    """The float16 variables of a model file, as float32."""
    data = path.read_bytes()
    return {
        one.name: torch.from_numpy(np.frombuffer(data[one.start : one.end], "<f2").astype(np.float32).reshape(one.sizes))
        for one in vocabulary.variables(data)
        if one.kind == vocabulary.HALF
    }


class Network(nn.Module):
    """Mel spectrograms ``[batch, 80, frames]`` and tokens ``[batch, length]`` → logits ``[batch, length, tokens]``."""

    def __init__(self, weights: dict[str, Tensor], rank: int) -> None:
        super().__init__()
        self.weights = weights
        self.up, self.down = nn.ParameterDict(), nn.ParameterDict()
        for name, weight in weights.items():
            if "/linear_" in name and name.endswith("weight"):
                outputs, inputs = weight.shape
                self.up[_key(name)] = nn.Parameter(torch.zeros(outputs, rank))
                self.down[_key(name)] = nn.Parameter(torch.randn(rank, inputs) / math.sqrt(inputs))

    def additions(self) -> dict[str, tuple[Tensor, Tensor]]:
        return {name: (self.up[_key(name)], self.down[_key(name)]) for name in self.weights if _key(name) in self.up}

    def encode(self, mel: Tensor) -> Tensor:
        w = self.weights
        x = gelu(conv1d(mel, w["encoder/conv1/weight"], w["encoder/conv1/bias"], padding=1))
        x = gelu(conv1d(x, w["encoder/conv2/weight"], w["encoder/conv2/bias"], stride=2, padding=1)).transpose(1, 2)
        x = x + w["encoder/position_encodings/encodings"][: x.shape[1]]
        for nth in range(LAYERS):
            at = f"encoder/layer_{nth}"
            x = x + self._itself(f"{at}/self_attention", x, causal=False)
            x = x + self._forward(f"{at}/ffn", x)
        return self._norm("encoder/layer_norm", x)

    def forward(self, mel: Tensor, tokens: Tensor) -> Tensor:
        heard = self.encode(mel)
        words = self.weights["decoder/embeddings/weight"]
        x = embedding(tokens, words) + self.weights["decoder/position_encodings/encodings"][: tokens.shape[1]]
        for nth in range(LAYERS):
            at = f"decoder/layer_{nth}"
            x = x + self._itself(f"{at}/self_attention", x, causal=True)
            x = x + self._across(f"{at}/attention", x, heard)
            x = x + self._forward(f"{at}/ffn", x)
        return linear(self._norm("decoder/layer_norm", x), words)

    def _linear(self, name: str, x: Tensor) -> Tensor:
        y = linear(x, self.weights[f"{name}/weight"], self.weights[f"{name}/bias"])
        key = _key(f"{name}/weight")
        return y + linear(linear(x, self.down[key]), self.up[key])

    def _norm(self, name: str, x: Tensor) -> Tensor:
        return layer_norm(x, x.shape[-1:], self.weights[f"{name}/gamma"], self.weights[f"{name}/beta"])

    def _forward(self, name: str, x: Tensor) -> Tensor:
        return self._linear(f"{name}/linear_1", gelu(self._linear(f"{name}/linear_0", self._norm(f"{name}/layer_norm", x))))

    def _itself(self, name: str, x: Tensor, *, causal: bool) -> Tensor:
        q, k, v = self._linear(f"{name}/linear_0", self._norm(f"{name}/layer_norm", x)).chunk(3, dim=-1)
        return self._linear(f"{name}/linear_1", _attended(q, k, v, causal=causal))

    def _across(self, name: str, x: Tensor, heard: Tensor) -> Tensor:
        q = self._linear(f"{name}/linear_0", self._norm(f"{name}/layer_norm", x))
        k, v = self._linear(f"{name}/linear_1", heard).chunk(2, dim=-1)
        return self._linear(f"{name}/linear_2", _attended(q, k, v, causal=False))


def _attended(q: Tensor, k: Tensor, v: Tensor, *, causal: bool) -> Tensor:
    parts = (x.unflatten(-1, (HEADS, -1)).transpose(1, 2) for x in (q, k, v))
    return scaled_dot_product_attention(*parts, is_causal=causal).transpose(1, 2).flatten(2)


def _key(name: str) -> str:
    return name.replace("/", "_")
