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


class Phrases:
    """The templates of a signal, or those that take its hits back, each with how it is listened for."""

    def __init__(self, wanted: Iterable[tuple[Pattern, Hearing]]) -> None:
        self.wanted = tuple(wanted)


Present = Mapping[Phrases, list[tuple[int, int]]]  # of a call: which of the templates may stand there, in which passages (bits)


class _Wanted(NamedTuple):
    """A template that may stand where one of its rarest stretch's words does, if its other stretches are there too."""

    others: tuple[frozenset[str], ...]
    owners: list[tuple[Phrases, int]]


class PhraseIndex:
    """The automata of a rule book over all its phrases."""

    def __init__(self, groups: Iterable[Phrases]) -> None:
        self._wanted: list[_Wanted] = []
        self._signs: dict[str, list[int]] = {}  # word of a first stretch → what is wanted where it stands
        numbers: dict[tuple[str, Hearing], int] = {}
        known: set[str] = set()
        for phrases in groups:
            for nth, (pattern, hearing) in enumerate(phrases.wanted):
                number = numbers.setdefault((pattern.source, hearing), len(numbers))
                if number == len(self._wanted):
                    known |= self._add(pattern, hearing)
                self._wanted[number].owners.append((phrases, nth))
        self._chars = _automaton(word for word in known if not any(map(is_sound, word)))
        self._sounds = _automaton(word for word in known if any(map(is_sound, word)))

    def _add(self, pattern: Pattern, hearing: Hearing) -> set[str]:
        first, *others = sorted((words(stretch, hearing) for stretch in pattern.stretches), key=frequency)
        others = [other for other in others if frequency(other) < _TELLING]
        for word in first:
            self._signs.setdefault(word, []).append(len(self._wanted))
        self._wanted.append(_Wanted(tuple(others), []))
        return set(first.union(*others))

    def scan(self, stream: Stream, bits: Sequence[int]) -> Present:
        """``bits``: for each character of the stream the bit of its passage."""
        masks: dict[str, int] = {}
        standing = masks.get
        for automaton, text in ((self._chars, stream.chars), (self._sounds, stream.sounds)):
            if automaton is not None:
                for end, word in automaton.iter(text):
                    masks[word] = standing(word, 0) | bits[end]
        likely: dict[int, int] = {}
        count = likely.get
        signs = self._signs
        heard = masks.keys()
        for word in heard & signs.keys():
            mask = masks[word]
            for number in signs[word]:
                likely[number] = count(number, 0) | mask
        present: dict[Phrases, list[tuple[int, int]]] = {}
        for number, mask in likely.items():
            others, owners = self._wanted[number]
            for other in others:
                there = 0
                for word in heard & other:
                    there |= masks[word]
                mask &= there
            if mask:
                for phrases, nth in owners:
                    if phrases in present:
                        present[phrases].append((nth, mask))
                    else:
                        present[phrases] = [(nth, mask)]
        return present


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
