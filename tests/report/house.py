"""A small centre whose every number can be counted by hand: eight calls on two days, two teams.

    call   day  agent team  outcome   machine found        people said                       after review
    0001   2    1001  一组  success   A04                   A04 confirmed, overturned later    100
    0002   2    1001  一组  success   nothing               finished                           100
    0003   2    1002  一组  success   A13 (fatal, invalid)  confirmed                          0
    0004   2    1003  二组  success   A04, A04              first confirmed, second rejected   90
    0005   2    1003  二组  no_answer nothing               no case
    0006   3    1004  二组  refused   A06 + B3b (one fact)  both confirmed                     90
    0007   3    1002  一组  success   A04 to be reviewed    no case
    0008   3    1004  二组  callback  nothing               no case

Money after review (policy.yaml): 0003 A13 → 不合格工单 50; 0004 A04 10; 0006 A06 30 (B3b is the same fact); complaint on 0003: 100.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from qa_pipeline.casework import appeals, closing, complaints, followup, people, samples
from qa_pipeline.casework.samples import Order
from qa_pipeline.casework.values import Person, Post
from qa_pipeline.model import CallOutcome, CallType
from qa_pipeline.report import registry
from qa_pipeline.report.document import Report, Section
from qa_pipeline.report.reading import Wish
from tests.casework.casework_make import POLICY, Centre, finding

MADE = datetime(2026, 12, 20, 9, 0)
DAY2, DAY3 = "2026-11-02T10:00:00", "2026-11-03T10:00:00"


def build_house(path: Path) -> Centre:
    house = Centre(path)
    with house.act("admin") as tx:
        people.save_person(tx, Person(person_id="a1004", name="罗敏", posts=(Post.AGENT,), agent_id="1004", team="二组"))
    one = {"agent_id": "1001", "agent_name": "周宁", "team": "一组", "supervisor": "林涛", "started_at": DAY2}
    two = one | {"agent_id": "1002", "agent_name": "顾晓"}
    three = {"agent_id": "1003", "agent_name": "秦质检", "team": "二组", "supervisor": "高远", "started_at": DAY2}
    four = three | {"agent_id": "1004", "agent_name": "罗敏", "started_at": DAY3, "outcome": CallOutcome.REFUSED}
    first = house.done(finding("A04", quote="不知道就别说了"), confirm=("A04",), **one)
    house.done(**one)
    invalid = house.done(finding("A13"), confirm=("A13",), **two, trial_days=30)
    house.done(finding("A04", 0), finding("A04", 1, turn=2), confirm=("A04#0",), **three)
    house.call(**three | {"outcome": CallOutcome.NO_ANSWER})
    house.done(finding("A06"), finding("B3b"), confirm=("A06", "B3b"), **four)
    house.call(finding("A04", review=True), **two | {"started_at": DAY3})
    house.call(**four | {"outcome": CallOutcome.CALLBACK, "call_type": CallType.SERVICE})
    with house.act("lead") as tx:
        samples.take(tx, Order(date_from=datetime(2026, 11, 2).date(), date_to=datetime(2026, 11, 2).date(), rate=1.0))
        samples.take(tx, Order(date_from=datetime(2026, 11, 3).date(), date_to=datetime(2026, 11, 3).date(), rate=1.0))
    _appealed(house, first.case_id)
    _complained(house, invalid.call_id)
    with house.act("qa1") as tx:
        followup.record_revisit(tx, invalid.call_id, "未接通")
    with house.act("lead", days=31) as tx:
        closing.close_month(tx, "2026-11")
    return house


def _appealed(house: Centre, case_id: str) -> None:
    with house.act("a1001") as tx:
        appeal = appeals.file(tx, case_id, "A04#0", "是在复述客户的话，电话 13900001234")
    with house.act("chief1") as tx:
        appeals.comment(tx, appeal.appeal_id, "请复听")
    with house.act("lead2") as tx:
        appeals.decide(tx, appeal.appeal_id, uphold_agent=True, note="复听属实")


def _complained(house: Centre, call_id: str) -> None:
    received = complaints.Received(
        customer_number="13900000003", content="没同意就开通了", received_at=datetime(2026, 11, 2, 9, 15), call_id=call_id
    )
    with house.act("lead") as tx:
        complaint = complaints.register(tx, received)
    with house.act("boss") as tx:
        complaints.settle(tx, complaint.complaint_id, upheld=True, note="已道歉并退费")


def report(house: Centre, kind: str, **wish: object) -> Report:
    return registry.build(house.store, POLICY, kind, replace(Wish(made_at=MADE), **wish))  # type: ignore[arg-type]


def section(found: Report, title: str) -> Section:
    return next(item for item in found.sections if item.title == title)


def facts(found: Report) -> dict[str, object]:
    return {fact.label: fact.value for fact in found.facts}


def column(item: Section, key: str) -> list[object]:
    chosen = item.table.column(key)
    return [item.table.value(row, chosen) for row in item.table.rows]
