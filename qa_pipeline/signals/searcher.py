"""Looks for one signal's phrases in a call: only those that the index of the call tells of, only where it tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from qa_pipeline.signals.base import Context, Hit, Scope
from qa_pipeline.signals.beside import Beside, Shape
from qa_pipeline.signals.hit import passage_hit
from qa_pipeline.signals.kit import Kit, Matching
from qa_pipeline.signals.near import Near
from qa_pipeline.signals.scope import Part, make_scope, part_of
from qa_pipeline.signals.view import Passage, Searched, View
from qa_pipeline.text.index import Phrases
from qa_pipeline.text.lexicon import Term
from qa_pipeline.text.pattern import Hearing, Match, Pattern, compile_pattern

if TYPE_CHECKING:
    from qa_pipeline.signals.phrase import PhraseSpec

PHONETIC_FROM_STRICT = 4  # syllables
PHONETIC_FROM_LOOSE = 2
_NOT_BY_SOUND = 99

_Found = tuple[int, int, int, str, Match, "_Entry"]  # sorts by passage, place, length, phrase


class _Entry(NamedTuple):
    """One way to say it and what takes it back."""

    pattern: Pattern
    hearing: Hearing
    shape: Shape | None
    beside: Beside | None


def make_searcher(kit: Kit, spec: PhraseSpec, terms: Sequence[Term]) -> Searcher:
    """The searcher of a signal; signals that ask for the same in every way share one, and with it what it finds in a call."""
    strength = spec.strength or kit.default_strength
    key = (spec, strength, kit.matching)
    searchers = kit.shared.searchers
    if key not in searchers:
        searchers[key] = _make(kit, spec, strength, terms)
    kit.used |= dict.fromkeys(searchers[key].used)
    return searchers[key]


def _make(kit: Kit, spec: PhraseSpec, strength: str, terms: Sequence[Term]) -> Searcher:
    unless = (*spec.unless, *(text for name in spec.unless_lexicons for text in kit.texts(name)))
    quoting = () if spec.quoted or strength in ("loose", "sounds") else kit.texts("quoting")
    sounds_from = _sounds_from(strength, kit.matching)
    by_sound: Hearing = "runs" if strength == "loose" else "sounds"
    entries: dict[str, _Entry] = {}
    patterns: list[Pattern] = []
    for term in terms:
        beside = Beside(kit.shared.by_characters((*term.unless, *unless)), kit.shared.by_characters(quoting))
        shape = Shape(term.whole or spec.whole, term.bounded or spec.bounded)
        for text in (term.text, *term.variants):
            pattern = compile_pattern(text)
            patterns.append(pattern)
            hearing: Hearing = by_sound if pattern.syllables >= sounds_from else "chars"
            entry = _Entry(pattern, hearing, shape if any(shape) else None, beside if any(p.wanted for p in beside) else None)
            entries.setdefault(pattern.source, entry)
    strict = strength in ("strict", "exact")
    return Searcher(
        own=part_of(spec.who, spec.where),
        guessed=part_of(spec.who if strict else "any", spec.where),
        phrases=Phrases((entry.pattern, entry.hearing) for entry in entries.values()),
        entries=tuple(entries.values()),
        near=Near(patterns),
        fuzzy=strength == "loose" and kit.matching == "tolerant",
        once_per_turn=spec.once_per_turn,
    )


def _sounds_from(strength: str, matching: Matching) -> int:
    """Syllables from which a phrase may be found by its sound alone."""
    if strength == "exact" or matching == "characters":
        return _NOT_BY_SOUND
    return PHONETIC_FROM_STRICT if strength == "strict" else PHONETIC_FROM_LOOSE


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Searcher:
    """Finds the phrases of a signal. ``guessed``: where it looks when roles are guessed."""

    own: Part
    guessed: Part
    phrases: Phrases
    entries: tuple[_Entry, ...]  # one for each of the phrases
    near: Near
    fuzzy: bool
    once_per_turn: bool

    @property
    def used(self) -> tuple[Phrases, ...]:
        """What the index of a call must tell of."""
        return (self.phrases, *(phrases for entry in self.entries if entry.beside is not None for phrases in entry.beside))

    def scope(self, ctx: Context) -> Scope:
        return make_scope(ctx, self.guessed if ctx.both_roles else self.own)

    def find(self, ctx: Context) -> tuple[Hit, ...]:
        """All hits; what other rules already asked of this call in the same words is not looked for again."""
        if self.own.alone:
            known = ctx.view.asked.get(self)
            if known is None:
                known = ctx.view.asked[self] = self._look(ctx)
            hits, excused = known
        else:
            hits, excused = self._look(ctx)
        ctx.excused += excused
        return hits

    def nearest(self, ctx: Context) -> Hit | None:
        """The nearest thing heard, however far, for the evidence of an omission."""
        return self.near.nearest(self.scope(ctx))

    def _look(self, ctx: Context) -> tuple[tuple[Hit, ...], tuple[Hit, ...]]:
        scope = self.scope(ctx)
        found: list[_Found] = []
        for nth, passages in ctx.index.of(self.phrases):
            if passages & scope.passages:
                _search(ctx.view, self.entries[nth], passages & scope.passages, scope, found)
        if not found:
            return (self._kept(self.near.allowed(scope)) if self.fuzzy else ()), ()
        found.sort(key=_by_place)
        hits: list[Hit] = []
        excused: list[Hit] = []
        passage: Passage | None = None
        taken_to = 0  # what begins before it overlaps an earlier, longer or preferred hit
        for index, _, _, _, match, (_, _, shape, beside) in found:
            if passage is None or index != passage.index:
                passage, taken_to = ctx.view.passages[index], 0
            if match[0] < taken_to:
                continue
            excuse = (shape and shape.excuse(passage, match)) or (beside and beside.excuse(ctx, passage, match))
            if excuse:
                excused.append(passage_hit(passage, match, excuse))
            else:
                taken_to = match[1]
                hits.append(passage_hit(passage, match))
        return self._kept(hits), tuple(excused)

    def _kept(self, hits: Iterable[Hit]) -> tuple[Hit, ...]:
        ordered = sorted(hits, key=_position)
        if not self.once_per_turn:
            return tuple(ordered)
        first: dict[int, Hit] = {}
        for hit in ordered:
            first.setdefault(hit.position.turn, hit)
        return tuple(first.values())


def _search(view: View, entry: _Entry, mask: int, scope: Scope, found: list[_Found]) -> None:
    """Adds the matches of a template in these passages, as far as they are in the scope.

    What was searched from end to end for one signal is not searched again for another.
    """
    pattern, hearing = entry[0], entry[1]
    done = view.searched[hearing]
    searched = done.get(pattern.source)
    if searched is None:
        searched = done[pattern.source] = Searched()
    whole = mask & scope.whole
    new = whole & ~searched.passages
    searched.passages |= new
    while new:
        index = (new & -new).bit_length() - 1
        new &= new - 1
        passage = view.passages[index]
        start = passage.start
        if matches := pattern.matches(view.stream, start, start + passage.length, hearing, start):
            searched.found[index] = matches
    for index, matches in searched.found.items():
        if whole >> index & 1:
            found += [(index, match[0], -match[1], match[2], match, entry) for match in matches]
    part = mask & ~whole
    while part:
        index = (part & -part).bit_length() - 1
        part &= part - 1
        start = view.passages[index].start
        for window in scope.inside(index):
            matches = pattern.matches(view.stream, start + window.start, start + window.end, hearing, start)
            found += [(index, match[0], -match[1], match[2], match, entry) for match in matches]


def _by_place(item: _Found) -> tuple[int, int, int, str]:
    return item[:4]


def _position(hit: Hit) -> tuple[int, int]:
    return hit.position
