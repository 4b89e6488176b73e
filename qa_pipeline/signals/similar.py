"""Sentences that mean the same as a sample: overlap of their jieba words, no downloaded model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

from qa_pipeline.model import Strength
from qa_pipeline.signals.base import Context, Hit, Where, Who, Window, window_hit
from qa_pipeline.signals.kit import Finders, Kit
from qa_pipeline.signals.scope import scope_in
from qa_pipeline.strict_yaml import Doc
from qa_pipeline.text.pattern import strip

_EMPTY_WORDS = frozenset("的了呢吗吧是在就也都和与这那个您你我他她它们一有会能可以")
MAX_CLAUSES = 4  # a spoken sentence is often cut into several clauses


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarSpec:
    """与样句意思相近的话（按 jieba 词的重合程度）。"""

    kind: Literal["similar"] = "similar"
    label: Annotated[str, Doc("给人看的名字")]
    who: Who = "agent"
    samples: Annotated[tuple[str, ...], Doc("样句，至少六个字")]
    at_least: Annotated[float, Doc("重合程度，0–1")] = 0.6
    where: Where = Where()

    def __post_init__(self) -> None:
        if not 0.3 <= self.at_least <= 1:
            raise ValueError("at_least 应在 0.3 到 1 之间")
        if any(len(strip(sample)) < 6 for sample in self.samples) or not self.samples:
            raise ValueError("samples 里的样句至少六个字")

    def bind(self, kit: Kit) -> Finders:
        samples = [(sample, _content(strip(sample))) for sample in self.samples]
        scope = scope_in(self.who, self.where, widens=kit.default_strength == "loose")

        def scored(ctx: Context) -> Iterator[tuple[float, Hit]]:
            for window in scope(ctx).windows:
                for start, end, words in _stretches(window):
                    for sample, wanted in samples:
                        share = len(words & wanted) / len(wanted) if wanted else 0.0
                        distance, note = round(1 - share, 2), f"与样句重合 {share:.0%}"
                        yield share, window_hit(window, (start, end), sample, Strength.FUZZY, distance, note)

        def find(ctx: Context) -> tuple[Hit, ...]:
            best: dict[int, tuple[tuple[float, int], Hit]] = {}
            for share, hit in scored(ctx):
                passage, worth = (
                    hit.passage or 0,
                    (share, hit.span[0] - hit.span[1]),
                )  # of two as near the shorter stretch is quoted
                if share >= self.at_least and (passage not in best or worth > best[passage][0]):
                    best[passage] = (worth, hit)
            return tuple(sorted((hit for _, hit in best.values()), key=lambda hit: hit.position))

        def nearest(ctx: Context) -> Hit | None:
            found = max(scored(ctx), key=lambda item: item[0], default=None)
            return found[1] if found and found[0] > 0.3 else None

        return Finders(find=find, scope=scope, nearest=nearest)


def _content(chars: str) -> frozenset[str]:
    from qa_pipeline.text.words import tokens

    return frozenset(token for token in tokens(chars) if token not in _EMPTY_WORDS)


def _stretches(window: Window) -> Iterator[tuple[int, int, frozenset[str]]]:
    """Every run of up to four clauses inside the window, with its words: no word crosses from one clause into the next."""
    starts = [start - window.start for start in window.passage.clauses if window.start <= start < window.end]
    bounds = sorted({0, *starts, window.end - window.start})
    words = [_content(window.chars[start:end]) for start, end in pairwise(bounds)]
    for first in range(len(words)):
        for last in range(first + 1, min(first + MAX_CLAUSES, len(words)) + 1):
            yield bounds[first], bounds[last], frozenset().union(*words[first:last])
