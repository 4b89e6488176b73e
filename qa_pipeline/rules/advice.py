"""What to say instead: of a rule that wants several things said, the sentences for those that were not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qa_pipeline.rules.base import RuleSpec
from qa_pipeline.rules.links import reachable


def advice(spec: RuleSpec, missing: Sequence[str], rules: Mapping[str, RuleSpec]) -> str:
    """``missing``: the labels of the parts that were not heard, ``rules``: all rules by their id.

    A part that is borrowed is told in the words of the rule that owns it (C3 without the end of the trial: those of A13); nothing
    missing, or nothing that the rule knows any more, is told in the rule's own.
    """
    told = dict.fromkeys(_owner(spec, label, rules).instead for label in missing)
    return "".join(told) or spec.instead


def _owner(spec: RuleSpec, label: str, rules: Mapping[str, RuleSpec]) -> RuleSpec:
    """The rule that demands this part by itself, through a signal that it lends; else the rule itself."""
    names = {name for name in spec.judge.names() if name in spec.signals and spec.signals[name].label == label}
    reached = reachable(spec.signals, names)
    for lender, lent in spec.borrows.items():
        if lender in rules and reached.intersection(lent, rules[lender].judge.must):
            return rules[lender]
    return spec
