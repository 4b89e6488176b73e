"""Short-lived DuckDB connections: opened for one save or one request, closed at once.

DuckDB 2.0 lets one process hold a file for writing and nobody beside it, not even readers (measured 2026-11-21: IOException
"Could not set lock on file"); inside one process a reader and a writer cannot have it open in different modes
(ConnectionException). So a lock is waited for with growing pauses, then named; and threads of one process take turns.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.errors import StoreError, StoreLockedError, reason_of
from qa_pipeline.store import migrations

if TYPE_CHECKING:
    import duckdb

_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.5
# Extensions would be fetched from the internet at run time; everything used here is built in.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class Connections:
    """Gives out connections to one file. Many readers or one writer at a time within the process; a waiting writer goes first.

    A ``read`` inside the ``write`` of the same thread sees that transaction.
    """

    def __init__(self, path: Path, patience_s: float) -> None:
        self.path = path
        self._patience_s = patience_s
        self._turn = threading.Condition()
        self._readers = 0
        self._writing = False
        self._waiting = 0
        self._own = threading.local()
        self._current = False  # the schema was seen to be up to date

    def exists(self) -> bool:
        return self.path.exists()

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection; a missing file is a StoreError, an old schema is brought up to date first."""
        mine: duckdb.DuckDBPyConnection | None = getattr(self._own, "connection", None)
        if mine is not None:
            yield mine
            return
        if not self.path.exists():
            raise StoreError(f"还没有数据库 {self.path}。请先用 qa run 或 qa import 处理录音，或用 --db 指明数据库的位置。")
        if not self._current:
            self._bring_up_to_date()
        with self._reader_turn():
            connection = self._open(read_only=True)
            try:
                with _translated(self.path):
                    yield connection
            finally:
                connection.close()

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction: committed at the end of the block, undone when the block raises (Ctrl-C too)."""
        if getattr(self._own, "connection", None) is not None:
            raise StoreError("程序错误：写事务不能嵌套。请把这条信息报告给维护者。")
        with self._writer_turn():
            connection = self._open(read_only=False)
            try:
                with _translated(self.path):
                    if not self._current:
                        migrations.migrate(connection)
                        self._current = True
                    self._own.connection = connection
                    connection.execute("BEGIN")
                    try:
                        yield connection
                        connection.execute("COMMIT")
                    except BaseException:
                        _undo(connection)
                        raise
            finally:
                self._own.connection = None
                _close(connection, self.path)

    @contextmanager
    def join(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The transaction of this thread when it is in one, else one of its own."""
        mine: duckdb.DuckDBPyConnection | None = getattr(self._own, "connection", None)
        if mine is not None:
            yield mine
            return
        with self.write() as connection:
            yield connection

    def _bring_up_to_date(self) -> None:
        with self._reader_turn():
            connection = self._open(read_only=True)
            try:
                with _translated(self.path):
                    self._current = migrations.is_current(connection)
            finally:
                connection.close()
        if not self._current:
            with self.write():
                pass

    def _open(self, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        import duckdb

        if not read_only:
            _make_folder(self.path.parent)
        waited_s, pause_s = 0.0, _FIRST_PAUSE_S
        while True:
            try:
                connection = duckdb.connect(str(self.path), read_only=read_only, config=_CONFIG)
                connection.execute("SET enable_progress_bar = false")  # DuckDB draws it into stdout when a query takes seconds
                return connection
            except duckdb.Error as error:
                if not _is_lock(error):
                    raise _named(error, self.path) from error
                if waited_s >= self._patience_s:
                    raise StoreLockedError(
                        f"数据库 {self.path} 正被另一个程序占用，等了 {waited_s:.0f} 秒仍未释放。"
                        "请等那个 qa 命令结束，或关闭打开了这个文件的 DuckDB 客户端后重试；已完成的结果都还在。"
                    ) from error
            time.sleep(pause_s)
            waited_s += pause_s
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    @contextmanager
    def _reader_turn(self) -> Iterator[None]:
        with self._turn:
            self._await(lambda: not self._writing and self._waiting == 0)
            self._readers += 1
        try:
            yield
        finally:
            with self._turn:
                self._readers -= 1
                self._turn.notify_all()

    @contextmanager
    def _writer_turn(self) -> Iterator[None]:
        with self._turn:
            self._waiting += 1
            try:
                self._await(lambda: not self._writing and self._readers == 0)
            finally:
                self._waiting -= 1
                self._turn.notify_all()
            self._writing = True
        try:
            yield
        finally:
            with self._turn:
                self._writing = False
                self._turn.notify_all()

    def _await(self, free: object) -> None:
        if not self._turn.wait_for(free, timeout=max(self._patience_s, _FIRST_PAUSE_S)):  # type: ignore[arg-type]
            raise StoreLockedError(f"数据库 {self.path} 在本程序里一直忙（超过 {self._patience_s:.0f} 秒）。请稍后重试。")


def _is_lock(error: Exception) -> bool:
    text = str(error)
    return "Could not set lock" in text or "different configuration" in text or "being used by another process" in text


def _named(error: Exception, path: Path) -> StoreError:
    """A DuckDB error in words that say what to do."""
    text = str(error)
    if "not a valid DuckDB database" in text:
        return StoreError(f"{path} 不是质检数据库。请用 --db 指明正确的文件；程序不会覆盖它。")
    if "No space left" in text or "File too large" in text or "Out of disk" in text or "Disk full" in text.title():
        return StoreError(f"磁盘已满，数据库 {path} 没有写成；之前保存的都还在。请腾出空间后重新运行，已完成的会自动跳过。")
    if "Permission denied" in text or "Read-only file system" in text or "read-only mode" in text:
        return StoreError(f"没有权限写数据库 {path}。请检查文件和文件夹的权限，或用 --db 换一个位置。")
    if "Is a directory" in text:
        return StoreError(f"{path} 是一个文件夹，不是数据库文件。请在 --db 里写上文件名，如 {path}/qa.duckdb。")
    return StoreError(f"数据库 {path} 出错：{text}")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Trouble with the file becomes a StoreError; a constraint or a mistake in a query stays what it is."""
    import duckdb

    try:
        yield
    except (duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.TransactionException) as error:
        raise _named(error, path) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreError(f"磁盘已满，数据库 {path} 没有写成。请腾出空间后重新运行，已完成的会自动跳过。") from error
        raise


def _undo(connection: duckdb.DuckDBPyConnection) -> None:
    import duckdb

    try:
        connection.execute("ROLLBACK")
    except duckdb.Error:  # the failure itself has already ended the transaction
        return


def _close(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Closing checkpoints; when that fails the write-ahead log still holds the committed rows, so it is not an error."""
    import duckdb

    try:
        connection.close()
    except duckdb.Error:
        return


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"不能建立数据库所在的文件夹 {folder}（{reason_of(error)}）。请检查权限，或用 --db 换一个位置。"
        ) from error
