"""What is wrong with lexicons beyond their form: duplicates, terms that swallow each other, terms that hit clean speech."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from qa_pipeline.text.lexicon import Lexicon
from qa_pipeline.text.normalise import normalise
from qa_pipeline.text.pattern import Pattern, compile_pattern, strip
from qa_pipeline.text.phonetic import phonetics


@dataclass(frozen=True, slots=True, kw_only=True)
class LexiconNote:
    lexicon: str
    term: str
    kind: str  # duplicate | swallowed | clean
    message: str


def check_lexicons(lexicons: Mapping[str, Lexicon], clean: Iterable[str], forbidden: frozenset[str]) -> list[LexiconNote]:
    """Notes on all lexicons. ``clean`` are sentences that nobody should be accused for; only ``forbidden`` lexicons meet them."""
    sentences = [(text, strip(normalise(text).text)) for text in clean]
    notes: list[LexiconNote] = []
    for name in sorted(lexicons):
        patterns = [compile_pattern(text) for term in lexicons[name].all_terms() for text in (term.text, *term.variants)]
        notes += _overlaps(name, patterns)
        if name in forbidden:
            notes += _hits(name, lexicons[name], sentences)
    return notes


def _readings(pattern: Pattern) -> frozenset[str]:
    texts = {text for text, _ in pattern.literals}
    return frozenset(texts) or frozenset({pattern.source})


def _overlaps(name: str, patterns: list[Pattern]) -> list[LexiconNote]:
    notes = []
    for later, pattern in enumerate(patterns):
        for earlier in patterns[:later]:
            if pattern.source == earlier.source or (pattern.literals and _readings(pattern) == _readings(earlier)):
                notes.append(_note(name, pattern, "duplicate", f"与“{earlier.source}”重复"))
                break
            if pattern.literals and all(earlier.chars.search(text) for text, _ in pattern.literals):
                notes.append(_note(name, pattern, "swallowed", f"凡是它能找到的，“{earlier.source}”都已经找到，可以删去"))
                break
    return notes


def _hits(name: str, lexicon: Lexicon, sentences: list[tuple[str, str]]) -> list[LexiconNote]:
    notes = []
    table = phonetics()
    for term in lexicon.all_terms():
        if term.whole:
            continue
        unless = [compile_pattern(text) for text in term.unless]
        for text in (term.text, *term.variants):
            pattern = compile_pattern(text)
            for sentence, chars in sentences:
                found = pattern.find(chars, table.sound(chars), by_sound=pattern.syllables >= 4)
                if found and not any(excuse.chars.search(chars) for excuse in unless):
                    notes.append(_note(name, pattern, "clean", f"会命中没有违规的话：{sentence}"))
                    break
    return notes


def _note(name: str, pattern: Pattern, kind: str, message: str) -> LexiconNote:
    return LexiconNote(lexicon=name, term=pattern.source, kind=kind, message=message)
