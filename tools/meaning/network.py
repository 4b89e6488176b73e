"""The network of the acts: a few encoder layers over characters and their syllables, one score a token and act, the highest counts.

A text is one turn with what was said before it. ``ids`` [B, T] characters, ``sounds`` [B, T] syllable classes, ``places`` [B, T]
0 padding, 1 said before by the agent, 2 before by the customer, 3 the turn itself (agent), 4 the turn itself (customer).

As it is used, it scores the same on every processor. The products of its layers are of integers by then (``export.py``), exact in any
order. Sums of floats are not: every kernel adds in its own order, and what rounds one way or the other moves a whole turn at the next
quantisation. So the norms and the attention are done in double precision and rounded to single, after which the order of adding shows
in one value of some hundred millions. Functions that every kernel approximates in its own way are double as well, or made of products,
sums and a quotient, which IEEE 754 rounds alike everywhere.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from tools.meaning.base import Base

HEADS = 12
_ERFC = (0.0705230784, 0.0422820123, 0.0092705272, 0.0001520143, 0.0002765672, 0.0000430638)  # Abramowitz and Stegun 1964, 7.1.28


def gelu(x: Tensor) -> Tensor:
    """max(x, 0) - |x| / 2 erfc(|x| / sqrt 2), of which erfc is 1 / (1 + a1 z + ... + a6 z^6)^16 with an error of at most 3e-7."""
    size = x.abs()
    power = torch.zeros(())
    for place in range(len(_ERFC), 0, -1):
        power = (power + _ERFC[place - 1] / math.sqrt(2) ** place) * size
    power = power + 1
    for _ in range(4):
        power = power * power
    return x.relu() - 0.5 * size / power


class Norm(nn.LayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        x = _wide(self, x)
        x = x - x.mean(-1, keepdim=True)
        x = x / ((x * x).mean(-1, keepdim=True) + self.eps).sqrt()
        return x.float() * self.weight + self.bias


def _wide(module: nn.Module, x: Tensor) -> Tensor:
    """In double precision, but for a training, which need not be the same anywhere and would take longer."""
    return x if module.training else x.double()


class Layer(nn.Module):
    def __init__(self, hidden: int, wide: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.out = nn.Linear(hidden, hidden)
        self.norm1 = Norm(hidden, eps=1e-12)
        self.up = nn.Linear(hidden, wide)
        self.down = nn.Linear(wide, hidden)
        self.norm2 = Norm(hidden, eps=1e-12)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        batch, length, hidden = x.shape
        size = hidden // HEADS
        q, k, v = _wide(self, self.qkv(x)).view(batch, length, 3, HEADS, size).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-1, -2) / math.sqrt(size) + bias
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, hidden).float()
        x = self.norm1(x + self.drop(self.out(mixed)))
        return self.norm2(x + self.drop(self.down(gelu(self.up(x)))))


class Network(nn.Module):
    def __init__(
        self, chars: int, sounds: int, acts: int, layers: int, hidden: int = 384, wide: int = 1536, length: int = 256
    ) -> None:
        super().__init__()
        self.chars = nn.Embedding(chars, hidden, padding_idx=0)
        self.sounds = nn.Embedding(sounds, hidden, padding_idx=0)
        self.places = nn.Embedding(5, hidden)
        self.positions = nn.Embedding(length, hidden)
        self.norm = Norm(hidden, eps=1e-12)
        self.drop = nn.Dropout(0.1)
        self.layers = nn.ModuleList(Layer(hidden, wide) for _ in range(layers))
        self.acts = nn.Linear(hidden, acts)
        nn.init.constant_(self.acts.bias, -4.0)

    def forward(self, ids: Tensor, sounds: Tensor, places: Tensor) -> Tensor:
        """Scores [B, T, acts] before the sigmoid; tokens that are not of the turn itself get -30."""
        x = self.chars(ids) + self.sounds(sounds) + self.places(places) + self.positions.weight[: ids.shape[1]]
        x = self.drop(self.norm(x))
        bias = (places == 0).float()[:, None, None, :] * -1e4
        for layer in self.layers:
            x = layer(x, bias)
        return self.acts(x) - 30.0 * (places < 3).float()[:, :, None]

    @torch.no_grad()
    def start_from(self, base: Base, chars: list[str], layer_numbers: list[int]) -> None:
        """``chars``: of the ids from 2 on (0 padding, 1 unknown)."""
        put = lambda to, value: to.copy_(torch.from_numpy(np.ascontiguousarray(value)))  # noqa: E731
        put(self.chars.weight[1], base.unknown)
        for number, char in enumerate(chars, start=2):
            if char in base.chars:
                put(self.chars.weight[number], base.chars[char])
        self.sounds.weight.zero_()
        t = base.tensors
        put(self.places.weight, np.repeat(t["emb.type"][:1], 5, axis=0))
        put(self.positions.weight, t["emb.pos"][: self.positions.weight.shape[0]])
        put(self.norm.weight, t["emb.ln.w"])
        put(self.norm.bias, t["emb.ln.b"])
        for layer, number in zip(self.layers, layer_numbers, strict=True):
            name = f"l{number}."
            put(layer.qkv.weight, np.concatenate([t[name + part + ".w"] for part in "qkv"]))
            put(layer.qkv.bias, np.concatenate([t[name + part + ".b"] for part in "qkv"]))
            for module, part in (
                (layer.out, "ao"),
                (layer.norm1, "aln"),
                (layer.up, "fi"),
                (layer.down, "fo"),
                (layer.norm2, "oln"),
            ):
                put(module.weight, t[name + part + ".w"])
                put(module.bias, t[name + part + ".b"])
