"""Reads what turns do: the bundled network on onnxruntime, one turn at a time.

The network is trained from ``tools/meaning`` (see ``data/README.md``). Every turn is read by itself, never in a batch, so that a
score does not depend on what else is read; and read once, whoever asks.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property, lru_cache
from importlib.resources import files
from math import exp
from typing import Any

from qa_pipeline.acts.encoding import Alphabet, Said, pieces
from qa_pipeline.acts.names import ACTS
from qa_pipeline.errors import ModelError
from qa_pipeline.model import Act

ACTS_SHA256 = "da70a00e6a6f881f6eaee71c405df544d54ee47acbd5c5d21c49ea514c87c346"
LEAST = 0.02  # what is less sure is nothing
REMEMBERED = 8192  # readings of turns that are kept in memory; about 0.5 kB each


Reading = tuple[Act, ...]


class ActReader:
    """The network, loaded when it is first asked; build once per process and pass down."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Said, tuple[Said, ...]], Reading] = OrderedDict()

    @cached_property
    def _network(self) -> _Network:
        return _load()

    def read(self, said: Said, before: Sequence[Said]) -> Reading:
        """What a turn does of what its side can do, by the order of the names. ``before``: the two turns before it, last one last."""
        key = (said, tuple(before))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._network.read(said, before)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return known


class _Network:
    def __init__(self, content: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        about = self._session.get_modelmeta().custom_metadata_map
        self._alphabet = Alphabet.kept(about["chars"], [int(number) for number in about["sounds"].split(",")])
        self._acts = tuple(about["acts"].split("\n"))

    def read(self, said: Said, before: Sequence[Said]) -> Reading:
        import numpy as np

        found: dict[str, Act] = {}
        for start, piece, earlier in pieces(said, before):
            code = self._alphabet.encode(piece, earlier)
            given = {"ids": code.ids, "sounds": code.sounds, "places": code.places}
            (scores,) = self._session.run(None, {name: np.asarray([row], np.int64) for name, row in given.items()})
            own = scores[0, code.first :]
            where = own.argmax(0)
            for nth, name in enumerate(self._acts):
                at = int(where[nth])
                sure = round(1 / (1 + exp(-float(own[at, nth]))), 2)
                if sure >= LEAST and ACTS[name].agents is said.agent and (name not in found or sure > found[name].sure):
                    found[name] = Act(name, sure, start + at)
        return tuple(found[name] for name in self._acts if name in found)


@lru_cache(maxsize=1)
def _load() -> _Network:
    content = files("qa_pipeline.acts").joinpath("data/acts.onnx").read_bytes()
    if hashlib.sha256(content).hexdigest() != ACTS_SHA256:
        raise ModelError("按意思判断的模型文件已损坏（校验和不符）；请重新安装 qa-pipeline")
    return _Network(content)
