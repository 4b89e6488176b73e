"""Syllable classes: what a character sounds like to a recogniser that mishears.

About 60 % of the recogniser's character errors are homophones, so rules listen to syllables: tone dropped, z/zh c/ch s/sh, n/l, f/h and
an/ang en/eng in/ing taken as one. Each class is one private-use character: a text and its sound have the same length and the same
offsets, and every string tool works on sounds as it does on characters. Readings are those of pypinyin's character table (MIT), most
common reading first; a phrase is also tried in its phrase-level reading (银行 is yínháng, not yínxíng).
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_FIRST_CLASS = 0xE000
_FIRST_HALF = 0xF000
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("f", "h"))
_FINALS = (("ang", "an"), ("eng", "en"), ("ing", "in"), ("ong", "on"))
# spoken digits have two readings each; 幺 is one, 俩/两 are two
_SAME_AS = {"幺": "一", "俩": "两", "貳": "二", "〇": "零", "您": "您"}
# the everyday reading in calls differs from the table's first one
_EVERYDAY = {"了": "le", "的": "de", "着": "zhe", "得": "de", "地": "di", "吗": "ma", "呢": "ne", "啊": "a", "哪": "na", "那": "na", "谁": "shei",
             "行": "xing", "都": "dou", "还": "hai", "会": "hui", "给": "gei", "没": "mei", "什": "shen", "么": "me", "说": "shuo", "为": "wei",
             "重": "zhong", "费": "fei", "便": "bian", "觉": "jue", "长": "chang", "少": "shao", "种": "zhong", "打": "da", "嗯": "en"}  # fmt: skip


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
        from pypinyin.pinyin_dict import pinyin_dict

        self._classes: dict[str, str] = {}
        self._halves: dict[str, str] = {}
        self._table: dict[int, str] = {}
        self._readings: dict[str, tuple[str, ...]] = {}
        self._split = _Doubled()
        classes: dict[str, str] = {}
        for codepoint in sorted(pinyin_dict):
            written = _EVERYDAY.get(chr(codepoint)) or pinyin_dict[codepoint].partition(",")[0]
            if written not in classes:
                classes[written] = self._class(plain(written))
            self._table[codepoint] = classes[written]
        for char, like in _SAME_AS.items():
            self._table[ord(char)] = self._table[ord(like)]

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
        """The sounds of a phrase: by characters, and by the phrase dictionary where that differs."""
        known = self._readings.get(phrase)
        if known is None:
            known = self._readings[phrase] = self._read(phrase)
        return known

    def _read(self, phrase: str) -> tuple[str, ...]:
        by_char = self.sound(phrase)
        if len(phrase) < 2:
            return (by_char,)
        from pypinyin import Style, lazy_pinyin

        syllables: list[str] = lazy_pinyin(phrase, style=Style.NORMAL, errors=list, v_to_u=False)  # type: ignore[arg-type]
        by_phrase = "".join(self._class(item) if len(item) > 1 or item.isalpha() else item for item in syllables)
        return (by_char,) if by_phrase == by_char or len(by_phrase) != len(by_char) else (by_char, by_phrase)


@lru_cache(maxsize=1)
def phonetics() -> Phonetics:
    """The one table of this process (a constant of the program, 42,000 entries, about 0.2 s to build)."""
    return Phonetics()
