"""Which signals of a rule mention which others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from qa_pipeline.signals.base import Where

_TAKES_BACK = ("but", "not_after", "taken_back", "besides")


def reachable(signals: Mapping[str, object], roots: set[str]) -> set[str]:
    """The signals that the verdict looks at, directly or through others."""
    reached: set[str] = set()
    waiting = sorted(roots)
    while waiting:
        name = waiting.pop()
        if name in signals and name not in reached:
            reached.add(name)
            waiting += sorted(references(signals[name]))
    return reached


def circle(signals: Mapping[str, object]) -> list[str]:
    """A chain of signals that leads back to its beginning; such a signal would never find anything."""
    for start in signals:
        chains = [[start]]
        seen: set[str] = set()
        while chains:
            chain = chains.pop()
            for name in sorted(references(signals[chain[-1]])):
                if name == start:
                    return [*chain, name]
                if name in signals and name not in seen:
                    seen.add(name)
                    chains.append([*chain, name])
    return []


def references(spec: object) -> set[str]:
    """Names of other signals that a signal's definition mentions."""
    return {name for name, _ in links(spec)}


def links(spec: object) -> list[tuple[str, bool]]:
    """Other signals that a definition mentions, and whether finding them speaks for the signal (else against it)."""
    found: list[tuple[str, bool]] = []
    for item in fields(spec):  # type: ignore[arg-type]
        value = getattr(spec, item.name)
        if item.name in ("of", "by", "after", "against", "said", *_TAKES_BACK) and value:
            names = (value,) if isinstance(value, str) else value
            found += [(name, item.name not in _TAKES_BACK) for name in names]
        if isinstance(value, Where):
            found += [(name, True) for name in (value.answering,) if name]
            found += [(name, False) for name in (value.not_answering,) if name]
            found += [(relation.signal, True) for relation in (value.after, value.before) if relation is not None]
    return found
