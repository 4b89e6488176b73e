"""Calibration: how far the machine can be trusted, how far people agree among themselves, and whether it drifts."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from qa_pipeline.casework import agreement
from qa_pipeline.web.guard import Asked
from qa_pipeline.web.overview import result
from qa_pipeline.web.views import render

router = APIRouter()


@router.get("/manage/calibration", name="manage.calibration")
def calibration(ask: Asked) -> Response:
    (trust, people, drift, differ, titles), at = result(ask.site, "calibration")
    manual = ask.site.policy.file.manual  # clauses that only people find: there is no rule to show
    with ask.look() as tx:
        floor, least = tx.settings.precision_floor, tx.settings.precision_count
    return render(
        ask,
        "calibration.html",
        trust=trust,
        people=people,
        differ=differ,
        titles={code: item.title for code, item in manual.items()} | titles,
        rules=ask.site.specs(),
        manual=manual,
        total=agreement.total_precision(trust),
        chart=_drift(drift),
        at=at,
        floor=floor,
        least=least,
    )


def _drift(weeks: list[agreement.WeekTrust]) -> dict[str, Any] | None:
    """Precision by week over all clauses, with the interval as a band."""
    from qa_pipeline.casework.stats import wilson

    sums: dict[str, list[int]] = {}
    for item in weeks:
        count = sums.setdefault(item.week, [0, 0])
        count[0] += item.confirmed
        count[1] += item.rejected
    if len(sums) < 2:
        return None
    names = sorted(sums)
    rates = [wilson(sums[name][0], sum(sums[name])) for name in names]
    known = [(name, rate) for name, rate in zip(names, rates, strict=True) if rate is not None]
    x = [name for name, _ in known]
    ticks = x[:: 1 + len(x) // 13]
    return {
        "data": [
            {"x": x, "y": [100 * rate.high for _, rate in known], "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"},
            {
                "x": x,
                "y": [100 * rate.low for _, rate in known],
                "mode": "lines",
                "line": {"width": 0},
                "fill": "tonexty",
                "fillcolor": "rgba(11,107,92,.14)",
                "hoverinfo": "skip",
            },
            {
                "x": x,
                "y": [round(100 * rate.share, 1) for _, rate in known],
                "customdata": [f"{sums[name][0]} 确认，{sums[name][1]} 驳回" for name in x],
                "mode": "lines+markers",
                "line": {"color": "#0b6b5c"},
                "hovertemplate": "%{x} %{y}%（%{customdata}）<extra></extra>",
            },
        ],
        "layout": {
            "showlegend": False,
            "yaxis": {"range": [0, 106], "title": {"text": "准确率 %"}},
            "xaxis": {"type": "category", "tickvals": ticks, "ticktext": [f"第 {int(name[-2:])} 周" for name in ticks]},
        },
    }
