"""The policy file: what a centre makes of findings. Points, yuan, fatal clauses, sanctions; never how something is detected.

Every number of ``rules/policy.yaml`` names its source article there. Reading is strict: every mistake of the file is told at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal

from qa_pipeline.errors import RuleFileError

# Stand where a clause code stands: no rule finds them.
COMPLAINT = "投诉"  # the call data tell it
CASE = "不合格工单"  # once a call, whatever made its score 0
_CENT = Decimal("0.01")


def _check_money(**amounts: Decimal) -> None:
    for name, amount in amounts.items():
        if amount < 0:
            raise ValueError(f"{name} 不能是负数")
        if amount != amount.quantize(_CENT):
            raise ValueError(f"{name} 最多写到分（两位小数）")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """A dearer step: from ``over`` (the measured value must be greater) the fine is ``fine``."""

    over: float
    fine: Decimal

    def __post_init__(self) -> None:
        _check_money(fine=self.fine)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClausePolicy:
    """What one clause costs. ``points`` per hit up to ``cap`` in one call; money in yuan per ``per``."""

    source: str
    points: int = 0
    cap: int = 0
    fine: Decimal = Decimal(0)
    per: Literal["hit", "call"] = "hit"
    grades: tuple[Grade, ...] = ()
    supervisor_fine: Decimal = Decimal(0)
    sanction: str = ""
    fatal: Literal["never", "always", "confirmed"] = "never"
    sale_invalid: bool = False
    confirm: bool = False  # nothing counts before a person has confirmed it
    complaint_only: bool = False  # money only when the call carries a complaint
    advice: bool = False  # told, never counted

    def __post_init__(self) -> None:
        _check_money(fine=self.fine, supervisor_fine=self.supervisor_fine)
        if self.points < 0:
            raise ValueError("points 不能是负数")
        if self.cap < self.points:
            raise ValueError(f"cap（{self.cap}）不能小于 points（{self.points}）")
        if self.advice and (self.points or self.fine or self.supervisor_fine or self.sanction or self.fatal != "never"):
            raise ValueError("仅提示（advice）的条款不能再写扣分、扣款、处分或致命")
        steps = [grade.over for grade in self.grades]
        if steps != sorted(set(steps)):
            raise ValueError("grades 的 over 要由小到大，不能重复")


@dataclass(frozen=True, slots=True, kw_only=True)
class OneFact:
    """Findings of these clauses that rest on the same fact are fined once, the gravest counts.

    ``same``: ``call`` (any two in one call), ``words`` (quotes that overlap in one turn), ``parts`` (the last clause names missing
    parts; ``parts`` says which clause already fines which part).
    """

    clauses: tuple[str, ...]
    same: Literal["call", "words", "parts"]
    source: str
    parts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(set(self.clauses)) < 2 or len(set(self.clauses)) != len(self.clauses):
            raise ValueError("one_fact 至少要有两个不同的条款")
        if (self.same == "parts") != bool(self.parts):
            raise ValueError("parts 与 same: parts 要一起写")
        if unknown := sorted(set(self.parts.values()) - set(self.clauses[:-1])):
            raise ValueError(f"parts 里的条款 {'、'.join(unknown)} 不在 clauses 里")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualItem:
    """What no recording can prove and a reviewer may add to a call by hand."""

    title: str
    source: str
    points: int = 0
    fine: Decimal = Decimal(0)
    sanction: str = ""

    def __post_init__(self) -> None:
        _check_money(fine=self.fine)
        if self.points < 0:
            raise ValueError("points 不能是负数")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What the client pays (S0 part 4, 四). No part of any verdict, so it is not in the digest."""

    source: str = ""
    shares: tuple[Decimal, ...] = (Decimal("0.50"), *(Decimal("0.15"),) * 5)  # of the monthly fee, by month in the net
    complaint_multiple: Decimal = Decimal(2)  # an upheld complaint costs so many times ``complaint_fine``
    take_back: bool = True  # what was paid for a sale is taken back in the month in which it is found invalid
    survey_fee: Decimal = Decimal(2)  # yuan for each valid questionnaire
    error_rate: Decimal = Decimal("0.01")  # of the questionnaires handed in; above it data collection is fined
    error_multiple: Decimal = Decimal(2)  # … so many times the month's pay for questionnaires
    increase_share: Decimal = Decimal("0.10")  # of what a looked-after user spends more than before
    increase_months: int = 6

    def __post_init__(self) -> None:
        if not self.shares or any(not 0 <= share <= 1 for share in self.shares):
            raise ValueError("shares 至少写一个月，每个在 0 到 1 之间")
        for name in ("error_rate", "increase_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} 要在 0 到 1 之间")
        _check_money(survey_fee=self.survey_fee)
        for name in ("complaint_multiple", "error_multiple", "increase_months"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} 不能是负数")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFile:
    """The file as it is written."""

    base_score: int
    qualified_at: int
    case_fine: Decimal  # 不合格工单, once per call
    complaint_fine: Decimal
    clauses: Mapping[str, ClausePolicy]
    one_fact: tuple[OneFact, ...] = ()
    manual: Mapping[str, ManualItem] = field(default_factory=dict)
    settlement: Settlement = Settlement()

    def __post_init__(self) -> None:
        _check_money(case_fine=self.case_fine, complaint_fine=self.complaint_fine)
        if not 0 < self.qualified_at <= self.base_score:
            raise ValueError(f"qualified_at 要在 1 到 base_score（{self.base_score}）之间")
        for group in self.one_fact:
            if unknown := [clause for clause in group.clauses if clause not in self.clauses]:
                raise ValueError(f"one_fact 里的条款 {'、'.join(unknown)} 没有写在 clauses 里")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The policy in force, with the digest that goes into the provenance of every verdict."""

    file: PolicyFile
    digest: str

    def clause(self, code: str) -> ClausePolicy | None:
        return self.file.clauses.get(code)

    def unpriced(self, codes: Iterable[str]) -> list[str]:
        """Those of the clauses that the file does not know: their findings cost nothing. In the order given, each once."""
        return [code for code in dict.fromkeys(codes) if code not in self.file.clauses]


def load_policy(path: Path) -> Policy:
    """Reads the policy file. Raises RuleFileError with every mistake as ``path:line:col``.

    The digest is taken over the values: comments and layout do not change it.
    """
    import msgspec

    from qa_pipeline.strict_yaml import read_file

    file, reader = read_file(path, PolicyFile)
    if file is None:
        raise RuleFileError(tuple(sorted(reader.problems, key=lambda problem: (problem.line, problem.col))))
    judged_by = msgspec.to_builtins(file)
    del judged_by["settlement"]  # pay, not judgement: a new agreement with the client changes no verdict
    digest = hashlib.sha256(msgspec.json.encode(judged_by, order="sorted")).hexdigest()
    return Policy(file=file, digest=digest)
