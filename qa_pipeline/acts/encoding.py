"""A turn as the network of the acts reads it: characters, their syllable classes, and whose they are.

The same code writes the examples of the training (``tools/meaning``) and the calls of the audit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from qa_pipeline.text.phonetic import is_sound, phonetics

BEFORE_CHARS = 32  # of what was said before
LONGEST = 150  # characters of a turn that are read at once
PIECE = 110  # a longer turn is read in pieces of about so many, each after the end of the one before
PADDING, UNKNOWN = 0, 1
_STOPS = "，。！？；："


class Place:
    """Whose a character is; 0 is padding."""

    BEFORE_AGENT, BEFORE_CUSTOMER, AGENT, CUSTOMER = 1, 2, 3, 4


class Said(NamedTuple):
    """A turn's normal text and whether the agent said it."""

    agent: bool
    text: str


class Encoded(NamedTuple):
    """Three numbers a character, as many as there are characters; ``first``: where the turn itself begins."""

    ids: list[int]
    sounds: list[int]
    places: list[int]
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alphabet:
    """The characters and syllable classes that the network knows, with their numbers from 2 on."""

    chars: dict[str, int]
    sounds: dict[str, int]  # of a character the number of its syllable class

    @classmethod
    def of(cls, chars: str) -> Alphabet:
        """For a training: ``chars`` in the order of their numbers; the classes follow from the table of readings."""
        classes: dict[str, int] = {}
        sounds: dict[str, int] = {}
        for char in chars:
            sound = phonetics().sound(char)
            if is_sound(sound):
                sounds[char] = classes.setdefault(sound, len(classes) + 2)
        return cls(chars={char: number for number, char in enumerate(chars, start=2)}, sounds=sounds)

    @classmethod
    def kept(cls, chars: str, numbers: Sequence[int]) -> Alphabet:
        """As a network was trained with it, whatever the table of readings says by now: of each character its class, 0 for none."""
        sounds = {char: number for char, number in zip(chars, numbers, strict=True) if number}
        return cls(chars={char: number for number, char in enumerate(chars, start=2)}, sounds=sounds)

    @property
    def sound_count(self) -> int:
        return max(self.sounds.values(), default=UNKNOWN) + 1

    def encode(self, said: Said, before: Sequence[Said]) -> Encoded:
        """One piece of a turn after what was said before it, last turn last."""
        text = ""
        places: list[int] = []
        left = BEFORE_CHARS
        for earlier in reversed(before):
            if left <= 0:
                break
            tail = earlier.text[-left:]
            text = tail + text
            places[:0] = [Place.BEFORE_AGENT if earlier.agent else Place.BEFORE_CUSTOMER] * len(tail)
            left -= len(tail)
        first = len(text)
        text += said.text
        places += [Place.AGENT if said.agent else Place.CUSTOMER] * len(said.text)
        chars, sounds = self.chars.get, self.sounds.get
        return Encoded([chars(c, UNKNOWN) for c in text], [sounds(c, UNKNOWN) for c in text], places, first)


def pieces(said: Said, before: Sequence[Said]) -> Iterator[tuple[int, Said, list[Said]]]:
    """A turn in pieces that can be read at once, cut where a clause ends: where each begins, itself, and what was said before."""
    start, length = 0, len(said.text)
    while start < length:
        end = length if length - start <= LONGEST else _cut(said.text, start)
        earlier = [*before, Said(said.agent, said.text[:start])] if start else list(before)
        yield start, Said(said.agent, said.text[start:end]), earlier
        start = end


def _cut(text: str, start: int) -> int:
    """Where to cut: after the last stop that keeps the piece near its length, else at that length."""
    for end in range(start + PIECE, start + PIECE // 2, -1):
        if text[end - 1] in _STOPS:
            return end
    return start + PIECE
