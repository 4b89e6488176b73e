"""What must stand in a text for a template to be found there: the fixed stretches of its readings.

A template is looked for only where one alternative of each of its stretches stands; an automaton finds the stretches of the whole rule
book in one pass over a call (``text.index``).
"""

from __future__ import annotations

from collections.abc import Iterable

from qa_pipeline.text.phonetic import phonetics
from qa_pipeline.text.template import Choice, Literal, Nodes

MAX_EXPANSIONS = 400  # texts of a template that can be written out
_MAX_ALTERNATIVES = 60  # texts of one stretch

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
    """The stretches of which every one must be there, the most telling first (longest in its shortest alternative, then fewest)."""
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
    return tuple(sorted(found, key=_telling, reverse=True))


def _keep(run: list[Spelling], found: list[Stretch]) -> None:
    if all(run):  # no alternative is empty
        found.append(tuple(dict.fromkeys(run)))


def _telling(stretch: Stretch) -> tuple[int, int]:
    return min(sum(map(len, spelling)) for spelling in stretch), -len(stretch)


def written(stretch: Stretch) -> frozenset[str]:
    """The alternatives of a stretch in characters, without those that hold another one."""
    return _shortest_only("".join(spelling) for spelling in stretch)


def sounding(stretch: Stretch) -> frozenset[str]:
    """The same in sounds, in every reading of every literal."""
    heard: list[str] = []
    for spelling in stretch:
        readings = [""]
        for literal in spelling:
            readings = [begun + more for begun in readings for more in phonetics().readings(literal)]
        heard += readings
    return _shortest_only(heard)


def _shortest_only(texts: Iterable[str]) -> frozenset[str]:
    kept: list[str] = []
    for text in sorted(set(texts), key=len):
        if not any(shorter in text for shorter in kept):
            kept.append(text)
    return frozenset(kept)
