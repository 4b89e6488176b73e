"""The order in which people expect names with numbers: 一组, 二组, 三组, 十一组; 2组 before 10组."""

from __future__ import annotations

import re

_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_PARTS = re.compile(f"([0-9]+|[{''.join((*_DIGITS, *_UNITS))}]+)")

Order = tuple[tuple[int, int, str], ...]


def in_order(name: str) -> Order:
    """A sorting key: numbers, in digits or Chinese numerals, by their value and before words; the rest by its characters."""
    parts = [part for part in _PARTS.split(name) if part]
    return (*((1, _value(part), "") if _PARTS.fullmatch(part) else (2, 0, part) for part in parts), (0, 0, name))


def _value(text: str) -> int:
    if text.isascii():
        return int(text)
    if not any(character in _UNITS for character in text):  # 一二 as it is written on a door: 12
        return int("".join(str(_DIGITS[character]) for character in text))
    total, digit = 0, 0
    for character in text:
        if character in _UNITS:
            total += (digit or 1) * _UNITS[character]
            digit = 0
        else:
            digit = _DIGITS[character]
    return total + digit
