"""Whisper on CTranslate2: windows of samples in, text with word times out. Knows nothing of recordings and channels.

Measured (one thread, whisper-base int8): windows encoded one by one cost 14 ms a second of window, in batches of eight 25 ms,
because a batch does not fit the processor's cache. Decoding is the other way round: a step costs about 4 ms for the weights, whatever
the batch, and 1.3 ms a window (0.6 ms a beam more). So: encode singly, decode in full batches, for which windows are made equally
long, and use beams only where the greedy reading is in doubt. Greedy and beam decoding give bit-identical results, scores too, whatever
shares the batch; ``align`` does not, so it is asked one window at a time (which is also no slower).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_pipeline.asr.base import SAMPLE_RATE
from qa_pipeline.asr.clock import Clock
from qa_pipeline.asr.learned import NONE, learned
from qa_pipeline.asr.models import LocalModel, made_from
from qa_pipeline.asr.vocabulary import Numbers, can_be_trimmed, numbers_of, trim
from qa_pipeline.asr.widest import use_the_widest
from qa_pipeline.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa_pipeline.asr.options import HearingOptions

HOP = 160  # samples per mel frame
_FRAME = 2 * HOP  # samples per encoder frame: 20 ms
_SILENCE = 20  # encoder frames at the end of a window that are surely silence
_TOKENS_PER_S = 12  # nobody speaks faster: 8 characters a second of up to 1.5 tokens
_MAX_TOKENS = 220


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One unit of text (in Chinese a character): characters ``[start, end)`` of the text, samples of the window."""

    start: int
    end: int
    first: int
    last: int
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One reading of one window."""

    text: str
    words: tuple[Timed, ...] = ()  # only the best reading of a window has them
    avg_logprob: float
    no_speech: float  # 0..1
    cut_short: bool  # the length limit was reached: a loop
    tokens: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How to search. ``prompt`` comes before the window as if it had been said, ``hotwords`` before that.

    ``timestamps``: let the model write the times of sentences between them. The times are not used, but a model that must
    account for them skips far less: deletions in packed windows fall from 16 % to 7 % of characters (2026-11-21).
    ``beam_below``: search greedily first, and with the beam where the mean log probability of that reading is lower (None:
    with the beam at once). It depends on the window alone, so a reading does not depend on what shares its batch.
    ``timed``: the best reading gets the times of its words.
    """

    beam: int = 1
    readings: int = 1
    timestamps: bool = True
    beam_below: float | None = None
    prompt: str = ""
    hotwords: str = ""
    timed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    device: str = "cpu"  # cpu or cuda
    compute_type: str = "int8"
    threads: int = 1


class Whisper:
    """A loaded model."""

    def __init__(self, model: LocalModel, machine: Machine, options: HearingOptions, *, batch: int = 8) -> None:
        self._batch = batch
        self.clock = Clock()
        use_the_widest()
        import ctranslate2
        import tokenizers
        from faster_whisper.feature_extractor import FeatureExtractor
        from faster_whisper.tokenizer import Tokenizer

        folder = model.path
        try:
            with _files(model, options) as files:
                self._model: Any = ctranslate2.models.Whisper(
                    str(files), device=machine.device, compute_type=machine.compute_type, intra_threads=machine.threads
                )
                self._numbers = Numbers() if files == folder else numbers_of(folder, files)
            self._tokenizer: Any = Tokenizer(
                tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")),
                self._model.is_multilingual,
                task="transcribe",
                language=options.language,
            )
        except Exception as error:  # tokenizers raises bare Exception, CTranslate2 RuntimeError and ValueError
            raise ModelError(f"{folder}：语音模型装不进来（{error}）。请运行 qa models verify 检查模型文件。") from error
        self._mel: Any = FeatureExtractor(feature_size=self._model.n_mels)
        self._storage: Any = ctranslate2.StorageView.from_array
        marks = ("transcribe", "translate", "sot", "sot_prev", "sot_lm", "no_speech")
        suppressed = {*self._tokenizer.non_speech_tokens, *(getattr(self._tokenizer, mark) for mark in marks)}
        self._suppress = self._numbers.kept(sorted(suppressed))

    def encode(self, window: NDArray[np.int16]) -> NDArray[np.float32]:
        """Encoder output ``[1, frames, width]`` of one window (int16, a multiple of 320 samples, at most 30 s)."""
        import numpy as np

        with self.clock.stage("encode"):
            mel = self._mel(window.astype(np.float32) / 32768.0, padding=0)[:, : len(window) // HOP]
            return np.asarray(self._model.encode(self._storage(np.ascontiguousarray(mel[None], dtype=np.float32)), to_cpu=True))

    def decode(
        self, encoded: Sequence[NDArray[np.float32]], filled: Sequence[int], length: int, how: Decoding
    ) -> list[list[Heard]]:
        """The readings of windows, best first. ``filled``: samples before the closing silence of each. All are decoded as windows
        of ``length`` samples, which the encoded silence at their end is repeated to fill."""
        with self.clock.stage("decode"):
            alike = [_lengthened(one, length // _FRAME) for one in encoded]
            found = self._search(alike, how, how.beam if how.beam_below is None else 1)
            if how.beam_below is not None and how.beam > 1:
                unsure = [index for index, readings in enumerate(found) if _unsure(readings[0], how.beam_below)]
                again = self._search([alike[index] for index in unsure], how, how.beam)
                for index, readings in zip(unsure, again, strict=True):
                    found[index] = readings
        if not how.timed:
            return found
        with self.clock.stage("align"):
            return [
                [self._timed(one, readings[0], samples), *readings[1:]]
                for one, samples, readings in zip(encoded, filled, found, strict=True)
            ]

    def _search(self, encoded: Sequence[NDArray[np.float32]], how: Decoding, beam: int) -> list[list[Heard]]:
        """The readings of each window, best first, without the times of words; batches are as even as can be."""
        batches = -(-len(encoded) // self._batch)
        bounds = [len(encoded) * nth // batches for nth in range(batches + 1)] if batches else []
        return [readings for first, last in pairwise(bounds) for readings in self._generate(encoded[first:last], how, beam)]

    def _generate(self, encoded: Sequence[NDArray[np.float32]], how: Decoding, beam: int) -> list[list[Heard]]:
        import numpy as np

        prompt = self._numbers.new(self._prompt(how))
        limit = min(_MAX_TOKENS, round(encoded[0].shape[1] * _FRAME / SAMPLE_RATE * _TOKENS_PER_S) + 8)
        results = self._model.generate(
            self._storage(np.concatenate(encoded)),
            [prompt] * len(encoded),
            beam_size=beam,
            num_hypotheses=how.readings,
            # CTranslate2 takes the smaller of half of it and what the prompt leaves.
            max_length=max(2 * limit, limit + len(prompt)),
            suppress_tokens=self._suppress,
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [
            [
                self._heard(self._numbers.old(ids), score, result.no_speech_prob, limit)
                for ids, score in zip(result.sequences_ids, result.scores, strict=True)
            ]
            for result in results
        ]

    def _heard(self, ids: list[int], score: float, no_speech: float, limit: int) -> Heard:
        tokens = tuple(token for token in ids if token < self._tokenizer.eot)
        return Heard(
            text=self._tokenizer.decode(tokens),
            tokens=tokens,
            avg_logprob=score * len(ids) / (len(ids) + 1),
            no_speech=no_speech,
            cut_short=len(ids) >= limit,
        )

    def _prompt(self, how: Decoding) -> list[int]:
        before: list[int] = []
        if how.hotwords:
            before += self._tokenizer.encode(" " + how.hotwords.strip())[:100]
        if how.prompt:
            before += self._tokenizer.encode(" " + how.prompt.strip())[:100]
        start = [self._tokenizer.sot_prev, *before] if before else []
        return [*start, *self._tokenizer.sot_sequence, *([] if how.timestamps else [self._tokenizer.no_timestamps])]

    def _timed(self, encoded: NDArray[np.float32], heard: Heard, filled: int) -> Heard:
        return replace(heard, words=self._align(encoded, list(heard.tokens), filled)) if heard.text.strip() else heard

    def _align(self, encoded: NDArray[np.float32], tokens: list[int], filled: int) -> tuple[Timed, ...]:
        import numpy as np

        frames = min(encoded.shape[1] * 2, -(-filled // HOP))
        result = self._model.align(
            self._storage(encoded),
            self._numbers.new(self._tokenizer.sot_sequence),
            [self._numbers.new(tokens)],
            [frames],
        )[0]
        pairs = np.asarray(result.alignments)
        jumps = np.pad(np.diff(pairs[:, 0]), (1, 0), constant_values=1).astype(bool)
        starts = pairs[jumps, 1] * _FRAME  # where each token begins; the last one is the end of the text
        words, groups = self._tokenizer.split_to_word_tokens([*tokens, self._tokenizer.eot])
        timed: list[Timed] = []
        char = token = 0
        for word, group in zip(words[:-1], groups[:-1], strict=True):
            probabilities = result.text_token_probs[token : token + len(group)]
            first, last = starts[min(token, len(starts) - 1)], starts[min(token + len(group), len(starts) - 1)]
            if any(letter.isalnum() for letter in word):
                left = len(word) - len(word.lstrip())
                timed.append(
                    Timed(
                        start=char + left,
                        end=char + len(word.rstrip()),
                        first=int(first),
                        last=int(last),
                        confidence=float(np.mean(probabilities)),
                    )
                )
            char += len(word)
            token += len(group)
        return tuple(timed)


def _files(model: LocalModel, options: HearingOptions) -> AbstractContextManager[Path]:
    """The folder that is loaded: with the vocabulary, and with what was learned, that the options ask for."""
    if options.vocabulary == "whole" or not can_be_trimmed(model.path):
        return nullcontext(model.path)
    if options.learned == NONE:
        return made_from(model, "chinese", trim)
    return made_from(model, f"calls-{options.learned[:8]}", partial(trim, learned=learned()))


def _unsure(heard: Heard, beam_below: float) -> bool:
    """Whether a greedy reading is not good enough to stand."""
    return heard.cut_short or heard.avg_logprob < beam_below


def _lengthened(encoded: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """A window's encoder output as if the window were longer: its closing silence is repeated."""
    import numpy as np

    missing = frames - encoded.shape[1]
    if missing <= 0:
        return encoded
    silence = np.tile(encoded[:, -_SILENCE:], (1, -(-missing // _SILENCE), 1))[:, :missing]
    return np.concatenate([encoded, silence], axis=1)
