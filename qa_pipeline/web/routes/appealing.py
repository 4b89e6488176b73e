"""Appeals: the list for whoever comments or decides, and one appeal with its whole history."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from qa_pipeline.casework import appeals
from qa_pipeline.casework.cases import get_case
from qa_pipeline.casework.findings import findings_of
from qa_pipeline.casework.values import AppealState, Key, Post
from qa_pipeline.web.guard import Ask, Asked, NotHere
from qa_pipeline.web.reading import access
from qa_pipeline.web.reading.words import STEP
from qa_pipeline.web.routes.api import appeal_open_to
from qa_pipeline.web.routes.calls import bill_for, page_values, shown_to
from qa_pipeline.web.views import render

router = APIRouter()
OPEN, LATE, LATE_COMMENT = "待处理", "过期", "意见期限已过"  # three more states to choose
STATES = (OPEN, LATE, LATE_COMMENT, *(item.value for item in AppealState))
_MOST = 200


def mine_to_act(ask: Ask, appeal: appeals.Appeal) -> bool:
    """Whether this person is the one who acts next."""
    if appeal.state is AppealState.FILED:
        late = appeal.due_at is not None and appeal.due_at < ask.site.now()
        return (ask.has(Post.TEAM_LEADER) and ask.person.team == appeal.team) or (late and ask.has(Post.QA_LEAD))
    if appeal.state is AppealState.COMMENTED:
        return ask.has(Post.QA_LEAD)
    return appeal.state is AppealState.ESCALATED and ask.has(Post.MANAGER)


@router.get("/appeals", name="appeals")
def all_appeals(ask: Asked) -> Response:
    state = ask.text("state")
    with ask.look() as tx:
        found = [item for item in appeals.find_appeals(tx) if appeal_open_to(ask, item)]
    waiting = [item for item in found if mine_to_act(ask, item)]
    state = state if state in STATES else ""
    shown = [item for item in found if not state or _is(ask, item, state)]
    shown.sort(key=lambda item: item.changed_at, reverse=True)
    return render(ask, "appeals.html", waiting=waiting, shown=shown[:_MOST], total=len(shown), states=STATES, state=state)


def _is(ask: Ask, appeal: appeals.Appeal, state: str) -> bool:
    late = appeal.state.open and appeal.due_at is not None and appeal.due_at < ask.site.now()
    if state in (OPEN, LATE):
        return appeal.state.open and (late or state == OPEN)
    return (late and appeal.state is AppealState.FILED) if state == LATE_COMMENT else appeal.state.value == state


@router.get("/appeals/{appeal_id}", name="appeal")
def appeal(ask: Asked, appeal_id: str) -> Response:
    with ask.look() as tx:
        one = next((item for item in appeals.find_appeals(tx) if item.appeal_id == appeal_id), None)
        if one is None or not appeal_open_to(ask, one):
            raise NotHere(f"没有申诉 {appeal_id}，或您无权查看。")
        call = access.opened_call(ask, tx, one.call_id, "申诉")
        case = get_case(tx, one.case_id)
        run = tx.run(case.run_id)
        findings = [item for item in findings_of(tx, case) if item.key == Key(one.rule_id, one.ordinal)]
        bill = bill_for(tx, case)
        steps = appeals.history(tx, appeal_id)
        reviewer = tx.row(
            "SELECT by_person FROM decisions WHERE case_id = ? AND rule_id = ? AND ordinal = ? AND decision = 'confirm' "
            "ORDER BY seq DESC LIMIT 1",
            [one.case_id, one.rule_id, one.ordinal],
        )
    own_decision = bool(reviewer) and reviewer is not None and reviewer[0] == ask.person.person_id
    return render(
        ask,
        "appeal.html",
        appeal=one,
        steps=steps,
        words=STEP,
        act=mine_to_act(ask, one) and not (own_decision and one.state is not AppealState.FILED),
        own_decision=own_decision,
        mine=ask.has(Post.AGENT) and one.agent_id == ask.person.agent_id,
        **page_values(ask, run, findings, shown_to(ask, call, bill)),
    )
