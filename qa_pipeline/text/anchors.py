"""What must stand in a text for a template to be found there: the fixed stretches of its readings.

A template is looked for only where one alternative of each of its stretches stands; an automaton finds the stretches of the whole rule
book in one pass over a call (``text.index``).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import prod

from qa_pipeline.text.expression import Hearing
from qa_pipeline.text.phonetic import phonetics
from qa_pipeline.text.template import Choice, Literal, Nodes

MAX_EXPANSIONS = 400  # texts of a template that can be written out
_MAX_ALTERNATIVES = 60  # texts of one stretch
_EVERYWHERE = "您我一的不了是个好那就这有要给你"  # about a third of all that is said on the telephone
_COMMON = "零号十再谢上月见八说天打吧电二没三用到六下块在吗机听来开点话人里能行信五钱动么以都看得中分还九工祝可移退四手小家讲跟生国意问对七清子想也先两费多们着"  # and about another quarter
_SELDOM = 0.0007

Spelling = tuple[str, ...]  # the literals that one reading is made of
Stretch = tuple[Spelling, ...]  # the alternatives of a stretch without gaps


def expand(nodes: Nodes, most: int = MAX_EXPANSIONS) -> list[Spelling] | None:
    """All readings of a template without gaps and numbers; None when it has such, or too many readings."""
    spellings: list[Spelling] = [()]
    for node in nodes:
        if isinstance(node, Literal):
            choices: list[Spelling] = [(node.text,)]
        elif isinstance(node, Choice):
            choices = [()] if node.optional else []
            for option in node.options:
                expanded = expand(option, most)
                if expanded is None:
                    return None
                choices += expanded
        else:
            return None
        if len(spellings) * len(choices) > most:
            return None
        spellings = [begun + choice for begun in spellings for choice in choices]
    return spellings


def stretches(nodes: Nodes) -> tuple[Stretch, ...]:
    """The stretches of which every one must be there, the longest (in its shortest alternative) first."""
    found: list[Stretch] = []
    run: list[Spelling] = [()]
    for node in nodes:
        choices = expand((node,), _MAX_ALTERNATIVES)
        if choices is None or len(run) * len(choices) > _MAX_ALTERNATIVES:
            _keep(run, found)
            run = [()]
        if choices is not None:
            run = [begun + choice for begun in run for choice in choices]
        elif isinstance(node, Choice) and not node.optional:
            inner = [stretches(option) for option in node.options]
            if all(inner):
                found.append(tuple(spelling for option in inner for spelling in option[0]))
    _keep(run, found)
    return tuple(sorted(found, key=_length, reverse=True))


def _keep(run: list[Spelling], found: list[Stretch]) -> None:
    if all(run):  # no alternative is empty
        found.append(tuple(dict.fromkeys(run)))


def _length(stretch: Stretch) -> tuple[int, int]:
    return min(sum(map(len, spelling)) for spelling in stretch), -len(stretch)


def frequency(texts: Iterable[str]) -> float:
    """About how often one of some texts stands in speech, per character; texts of sounds stand more often."""
    often = _often()
    return sum(prod(often.get(char, _SELDOM) for char in text) for text in texts)


@lru_cache(maxsize=1)
def _often() -> dict[str, float]:
    """Of each character that is not seldom, and of its sound."""
    known: dict[str, float] = {}
    for chars, share in ((_COMMON, 0.005), (_EVERYWHERE, 0.02)):
        known.update(dict.fromkeys(phonetics().sound(chars), 3 * share))
        known.update(dict.fromkeys(chars, share))
    return known


def words(stretch: Stretch, hearing: Hearing) -> frozenset[str]:
    """What the alternatives of a stretch look like in the streams, without those that hold another one.

    By characters, or by sound in every reading of every literal; sounds are characters of their own, so both can be told apart.
    Single characters that a hearing takes by no sound but their own stay characters.
    """
    found: list[str] = []
    for spelling in stretch:
        if hearing == "chars" or (hearing == "sounds" and all(len(literal) == 1 for literal in spelling)):
            found.append("".join(spelling))
            continue
        readings = [""]
        for literal in spelling:
            readings = [begun + more for begun in readings for more in phonetics().readings(literal)]
        found += readings
    return _shortest_only(found)


def _shortest_only(texts: Iterable[str]) -> frozenset[str]:
    kept: list[str] = []
    for text in sorted(set(texts), key=len):
        if not any(shorter in text for shorter in kept):
            kept.append(text)
    return frozenset(kept)
