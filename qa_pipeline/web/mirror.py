"""A copy of the store that pages read from.

A ``qa run`` needs the store for moments; thirty people reading need it all the time, and DuckDB lets nobody read while another
process writes. So pages never open the store: they read a copy that is brought up to date whenever the store has changed. Every
table of the store only grows, so bringing up to date means copying the rows that are not there yet; a file that was rewritten (a
purge) is copied afresh.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_pipeline.errors import StoreError, StoreLockedError
from qa_pipeline.store.connection import Connections
from qa_pipeline.store.duckdb import DuckStore, DuckTranscripts
from qa_pipeline.web.held import CONFIG, HeldStore, new_instance, quoted
from qa_pipeline.web.parcel import Parcel, packed

if TYPE_CHECKING:
    import duckdb

# Known only to the commands that read recordings; pages never ask for them.
_LEFT_OUT = frozenset({"files"})
# Views that nearly every page asks for: in the copy they are tables, kept up to date by the keys of new rows. Measured 2026-11-22
# with 40,000 calls: the queue takes a third of the time. view → key, tables whose new rows change it
_KEPT = {
    "calls": ("call_id", ("call_versions",)),
    "current_runs": ("call_id", ("run_log",)),
    "cases_now": ("case_id", ("cases", "case_events")),
}
_ONE_BY_ONE = 3  # keys; one given as a value takes 10 ms, a list 36 ms


class _MirrorConnections(Connections):
    """Connections to the copy: as many as wanted, at once."""

    def __init__(self, mirror: Mirror, path: Path) -> None:
        super().__init__(path, 0.0)
        self._mirror = mirror

    def exists(self) -> bool:
        return True

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        mine: duckdb.DuckDBPyConnection | None = getattr(self._own, "connection", None)
        if mine is not None:
            yield mine
            return
        cursor = self._mirror.cursor()
        self._own.connection = cursor
        try:
            yield cursor
        finally:
            self._own.connection = None
            cursor.close()

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        raise StoreError("程序错误：页面只读副本不能写。请把这条信息报告给维护者。")
        yield


class MirrorStore(DuckStore):
    """The copy, for reading: everything that a store can be asked."""

    def __init__(self, mirror: Mirror, path: Path) -> None:
        super().__init__(path)
        self._connections = _MirrorConnections(mirror, path)
        self._transcripts = DuckTranscripts(self._connections)


class Mirror:
    """The copy and its state. ``version`` grows with every change that was taken over."""

    def __init__(self, store: HeldStore, folder: Path, *, memory_mb: int = 1500) -> None:
        self._held = store.held
        self._path = store.path
        self._folder = folder
        self._memory_mb = memory_mb
        self._lock = threading.Lock()  # one bringing up to date at a time
        self._instance: duckdb.DuckDBPyConnection | None = None
        self._rows: dict[str, int] = {}
        self._ends: dict[str, int] = {}  # by table: one more than the last row number that was taken over
        self._seen: tuple[int, ...] = ()
        self._tickets = threading.Lock()
        self._asked = self._served = 0
        self._behind = False  # what was written could not be taken over: a whole copy is due
        self._held.after_write = self._take_over
        self._number = 0
        self.version = 0
        self.store = MirrorStore(self, store.path)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the copy. StoreError before the copy is made and after the server has ended."""
        instance = self._instance
        if instance is None:
            raise StoreError("服务正在启动或结束，请稍候再刷新。")
        return instance.cursor()

    def fill(self) -> None:
        """A whole new copy; the old one goes when its last reader has finished."""

        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._held.alone(), self._lock:
            self._number += 1
            file = self._folder / f"mirror-{os.getpid()}-{self._number}.duckdb"
            copier = new_instance()
            try:
                self._wait_for_file(copier)
                copier.execute(f"ATTACH '{quoted(file)}' AS mirror")
                copier.execute("COPY FROM DATABASE store TO mirror")
                copier.execute("USE store.main")
                rows = _counts(copier)
                ends = {name: _end(copier, name) for name in rows}
                seen = _fingerprint(self._path)
            finally:
                copier.close()
            self._instance = self._opened(file)  # the old one is let go, see close
            self._rows, self._ends, self._seen, self._behind = rows, ends, seen, False
            self.version += 1
            for other in self._folder.glob("mirror-*"):
                if not other.name.startswith(file.name):
                    other.unlink(missing_ok=True)

    def _opened(self, file: Path) -> duckdb.DuckDBPyConnection:
        """The copy as the only database of its instance, so that questions about tables see each table once."""
        import duckdb

        connection = duckdb.connect(str(file), config=CONFIG)
        connection.execute(f"SET memory_limit = '{self._memory_mb}MB'")
        connection.execute(f"SET temp_directory = '{quoted(self._folder / 'spill')}'")
        # The copy goes with the server: its log need not be written into the file at every change.
        connection.execute("SET checkpoint_threshold = '256MB'")
        for view in _KEPT:
            connection.execute(f"ALTER VIEW {view} RENAME TO {view}_live")
            connection.execute(f"CREATE TABLE {view} AS SELECT * FROM {view}_live")
        return connection

    def _wait_for_file(self, connection: duckdb.DuckDBPyConnection) -> None:
        import duckdb

        for _ in range(300):
            try:
                connection.execute(f"ATTACH '{quoted(self._path)}' AS store (READ_ONLY)")
                return
            except duckdb.Error as error:
                if "Could not set lock" not in str(error):
                    raise StoreError(f"数据库 {self._path} 打不开：{error}") from error
                time.sleep(0.1)
        raise StoreLockedError(f"数据库 {self._path} 一直被另一个程序占用。请等它结束后重试。")

    def rows(self, *tables: str) -> int:
        """How many rows the copy has of these tables: what was made from them is still right while this stays."""
        return sum(self._rows.get(table, 0) for table in tables)

    def changed(self) -> bool:
        """Whether another process has written to the store since the copy was brought up to date."""
        return _fingerprint(self._path) != self._seen

    def catch_up(self) -> None:
        """Takes over new rows. A file that was rewritten or lost rows (a purge) is copied afresh."""
        with self._tickets:
            self._asked += 1
            ticket = self._asked
        with self._held.read() as source, self._lock:
            if self._served >= ticket and not self._behind:  # somebody began to copy after this was asked for
                return
            served = self._asked
            if self._copy_new_rows(source):
                self._served = served
                return
        self.fill()

    def settle(self) -> None:
        """After an action: usually its rows have been taken over with it."""
        if self._behind:
            self.fill()

    def _take_over(self, source: duckdb.DuckDBPyConnection) -> None:
        """The rows of a transaction that is just over, before another writer has his turn."""
        import duckdb

        with self._lock:
            try:
                self._behind = self._instance is not None and not self._copy_new_rows(source)
            except (duckdb.Error, OSError):  # the action itself is safe in the store
                self._behind = True

    def _copy_new_rows(self, source: duckdb.DuckDBPyConnection) -> bool:
        new = _counts(source)
        another = _fingerprint(self._path)[0] != self._seen[0] or new.keys() != self._rows.keys()
        purged = new.get("purge_receipts") != self._rows.get("purge_receipts")
        if another or purged or any(new[name] < count for name, count in self._rows.items()):
            return False
        return self._take(source, new)

    def _take(self, source: duckdb.DuckDBPyConnection, new: dict[str, int]) -> bool:
        """The rows that the copy lacks. False when they could not be told from the old ones."""
        grown = {name: count - self._rows[name] for name, count in new.items() if count > self._rows[name]}
        if grown:
            with packed(source, self._folder, grown, self._ends) as parcel:
                if not self._insert(parcel, grown):
                    return False
            self._ends |= {name: self._ends[name] + count for name, count in grown.items()}
            self._rows = new
            self.version += 1
        self._seen = _fingerprint(self._path)
        return True

    def _insert(self, parcel: Parcel, grown: dict[str, int]) -> bool:
        with contextlib.closing(self.cursor()) as target:
            target.execute("BEGIN")
            for name, count in grown.items():
                if parcel.insert(target, name) != count:
                    target.execute("ROLLBACK")
                    return False
            for view, (key, tables) in _KEPT.items():
                fresh = {value: None for name in tables if name in grown for value in parcel.keys(target, name, key)}
                if fresh:
                    _renew(target, view, key, list(fresh))
            target.execute("COMMIT")
        return True

    def close(self) -> None:
        with self._lock:
            # Not closed but let go: closing it would close the cursors of pages that are being read, or be refused because of them
            # (DuckDB 2.0: ResourceInUseException). The database goes with the last of its cursors.
            self._instance = None
            for file in self._folder.glob("mirror-*"):
                file.unlink(missing_ok=True)


def _renew(target: duckdb.DuckDBPyConnection, view: str, key: str, keys: list[Any]) -> None:
    """Rows of a kept view with these keys."""
    target.execute(f"DELETE FROM {view} WHERE {key} IN (SELECT unnest(?))", [keys])
    if len(keys) <= _ONE_BY_ONE:
        for value in keys:
            target.execute(f"INSERT INTO {view} SELECT * FROM {view}_live WHERE {key} = ?", [value])
    else:
        target.execute(f"INSERT INTO {view} SELECT * FROM {view}_live WHERE {key} IN (SELECT unnest(?))", [keys])


def _counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    names = [
        name
        for (name,) in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'main' ORDER BY 1"
        ).fetchall()
        if name not in _LEFT_OUT
    ]
    query = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in names)
    return {name: int(count) for name, count in connection.execute(query).fetchall()}


def _end(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"SELECT coalesce(max(rowid), -1) + 1 FROM {table}").fetchone()
    return int(row[0]) if row else 0


def _fingerprint(path: Path) -> tuple[int, ...]:
    """What changes when somebody writes to the store: the file and its write-ahead log."""
    found: list[int] = []
    for file in (path, path.with_name(path.name + ".wal")):
        try:
            stat = file.stat()
            found += [stat.st_ino, stat.st_size, stat.st_mtime_ns]
        except OSError:
            found += [0, 0, 0]
    return tuple(found)
