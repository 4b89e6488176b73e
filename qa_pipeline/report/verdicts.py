"""One verdict a clause, for whoever reads a call: a clause may have several rules, and one heading is where it is looked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from qa_pipeline.model import Outcome, Verdict

_FIRST = (Verdict.VIOLATION, Verdict.NOT_EVALUATED, Verdict.CLEAR, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseVerdict:
    """What a clause comes to on one call, with the titles and reasons of those of its rules that say so."""

    clause: str
    verdict: Verdict
    titles: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def title(self) -> str:
        return "、".join(self.titles)

    @property
    def reason(self) -> str:
        return "；".join(self.reasons)


def by_clause(outcomes: Iterable[Outcome]) -> list[ClauseVerdict]:
    """In the order of the outcomes; of several verdicts 违规 stands before 无法判定, 合规 and 不适用."""
    found: dict[str, list[Outcome]] = {}
    for item in outcomes:
        found.setdefault(item.clause, []).append(item)
    verdicts = []
    for clause, items in found.items():
        verdict = min((item.verdict for item in items), key=_FIRST.index)
        same = [item for item in items if item.verdict is verdict]
        verdicts.append(
            ClauseVerdict(
                clause=clause,
                verdict=verdict,
                titles=tuple(dict.fromkeys(item.title for item in same)),
                reasons=tuple(dict.fromkeys(item.reason for item in same)),
            )
        )
    return verdicts


def of(verdicts: Iterable[ClauseVerdict], verdict: Verdict) -> list[ClauseVerdict]:
    return [item for item in verdicts if item.verdict is verdict]
