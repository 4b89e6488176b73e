"""The ledger: what is proposed, confirmed, booked and given back; closing a month; proposals of sanctions."""

from __future__ import annotations

import re

from fastapi import APIRouter
from starlette.responses import Response

from qa_pipeline.casework import closing
from qa_pipeline.casework.values import Account, Party
from qa_pipeline.web.guard import Asked
from qa_pipeline.web.overview import result
from qa_pipeline.web.views import render

router = APIRouter()
_FIRST, _MOST = 12, 200  # proposals of sanctions on the page, and of those that wait for one person
_SHOWN = (Account.PROPOSED, Account.CONFIRMED, Account.BOOKED, Account.REVERSED)


@router.get("/manage/money", name="manage.money")
def money(ask: Asked) -> Response:
    (totals, months), at = result(ask.site, "money")
    month = ask.text("month")
    if not re.fullmatch(r"\d{4}-\d{2}", month):
        month = max(months, default=f"{ask.site.now():%Y-%m}")
    mine = ask.flag("mine")  # only the sanctions that wait for this person
    with ask.look() as tx:
        lines = closing.statement(tx, month)
        closed = dict(tx.rows("SELECT month, at_time FROM month_closings"))
        sanctions = tx.rows(
            """SELECT sanction_id, version, case_id, call_id, clause, sanction, agent_id, state, coalesce(manager, ''), coalesce(note, '')
               FROM sanctions_now WHERE NOT ? OR (state = '待决定' AND coalesce(manager, '') IN ('', ?))
               ORDER BY state <> '待决定', sanction_id DESC LIMIT ?""",
            [mine, ask.person.person_id, _MOST if mine else _FIRST],
        )
    return render(
        ask,
        "money.html",
        totals=totals,
        months=months,
        month=month,
        lines=lines,
        closed=closed,
        sanctions=sanctions,
        mine=mine,
        accounts=_SHOWN,
        parties=tuple(Party),
        chart=_chart(months),
        at=at,
        over=month < f"{ask.site.now():%Y-%m}" and month not in closed,
    )


def _chart(months: dict[str, dict[tuple[str, str], object]]) -> dict[str, object] | None:
    if not months:
        return None
    names = sorted(months)[-12:]
    colours = {Account.CONFIRMED: "#c9924a", Account.BOOKED: "#0b6b5c", Account.REVERSED: "#7a8580"}
    return {
        "data": [
            {
                "type": "bar",
                "name": account.value,
                "x": names,
                "y": [float(str(months[name].get((Party.AGENT, account), 0))) for name in names],
                "marker": {"color": colour},
                "hovertemplate": "%{x} " + account.value + " %{y:.2f} 元<extra></extra>",
            }
            for account, colour in colours.items()
        ],
        "layout": {"barmode": "group", "xaxis": {"type": "category"}, "yaxis": {"title": {"text": "元（坐席，当月变动）"}}},
    }
