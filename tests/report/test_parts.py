"""Sums over parts are the whole, whatever the calls: by agent, team, day and clause the reports count the same things once."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qa_pipeline.casework import closing
from qa_pipeline.model import CallOutcome
from qa_pipeline.report import registry
from qa_pipeline.report.document import Report
from qa_pipeline.report.reading import Wish
from tests.casework.casework_make import POLICY, Centre, finding, held_open

AGENTS = (("1001", "一组"), ("1002", "一组"), ("1003", "二组"), ("", ""))
CLAUSES = ("A04", "A06", "A11", "B3b")
CALLS = st.lists(
    st.tuples(
        st.sampled_from(AGENTS),
        st.sampled_from([CallOutcome.SUCCESS, CallOutcome.REFUSED, CallOutcome.NO_ANSWER, None]),
        st.lists(st.sampled_from(CLAUSES), max_size=3),
        st.integers(0, 9),  # day
        st.sampled_from(["", "confirm", "reject"]),  # what a reviewer says to all of it; empty: nobody looked
    ),
    min_size=1,
    max_size=7,
)


def built(centre: Centre, kind: str, **wish: Any) -> Report:
    first = datetime(2026, 11, 1).date()
    wanted = Wish(made_at=datetime(2026, 12, 20), date_from=first, date_to=first.replace(day=30), **wish)
    return registry.build(centre.store, POLICY, kind, wanted)


def summed(report: Report, title: str, *keys: str) -> list[Any]:
    rows = next(item for item in report.sections if item.title.startswith(title)).table.rows
    return [sum(row[key] or 0 for row in rows) for key in keys]  # type: ignore[misc]


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(CALLS)
def test_parts_are_the_whole(calls: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        centre = Centre(Path(folder) / "qa.duckdb")
        with held_open(centre):
            _live(centre, calls)
            _check(centre, calls)


def _live(centre: Centre, calls: list[tuple[Any, ...]]) -> None:
    for (agent, team), outcome, clauses, day, said in calls:
        centre.now = max(centre.now, datetime(2026, 11, 2, 9) + timedelta(days=day))
        found = [finding(clause, clauses[:place].count(clause)) for place, clause in enumerate(clauses)]
        fields = {"agent_id": agent or None, "agent_name": agent, "team": team or None, "outcome": outcome, "supervisor": "韩青"}
        if said:
            confirm = tuple(f"{item.rule_id}#{item.ordinal}" for item in found) if said == "confirm" else ()
            centre.done(*found, confirm=confirm, reviewer="qa1", **fields)
        else:
            centre.call(*found, **fields)


def _check(centre: Centre, calls: list[tuple[Any, ...]]) -> None:
    whole = [
        len(calls),
        sum(outcome is not CallOutcome.NO_ANSWER for _, outcome, _, _, _ in calls),
        sum(len(clauses) for _, _, clauses, _, _ in calls),
    ]
    team, agent = built(centre, "team"), built(centre, "agent")
    assert summed(team, "班组成绩", "calls", "connected", "findings") == whole
    assert summed(agent, "个人汇总", "calls", "connected", "findings") == whole
    assert summed(team, "班组成绩", "score_sum", "fatal") == summed(agent, "个人汇总", "score_sum", "fatal")
    weekly = built(centre, "weekly")
    assert summed(weekly, "每日情况", "calls", "connected") == whole[:2]
    assert summed(weekly, "用户反映", "calls") == whole[:1]
    clause = built(centre, "clause")
    counted = Counter(code for _, _, clauses, _, _ in calls for code in clauses)
    spread = next(item for item in clause.sections if item.title.startswith("条款分布")).table.rows
    assert {row["clause"]: row["findings"] for row in spread} == counted
    parts = [built(centre, "agent", team=name) for name in sorted({name for (_, name), *_ in calls if name})]
    named = sum(1 for (_, name), *_ in calls if name)
    assert sum(summed(part, "个人汇总", "calls")[0] for part in parts) == named
    _check_money(centre)


def _check_money(centre: Centre) -> None:
    """Agents, supervisors, lines and clauses of the monthly sheet against the ledger itself, before and after the closing."""
    for closed in (False, True):
        if closed:
            centre.now = datetime(2026, 12, 15)
            with centre.act("lead") as tx:
                closing.close_month(tx, "2026-11")
        report = built(centre, "monthly")
        keys = ("taken_points", "taken_yuan", "open_yuan", "waiting_yuan")
        people = [one + two for one, two in zip(summed(report, "坐席汇总", *keys), summed(report, "主管汇总", *keys), strict=True)]
        assert people == summed(report, "逐笔明细", *keys) == summed(report, "按条款合计", *keys)
        assert summed(report, "班组合计", *keys) == summed(report, "坐席汇总", *keys)
        held = Counter[str]()
        for account, (_, yuan) in ((name.split()[1], amount) for name, amount in centre.money().items()):
            held[account] += yuan  # type: ignore[assignment]
        assert people[1:] == [held["已入账"] or Decimal(0), held["已确认"] or Decimal(0), held["待确认"] or Decimal(0)]
        assert {fact.label: fact.value for fact in report.facts}["与台账核对"] == "相符"


def test_no_report_leaves_its_order_to_chance() -> None:
    """any_value and first() take what a thread finds first; a LIMIT without an order takes any rows."""
    root = Path(registry.__file__).parents[1]
    wrong = []
    for folder in ("report", "kpi", "casework", "web/reading"):
        for path in sorted((root / folder).rglob("*.py")):
            for statement in path.read_text(encoding="utf-8").split('"""')[1::2]:
                loose = "any_value(" in statement or " first(" in statement
                cut = " LIMIT " in statement and "ORDER BY" not in statement and "SELECT 1 " not in statement
                gathered = any(
                    f"{name}(" in statement and "ORDER BY" not in statement.split(f"{name}(", 1)[1].split("\n")[0]
                    for name in ("string_agg",)
                )
                if loose or cut or gathered:
                    wrong.append(f"{path.relative_to(root)}: {' '.join(statement.split())[:80]}")
    assert wrong == [], os.linesep.join(wrong)
