"""The search: greedy first, wide where in doubt; even batches; windows made alike by repeating their closing silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from qa_pipeline.asr.clock import Clock
from qa_pipeline.asr.whisper import Decoding, Heard, Whisper, _lengthened


class Searches(Whisper):
    """Without a model: a window's one number is how likely its greedy reading is; notes every search."""

    def __init__(self, batch: int) -> None:
        self.clock = Clock()
        self._batch = batch
        self.searched: list[tuple[int, list[float]]] = []

    def _generate(self, encoded: Sequence[Any], how: Decoding, beam: int) -> list[list[Heard]]:
        likely = [float(one[0, 0, 0]) for one in encoded]
        self.searched.append((beam, likely))
        return [[Heard(text="", avg_logprob=one, no_speech=float(beam), cut_short=one == 0.0)] for one in likely]


def search(batch: int, how: Decoding, likely: Sequence[float]) -> tuple[list[float], list[tuple[int, list[float]]]]:
    whisper = Searches(batch)
    encoded = [np.full((1, 40, 2), one, np.float32) for one in likely]
    found = whisper.decode(encoded, [0] * len(encoded), 40 * 320, how)
    return [readings[0].no_speech for readings in found], whisper.searched


def test_only_doubtful_windows_and_loops_are_searched_again_with_the_beam() -> None:
    beams, searched = search(8, Decoding(beam=5, beam_below=-0.5), [-0.25, -0.75, 0.0, -0.5])
    assert beams == [1.0, 5.0, 5.0, 1.0]
    assert searched == [(1, [-0.25, -0.75, 0.0, -0.5]), (5, [-0.75, 0.0])]


def test_without_a_bound_the_beam_searches_at_once_and_a_beam_of_one_never_again() -> None:
    assert search(8, Decoding(beam=5), [-0.75])[1] == [(5, [-0.75])]
    assert search(8, Decoding(beam=1, beam_below=-0.5), [-0.75])[1] == [(1, [-0.75])]


@pytest.mark.parametrize(("windows", "sizes"), [(0, []), (1, [1]), (6, [6]), (7, [3, 4]), (13, [4, 4, 5])])
def test_batches_are_as_even_as_can_be(windows: int, sizes: list[int]) -> None:
    assert [len(likely) for _, likely in search(6, Decoding(), [-0.25] * windows)[1]] == sizes


def test_a_window_is_lengthened_with_the_silence_at_its_end() -> None:
    encoded = np.arange(50, dtype=np.float32).reshape(1, 50, 1)
    assert _lengthened(encoded, 50) is encoded
    assert _lengthened(encoded, 95)[0, :, 0].tolist() == [*range(50), *range(30, 50), *range(30, 50), *range(30, 35)]
