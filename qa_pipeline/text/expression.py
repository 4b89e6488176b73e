"""Templates as regular expressions: over characters, or over each character's sound followed by the character.

By sound a word of two syllables and more may be misheard; a single character (不, 我, 打) has too many homophones and must be the
character itself, unless doubt favours the agent and it stands in a run of others. Numerals must be numerals always: recognisers write
numbers as numbers. Every expression begins with what its first element can be wherever that can be written out, for then the
expression engine skips to the places where it may begin.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal as OneOf

from qa_pipeline.text.ordinary import homophones
from qa_pipeline.text.phonetic import phonetics
from qa_pipeline.text.template import Choice, Gap, Literal, Node, Nodes, Number, longest

Hearing = OneOf["chars", "sounds", "runs"]  # runs: by sound, single characters that stand beside others too
_NUMERALS = "零一二两三四五六七八九十百千万几半点多"
_MAX_HEADS = 600


@dataclass(frozen=True, slots=True)
class _Ear:
    """How an expression listens; ``left``/``right``: whether the stretch goes on beyond the nodes that are being written."""

    hearing: Hearing
    left: bool = False
    right: bool = False


_Placed = Sequence[tuple[Node, _Ear]]


def compile_expression(nodes: Nodes, hearing: Hearing) -> re.Pattern[str]:
    """The expression for a stream of characters, or for ``Stream.both``."""
    return re.compile(_headed(_place(nodes, _Ear(hearing))))


def _place(nodes: Nodes, ear: _Ear) -> _Placed:
    placed = []
    for nth, node in enumerate(nodes):
        left = not isinstance(nodes[nth - 1], Gap) if nth else ear.left
        right = not isinstance(nodes[nth + 1], Gap) if nth + 1 < len(nodes) else ear.right
        placed.append((node, _Ear(ear.hearing, left, right)))
    return placed


def _headed(placed: _Placed) -> str:
    """The expression with all that its beginning can be written out, where that is not too much."""
    first = next((nth for nth, (node, _) in enumerate(placed) if not (isinstance(node, Choice) and node.optional)), len(placed))
    heads = _heads(placed[: first + 1])
    if heads is None or len(heads) > _MAX_HEADS:
        return _write(placed)
    return (heads[0] if len(heads) == 1 else f"(?:{'|'.join(heads)})") + _write(placed[first + 1 :])


def _heads(placed: _Placed) -> list[str] | None:
    """Alternatives that begin with a fixed character, in the order in which ``_write`` would try them; None where there are none."""
    if not placed:
        return None
    (node, ear), rest = placed[0], placed[1:]
    if isinstance(node, Gap):
        return None
    after = _write(rest)
    if isinstance(node, Number):
        more = _numerals(ear, node.count - 1, 8 * node.count - 1) + after
        return [head + more for numeral in _NUMERALS for head in _readings(numeral, _Ear(ear.hearing))]
    if isinstance(node, Literal):
        return [reading + after for reading in _readings(node.text, ear)]
    heads: list[str] = []
    for option in _longest_first(node):
        inner = _heads(_place(option, ear))
        if inner is None or len(heads) > _MAX_HEADS:
            return None
        heads += [head + after for head in inner]
    if node.optional:
        without = _heads(rest)
        return None if without is None else heads + without
    return heads


def _write(placed: _Placed) -> str:
    return "".join(_node(node, ear) for node, ear in placed)


def _node(node: Node, ear: _Ear) -> str:
    if isinstance(node, Literal):
        readings = _readings(node.text, ear)
        return readings[0] if len(readings) == 1 else f"(?:{'|'.join(readings)})"
    if isinstance(node, Gap):
        return f".{{0,{node.size}}}?" if ear.hearing == "chars" else f"(?:..){{0,{node.size}}}?"
    if isinstance(node, Number):
        return _numerals(ear, node.count, 8 * node.count)
    inner = "|".join(_write(_place(option, ear)) for option in _longest_first(node))
    return f"(?:{inner}){'?' if node.optional else ''}"


def _numerals(ear: _Ear, least: int, most: int) -> str:
    often = f"{{{least},{most}}}"
    return f"[{_NUMERALS}]{often}" if ear.hearing == "chars" else f"(?:.[{_NUMERALS}]){often}"


def _longest_first(node: Choice) -> list[Nodes]:
    """So that 好的 is not read as 好."""
    return sorted(node.options, key=longest, reverse=True)


def _readings(text: str, ear: _Ear) -> list[str]:
    """The ways a literal may stand in the stream."""
    if ear.hearing == "chars":
        return [re.escape(text)]
    if len(text) > 1 or (ear.hearing == "runs" and (ear.left or ear.right)):
        others = "|".join(".".join(map(re.escape, other)) for other in homophones(text))
        taken = f"(?<!{others})" if others else ""  # what is said anyway is not this one misheard
        return ["".join(re.escape(sound) + "." for sound in reading) + taken for reading in phonetics().readings(text)]
    return ["".join(re.escape(sound + char) for sound, char in zip(phonetics().sound(text), text, strict=True))]
