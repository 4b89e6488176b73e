"""The rule book: compiled rules, one automaton over all their phrases, one digest."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from qa_pipeline.rules.base import RuleSpec, strengths
from qa_pipeline.rules.fairness import Fairness
from qa_pipeline.signals.base import Bound
from qa_pipeline.signals.kit import Kit
from qa_pipeline.signals.view import View
from qa_pipeline.text.lexicon import Lexicon
from qa_pipeline.text.pattern import Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule ready to judge."""

    spec: RuleSpec
    signals: Mapping[str, Bound]
    path: str

    @property
    def clause(self) -> str:
        return self.spec.clause


class PhraseIndex:
    """One pass over a call finds, for every template of the book, the passages in which one of its anchors sounds."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        import ahocorasick

        by_anchor: dict[str, set[str]] = {}
        for pattern in patterns:
            for anchor in pattern.anchors:
                by_anchor.setdefault(anchor, set()).add(pattern.source)
        self._automaton: Any = ahocorasick.Automaton()
        for anchor, sources in by_anchor.items():
            self._automaton.add_word(anchor, tuple(sorted(sources)))
        if by_anchor:
            self._automaton.make_automaton()
        self._empty = not by_anchor

    def scan(self, view: View) -> ScannedCall:
        found: dict[str, set[int]] = {}
        if not self._empty:
            starts = view.starts
            for end, sources in self._automaton.iter(view.sounds):
                passage = bisect_right(starts, end) - 1
                for source in sources:
                    if source in found:
                        found[source].add(passage)
                    else:
                        found[source] = {passage}
        return ScannedCall(found)


class ScannedCall:
    """The index of one call."""

    def __init__(self, found: Mapping[str, set[int]]) -> None:
        self._found = found

    def present(self, patterns: Collection[str]) -> Iterable[tuple[str, set[int]]]:
        """Of ``patterns`` those that may be in the call, with the passages, in a fixed order."""
        return [(source, self._found[source]) for source in sorted(self._found.keys() & patterns)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """All rules of a centre. ``digest`` (SHA-256, hex) stands for every rule and lexicon file."""

    rules: tuple[Rule, ...]
    lexicons: Mapping[str, Lexicon]
    digest: str
    index: PhraseIndex
    activation: Bound  # 为客户开通: tells a sale where the call data do not
    fairness: Fairness = Fairness()

    def rule(self, clause: str) -> Rule:
        """The rule of a clause; KeyError when there is none."""
        for rule in self.rules:
            if rule.clause == clause or rule.spec.rule == clause:
                return rule
        raise KeyError(clause)

    @property
    def clauses(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rule.clause for rule in self.rules))


def bind_rule(spec: RuleSpec, path: str, kit: Kit) -> Rule:
    """Compiles a rule's signals; raises PatternError or BindError in Chinese."""
    signals = {}
    wanted = strengths(spec)
    for name, signal in spec.signals.items():
        finders = signal.bind(replace(kit, default_strength=wanted[name]))
        signals[name] = Bound(
            name=name,
            label=signal.label,
            role=getattr(signal, "who", "any"),
            find=finders.find,
            nearest=finders.nearest,
            scope=finders.scope,
        )
    return Rule(spec=spec, signals=signals, path=path)
