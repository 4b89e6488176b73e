"""What the page of a call is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa_pipeline.masking import Masker
from qa_pipeline.model import Role

if TYPE_CHECKING:
    from qa_pipeline.casework.charges import Bill
    from qa_pipeline.rules.base import RuleSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A stretch of a turn with one time and one finding (0: none). ``against``: it proves the finding; else it is what was said of
    what is owed."""

    text: str
    start_s: float | None
    end_s: float | None
    finding: int
    against: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnLine:
    index: int
    role: Role
    title: str
    guessed: bool
    corrected: bool
    start_s: float | None
    end_s: float | None
    at: str
    tokens: tuple[Token, ...]
    raw: str
    unsure: bool  # the recogniser was little sure of this turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    kind: str
    label: str
    start_s: float | None
    end_s: float | None
    at: str
    turn: int | None
    quote: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCard:
    number: int
    key: str
    rule_id: str
    clause: str
    title: str
    name: str  # clause and title, and which of several
    reason: str
    strength: str
    confidence: float | None
    review: bool
    advice: bool
    manual: bool
    start_s: float | None
    end_s: float | None
    turn: int | None
    at: str
    against: bool  # its place is what was said or measured; else where something was looked for and not heard
    missing: tuple[str, ...]
    exhibits: tuple[Exhibit, ...]
    penalty: str
    basis: str  # the article that sets the amount
    decision: str  # of Decision; empty: not yet
    decision_label: str
    decided_by: str
    decision_reason: str
    source: str
    source_text: str
    means: str
    instead: str

    @property
    def state(self) -> str:
        return self.decision or ("advice" if self.advice else "open")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPage:
    call_id: str
    run_id: str
    facts: tuple[tuple[str, str], ...]
    roles: str
    fitness: tuple[str, ...]
    turns: tuple[TurnLine, ...]
    findings: tuple[FindingCard, ...]
    unjudged: tuple[tuple[str, str, str], ...]
    clear: tuple[str, ...]
    skipped: tuple[str, ...]
    duration_s: float | None
    has_audio: bool
    peaks: tuple[tuple[int, ...], ...]
    peak_roles: tuple[str, ...]
    masked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How a call is shown. ``findings`` empty and ``hide`` True: it has not been reviewed, the reader sees no verdicts.
    ``bill``: what the decisions come to; without it the machine's proposal. ``who`` names a person."""

    masker: Masker
    specs: Mapping[str, RuleSpec]
    masked: bool
    hide: bool = False
    bill: Bill | None = None
    who: Callable[[str], str] = str
