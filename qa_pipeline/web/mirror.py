"""A copy of the store that pages read from, and the one door through which this process writes to the store itself.

DuckDB lets one process at a time open a file for writing, and nobody beside it. A ``qa run`` needs the file for moments; thirty
people reading need it all the time. So pages never open the store: they read a copy that is brought up to date whenever the store
has changed. Every table of the store only grows (what is purged is seen by the file being another one), so bringing up to date
means copying the rows that are not there yet.

Writes go through :class:`HeldConnections`: the store is attached to an instance that lives as long as the server (measured
2026-11-21 with 20,000 calls: 50 ms instead of 140 ms for a new connection) and kept for a moment, so that actions that come close
together open it once; then it is let go, so that a ``qa run`` gets its turn.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.errors import StoreError, StoreLockedError
from qa_pipeline.store.connection import Connections
from qa_pipeline.store.duckdb import DuckStore, DuckTranscripts

if TYPE_CHECKING:
    import duckdb

LINGER_S = 0.15  # after the last action the store is kept so long for the next
LONGEST_HOLD_S = 1.0  # then it is let go even when more actions wait
BREATH_S = 0.05  # so long it stays free, for another process that is waiting
_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.2
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
# Known only to the commands that read recordings; pages never ask for them.
_LEFT_OUT = frozenset({"files"})


def _instance() -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(":memory:", config=_CONFIG)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


class HeldConnections(Connections):
    """Connections to the store for a server: attached to one instance, kept for a moment after each use."""

    def __init__(self, path: Path, patience_s: float) -> None:
        super().__init__(path, patience_s)
        self._patience = patience_s
        self._instance = _instance()
        self._lock = threading.Lock()
        self._held_since = 0.0
        self._used_at = 0.0
        self._users = 0
        self._free_since = 0.0
        self._closed = threading.Event()
        self._keeper = threading.Thread(target=self._let_go_when_idle, name="store-keeper", daemon=True)
        self._keeper.start()

    def _open(self, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        """A connection whose current database is the store. Whether it is for reading makes no difference here."""
        if not self.path.parent.is_dir():
            raise StoreError(f"没有文件夹 {self.path.parent}。请检查 --db。")
        waited_s, pause_s = 0.0, _FIRST_PAUSE_S
        while True:
            with self._lock:
                error = self._attached()
                if error is None:
                    self._users += 1
                    cursor = self._instance.cursor()
                    cursor.execute("USE store.main")
                    return _Counted(cursor, self._gone)  # type: ignore[return-value]
            if waited_s >= self._patience:
                raise StoreLockedError(
                    f"数据库 {self.path} 正被另一个程序占用，等了 {waited_s:.0f} 秒仍未释放。您的操作没有保存，请稍后再试一次。"
                ) from error
            time.sleep(pause_s)
            waited_s += pause_s
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _attached(self) -> Exception | None:
        """None when the store is attached (now); the error when another process has it."""
        import duckdb

        if self._held_since:
            return None
        try:
            self._instance.execute(f"ATTACH '{_quoted(self.path)}' AS store")
        except duckdb.Error as error:
            if "Could not set lock" in str(error) or "being used by another process" in str(error):
                return error
            raise StoreError(f"数据库 {self.path} 打不开：{error}") from error
        self._held_since = self._used_at = time.monotonic()
        return None

    def _gone(self) -> None:
        with self._lock:
            self._users -= 1
            self._used_at = time.monotonic()
            if self._users == 0 and self._used_at - self._held_since > LONGEST_HOLD_S:
                self._detach()

    def _let_go_when_idle(self) -> None:
        while not self._closed.wait(LINGER_S / 3):
            with self._lock:
                idle = time.monotonic() - self._used_at
                if self._held_since and self._users == 0 and idle >= LINGER_S:
                    self._detach()

    def _detach(self) -> None:
        """Called with the lock held and nobody using the store."""
        self._instance.execute("DETACH store")
        self._held_since = 0.0
        time.sleep(BREATH_S)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """The turn of a writer with the store let go: for reading the file in another way."""
        with self._writer_turn(), self._lock:
            if self._held_since:
                self._instance.execute("DETACH store")
                self._held_since = 0.0
            yield

    def close(self) -> None:
        self._closed.set()
        self._keeper.join()
        with self._lock:
            if self._held_since and self._users == 0:
                self._instance.execute("DETACH store")
                self._held_since = 0.0
            self._instance.close()


class _Counted:
    """A cursor that says when it is closed."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, gone: object) -> None:
        self._cursor = cursor
        self._gone = gone

    def __getattr__(self, name: str) -> object:
        return getattr(self._cursor, name)

    def close(self) -> None:
        self._cursor.close()
        if callable(self._gone):
            self._gone()
            self._gone = None


class HeldStore(DuckStore):
    """The store itself, for actions."""

    def __init__(self, path: Path, patience_s: float = 20.0) -> None:
        super().__init__(path, patience_s=patience_s)
        self.held = HeldConnections(path, patience_s)
        self._connections = self.held
        self._transcripts = DuckTranscripts(self.held)


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
        self._number = 0
        self.version = 0
        self.store = MirrorStore(self, store.path)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        if self._instance is None:
            raise StoreError("服务正在启动，请稍候再刷新。")
        return self._instance.cursor()

    def fill(self) -> None:
        """A whole new copy; the old one goes when its last reader has finished."""

        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._lock:
            self._number += 1
            file = self._folder / f"mirror-{os.getpid()}-{self._number}.duckdb"
            copier = _instance()
            try:
                with self._held.alone():
                    self._wait_for_file(copier)
                    copier.execute(f"ATTACH '{_quoted(file)}' AS mirror")
                    copier.execute("COPY FROM DATABASE store TO mirror")
                    copier.execute("USE store.main")
                    rows = _counts(copier)
                    ends = {name: _end(copier, name) for name in rows}
                    seen = _fingerprint(self._path)
            finally:
                copier.close()
            old, self._instance = self._instance, self._opened(file)
            self._rows, self._ends, self._seen = rows, ends, seen
            self.version += 1
            if old is not None:
                old.close()  # cursors in use keep it alive
            for other in self._folder.glob("mirror-*"):
                if not other.name.startswith(file.name):
                    other.unlink(missing_ok=True)

    def _opened(self, file: Path) -> duckdb.DuckDBPyConnection:
        """The copy as the only database of its instance, so that questions about tables see each table once."""
        import duckdb

        connection = duckdb.connect(str(file), config=_CONFIG)
        connection.execute(f"SET memory_limit = '{self._memory_mb}MB'")
        connection.execute(f"SET temp_directory = '{_quoted(self._folder / 'spill')}'")
        # The copy goes with the server: its log need not be written into the file at every change.
        connection.execute("SET checkpoint_threshold = '256MB'")
        return connection

    def _wait_for_file(self, connection: duckdb.DuckDBPyConnection) -> None:
        import duckdb

        for _ in range(300):
            try:
                connection.execute(f"ATTACH '{_quoted(self._path)}' AS store (READ_ONLY)")
                return
            except duckdb.Error as error:
                if "Could not set lock" not in str(error):
                    raise StoreError(f"数据库 {self._path} 打不开：{error}") from error
                time.sleep(0.1)
        raise StoreLockedError(f"数据库 {self._path} 一直被另一个程序占用。请等它结束后重试。")

    def changed(self) -> bool:
        """Whether another process has written to the store since the copy was brought up to date."""
        return _fingerprint(self._path) != self._seen

    def catch_up(self) -> None:
        """Takes over new rows. A file that was rewritten or lost rows (a purge) is copied afresh."""
        with self._tickets:
            self._asked += 1
            ticket = self._asked
        with self._lock:
            if self._served >= ticket:  # somebody began to copy after this was asked for
                return
            served, done = self._asked, self._copy_new_rows()
            if done:
                self._served = served
                return
        self.fill()

    def _copy_new_rows(self) -> bool:
        with self._held.read() as source:
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
            with tempfile.TemporaryDirectory(dir=self._folder) as folder:
                for name, count in grown.items():
                    query = f"SELECT * FROM {name} WHERE rowid >= {self._ends[name]} AND rowid < {self._ends[name] + count}"
                    source.execute(f"COPY ({query}) TO '{_quoted(Path(folder) / name)}.parquet' (FORMAT parquet)")
                if not self._insert(Path(folder), grown):
                    return False
            self._ends |= {name: self._ends[name] + count for name, count in grown.items()}
            self._rows = new
            self.version += 1
        self._seen = _fingerprint(self._path)
        return True

    def _insert(self, folder: Path, grown: dict[str, int]) -> bool:
        with contextlib.closing(self.cursor()) as target:
            target.execute("BEGIN")
            for name, count in grown.items():
                done = target.execute(f"INSERT INTO {name} SELECT * FROM '{_quoted(folder / name)}.parquet'").fetchone()
                if done is None or done[0] != count:
                    target.execute("ROLLBACK")
                    return False
            target.execute("COMMIT")
        return True

    def close(self) -> None:
        with self._lock:
            if self._instance is not None:
                self._instance.close()
                self._instance = None
            for file in self._folder.glob("mirror-*"):
                file.unlink(missing_ok=True)


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
