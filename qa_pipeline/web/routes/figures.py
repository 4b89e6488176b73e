"""What managers and leaders look at: today, marked calls, teams, agents, clauses."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from qa_pipeline.casework import day
from qa_pipeline.casework.values import Post
from qa_pipeline.web.guard import Asked, NotHere
from qa_pipeline.web.overview import result
from qa_pipeline.web.reading import figures, flagged, own
from qa_pipeline.web.reading.access import own_team
from qa_pipeline.web.views import render

router = APIRouter()
_TO = {
    "工单待复核": "/desk",
    "工单没有人可分": "/cases?state=待分配",
    "申诉待裁定": "/appeals",
    "申诉过了意见期限，可直接裁定": "/appeals",
    "申诉待写意见": "/appeals",
    "申诉待终裁": "/appeals",
    "投诉处理中": "/manage/complaints",
    "处分建议待决定": "/manage/money",
    "无效销售待回访": "/manage/followup",
    "二次确认到期": "/manage/followup#confirm",
}


@router.get("/manage", name="manage")
def manage(ask: Asked) -> Response:
    results = ask.site.results

    def mine() -> list[day.Waiting]:
        with ask.look() as tx:
            return day.waiting_for(tx, ask.person)

    (today, points, heat), at = result(ask.site, "today")
    waiting, _ = results.get(("waiting", ask.person.person_id), mine)
    totals = [(code, title, sum(heat.hits.get((code, team), 0) for team in heat.teams)) for code, title in heat.clauses]
    worst = sorted(totals, key=lambda item: -item[2])[:8]
    chart = figures.trend_chart(points, what="unqualified") if len(points) > 1 else None
    return render(ask, "manage.html", today=today, waiting=waiting, at=at, chart=chart, worst=worst, to=_TO)


@router.get("/manage/calls", name="manage.calls")
def calls(ask: Asked) -> Response:
    wanted = flagged.Wanted(
        team=own_team(ask, ask.text("team")),
        agent_id=ask.text("agent_id"),
        clause=ask.text("clause"),
        only=ask.text("only", "flagged"),
        date_from=ask.text("from"),
        date_to=ask.text("to"),
        text=ask.text("q"),
        page=ask.number("page", 1, least=1),
    )
    with ask.look() as tx:
        lines, total = flagged.find_calls(tx, wanted)
        teams = [row[0] for row in tx.rows("SELECT DISTINCT team FROM call_versions WHERE team IS NOT NULL ORDER BY team")]
    return render(
        ask, "calls.html", lines=lines, total=total, wanted=wanted, only=flagged.ONLY, teams=teams, page_size=flagged.PAGE
    )


@router.get("/manage/teams", name="manage.teams")
def teams(ask: Asked) -> Response:
    (found, tiers, agents), at = result(ask.site, "teams")
    return render(ask, "teams.html", found=found, tiers=tiers, agents=agents, at=at, days=figures.DAYS)


@router.get("/manage/team", name="manage.team")
def team(ask: Asked) -> Response:
    name = own_team(ask, ask.text("name"))
    if not name:
        raise NotHere("没有写明班组。")

    def make() -> Any:
        with ask.look() as tx:
            return (
                figures.by_group(tx, "agent_id"),
                figures.agents(tx, name),
                figures.by_day(tx, team=name),
                figures.heat(tx, figures.since(tx, figures.DAYS), name),
            )

    ((found, tiers), agents, points, heat), at = ask.site.results.get(("team", name), make)
    if not agents:
        raise NotHere(f"没有班组“{name}”的通话。")
    mine = {line.agent_id for line in agents}
    clauses = sorted(((code, title, heat.hits.get((code, name), 0)) for code, title in heat.clauses), key=lambda item: -item[2])[:8]
    return render(
        ask,
        "team.html",
        name=name,
        agents=agents,
        rates={item.name: item for item in found if item.name in mine},
        tiers=tiers,
        clauses=clauses,
        chart=figures.trend_chart(points),
        at=at,
        days=figures.DAYS,
    )


@router.get("/manage/agents/{agent_id}", name="manage.agent")
def agent(ask: Asked, agent_id: str) -> Response:
    with ask.look() as tx:
        row = tx.row(
            "SELECT agent_name, coalesce(team, '') FROM call_versions WHERE agent_id = ? ORDER BY seq DESC LIMIT 1", [agent_id]
        )
        if row is None or (not ask.has(Post.QA_LEAD, Post.MANAGER) and row[1] != ask.person.team):
            raise NotHere(f"没有工号 {agent_id}，或不在您的班组。")

    def make() -> Any:
        with ask.look() as tx:
            return (
                figures.by_day(tx, agent_id=agent_id),
                figures.clause_counts(tx, agent_id=agent_id),
                own.own_cases(tx, agent_id),
                own.own_totals(tx, agent_id),
            )

    (points, clauses, cases, totals), at = ask.site.results.get(("agent", agent_id), make)
    chart = figures.trend_chart(points)
    page = ask.number("page", 1, least=1)
    return render(
        ask,
        "agent.html",
        agent_id=agent_id,
        name=row[0] or agent_id,
        team=row[1],
        chart=chart,
        clauses=clauses,
        cases=cases[own.PAGE * (page - 1) : own.PAGE * page],
        totals=totals,
        at=at,
        page=page,
        page_size=own.PAGE,
    )


@router.get("/manage/clauses", name="manage.clauses")
def clauses(ask: Asked) -> Response:
    shown_team = own_team(ask, ask.text("team"))
    days = ask.number("days", 28, most=3650)

    def make() -> figures.Heat:
        with ask.look() as tx:
            return figures.heat(tx, figures.since(tx, days), shown_team)

    usual = not shown_team and days == 28
    heat, at = result(ask.site, "heat") if usual else ask.site.results.get(("heat", shown_team, days), make)
    return render(ask, "clauses.html", heat=heat, at=at, days=days)
