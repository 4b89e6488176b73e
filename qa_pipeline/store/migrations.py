"""The schema as a list of named steps; each is applied together with its record in one transaction.

A new step is appended, never changed: stores of users have run the old ones. A store with steps that this program does not
know was written by a newer one and is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qa_pipeline.errors import StoreError
from qa_pipeline.store import schema_audit, schema_casework

if TYPE_CHECKING:
    import duckdb

Migration = Callable[["duckdb.DuckDBPyConnection"], None]

MIGRATIONS: tuple[tuple[str, Migration], ...] = (
    ("0001_audit_runs", schema_audit.create),
    ("0002_casework", schema_casework.create),
    ("0003_case_results", schema_casework.add_results),
)

_RECORD = "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name VARCHAR NOT NULL)"


def applied(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Names of the steps the store has; empty for a new file."""
    exists = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'schema_migrations'").fetchone()
    if exists is None:
        return []
    return [name for (name,) in connection.execute("SELECT name FROM schema_migrations ORDER BY version").fetchall()]


def is_current(connection: duckdb.DuckDBPyConnection, steps: tuple[tuple[str, Migration], ...] = MIGRATIONS) -> bool:
    """False when steps are missing. Raises StoreError for a store of a newer or foreign program."""
    done = applied(connection)
    known = [name for name, _ in steps]
    if done != known[: len(done)]:
        surplus = next((name for index, name in enumerate(done) if index >= len(known) or known[index] != name), "")
        raise StoreError(
            f"数据库的结构比本程序新（有本程序不认识的步骤“{surplus}”）。请升级 qa-pipeline，或换一个 --db；旧程序不会改动它。"
        )
    return len(done) == len(known)


def migrate(connection: duckdb.DuckDBPyConnection, steps: tuple[tuple[str, Migration], ...] = MIGRATIONS) -> list[str]:
    """Applies what is missing, each step in its own transaction; returns the names applied."""
    if is_current(connection, steps):
        return []
    done = len(applied(connection))
    fresh: list[str] = []
    for version, (name, step) in enumerate(steps[done:], start=done + 1):
        connection.execute("BEGIN")
        try:
            connection.execute(_RECORD)
            step(connection)
            connection.execute("INSERT INTO schema_migrations VALUES (?, ?)", [version, name])
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        fresh.append(name)
    return fresh
