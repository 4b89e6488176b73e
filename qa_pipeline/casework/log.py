"""The audit log: who did or opened what and when. It only grows, and each row carries the hash of the one before.

Nobody can edit it through the program. Whoever edits the file with another tool breaks the chain, and ``verify`` names the row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from qa_pipeline.casework.inserting import insert_rows

if TYPE_CHECKING:
    import duckdb

_FIRST = "0" * 64
_COLUMNS = {
    "seq": "BIGINT",
    "at_time": "TIMESTAMP",
    "person_id": "VARCHAR",
    "action": "VARCHAR",
    "object": "VARCHAR",
    "detail": "VARCHAR",
    "previous": "VARCHAR",
    "hash": "VARCHAR",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    at: datetime
    person_id: str
    action: str
    thing: str


def append(connection: duckdb.DuckDBPyConnection, entries: Sequence[tuple[Entry, Mapping[str, object]]]) -> None:
    """Adds entries with their details, in order."""
    last = connection.execute("SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1").fetchone()
    seq, previous = last or (0, _FIRST)
    flat: list[object] = []
    for entry, detail in entries:
        seq += 1
        text = json.dumps(detail, ensure_ascii=False, sort_keys=True, default=str)
        values = [seq, entry.at, entry.person_id, entry.action, entry.thing, text, previous]
        previous = _hash(values)
        flat += [*values, previous]
    if flat:
        insert_rows(connection, ("audit_log", *_COLUMNS), flat, lambda table: _COLUMNS)


def last_time(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    row = connection.execute("SELECT at_time FROM audit_log ORDER BY seq DESC LIMIT 1").fetchone()
    return None if row is None else row[0]


def verify(connection: duckdb.DuckDBPyConnection) -> int | None:
    """None when the chain is whole, else the number of the first row that was changed, removed or put in."""
    previous, expected = _FIRST, 1
    for row in connection.execute("SELECT * FROM audit_log ORDER BY seq").fetchall():
        if row[0] != expected or row[6] != previous or _hash(list(row[:7])) != row[7]:
            return expected
        previous, expected = row[7], expected + 1
    return None


def _hash(values: list[object]) -> str:
    return hashlib.sha256("\x1f".join(str(value) for value in values).encode()).hexdigest()
