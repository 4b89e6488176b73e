"""What a case costs, line by line: the amounts are those of the ledger, each with what it is for and the article that sets it.

The ledger says how much; the decisions and the policy say why. Every fact that the ledger holds has its line, also those that are no
finding (不合格工单, 客户投诉), so the lines add up to what is charged, in points and in yuan.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from qa_pipeline.casework import ledger, sanctions
from qa_pipeline.casework.amounts import CASE_KEY, Valued
from qa_pipeline.casework.findings import Finding, findings_of
from qa_pipeline.casework.values import Account, CaseState, Key, Party, SanctionState
from qa_pipeline.model import Penalty
from qa_pipeline.policy import CASE, COMPLAINT
from qa_pipeline.scoring import COMPLAINT_KEY

if TYPE_CHECKING:
    from qa_pipeline.casework.cases import Case
    from qa_pipeline.casework.desk import Tx

_NOTHING = Decimal(0)
# Facts that no rule finds: what they are called, the article, and what makes a proposal certain.
_OWN_LINES = {
    CASE_KEY: (CASE, "致命或零分，一通只罚一次", "S0 第一篇 六.7、六.8", "确认致命项"),
    Key(*COMPLAINT_KEY): (COMPLAINT, "客户投诉", "S0 第一篇 六.9", "投诉登记并核实成立"),
}


class Cost(NamedTuple):
    """Points and yuan of the agent, yuan of the supervisor."""

    points: int = 0
    yuan: Decimal = _NOTHING
    supervisor_yuan: Decimal = _NOTHING

    def __bool__(self) -> bool:
        return any(self)

    def plus(self, other: Cost) -> Cost:
        return Cost(self.points + other.points, self.yuan + other.yuan, self.supervisor_yuan + other.supervisor_yuan)

    @property
    def words(self) -> str:
        """“扣 10 分，50 元，主管 20 元”; empty when it is nothing."""
        parts = (
            f"扣 {self.points} 分" if self.points else "",
            f"{_plain(self.yuan)} 元" if self.yuan else "",
            f"主管 {_plain(self.supervisor_yuan)} 元" if self.supervisor_yuan else "",
        )
        return "，".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One line. ``sure`` is charged, ``waiting`` is charged once ``until`` has happened; ``source``: the article behind the amount."""

    key: Key
    clause: str
    title: str
    source: str
    sure: Cost
    waiting: Cost
    until: str = ""
    note: str = ""
    is_finding: bool = True

    @property
    def words(self) -> str:
        """What it costs and why it costs no more; empty for a finding that does not stand."""
        waits = f"{self.until}后计：{self.waiting.words}" if self.waiting else ""
        return "；".join(filter(None, (self.sure.words, waits, self.note)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """All lines of a case and what they come to. ``score`` is the reviewed score: of the recorded result once the case is finished."""

    lines: tuple[Charge, ...]
    score: int | None  # None: nothing could be judged
    qualified: bool | None
    fatal: bool
    base_score: int

    @property
    def sure(self) -> Cost:
        return _sum(line.sure for line in self.lines)

    @property
    def waiting(self) -> Cost:
        return _sum(line.waiting for line in self.lines)

    @property
    def others(self) -> tuple[Charge, ...]:
        """The lines that are no finding."""
        return tuple(line for line in self.lines if not line.is_finding)

    @property
    def reckoning(self) -> str:
        """How the points of a finished case come to its score. A sanction under decision holds back points that the score has lost."""
        points = self.sure.points + self.waiting.points
        if self.score is None:
            return "无法判定，不评分"
        if self.fatal:
            return "有致命项，本通 0 分"
        floor = "，最低 0 分" if points > self.base_score else ""
        return f"{self.base_score} − {points} = {self.score} 分" if not floor else f"{self.base_score} 分不够扣 {points} 分{floor}"

    def line(self, key: Key) -> Charge | None:
        return next((line for line in self.lines if line.key == key), None)


def bill_of(tx: Tx, case: Case) -> Bill:
    """What a primary case costs by its live decisions. Other kinds move no ledger and have no bill."""
    findings, valued = findings_of(tx, case), ledger.value_of(tx, case)
    held = _held(tx, case.case_id)
    explain = _Explain(tx, case, valued)
    lines = [explain.finding(item, *held.pop(item.key, _NONE)) for item in findings]
    lines += [explain.other(key, *costs) for key, costs in sorted(held.items(), key=lambda item: item[0] in _OWN_LINES)]
    score, qualified, fatal = valued.card.score, valued.card.qualified, valued.card.fatal
    if case.state is CaseState.FINISHED:
        row = tx.row("SELECT score, qualified, fatal FROM case_results WHERE case_id = ? ORDER BY seq DESC LIMIT 1", [case.case_id])
        score, qualified, fatal = row or (score, qualified, fatal)
    return Bill(lines=tuple(lines), score=score, qualified=qualified, fatal=fatal, base_score=tx.policy.file.base_score)


_NONE = (Cost(), Cost())


def _held(tx: Tx, case_id: str) -> dict[Key, tuple[Cost, Cost]]:
    """What the ledger holds for each fact: charged (confirmed or booked), and proposed."""
    found: dict[Key, tuple[Cost, Cost]] = {}
    for (key, party), held in ledger.balances(tx, case_id).items():
        for account, amount in held.amounts.items():
            agent = party is Party.AGENT
            cost = Cost(amount.points, amount.yuan) if agent else Cost(supervisor_yuan=amount.yuan)
            sure, waiting = found.get(key, _NONE)
            found[key] = (sure, waiting.plus(cost)) if account is Account.PROPOSED else (sure.plus(cost), waiting)
    return found


class _Explain:
    """Says what an amount is for."""

    def __init__(self, tx: Tx, case: Case, valued: Valued) -> None:
        self._policy = tx.policy
        self._sanctions = sanctions.standing(tx, case.case_id)
        self._confirmed = _by_key(valued.card.penalties)
        self._wished = _by_key(valued.wish.penalties)

    def finding(self, item: Finding, sure: Cost, waiting: Cost) -> Charge:
        penalty = (self._confirmed if item.confirmed else self._wished).get(item.key)
        sanction = self._sanction(item, penalty)
        return Charge(
            key=item.key,
            clause=item.clause,
            title=item.outcome.title,
            source=self._source(item.clause),
            sure=sure,
            waiting=waiting,
            until="经理决定处分" if item.confirmed else "确认",
            note="；".join(filter(None, (penalty.note if penalty is not None else "", sanction))),
        )

    def other(self, key: Key, sure: Cost, waiting: Cost) -> Charge:
        clause, title, source, until = _OWN_LINES.get(key, (str(key), "", "", "确认"))
        return Charge(key=key, clause=clause, title=title, source=source, sure=sure, waiting=waiting, until=until, is_finding=False)

    def _source(self, clause: str) -> str:
        manual = self._policy.file.manual.get(clause)
        known = self._policy.clause(clause)
        return manual.source if manual is not None else known.source if known is not None else ""

    def _sanction(self, item: Finding, penalty: Penalty | None) -> str:
        """The proposal that a finding carries, and what the manager said of it."""
        if penalty is None or not penalty.sanction or not penalty.counted:
            return ""
        if not item.confirmed:
            return f"处分建议“{penalty.sanction}”"
        state = self._sanctions.get(item.key, SanctionState.PROPOSED)
        told = "，不扣款" if state is SanctionState.DECLINED else ""
        return f"处分建议“{penalty.sanction}”（{state.value}{told}）"


def _by_key(penalties: Iterable[Penalty]) -> dict[Key, Penalty]:
    return {Key(penalty.rule_id, penalty.ordinal): penalty for penalty in penalties}


def _sum(costs: Iterable[Cost]) -> Cost:
    total = Cost()
    for cost in costs:
        total = total.plus(cost)
    return total


def _plain(amount: Decimal) -> str:
    text = f"{amount:,.2f}"
    return text.rstrip("0").rstrip(".")
