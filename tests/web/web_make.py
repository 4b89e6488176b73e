"""Stores for the pages: the real sample calls with people and open cases, and a small invented centre."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from qa_pipeline.casework import appeals, assigning, cases, log, people, reviews, samples
from qa_pipeline.casework.desk import Desk
from qa_pipeline.casework.findings import findings_of
from qa_pipeline.casework.values import Decision, Person, Post
from qa_pipeline.config import Settings, load_settings
from qa_pipeline.intake.decode import decode
from qa_pipeline.judge import open_judge
from qa_pipeline.model import ChannelSpan, Recording, Segment, Transcript, Word
from qa_pipeline.pipeline import Hearing, Pipeline, open_source
from qa_pipeline.policy import load_policy
from qa_pipeline.resources import samples_dir
from qa_pipeline.simulated.month import Size, build_month
from qa_pipeline.speakers.acoustics import measure
from qa_pipeline.store import open_store

sys.path.insert(0, str(Path(__file__).parents[1] / "app"))
from support import Silent, TruthRecogniser

PASSWORD = "sample-pass-1"
DAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 22, 9, 0)
STAFF = (
    Person(person_id="admin", name="管理员", posts=(Post.ADMIN,)),
    Person(person_id="boss", name="钟经理", posts=(Post.MANAGER,)),
    Person(person_id="lead", name="方组长", posts=(Post.QA_LEAD,)),
    Person(person_id="qa1", name="江质检", posts=(Post.QA,)),
    Person(person_id="chief1", name="郑国梁", posts=(Post.TEAM_LEADER,), team="一组"),
    Person(person_id="chief2", name="何素芬", posts=(Post.TEAM_LEADER,), team="二组"),
    Person(person_id="a8012", name="林晓雨", posts=(Post.AGENT,), team="一组", agent_id="8012"),
    Person(person_id="a8035", name="邹凯", posts=(Post.AGENT,), team="二组", agent_id="8035"),
    Person(person_id="a6021", name="苏倩", posts=(Post.AGENT,), team="三组", agent_id="6021"),
)


class WordRecogniser(TruthRecogniser):
    """The truth with a time for every character and the levels that were really measured."""

    def hear(self, paths: Sequence[str]) -> Iterator[Hearing]:
        for answer in super().hear(paths):
            if answer.transcript is None or answer.recording is None:
                yield answer
                continue
            yield replace(answer, transcript=_timed(Path(answer.path), answer.recording, answer.transcript))


def _timed(path: Path, recording: Recording, heard: Transcript) -> Transcript:
    segments = tuple(replace(item, words=_words(item)) for item in heard.segments)
    voiced = tuple(ChannelSpan(channel=item.channel, start_s=item.start_s, end_s=item.end_s) for item in segments)
    measured = measure(decode(path), voiced)
    assert heard.acoustics is not None
    return replace(heard, segments=segments, acoustics=replace(measured, voices=heard.acoustics.voices))


def _words(segment: Segment) -> tuple[Word, ...]:
    """One word a character, evenly over the segment."""
    step = (segment.end_s - segment.start_s) / max(1, len(segment.text))
    return tuple(
        Word(
            start=at,
            end=at + 1,
            start_s=round(segment.start_s + at * step, 3),
            end_s=round(segment.start_s + (at + 1) * step, 3),
            confidence=0.95,
        )
        for at in range(len(segment.text))
    )


def settings_for(db: Path) -> Settings:
    return replace(load_settings(environ={}), db=db)


def sample_calls(db: Path) -> Settings:
    """The sample calls, judged; the first twenty (of one day) on the reviewer's desk."""
    settings = settings_for(db)
    store = open_store(db)
    pipeline = Pipeline(store=store, judge=open_judge(settings), recogniser=WordRecogniser(), progress=Silent())
    pipeline.run(open_source(samples_dir(), None, {}))
    desk = Desk(store=store, policy=load_policy(settings.policy_file()))
    early = NOW.replace(hour=8)
    with desk.found(early) as tx:
        for person in STAFF:
            people.save_person(tx, person)
    with desk.act("admin", early) as tx:
        for person in STAFF:
            people.set_password(tx, person.person_id, PASSWORD)
    with desk.act("lead", early) as tx:
        samples.open_cases(tx, samples.take(tx, samples.Order(date_from=DAY, date_to=DAY, rate=1.0)))
    return settings


SMALL = Size(agents=6, teams=2, calls_a_day=5)


def month(db: Path, size: Size = SMALL) -> tuple[Settings, datetime]:
    """A simulated month with work left to do: open cases, an agent's fresh results, appeals. Returns the time it is now."""
    settings = settings_for(db)
    build_month(settings, size, lambda text: None)
    store = open_store(db)
    desk = Desk(store=store, policy=load_policy(settings.policy_file()))
    with store.read() as connection:
        last = log.last_time(connection)
        staff = [person.person_id for person in people.all_people(connection)]
    assert last is not None
    now = last + timedelta(days=1)
    with desk.act("admin", now) as tx:
        for person_id in staff:
            if not person_id.startswith("a1") or person_id == "a1001":
                people.set_password(tx, person_id, PASSWORD)
        people.set_password(tx, "a1002", PASSWORD)
    with desk.act("lead1", now) as tx:
        calls = tx.rows(
            """SELECT call_id, agent_id FROM findings WHERE NOT advice AND call_id NOT IN (SELECT call_id FROM cases)
               GROUP BY call_id, agent_id ORDER BY agent_id <> '1001', call_id LIMIT 24"""
        )
        opened = [cases.open_case(tx, cases.Opening(call_id=call_id, reason="重点复查")) for call_id, _ in calls]
        assigning.assign_evenly(tx, opened)
    own = [case.case_id for case in opened if case.agent_id == "1001"][:3]
    for case_id in own:
        _review(desk, case_id, now)
    for case_id in own[:2]:
        with desk.act("a1001", now) as tx:
            finding = next(item for item in findings_of(tx, cases.get_case(tx, case_id)) if item.confirmed)
            appeals.file(tx, case_id, f"{finding.key.rule_id}#{finding.key.ordinal}", "这句话前面已经跟客户说过了，请再听一遍。")
    return settings, now + timedelta(minutes=5)


def _review(desk: Desk, case_id: str, now: datetime) -> None:
    """Everything confirmed, finished."""
    with desk.act("lead1", now) as tx:
        for item in findings_of(tx, cases.get_case(tx, case_id)):
            if item.pending:
                said = reviews.Judgement(
                    finding=f"{item.key.rule_id}#{item.key.ordinal}", decision=Decision.CONFIRM, reason="听过，属实。"
                )
                reviews.decide(tx, case_id, said)
        reviews.finish(tx, case_id)


class Served:
    """The application on a free port of this machine, in a thread."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        import socket

        import uvicorn

        from qa_pipeline.web.app import create_app
        from qa_pipeline.web.site import Options

        began = datetime.now()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.app = create_app(Options(settings=settings, now=lambda: now + (datetime.now() - began)))
        config = uvicorn.Config(self.app, host="127.0.0.1", port=self.port, log_level="warning", server_header=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Served:
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)
