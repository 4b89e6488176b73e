"""What a signal is bound with: lexicons, compiled templates, the default strength of its rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from qa_pipeline.acts.reader import ActReader
from qa_pipeline.signals.base import Context, Hit, Scope
from qa_pipeline.text.index import Phrases
from qa_pipeline.text.lexicon import Lexicon, Term
from qa_pipeline.text.pattern import compile_pattern

if TYPE_CHECKING:
    from qa_pipeline.signals.searcher import Searcher

Matching = Literal["tolerant", "syllables", "characters"]  # the last two only to measure what tolerance buys


class BindError(ValueError):
    """A rule names something that does not exist; the message is Chinese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finders:
    """What a signal kind gives the engine. ``each``: the hits one by one in any order, for who needs no more than one."""

    find: Callable[[Context], tuple[Hit, ...]]
    scope: Callable[[Context], Scope]
    nearest: Callable[[Context], Hit | None] = lambda ctx: None
    each: Callable[[Context], Iterator[Hit]] | None = None


@dataclass(slots=True, kw_only=True)
class Shared:
    """What the signals of the whole book share when they ask for the same."""

    searchers: dict[object, Searcher] = field(default_factory=dict)
    phrases: dict[tuple[str, ...], Phrases] = field(default_factory=dict)  # to be found by their characters

    def by_characters(self, texts: tuple[str, ...]) -> Phrases:
        texts = tuple(dict.fromkeys(texts))
        if texts not in self.phrases:
            self.phrases[texts] = Phrases((compile_pattern(text), "chars") for text in texts)
        return self.phrases[texts]


@dataclass(slots=True, kw_only=True)
class Kit:
    """Built once per rule while the book is loaded; collects the templates that the index of the book must know."""

    lexicons: Mapping[str, Lexicon]
    default_strength: str = "strict"  # strict, sounds or loose: what its use in the rule calls for
    matching: Matching = "tolerant"
    segment_table: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    used: dict[Phrases, None] = field(default_factory=dict)  # in the order in which they were asked for
    shared: Shared = field(default_factory=lambda: Shared())
    acts: ActReader = field(default_factory=ActReader)

    def terms(self, lexicon: str) -> tuple[Term, ...]:
        if lexicon not in self.lexicons:
            raise BindError(f"没有名为“{lexicon}”的词库，现有：{'、'.join(sorted(self.lexicons))}")
        return self.lexicons[lexicon].all_terms()

    def texts(self, lexicon: str) -> tuple[str, ...]:
        return tuple(text for term in self.terms(lexicon) for text in (term.text, *term.variants))

    def segments(self) -> Mapping[str, tuple[str, ...]]:
        """Carrier → prefixes of mobile numbers."""
        return self.segment_table
