"""Clock, log, people, passwords, two processes at once, a kill in the middle."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from casework_make import START, Centre, finding

from qa_pipeline.casework import log, people, privacy
from qa_pipeline.casework import settings as numbers
from qa_pipeline.casework.values import Person, Post
from qa_pipeline.errors import CaseworkError, UserError

HERE = Path(__file__).parent


def test_a_clock_that_went_back(centre: Centre) -> None:
    with centre.act("admin") as tx:
        tx.log("test", "1")
    late = centre.now
    with centre.desk.act("admin", late - timedelta(minutes=9)) as tx:
        assert tx.at == late  # moved up to the last action: no deadline is met by turning the clock
    with pytest.raises(CaseworkError, match="请先校准时钟"), centre.desk.act("admin", late - timedelta(minutes=11)):
        pass
    assert centre.problems() == []


def test_the_log_tells_what_was_changed(centre: Centre) -> None:
    with centre.act("admin") as tx:
        tx.log("access", "call-1", {"what": "录音"})
        assert log.verify(tx.connection) is None
    for change in (
        "UPDATE audit_log SET person_id = 'x' WHERE seq = 5",
        "DELETE FROM audit_log WHERE seq = 5",
        "UPDATE audit_log SET at_time = at_time + INTERVAL 1 HOUR WHERE seq = 5",
    ):
        with pytest.raises(ZeroDivisionError), centre.store.write() as connection:
            connection.execute(change)
            assert log.verify(connection) == 5
            raise ZeroDivisionError  # undone
    assert centre.problems() == []


def test_a_refused_action_leaves_nothing(centre: Centre) -> None:
    case = centre.case(finding("A04"))
    with centre.store.read() as connection:
        before = connection.execute("SELECT count(*) FROM audit_log").fetchone()
    with pytest.raises(CaseworkError):
        centre.finish(case)
    with centre.store.read() as connection:
        assert connection.execute("SELECT count(*) FROM audit_log").fetchone() == before


TWO = """
import sys
from datetime import timedelta
from pathlib import Path
from casework_make import Centre, START
from qa_pipeline.casework import reviews
from qa_pipeline.casework.reviews import Judgement
from qa_pipeline.casework.values import Decision
from qa_pipeline.errors import CaseworkError
path, case_id, version, person = sys.argv[1:5]
centre = Centre(Path(path), staffed=False)
print("ready", flush=True)
sys.stdin.readline()
try:
    with centre.desk.act(person, START + timedelta(hours=1)) as tx:
        said = Judgement(finding="A04", decision=Decision.CONFIRM if person == "qa1" else Decision.REJECT, reason=person)
        reviews.decide(tx, case_id, said, version=int(version))
    print("done")
except CaseworkError as error:
    print(type(error).__name__)
"""


def test_two_processes_decide_at_once(centre: Centre) -> None:
    case = centre.case(finding("A04"))
    arguments = [str(centre.store.path), case.case_id, str(case.version)]
    both = [
        subprocess.Popen(
            [sys.executable, "-c", TWO, *arguments, person], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE
        )
        for person in ("qa1", "lead")
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60)[0].strip() for process in both]
    assert sorted(answers) == ["ConflictError", "done"]
    with centre.store.read() as connection:
        said = connection.execute("SELECT by_person FROM decisions").fetchall()
    assert said == [("qa1",) if answers[0] == "done" else ("lead",)]
    centre.now = START + timedelta(hours=2)
    assert centre.problems() == []


KILLED = """
import os, sys
from datetime import timedelta
from pathlib import Path
from casework_make import Centre, START
from qa_pipeline.casework import ledger, reviews
from qa_pipeline.casework.reviews import Judgement
from qa_pipeline.casework.values import Decision
path, case_id, moment = sys.argv[1:4]
centre = Centre(Path(path), staffed=False)
post = ledger.post
def killed(tx, postings):
    tx.flush()
    if moment == "after":
        post(tx, postings)
        tx.flush()
    os._exit(9)
ledger.post = killed
with centre.desk.act("qa1", START + timedelta(hours=1)) as tx:
    reviews.decide(tx, case_id, Judgement(finding="A04", decision=Decision.CONFIRM))
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_between_decision_and_ledger(centre: Centre, moment: str) -> None:
    """The decision row is written and the process dies before (or after) the ledger rows: neither is there."""
    case = centre.case(finding("A04"))
    before = centre.money()
    ended = subprocess.run([sys.executable, "-c", KILLED, str(centre.store.path), case.case_id, moment], cwd=HERE, check=False)
    assert ended.returncode == 9
    with centre.store.read() as connection:
        assert connection.execute("SELECT count(*) FROM decisions").fetchone() == (0,)
    assert centre.money() == before
    centre.decide(case, "A04")
    centre.finish(case)
    assert centre.problems() == []


# People


def test_the_first_person_is_set_up_by_the_operator(tmp_path: Path) -> None:
    centre = Centre(tmp_path / "qa.duckdb", staffed=False)
    boss = Person(person_id="boss", name="钟经理", posts=(Post.MANAGER,))
    with centre.desk.found(START) as tx:
        people.save_person(tx, Person(person_id="root", name="管理员", posts=(Post.ADMIN,)))
    with pytest.raises(CaseworkError, match="人员已经建好"), centre.desk.found(START):
        pass
    with centre.desk.act("root", START) as tx:
        people.save_person(tx, boss)
        assert people.all_people(tx.connection) == [boss, Person(person_id="root", name="管理员", posts=(Post.ADMIN,))]
    with pytest.raises(CaseworkError, match="没有编号为“nobody”的人员"), centre.desk.act("nobody", START):
        pass


def test_people_are_changed_by_administrators_only(centre: Centre) -> None:
    with centre.act("boss") as tx, pytest.raises(CaseworkError, match="需要管理员"):
        people.save_person(tx, Person(person_id="x", name="新人", posts=(Post.QA,)))
    with centre.act("admin") as tx:
        for wrong, told in (
            (Person(person_id="x", name="新人", posts=(Post.AGENT,)), "写明工号"),
            (Person(person_id="x", name="新人", posts=(Post.AGENT,), agent_id="1001"), "已经属于 周宁"),
            (Person(person_id="x", name=" ", posts=(Post.QA,)), "编号、姓名和至少一个岗位"),
            (Person(person_id="admin", name="管理员", posts=(Post.ADMIN,), active=False), "没有在岗的管理员"),
        ):
            with pytest.raises(CaseworkError, match=told):
                people.save_person(tx, wrong)
        people.save_person(tx, Person(person_id="qa1", name="江质检", posts=(Post.QA,), active=False))
    with pytest.raises(CaseworkError, match="已停用"), centre.act("qa1"):
        pass
    assert people.posts_from(["质检员", "agent", "qa"]) == (Post.QA, Post.AGENT)
    with pytest.raises(UserError, match="没有“总裁”这个岗位"):
        people.posts_from(["总裁"])


def test_passwords_are_hashed(centre: Centre) -> None:
    with centre.act("qa1") as tx:
        people.set_password(tx, "qa1", "长一点的密码短语也可以")
        with pytest.raises(CaseworkError, match="需要管理员"):
            people.set_password(tx, "qa2", "0123456789")
        with pytest.raises(CaseworkError, match="至少 10 个字符"):
            people.set_password(tx, "qa1", "短")
    with centre.act("admin") as tx:
        people.set_password(tx, "qa2", "correct horse battery")
    with centre.store.read() as connection:
        stored = [row[0] for row in connection.execute("SELECT password_hash FROM credentials").fetchall()]
        assert all(text.startswith("$argon2id$") for text in stored)
        right = [
            people.password_right(connection, person, word)
            for person, word in (
                ("qa1", "长一点的密码短语也可以"),
                ("qa1", "猜的密码猜的密码"),
                ("qa2", "correct horse battery"),
                ("nobody", "x"),
                ("boss", "x"),
            )
        ]
    assert right == [True, False, True, False, False]
    with centre.act("admin") as tx:
        people.save_person(tx, Person(person_id="qa2", name="沈质检", posts=(Post.QA,), active=False))
        assert not people.password_right(tx.connection, "qa2", "correct horse battery")


def test_who_may_open_a_call(centre: Centre) -> None:
    call_id = centre.call(finding("A04"))
    allowed = {}
    for person in ("qa1", "lead", "boss", "chief1", "a1001", "a1002", "admin"):
        with centre.act(person) as tx:
            try:
                privacy.open_call(tx, call_id, "录音")
                allowed[person] = True
            except CaseworkError as error:
                assert str(error) == f"没有通话 {call_id}，或您无权查看。"
                allowed[person] = False
    assert allowed == {"qa1": True, "lead": True, "boss": True, "chief1": True, "a1001": True, "a1002": False, "admin": False}
    with centre.act("a1001") as tx:
        call = privacy.open_call(tx, call_id, "文字")
        assert privacy.masker(tx.actor, call).number(call.customer_number) == "139****0001"
        assert tx.rows("SELECT count(*) FROM audit_log WHERE action = 'access' AND object = ?", [call_id]) == [(5,)]
    with centre.act("qa1") as tx:
        assert privacy.masker(tx.actor, call).number(call.customer_number) == "13900000001"


def test_settings_are_changed_on_record(centre: Centre) -> None:
    with centre.act("qa1") as tx, pytest.raises(CaseworkError, match="需要管理员、经理"):
        numbers.change(tx, "appeal_days", "3")
    with centre.act("boss") as tx:
        for name, text, told in (
            ("apeal_days", "3", "没有“apeal_days”这个设置"),
            ("appeal_days", "三", "应是整数"),
            ("daily_rate", "10", "在 0 到 1 之间"),
            ("appeal_days", "-1", "不小于 0"),
        ):
            with pytest.raises(CaseworkError, match=told):
                numbers.change(tx, name, text)
        numbers.change(tx, "appeal_days", "3")
        numbers.change(tx, "daily_rate", "0.2")
    with centre.act("boss") as tx:
        assert (tx.settings.appeal_days, tx.settings.daily_rate, tx.settings.weekly_rate) == (3, 0.2, 0.05)
        assert tx.rows("SELECT by_person, name, value FROM settings_log ORDER BY seq") == [
            ("boss", "appeal_days", "3"),
            ("boss", "daily_rate", "0.2"),
        ]
