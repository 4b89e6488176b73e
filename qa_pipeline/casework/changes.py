"""What happened to a case since somebody looked at it: who did what, and when."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from qa_pipeline.casework.people import all_people
from qa_pipeline.casework.values import CaseState, Post

if TYPE_CHECKING:
    from qa_pipeline.casework.cases import Case
    from qa_pipeline.casework.desk import Tx

MOST_TOLD = 3  # the last of them; a message is read, not studied
_DONE = {"finish": "完成复核", "void": "作废", "reopen": "重开"}


def since(tx: Tx, case: Case, version: int) -> str:
    """The changes after a version in words, for whoever acts now; empty when there are none, or when he may not see them."""
    if not _may_know(tx, case):
        return ""
    rows = tx.rows(
        """SELECT at_time, by_person, action, coalesce(assignee, ''), coalesce(note, '') FROM case_events
           WHERE case_id = ? AND version > ? ORDER BY version""",
        [case.case_id, version],
    )
    names = {person.person_id: person.name for person in all_people(tx.connection, active=False)}
    names[tx.actor.person_id] = "您自己"
    told = [
        f"{names.get(by, by)} {_when(at, tx.at)} {_what(action, names.get(assignee, assignee), note)}"
        for at, by, action, assignee, note in rows
    ]
    earlier = f"共 {len(told)} 次改动，最近的是：" if len(told) > MOST_TOLD else ""
    return earlier + "；".join(told[-MOST_TOLD:])


def _what(action: str, assignee: str, note: str) -> str:
    return f"分给{assignee}" if action == "assign" else _DONE.get(action, note or "改动")


def _when(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at.month} 月 {at.day} 日 {at:%H:%M}"


def _may_know(tx: Tx, case: Case) -> bool:
    """His own case; leads and managers know all but the double reviews that they have not finished themselves."""
    if case.assignee == tx.actor.person_id:
        return True
    mine = tx.row(
        "SELECT 1 FROM cases_now WHERE call_id = ? AND assignee = ? AND state <> ?",
        [case.call_id, tx.actor.person_id, CaseState.FINISHED],
    )
    return mine is None and tx.actor.has(Post.QA_LEAD, Post.MANAGER)
