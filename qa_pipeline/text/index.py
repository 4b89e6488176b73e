"""Which templates of a whole rule book may stand in which passages of a call: two passes of automata, and bit masks.

A passage is a bit. Every fixed stretch of every template has the mask of the passages in which one of its alternatives stands; a
template may stand where all its stretches do. What does not occur at all costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from qa_pipeline.text.anchors import Stretch, sounding, written
from qa_pipeline.text.expression import Hearing
from qa_pipeline.text.pattern import Pattern
from qa_pipeline.text.stream import Stream


class _Automaton:
    """The stretches of some templates, by characters or by sounds."""

    def __init__(self, patterns: Iterable[Pattern], spell: Callable[[Stretch], frozenset[str]]) -> None:
        import ahocorasick

        self._automaton: Any = ahocorasick.Automaton(ahocorasick.STORE_ANY)
        self._signs: dict[str, list[int]] = {}  # text of a first stretch → templates that may stand where it does
        self._wanted: list[tuple[str, tuple[tuple[str, ...], ...]]] = []  # their sources, and their other stretches
        for pattern in sorted(patterns, key=lambda item: item.source):
            first, *others = (spell(stretch) for stretch in pattern.stretches)
            others = [other for other in others if min(map(len, other)) > 1]  # a single character stands nearly everywhere
            for text in first:
                self._signs.setdefault(text, []).append(len(self._wanted))
            for text in first.union(*others):
                self._automaton.add_word(text, text)
            self._wanted.append((pattern.source, tuple(tuple(sorted(other)) for other in others)))
        if self._wanted:
            self._automaton.make_automaton()

    def scan(self, text: str, bits: Sequence[int]) -> dict[str, int]:
        """Source → mask of the passages in which it may stand; ``bits`` gives the bit of each character's passage."""
        found: dict[str, int] = {}
        if not self._wanted:
            return found
        masks: dict[str, int] = {}
        known = masks.get
        for end, word in self._automaton.iter(text):
            masks[word] = known(word, 0) | bits[end]
        likely: dict[int, int] = {}
        for word in masks.keys() & self._signs.keys():
            mask = masks[word]
            for nth in self._signs[word]:
                likely[nth] = likely.get(nth, 0) | mask
        for nth, mask in likely.items():
            source, others = self._wanted[nth]
            for other in others:
                there = 0
                for word in other:
                    there |= known(word, 0)
                mask &= there
            if mask:
                found[source] = mask
        return found


class PhraseIndex:
    """The automata of a rule book; ``wanted`` are its templates and how they are listened for."""

    def __init__(self, wanted: Iterable[tuple[Pattern, Hearing]]) -> None:
        by: dict[bool, dict[str, Pattern]] = {True: {}, False: {}}
        for pattern, hearing in wanted:
            by[hearing == "chars"][pattern.source] = pattern
        self._chars = _Automaton(by[True].values(), written)
        self._sounds = _Automaton(by[False].values(), sounding)

    def scan(self, stream: Stream, bits: Sequence[int]) -> Present:
        """``bits``: for each character of the stream the bit of its passage."""
        return Present(self._chars.scan(stream.chars, bits), self._sounds.scan(stream.sounds, bits))


class Present(NamedTuple):
    """The index of one call: template → mask of the passages in which it may stand, by characters and by sound."""

    chars: Mapping[str, int]
    sounds: Mapping[str, int]
