"""The ledger of points and yuan: double entry, append-only. Nothing is edited; what falls is moved back by new entries.

Accounts: 来源 → 待确认 → 已确认 → 已入账, and 已冲回 for what was confirmed or booked and fell. Every posting takes from one
account what it gives to others, so each transaction sums to zero in points and in yuan. ``reconcile`` is the only way in
besides the monthly closing: it computes what the live decisions of a case are worth and posts the difference, in the
transaction of the decision itself. So the ledger always equals the sum of the live decisions, and a kill leaves both or
neither.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from qa_pipeline.casework import sanctions
from qa_pipeline.casework.amounts import Circumstances, Due, Valued, value_case
from qa_pipeline.casework.findings import findings_of
from qa_pipeline.casework.values import Account, Amount, CaseKind, CaseState, ComplaintState, Key, Party, month_of

if TYPE_CHECKING:
    from qa_pipeline.casework.cases import Case
    from qa_pipeline.casework.desk import Tx

_LIVE = (Account.PROPOSED, Account.CONFIRMED, Account.BOOKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One transaction: amounts by account that sum to zero."""

    case_id: str
    call_id: str
    run_id: str
    clause: str
    key: Key
    party: Party
    person: str
    action: str
    moves: dict[Account, Amount]
    decision: int | None = None
    note: str = ""
    month: str = ""  # empty: the month of the action


def reconcile(tx: Tx, case: Case, decision: int | None = None, note: str = "") -> Valued | None:
    """Posts what the case's live decisions changed. Only primary cases move the ledger."""
    if case.kind is not CaseKind.PRIMARY:
        return None
    valued = value_of(tx, case)
    sanctions.propose(tx, case, valued.sanctions)
    due = {(item.key, item.party): item for item in valued.dues}
    held = balances(tx, case.case_id)
    postings = []
    for fact in sorted({*due, *held}):
        clause = due[fact].clause if fact in due else held[fact].clause
        moves = _moves(held[fact].amounts if fact in held else {}, due.get(fact))
        if moves:
            postings.append(
                Posting(
                    case_id=case.case_id,
                    call_id=case.call_id,
                    run_id=case.run_id,
                    clause=clause,
                    key=fact[0],
                    party=fact[1],
                    person=(case.agent_id if fact[1] is Party.AGENT else case.supervisor),
                    action=_action(moves),
                    moves=moves,
                    decision=decision,
                    note=note,
                )
            )
    post(tx, postings)
    if case.state is CaseState.FINISHED:
        _record_result(tx, case, valued)
    for posting in postings:
        amounts = held.setdefault((posting.key, posting.party), Held(posting.clause, {})).amounts
        for account, move in posting.moves.items():
            if account in _LIVE:
                amounts[account] = amounts.get(account, Amount()).plus(move)
    return valued


def _record_result(tx: Tx, case: Case, valued: Valued) -> None:
    """What the call came to; the latest row counts."""
    card = valued.card
    tx.append(
        "case_results",
        at_time=tx.at,
        case_id=case.case_id,
        call_id=case.call_id,
        score=card.score,
        qualified=card.qualified,
        fatal=card.fatal,
        sale_invalid=card.sale_invalid,
        violations=card.violations,
        fine_yuan=card.fine_yuan,
        supervisor_fine_yuan=card.supervisor_fine_yuan,
    )


def value_of(tx: Tx, case: Case) -> Valued:
    """What the case is worth by its live decisions; nothing for a void case."""
    findings = [] if case.state is CaseState.VOID else findings_of(tx, case)
    around = Circumstances(complaint=_complaint(tx, case.call_id), sanctions=sanctions.states(tx, case.case_id))
    if case.state is CaseState.VOID:
        around = Circumstances(complaint=False)
    run = tx.run(case.run_id)
    return value_case(tx.policy, run.conversation, findings, around, scored=run.scorecard.score is not None)


@dataclass(frozen=True, slots=True)
class Held:
    clause: str
    amounts: dict[Account, Amount]


def balances(tx: Tx, case_id: str) -> dict[tuple[Key, Party], Held]:
    """What the live accounts hold for each fact and party of a case."""
    known: dict[tuple[Key, Party], Held] | None = tx.memo.get(("held", case_id))
    if known is not None:
        return known
    rows = tx.rows(
        """SELECT rule_id, ordinal, party, account, max(clause), sum(points)::INTEGER, sum(yuan)::DECIMAL(12,2)
           FROM ledger_entries WHERE case_id = ? GROUP BY rule_id, ordinal, party, account""",
        [case_id],
    )
    held: dict[tuple[Key, Party], Held] = {}
    for rule_id, ordinal, party, account, clause, points, yuan in rows:
        if Account(account) in _LIVE and (points or yuan):
            fact = (Key(rule_id, ordinal), Party(party))
            held.setdefault(fact, Held(clause, {})).amounts[Account(account)] = Amount(points, yuan)
    tx.memo["held", case_id] = held
    return held


def preload_balances(tx: Tx, case_ids: Sequence[str]) -> None:
    """Reads the balances of many cases at once."""
    rows = tx.rows(
        """SELECT case_id, rule_id, ordinal, party, account, max(clause), sum(points)::INTEGER, sum(yuan)::DECIMAL(12,2)
           FROM ledger_entries WHERE list_contains(?, case_id) GROUP BY case_id, rule_id, ordinal, party, account""",
        [list(case_ids)],
    )
    tx.memo |= {("held", case_id): {} for case_id in case_ids}
    for case_id, rule_id, ordinal, party, account, clause, points, yuan in rows:
        if Account(account) in _LIVE and (points or yuan):
            fact = (Key(rule_id, ordinal), Party(party))
            tx.memo["held", case_id].setdefault(fact, Held(clause, {})).amounts[Account(account)] = Amount(points, yuan)


def _complaint(tx: Tx, call_id: str) -> bool | None:
    """A call's complaint: upheld when one is, undecided while one is open, else dismissed; None too when nobody registered one."""
    if ("complaints",) not in tx.memo:
        by_call: dict[str, set[str]] = {}
        for call, state in tx.rows("SELECT call_id, state FROM complaints_now WHERE call_id IS NOT NULL"):
            by_call.setdefault(call, set()).add(state)
        tx.memo["complaints",] = by_call
    states: set[str] = tx.memo["complaints",].get(call_id, set())
    if ComplaintState.UPHELD in states:
        return True
    return False if states == {ComplaintState.DISMISSED} else None


def _moves(held: dict[Account, Amount], due: Due | None) -> dict[Account, Amount]:
    """From what is held to what is due. Booked amounts stay booked as far as they are still due."""
    booked = held.get(Account.BOOKED, Amount())
    amount = due.amount if due is not None else Amount()
    kept = Amount(min(booked.points, amount.points), min(booked.yuan, amount.yuan))
    rest = amount.minus(kept)
    wanted = {Account.BOOKED: kept, Account.PROPOSED: Amount(), Account.CONFIRMED: Amount()}
    wanted[Account.CONFIRMED if due is not None and due.confirmed else Account.PROPOSED] = rest
    moves = {account: wanted[account].minus(held.get(account, Amount())) for account in _LIVE}
    total = Amount()
    for move in moves.values():
        total = total.plus(move)
    gone = Amount(max(-total.points, 0), max(-total.yuan, Decimal(0)))
    fresh = total.part_above_zero()
    was_certain = any(moves[account].points < 0 or moves[account].yuan < 0 for account in (Account.CONFIRMED, Account.BOOKED))
    moves[Account.SOURCE] = Amount().minus(fresh)
    moves[Account.REVERSED] = gone if was_certain else Amount()
    if not was_certain:
        moves[Account.SOURCE] = moves[Account.SOURCE].plus(gone)
    return {account: move for account, move in moves.items() if move}


def _action(moves: dict[Account, Amount]) -> str:
    if Account.REVERSED in moves:
        return "冲回"
    grows = {account for account, move in moves.items() if move.points > 0 or move.yuan > 0}
    if Account.CONFIRMED in grows:
        return "确认"
    if Account.PROPOSED in grows:
        return "提出"
    return "撤销"


def post(tx: Tx, postings: Iterable[Posting]) -> None:
    """Writes transactions. Raises AssertionError when one does not sum to zero: that is a fault of the program."""
    if ("ledger",) not in tx.memo:
        tx.memo["ledger",] = tx.row("SELECT coalesce(max(seq), 0), coalesce(max(txn), 0) FROM ledger_entries")
    seq, txn = tx.memo["ledger",]
    for posting in postings:
        points, yuan = (sum(part) for part in zip(*posting.moves.values(), strict=True))
        if points != 0 or yuan != 0:
            raise AssertionError(f"unbalanced posting: {posting}")
        txn += 1
        for account, move in posting.moves.items():
            seq += 1
            tx.insert(
                "ledger_entries",
                seq=seq,
                txn=txn,
                at_time=tx.at,
                month=posting.month or month_of(tx.at),
                action=posting.action,
                case_id=posting.case_id,
                call_id=posting.call_id,
                run_id=posting.run_id,
                clause=posting.clause,
                rule_id=posting.key.rule_id,
                ordinal=posting.key.ordinal,
                party=posting.party,
                person=posting.person,
                account=account,
                points=move.points,
                yuan=move.yuan,
                decision=posting.decision,
                by_person=tx.actor.person_id,
                note=posting.note,
            )
    tx.memo["ledger",] = (seq, txn)


def totals(tx: Tx, *, month: str | None = None) -> dict[tuple[Party, Account], Amount]:
    """Sums by party and account, of one month's entries or of all."""
    rows = tx.rows(
        """SELECT party, account, sum(points)::INTEGER, sum(yuan)::DECIMAL(12,2) FROM ledger_entries
           WHERE ? IS NULL OR month = ? GROUP BY party, account""",
        [month, month],
    )
    result: dict[tuple[Party, Account], Amount] = defaultdict(Amount)
    return result | {(Party(party), Account(account)): Amount(points, yuan) for party, account, points, yuan in rows}
