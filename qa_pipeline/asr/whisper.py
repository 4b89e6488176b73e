"""Whisper on CTranslate2: windows of samples in, text with word times out. Knows nothing of recordings and channels.

Measured on 2026-11-21 (one thread, whisper-base int8): windows encoded one by one cost 15 ms a second of window, in batches
of eight 25 ms, because a batch does not fit the processor's cache; decoding is the other way round, 171 ms a clip alone and 87 ms
in batches of eight. So: encode singly, decode in batches. Greedy and beam decoding give bit-identical results whatever shares
the batch; ``align`` does not, so it is asked one window at a time (which is also no slower).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_pipeline.asr.base import SAMPLE_RATE
from qa_pipeline.asr.clock import Clock
from qa_pipeline.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HOP = 160  # samples per mel frame
_FRAME = 2 * HOP  # samples per encoder frame: 20 ms
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
    words: tuple[Timed, ...]  # only the best reading of a window has them
    avg_logprob: float
    no_speech: float  # 0..1
    cut_short: bool  # the length limit was reached: a loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How to search. ``prompt`` comes before the window as if it had been said, ``hotwords`` before that.

    ``timestamps``: let the model write the times of sentences between them. The times are not used, but a model that must
    account for them skips far less: deletions in packed windows fall from 16 % to 7 % of characters (2026-11-21).
    """

    beam: int = 1
    readings: int = 1
    timestamps: bool = True
    prompt: str = ""
    hotwords: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    device: str = "cpu"  # cpu or cuda
    compute_type: str = "int8"
    threads: int = 1


class Whisper:
    """A loaded model. ``language`` is Whisper's code (zh, yue)."""

    def __init__(self, folder: Path, machine: Machine, language: str = "zh") -> None:
        self.clock = Clock()
        import ctranslate2
        import tokenizers
        from faster_whisper.feature_extractor import FeatureExtractor
        from faster_whisper.tokenizer import Tokenizer

        try:
            self._model: Any = ctranslate2.models.Whisper(
                str(folder), device=machine.device, compute_type=machine.compute_type, intra_threads=machine.threads
            )
            self._tokenizer: Any = Tokenizer(
                tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")),
                self._model.is_multilingual,
                task="transcribe",
                language=language,
            )
        except Exception as error:  # tokenizers raises bare Exception, CTranslate2 RuntimeError and ValueError
            raise ModelError(f"{folder}：语音模型装不进来（{error}）。请运行 qa models verify 检查模型文件。") from error
        self._mel: Any = FeatureExtractor(feature_size=self._model.n_mels)
        self._storage: Any = ctranslate2.StorageView.from_array
        marks = ("transcribe", "translate", "sot", "sot_prev", "sot_lm", "no_speech")
        self._suppress = sorted({*self._tokenizer.non_speech_tokens, *(getattr(self._tokenizer, mark) for mark in marks)})

    def encode(self, window: NDArray[np.int16]) -> NDArray[np.float32]:
        """Encoder output ``[1, frames, width]`` of one window (int16, a multiple of 320 samples, at most 30 s)."""
        import numpy as np

        with self.clock.stage("encode"):
            mel = self._mel(window.astype(np.float32) / 32768.0, padding=0)[:, : len(window) // HOP]
            return np.asarray(self._model.encode(self._storage(np.ascontiguousarray(mel[None], dtype=np.float32)), to_cpu=True))

    def decode(self, encoded: Sequence[NDArray[np.float32]], filled: Sequence[int], how: Decoding) -> list[list[Heard]]:
        """The readings of windows of one length, best first. ``filled``: samples before the closing silence of each."""
        import numpy as np

        prompt = self._prompt(how)
        limit = min(_MAX_TOKENS, round(encoded[0].shape[1] * _FRAME / SAMPLE_RATE * _TOKENS_PER_S) + 8)
        with self.clock.stage("decode"):
            results = self._model.generate(
                self._storage(np.concatenate(encoded)),
                [prompt] * len(encoded),
                beam_size=how.beam,
                num_hypotheses=how.readings,
                # CTranslate2 takes the smaller of half of it and what the prompt leaves.
                max_length=max(2 * limit, limit + len(prompt)),
                suppress_tokens=self._suppress,
                return_scores=True,
                return_no_speech_prob=True,
            )
        with self.clock.stage("align"):
            return [
                self._readings(one, result, samples, limit) for one, samples, result in zip(encoded, filled, results, strict=True)
            ]

    def _prompt(self, how: Decoding) -> list[int]:
        before: list[int] = []
        if how.hotwords:
            before += self._tokenizer.encode(" " + how.hotwords.strip())[:100]
        if how.prompt:
            before += self._tokenizer.encode(" " + how.prompt.strip())[:100]
        start = [self._tokenizer.sot_prev, *before] if before else []
        return [*start, *self._tokenizer.sot_sequence, *([] if how.timestamps else [self._tokenizer.no_timestamps])]

    def _readings(self, encoded: NDArray[np.float32], result: Any, filled: int, limit: int) -> list[Heard]:
        readings: list[Heard] = []
        for ids, score in zip(result.sequences_ids, result.scores, strict=True):
            tokens = [token for token in ids if token < self._tokenizer.eot]
            text = self._tokenizer.decode(tokens)
            reading = Heard(
                text=text,
                words=() if readings or not text.strip() else self._align(encoded, tokens, filled),
                avg_logprob=score * len(ids) / (len(ids) + 1),
                no_speech=result.no_speech_prob,
                cut_short=len(ids) >= limit,
            )
            readings.append(reading)
        return readings

    def _align(self, encoded: NDArray[np.float32], tokens: list[int], filled: int) -> tuple[Timed, ...]:
        import numpy as np

        frames = min(encoded.shape[1] * 2, -(-filled // HOP))
        result = self._model.align(self._storage(encoded), self._tokenizer.sot_sequence, [tokens], [frames])[0]
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
