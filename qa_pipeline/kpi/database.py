"""The database of call logs: one DuckDB file beside the store, so that a log of millions of rows never touches the audit.

Rows only grow by whole files; a file is known by the hash of its bytes, importing it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.errors import StoreError, StoreLockedError, UserError

if TYPE_CHECKING:
    import duckdb

MEMORY = "1500MB"  # DuckDB spills beyond it; 5 million calls stay well under 4 GB of process memory (benchmarks/reports.md)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    file_id INTEGER PRIMARY KEY, name VARCHAR, hash VARCHAR UNIQUE, kind VARCHAR, rows BIGINT, counted BIGINT, columns VARCHAR[],
    missing VARCHAR[], unused VARCHAR[], encodings VARCHAR[]
);
CREATE TABLE IF NOT EXISTS problems (
    file_id INTEGER, row BIGINT, kind VARCHAR, field VARCHAR, value VARCHAR, effect VARCHAR
);
CREATE TABLE IF NOT EXISTS calls (
    file_id INTEGER, row BIGINT, call_key VARCHAR, agent_id VARCHAR, agent_name VARCHAR, team VARCHAR, inbound BOOLEAN,
    account VARCHAR, started_at TIMESTAMP, prep_s DOUBLE, ring_s DOUBLE, talk_s DOUBLE, hold_s DOUBLE, acw_s DOUBLE, queue_s DOUBLE,
    rings DOUBLE, result VARCHAR, transferred BOOLEAN, resolved BOOLEAN, counted BOOLEAN
);
CREATE TABLE IF NOT EXISTS attendance (
    file_id INTEGER, row BIGINT, agent_id VARCHAR, agent_name VARCHAR, team VARCHAR, day DATE, planned_s DOUBLE, paid_s DOUBLE,
    ontime_s DOUBLE, logged_s DOUBLE, productive_s DOUBLE, waiting_s DOUBLE, away_s DOUBLE, present BOOLEAN, resigned BOOLEAN,
    fitted_s DOUBLE, shift_s DOUBLE, counted BOOLEAN
);
CREATE TABLE IF NOT EXISTS accounts (
    file_id INTEGER, row BIGINT, account VARCHAR, team VARCHAR, day DATE, valid BOOLEAN, counted BOOLEAN
);
CREATE TABLE IF NOT EXISTS costs (file_id INTEGER, row BIGINT, day DATE, amount DECIMAL(14,2), counted BOOLEAN);
"""


def log_path(store: Path) -> Path:
    """Where the logs of a store lie: qa-out/qa.duckdb → qa-out/qa.calls.duckdb."""
    return store.with_name(f"{store.stem}.calls.duckdb")


@contextmanager
def writing(path: Path, memory: str = MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """One transaction on the log database, which is made when it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _connected(path, read_only=False, memory=memory) as connection:
        connection.execute(_SCHEMA)
        connection.execute("BEGIN")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


@contextmanager
def reading(path: Path, memory: str = MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    if not path.is_file():
        raise UserError(f"还没有导入通话记录（{path}）。请先运行 qa kpi import 文件。")
    with _connected(path, read_only=True, memory=memory) as connection:
        yield connection


@contextmanager
def _connected(path: Path, *, read_only: bool, memory: str) -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory,
        "temp_directory": str(path.with_suffix(".tmp")),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    try:
        connection = duckdb.connect(str(path), read_only=read_only, config=config)
    except duckdb.Error as error:
        words = str(error)
        if "Could not set lock" in words or "being used by another process" in words:
            raise StoreLockedError(f"通话记录库 {path} 正被另一个程序占用。请等它结束后重试。") from None
        raise StoreError(f"通话记录库 {path} 打不开：{words}") from None
    connection.execute("SET enable_progress_bar = false")  # it would stand in the middle of a report on stdout
    try:
        yield connection
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        raise StoreError(f"通话记录库 {path} 出错：{error}。请检查磁盘空间；已经导入的都还在。") from error
    finally:
        connection.close()
