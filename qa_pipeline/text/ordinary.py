"""What is said anyway: short stretches of characters, with how often they stand in the project's texts of calls.

A recogniser that mishears writes what sounds alike, and so does a person who says something else: 网上 and 晚上, 利索 and 你说. What was
written is the phrase misheard only while it is not much likelier that just this was said. The counts are the project's own
(``data/README.md``).
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from qa_pipeline.text.phonetic import phonetics

LONGEST = 3  # characters; longer stretches that sound alike and are both said are rare
_MISHEARD = 0.03  # of the times that a phrase is said, at most this share is written as one certain other stretch
_ODDS = 5.0  # so many times likelier that the other was said, before doubt no longer favours the phrase
_SELDOM = 10  # times: what the counts leave out


@lru_cache(maxsize=8192)
def homophones(phrase: str) -> tuple[str, ...]:
    """Stretches that sound like the phrase (2 or 3 characters) and are said too often to be it misheard, by their place in Unicode."""
    if not 1 < len(phrase) <= LONGEST:
        return ()
    counts = _counts()
    least = _MISHEARD * _ODDS * counts.get(phrase, _SELDOM)
    found: set[str] = set()
    for sound in phonetics().readings(phrase):
        found |= {other for other in _by_sound().get(sound, ()) if other != phrase and counts[other] >= least}
    return tuple(sorted(found))


@lru_cache(maxsize=1)
def _counts() -> dict[str, int]:
    table = files("qa_pipeline.text").joinpath("data", "ordinary.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines())
    return {stretch: int(times) for times, stretches in rows for stretch in stretches.split(" ")}


@lru_cache(maxsize=1)
def _by_sound() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for stretch in _counts():
        found.setdefault(phonetics().sound(stretch), []).append(stretch)
    return found
