"""The one door through which the server writes to the store.

DuckDB lets one process at a time open a file for writing, and nobody beside it. The store is attached to an instance that lives as
long as the server (measured 2026-11-21 with 20,000 calls: 50 ms instead of 140 ms for a new connection) and kept for a moment, so
that actions that come close together open it once; then it is let go, so that a ``qa run`` gets its turn.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
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
BREATH_S = 0.02  # so long it stays free at least
LONG_BREATH_S = 0.2  # and so long after a full hold: a waiting process looks every half second
_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.2
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


def new_instance() -> duckdb.DuckDBPyConnection:
    """An instance that databases are attached to."""
    import duckdb

    return duckdb.connect(":memory:", config=CONFIG)


def quoted(path: Path) -> str:
    return str(path).replace("'", "''")


class HeldConnections(Connections):
    """Connections to the store for a server: attached to one instance, kept for a moment after each use."""

    def __init__(self, path: Path, patience_s: float) -> None:
        super().__init__(path, patience_s)
        self._patience = patience_s
        self._instance = new_instance()
        self._lock = threading.Lock()
        self._held_since = 0.0
        self._used_at = 0.0
        self._users = 0
        # Called with the connection of a writer when its transaction is over, while it is still its turn.
        self.after_write: Callable[[duckdb.DuckDBPyConnection], None] | None = None
        self._closed = threading.Event()
        self._keeper = threading.Thread(target=self._let_go_when_idle, name="store-keeper", daemon=True)
        self._keeper.start()

    def _open(self, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        """A connection whose current database is the store."""
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
                    return _Counted(cursor, self, writer=not read_only)  # type: ignore[return-value]
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
            self._instance.execute(f"ATTACH '{quoted(self.path)}' AS store")
        except duckdb.Error as error:
            if "Could not set lock" in str(error) or "being used by another process" in str(error):
                return error
            raise StoreError(f"数据库 {self.path} 打不开：{error}") from error
        self._held_since = self._used_at = time.monotonic()
        return None

    def gone(self) -> None:
        """Somebody has finished."""
        with self._lock:
            self._users -= 1
            self._used_at = time.monotonic()
            if self._users == 0 and self._used_at - self._held_since > LONGEST_HOLD_S:
                self._detach(LONG_BREATH_S)

    def _let_go_when_idle(self) -> None:
        while not self._closed.wait(LINGER_S / 3):
            with self._lock:
                idle = time.monotonic() - self._used_at
                if self._held_since and self._users == 0 and idle >= LINGER_S:
                    self._detach(BREATH_S)

    def _detach(self, breath_s: float) -> None:
        """Called with the lock held and nobody using the store."""
        self._instance.execute("DETACH store")
        self._held_since = 0.0
        time.sleep(breath_s)

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
            if self._users:  # somebody has not finished: closing would be refused or take his cursor away; it goes with him
                return
            if self._held_since:
                self._instance.execute("DETACH store")
                self._held_since = 0.0
            self._instance.close()


class _Counted:
    """A cursor that says when it is closed, and lets the copy take over what was written before that."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, held: HeldConnections, *, writer: bool) -> None:
        self._cursor = cursor
        self._held = held
        self._writer = writer
        self._open = True

    def __getattr__(self, name: str) -> object:
        return getattr(self._cursor, name)

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        try:
            if self._writer and self._held.after_write is not None:
                self._held.after_write(self._cursor)
        finally:
            self._cursor.close()
            self._held.gone()


class HeldStore(DuckStore):
    """The store itself, for actions."""

    def __init__(self, path: Path, patience_s: float = 20.0) -> None:
        super().__init__(path, patience_s=patience_s)
        self.held = HeldConnections(path, patience_s)
        self._connections = self.held
        self._transcripts = DuckTranscripts(self.held)
