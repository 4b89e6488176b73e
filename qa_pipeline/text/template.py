"""The grammar of phrase templates: what authors write, read into nodes.

    (取消|退订)~6(10086|营业厅)     ( | ) alternatives   [ ] may be missing   ~ up to 4 other characters, ~6 up to 6   # a spoken number

Authors can not write raw expressions, gaps are bounded and few, so no template can blow up (``check``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from qa_pipeline.text.normalise import normalise

FILLERS = "嗯啊呃哦噢喔诶欸唉哎呀哈"
_DROPPED = re.compile(rf"[\W_{FILLERS}]+")
_SIGN = re.compile(
    r"[，。？！；：、…?!;:$^*+\\{}]|(?<!\d)[.,]|[.,](?!\d)"
)  # stops, and what means something in a regular expression
DEFAULT_GAP = 4
MAX_GAP = 30
MAX_GAPS = 3
MAX_WAYS = (MAX_GAP + 1) ** MAX_GAPS


class PatternError(ValueError):
    """A template is wrong; the message is Chinese and says where."""


@dataclass(frozen=True, slots=True)
class Literal:
    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    size: int


@dataclass(frozen=True, slots=True)
class Number:
    count: int = 1  # ## is a number of two to sixteen characters, one expression instead of two that quarrel over where to part


@dataclass(frozen=True, slots=True)
class Choice:
    options: tuple[Nodes, ...]
    optional: bool


Node = Literal | Gap | Number | Choice
Nodes = tuple[Node, ...]


def strip(text: str) -> str:
    """What is left of normal text for matching: no punctuation, no spaces, no filler syllables. Each character by itself."""
    return _DROPPED.sub("", text)


@lru_cache(maxsize=16384)
def _kept(literal: str) -> str:
    return strip(normalise(literal).text)


def parse(source: str) -> Nodes:
    """A template's nodes; raises PatternError in Chinese when it is malformed, may be empty, or is too loose."""
    parser = _Parser(source)
    try:
        options = parser.sequence("")
    except RecursionError:
        raise PatternError(f"短语“{source[:20]}…”的括号一层套一层太深") from None
    nodes: Nodes = options[0] if len(options) == 1 else (Choice(options, optional=False),)
    if shortest(nodes) == 0:
        raise PatternError(f"短语“{source}”去掉标点和语气词以后可能什么也不剩")
    if _gap_count(nodes) > MAX_GAPS:
        raise PatternError(f"短语“{source}”的间隔 ~ 多于 {MAX_GAPS} 个，请拆成几个信号")
    if _ways(nodes) > MAX_WAYS:
        raise PatternError(f"短语“{source}”里的间隔 ~ 与数字 # 太多太宽，比对会很慢；请缩小间隔，或拆成几个信号")
    return nodes


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0

    def fail(self, message: str) -> PatternError:
        return PatternError(f"短语“{self.source}”第 {self.position + 1} 个字：{message}")

    def sequence(self, closing: str) -> tuple[Nodes, ...]:
        options: list[Nodes] = []
        nodes: list[Node] = []
        literal = ""

        def flush() -> None:
            nonlocal literal
            if literal and (kept := self.kept(literal)):
                nodes.append(Literal(kept))
            literal = ""

        while True:
            char = self.source[self.position : self.position + 1]
            if char and char not in "([|])~#":
                literal += char
                self.position += 1
                continue
            flush()
            if char == "":
                if closing:
                    raise self.fail(f"缺少“{closing}”")
                break
            self.position += 1
            if char == "|":
                options.append(tuple(nodes))
                nodes = []
            elif char in "([":
                inner = self.sequence(")" if char == "(" else "]")
                if char == "(" and not all(inner):
                    raise self.fail("( ) 里有一个选项去掉标点和语气词以后什么也不剩，等于可有可无；可有可无请写在 [ ] 里")
                nodes.append(Choice(inner, optional=char == "["))
            elif char == "~":
                nodes.append(Gap(self._size()))
            elif char == "#":
                if nodes and isinstance(nodes[-1], Number):
                    nodes[-1] = Number(nodes[-1].count + 1)
                else:
                    nodes.append(Number())
            elif char == closing:
                break
            else:
                self.position -= 1
                raise self.fail(f"多余的“{char}”")
        options.append(tuple(nodes))
        return tuple(options)

    def kept(self, literal: str) -> str:
        """What of it is looked for. What an author wrote and is dropped must not make the phrase stand everywhere."""
        kept = _kept(literal)
        if kept and (sign := _SIGN.search(literal)):
            raise self.fail(f"“{literal}”里的“{sign[0]}”不参加比对，请去掉（模板只认 ( | ) [ ] ~ #）")
        if len(kept) == 1 and any(char in FILLERS for char in literal):
            raise self.fail(f"“{literal}”去掉语气词只剩“{kept}”，会到处找到；请就写“{kept}”，或写长一点")
        return kept

    def _size(self) -> int:
        match = re.compile(r"\d{1,2}").match(self.source, self.position)
        if match is None:
            return DEFAULT_GAP
        self.position = match.end()
        size = int(match.group())
        if not 1 <= size <= MAX_GAP:
            raise self.fail(f"间隔只能是 1 到 {MAX_GAP} 个字")
        return size


def shortest(nodes: Nodes) -> int:
    """Characters of the shortest reading without its gaps."""
    total = 0
    for node in nodes:
        if isinstance(node, Literal):
            total += len(node.text)
        elif isinstance(node, Number):
            total += node.count
        elif isinstance(node, Choice) and not node.optional:
            total += min(shortest(option) for option in node.options)
    return total


def longest(nodes: Nodes) -> int:
    """Characters of the longest reading with its gaps full."""
    total = 0
    for node in nodes:
        if isinstance(node, Literal):
            total += len(node.text)
        elif isinstance(node, Choice):
            total += max(longest(option) for option in node.options)
        else:
            total += node.size if isinstance(node, Gap) else 8 * node.count
    return total


def _gap_count(nodes: Nodes) -> int:
    total = 0
    for node in nodes:
        if isinstance(node, Gap):
            total += 1
        elif isinstance(node, Choice):
            total += max(_gap_count(option) for option in node.options)
    return total


def _ways(nodes: Nodes) -> int:
    """In how many ways a template can lie at one place of a text: what an expression may have to try there before it gives up."""
    total = 1
    for node in nodes:
        if isinstance(node, Gap):
            total *= node.size + 1
        elif isinstance(node, Number):
            total *= 7 * node.count + 1
        elif isinstance(node, Choice):
            total *= max(_ways(option) for option in node.options)
    return total
