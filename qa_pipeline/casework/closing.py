"""The end of a month: what is confirmed is booked, the month is shut, and the whole ledger can be checked at any time."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from qa_pipeline.casework import cases, findings, ledger
from qa_pipeline.casework.values import Account, Amount, AppealState, CaseKind, CaseState, Key, Party, Post
from qa_pipeline.errors import CaseworkError

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

_AT_ONCE = 500  # cases read together


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    month: str
    booked: dict[Party, Amount]  # what the month takes, reversals of earlier months subtracted
    carried: tuple[tuple[str, str], ...]  # (case_id, why) of what is confirmed but not booked yet


def close_month(tx: Tx, month: str) -> Closing:
    """Books what was confirmed up to the end of ``month`` (2026-11) and is beyond appeal; then the month is shut for ever."""
    tx.need(Post.QA_LEAD, Post.MANAGER)
    _may_close(tx, month)
    waiting = _why_not(tx)
    tx.memo.clear()  # the bookings go past the balances that were read before
    rows = tx.rows(
        """SELECT case_id, call_id, arg_max(run_id, seq), max(clause), rule_id, ordinal, party, arg_max(person, seq),
               sum(points)::INTEGER, sum(yuan)::DECIMAL(12,2)
           FROM ledger_entries WHERE account = ? GROUP BY case_id, call_id, rule_id, ordinal, party
           HAVING (sum(points) <> 0 OR sum(yuan) <> 0) AND min(month) <= ? ORDER BY case_id, rule_id, ordinal, party""",
        [Account.CONFIRMED, month],
    )
    carried = tuple(sorted({(row[0], waiting[row[0]]) for row in rows if row[0] in waiting}))
    ledger.post(
        tx,
        [
            ledger.Posting(
                case_id=case_id,
                call_id=call_id,
                run_id=run_id,
                clause=clause,
                key=Key(rule_id, ordinal),
                party=Party(party),
                person=person,
                action="入账",
                moves={Account.CONFIRMED: Amount().minus(Amount(points, yuan)), Account.BOOKED: Amount(points, yuan)},
                note=f"{month} 月结",
                month=month,
            )
            for case_id, call_id, run_id, clause, rule_id, ordinal, party, person, points, yuan in rows
            if case_id not in waiting
        ],
    )
    sums = ledger.totals(tx, month=month)
    booked = {party: sums[party, Account.BOOKED] for party in Party}
    last = tx.row("SELECT coalesce(max(seq), 0) FROM ledger_entries")
    tx.insert(
        "month_closings",
        month=month,
        at_time=tx.at,
        by_person=tx.actor.person_id,
        last_seq=last[0] if last else 0,
        points=booked[Party.AGENT].points,
        yuan=booked[Party.AGENT].yuan,
        supervisor_yuan=booked[Party.SUPERVISOR].yuan,
        digest=_digest(tx, month),
    )
    tx.log("ledger.close", month, {"yuan": booked[Party.AGENT].yuan, "supervisor_yuan": booked[Party.SUPERVISOR].yuan})
    return Closing(month=month, booked=booked, carried=carried)


def month_of(text: str) -> str:
    """A month as the ledger writes it, 2026-11; refuses what is none, for it would look like a month without entries."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise CaseworkError(f"月份写成 2026-11 这样，写的是“{text}”。")
    return text


def _may_close(tx: Tx, month: str) -> None:
    month_of(month)
    if tx.at.strftime("%Y-%m") <= month:
        raise CaseworkError(f"{month} 还没有过完，不能月结。")
    if tx.row("SELECT 1 FROM month_closings WHERE month >= ?", [month]) is not None:
        raise CaseworkError(f"{month}（或更晚的月份）已经月结，不能再结。之后的变动会记在当月。")
    missing = tx.row(
        "SELECT min(month) FROM ledger_entries WHERE month < ? AND month > coalesce((SELECT max(month) FROM month_closings), '')",
        [month],
    )
    if missing and missing[0]:
        raise CaseworkError(f"请先月结 {missing[0]}：月份要按顺序结。")


def _why_not(tx: Tx) -> dict[str, str]:
    """Cases whose confirmed amounts are not booked yet, and why."""
    result: dict[str, str] = {}
    window = timedelta(days=tx.settings.appeal_days)
    rows = tx.rows("SELECT case_id, state, finished_at FROM cases_now WHERE kind = ?", [CaseKind.PRIMARY])
    for case_id, state, finished_at in rows:
        if state != CaseState.FINISHED:
            result[case_id] = f"工单{state}"
        elif finished_at is not None and finished_at + window >= tx.at:
            result[case_id] = f"申诉期到 {finished_at + window:%Y-%m-%d} 为止"
    window = timedelta(days=tx.settings.escalate_days)
    for case_id, state, changed_at in tx.rows("SELECT case_id, state, changed_at FROM appeals_now"):
        if AppealState(state).open:
            result[case_id] = f"申诉{state}"
        elif state == AppealState.UPHELD and changed_at + window >= tx.at:
            result[case_id] = "还可以申请终裁"
    return result


def _digest(tx: Tx, month: str) -> str:
    rows = tx.rows("SELECT * FROM ledger_entries WHERE month = ? ORDER BY seq", [month])
    return hashlib.sha256("\n".join("\x1f".join(map(str, row)) for row in rows).encode()).hexdigest()


def check(tx: Tx) -> list[str]:
    """Everything that is wrong with the ledger, in Chinese; empty when it reconciles to the cent."""
    tx.memo.clear()  # what is checked is what is in the store
    problems = [
        f"第 {txn} 笔不平：{points} 分，{yuan} 元"
        for txn, points, yuan in tx.rows(
            """SELECT txn, sum(points), sum(yuan) FROM ledger_entries
               GROUP BY txn HAVING sum(points) <> 0 OR sum(yuan) <> 0 ORDER BY txn"""
        )
    ]
    problems += [
        f"工单 {case_id} {rule_id} 的“{account}”为负：{points} 分，{yuan} 元"
        for case_id, rule_id, account, points, yuan in tx.rows(
            """SELECT case_id, rule_id, account, points, yuan FROM ledger_balances
               WHERE account <> ? AND (points < 0 OR yuan < 0) ORDER BY case_id, rule_id""",
            [Account.SOURCE],
        )
    ]
    return problems + _against_decisions(tx) + _against_closings(tx)


def _against_decisions(tx: Tx) -> list[str]:
    """The balances of every case against the worth of its live decisions, computed afresh."""
    problems: list[str] = []
    every = [case for case in cases.find_cases(tx, kind=CaseKind.PRIMARY) if case.run_id not in tx.purged()]
    for index, case in enumerate(every):
        if index % _AT_ONCE == 0:
            page = every[index : index + _AT_ONCE]
            findings.preload(tx, page)
            ledger.preload_balances(tx, [item.case_id for item in page])
        due: dict[tuple[Key, Party, bool], Amount] = {
            (item.key, item.party, item.confirmed): item.amount for item in ledger.value_of(tx, case).dues
        }
        held: dict[tuple[Key, Party, bool], Amount] = defaultdict(Amount)
        for (key, party), item in ledger.balances(tx, case.case_id).items():
            for account, amount in item.amounts.items():
                place = (key, party, account is not Account.PROPOSED)
                held[place] = held[place].plus(amount)
        if due != dict(held):
            problems.append(f"工单 {case.case_id} 台账与决定不符：应为 {_sum(due.values())}，台账 {_sum(held.values())}")
    return problems


def _sum(amounts: Iterable[Amount]) -> str:
    total = Amount()
    for amount in amounts:
        total = total.plus(amount)
    return f"{total.points} 分 {total.yuan.normalize():f} 元"


def _against_closings(tx: Tx) -> list[str]:
    problems: list[str] = []
    rows = tx.rows("SELECT month, last_seq, points, yuan, supervisor_yuan, digest FROM month_closings ORDER BY month")
    for month, last_seq, points, yuan, supervisor_yuan, digest in rows:
        if tx.row("SELECT 1 FROM ledger_entries WHERE month <= ? AND seq > ?", [month, last_seq]) is not None:
            problems.append(f"{month} 月结之后又有记在该月的分录")
        if _digest(tx, month) != digest:
            problems.append(f"{month} 的分录在月结之后被改动过")
        sums = ledger.totals(tx, month=month)
        now = (sums[Party.AGENT, Account.BOOKED], sums[Party.SUPERVISOR, Account.BOOKED])
        if now != (Amount(points, yuan), Amount(0, supervisor_yuan)):
            problems.append(f"{month} 的入账合计与月结时不符")
    return problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One person's month. ``taken`` is what the month books, reversals subtracted; ``open`` what is confirmed and not booked."""

    person: str
    party: Party
    taken: Amount
    open: Amount
    proposed: Amount


def statement(tx: Tx, month: str) -> list[Line]:
    """By person: what goes into the pay of ``month``, and what is still under way now."""
    month_of(month)
    rows = tx.rows(
        """SELECT person, party,
               coalesce(sum(points) FILTER (account = '已入账' AND month = ?), 0)::INTEGER,
               coalesce(sum(yuan) FILTER (account = '已入账' AND month = ?), 0)::DECIMAL(12,2),
               coalesce(sum(points) FILTER (account = '已确认'), 0)::INTEGER,
               coalesce(sum(yuan) FILTER (account = '已确认'), 0)::DECIMAL(12,2),
               coalesce(sum(points) FILTER (account = '待确认'), 0)::INTEGER,
               coalesce(sum(yuan) FILTER (account = '待确认'), 0)::DECIMAL(12,2)
           FROM ledger_entries WHERE month <= ? GROUP BY person, party ORDER BY party, person""",
        [month, month, month],
    )
    lines = [
        Line(person=row[0] or "", party=Party(row[1]), taken=Amount(*row[2:4]), open=Amount(*row[4:6]), proposed=Amount(*row[6:8]))
        for row in rows
    ]
    return [line for line in lines if line.taken or line.open or line.proposed]
