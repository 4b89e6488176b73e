"""Phrases and lexicons: exact on characters, phonetic on syllables, fuzzy by edit distance; the heart of the matching.

Strict (for what must not be said): characters, or the same syllables when the phrase has four or more of them.
Loose (for what must be said; doubt favours the agent): the same syllables at any length of two and more, else an edit distance that
grows with the length. Distance is only tried where nothing nearer was found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from qa_pipeline.model import Strength
from qa_pipeline.signals.base import Context, Hit, Scope, Where, Who, Window
from qa_pipeline.signals.kit import Finders, Kit, Matching
from qa_pipeline.signals.scope import make_scope
from qa_pipeline.signals.view import Passage, Position
from qa_pipeline.strict_yaml import Doc
from qa_pipeline.text.lexicon import Term
from qa_pipeline.text.pattern import Match, Pattern, allowed_distance
from qa_pipeline.text.phonetic import phonetics

PHONETIC_FROM_STRICT = 4  # syllables
PHONETIC_FROM_LOOSE = 2
UNLESS_REACH = 14  # stream characters around a hit in which an excuse must stand
QUOTE_REACH = 8  # and before it, for 您刚才说…
_TOLD_TO = frozenset("跟和给对向同")  # 跟您说 is what the speaker said, 您说 what the other did
_BEFORE_WHOLE = re.compile(r"^[我咱这那个也真就都可是反正]*$")
_AFTER_WHOLE = re.compile(r"^[的了呢嘛吧呀么]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseSpec:
    """短语：写在这里的或词库里的说法。"""

    kind: Literal["phrase"] = "phrase"
    label: Annotated[str, Doc("给人看的名字，如“公司名称”")]
    who: Annotated[Who, Doc("谁说的")] = "agent"
    phrases: Annotated[tuple[str, ...], Doc("短语模板：(甲|乙) 任选，[可省]，~6 至多隔六个字，# 数字")] = ()
    lexicons: Annotated[tuple[str, ...], Doc("词库名")] = ()
    unless: Annotated[tuple[str, ...], Doc("附近出现这些说法就不算")] = ()
    unless_lexicons: Annotated[tuple[str, ...], Doc("附近出现这些词库里的说法就不算")] = ()
    whole: Annotated[Literal["", "clause", "turn"], Doc("必须自成一句（clause）或自成一个话轮（turn）")] = ""
    bounded: Annotated[bool, Doc("两端必须是词的边界（按 jieba 分词）")] = False
    strength: Annotated[
        Literal["", "strict", "loose", "sounds", "exact"],
        Doc("strict 从严，loose 从宽，sounds 同音两个字起算而不容差音节，exact 只认原字；不写则违禁从严、应说从宽"),
    ] = ""
    once_per_turn: Annotated[bool, Doc("一个话轮里说几遍只算一次")] = False
    quoted: Annotated[bool, Doc("true：转述、引用别人的话也算")] = False
    where: Where = Where()

    def __post_init__(self) -> None:
        if not self.phrases and not self.lexicons:
            raise ValueError("phrases 与 lexicons 至少写一个")

    def bind(self, kit: Kit) -> Finders:
        terms = [Term(text=text) for text in self.phrases]
        for name in self.lexicons:
            terms += kit.terms(name)
        strength = self.strength or kit.default_strength
        entries = tuple(_entry(kit, term, self) for term in terms)
        searcher = _Searcher(
            spec=self,
            strict=strength in ("strict", "exact"),
            loose=strength == "loose",
            fuzzy=strength == "loose" and kit.matching == "tolerant",
            sounds_from=_sounds_from(strength, kit.matching),
            entries=entries,
            patterns={pattern.source: (pattern, entry) for entry in reversed(entries) for pattern in entry.patterns},
            unless=tuple(
                kit.pattern(text) for text in (*self.unless, *(t for name in self.unless_lexicons for t in kit.texts(name)))
            ),
            quoting=()
            if self.quoted or strength in ("loose", "sounds")
            else tuple(kit.pattern(text) for text in kit.texts("quoting")),
        )
        return Finders(find=searcher.find, nearest=searcher.nearest, scope=searcher.scope)


def _find_in(ctx: Context, window: Window, pattern: Pattern, by_sound: bool, runs: bool) -> Sequence[Match]:
    """A template's matches in a window; those in whole passages are kept for the other rules that use the template."""
    passage = window.passage
    if window.start or window.end != len(passage.chars):
        return pattern.find(window.chars, window.sounds, by_sound, window.start, runs)
    key = (pattern.source, by_sound, runs, passage.index)
    known = ctx.view.matches.get(key)
    if known is None:
        known = ctx.view.matches[key] = pattern.find(passage.chars, passage.sounds, by_sound, runs=runs)
    return known


def _sounds_from(strength: str, matching: Matching) -> int:
    """Syllables from which a phrase may be found by its sound alone."""
    if strength == "exact" or matching == "characters":
        return 99
    return PHONETIC_FROM_STRICT if strength == "strict" else PHONETIC_FROM_LOOSE


@dataclass(frozen=True, slots=True)
class _Entry:
    """One term: the ways to say it and what takes it back."""

    patterns: tuple[Pattern, ...]
    unless: tuple[Pattern, ...]
    whole: str
    bounded: bool
    said_as: str


def _entry(kit: Kit, term: Term, spec: PhraseSpec) -> _Entry:
    return _Entry(
        patterns=tuple(kit.pattern(text) for text in (term.text, *term.variants)),
        unless=tuple(kit.pattern(text) for text in term.unless),
        whole=term.whole or spec.whole,
        bounded=term.bounded or spec.bounded,
        said_as=term.text if term.variants else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Searcher:
    spec: PhraseSpec
    strict: bool
    loose: bool
    fuzzy: bool
    sounds_from: int
    entries: tuple[_Entry, ...]
    patterns: Mapping[str, tuple[Pattern, _Entry]]  # by source
    unless: tuple[Pattern, ...]
    quoting: tuple[Pattern, ...]

    def scope(self, ctx: Context) -> Scope:
        who: Who = "any" if ctx.both_roles and not self.strict else self.spec.who
        return make_scope(ctx, who, self.spec.where)

    def find(self, ctx: Context) -> tuple[Hit, ...]:
        """All hits; what other rules already asked of this call in the same words is not looked for again."""
        if not self.spec.where.alone:
            hits, excused = self._look(ctx)
        else:
            key = (self.spec, self.sounds_from, self.loose, ctx.both_roles)
            known = ctx.view.asked.get(key)
            hits, excused = ctx.view.asked[key] = known if known is not None else self._look(ctx)
        ctx.excused += excused
        return hits

    def _look(self, ctx: Context) -> tuple[tuple[Hit, ...], tuple[Hit, ...]]:
        windows = self.scope(ctx).windows
        found = self._matches(ctx, windows)
        if not found and self.fuzzy:
            found = self._fuzzy(windows)
        hits: list[Hit] = []
        excused: list[Hit] = []
        taken: dict[int, list[tuple[int, int]]] = {}
        found.sort(key=lambda item: (item[0].passage.index, item[1].start, -item[1].end, item[1].heard_as))
        for window, match, entry in found:
            spans = taken.setdefault(window.passage.index, [])
            if any(match.start < end and start < match.end for start, end in spans):
                continue
            excuse = self._excuse(window.passage, match, entry)
            if excuse is not None:
                excused.append(replace(passage_hit(window.passage, match), note=excuse))
                continue
            spans.append((match.start, match.end))
            hits.append(passage_hit(window.passage, match))
        hits.sort(key=lambda hit: hit.position)
        return tuple(_once(hits) if self.spec.once_per_turn else hits), tuple(excused)

    def _matches(self, ctx: Context, windows: tuple[Window, ...]) -> list[tuple[Window, Match, _Entry]]:
        found: list[tuple[Window, Match, _Entry]] = []
        by_passage: dict[int, list[Window]] = {}
        for window in windows:
            by_passage.setdefault(window.passage.index, []).append(window)
        searched = by_passage.keys()
        for source, passages in ctx.index.present(self.patterns.keys()):
            pattern, entry = self.patterns[source]
            by_sound = pattern.syllables >= self.sounds_from
            for index in sorted(passages & searched):
                for window in by_passage[index]:
                    found += [(window, match, entry) for match in _find_in(ctx, window, pattern, by_sound, self.loose)]
        return found

    def _fuzzy(self, windows: tuple[Window, ...]) -> list[tuple[Window, Match, _Entry]]:
        found = []
        for window in windows:
            split = phonetics().split(window.sounds)
            for entry in self.entries:
                for pattern in entry.patterns:
                    match = pattern.nearest(split)
                    if match is not None and match.distance <= allowed_distance(len(match.heard_as)):
                        found.append((window, _shifted(match, window.start), entry))
        return found

    def nearest(self, ctx: Context) -> Hit | None:
        """The nearest thing heard, however far, for the evidence of an omission."""
        best: tuple[float, Window, Match] | None = None
        for window in self.scope(ctx).windows:
            split = phonetics().split(window.sounds)
            for entry in self.entries:
                for pattern in entry.patterns:
                    match = pattern.nearest(split)
                    if match is not None:
                        relative = match.distance / len(match.heard_as)
                        if best is None or relative < best[0]:
                            best = (relative, window, match)
        if best is None or best[0] > 0.6:
            return None
        _, window, match = best
        return passage_hit(window.passage, _shifted(match, window.start))

    def _excuse(self, passage: Passage, match: Match, entry: _Entry) -> str | None:
        if match.strength is Strength.FUZZY:
            return None
        if entry.whole and not _stands_alone(passage, match, entry.whole):
            return "不是单独成句，不算"
        if entry.bounded and not _on_word_bounds(passage, match):
            return "不是完整的词，不算"
        low, high = max(0, match.start - UNLESS_REACH), min(len(passage.chars), match.end + UNLESS_REACH)
        for pattern in (*entry.unless, *self.unless):
            if found := pattern.chars.search(passage.chars, low, high):
                return f"附近有“{found.group()}”，不算"
        for pattern in self.quoting:
            for found in pattern.chars.finditer(passage.chars, max(0, match.start - QUOTE_REACH), match.start):
                if passage.chars[max(0, found.start() - 1) : found.start()] not in _TOLD_TO:
                    return f"前面是“{found.group()}”，属于转述或否定，不算"
        return None


def _shifted(match: Match, by: int) -> Match:
    return replace(match, start=match.start + by, end=match.end + by)


def passage_hit(passage: Passage, match: Match) -> Hit:
    """A match in a passage's stream as a hit with its turn, seconds, heard characters and confidence."""
    start_s, end_s = passage.seconds(match.start, match.end)
    last = passage.position(match.end - 1)  # the end lies in the turn of the last character, even if the passage goes on
    return Hit(
        signal="",
        position=passage.position(match.start),
        end=Position(last.turn, last.char + 1),
        role=passage.role,
        quote=passage.raw(match.start, match.end),
        heard_as=match.heard_as,
        strength=match.strength,
        distance=match.distance,
        start_s=start_s,
        end_s=end_s,
        confidence=passage.confidence(match.start, match.end),
        passage=passage.index,
        span=(match.start, match.end),
    )


def window_hit(window: Window, span: tuple[int, int], heard_as: str, strength: Strength) -> Hit:
    """The same for a span of a window."""
    start, end = span[0] + window.start, span[1] + window.start
    return passage_hit(window.passage, Match(start=start, end=end, heard_as=heard_as, strength=strength, distance=0))


def _once(hits: list[Hit]) -> list[Hit]:
    seen: set[int] = set()
    kept = []
    for hit in hits:
        if hit.position.turn not in seen:
            seen.add(hit.position.turn)
            kept.append(hit)
    return kept


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
