"""Customer numbers and names are covered in every output unless the reader may see them.

What stays recognisable is what a QA person needs to find the call again: the first three and last four digits of a
telephone number, the family name. Covered text keeps its length, so that offsets into it stay right.
"""

from __future__ import annotations

import re

from qa_pipeline.model import CallData

# Digits as spoken: a recogniser writes 幺三九… or 139…, often with gaps of a space or a dash.
_DIGIT = "0-9０-９零〇一二两三四五六七八九幺"
_DATE = f"(?<![{_DIGIT}])20\\d\\d-[01]\\d-[0-3]\\d(?![{_DIGIT}])"  # 2026-12-21, as reasons and logs write a day
_NUMBER = re.compile(f"(?P<date>{_DATE})|[{_DIGIT}](?:[ \\-]?[{_DIGIT}]){{6,}}[xX]?")
_COVER = "*"


def mask_number(number: str) -> str:
    """13912345678 → 139****5678; an identity number keeps its first three and last four; short ones lose all but two."""
    if len(number) < 7:
        return number[:1] + _COVER * max(len(number) - 2, 0) + number[-1:] if len(number) > 2 else _COVER * len(number)
    return number[:3] + _COVER * (len(number) - 7) + number[-4:]


def mask_name(name: str) -> str:
    """张三 → 张*; 欧阳娜娜 → 欧***."""
    return name[:1] + _COVER * (len(name) - 1) if len(name) > 1 else _COVER * len(name)


def mask_text(text: str, names: tuple[str, ...] = ()) -> str:
    """Covers long numbers (figures or spoken) and the given names in running text; dates stay."""
    for name in names:
        if len(name) > 1:
            text = text.replace(name, mask_name(name))
    return _NUMBER.sub(lambda hit: hit.group() if hit["date"] else mask_number(hit.group()), text)


class Masker:
    """Covers what one call's outputs may not show; ``show`` True leaves everything as it is."""

    def __init__(self, call: CallData, *, show: bool = False) -> None:
        self._show = show
        self._names = (call.customer_name,) if call.customer_name else ()

    def text(self, text: str) -> str:
        return text if self._show else mask_text(text, self._names)

    def number(self, number: str | None) -> str | None:
        return number if self._show or number is None else mask_number(number)

    def name(self, name: str | None) -> str | None:
        return name if self._show or name is None else mask_name(name)
