"""The simulated month: the same for the same seed, judged by the rules, reconciled to the cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from qa_pipeline.casework import closing, log
from qa_pipeline.casework.desk import Desk
from qa_pipeline.config import load_settings
from qa_pipeline.errors import UserError
from qa_pipeline.model import CallOutcome, Role
from qa_pipeline.policy import load_policy
from qa_pipeline.simulated.calls import IMPLIED, MADE_FAULTS, Size, calls_of, made_calls
from qa_pipeline.simulated.month import build_month
from qa_pipeline.store import open_store

SMALL = Size(days=2, agents=6, teams=2)


def test_the_size_of_the_month() -> None:
    month = Size()
    assert calls_of(month) == 4000
    assert calls_of(Size(scale=10)) == 40_000
    assert len(month.people) == 40
    assert sorted({agent.team for agent in month.people}) == ["一组", "三组", "二组", "五组", "四组"]
    assert (str(month.workdays[0]), str(month.workdays[-1]), len(month.workdays)) == ("2026-11-02", "2026-11-27", 20)
    assert all(day.weekday() < 5 for day in month.workdays)


def test_the_same_seed_gives_the_same_calls() -> None:
    first, again = list(made_calls(SMALL)), list(made_calls(SMALL))
    assert first == again
    assert list(made_calls(SMALL, 7, 5)) == first[7:12]
    assert first != list(made_calls(Size(seed=1, days=2, agents=6, teams=2)))
    assert len({item.call.call_id for item in first}) == len(first) == 60


def test_calls_are_whole() -> None:
    calls = list(made_calls(Size(days=4)))
    told = MADE_FAULTS | {clause for others in IMPLIED.values() for clause in others}
    for item in calls:
        times = [(turn.start_s, turn.end_s) for turn in item.conversation.turns]
        assert all(start is not None and end is not None and start < end for start, end in times)
        assert item.faults <= told
        assert item.call.started_at is not None
        assert item.call.started_at[:10] == f"{item.call.call_id[:4]}-{item.call.call_id[4:6]}-{item.call.call_id[6:8]}"
        if item.call.outcome is CallOutcome.NO_ANSWER:
            assert {turn.role for turn in item.conversation.turns} == {Role.UNKNOWN}
    share = sum(bool(item.faults) for item in calls) / len(calls)
    assert 0.08 < share < 0.35


@pytest.mark.slow
def test_a_small_month_is_built_and_reconciles(tmp_path: Path) -> None:
    settings = replace(load_settings(environ={}), db=tmp_path / "month.duckdb")
    told: list[str] = []
    said = build_month(settings, SMALL, told.append)
    assert "通话 60 通" in said
    store = open_store(settings.db)
    with Desk(store=store, policy=load_policy(settings.policy_file())).act("admin", datetime(2026, 12, 31)) as tx:
        assert closing.check(tx) == []
        assert log.verify(tx.connection) is None
        states = dict(tx.rows("SELECT state, count(*) FROM cases_now GROUP BY state"))
        assert set(states) == {"已完成"}
        assert tx.rows("SELECT month FROM month_closings") == [("2026-11",)]
        assert tx.rows("SELECT count(*) FROM case_results_now") == tx.rows("SELECT count(*) FROM cases WHERE kind = 'primary'")
        assert tx.rows("SELECT count(*) > 0 FROM decisions WHERE decision = 'confirm'") == [(True,)]
    with pytest.raises(UserError, match="已经存在"):
        build_month(settings, SMALL, told.append)
