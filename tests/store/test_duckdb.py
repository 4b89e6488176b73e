"""What is particular to one DuckDB file: locks, damage, kills, migrations, long values."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import duckdb
import pytest
import store_make as make

from qa_pipeline.errors import StoreError, StoreLockedError
from qa_pipeline.store import migrations, open_store
from qa_pipeline.store.bulk import Bulk
from qa_pipeline.store.connection import _named
from qa_pipeline.store.saving import prepare_runs


@contextmanager
def held(path: Path, seconds: float = 60.0) -> Iterator[None]:
    """Another process that has the file open for writing."""
    code = f"import duckdb, time; c = duckdb.connect({str(path)!r}); print('open', flush=True); time.sleep({seconds}); c.close()"
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdout.readline() == b"open\n"
    try:
        yield
    finally:
        other.kill()
        other.wait()
        other.stdout.close()


def test_a_lock_is_named(tmp_path: Path) -> None:
    path = tmp_path / "qa.duckdb"
    store = open_store(path, patience_s=0.2)
    store.save([make.run(1)], make.BATCH)
    with held(path):
        for action in (lambda: store.save([make.run(2)], make.BATCH), lambda: store.load_run("call-00001")):
            with pytest.raises(StoreLockedError, match=r"正被另一个程序占用.*重试"):
                action()
    assert store.load_run("call-00002") is None
    store.save([make.run(2)], make.BATCH)
    assert store.load_run("call-00002") is not None


def test_a_short_lock_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "qa.duckdb"
    store = open_store(path, patience_s=20.0)
    store.save([make.run(1)], make.BATCH)
    with held(path, seconds=0.3):
        assert store.save([make.run(2)], make.BATCH) == 1


KILLED = """
import os, sys
from pathlib import Path
from qa_pipeline.store import open_store
from qa_pipeline.store.saving import insert_runs, prepare_runs
import store_make as make
store = open_store(Path(sys.argv[1]))
if sys.argv[2] == "before":
    prepared = prepare_runs([make.run(1), make.run(2)], make.BATCH)
    with prepared.bulk, store.write() as connection:
        insert_runs(connection, prepared, make.BATCH)
        os._exit(9)
connections = store._connections
import qa_pipeline.store.connection as module
module._close = lambda connection, path: os._exit(9)
store.save([make.run(1), make.run(2)], make.BATCH)
"""


@pytest.mark.parametrize(("moment", "kept"), [("before", 0), ("after", 2)])
def test_a_kill_leaves_all_or_nothing(tmp_path: Path, moment: str, kept: int) -> None:
    path = tmp_path / "qa.duckdb"
    store = open_store(path)
    store.save([make.run(7)], make.BATCH)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path), moment], cwd=Path(__file__).parent, check=False)
    assert ended.returncode == 9
    assert [run.conversation.call.call_id for run in store.iter_runs()] == [*["call-00001", "call-00002"][:kept], "call-00007"]
    assert store.save([make.run(1), make.run(2)], make.BATCH) == 2 - kept
    assert store.load_run("call-00001") == make.run(1)


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "qa.duckdb"
    store = open_store(path)
    store.save([make.run(1)], make.BATCH)
    with store.write() as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (999, '0999_from_the_future')")
    for action in (lambda: open_store(path).save([make.run(2)], make.BATCH), lambda: open_store(path).load_run("call-00001")):
        with pytest.raises(StoreError, match=r"0999_from_the_future.*升级"):
            action()


def test_migrations_are_applied_with_their_record(tmp_path: Path) -> None:
    def first(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("CREATE TABLE one (x INTEGER)")

    def broken(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("CREATE TABLE two (x INTEGER)")
        raise RuntimeError("boom")

    def whole(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("CREATE TABLE two (x INTEGER)")

    with duckdb.connect(str(tmp_path / "m.duckdb")) as connection:
        with pytest.raises(RuntimeError):
            migrations.migrate(connection, (("a", first), ("b", broken)))
        assert migrations.applied(connection) == ["a"]
        tables = "SELECT table_name FROM duckdb_tables() ORDER BY table_name"
        assert connection.execute(tables).fetchall() == [("one",), ("schema_migrations",)]
        assert migrations.migrate(connection, (("a", first), ("b", whole))) == ["b"]
        assert migrations.migrate(connection, (("a", first), ("b", whole))) == []
        with pytest.raises(StoreError, match="结构比本程序新"):
            migrations.migrate(connection, (("a", first),))


def test_an_old_store_is_brought_up_to_date_by_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "qa.duckdb"
    open_store(path).save([make.run(1)], make.BATCH)

    def added(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("CREATE TABLE added (x INTEGER)")

    longer = (*migrations.MIGRATIONS, ("9000_added", added))
    monkeypatch.setattr(migrations.migrate, "__defaults__", (longer,))
    monkeypatch.setattr(migrations.is_current, "__defaults__", (longer,))
    with open_store(path).read() as connection:
        assert connection.execute("SELECT count(*) FROM added").fetchall() == [(0,)]


def test_a_foreign_file_a_folder_and_a_blocked_place(tmp_path: Path) -> None:
    foreign = tmp_path / "notes.txt"
    foreign.write_text("会议纪要" * 2000, encoding="utf-8")
    before = foreign.read_bytes()
    with pytest.raises(StoreError, match="不是质检数据库"):
        open_store(foreign).save([make.run(1)], make.BATCH)
    assert foreign.read_bytes() == before
    with pytest.raises(StoreError, match=r"是一个文件夹.*qa\.duckdb"):
        open_store(tmp_path).save([make.run(1)], make.BATCH)
    with pytest.raises(StoreError, match="不能建立数据库所在的文件夹"):
        open_store(foreign / "sub" / "qa.duckdb").save([make.run(1)], make.BATCH)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('IO Error: Could not write file "x": No space left on device', "磁盘已满"),
        ('IO Error: Cannot open file "x": Permission denied', "没有权限"),
        ('IO Error: Cannot open file "x": Read-only file system', "没有权限"),
        ("IO Error: whatever", "出错"),
    ],
)
def test_trouble_with_the_disk_is_told_in_chinese(text: str, told: str) -> None:
    assert told in str(_named(duckdb.IOException(text), Path("x")))


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """/dev/full refuses every write, as a full disk does."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    with Bulk() as bulk:
        (bulk._folder / "runs.ndjson").symlink_to(full)
        with pytest.raises(StoreError, match="写临时文件失败"):
            bulk.add("runs", [{"a": "x" * 100_000}])


def test_no_connection_draws_a_progress_bar(tmp_path: Path) -> None:
    store = open_store(tmp_path / "qa.duckdb")
    shown = "SELECT current_setting('enable_progress_bar')"
    with store.write() as connection:
        assert connection.execute(shown).fetchall() == [(False,)]
    with store.read() as connection:
        assert connection.execute(shown).fetchall() == [(False,)]


def test_runs_prepared_in_another_process_are_saved_as_if_here(tmp_path: Path) -> None:
    here, there = open_store(tmp_path / "here.duckdb"), open_store(tmp_path / "there.duckdb")
    runs = [make.run(1), make.run(2), make.run(1)]
    folder = tmp_path / "chunk"
    folder.mkdir()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        prepared = pool.submit(prepare_runs, runs, make.BATCH, folder).result()
    assert there.save_prepared(prepared, make.BATCH) == here.save(runs, make.BATCH) == 2
    assert list(there.iter_runs()) == list(here.iter_runs())
    assert not folder.exists()  # the words of customers do not stay behind


def test_values_longer_than_the_readers_default_line(tmp_path: Path) -> None:
    store = open_store(tmp_path / "qa.duckdb")
    long = make.conversation(1)
    turn = replace(long.turns[0], raw="长" * 6_000_000, text="长" * 6_000_000, to_raw=())
    run = replace(make.run(1), conversation=replace(long, turns=(turn,)))
    store.save([run], make.BATCH)
    assert store.load_run("call-00001") == run


def test_a_damaged_record_is_told(tmp_path: Path) -> None:
    store = open_store(tmp_path / "qa.duckdb")
    store.save([make.run(1)], make.BATCH)
    for value, told in ((b"\x78\x9cbroken", "已损坏"), (b'{"turns": 3}', "读不出来")):
        with store.write() as connection:
            connection.execute("UPDATE conversations SET body = ?", [value])
        with pytest.raises(StoreError, match=told):
            store.load_run("call-00001")


@pytest.mark.slow
def test_four_thousand_calls_are_saved_in_seconds(tmp_path: Path) -> None:
    store = open_store(tmp_path / "qa.duckdb")
    runs = [replace(make.run(number), transcript=None) for number in range(4000)]
    started = time.perf_counter()
    assert store.save(runs, make.BATCH) == 4000
    assert time.perf_counter() - started < 15.0  # measured 2 s alone on 2 cores, 2026-11-21
