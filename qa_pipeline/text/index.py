"""Which templates of a whole rule book may stand in which passages of a call: two passes of automata, and bit masks.

A passage is a bit. Every fixed stretch of every template has the mask of the passages in which one of its alternatives stands; a
template may stand where all its stretches do. What does not occur at all costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from qa_pipeline.text.anchors import frequency, words
from qa_pipeline.text.expression import Hearing
from qa_pipeline.text.pattern import Pattern
from qa_pipeline.text.phonetic import is_sound
from qa_pipeline.text.stream import Stream

_TELLING = 0.01  # a stretch that stands more often than this per character is in nearly every passage


class _Wanted(NamedTuple):
    """A template that may stand where one of its rarest stretch's words does, if its other stretches are there too."""

    source: str
    hearing: Hearing
    others: tuple[frozenset[str], ...]


class PhraseIndex:
    """The automata of a rule book; ``wanted`` are its templates and how they are listened for."""

    def __init__(self, wanted: Iterable[tuple[Pattern, Hearing]]) -> None:
        self._wanted: list[_Wanted] = []
        self._signs: dict[str, list[int]] = {}  # word of a first stretch → what is wanted where it stands
        known: set[str] = set()
        for pattern, hearing in sorted(wanted, key=lambda item: (item[0].source, item[1])):
            first, *others = sorted((words(stretch, hearing) for stretch in pattern.stretches), key=frequency)
            others = [other for other in others if frequency(other) < _TELLING]
            for word in first:
                self._signs.setdefault(word, []).append(len(self._wanted))
            known.update(*others)
            self._wanted.append(_Wanted(pattern.source, hearing, tuple(others)))
        known |= self._signs.keys()
        self._chars = _automaton(word for word in known if not any(map(is_sound, word)))
        self._sounds = _automaton(word for word in known if any(map(is_sound, word)))

    def scan(self, stream: Stream, bits: Sequence[int]) -> Present:
        """``bits``: for each character of the stream the bit of its passage."""
        masks: dict[str, int] = {}
        standing = masks.get
        for automaton, text in ((self._chars, stream.chars), (self._sounds, stream.sounds)):
            if automaton is not None:
                for end, word in automaton.iter(text):
                    masks[word] = standing(word, 0) | bits[end]
        heard = masks.keys()
        likely: dict[int, int] = {}
        signs = self._signs
        for word in heard & signs.keys():
            mask = masks[word]
            for nth in signs[word]:
                likely[nth] = likely.get(nth, 0) | mask
        present: Present = {"chars": {}, "sounds": {}, "runs": {}}
        for nth, mask in likely.items():
            source, hearing, others = self._wanted[nth]
            for other in others:
                there = 0
                for word in heard & other:
                    there |= masks[word]
                mask &= there
            if mask:
                present[hearing][source] = mask
        return present


Present = Mapping[Hearing, dict[str, int]]  # the index of one call: template → bits of the passages in which it may stand


def _automaton(texts: Iterable[str]) -> Any:
    """None when there is nothing to look for."""
    import ahocorasick

    automaton: Any = ahocorasick.Automaton(ahocorasick.STORE_ANY)
    for text in sorted(texts):
        automaton.add_word(text, text)
    if not len(automaton):
        return None
    automaton.make_automaton()
    return automaton
