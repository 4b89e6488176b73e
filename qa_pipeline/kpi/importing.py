"""Logs into the database, by DuckDB, a file at a time. What is odd is counted and named with its row, never dropped in silence.

A row number is the one that Excel shows: the header is row 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.kpi import cleaning
from qa_pipeline.kpi.columns import TITLES, Layout, recognise
from qa_pipeline.kpi.database import writing
from qa_pipeline.kpi.textfile import Prepared, prepared

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One file. ``rows`` as read, ``counted`` those that enter figures; ``fresh`` False: the file was there already."""

    name: str
    kind: str
    rows: int
    counted: int
    problems: tuple[tuple[str, int], ...]  # kind of problem, how many rows
    missing: tuple[str, ...]
    fresh: bool = True

    @property
    def title(self) -> str:
        return TITLES[self.kind]


def import_files(database: Path, files: Sequence[Path], kind: str | None = None) -> list[Imported]:
    """Each file is one transaction. Raises UserError for the first that cannot be read; those before it are kept."""
    return [_import(database, path, kind) for path in files]


def _import(database: Path, path: Path, kind: str | None) -> Imported:
    database.parent.mkdir(parents=True, exist_ok=True)
    with prepared(path, database.parent) as source:
        layout = recognise(source.headers, kind, str(path))
        mark = _hash(path)
        with writing(database) as connection:
            known = connection.execute("SELECT file_id FROM files WHERE hash = ?", [mark]).fetchone()
            if known is not None:
                return _told(connection, int(known[0]), fresh=False)
            file_id = _next_id(connection)
            _load(connection, source, layout)
            rejected = _rejected(connection, file_id)
            _encodings(connection, file_id, source)
            rows, counted = cleaning.clean(connection, file_id, layout)
            connection.execute(
                "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [file_id, path.name, mark, layout.kind, rows + rejected, counted, list(layout.names), list(layout.missing),
                 list(layout.unused), list(source.encodings)],
            )  # fmt: skip
            return _told(connection, file_id, fresh=True)


def _next_id(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("SELECT coalesce(max(file_id), 0) + 1 FROM files").fetchone()
    return int(row[0]) if row else 1


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _load(connection: duckdb.DuckDBPyConnection, source: Prepared, layout: Layout) -> None:
    """The cells that are used, as text, with their row number. Only one thread: then rows come in the order of the file."""
    columns = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(layout.width))
    cells = ", ".join(f"nullif(trim(c{index}, ' \t''\"'), '') AS {name}" for name, index, _ in layout.fields)
    newline = source.newline.replace("\r", "\\r").replace("\n", "\\n")
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE raw AS
            SELECT row_number() OVER () AS nth, {cells}
            FROM read_csv(?, auto_detect=false, header=false, skip=1, columns={{{columns}}}, delim=?, quote='"', escape='"',
                new_line='{newline}', null_padding=true, parallel=false, store_rejects=true, max_line_size=10000000)""",
        [str(source.path), source.delimiter],
    )
    connection.execute("CREATE OR REPLACE TEMP TABLE rejected AS SELECT DISTINCT line, csv_line FROM reject_errors ORDER BY line")
    connection.execute("DELETE FROM reject_errors")
    connection.execute("DELETE FROM reject_scans")
    # DuckDB leaves out lines that it cannot split; the rows behind them keep the number that Excel shows.
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE log AS
           WITH gaps AS (SELECT line - row_number() OVER (ORDER BY line) AS shown FROM rejected)
           SELECT raw.nth + 1 + (SELECT count(*) FROM gaps WHERE gaps.shown <= raw.nth) AS row, raw.* EXCLUDE (nth) FROM raw"""
        if _has_rejects(connection)
        else "CREATE OR REPLACE TEMP TABLE log AS SELECT nth + 1 AS row, * EXCLUDE (nth) FROM raw"
    )
    connection.execute("DROP TABLE raw")


def _has_rejects(connection: duckdb.DuckDBPyConnection) -> bool:
    return connection.execute("SELECT 1 FROM rejected LIMIT 1").fetchone() is not None


def _rejected(connection: duckdb.DuckDBPyConnection, file_id: int) -> int:
    row = connection.execute(
        "INSERT INTO problems SELECT ?, line, '列数不对', '', left(csv_line, 200), '整行没有计入' FROM rejected", [file_id]
    ).fetchone()
    return int(row[0]) if row else 0


def _encodings(connection: duckdb.DuckDBPyConnection, file_id: int, source: Prepared) -> None:
    for kind, lines, effect in (
        ("编码不同", source.mixed_lines, "按该行自己的编码读入"),
        ("编码损坏", source.bad_lines, "读不出的字写成□，其余照常计入"),
    ):
        if lines:
            connection.execute("INSERT INTO problems SELECT ?, unnest(?::BIGINT[]), ?, '', '', ?", [file_id, lines, kind, effect])


def _told(connection: duckdb.DuckDBPyConnection, file_id: int, *, fresh: bool) -> Imported:
    row = connection.execute("SELECT name, kind, rows, counted, missing FROM files WHERE file_id = ?", [file_id]).fetchone()
    assert row is not None
    found = connection.execute(
        "SELECT kind, count(DISTINCT row) FROM problems WHERE file_id = ? GROUP BY kind ORDER BY kind", [file_id]
    ).fetchall()
    return Imported(
        name=row[0], kind=row[1], rows=row[2], counted=row[3], problems=tuple(found), missing=tuple(row[4]), fresh=fresh
    )
