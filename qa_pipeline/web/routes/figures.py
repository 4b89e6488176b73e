"""What managers and leaders look at: today, marked calls, teams, agents, clauses."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from qa_pipeline.casework import appeals, day
from qa_pipeline.casework.values import AppealState, Post
from qa_pipeline.web.guard import Ask, Asked, NotHere
from qa_pipeline.web.overview import result
from qa_pipeline.web.reading import figures, flagged, own
from qa_pipeline.web.reading.access import own_team
from qa_pipeline.web.reading.span import latest
from qa_pipeline.web.views import render

router = APIRouter()
_COMMENT = "申诉待写意见"
_TO = {  # where exactly the things of each kind of waiting are listed
    "工单待复核": "/desk",
    "工单没有人可分": "/cases?state=待分配",
    "申诉待裁定": "/appeals?state=待质检组长裁定#all",
    "申诉过了意见期限，可直接裁定": "/appeals?state=意见期限已过#all",
    _COMMENT: "/appeals?state=待班组长意见#all",
    "申诉待终裁": "/appeals?state=待经理终裁#all",
    "投诉处理中": "/manage/complaints?state=处理中#complaints",
    "处分建议待决定": "/manage/money?mine=1#sanctions",
    "无效销售待回访": "/manage/followup#callbacks",
    "二次确认到期": "/manage/followup?due=1#confirm",
    "质检结果可以申诉": "/me",
}


def _waiting(ask: Ask) -> list[day.Waiting]:
    def make() -> list[day.Waiting]:
        with ask.look() as tx:
            return day.waiting_for(tx, ask.person)

    return ask.site.results.get(("waiting", ask.person.person_id), make)[0]


@router.get("/manage", name="manage")
def manage(ask: Asked) -> Response:
    (today, points, heat), at = result(ask.site, "today")
    worst = heat.most()[:8]
    chart = figures.trend_chart(points, what="unqualified") if len(points) > 1 else None
    return render(
        ask,
        "manage.html",
        today=today,
        waiting=_waiting(ask),
        at=at,
        chart=chart,
        worst=worst,
        week=heat.span,
        days=figures.DAYS,
        to=_TO,
    )


@router.get("/manage/calls", name="manage.calls")
def calls(ask: Asked) -> Response:
    wanted = flagged.Wanted(
        team=own_team(ask, ask.text("team")),
        agent_id=ask.text("agent_id"),
        clause=ask.text("clause"),
        only=ask.text("only", "flagged"),
        review=ask.text("review"),
        date_from=ask.text("from"),
        date_to=ask.text("to"),
        text=ask.text("q"),
        page=ask.number("page", 1, least=1),
    )
    with ask.look() as tx:
        lines, total = flagged.find_calls(tx, wanted)
        teams = flagged.teams_of(tx)
    return render(
        ask,
        "calls.html",
        lines=lines,
        total=total,
        wanted=wanted,
        only=flagged.ONLY,
        reviews=flagged.REVIEWS,
        teams=teams,
        page_size=flagged.PAGE,
    )


@router.get("/manage/teams", name="manage.teams")
def teams(ask: Asked) -> Response:
    (found, tiers, agents, span), at = result(ask.site, "teams")
    return render(ask, "teams.html", found=found, tiers=tiers, agents=agents, span=span, at=at, days=figures.DAYS)


@router.get("/manage/team", name="manage.team")
def team(ask: Asked) -> Response:
    """A team; for its leader the first page, which is there also before the first call."""
    if not ask.text("name") and not ask.has(Post.QA_LEAD, Post.MANAGER) and not ask.person.team:
        return render(ask, "team.html", name="", own=True, agents=[], waiting=_waiting(ask), to=_TO, comments=[])
    name = own_team(ask, ask.text("name"))
    if not name:
        raise NotHere("没有写明班组。")
    own = ask.has(Post.TEAM_LEADER) and name == ask.person.team

    def make() -> Any:
        with ask.look() as tx:
            span = latest(tx, figures.DAYS)
            return (
                figures.by_group(tx, "agent_id", span)[0],
                figures.agents(tx, span, name),
                figures.by_day(tx, team=name),
                figures.heat(tx, span, name),
            )

    (found, agents, points, heat), at = ask.site.results.get(("team", name), make)
    if not agents and not own:
        raise NotHere(f"没有班组“{name}”的通话。")
    mine = {line.agent_id for line in agents}
    return render(
        ask,
        "team.html",
        name=name,
        own=own,
        agents=agents,
        waiting=[item for item in _waiting(ask) if item.what != _COMMENT] if own else [],
        to=_TO,
        comments=_to_comment(ask) if own else [],
        rates={item.name: item for item in found if item.name in mine},
        clauses=heat.most()[:8],
        span=heat.span,
        chart=figures.trend_chart(points) if points else None,
        at=at,
        days=figures.DAYS,
    )


def _to_comment(ask: Ask) -> list[appeals.Appeal]:
    """Appeals of the leader's own team that wait for his words, the first deadline first; as of now, not of the last figures."""
    with ask.look() as tx:
        found = [item for item in appeals.find_appeals(tx, state=AppealState.FILED) if item.team == ask.person.team]
    return sorted(found, key=lambda item: (item.due_at is None, item.due_at, item.appeal_id))


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
    chart = figures.trend_chart(points) if points else None
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
            return figures.heat(tx, latest(tx, days), shown_team)

    usual = not shown_team and days == 28
    heat, at = result(ask.site, "heat") if usual else ask.site.results.get(("heat", shown_team, days), make)
    return render(ask, "clauses.html", heat=heat, at=at, days=days)
