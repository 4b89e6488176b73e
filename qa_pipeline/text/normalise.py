"""The normal form of recognised text: simplified script, half width, lower case, numbers in Chinese; with a map back.

Recognisers hand out Traditional or Simplified characters, full-width forms, and 5 or 五 as they please. Rules are written once, against
the normal form; evidence is always quoted from the raw text through ``to_raw``.
Script conversion is character by character (the table of the opencc package, Apache-2.0), so it never changes lengths.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

_PUNCTUATION = str.maketrans({"、": "，", ",": "，", ".": "。", "!": "！", "?": "？", ";": "；", ":": "：", "…": "，", "—": "，"})
_DIGITS = "零一二三四五六七八九"
# whole numbers and decimals in Arabic digits; a comma between thousands is part of the number
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_SPELLED_BEFORE = re.compile(r"(?:号|号码|分机|工号|电话|拨打|回复|发送|编辑|代码|尾号|后四位)[是为:：]?\s*$")
_SPELLED_AFTER = re.compile(r"\s*(?:年|热线|客服|号(?!楼))")
_DIALLED = re.compile(r"\d{3,4}-\d{3,4}-\d{4}|\d{3,4}-\d{7,8}")  # groups of one number to dial
MAX_PLACE_VALUE_DIGITS = 4  # longer digit strings are numbers to dial: read out digit by digit


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """``text[i]`` comes from ``raw[to_raw[i]]``; ``to_raw`` never decreases."""

    text: str
    to_raw: tuple[int, ...]


@lru_cache(maxsize=1)
def simplified_table() -> dict[int, str]:
    """Traditional → simplified, one character to one."""
    table: dict[int, str] = {}
    content = files("opencc").joinpath("dictionary/TSCharacters.txt").read_text(encoding="utf-8")
    for line in content.splitlines():
        source, _, targets = line.partition("\t")
        target = targets.split(" ")[0]
        if len(source) == 1 and len(target) == 1:
            table[ord(source)] = target
    # the dictionary keeps these apart for literary use; call-centre speech wants the everyday form
    table.update({ord("妳"): "你", ord("著"): "着", ord("甚"): "什", ord("麽"): "么", ord("牠"): "它", ord("祂"): "他"})
    return table


def spell_digits(digits: str) -> str:
    """``"10086"`` → 一零零八六, digit by digit."""
    return "".join(_DIGITS[int(char)] if char.isdigit() else char for char in digits)


def spell_number(number: str) -> str:
    """``"3.5"`` → 三点五, ``"30"`` → 三十, ``"110"`` → 一百一十."""
    import cn2an

    whole, _, fraction = number.partition(".")
    spoken = str(cn2an.an2cn(str(int(whole))))
    return f"{spoken}点{spell_digits(fraction)}" if fraction else spoken


def _spell(match: re.Match[str], text: str) -> str:
    number = match.group().replace(",", "")
    whole = number.split(".")[0]
    if any(group.start() <= match.start() < group.end() for group in _DIALLED.finditer(text)):
        return spell_digits(number)
    if len(whole) > MAX_PLACE_VALUE_DIGITS or (len(whole) > 1 and whole.startswith("0")):
        return spell_digits(whole) + (f"点{spell_digits(number.split('.')[1])}" if "." in number else "")
    if "." not in number and len(whole) >= 3:
        if _SPELLED_BEFORE.search(text[: match.start()]) or _SPELLED_AFTER.match(text, match.end()):
            return spell_digits(whole)
        if whole in ("110", "114", "119", "120", "400", "800"):
            return spell_digits(whole)
    return spell_number(number)


def normalise(raw: str) -> Normal:
    """The normal form of ``raw``. Spaces vanish between Chinese characters and stay between Latin words."""
    chars: list[str] = []
    origin: list[int] = []
    table = simplified_table()
    for index, char in enumerate(raw):
        wide = char if char in "。，！？；：、…—" else unicodedata.normalize("NFKC", char)
        for piece in wide.lower().translate(table):
            if piece.isspace():
                previous = chars[-1] if chars else ""
                if not (previous.isascii() and previous.isalnum()):
                    continue
                piece = " "
            chars.append(piece)
            origin.append(index)
    text = "".join(chars)
    out: list[str] = []
    to_raw: list[int] = []
    position = 0
    for match in _NUMBER.finditer(text):
        _copy(text, origin, range(position, match.start()), out, to_raw)
        spoken = _spell(match, text)
        span = match.end() - match.start()
        for offset, char in enumerate(spoken):
            out.append(char)
            to_raw.append(origin[match.start() + min(offset * span // len(spoken), span - 1)])
        position = match.end()
    _copy(text, origin, range(position, len(text)), out, to_raw)
    return Normal(text="".join(out), to_raw=tuple(to_raw))


def _copy(text: str, origin: list[int], where: range, out: list[str], to_raw: list[int]) -> None:
    for index in where:
        char = text[index]
        if char == " " and not (_latin(text, index - 1) and _latin(text, index + 1)):
            continue  # it parted numbers, which are words now
        out.append(char.translate(_PUNCTUATION))
        to_raw.append(origin[index])


def _latin(text: str, index: int) -> bool:
    return 0 <= index < len(text) and text[index].isascii() and text[index].isalpha()
