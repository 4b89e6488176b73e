"""A whole month in one command: calls judged by the rules in force, samples, reviews, appeals, complaints, closing.

Everything goes through the same functions as the real work. People are simulated: a reviewer hears what was put into the call,
and errs now and then.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.casework import appeals, closing, complaints, followup, people, reviews, samples, sanctions
from qa_pipeline.casework.cases import Case
from qa_pipeline.casework.desk import Desk, Tx
from qa_pipeline.casework.findings import Finding, findings_of
from qa_pipeline.casework.samples import Order
from qa_pipeline.casework.values import AppealState, CaseKind, Person
from qa_pipeline.errors import UserError
from qa_pipeline.simulated.calls import MADE_FAULTS, Size, calls_of, made_calls
from qa_pipeline.simulated.staff import APPEAL_REASONS, APPEALS, COMPLAINTS, ESCALATES, SEES_MISSED, Staff, hears, hire
from qa_pipeline.store import BatchInfo, open_store
from qa_pipeline.store.saving import Prepared, prepare_runs

if TYPE_CHECKING:
    from qa_pipeline.config import Settings
    from qa_pipeline.judge import Judge

CHUNK = 250  # calls judged by a worker at a time, all of one day
AHEAD = 3  # chunks a worker that may wait for the store
Faults = dict[str, frozenset[str]]
__all__ = ["Size", "build_month"]


def build_month(settings: Settings, size: Size, tell: Callable[[str], None]) -> str:
    """Builds the month in the store of the settings, which must not exist yet; returns a sentence about it."""
    from qa_pipeline.policy import load_policy

    if settings.db.exists():
        raise UserError(f"{settings.db} 已经存在。模拟月要放在新的数据库里：请换一个 --db，或先移走它。")
    store = open_store(settings.db)
    desk = Desk(store=store, policy=load_policy(settings.policy_file()))
    month = Month(desk, size, hire(desk, size))
    for number, (day, judged) in enumerate(_days(settings, size), start=1):
        month.work(day, judged)
        if number % 5 == 0:
            tell(f"第 {number} 个工作日（{day}）做完，通话 {len(month.faults)} 通")
    month.close()
    with store.read() as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM cases), (SELECT count(*) FROM decisions), (SELECT count(*) FROM appeals)"
        ).fetchone()
    cases, decisions, appealed = row or (0, 0, 0)
    return (
        f"模拟月已建好：{settings.db}。通话 {len(month.faults)} 通，工单 {cases} 张，复核决定 {decisions} 条，申诉 {appealed} 件。"
        f"试试 qa today --db {settings.db}"
    )


# Calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some calls of one day, ``first`` counted from the start of the month."""

    day: date
    first: int
    count: int
    folder: Path  # of this chunk alone: its rows on their way to the store


Judged = tuple[Prepared, Faults]  # a chunk on its way to the store


def _days(settings: Settings, size: Size) -> Iterator[tuple[date, Iterator[Judged]]]:
    """Each working day with its calls, judged and encoded by workers, which go on with the next days meanwhile.

    Only a few chunks are ahead, whatever the size of the month: what waits is on disk, and workers start as days are taken.
    """
    workers = max(1, min(os.cpu_count() or 1, 8))
    with (
        tempfile.TemporaryDirectory(prefix="qa-month-") as place,
        ProcessPoolExecutor(workers, initializer=_start_worker, initargs=(settings,)) as pool,
    ):
        waiting: deque[Future[Judged]] = deque()
        chunks = iter(_chunks(size, Path(place)))

        def submit(count: int) -> None:
            waiting.extend(pool.submit(_judge_chunk, size, chunk) for chunk in islice(chunks, count))

        def next_day() -> Iterator[Judged]:
            calls = 0
            while calls < calls_of(size) // len(size.workdays):
                judged = waiting.popleft().result()
                submit(1)
                calls += len(judged[1])
                yield judged

        submit(workers * AHEAD)
        for day in size.workdays:
            yield day, next_day()


def _chunks(size: Size, place: Path) -> Iterator[Chunk]:
    a_day = calls_of(size) // len(size.workdays)
    for number, day in enumerate(size.workdays):
        for start in range(0, a_day, CHUNK):
            first = number * a_day + start
            yield Chunk(day=day, first=first, count=min(CHUNK, a_day - start), folder=place / str(first))


def _batch(size: Size) -> BatchInfo:
    return BatchInfo(batch_id="simulated-month", started_at="2026-11-02T08:00:00", command="simulate", source=f"seed {size.seed}")


_JUDGE: list[Judge] = []  # of a worker process: rules are loaded once


def _start_worker(settings: Settings) -> None:
    from qa_pipeline.judge import open_judge

    _JUDGE[:] = [open_judge(settings)]


def _judge_chunk(size: Size, chunk: Chunk) -> Judged:
    from qa_pipeline.hearing import Heard
    from qa_pipeline.judge import IMPORTED

    made = list(made_calls(size, chunk.first, chunk.count))
    runs = [_JUDGE[0](item.conversation, Heard(engine=IMPORTED)) for item in made]
    chunk.folder.mkdir()
    return prepare_runs(runs, _batch(size), chunk.folder), {item.call.call_id: item.faults for item in made}


# Casework


class Month:
    """The working days, one transaction a day: mornings sample, afternoons review, then appeals and complaints."""

    def __init__(self, desk: Desk, size: Size, staff: Staff) -> None:
        self._desk, self._size, self._staff = desk, size, staff
        self._people: dict[str, Person] = {}
        self.faults: Faults = {}  # of the calls so far

    def work(self, day: date, judged: Iterator[Judged]) -> None:
        """The calls of ``day`` into the store, and what happens on the morning after and that day on: one transaction."""
        arrived = list(judged)  # waited for before the store is held
        with self._desk.act(self._staff.leads[0], _next_morning(day)) as tx:
            for prepared, faults in arrived:
                tx.store.save_prepared(prepared, _batch(self._size))
                self.faults |= faults
            self._people = self._people or {person.person_id: person for person in people.all_people(tx.connection)}
            self._day(tx, day)

    def close(self) -> None:
        """The last appeals and sanctions, then the closing of the month."""
        last = self._size.workdays[-1]
        with self._desk.act(self._staff.leads[0], datetime.combine(_second_week_after(last), time(10))) as tx:
            self._settle_appeals(tx)
            self._sanctions(tx)
        with self._desk.act(self._staff.leads[0], datetime.combine(_closing_day(last), time(10))) as tx:
            closing.close_month(tx, f"{last:%Y-%m}")

    def _day(self, tx: Tx, day: date) -> None:
        self._settle_appeals(tx)
        sample = samples.take(tx, Order(date_from=day, date_to=day))
        opened = samples.open_cases(tx, sample)
        if day.weekday() == 4:
            week = samples.take(tx, Order(date_from=day - timedelta(days=4), date_to=day, level=samples.WEEKLY))
            opened += samples.open_cases(tx, week)
        done = [self._review(self._as(tx, case.assignee, minutes=240), case) for case in opened if case.assignee]
        self._complaints(tx, day)
        for case in done:
            self._appeal(tx, case)
        if day.weekday() == 4:
            self._sanctions(tx)
            self._revisits(tx)

    def _as(self, tx: Tx, person: str, *, minutes: int) -> Tx:
        """The same transaction in another person's hands, later in the day."""
        return replace(tx, actor=self._people[person], at=tx.at + timedelta(minutes=minutes))

    def _review(self, tx: Tx, case: Case) -> Case:
        broken = self.faults.get(case.call_id, frozenset())
        chance = random.Random(f"{self._size.seed}/{case.case_id}")
        found = findings_of(tx, case)
        for item in found:
            decision, reason = hears(chance, item.clause in broken)
            case = reviews.decide(
                tx, case.case_id, reviews.Judgement(finding=str(item.key) + _number(item), decision=decision, reason=reason)
            )
        for clause in sorted(broken - {item.clause for item in found}):
            if tx.policy.clause(clause) is not None and chance.random() < SEES_MISSED and clause in MADE_FAULTS:
                case = reviews.add_finding(tx, case.case_id, reviews.Added(clause=clause, reason="机器没有标出，听录音补充"))
        if chance.random() < 0.01:
            case = reviews.add_finding(tx, case.case_id, reviews.Added(clause="M08", reason="巡场时看到"))
        return reviews.finish(tx, case.case_id)

    def _appeal(self, tx: Tx, case: Case) -> None:
        """Some agents appeal the same evening; their team leader comments at once."""
        if case.kind is not CaseKind.PRIMARY or case.agent_id not in self._staff.agents:
            return
        chance = random.Random(f"{self._size.seed}/{case.case_id}/appeal")
        for item in findings_of(tx, case):
            if item.confirmed and chance.random() < APPEALS:
                agent = self._as(tx, self._staff.agents[case.agent_id], minutes=420)
                appeal = appeals.file(agent, case.case_id, str(item.key) + _number(item), chance.choice(APPEAL_REASONS))
                chief = self._as(tx, self._staff.chiefs[case.team], minutes=450)
                appeals.comment(chief, appeal.appeal_id, chance.choice(("请复听", "情况属实，建议从轻", "同意坐席的说法")))

    def _settle_appeals(self, tx: Tx) -> None:
        """The lead who did not review decides; some agents go on to the manager, who decides the next time."""
        for appeal in appeals.find_appeals(tx):
            chance = random.Random(f"{self._size.seed}/{appeal.appeal_id}/{appeal.state}")
            right = appeal.clause not in self.faults.get(appeal.call_id, frozenset())
            if appeal.state is AppealState.COMMENTED:
                lead = self._as(tx, self._staff.leads[1], minutes=5)
                decided = appeals.decide(lead, appeal.appeal_id, uphold_agent=right, note="复听后裁定")
                if decided.state is AppealState.UPHELD and chance.random() < ESCALATES:
                    agent = self._as(tx, self._staff.agents[appeal.agent_id], minutes=10)
                    appeals.escalate(agent, appeal.appeal_id, "请经理再听一次")
            elif appeal.state is AppealState.ESCALATED:
                manager = self._as(tx, self._staff.managers[0], minutes=15)
                appeals.decide(manager, appeal.appeal_id, uphold_agent=right or chance.random() < 0.1, note="终裁")

    def _complaints(self, tx: Tx, day: date) -> None:
        rows = tx.rows(
            """SELECT call_id, customer_number FROM calls WHERE complaint AND started_at::DATE = ?
               AND call_id NOT IN (SELECT call_id FROM complaints WHERE call_id IS NOT NULL) ORDER BY call_id""",
            [day],
        )
        for call_id, number in rows:
            chance = random.Random(f"{self._size.seed}/{call_id}/complaint")
            lead = self._as(tx, self._staff.leads[0], minutes=300)
            received = complaints.Received(
                customer_number=number, content=chance.choice(COMPLAINTS), received_at=lead.at, call_id=call_id
            )
            complaint = complaints.register(lead, received)
            manager = self._as(tx, self._staff.managers[0], minutes=310)
            upheld = bool(self.faults.get(call_id)) and chance.random() < 0.8
            complaints.settle(manager, complaint.complaint_id, upheld=upheld, note="已联系客户并说明处理结果")
            if upheld and chance.random() < 0.5 and not complaints.marked(manager, [number]):
                complaints.list_number(manager, number, "客户要求不再来电", complaint_id=complaint.complaint_id)

    def _sanctions(self, tx: Tx) -> None:
        manager = self._as(tx, self._staff.managers[0], minutes=460)
        for sanction_id in [row[0] for row in tx.rows("SELECT sanction_id FROM sanctions_now WHERE state = '待决定' ORDER BY 1")]:
            choice = random.Random(f"{self._size.seed}/{sanction_id}").choice(("approve", "money", "money", "decline"))
            sanctions.decide(manager, sanction_id, choice, "核实录音后决定")

    def _revisits(self, tx: Tx) -> None:
        caller = self._as(tx, self._staff.reviewers[0], minutes=465)
        for item in followup.callback_list(tx):
            result = random.Random(f"{self._size.seed}/{item.call_id}/revisit").choice(("继续使用", "取消", "未接通", "需要考虑"))
            followup.record_revisit(caller, item.call_id, result, standards_met=True if result == "继续使用" else None)


def _number(item: Finding) -> str:
    """A04 alone may name several places; the ordinal is always written."""
    return "#0" if item.key.ordinal == 0 else ""


def _next_morning(day: date) -> datetime:
    following = day + timedelta(days=3 if day.weekday() == 4 else 1)
    return datetime.combine(following, time(9))


def _second_week_after(day: date) -> date:
    return day + timedelta(days=11)


def _closing_day(last: date) -> date:
    """The 8th of the next month, or later when appeals take longer."""
    eighth = (last.replace(day=1) + timedelta(days=31)).replace(day=8)
    return max(eighth, _second_week_after(last) + timedelta(days=1))
