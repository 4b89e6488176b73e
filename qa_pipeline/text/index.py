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
    """A template: what else must stand where its rarest stretch does, by number, and whose it is."""

    others: tuple[int, ...]
    owners: list[tuple[Phrases, int]]


class PhraseIndex:
    """The automata of a rule book over all its phrases. Stretches are numbered: many templates share one."""

    def __init__(self, groups: Iterable[Phrases]) -> None:
        self._stretches: dict[frozenset[str], int] = {}
        self._signs: dict[str, list[int]] = {}  # word → the stretches of which it is an alternative
        self._wanted: list[list[_Wanted]] = []  # of each stretch the templates of which it is the rarest
        known: dict[tuple[str, Hearing], _Wanted] = {}
        for phrases in groups:
            for nth, (pattern, hearing) in enumerate(phrases.wanted):
                key = (pattern.source, hearing)
                if key not in known:
                    known[key] = self._add(pattern, hearing)
                known[key].owners.append((phrases, nth))
        self._chars = _automaton(word for word in self._signs if not any(map(is_sound, word)))
        self._sounds = _automaton(word for word in self._signs if any(map(is_sound, word)))

    def _add(self, pattern: Pattern, hearing: Hearing) -> _Wanted:
        first, *others = sorted((words(stretch, hearing) for stretch in pattern.stretches), key=frequency)
        telling = [self._number(other) for other in others if frequency(other) < _TELLING]
        wanted = _Wanted(tuple(dict.fromkeys(telling)), [])
        self._wanted[self._number(first)].append(wanted)
        return wanted

    def _number(self, stretch: frozenset[str]) -> int:
        if stretch not in self._stretches:
            self._stretches[stretch] = len(self._wanted)
            for word in stretch:
                self._signs.setdefault(word, []).append(len(self._wanted))
            self._wanted.append([])
        return self._stretches[stretch]

    def scan(self, stream: Stream, bits: Sequence[int]) -> Present:
        """``bits``: for each character of the stream the bit of its passage."""
        masks: dict[str, int] = {}
        standing = masks.get
        for automaton, text in ((self._chars, stream.chars), (self._sounds, stream.sounds)):
            if automaton is not None:
                for end, word in automaton.iter(text):
                    masks[word] = standing(word, 0) | bits[end]
        heard: dict[int, int] = {}  # of each stretch in which passages one of its alternatives stands
        there = heard.get
        signs = self._signs
        for word, mask in masks.items():
            for number in signs[word]:
                heard[number] = there(number, 0) | mask
        present: dict[Phrases, list[tuple[int, int]]] = {}
        wanted = self._wanted
        for number, first in heard.items():
            for others, owners in wanted[number]:
                mask = first
                for other in others:
                    mask &= there(other, 0)
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
