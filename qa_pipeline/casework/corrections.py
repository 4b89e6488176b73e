"""Wrong role or wrong words in a turn: the reviewer's version is kept beside the machine's, and the call is judged again.

The machine's run stays as it was; the corrected conversation makes a new run, which becomes current. Decisions on findings that
are the same before and after are carried over, the others are to be decided anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qa_pipeline.acts.understanding import forget
from qa_pipeline.casework import cases, ledger, reviews
from qa_pipeline.casework.cases import Case
from qa_pipeline.casework.findings import MANUAL_RULE, live_decisions
from qa_pipeline.casework.values import Key
from qa_pipeline.errors import CaseworkError
from qa_pipeline.model import AuditRun, Conversation, Outcome, Role, RoleSource, Turn, Verdict
from qa_pipeline.store import BatchInfo

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

Rejudge = Callable[[AuditRun, Conversation], AuditRun]  # the old run and the corrected conversation → a new run


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is right for one turn; None leaves it."""

    turn: int
    role: Role | None = None
    text: str | None = None


def correct(tx: Tx, case_id: str, given: Sequence[Correction], rejudge: Rejudge, version: int | None = None) -> Case:
    """Applies corrections, judges again, carries decisions over and brings the ledger up, all in one transaction."""
    case = reviews.in_hand(tx, case_id, version)
    old = tx.run(case.run_id)
    corrected = corrected_conversation(old.conversation, given)
    if corrected == old.conversation:
        raise CaseworkError("更正后与原来一样，没有改动。")
    new = rejudge(old, corrected)
    batch = BatchInfo(
        batch_id=f"correction-{case_id}-{case.version}", started_at=tx.at.isoformat(), command="correction", source=case_id
    )
    tx.store.save([new], batch)
    _keep(tx, case, old.conversation, given, new.run_id)
    note = f"更正 {len(given)} 个话轮，重新判定"
    moved = cases.move(tx, case, "correct", run_id=new.run_id, state=case.state, note=note)
    _carry(tx, moved, case, old, new)
    ledger.reconcile(tx, moved, note=note)
    return moved


def swapped(conversation: Conversation) -> tuple[Correction, ...]:
    """The corrections that exchange agent and customer in the whole call."""
    other = {Role.AGENT: Role.CUSTOMER, Role.CUSTOMER: Role.AGENT}
    return tuple(Correction(turn=turn.index, role=other[turn.role]) for turn in conversation.turns if turn.role in other)


def corrected_conversation(conversation: Conversation, given: Sequence[Correction]) -> Conversation:
    """The conversation as a person says it was. Voiced spans of swapped roles follow when every turn changed sides."""
    by_turn = {item.turn: item for item in given}
    unknown = sorted(set(by_turn) - {turn.index for turn in conversation.turns})
    if unknown:
        told = "、".join(str(index + 1) for index in unknown)
        raise CaseworkError(f"这通电话没有第 {told} 轮，共 {len(conversation.turns)} 轮。")
    empty = [item.turn + 1 for item in given if item.text is not None and not item.text.strip()]
    if empty:
        raise CaseworkError(
            f"第 {'、'.join(map(str, empty))} 轮的文字是空的，没有改动。请写实际说的话；不是人说的，把角色改为未知（unknown）。"
        )
    turns = forget([_corrected(turn, by_turn.get(turn.index)) for turn in conversation.turns], by_turn)
    if set(given) == set(swapped(conversation)) and conversation.voiced is not None:
        other = {Role.AGENT: Role.CUSTOMER, Role.CUSTOMER: Role.AGENT, Role.UNKNOWN: Role.UNKNOWN}
        voiced = tuple(replace(span, role=other[span.role]) for span in conversation.voiced)
        uncovered = tuple(replace(span, role=other[span.role]) for span in conversation.uncovered)
        return replace(conversation, turns=turns, voiced=voiced, uncovered=uncovered)
    return replace(conversation, turns=turns)


def _corrected(turn: Turn, given: Correction | None) -> Turn:
    from qa_pipeline.text.normalise import normalise

    if given is None:
        return turn
    if given.role is not None and given.role is not turn.role:
        turn = replace(turn, role=given.role, role_source=RoleSource.HUMAN, role_confidence=1.0)
    elif given.role is not None:
        turn = replace(turn, role_source=RoleSource.HUMAN, role_confidence=1.0)
    if given.text is not None and given.text != turn.raw:
        normal = normalise(given.text)
        # The words' times belonged to the machine's text; the turn keeps its own.
        turn = replace(turn, raw=given.text, text=normal.text, to_raw=normal.to_raw, words=(), confidence=1.0)
    return turn


def _keep(tx: Tx, case: Case, before: Conversation, given: Sequence[Correction], run_after: str) -> None:
    turns = {turn.index: turn for turn in before.turns}
    for item in given:
        changes = [("role", turns[item.turn].role.value, item.role.value)] if item.role is not None else []
        changes += [("text", turns[item.turn].raw, item.text)] if item.text is not None else []
        for field, old, new in changes:
            tx.append(
                "corrections",
                at_time=tx.at,
                by_person=tx.actor.person_id,
                case_id=case.case_id,
                call_id=case.call_id,
                run_before=case.run_id,
                run_after=run_after,
                turn=item.turn,
                field=field,
                before=old,
                after=new,
            )


def _carry(tx: Tx, moved: Case, before: Case, old: AuditRun, new: AuditRun) -> None:
    """Repeats the decisions on findings that did not change; what a person added stays as it is."""
    same = _same_findings(old.outcomes, new.outcomes)
    for key, live in live_decisions(tx, before).items():
        target = key if key.rule_id.startswith(MANUAL_RULE) else same.get(key)
        if target is None:
            continue
        clause = tx.row("SELECT clause FROM decisions WHERE seq = ?", [live.seq])
        tx.append(
            "decisions",
            at_time=tx.at,
            by_person=live.by_person,
            case_id=moved.case_id,
            call_id=moved.call_id,
            run_id=moved.run_id,
            clause=clause[0] if clause else "",
            rule_id=target.rule_id,
            ordinal=target.ordinal,
            decision=live.decision,
            stage="carried",
            reason=live.reason,
            carried_from=live.seq,
        )
    tx.memo.pop(("live", moved.case_id, moved.run_id), None)


def _same_findings(old: Sequence[Outcome], new: Sequence[Outcome]) -> dict[Key, Key]:
    """Old key → new key of findings with the same rule and the same exhibit."""
    places = {_place(item): Key(item.rule_id, item.ordinal) for item in new if item.verdict is Verdict.VIOLATION}
    return {
        Key(item.rule_id, item.ordinal): places[_place(item)]
        for item in old
        if item.verdict is Verdict.VIOLATION and _place(item) in places
    }


def _place(outcome: Outcome) -> tuple[object, ...]:
    proof = outcome.proof
    return (outcome.rule_id, proof.turn, proof.quote, proof.start_s) if proof is not None else (outcome.rule_id, outcome.ordinal)
