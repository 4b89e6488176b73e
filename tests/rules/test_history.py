"""Other calls of the customer, as the store tells them: C5 from stored runs to verdict."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from qa_pipeline.across import concerned, history_of
from qa_pipeline.audit import audit_one
from qa_pipeline.history import CallHistory, looks_across, read_history
from qa_pipeline.model import (
    AuditRun,
    CallData,
    CallOutcome,
    CallType,
    Conversation,
    EngineInfo,
    Outcome,
    Provenance,
    Scorecard,
    Verdict,
)
from qa_pipeline.signals.base import PastCall
from qa_pipeline.store import BatchInfo, Store, open_store
from tests.rules.support import shipped
from tests.signals.support import call

BATCH = BatchInfo(batch_id="b1", started_at="2026-11-02T09:00:00")
SALE = CallData(
    call_id="sale",
    customer_number="13900001234",
    product="天气预报",
    started_at="2026-09-01T10:00:00",
    call_type=CallType.SALE,
    outcome=CallOutcome.SUCCESS,
    trial_days=30,
    charged=True,
)


def run(data: CallData, *violated: str, version: int = 1, verdict: Verdict = Verdict.VIOLATION) -> AuditRun:
    outcomes = tuple(
        Outcome(clause=clause, rule_id=f"{clause}-x", title=clause, verdict=verdict, reason="测试") for clause in violated
    )
    return AuditRun(
        run_id=f"r{data.call_id}{version}",
        conversation=Conversation(call=data, turns=call("坐：您好").turns),
        outcomes=outcomes,
        scorecard=Scorecard(
            score=100,
            qualified=True,
            fatal=False,
            sale_invalid=False,
            violations=0,
            not_evaluated=0,
            fine_yuan=Decimal(0),
            supervisor_fine_yuan=Decimal(0),
            provisional=False,
        ),
        provenance=Provenance(
            audio_hash="",
            content_hash=f"{data.call_id}{version}",
            engine=EngineInfo(name="imported", model="", model_hash=""),
            rules_digest=f"rules-{version}",
            version="1.0",
        ),
    )


def confirm(call_id: str, day: str | None, **changes: object) -> CallData:
    data = replace(SALE, call_id=call_id, started_at=day, call_type=CallType.CONFIRM, trial_days=None, charged=None)
    return replace(data, **changes)  # type: ignore[arg-type]


def past(data: CallData, *violated: str, judged: bool = True) -> PastCall:
    """As the store gives it back: only what the verdict across calls needs."""
    kept = CallData(
        call_id=data.call_id,
        customer_number=data.customer_number,
        product=data.product,
        started_at=data.started_at,
        call_type=data.call_type,
        outcome=data.outcome,
    )
    return PastCall(call=kept, violated=frozenset(violated), judged=judged)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "qa.duckdb")


FIRST, SECOND = confirm("c1", "2026-09-10T09:00:00"), confirm("c2", "2026-09-20T09:00:00")
LATER = confirm("late", "2026-10-05T12:30:00", customer_number="13700000000")


def test_all_calls_of_the_customer_by_time_with_their_violations(store: Store) -> None:
    unknown = confirm("c0", None)
    store.save([run(SECOND, "C4", "A04", "C4"), run(SALE, "C5"), run(FIRST), run(LATER, "C1"), run(unknown)], BATCH)
    history = read_history(store, [SALE])
    assert history == CallHistory(
        known_until="2026-10-05T12:30:00",
        calls={"13900001234": (past(unknown), past(SALE, "C5"), past(FIRST), past(SECOND, "C4", "A04"))},
    )
    assert history.calls_about(SALE) == (past(unknown), past(FIRST), past(SECOND, "C4", "A04"))


def test_other_customers_and_products_do_not_count_an_unknown_product_does(store: Store) -> None:
    other = confirm("c3", "2026-09-11T09:00:00", product="彩铃")
    without = confirm("c4", "2026-09-12T09:00:00", product=None)
    store.save([run(other), run(without), run(LATER)], BATCH)
    history = read_history(store, [SALE, LATER])
    assert history.calls_about(SALE) == (past(without),)
    assert history.calls_about(replace(SALE, product=None)) == (past(other), past(without))
    assert history.calls_about(replace(SALE, customer_number=None)) == ()
    assert history.calls_about(LATER) == ()


def test_only_the_verdict_in_force_counts(store: Store) -> None:
    store.save([run(FIRST, "C4")], BATCH)
    store.save([run(FIRST, version=2)], BATCH)
    store.save([run(SECOND, "C1", verdict=Verdict.NOT_EVALUATED)], BATCH)
    assert read_history(store, [SALE]).calls_about(SALE) == (past(FIRST), past(SECOND))


def test_a_call_that_nobody_has_judged_yet_is_told_as_such(store: Store) -> None:
    store.save_calls([FIRST], BATCH)
    assert read_history(store, [SALE]).calls_about(SALE) == (past(FIRST, judged=False),)


def test_an_empty_store_and_nobody_to_ask_about(store: Store) -> None:
    store.save_calls([], BATCH)
    assert read_history(store, [SALE]) == CallHistory(known_until=None, calls={})
    assert read_history(store, []) == CallHistory(known_until=None, calls={})


@pytest.mark.parametrize(
    ("changes", "across"),
    [
        ({}, True),
        ({"call_type": None}, True),
        ({"call_type": CallType.SERVICE}, True),  # a product sold in it
        ({"call_type": CallType.CONFIRM}, False),
        ({"outcome": CallOutcome.REFUSED}, False),
        ({"outcome": None}, False),
        ({"trial_days": 0}, False),
        ({"trial_days": None}, False),
        ({"customer_number": None}, False),
    ],
)
def test_only_a_sale_with_a_trial_looks_at_other_calls(changes: dict[str, object], across: bool, store: Store) -> None:
    store.save_calls([FIRST], BATCH)
    data = replace(SALE, **changes)  # type: ignore[arg-type]
    assert looks_across(data) is across
    assert (history_of(store, data) is not None) is across


def test_without_a_store_there_is_no_history(tmp_path: Path) -> None:
    assert history_of(open_store(tmp_path / "none.duckdb"), SALE) is None


def verdict(store: Store) -> tuple[str, str]:
    conversation = Conversation(call=SALE, turns=call("坐：给您开通了").turns)
    (outcome,) = audit_one(shipped(), shipped().rule("C5"), conversation, history_of(store, SALE))
    return outcome.verdict.value, outcome.reason


def test_c5_from_the_store_grows_with_what_is_known(store: Store) -> None:
    store.save([run(SALE), run(FIRST)], BATCH)
    assert verdict(store) == ("无法判定", "到 2026-10-01 才收费，库里的通话还没有到那一天")
    store.save([run(LATER)], BATCH)
    assert verdict(store) == ("违规", "收费前的二次确认：收费前有效的确认通话 1 次（2026-09-10），应有 2 次")
    store.save([run(SECOND, "C4")], BATCH)
    assert verdict(store)[0] == "违规"
    store.save([run(SECOND, version=2)], BATCH)
    assert verdict(store)[0] == "合规"


def test_an_unreached_confirmation_gives_the_agent_another_period(store: Store) -> None:
    missed = confirm("c9", "2026-09-25T09:00:00", outcome=CallOutcome.NO_ANSWER)
    store.save([run(SALE), run(FIRST), run(missed), run(LATER)], BATCH)
    assert verdict(store) == ("无法判定", "到 2026-10-31 才收费，库里的通话还没有到那一天")


def test_which_stored_verdicts_a_new_call_may_change(store: Store) -> None:
    waiting = run(replace(SALE, call_id="waiting", customer_number="13611112222"), "C5", verdict=Verdict.NOT_EVALUATED)
    out_of_it = run(replace(SALE, call_id="out"), "C5", verdict=Verdict.NOT_APPLICABLE)
    nobody = run(replace(SALE, call_id="nobody", customer_number=None), "C5", verdict=Verdict.NOT_EVALUATED)
    store.save([run(SALE, "C5"), waiting, out_of_it, nobody, run(FIRST), run(LATER, "C5")], BATCH)
    assert concerned(store, ["C5-x"], ["c1"]) == ["sale", "waiting"]
    assert concerned(store, ["C5-x"], ["late"]) == ["late", "waiting"]
    assert concerned(store, [], ["c1"]) == concerned(store, ["C4-x"], ["c1"]) == []
