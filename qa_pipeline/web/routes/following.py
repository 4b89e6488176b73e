"""What calls leave to be done: call-backs, second confirmations, agents to look at again, complaints, the blacklist."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from qa_pipeline.casework import complaints, followup, privacy
from qa_pipeline.casework.followup import Callback, Confirmation, Recheck
from qa_pipeline.casework.values import ComplaintState, Post
from qa_pipeline.masking import mask_number
from qa_pipeline.web.guard import Ask, Asked
from qa_pipeline.web.overview import result
from qa_pipeline.web.views import render

router = APIRouter()
_MOST = 200  # rows of a list on a page; the API gives all


def lists(ask: Ask) -> tuple[list[Callback], list[Confirmation], list[Recheck], datetime]:
    """The three lists, for a team leader those of the team; customers' numbers covered for whoever may not see them."""

    (callbacks, confirmations, rechecks, teams), at = result(ask.site, "followup")
    mine = None if ask.has(Post.QA, Post.QA_LEAD, Post.MANAGER) else ask.person.team

    def shown(agent_id: str) -> bool:
        return mine is None or teams.get(agent_id) == mine

    return (
        [item for item in callbacks if shown(item.agent_id)],
        [item for item in confirmations if shown(item.agent_id)],
        [item for item in rechecks if shown(item.agent_id)],
        at,
    )


def number_for(ask: Ask, number: str) -> str:
    return number if privacy.sees_clear(ask.person) else mask_number(number)


@router.get("/manage/followup", name="manage.followup")
def follow(ask: Asked) -> Response:
    callbacks, confirmations, rechecks, at = lists(ask)
    today, due = ask.site.now().date(), ask.flag("due")
    if due:
        confirmations = [item for item in confirmations if item.next_due is not None and item.next_due <= today]
    return render(
        ask,
        "followup.html",
        callbacks=callbacks[:_MOST],
        confirmations=confirmations[:_MOST],
        rechecks=rechecks,
        counts=(len(callbacks), len(confirmations), len(rechecks)),
        results=followup.REVISIT_RESULTS,
        number=lambda text: number_for(ask, text),
        at=at,
        today=today,
        due=due,
    )


@router.get("/manage/complaints", name="manage.complaints")
def all_complaints(ask: Asked) -> Response:
    with ask.look() as tx:
        found = complaints.all_complaints(tx)
        listed = complaints.blacklist(tx) if ask.has(Post.QA_LEAD, Post.MANAGER) else []
        teams = dict(tx.rows("SELECT call_id, team FROM calls WHERE call_id IN (SELECT call_id FROM complaints)"))
    if not ask.has(Post.QA, Post.QA_LEAD, Post.MANAGER):
        found = [item for item in found if teams.get(item.call_id) == ask.person.team]
    state = ask.text("state")
    state = state if state in list(ComplaintState) else ""
    found = [item for item in found if not state or item.state.value == state]
    found.sort(key=lambda item: (item.state.value != "处理中", item.complaint_id))
    return render(
        ask,
        "complaints.html",
        complaints=found[:_MOST],
        total=len(found),
        state=state,
        blacklist=listed[:_MOST],
        number=lambda text: number_for(ask, text),
    )
