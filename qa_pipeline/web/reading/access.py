"""What of a thing that may be asked for this person may see. Every refusal sounds like "there is no such thing"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa_pipeline.casework import privacy
from qa_pipeline.casework.cases import Case
from qa_pipeline.casework.values import CaseKind, CaseState, Post
from qa_pipeline.model import CallData
from qa_pipeline.web.guard import NotHere

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx
    from qa_pipeline.web.guard import Ask


def opened_call(ask: Ask, tx: Tx, call_id: str, what: str) -> CallData:
    """The call data, if this person may open the call. The opening goes into the log."""
    call = tx.store.load_call(call_id)
    if call is None or not privacy.may_open(ask.person, call):
        raise NotHere(f"没有通话 {call_id}，或您无权查看。")
    ask.site.access.note(ask.person.person_id, call_id, what, ask.site.now())
    return call


def case_open_to(tx: Tx, case: Case) -> None:
    """A reviewer opens his own cases; of a double review nobody sees the other part before his own is finished."""
    person = tx.actor
    if case.assignee == person.person_id or person.has(Post.MANAGER):
        return
    if not person.has(Post.QA_LEAD) or open_double(tx, case.call_id):
        raise NotHere(f"没有工单 {case.case_id}，或它不是您的（双人复核在完成之前互相看不到）。")


def open_double(tx: Tx, call_id: str) -> bool:
    """Whether this person has an unfinished case of his own on the call."""
    row = tx.row(
        "SELECT 1 FROM cases_now WHERE call_id = ? AND assignee = ? AND state IN (?, ?)",
        [call_id, tx.actor.person_id, CaseState.ASSIGNED, CaseState.REVIEWING],
    )
    return row is not None


def own_team(ask: Ask, team: str) -> str:
    """The team that is shown: a team leader sees his own only."""
    if ask.has(Post.QA_LEAD, Post.MANAGER):
        return team
    if not ask.person.team or (team and team != ask.person.team):
        raise NotHere
    return ask.person.team


def primary_case(tx: Tx, call_id: str) -> str | None:
    row = tx.row("SELECT case_id FROM cases WHERE call_id = ? AND kind = ?", [call_id, CaseKind.PRIMARY])
    return None if row is None else str(row[0])
