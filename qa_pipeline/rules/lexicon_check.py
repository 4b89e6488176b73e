"""What is wrong with lexicons beyond their form: duplicates, terms that swallow each other, terms that hit clean speech."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from qa_pipeline.text.lexicon import Lexicon, Term
from qa_pipeline.text.normalise import normalise
from qa_pipeline.text.pattern import Pattern, compile_pattern, strip
from qa_pipeline.text.phonetic import phonetics

_Entry = tuple[Pattern, Term]


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
        entries = [(compile_pattern(text), term) for term in lexicons[name].all_terms() for text in (term.text, *term.variants)]
        notes += _overlaps(name, entries)
        if name in forbidden:
            notes += _hits(name, lexicons[name], sentences)
    return notes


def _readings(pattern: Pattern) -> frozenset[str]:
    texts = {text for text, _ in pattern.literals}
    return frozenset(texts) or frozenset({pattern.source})


def _overlaps(name: str, entries: list[_Entry]) -> list[LexiconNote]:
    notes = []
    for nth, entry in enumerate(entries):
        same = next((other for other in entries[:nth] if _same(entry, other)), None)
        if same is not None:
            notes.append(_note(name, entry[0], "duplicate", f"与“{same[0].source}”重复"))
            continue
        wider = next((other for other in entries if _finds_all(other, entry) and not _same(entry, other)), None)
        if wider is not None:
            notes.append(_note(name, entry[0], "swallowed", f"凡是它能找到的，“{wider[0].source}”都已经找到，可以删去"))
    return notes


def _same(one: _Entry, other: _Entry) -> bool:
    alike = one[0].source == other[0].source or (bool(one[0].literals) and _readings(one[0]) == _readings(other[0]))
    return alike and _as_free(one[1], other[1]) and _as_free(other[1], one[1])


def _finds_all(wide: _Entry, narrow: _Entry) -> bool:
    """Whether ``wide`` is found wherever ``narrow`` is, as far as the readings of ``narrow`` can be written out."""
    literals = narrow[0].literals
    return bool(literals) and _as_free(wide[1], narrow[1]) and all(wide[0].chars.search(text) for text, _ in literals)


def _as_free(wide: Term, narrow: Term) -> bool:
    """Whether nothing but what also takes back ``narrow`` takes back ``wide``."""
    return wide.whole in ("", narrow.whole) and wide.bounded <= narrow.bounded and set(wide.unless) <= set(narrow.unless)


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
