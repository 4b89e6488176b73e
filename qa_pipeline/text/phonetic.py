"""Syllable classes: what a character sounds like to a recogniser that mishears.

About 60 % of the recogniser's character errors are homophones, so rules listen to syllables: tone dropped, z/zh c/ch s/sh, n/l, f/h and
an/ang en/eng in/ing taken as one. Each class is one private-use character: a text and its sound have the same length and the same
offsets, and every string tool works on sounds as it does on characters. The readings are the project's own files (``data/README.md``);
a phrase is also tried as the words in it are read (银行 is yínháng, not yínxíng).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files

_FIRST_CLASS = 0xE000
_FIRST_HALF = 0xF000
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("f", "h"))
_FINALS = (("ang", "an"), ("eng", "en"), ("ing", "in"), ("ong", "on"))


def plain(reading: str) -> str:
    """``"xíng"`` → ``"xing"``; ü is v."""
    decomposed = unicodedata.normalize("NFD", reading)
    without_tone = "".join(c for c in decomposed if c not in "\u0304\u0301\u030c\u0300\u0302")
    return unicodedata.normalize("NFC", without_tone).replace("ü", "v").replace("ê", "e")


def confuse(syllable: str) -> str:
    """A plain syllable's confusion class: ``"shang"`` and ``"san"`` are both ``"san"``."""
    for initial, merged in _INITIALS:
        if syllable.startswith(initial):
            syllable = merged + syllable[len(initial) :]
            break
    for final, merged in _FINALS:
        if syllable.endswith(final):
            return syllable[: -len(final)] + merged
    return syllable


def is_sound(char: str) -> bool:
    """Whether a character of a stream stands for a syllable class."""
    return _FIRST_CLASS <= ord(char) < _FIRST_HALF


def halves(syllable: str) -> tuple[str, str]:
    """``"xiao"`` → ``("x", "iao")``; a syllable without an initial has an empty first half of its own kind."""
    for length in (2, 1):
        if syllable[:length] in ("zh", "ch", "sh") or (length == 1 and syllable[:1] in "bpmfdtnlgkhjqxzcsryw"):
            return syllable[:length], "-" + syllable[length:]
    return "", "-" + syllable


class _Doubled(dict[int, str]):
    """What has no halves is its own half, twice."""

    def __missing__(self, codepoint: int) -> str:
        return chr(codepoint) * 2


class Phonetics:
    """The table from characters to syllable classes. Build once, pass down."""

    def __init__(self) -> None:
        self._classes: dict[str, str] = {}
        self._halves: dict[str, str] = {}
        self._table: dict[int, str] = {}
        self._readings: dict[str, tuple[str, ...]] = {}
        self._split = _Doubled()
        for syllable, chars in _rows("characters.tsv"):
            self._table.update(dict.fromkeys(map(ord, chars), self._class(syllable)))
        self._words = {word: "".join(map(self._class, spoken.split())) for word, spoken in _rows("phrases.tsv")}
        self._longest = max(map(len, self._words))

    def _class(self, syllable: str) -> str:
        merged = confuse(syllable)
        if merged not in self._classes:
            self._classes[merged] = chr(_FIRST_CLASS + len(self._classes))
            self._split[ord(self._classes[merged])] = "".join(self._half(half) for half in halves(merged))
        return self._classes[merged]

    def _half(self, half: str) -> str:
        return self._halves.setdefault(half, chr(_FIRST_HALF + len(self._halves)))

    def sound(self, text: str) -> str:
        """One class character per character; what has no reading (Latin letters, signs) stays itself."""
        return text.translate(self._table)

    def split(self, sounds: str) -> str:
        """Sounds at twice the length: initial and final of each syllable, so that half a syllable can be half an error."""
        return sounds.translate(self._split)

    def readings(self, phrase: str) -> tuple[str, ...]:
        """The sounds of a phrase: by characters, and as its words are read where that differs (longest word first, from the left)."""
        known = self._readings.get(phrase)
        if known is None:
            known = self._readings[phrase] = self._read(phrase)
        return known

    def _read(self, phrase: str) -> tuple[str, ...]:
        by_char = self.sound(phrase)
        by_word, at = "", 0
        while at < len(phrase):
            ends = range(min(len(phrase), at + self._longest), at, -1)
            end = next((end for end in ends if phrase[at:end] in self._words), at + 1)
            by_word += self._words.get(phrase[at:end], by_char[at:end])
            at = end
        return (by_char,) if by_word == by_char else (by_char, by_word)


def _rows(name: str) -> Iterator[tuple[str, str]]:
    for line in files("qa_pipeline.text").joinpath("data", name).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("\t")
        yield key, value


@lru_cache(maxsize=1)
def phonetics() -> Phonetics:
    """The one table of this process (a constant of the program, 42,000 characters)."""
    return Phonetics()
