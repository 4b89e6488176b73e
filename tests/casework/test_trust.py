"""Corrections with re-judging, agreement, advice-only clauses."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest
from casework_make import Centre, finding, judged

from qa_pipeline.casework import agreement, appeals, assigning, cases, corrections
from qa_pipeline.casework.cases import Opening
from qa_pipeline.casework.corrections import Correction, corrected_conversation, swapped
from qa_pipeline.casework.findings import findings_of
from qa_pipeline.casework.values import CaseKind, Decision
from qa_pipeline.errors import CaseworkError
from qa_pipeline.model import AuditRun, Conversation, Outcome, Role, RoleSource


def rejudge_with(*outcomes: Outcome) -> corrections.Rejudge:
    def rejudge(run: AuditRun, talk: Conversation) -> AuditRun:
        return judged(talk, outcomes)

    return rejudge


def test_a_correction_is_kept_beside_and_judged_again(centre: Centre) -> None:
    """The words belonged to the customer: A04 falls, A06 stays with its decision, A09 is new and waits."""
    case = centre.case(finding("A04"), finding("A06"))
    centre.decide(case, "A04")
    centre.decide(case, "A06")
    assert centre.money() == {"agent 已确认": (20, D(40))}
    given = [Correction(turn=0, role=Role.CUSTOMER, text="您好 不知道就别说啦")]
    with centre.act("qa1") as tx:
        moved = corrections.correct(tx, case.case_id, given, rejudge_with(finding("A06"), finding("A09")))
        found = [(str(item.key), item.live.decision if item.live else None) for item in findings_of(tx, moved)]
    assert found == [("A06", Decision.CONFIRM), ("A09", None)]
    assert centre.money() == {"agent 已确认": (10, D(30)), "agent 已冲回": (10, D(10)), "agent 待确认": (10, D(30))}
    with centre.store.read() as connection:
        kept = connection.execute("SELECT turn, field, before, after, run_before = ? FROM corrections ORDER BY seq", [case.run_id])
        assert kept.fetchall() == [
            (0, "role", "agent", "customer", True),
            (0, "text", "您好 不知道就别说了", "您好 不知道就别说啦", True),
        ]
    machine, people = centre.store.load_run_by_id(case.run_id), centre.store.load_run(case.call_id)
    assert machine is not None
    assert people is not None
    assert (machine.conversation.turns[0].raw, machine.conversation.turns[0].role) == ("您好 不知道就别说了", Role.AGENT)
    turn = people.conversation.turns[0]
    assert (turn.raw, turn.role, turn.role_source, turn.role_confidence) == (
        "您好 不知道就别说啦",
        Role.CUSTOMER,
        RoleSource.HUMAN,
        1.0,
    )
    assert turn.text == "您好不知道就别说啦"
    centre.decide(moved, "A09", Decision.REJECT)
    centre.finish(moved)
    assert centre.problems() == []


def test_what_a_person_added_survives_a_correction(centre: Centre) -> None:
    from qa_pipeline.casework import reviews

    case = centre.case(finding("A04"))
    with centre.act("qa1") as tx:
        reviews.add_finding(tx, case.case_id, reviews.Added(clause="M08", reason="看到"))
        moved = corrections.correct(tx, case.case_id, [Correction(turn=1, role=Role.AGENT)], rejudge_with(finding("A04")))
        assert [(str(item.key), item.pending) for item in findings_of(tx, moved)] == [("A04", True), ("manual:M08", False)]
    assert centre.money()["agent 已确认"] == (0, D(100))
    assert centre.problems() == []


def test_corrections_that_cannot_be(centre: Centre) -> None:
    case = centre.case(finding("A04"))
    with centre.act("qa1") as tx:
        with pytest.raises(CaseworkError, match="没有第 10 轮，共 3 轮"):
            corrections.correct(tx, case.case_id, [Correction(turn=9, text="x")], rejudge_with())
        for nothing in ("", " \u3000"):
            with pytest.raises(CaseworkError, match="第 2 轮的文字是空的，没有改动"):
                corrections.correct(tx, case.case_id, [Correction(turn=1, text=nothing)], rejudge_with())
        with pytest.raises(CaseworkError, match="没有改动"):
            corrections.correct(tx, case.case_id, [Correction(turn=0)], rejudge_with())
    with centre.act("qa2") as tx, pytest.raises(CaseworkError, match="不是您"):
        corrections.correct(tx, case.case_id, [Correction(turn=0, text="x")], rejudge_with())


def test_swapping_the_whole_call(centre: Centre) -> None:
    from qa_pipeline.model import VoicedSpan

    case = centre.case(finding("A04"))
    run = centre.store.load_run_by_id(case.run_id)
    assert run is not None
    talk = replace(run.conversation, voiced=(VoicedSpan(role=Role.AGENT, start_s=0.0, end_s=3.5),))
    turned = corrected_conversation(talk, swapped(talk))
    assert [turn.role for turn in turned.turns] == [Role.CUSTOMER, Role.AGENT, Role.CUSTOMER]
    assert turned.voiced == (VoicedSpan(role=Role.CUSTOMER, start_s=0.0, end_s=3.5),)
    assert {turn.role_source for turn in turned.turns} == {RoleSource.HUMAN}


# Agreement


def test_precision_per_clause_counts_appeals_against_the_machine(centre: Centre) -> None:
    centre.done(finding("A04"), finding("A06"), confirm=("A04",))
    case = centre.done(finding("A04"), confirm=("A04",))
    unsure = centre.case(finding("A06"))
    centre.decide(unsure, "A06", Decision.CANNOT_TELL)
    centre.finish(unsure)
    centre.done()
    with centre.act("a1001") as tx:
        appeal = appeals.file(tx, case.case_id, "A04", "没说过")
    with centre.act("chief1") as tx:
        appeals.comment(tx, appeal.appeal_id, "属实")
    with centre.act("lead") as tx:
        appeals.decide(tx, appeal.appeal_id, uphold_agent=True, note="听错")
        found = {item.clause: item for item in agreement.trust(tx)}
    a04, a06 = found["A04"], found["A06"]
    assert (a04.confirmed, a04.rejected, a04.cannot_tell, a04.overturned, a04.appealed) == (1, 1, 0, 1, 1)
    assert a04.precision is not None
    assert a04.precision.share == 0.5
    assert (a06.confirmed, a06.rejected, a06.cannot_tell) == (0, 1, 1)
    # machine: A04 on two of four calls, people let one stand
    assert (a04.machine.both_yes, a04.machine.first_only, a04.machine.second_only, a04.machine.both_no) == (1, 1, 0, 2)


def test_two_reviewers_of_one_call(centre: Centre) -> None:
    for first, second in ((True, True), (True, False), (False, False), (False, True), (True, True)):
        case = centre.done(finding("A04"), confirm=("A04",) if first else ())
        with centre.act("lead") as tx:
            blind = cases.open_case(tx, Opening(call_id=case.call_id, reason="盲评", kind=CaseKind.BLIND, pair_of=case.case_id))
            assigning.assign(tx, blind.case_id, "qa2")
        centre.decide(blind, "A04", Decision.CONFIRM if second else Decision.REJECT, by="qa2")
        centre.finish(blind, by="qa2")
    with centre.act("lead") as tx:
        found = agreement.people_agreement(tx)["A04"]
        assert (found.both_yes, found.first_only, found.second_only, found.both_no) == (2, 1, 1, 1)
        assert [item[0] for item in agreement.disagreements(tx)] == ["call-0002", "call-0004"]
        trust = agreement.trust(tx)[0]
    assert (trust.confirmed, trust.rejected) == (3, 2)  # blind reviews do not count twice


def test_a_clause_below_the_floor_becomes_advice_until_it_recovers(centre: Centre) -> None:
    with centre.act("boss") as tx:
        for number, (name, value) in enumerate((("precision_count", "4"), ("precision_floor", "0.75")), start=1):
            tx.insert("settings_log", seq=number, at_time=tx.at, by_person="boss", name=name, value=value)
    for right in (True, False, True):
        centre.done(finding("A04"), confirm=("A04",) if right else ())
    with centre.act("lead") as tx:
        assert agreement.advice_only(tx) == frozenset()  # three decisions say nothing yet
    centre.done(finding("A04"))
    with centre.act("lead") as tx:
        assert agreement.advice_only(tx) == {"A04"}
    call_id = centre.call(finding("A04"), finding("A06"))
    before = centre.money()
    with centre.act("lead") as tx:
        case = cases.open_case(tx, Opening(call_id=call_id, reason="抽查", advice=("A04",)))
        assigning.assign(tx, case.case_id, "qa1")
    assert centre.money(case.case_id) == {"agent 待确认": (10, D(30))}  # A06 alone is proposed
    centre.decide(case, "A06", Decision.REJECT)
    centre.finish(case)  # advice may be left undecided
    assert centre.money() == before
    for _ in range(3):
        centre.done(finding("A04"), confirm=("A04",))
    with centre.act("lead") as tx:
        assert agreement.advice_only(tx) == frozenset()  # 0 1 1 1: back at the floor
        weeks = [(item.clause, item.week, item.confirmed, item.rejected) for item in agreement.drift(tx)]
    assert weeks == [("A04", "2026-W45", 5, 2), ("A06", "2026-W45", 0, 1)]
    assert centre.problems() == []


def test_confirmed_advice_counts(centre: Centre) -> None:
    call_id = centre.call(finding("A04"))
    with centre.act("lead") as tx:
        case = cases.open_case(tx, Opening(call_id=call_id, reason="抽查", advice=("A04",)))
        assigning.assign(tx, case.case_id, "qa1")
    assert centre.money() == {}
    centre.decide(case, "A04")
    assert centre.money() == {"agent 已确认": (10, D(10))}
    assert centre.problems() == []
