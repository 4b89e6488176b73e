"""What takes a found phrase back: it is not a clause or a word by itself, or something stands beside it."""

from __future__ import annotations

import re
from typing import NamedTuple

from qa_pipeline.signals.base import Context
from qa_pipeline.signals.passage import Passage
from qa_pipeline.text.index import Phrases
from qa_pipeline.text.pattern import Match, Pattern

UNLESS_REACH = 14  # stream characters around a hit in which an excuse must stand
QUOTE_REACH = 8  # and before it, for 您刚才说…
_QUOTES = (("“", "”"), ("‘", "’"), ("「", "」"), ("《", "》"))
_TOLD_TO = frozenset("跟和给对向同")  # 跟您说 is what the speaker said, 您说 what the other did
_BEFORE_WHOLE = re.compile(r"^[我咱这那个也真就都可是反正]*$")
_AFTER_WHOLE = re.compile(r"^[的了呢嘛吧呀么]*$")


class Shape(NamedTuple):
    """``whole``: the phrase must be a clause or a turn by itself; ``bounded``: it must begin and end where words do."""

    whole: str
    bounded: bool

    def excuse(self, passage: Passage, match: Match) -> str:
        """Why a match does not count, in Chinese; nothing when it does."""
        if self.whole and not _stands_alone(passage, match, self.whole):
            return "不是单独成句，不算"
        if self.bounded and not _on_word_bounds(passage, match):
            return "不是完整的词，不算"
        return ""


class Beside(NamedTuple):
    """Phrases that take a match back when they stand near it, and those that do when they stand before it (您刚才说)."""

    unless: Phrases
    quoting: Phrases

    def excuse(self, ctx: Context, passage: Passage, match: Match) -> str:
        """Why a match does not count, in Chinese; nothing when it does."""
        start, end = match[0], match[1]
        for pattern in _in_passage(ctx, self.unless, passage):
            low, high = max(0, start - UNLESS_REACH), min(passage.length, end + UNLESS_REACH)
            if found := pattern.chars.search(passage.chars, low, high):
                return f"附近有“{found.group()}”，不算"
        if self.quoting.wanted and _in_quotes(passage, start):
            return "在引号里，属于转述，不算"
        for pattern in _in_passage(ctx, self.quoting, passage):
            for found in pattern.chars.finditer(passage.chars, max(0, start - QUOTE_REACH), start):
                if passage.chars[max(0, found.start() - 1) : found.start()] not in _TOLD_TO:
                    return f"前面是“{found.group()}”，属于转述或否定，不算"
        return ""


def _in_quotes(passage: Passage, offset: int) -> bool:
    """Whether a transcript with quotation marks (a person wrote it) has the character between them."""
    nth, char = passage.place(offset)
    before = passage.turns[nth].text[:char]
    return any(before.rfind(opening) > before.rfind(closing) for opening, closing in _QUOTES)


def _in_passage(ctx: Context, phrases: Phrases, passage: Passage) -> list[Pattern]:
    """Those of the phrases that may stand in the passage, in their own order."""
    return [phrases.wanted[nth][0] for nth, passages in ctx.index.of(phrases) if passages >> passage.index & 1]


def _stands_alone(passage: Passage, match: Match, whole: str) -> bool:
    start, end = passage.clause(match.start) if whole == "clause" else passage.turn_bounds(match.start)
    before, after = passage.chars[start : match.start], passage.chars[match.end : end]
    return bool(_BEFORE_WHOLE.match(before) and _AFTER_WHOLE.match(after))


def _on_word_bounds(passage: Passage, match: Match) -> bool:
    """Whether jieba sees word boundaries at both ends of the match (不行 is not a word of 行不行)."""
    from qa_pipeline.text.words import boundaries

    start, end = passage.clause(match.start)
    bounds = boundaries(passage.chars[start : max(end, match.end)])
    return match.start - start in bounds and match.end - start in bounds
