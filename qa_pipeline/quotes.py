"""Where a quote stands in its turn: evidence carries the characters heard and their time, pages want offsets."""

from __future__ import annotations

from qa_pipeline.model import Evidence, Turn


def places(turn: Turn, item: Evidence) -> list[tuple[int, int]]:
    """Start and end of the quote in the raw text of its turn; a repeated quote is told apart by its time.

    Empty when the quote is not there letter by letter (a rule may quote the normal form).
    """
    if not item.quote:
        return []
    text, size = turn.raw, len(item.quote)
    starts = [at for at in range(len(text) - size + 1) if text.startswith(item.quote, at)]
    if len(starts) > 1 and item.start_s is not None:
        at_s = item.start_s
        timed = {word.start: word.start_s for word in turn.words}
        known = [at for at in starts if at in timed]
        starts = sorted(known, key=lambda at: abs(timed[at] - at_s))[:1] or starts
    if starts:
        return [(at, at + size) for at in starts]
    return _in_normal_form(turn, item.quote)


def _in_normal_form(turn: Turn, quote: str) -> list[tuple[int, int]]:
    at = turn.text.find(quote)
    if at < 0 or not turn.to_raw:
        return []
    last = at + len(quote) - 1
    return [(turn.to_raw[at], turn.to_raw[last] + 1)]
