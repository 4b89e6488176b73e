"""Which templates of a whole rule book may stand in which passages of a call: two passes of automata, and bit masks.

A passage is a bit. Every fixed stretch of every template has the mask of the passages in which one of its alternatives stands; a
template may stand where all its stretches do. What does not occur at all costs nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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


class _Wanted(NamedTuple):
    """A template by the numbers of its stretches: the rarest, and the others that tell something."""

    first: int
    others: tuple[int, ...]


class Present:
    """What may stand where in one call, worked out for those phrases that are asked for."""

    def __init__(self, wanted: Mapping[Phrases, tuple[_Wanted, ...]], heard: Mapping[int, int]) -> None:
        self._wanted = wanted
        self._heard = heard  # of each stretch in which passages (bits) one of its alternatives stands
        self._known: dict[Phrases, tuple[tuple[int, int], ...]] = {}

    def of(self, phrases: Phrases) -> tuple[tuple[int, int], ...]:
        """Which of the templates may stand there, in which passages (bits)."""
        known = self._known.get(phrases)
        if known is None:
            known = self._known[phrases] = tuple(self._likely(phrases))
        return known

    def _likely(self, phrases: Phrases) -> Iterator[tuple[int, int]]:
        there = self._heard.get
        for nth, (first, others) in enumerate(self._wanted.get(phrases, ())):
            mask = there(first, 0)
            if mask:
                for other in others:
                    mask &= there(other, 0)
                if mask:
                    yield nth, mask


class PhraseIndex:
    """The automata of a rule book over all its phrases. Stretches are numbered: many templates share one."""

    def __init__(self, groups: Iterable[Phrases]) -> None:
        self._stretches: dict[frozenset[str], int] = {}
        self._signs: dict[str, list[int]] = {}  # word → the stretches of which it is an alternative
        known: dict[tuple[str, Hearing], _Wanted] = {}
        self._wanted: dict[Phrases, tuple[_Wanted, ...]] = {}
        for phrases in groups:
            for pattern, hearing in phrases.wanted:
                if (pattern.source, hearing) not in known:
                    known[pattern.source, hearing] = self._numbered(pattern, hearing)
            self._wanted[phrases] = tuple(known[pattern.source, hearing] for pattern, hearing in phrases.wanted)
        self._chars = _automaton(word for word in self._signs if not any(map(is_sound, word)))
        self._sounds = _automaton(word for word in self._signs if any(map(is_sound, word)))

    def _numbered(self, pattern: Pattern, hearing: Hearing) -> _Wanted:
        first, *others = sorted((words(stretch, hearing) for stretch in pattern.stretches), key=frequency)
        telling = [self._number(other) for other in others if frequency(other) < _TELLING]
        return _Wanted(self._number(first), tuple(dict.fromkeys(telling)))

    def _number(self, stretch: frozenset[str]) -> int:
        if stretch not in self._stretches:
            number = self._stretches[stretch] = len(self._stretches)
            for word in stretch:
                self._signs.setdefault(word, []).append(number)
        return self._stretches[stretch]

    def scan(self, stream: Stream, bits: Sequence[int]) -> Present:
        """``bits``: for each character of the stream the bit of its passage."""
        masks: defaultdict[str, int] = defaultdict(int)
        for automaton, text in ((self._chars, stream.chars), (self._sounds, stream.sounds)):
            if automaton is not None:
                for end, word in automaton.iter(text):
                    masks[word] |= bits[end]
        heard: defaultdict[int, int] = defaultdict(int)
        signs = self._signs
        for word, mask in masks.items():
            for number in signs[word]:
                heard[number] |= mask
        return Present(self._wanted, heard)


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
