"""Ordinals of a rule's findings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from qa_pipeline.model import Outcome


def renumber(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """Ordinals 0, 1, … per rule, in the order given."""
    seen: dict[str, int] = {}
    numbered = []
    for outcome in outcomes:
        ordinal = seen.get(outcome.rule_id, 0)
        seen[outcome.rule_id] = ordinal + 1
        numbered.append(replace(outcome, ordinal=ordinal))
    return tuple(numbered)
