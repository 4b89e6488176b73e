"""How far machine and people agree, as a table: qa calibrate, and qa eval without labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from qa_pipeline.cli.common import table

if TYPE_CHECKING:
    from qa_pipeline.casework.agreement import ClauseTrust
    from qa_pipeline.casework.stats import Kappa, Rate


def tell_trust(trusted: Sequence[ClauseTrust], people: Mapping[str, Kappa]) -> None:
    """By clause: counts, precision with its interval, κ of machine and people and among people, appeals."""
    rows = [
        [
            item.clause,
            f"{item.confirmed}/{item.rejected}/{item.cannot_tell}",
            str(item.missed),
            *rate_cells(item.precision),
            _kappa(item.machine),
            _kappa(people[item.clause]) if item.clause in people else "无数据",
            f"{item.overturned}/{item.appealed}",
            "仅提示" if item.advice_only else "",
        ]
        for item in trusted
    ]
    names = ["条款", "确认/驳回/难判", "漏检", "准确率", "95% 区间", "κ 机器–人", "κ 人–人", "推翻/申诉", ""]
    table(names, rows, right=[1, 2, 3])


def rate_cells(rate: Rate | None) -> list[str]:
    return ["无数据", ""] if rate is None else [f"{rate.share:.1%}", f"{rate.low:.1%}–{rate.high:.1%}"]


def _kappa(value: Kappa) -> str:
    if value.value is None or value.low is None or value.high is None:
        return f"无法计算（{value.n}）"
    point, low, high = (round(number, 2) + 0.0 for number in (value.value, value.low, value.high))  # -0.0 + 0.0 is 0.0
    return f"{point:.2f}（{low:.2f}–{high:.2f}，{value.n}）"
