"""Reading over the API: the same things that the pages show, as JSON. Changes are in ``deciding``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from qa_pipeline.casework import appeals, closing, day, ledger, people, privacy
from qa_pipeline.casework.cases import get_case
from qa_pipeline.casework.findings import findings_of
from qa_pipeline.casework.values import AppealState, Post
from qa_pipeline.errors import UserError
from qa_pipeline.web.guard import Ask, Asked, NotHere, plain
from qa_pipeline.web.overview import result
from qa_pipeline.web.reading import access, queue
from qa_pipeline.web.reading.callpage import call_page, findings_of_run
from qa_pipeline.web.reading.flagged import Wanted, find_calls
from qa_pipeline.web.routes.calls import bill_for, media_url, shown_to

router = APIRouter(prefix="/api/v1", tags=["读取"])


def _json(value: Any) -> Response:
    return JSONResponse(plain(value))


@router.get("/openapi.json", name="openapi", include_in_schema=False)
def openapi(ask: Asked, request: Request) -> Response:
    return JSONResponse(request.app.openapi())


@router.get("/today", name="api.today", summary="今天等着我做的事")
def today(ask: Asked) -> Response:
    with ask.look() as tx:
        return _json({"person": ask.person, "waiting": day.waiting_for(tx, ask.person)})


@router.get("/cases", name="api.cases", summary="工单列表")
def cases(ask: Asked, state: str = "", assignee: str = "", team: str = "", clause: str = "", page: int = 1) -> Response:
    with ask.look() as tx:
        wanted = queue.Filter(state=state, assignee=assignee, team=team, clause=clause, page=max(1, page))
        lines, total = queue.find(tx, wanted)
    return _json({"total": total, "page": page, "cases": lines})


@router.get("/cases/{case_id}", name="api.case", summary="一张工单：发现、决定、金额")
def case(ask: Asked, case_id: str) -> Response:
    with ask.look() as tx:
        one = get_case(tx, case_id)
        access.case_open_to(tx, one)
        access.opened_call(ask, tx, one.call_id, "工单")
        findings, valued = findings_of(tx, one), ledger.value_of(tx, one)
        masker = privacy.masker(ask.person, tx.run(one.run_id).conversation.call)
    found = [
        {
            "finding": f"{item.key.rule_id}#{item.key.ordinal}",
            "clause": item.clause,
            "title": item.outcome.title,
            "reason": masker.text(item.outcome.reason),
            "quote": masker.text(item.outcome.proof.quote) if item.outcome.proof else "",
            "start_s": item.outcome.proof.start_s if item.outcome.proof else None,
            "decision": item.live.decision.value if item.live else None,
            "decided_by": item.live.by_person if item.live else None,
            "reason_given": item.live.reason if item.live else "",
            "manual": item.manual,
            "advice": item.advice,
        }
        for item in findings
    ]
    return _json({"case": one, "findings": found, "dues": valued.dues, "score": valued.card.score})


@router.get("/calls", name="api.calls", summary="标记通话")
def calls(ask: Asked, team: str = "", agent_id: str = "", clause: str = "", only: str = "flagged", page: int = 1) -> Response:
    shown = access.own_team(ask, team)
    with ask.look() as tx:
        lines, total = find_calls(tx, Wanted(team=shown, agent_id=agent_id, clause=clause, only=only, page=max(1, page)))
    return _json({"total": total, "page": page, "calls": lines})


@router.get("/calls/{call_id}", name="api.call", summary="一通电话：话轮、发现、录音地址")
def call(ask: Asked, call_id: str) -> Response:
    with ask.look() as tx:
        data = access.opened_call(ask, tx, call_id, "文字")
        case_id = access.primary_case(tx, call_id)
        one = get_case(tx, case_id) if case_id else None
        secret = access.open_double(tx, call_id)
        run = tx.run(one.run_id) if one is not None else tx.store.load_run(call_id)
        if run is None:
            raise NotHere
        finished = one is not None and one.state.value == "已完成" and not secret
        hide = not finished and not ask.has(Post.QA, Post.QA_LEAD, Post.MANAGER, Post.TEAM_LEADER)
        findings = findings_of(tx, one) if one is not None and not secret else findings_of_run(run)
        bill = bill_for(tx, one) if not secret else None
    if not ask.has(Post.QA, Post.QA_LEAD, Post.MANAGER, Post.TEAM_LEADER):
        findings = [item for item in findings if item.confirmed]
    page = call_page(run, findings, shown_to(ask, data, bill, hide=hide))
    return _json({"call": page, "media": media_url(ask, call_id) if page.has_audio else None})


@router.get("/calls/{call_id}/trace", name="api.trace", summary="一条规则在这通电话上的判定过程")
def trace(ask: Asked, call_id: str, rule: str, run: str = "") -> Response:
    from qa_pipeline.rules.trace import explain

    with ask.look() as tx:
        data = access.opened_call(ask, tx, call_id, "判定过程")
        found = tx.store.load_run_by_id(run) if run else tx.store.load_run(call_id)
    if found is None or found.conversation.call.call_id != call_id:
        raise NotHere
    try:
        chosen = ask.site.book().rule(rule)
    except KeyError:
        raise UserError(f"现在的规则里没有 {rule} 了，看不到判定过程。") from None
    masker = privacy.masker(ask.person, data)
    return _json({"lines": [masker.text(line) for line in explain(ask.site.book(), chosen, found.conversation)]})


@router.get("/appeals", name="api.appeals", summary="申诉")
def all_appeals(ask: Asked, state: str = "") -> Response:
    with ask.look() as tx:
        found = appeals.find_appeals(tx, state=AppealState(state) if state in list(AppealState) else None)
    return _json([item for item in found if appeal_open_to(ask, item)])


def appeal_open_to(ask: Ask, appeal: appeals.Appeal) -> bool:
    if ask.has(Post.QA_LEAD, Post.MANAGER):
        return True
    if ask.has(Post.TEAM_LEADER) and ask.person.team and ask.person.team == appeal.team:
        return True
    return ask.has(Post.AGENT) and bool(ask.person.agent_id) and ask.person.agent_id == appeal.agent_id


@router.get("/ledger", name="api.ledger", summary="一个月的台账，按人")
def month_ledger(ask: Asked, month: str) -> Response:
    with ask.look() as tx:
        return _json({"month": month, "lines": closing.statement(tx, month)})


@router.get("/calibration", name="api.calibration", summary="各条款的准确率与一致性")
def calibration(ask: Asked) -> Response:
    (trust, people_agree, drift, *_), at = result(ask.site, "calibration")
    return _json({"at": at, "trust": trust, "people": people_agree, "drift": drift})


@router.get("/followup", name="api.followup", summary="跟进名单")
def follow(ask: Asked) -> Response:
    from qa_pipeline.web.routes.following import lists

    callbacks, confirmations, rechecks, at = lists(ask)
    return _json({"at": at, "callbacks": callbacks, "confirmations": confirmations, "rechecks": rechecks})


@router.get("/people", name="api.people", summary="人员")
def everybody(ask: Asked) -> Response:
    with ask.look() as tx:
        return _json(people.all_people(tx.connection, active=False))
