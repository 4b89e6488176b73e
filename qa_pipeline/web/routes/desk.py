"""The review desk: the queue, one case, the next; the lead's list of all cases."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from qa_pipeline.casework.assigning import refusal
from qa_pipeline.casework.cases import get_case
from qa_pipeline.casework.findings import findings_of
from qa_pipeline.casework.people import all_people
from qa_pipeline.casework.values import CaseState, Post
from qa_pipeline.report.script_view import script_view
from qa_pipeline.text.order import in_order
from qa_pipeline.web.guard import Ask, Asked
from qa_pipeline.web.reading import queue
from qa_pipeline.web.reading.access import case_open_to, opened_call
from qa_pipeline.web.routes.calls import bill_for, manual_items, page_values, shown_to
from qa_pipeline.web.views import back, render

router = APIRouter()
STATES = (queue.TO_DO, queue.LATE, "待分配", "待复核", "复核中", "已完成", "已作废")


def _filter(ask: Ask, assignee: str) -> queue.Filter:
    state = ask.text("state", queue.TO_DO)
    return queue.Filter(
        state="" if state == "全部" else state,
        assignee=assignee,
        team=ask.text("team"),
        reason=ask.text("reason"),
        clause=ask.text("clause"),
        sample=ask.text("sample"),
        kind=ask.text("kind"),
        text=ask.text("q"),
        page=ask.number("page", 1, least=1),
    )


@router.get("/desk", name="desk")
def desk(ask: Asked) -> Response:
    with ask.look() as tx:
        wanted = _filter(ask, ask.person.person_id)
        lines, total = queue.find(tx, wanted)
        counts = queue.counts(tx, ask.person.person_id)
    return render(ask, "desk.html", lines=lines, total=total, wanted=wanted, counts=counts, states=STATES, page_size=queue.PAGE)


@router.get("/cases", name="cases")
def cases(ask: Asked) -> Response:
    with ask.look() as tx:
        wanted = _filter(ask, ask.text("assignee"))
        lines, total = queue.find(tx, wanted)
        reviewers = [person for person in all_people(tx.connection) if person.has(Post.QA, Post.QA_LEAD)]
        teams = sorted((team for (team,) in tx.rows("SELECT DISTINCT team FROM cases WHERE team IS NOT NULL")), key=in_order)
    return render(
        ask,
        "cases.html",
        lines=lines,
        total=total,
        wanted=wanted,
        states=STATES,
        reviewers=reviewers,
        kinds=queue.KINDS,
        teams=teams,
        page_size=queue.PAGE,
    )


@router.get("/desk/next", name="desk.next")
def next_case(ask: Asked) -> Response:
    with ask.look() as tx:
        case_id = queue.next_case(tx, ask.text("after"))
    if case_id is None:
        return back(ask, "/desk", "您的工单都复核完了。")
    return back(ask, f"/cases/{case_id}")


@router.get("/cases/{case_id}", name="case")
def case(ask: Asked, case_id: str) -> Response:
    with ask.look() as tx:
        one = get_case(tx, case_id)
        case_open_to(tx, one)
        call = opened_call(ask, tx, one.call_id, "工单")
        run = tx.run(one.run_id)
        findings, bill = findings_of(tx, one), bill_for(tx, one)
        mine = one.assignee == ask.person.person_id or (ask.has(Post.QA_LEAD) and one.kind.value == "primary")
        working = one.state in (CaseState.ASSIGNED, CaseState.REVIEWING)
        editable = mine and working and not refusal(ask.person, one)
        corrected = tx.rows(
            "SELECT turn, field, before, after, by_person FROM corrections WHERE case_id = ? ORDER BY seq", [one.case_id]
        )
        waiting = queue.counts(tx, ask.person.person_id)["waiting"] if ask.has(Post.QA, Post.QA_LEAD) else 0
    values = page_values(ask, run, findings, shown_to(ask, call, bill)) | {"script": script_view(run.conversation)}
    return render(
        ask,
        "case.html",
        case=one,
        editable=editable,
        corrected=corrected,
        waiting=waiting,
        manual=manual_items(ask),
        **values,
    )
