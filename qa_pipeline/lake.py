"""Many stores, one place to ask: each store lays its tables down as Parquet, by day, beside those of the others.

    FOLDER/<kind>/day=2026-11-21/store=<name>/rows.parquet

The layout is Hive's, so that DuckDB, Spark or a lake catalog read all of it as one table with the columns ``day`` and ``store``.
A store writes only files of its own name and replaces each of them whole: stores need not know of each other, any of them
may write again at any time, and a reader never sees half a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from qa_pipeline.errors import UserError
from qa_pipeline.export import KINDS, Wanted, check_days, export
from qa_pipeline.store import Store
from qa_pipeline.tables import parquet, write_whole

_NAME = re.compile(r"[\w.-]+")
_FILE = "rows.parquet"
_NO_DAY = "__HIVE_DEFAULT_PARTITION__"  # read as NULL: calls without a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """What was written: files, rows by kind, and files of days or kinds that have no rows any more."""

    files: int
    rows: dict[str, int]
    removed: int


def lay(store: Store, folder: Path, name: str, wanted: Wanted) -> Laid:
    """Writes all kinds of tables of the days that are wanted. Raises UserError for a name that cannot be a folder."""
    if not _NAME.fullmatch(name):
        raise UserError(f"库名“{name}”只能用文字、数字、点、横线和下划线，例如 --name 成都。")
    check_days(wanted)
    rows = dict.fromkeys(KINDS, 0)
    written: set[Path] = set()
    for day, part in _days(store, wanted):
        for kind in KINDS:
            table = export(store, replace(part, kind=kind))
            content = list(table.rows)
            if content:
                path = folder / kind / f"day={day}" / f"store={name}" / _FILE
                write_whole(path, parquet(replace(table, rows=iter(content))))
                written.add(path)
                rows[kind] += len(content)
    return Laid(files=len(written), rows=rows, removed=_remove_old(folder, name, wanted, written))


def _days(store: Store, wanted: Wanted) -> Iterator[tuple[str, Wanted]]:
    """Each day that has calls, with what to export for it; calls without a time last, when no dates are asked for."""
    with store.read() as connection:
        days = [
            str(day)
            for (day,) in connection.execute(
                "SELECT DISTINCT started_at::DATE FROM calls WHERE started_at IS NOT NULL ORDER BY ALL"
            ).fetchall()
        ]
        timeless = [call for (call,) in connection.execute("SELECT call_id FROM calls WHERE started_at IS NULL").fetchall()]
    for day in days:
        if _asked(day, wanted):
            yield day, replace(wanted, date_from=day, date_to=day)
    if timeless and _asked(_NO_DAY, wanted):
        yield _NO_DAY, replace(wanted, calls=frozenset(timeless))


def _asked(day: str, wanted: Wanted) -> bool:
    if day == _NO_DAY:
        return wanted.date_from is None and wanted.date_to is None
    return (wanted.date_from or day) <= day <= (wanted.date_to or day)


def _remove_old(folder: Path, name: str, wanted: Wanted, written: set[Path]) -> int:
    """Calls that were purged, or whose day was corrected, must not be counted for ever."""
    old = [
        path
        for path in folder.glob(f"*/day=*/store={name}/{_FILE}")
        if path not in written and path.parts[-4] in KINDS and _asked(path.parts[-3].removeprefix("day="), wanted)
    ]
    for path in old:
        path.unlink()
        path.parent.rmdir()
    return len(old)
