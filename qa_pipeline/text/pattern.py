"""Phrase templates: how authors write what people say, and how it is found by characters, by sound and by edit distance.

    (取消|退订)~6(10086|营业厅)     ( | ) alternatives   [ ] may be missing   ~ up to 4 other characters, ~6 up to 6   # a spoken number

A template compiles to two linear regular expressions of the same shape, one over characters and one that takes words by sound. Authors can
not write raw expressions, gaps are bounded and few, so no template can blow up. ``anchors`` are sounds of which at least one must be
present: an automaton finds them for the whole rule book in one pass, and only then an expression runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from operator import add

from qa_pipeline.model import Strength
from qa_pipeline.text.normalise import normalise
from qa_pipeline.text.phonetic import phonetics

FILLERS = "嗯啊呃哦噢喔诶欸唉哎呀哈"
KEPT = re.compile(rf"[^\W_{FILLERS}]")
_DROPPED = re.compile(rf"[\W_{FILLERS}]+")
_NUMERALS = "零一二两三四五六七八九十百千万几半点多"
DEFAULT_GAP = 4
MAX_GAP = 30
MAX_GAPS = 3
MAX_WAYS = (MAX_GAP + 1) ** MAX_GAPS
MAX_EXPANSIONS = 400
FUZZY_FROM = 4  # syllables; shorter phrases collide (35号 ~ 上午好, 多扣了 ~ 喝多了)


class PatternError(ValueError):
    """A template is wrong; the message is Chinese and says where."""


@dataclass(frozen=True, slots=True)
class _Literal:
    text: str


@dataclass(frozen=True, slots=True)
class _Gap:
    size: int


@dataclass(frozen=True, slots=True)
class _Number:
    count: int = 1  # ## is a number of two to sixteen characters, one expression instead of two that quarrel over where to part


@dataclass(frozen=True, slots=True)
class _Choice:
    options: tuple[tuple[_Node, ...], ...]
    optional: bool


_Node = _Literal | _Gap | _Number | _Choice


def strip(text: str) -> str:
    """What is left of normal text for matching: no punctuation, no spaces, no filler syllables."""
    return _DROPPED.sub("", text)


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0

    def fail(self, message: str) -> PatternError:
        return PatternError(f"短语“{self.source}”第 {self.position + 1} 个字：{message}")

    def sequence(self, closing: str) -> tuple[tuple[_Node, ...], ...]:
        options: list[tuple[_Node, ...]] = []
        nodes: list[_Node] = []
        literal = ""

        def flush() -> None:
            nonlocal literal
            kept = strip(normalise(literal).text)
            if kept:
                nodes.append(_Literal(kept))
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
                nodes.append(_Choice(inner, optional=char == "["))
            elif char == "~":
                nodes.append(_Gap(self._size()))
            elif char == "#":
                if nodes and isinstance(nodes[-1], _Number):
                    nodes[-1] = _Number(nodes[-1].count + 1)
                else:
                    nodes.append(_Number())
            elif char == closing:
                break
            else:
                self.position -= 1
                raise self.fail(f"多余的“{char}”")
        options.append(tuple(nodes))
        return tuple(options)

    def _size(self) -> int:
        match = re.compile(r"\d{1,2}").match(self.source, self.position)
        if match is None:
            return DEFAULT_GAP
        self.position = match.end()
        size = int(match.group())
        if not 1 <= size <= MAX_GAP:
            raise self.fail(f"间隔只能是 1 到 {MAX_GAP} 个字")
        return size


@dataclass(frozen=True, slots=True)
class _Ear:
    """How an expression listens: to ``sounds`` at all; and single characters too, where they stand in a ``runs`` of two and more.

    ``left``/``right``: whether the stretch goes on beyond the nodes that are being written.
    """

    sounds: bool = False
    runs: bool = False
    left: bool = False
    right: bool = False


def _regex(nodes: tuple[_Node, ...], ear: _Ear) -> str:
    """The expression over characters, or over characters and sounds in turn (``_interleave``).

    By sound a word of two syllables and more may be misheard; a single character (不, 我, 打) has too many homophones and must be
    the character itself, unless doubt favours the agent and it stands in a run. Numerals must be numerals always: recognisers
    write numbers as numbers.
    """
    parts = []
    for nth, node in enumerate(nodes):
        left = not isinstance(nodes[nth - 1], _Gap) if nth else ear.left
        right = not isinstance(nodes[nth + 1], _Gap) if nth + 1 < len(nodes) else ear.right
        if isinstance(node, _Literal):
            by_sound = ear.sounds and (len(node.text) > 1 or (ear.runs and (left or right)))
            parts.append(_sounding(node.text) if by_sound else _exact(node.text, ear.sounds))
        elif isinstance(node, _Gap):
            parts.append(f"(?:..){{0,{node.size}}}?" if ear.sounds else f".{{0,{node.size}}}?")
        elif isinstance(node, _Number):
            often = f"{{{node.count},{8 * node.count}}}"
            parts.append(f"(?:[{_NUMERALS}].){often}" if ear.sounds else f"[{_NUMERALS}]{often}")
        else:
            longest_first = sorted(node.options, key=_longest, reverse=True)  # so that 好的 is not read as 好
            inner = "|".join(_regex(option, replace(ear, left=left, right=right)) for option in longest_first)
            parts.append(f"(?:{inner}){'?' if node.optional else ''}")
    return "".join(parts)


def _exact(text: str, interleaved: bool) -> str:
    return "".join(re.escape(char) + "." for char in text) if interleaved else re.escape(text)


def _sounding(text: str) -> str:
    readings = ["".join("." + re.escape(sound) for sound in reading) for reading in phonetics().readings(text)]
    return readings[0] if len(readings) == 1 else f"(?:{'|'.join(readings)})"


@lru_cache(maxsize=2048)
def _interleave(chars: str, sounds: str) -> str:
    """Each character followed by its sound: one expression can ask for either."""
    return "".join(map(add, chars, sounds))


def _expand(nodes: tuple[_Node, ...]) -> list[str] | None:
    """All texts of a gapless template; None when it has gaps or numbers, or too many."""
    texts = [""]
    for node in nodes:
        if isinstance(node, _Literal):
            choices = [node.text]
        elif isinstance(node, _Choice):
            choices = [""] if node.optional else []
            for option in node.options:
                expanded = _expand(option)
                if expanded is None:
                    return None
                choices += expanded
        else:
            return None
        texts = [text + choice for text in texts for choice in choices]
        if len(texts) > MAX_EXPANSIONS:
            return None
    return texts


def _anchors(nodes: tuple[_Node, ...]) -> tuple[str, ...]:
    """The best set of texts of which one must occur: from the stretch whose shortest text is longest."""
    best: tuple[str, ...] = ()
    run: list[str] = [""]

    def consider(candidates: list[str]) -> None:
        nonlocal best
        worst = min(map(len, candidates), default=0)
        if worst and (not best or worst > min(map(len, best))):
            best = tuple(dict.fromkeys(candidates))

    for node in nodes:
        expanded = _expand((node,))
        if expanded is None and isinstance(node, _Choice) and not node.optional:
            inner = [_anchors(option) for option in node.options]
            if all(inner):
                consider([text for option in inner for text in option])
        if expanded is None or (isinstance(node, _Choice) and node.optional):
            consider(run)
            run = [""]
            continue
        if len(run) * len(expanded) > 60:
            consider(run)
            run = [""]
        run = [text + more for text in run for more in expanded]
    consider(run)
    return best


def _shortest(nodes: tuple[_Node, ...]) -> int:
    total = 0
    for node in nodes:
        if isinstance(node, _Literal):
            total += len(node.text)
        elif isinstance(node, _Number):
            total += node.count
        elif isinstance(node, _Choice) and not node.optional:
            total += min(_shortest(option) for option in node.options)
    return total


def _longest(nodes: tuple[_Node, ...]) -> int:
    total = 0
    for node in nodes:
        if isinstance(node, _Literal):
            total += len(node.text)
        elif isinstance(node, _Choice):
            total += max(_longest(option) for option in node.options)
        else:
            total += node.size if isinstance(node, _Gap) else 8 * node.count
    return total


def _gap_count(nodes: tuple[_Node, ...]) -> int:
    total = 0
    for node in nodes:
        if isinstance(node, _Gap):
            total += 1
        elif isinstance(node, _Choice):
            total += max(_gap_count(option) for option in node.options)
    return total


def _ways(nodes: tuple[_Node, ...]) -> int:
    """In how many ways a template can lie at one place of a text: what an expression may have to try there before it gives up."""
    total = 1
    for node in nodes:
        if isinstance(node, _Gap):
            total *= node.size + 1
        elif isinstance(node, _Number):
            total *= 7 * node.count + 1
        elif isinstance(node, _Choice):
            total *= max(_ways(option) for option in node.options)
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Where a template was found in a stream; ``heard_as`` is the phrase it stands for."""

    start: int
    end: int
    heard_as: str
    strength: Strength
    distance: float  # syllables changed


@dataclass(frozen=True, eq=False)
class Pattern:
    """One template, checked; what it compiles to is made when it is first asked for.

    ``syllables`` is the length of its shortest reading without gaps, ``anchors`` are sounds of which one must be there.
    """

    source: str
    anchors: tuple[str, ...]
    syllables: int
    _nodes: tuple[_Node, ...] = field(repr=False)

    @cached_property
    def chars(self) -> re.Pattern[str]:
        """Over characters."""
        return re.compile(_regex(self._nodes, _Ear()))

    @cached_property
    def sounds(self) -> re.Pattern[str]:
        """Over characters and sounds in turn: words by their sound."""
        return re.compile(_regex(self._nodes, _Ear(sounds=True)))

    @cached_property
    def runs(self) -> re.Pattern[str]:
        """The same, single characters that stand beside others too."""
        return re.compile(_regex(self._nodes, _Ear(sounds=True, runs=True)))

    @cached_property
    def literals(self) -> tuple[tuple[str, str], ...]:
        """(text, split sounds) of the gapless readings that are long enough for edit distance."""
        table = phonetics()
        texts = [text for text in (_expand(self._nodes) or []) if len(text) >= FUZZY_FROM]
        return tuple((text, table.split(table.sound(text))) for text in texts)

    def find(self, chars: str, sounds: str, by_sound: bool, offset: int = 0, runs: bool = False) -> list[Match]:
        """All matches, leftmost first, not overlapping; ``offset`` is where the strings begin in their stream.

        ``by_sound`` takes words by their sound, ``runs`` also single characters that stand beside others.
        """
        found = []
        step = 2 if by_sound else 1
        expression = self.chars if not by_sound else self.runs if runs else self.sounds
        text = _interleave(chars, sounds) if by_sound else chars
        position = 0
        while (match := expression.search(text, position)) is not None:
            if match.start() % step:
                position = match.start() + 1
                continue
            start, end = match.start() // step, match.end() // step
            exact = not by_sound or self.chars.fullmatch(chars, start, end) is not None
            strength = Strength.EXACT if exact else Strength.PHONETIC
            found.append(Match(start=start + offset, end=end + offset, heard_as=self.source, strength=strength, distance=0))
            position = match.end()
        return found

    def nearest(self, split: str) -> Match | None:
        """The closest stretch by edit distance over initials and finals, however far; None for templates with gaps or too short.

        ``split`` is the text's sounds as ``Phonetics.split`` gives them; the match counts in characters, its distance in syllables.
        """
        from rapidfuzz import fuzz

        best: Match | None = None
        best_score = 0.0
        for text, halves in self.literals:
            if len(split) < len(halves) - 2:
                continue
            aligned = fuzz.partial_ratio_alignment(halves, split, score_cutoff=max(best_score, 40.0))
            if aligned is None or aligned.score <= best_score:
                continue
            best_score = aligned.score
            distance = _distance(halves, split[aligned.dest_start : aligned.dest_end]) / 2
            start, end = aligned.dest_start // 2, (aligned.dest_end + 1) // 2
            best = Match(start=start, end=end, heard_as=text, strength=Strength.FUZZY, distance=distance)
        return best


def _distance(left: str, right: str) -> int:
    from rapidfuzz.distance import Levenshtein

    return int(Levenshtein.distance(left, right))


def allowed_distance(syllables: int) -> float:
    """Edits, in syllables, that still count as the same phrase where doubt favours the agent: a quarter of its sounds."""
    return 0.0 if syllables < FUZZY_FROM else syllables // 2 / 2


@lru_cache(maxsize=8192)
def compile_pattern(source: str) -> Pattern:
    """Compiles a template; raises PatternError in Chinese when it is malformed, empty or too loose."""
    parser = _Parser(source)
    try:
        options = parser.sequence("")
    except RecursionError:
        raise PatternError(f"短语“{source[:20]}…”的括号一层套一层太深") from None
    nodes: tuple[_Node, ...] = options[0] if len(options) == 1 else (_Choice(options, optional=False),)
    if _shortest(nodes) == 0:
        raise PatternError(f"短语“{source}”去掉标点和语气词以后可能什么也不剩")
    if _gap_count(nodes) > MAX_GAPS:
        raise PatternError(f"短语“{source}”的间隔 ~ 多于 {MAX_GAPS} 个，请拆成几个信号")
    if _ways(nodes) > MAX_WAYS:
        raise PatternError(f"短语“{source}”里的间隔 ~ 与数字 # 太多太宽，比对会很慢；请缩小间隔，或拆成几个信号")
    anchors = _anchors(nodes)
    if not anchors:
        raise PatternError(f"短语“{source}”没有任何固定的字，无法定位")
    return Pattern(
        source=source,
        anchors=tuple(dict.fromkeys(reading for anchor in anchors for reading in phonetics().readings(anchor))),
        syllables=_shortest(nodes),
        _nodes=nodes,
    )
