"""What the live decisions of one case are worth: the amounts that the ledger must show, computed from the policy alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from qa_pipeline.casework.findings import Finding, judged
from qa_pipeline.casework.values import Amount, Key, Party
from qa_pipeline.model import Conversation, Outcome, Penalty, Scorecard
from qa_pipeline.policy import CASE, COMPLAINT, Policy
from qa_pipeline.scoring import COMPLAINT_KEY, score

CASE_KEY = Key("case", 0)
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What one fact is worth to one party now. ``confirmed``: by a person, and no sanction is undecided."""

    key: Key
    clause: str
    party: Party
    amount: Amount
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """The case in money: what is due, the card of what is confirmed, the card if all that waits were confirmed too, and the
    sanctions that confirmed findings carry."""

    dues: tuple[Due, ...]
    card: Scorecard
    wish: Scorecard
    sanctions: tuple[Penalty, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is decided outside the findings. ``complaint``: upheld True, dismissed False, undecided None."""

    complaint: bool | None = None
    sanctions: dict[Key, bool | None] | None = None  # approved or money only True, declined False, undecided None


def value_case(
    policy: Policy, conversation: Conversation, findings: list[Finding], around: Circumstances, *, scored: bool = True
) -> Valued:
    """Deterministic and pure. One fact is fined once: a waiting finding proposes only what it would add to confirmed ones.

    Not ``scored``: the machine could judge nothing; the call has a score only when a person has found something.
    """
    talk = _with_complaint(conversation, around.complaint)
    complaint = frozenset({COMPLAINT_KEY}) if around.complaint else frozenset()
    sure, sure_keys = judged(findings, only_confirmed=True)
    every, _ = judged(findings, only_confirmed=False)
    card = _score(policy, talk, sure, sure_keys | complaint, judged=scored or bool(sure))
    wish = _score(policy, talk, every, frozenset(_key(item) for item in every) | complaint)
    dues: list[Due] = []
    sanctions: list[Penalty] = []
    confirmed_by_clause: dict[str, Amount] = {}
    for penalty in card.penalties:
        if not penalty.counted:
            continue
        approved = _sanction_state(penalty, around)
        if penalty.sanction:
            sanctions.append(penalty)
        amounts = _amounts(penalty, money=approved is not False)
        dues += [_due(penalty, party, amount, confirmed=approved is not None) for party, amount in amounts]
        absorbed = _absorber(wish, penalty)
        if absorbed:
            confirmed_by_clause[absorbed] = amounts[0][1].plus(confirmed_by_clause.get(absorbed, Amount()))
    sure_set = {Key(penalty.rule_id, penalty.ordinal) for penalty in card.penalties if penalty.counted}
    for penalty in wish.penalties:
        if penalty.counted and Key(penalty.rule_id, penalty.ordinal) not in sure_set:
            for party, amount in _amounts(penalty, money=True):
                already = confirmed_by_clause.pop(penalty.clause, Amount()) if party is Party.AGENT else Amount()
                dues.append(_due(penalty, party, amount.minus(already).part_above_zero(), confirmed=False))
    dues += _complaint_proposal(policy, talk, around)
    dues += _case_fine(card, wish)
    return Valued(dues=tuple(due for due in dues if due.amount), card=card, wish=wish, sanctions=tuple(sanctions))


def _score(
    policy: Policy,
    conversation: Conversation,
    outcomes: tuple[Outcome, ...],
    confirmed: frozenset[tuple[str, int]],
    *,
    judged: bool = True,
) -> Scorecard:
    """The policy's card; manual items are priced from their own table and added to it."""
    heard = tuple(item for item in outcomes if item.clause not in policy.file.manual)
    card = score(policy, conversation, heard, confirmed=confirmed, judged=judged)
    manual = [_manual(policy, item) for item in outcomes if item.clause in policy.file.manual]
    points = None if card.score is None else max(0, card.score - sum(item.points for item in manual))
    return replace(
        card,
        score=points,
        qualified=None if points is None else points >= policy.file.qualified_at,
        violations=card.violations + len(manual),
        fine_yuan=card.fine_yuan + sum((item.fine_yuan for item in manual), _NOTHING),
        penalties=(*card.penalties, *manual),
    )


def _manual(policy: Policy, outcome: Outcome) -> Penalty:
    item = policy.file.manual[outcome.clause]
    return Penalty(
        clause=outcome.clause,
        ordinal=outcome.ordinal,
        rule_id=outcome.rule_id,
        points=item.points,
        fine_yuan=item.fine,
        sanction=item.sanction,
    )


def _with_complaint(conversation: Conversation, complaint: bool | None) -> Conversation:
    if complaint is None:
        return conversation
    return replace(conversation, call=replace(conversation.call, complaint=complaint))


def _key(outcome: Outcome) -> tuple[str, int]:
    return outcome.rule_id, outcome.ordinal


def _sanction_state(penalty: Penalty, around: Circumstances) -> bool | None:
    """True: nothing undecided."""
    if not penalty.sanction:
        return True
    return (around.sanctions or {}).get(Key(penalty.rule_id, penalty.ordinal))


def _amounts(penalty: Penalty, *, money: bool) -> list[tuple[Party, Amount]]:
    agent = Amount(penalty.points, penalty.fine_yuan if money else _NOTHING)
    return [(Party.AGENT, agent), (Party.SUPERVISOR, Amount(0, penalty.supervisor_fine_yuan if money else _NOTHING))]


def _due(penalty: Penalty, party: Party, amount: Amount, *, confirmed: bool) -> Due:
    return Due(key=Key(penalty.rule_id, penalty.ordinal), clause=penalty.clause, party=party, amount=amount, confirmed=confirmed)


def _absorber(wish: Scorecard, penalty: Penalty) -> str:
    """The clause that would carry this fact if everything that waits were confirmed."""
    for other in wish.penalties:
        if (other.rule_id, other.ordinal) == (penalty.rule_id, penalty.ordinal):
            return "" if other.counted else other.absorbed_by
    return ""


def _complaint_proposal(policy: Policy, conversation: Conversation, around: Circumstances) -> list[Due]:
    if around.complaint is not None or conversation.call.complaint is not True:
        return []
    amount = Amount(0, policy.file.complaint_fine)
    return [Due(key=Key(*COMPLAINT_KEY), clause=COMPLAINT, party=Party.AGENT, amount=amount, confirmed=False)]


def _case_fine(card: Scorecard, wish: Scorecard) -> list[Due]:
    """不合格工单, once a call: certain when the confirmed findings make it so, else a proposal."""
    amount = card.case_fine_yuan or wish.case_fine_yuan
    due = Due(
        key=CASE_KEY,
        clause=CASE,
        party=Party.AGENT,
        amount=Amount(0, amount),
        confirmed=card.case_fine_yuan > 0,
    )
    return [due] if amount else []
