"""Writing a table: CSV that Excel opens, JSON, Parquet, Excel. A file appears whole or not at all."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from qa_pipeline.errors import UserError
from qa_pipeline.export import Table

_BOM = "\ufeff"


def form_of(out: Path | None, form: str | None) -> str:
    """The format wished for: given, else by the file's ending, else CSV. Raises UserError for an unknown form, and for one that the
    file's ending contradicts: a spreadsheet refuses to open such a file."""
    if form is not None and form not in FORMS:
        raise UserError(f"没有“{form}”这种格式。可用：{'、'.join(FORMS)}。")
    ending = out.suffix.lower().lstrip(".") if out is not None else ""
    if form is not None and ending in FORMS and ending != form:
        raise UserError(f"--format {form} 与文件名 {out} 不一致，没有写。请去掉 --format，或把文件名改为 .{form} 结尾。")
    return form or (ending if ending in FORMS else "csv")


def write(table: Table, wish: str | None, out: Path | None) -> int:
    """Writes a table to ``out`` (None: stdout) and returns the number of rows. Raises UserError as ``form_of`` does."""
    form = form_of(out, wish)
    if out is None and form in _FILES_ONLY:
        raise UserError(f"{form} 是二进制文件，请用 --out 指明写到哪里，例如 --out {table.kind}.{form}。")
    counted = _Counted(table.rows)
    data = FORMS[form](Table(kind=table.kind, columns=table.columns, rows=iter(counted)))
    if out is None:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    else:
        write_whole(out, data)
    return counted.rows


def write_whole(path: Path, data: bytes) -> None:
    """The file at ``path`` is the old one or the new one, never half of it."""
    import os
    import tempfile

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:  # told by the name that the user asked for, not by that of the part
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


class _Counted:
    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._rows = rows
        self.rows = 0

    def __iter__(self) -> Any:
        for row in self._rows:
            self.rows += 1
            yield row


def _csv(table: Table) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow([_cell(value) for value in row])
    return (_BOM + text.getvalue()).encode()


def _cell(value: Any) -> Any:
    """Empty for not known, true/false, and no cell that a spreadsheet would run as a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and (value[:1] in ("=", "+", "@", "\t", "\r") or (value[:1] == "-" and len(value) > 1)):
        return "'" + value
    return value


def _json(table: Table) -> bytes:
    import msgspec

    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    return msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n"


def parquet(table: Table) -> bytes:
    """Typed columns by DuckDB; money as DECIMAL(12,2). Rows pass through a file of JSON lines: 2 µs each, see ``store.bulk``."""
    import tempfile

    import duckdb
    import msgspec

    rows = list(table.rows)
    types = table.types or tuple(_sql_type([row[index] for row in rows]) for index in range(len(table.columns)))
    shape = ", ".join(f"'{name}': '{kind}'" for name, kind in zip(table.columns, types, strict=True))
    with tempfile.TemporaryDirectory(prefix="qa-export-") as folder, duckdb.connect() as connection:
        lines, path = Path(folder) / "rows.ndjson", Path(folder) / "table.parquet"
        encode = msgspec.json.Encoder().encode
        lines.write_bytes(b"".join(encode(dict(zip(table.columns, row, strict=True))) + b"\n" for row in rows))
        read = f"read_json('{lines}', format = 'newline_delimited', columns = {{{shape}}})"
        connection.execute(f"COPY (SELECT * FROM {read}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
        return path.read_bytes()


def _sql_type(values: list[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int}:
        return "BIGINT"
    if kinds == {Decimal}:
        return "DECIMAL(12,2)"
    if kinds and kinds <= {int, float}:
        return "DOUBLE"
    return "VARCHAR"


def _xlsx(table: Table) -> bytes:
    """Real types, frozen header, filter, a Chinese font; text cells are never formulas."""
    from datetime import datetime

    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": datetime(2000, 1, 1)})  # equal tables give equal files
    sheet = book.add_worksheet(table.kind)
    plain = {"font_name": "微软雅黑", "font_size": 10, "valign": "top"}
    head = book.add_format({**plain, "bold": True, "bg_color": "#E8EEF4", "border": 1})
    text = book.add_format({**plain, "text_wrap": True})
    money = book.add_format({**plain, "num_format": "0.00"})
    sheet.write_row(0, 0, table.columns, head)
    widths = [len(name) + 2 for name in table.columns]
    last = 0
    for last, row in enumerate(table.rows, start=1):
        for index, value in enumerate(row):
            if value is None:
                continue
            if isinstance(value, Decimal):
                sheet.write_number(last, index, float(value), money)
            elif isinstance(value, bool):
                sheet.write_boolean(last, index, value, text)
            elif isinstance(value, int | float):
                sheet.write_number(last, index, value, text)
            else:
                sheet.write_string(last, index, str(value)[:32_767], text)
                widths[index] = max(widths[index], min(48, 2 * len(str(value))))
    for index, width in enumerate(widths):
        sheet.set_column(index, index, width)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, last, len(table.columns) - 1)
    book.close()
    return buffer.getvalue()


FORMS: dict[str, Callable[[Table], bytes]] = {"csv": _csv, "json": _json, "parquet": parquet, "xlsx": _xlsx}
_FILES_ONLY = ("parquet", "xlsx")
