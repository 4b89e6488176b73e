"""An agent's own pages: own calls, what was found and what to say instead, appeals, own trend. Nothing about colleagues."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from qa_pipeline.casework import appeals
from qa_pipeline.casework.cases import get_case
from qa_pipeline.casework.findings import findings_of
from qa_pipeline.casework.values import CaseState
from qa_pipeline.web.guard import Ask, Asked, NotHere
from qa_pipeline.web.reading import access, own
from qa_pipeline.web.routes.calls import bill_for, page_values, shown_to
from qa_pipeline.web.views import render

router = APIRouter()


@router.get("/me", name="me")
def me(ask: Asked) -> Response:
    agent_id = _agent_id(ask)
    with ask.look() as tx:
        cases = own.own_cases(tx, agent_id)
        totals = own.own_totals(tx, agent_id)
        mine = appeals.find_appeals(tx, agent_id=agent_id)
        days = tx.settings.appeal_days
        trend = own.weekly(cases)
    mine.sort(key=lambda item: item.changed_at, reverse=True)
    page = ask.number("page", 1, least=1)
    return render(
        ask,
        "me.html",
        cases=cases[own.PAGE * (page - 1) : own.PAGE * page],
        totals=totals,
        appeals=mine[:20],
        days=days,
        chart=_trend(trend),
        page=page,
        page_size=own.PAGE,
        appeal_time=timedelta(days=days),
    )


def _agent_id(ask: Ask) -> str:
    if not ask.person.agent_id:
        raise NotHere("您的账号还没有登记工号，请找管理员。")
    return ask.person.agent_id


def _trend(weeks: list[tuple[str, int, float]]) -> dict[str, Any] | None:
    if len(weeks) < 2:
        return None
    return {
        "data": [
            {
                "x": [week for week, _, _ in weeks],
                "y": [round(score, 1) for _, _, score in weeks],
                "text": [f"{count} 通" for _, count, _ in weeks],
                "type": "scatter",
                "mode": "lines+markers",
                "hovertemplate": "%{x}<br>平均 %{y} 分（%{text}）<extra></extra>",
            }
        ],
        "layout": {"yaxis": {"range": [0, 104], "title": {"text": "平均分"}}, "showlegend": False},
    }


@router.get("/me/calls/{call_id}", name="me.call")
def my_call(ask: Asked, call_id: str) -> Response:
    agent_id = _agent_id(ask)
    with ask.look() as tx:
        call = access.opened_call(ask, tx, call_id, "文字")
        if call.agent_id != agent_id:
            raise NotHere(f"没有通话 {call_id}，或它不是您的。")
        case_id = access.primary_case(tx, call_id)
        case = get_case(tx, case_id) if case_id else None
        finished = case is not None and case.state is CaseState.FINISHED
        run = tx.run(case.run_id) if case is not None else tx.store.load_run(call_id)
        if run is None:
            raise NotHere("这通电话的文字已按保存期清理。")
        findings = findings_of(tx, case) if case is not None and finished else []
        standing = [
            item for item in findings if item.confirmed or (item.live is not None and item.live.decision.value == "overturn")
        ]
        bill = bill_for(tx, case) if finished else None
        mine = {
            (item.rule_id, item.ordinal): item for item in appeals.find_appeals(tx, agent_id=agent_id) if item.case_id == case_id
        }
        until = case.finished_at + timedelta(days=tx.settings.appeal_days) if case and case.finished_at else None
    values = page_values(ask, run, standing, shown_to(ask, call, bill, hide=not finished))
    filed = {f"{rule_id}#{ordinal}": item for (rule_id, ordinal), item in mine.items()}
    open_until = until if until is not None and until >= ask.site.now() else None
    return render(ask, "my_call.html", case=case, finished=finished, filed=filed, until=until, open_until=open_until, **values)
