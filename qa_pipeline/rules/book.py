"""The rule book: compiled rules, one index over all their phrases, one digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from qa_pipeline.acts.reader import ActReader
from qa_pipeline.rules.base import RuleSpec, strengths
from qa_pipeline.rules.fairness import Fairness
from qa_pipeline.signals.base import Bound
from qa_pipeline.signals.kit import Kit
from qa_pipeline.text.index import PhraseIndex
from qa_pipeline.text.lexicon import Lexicon


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule ready to judge."""

    spec: RuleSpec
    signals: Mapping[str, Bound]
    path: str

    @property
    def clause(self) -> str:
        return self.spec.clause


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """All rules of a centre. ``digest`` (SHA-256, hex) stands for every rule and lexicon file."""

    rules: tuple[Rule, ...]
    lexicons: Mapping[str, Lexicon]
    digest: str
    index: PhraseIndex
    activation: Bound  # 为客户开通: tells a sale where the call data do not
    fairness: Fairness = Fairness()
    reader: ActReader = field(default_factory=ActReader)

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
            each=finders.each,
        )
    return Rule(spec=spec, signals=signals, path=path)
