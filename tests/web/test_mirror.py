"""The copy that pages read: equal to the store whatever is written by whom, and nobody is locked out."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from casework_make import Centre, clear, finding

from qa_pipeline.casework import people
from qa_pipeline.casework.desk import Desk
from qa_pipeline.errors import StoreLockedError
from qa_pipeline.store import BatchInfo
from qa_pipeline.web.access import AccessLog
from qa_pipeline.web.held import HeldStore
from qa_pipeline.web.mirror import Mirror

VIEWS = ("calls", "current_runs", "cases_now", "scores", "findings", "decisions_now", "case_results_now", "people")
HOLD = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("INSERT INTO settings_log VALUES (900, '2026-11-02', 'x', 'daily_rate', '0.2')")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
connection.close()
"""


class Both:
    """A store as the server has it, and its copy."""

    def __init__(self, path: Path) -> None:
        self.centre = Centre(path)
        self.centre.done(finding("A04"), clear("A11"), confirm=("A04",))
        self.store = HeldStore(path, patience_s=5.0)
        self.mirror = Mirror(self.store, path.with_name("web"))
        self.mirror.fill()
        self.desk = Desk(store=self.store, policy=self.centre.desk.policy)

    def same(self) -> None:
        """Every view says the same in the store and in the copy."""
        for view in VIEWS:
            query = f"SELECT * FROM {view} ORDER BY ALL"
            with self.mirror.store.read() as copied:
                copy = copied.execute(query).fetchall()
            with self.store.read() as original:
                assert copy == original.execute(query).fetchall(), view


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    one = Both(tmp_path / "qa.duckdb")
    yield one
    one.mirror.close()
    one.store.held.close()


def test_a_fresh_copy_says_what_the_store_says(both: Both) -> None:
    both.same()


def test_own_actions_are_in_the_copy_at_once(both: Both) -> None:
    version = both.mirror.version
    with both.desk.act("admin", both.centre.now) as tx:
        people.set_password(tx, "qa1", "a long password")
    assert both.mirror.version == version + 1
    both.same()


@pytest.mark.parametrize("few", [0, 10_000])
def test_what_another_process_wrote_is_taken_over(both: Both, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """As files and as values: every cell of every table arrives."""
    monkeypatch.setattr("qa_pipeline.web.parcel.FEW", few)
    with both.store.held.alone():
        both.centre.case(finding("A06"), clear("A04"))
        both.centre.done(finding("A11"), confirm=("A11",))
    assert both.mirror.changed()
    both.mirror.catch_up()
    both.same()
    tables = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' AND database_name = current_database()"
    with both.store.read() as original, both.mirror.store.read() as copied:
        for (name,) in original.execute(tables).fetchall():
            query = f"SELECT * FROM {name} ORDER BY ALL"
            assert copied.execute(query).fetchall() == original.execute(query).fetchall(), name


def test_a_call_judged_again_replaces_its_verdict_in_the_copy(both: Both) -> None:
    from dataclasses import replace

    with both.mirror.store.read() as connection:
        call_id = connection.execute("SELECT call_id FROM calls").fetchone()[0]  # type: ignore[index]
    run = both.mirror.store.load_run(call_id)
    assert run is not None
    both.store.save([replace(run, run_id="r0123456789abcdef", outcomes=())], BatchInfo(batch_id="b2", started_at="2026-11-03"))
    both.same()
    assert both.mirror.store.load_run(call_id).run_id == "r0123456789abcdef"  # type: ignore[union-attr]


def test_a_file_that_was_rewritten_is_copied_afresh(both: Both) -> None:
    from qa_pipeline.casework import retention

    with both.store.held.alone():
        retention.rewrite(both.store.path)
    both.mirror.catch_up()
    both.same()


def test_nobody_can_write_into_the_copy(both: Both) -> None:
    from qa_pipeline.errors import StoreError

    with pytest.raises(StoreError, match="只读"), both.mirror.store.write():
        pass


def test_many_pages_open_the_copy_at_once(both: Both) -> None:
    def look(_: int) -> int:
        for _ in range(200):
            with both.mirror.store.read() as copied:
                row = copied.execute("SELECT count(*) FROM calls").fetchone()
        return int(row[0]) if row else 0

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(look, range(16))) == {1}


def test_a_page_that_is_being_read_goes_on_while_the_copy_is_made_anew(both: Both) -> None:
    """After a purge the whole copy is made anew: the old one stays for those who are reading it."""
    with both.mirror.store.read() as copied:
        copied.execute("CREATE TEMP TABLE many AS SELECT range AS n FROM range(20000000)")
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(lambda: copied.execute("SELECT count(*), sum(sin(n)) FROM many").fetchone())
            both.mirror.fill()
            assert reading.result()[0] == 20000000
        assert copied.execute("SELECT count(*) FROM calls").fetchone() == (1,)


def test_a_page_that_comes_while_the_server_ends_is_told_so(both: Both) -> None:
    """Figures are still being made when the copy is closed: they get a StoreError, never one of the database's own."""
    told: list[str] = []

    def look() -> None:
        try:
            while True:
                both.mirror.cursor().close()
        except Exception as error:
            told.append(type(error).__name__)

    readers = [threading.Thread(target=look) for _ in range(8)]
    for reader in readers:
        reader.start()
    time.sleep(0.05)
    both.mirror.close()
    for reader in readers:
        reader.join(10)
    assert told == ["StoreError"] * 8


def test_pages_go_on_and_an_action_waits_while_another_process_has_the_store(both: Both) -> None:
    time.sleep(0.4)  # the server has let go
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(both.store.path), "1.5"], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None and other.stdout.readline() == "held\n"
    began = time.monotonic()
    with both.mirror.store.read() as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchone() == (1,)
    assert time.monotonic() - began < 0.5
    with both.desk.act("admin", both.centre.now) as tx:
        tx.log("test", "waited")
    assert time.monotonic() - began > 1.0
    other.wait()
    both.mirror.catch_up()
    both.same()
    with both.mirror.store.read() as connection:
        assert connection.execute("SELECT value FROM settings_log WHERE seq = 900").fetchone() == ("0.2",)


def test_a_store_that_stays_locked_is_told_and_nothing_is_half_done(tmp_path: Path) -> None:
    centre = Centre(tmp_path / "qa.duckdb")
    store = HeldStore(tmp_path / "qa.duckdb", patience_s=0.3)
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(store.path), "20"], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None and other.stdout.readline() == "held\n"
    try:
        desk = Desk(store=store, policy=centre.desk.policy)
        with pytest.raises(StoreLockedError, match="没有保存"), desk.act("admin", centre.now) as tx:
            tx.log("test", "never")
    finally:
        other.kill()
        other.wait()
        store.held.close()


def test_another_process_gets_its_turn_while_the_server_is_busy(both: Both) -> None:
    script = (
        "import sys, time, duckdb\nbegan = time.monotonic()\nfrom qa_pipeline.store import open_store\nfrom pathlib import Path\n"
    )
    script += "with open_store(Path(sys.argv[1])).write() as c: pass\nprint(time.monotonic() - began)"
    other = subprocess.Popen([sys.executable, "-c", script, str(both.store.path)], stdout=subprocess.PIPE, text=True)
    while other.poll() is None:
        with both.desk.act("admin", both.centre.now) as tx:
            tx.log("test", "busy")
    assert other.returncode == 0


def test_openings_are_brought_in_once_by_whoever_does_it(both: Both, tmp_path: Path) -> None:
    log = AccessLog(both.store, tmp_path / "journal", lambda: None)
    together = threading.Barrier(4)

    def bring_in() -> int:
        together.wait()
        return log.flush()

    with ThreadPoolExecutor(4) as pool:
        for number in range(5):
            log.note("qa1", f"call-{number}", "录音", both.centre.now)
            assert sorted(pool.map(lambda _: bring_in(), range(4))) == [0, 0, 0, 1]
    with both.store.read() as connection:
        rows = connection.execute("SELECT object FROM audit_log WHERE action = 'access' ORDER BY seq").fetchall()
    assert rows == [(f"call-{number}",) for number in range(5)]


def test_openings_that_a_killed_server_left_are_brought_in(both: Both, tmp_path: Path) -> None:
    log = AccessLog(both.store, tmp_path / "journal", lambda: None)
    log.note("qa1", "call-0001", "录音", both.centre.now)
    log.note("qa1", "call-0001", "片段", both.centre.now)
    # killed here; another server starts
    again = AccessLog(both.store, tmp_path / "journal", lambda: None)
    assert again.flush() == 2
    assert again.flush() == 0
    with both.store.read() as connection:
        rows = connection.execute("SELECT person_id, object, detail FROM audit_log WHERE action = 'access' ORDER BY seq").fetchall()
    assert rows == [("qa1", "call-0001", '{"what": "录音"}'), ("qa1", "call-0001", '{"what": "片段"}')]
