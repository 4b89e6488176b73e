"""What the default engine is told besides the model; part of the provenance of every transcript."""

from __future__ import annotations

from dataclasses import dataclass

from qa_pipeline.asr.base import SAMPLE_RATE
from qa_pipeline.asr.coverage import CoverageRules
from qa_pipeline.asr.learned import LEARNED_SHA256, NONE
from qa_pipeline.asr.packing import PackRules
from qa_pipeline.model import EngineInfo

NAME = "faster-whisper"


HOTWORDS = "工号 机主本人 功能费 资费 次日生效 退订 免费体验 占用您一分钟 祝您生活愉快 先挂机 再见"
"""Neutral words of the trade that a general model writes as their homophones. Never a forbidden word: recognisers invent
hot-words where nothing is heard, and an invented duty favours the agent, an invented insult would not."""


def to_samples(value_s: float) -> int:
    return round(value_s * SAMPLE_RATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class HearingOptions:
    """Everything besides the model that changes what is heard; stands in ``EngineInfo``. The figures behind the defaults are
    in ``benchmarks/README.md``."""

    language: str = "zh"
    vocabulary: str = "chinese"  # or "whole": see ``asr.vocabulary``
    learned: str = NONE  # the hash of what was added to the weights: see ``asr.learned``
    compute_type: str = "int8"
    beam: int = 5
    beam_below: float = -0.4  # mean log probability of a greedy reading under which ``beam`` searches again
    second_beam: int = 5
    readings: int = 4
    window_s: float = 15.0
    gap_s: float = 0.0
    keep_s: float = 0.8
    pad_s: float = 0.4
    tail_s: float = 1.0
    shortest_s: float = 8.0
    quantum_s: float = 1.0
    alike_s: float = 8.0
    least_gap_s: float = 0.7
    leak_db: float = 12.0  # frames so much louder on the other channel are its leak, where crosstalk was measured
    timestamps: bool = True
    prompt: str = ""
    hotwords: str = HOTWORDS

    @classmethod
    def of_the_built_in(cls) -> HearingOptions:
        """For the model with what it has learned about calls: it knows the words of the trade, skips nothing without the times
        of sentences, and knows the end of a short window as an end."""
        return cls(
            learned=LEARNED_SHA256[:16], timestamps=False, hotwords="", shortest_s=3.0, tail_s=0.5, quantum_s=0.5, alike_s=4.0
        )

    def pairs(self) -> tuple[tuple[str, str], ...]:
        return tuple(sorted((name, str(getattr(self, name))) for name in self.__slots__))

    def pack_rules(self) -> PackRules:
        return PackRules(
            window=to_samples(self.window_s),
            gap=to_samples(self.gap_s),
            keep=to_samples(self.keep_s),
            pad=to_samples(self.pad_s),
            quantum=to_samples(self.quantum_s),
            alike=to_samples(self.alike_s),
            shortest=to_samples(self.shortest_s),
            tail=to_samples(self.tail_s),
        )

    def coverage_rules(self) -> CoverageRules:
        return CoverageRules(reach=to_samples(0.25), longest=to_samples(0.7), least=to_samples(self.least_gap_s))


def engine_info(model: str, model_hash: str, options: HearingOptions) -> EngineInfo:
    return EngineInfo(name=NAME, model=model, model_hash=model_hash, options=options.pairs())
