"""The list of calls: a manifest (CSV, XLSX). A folder without one: ``intake.folder``."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from qa_pipeline.errors import ManifestError, Problem, reason_of
from qa_pipeline.intake import cells
from qa_pipeline.intake.columns import Columns, recognise
from qa_pipeline.model import CallData

MANIFEST_NAMES = ("manifest.csv", "manifest.xlsx")
_DRIVE = re.compile(r"[A-Za-z]:/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Calls in the order of the manifest (of the folder: sorted by path) and what was wrong with rows and cells.

    ``CallData.file`` is relative to the manifest's folder (POSIX separators) unless the user gave an absolute path.
    """

    calls: tuple[CallData, ...]
    warnings: tuple[Problem, ...]
    left_out: int = 0  # rows (folders) that were skipped, each of them told in ``warnings``


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    values: Sequence[Any]


def find_manifest(folder: Path) -> Path | None:
    """``manifest.csv``, else ``manifest.xlsx``, in the folder itself."""
    return next((folder / name for name in MANIFEST_NAMES if (folder / name).is_file()), None)


def read_manifest(path: Path, mapping: Mapping[str, str] = {}) -> Manifest:
    """Read a manifest; a bad cell leaves its field unknown, a row without a usable file is left out, both are reported.

    ``mapping``: header in the file → field name, on top of the built-in Chinese and English names.
    Raises ManifestError when the file as a whole cannot be used. Recordings are not looked at here.
    """
    rows = _xlsx_rows(path) if path.suffix.lower() in (".xlsx", ".xlsm") else _csv_rows(path)
    header = next((row for row in rows if any(cells.tidy(value) for value in row.values)), None)
    if header is None:
        raise ManifestError(f"{path}：清单是空的；第一行应为列名，至少要有 file（录音文件）一列")
    try:
        columns = recognise([cells.tidy(value) for value in header.values], mapping)
    except ManifestError as error:
        raise ManifestError(f"{path}:{header.line}: {error}") from None
    return _Reader(path, columns, header.line).read(rows)


class _Reader:
    """State of one reading: what was seen so far, and the problems."""

    def __init__(self, path: Path, columns: Columns, header_line: int) -> None:
        self._path = path
        self._columns = columns
        self._warnings = [self._problem(header_line, index, message) for index, message in columns.doubtful]
        self._ids: dict[str, int] = {}
        self._files: dict[str, int] = {}

    def read(self, rows: Iterator[_Row]) -> Manifest:
        """All usable rows as calls."""
        filled = ((row, texts) for row in rows if any(texts := [cells.tidy(value) for value in row.values]))
        read = [self._call(row, texts) for row, texts in filled]
        calls = tuple(call for call in read if call is not None)
        return Manifest(calls=calls, warnings=tuple(self._warnings), left_out=len(read) - len(calls))

    def _problem(self, line: int, column: int, message: str) -> Problem:
        return Problem(path=str(self._path), line=line, col=column + 1, message=message)

    def _warn(self, line: int, column: int, message: str) -> None:
        self._warnings.append(self._problem(line, column, message))

    def _call(self, row: _Row, texts: Sequence[str]) -> CallData | None:
        """The call of a row that is not empty; None (reported) when it has to be left out."""
        width = self._columns.width
        if any(texts[width:]):
            self._warn(row.line, width, f"多出 {len(texts) - width} 列，无法确定各列含义，本行已跳过；文字里有逗号时请加英文双引号")
            return None
        values = self._fields(row, texts)
        file = self._file(row.line, values.get("file"))
        if file is None:
            return None
        values["file"] = file
        call_id = self._call_id(row.line, values.get("call_id"), file)
        if call_id is None:
            return None
        values["call_id"] = call_id
        if file in self._files:
            self._warn(row.line, self._column("file"), f"与第 {self._files[file]} 行是同一个录音文件，两行都会质检")
        self._files.setdefault(file, row.line)
        extra = tuple(
            (name, texts[index]) for name, index in self._columns.extra if index < len(texts) and not cells.is_empty(texts[index])
        )
        return CallData(**values, extra=extra)

    def _fields(self, row: _Row, texts: Sequence[str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for field, index in self._columns.fields:
            text = texts[index] if index < len(texts) else ""
            if cells.is_empty(text):
                continue
            try:
                if field in cells.TIMES:
                    values[field] = cells.parse_when(row.values[index], values.get("started_at"))
                else:
                    parser: cells.Parser = cells.PARSERS.get(field, cells.tidy)
                    values[field] = parser(row.values[index])
            except cells.CellError as error:
                self._warn(row.line, index, f"{field}：{error}；按未知处理")
                if field == "hangup_at" and "ended_at" not in values:
                    with suppress(cells.CellError):  # many exports hold the clock time of the hang-up under 挂机时间
                        ended = cells.parse_when(row.values[index], values.get("started_at"))
                        if _not_before(values.get("started_at", ""), ended):  # 0:31 means seconds, and was complained about
                            values["ended_at"] = ended
        self._order(row.line, values)
        return values

    def _order(self, line: int, values: dict[str, Any]) -> None:
        """A time of day before the start belongs to the next day; a full date before the start is a mistake."""
        start = values.get("started_at", "")
        for field in cells.TIMES[1:]:
            value = values.get(field, "")
            if not value:
                continue
            placed = _not_before(start, value)
            if placed is not None:
                values[field] = placed
            else:
                self._warn(line, self._column(field), f"{field}：{value} 早于开始时间 {start}；按未知处理")
                del values[field]

    def _column(self, field: str) -> int:
        return dict(self._columns.fields).get(field, 0)

    def _file(self, line: int, raw: str | None) -> str | None:
        """The path as kept, or None (reported): empty, or leaving the manifest's folder by ``..``."""
        if raw is None:
            self._warn(line, self._column("file"), "没有填写录音文件，本行已跳过")
            return None
        text = raw.replace("\\", "/")
        if "\0" in text:
            self._warn(line, self._column("file"), "录音文件名含有非法字符，本行已跳过")
            return None
        if Path(text).is_absolute() or text.startswith("/") or _DRIVE.match(text):
            return os.path.normpath(text).replace("\\", "/")
        kept = os.path.normpath(text).replace("\\", "/")
        if kept == ".." or kept.startswith("../"):
            self._warn(line, self._column("file"), f"“{raw}”指向清单文件夹之外，本行已跳过；确需使用请填写绝对路径")
            return None
        return kept

    def _call_id(self, line: int, given: str | None, file: str) -> str | None:
        """The number given, else the file's name; a second row of a number is left out, of a file name it gets its folder."""
        call_id = given or PurePosixPath(file).stem
        if call_id in self._ids:
            first = self._ids[call_id]
            if given:
                self._warn(line, self._column("call_id"), f"通话编号“{call_id}”与第 {first} 行重复，本行已跳过")
                return None
            longer = "-".join(part for part in PurePosixPath(file).parts if part != "/")
            if longer in self._ids:
                self._warn(line, self._column("file"), f"录音文件“{file}”与第 {self._ids[longer]} 行重复，本行已跳过")
                return None
            self._warn(line, self._column("file"), f"由文件名得到的通话编号“{call_id}”与第 {first} 行重复，改用“{longer}”")
            call_id = longer
        self._ids[call_id] = line
        return call_id


def _not_before(start: str, value: str) -> str | None:
    """A time of a call that began at ``start``: as it is, a day later when the call went across midnight; None: before the start."""
    if "T" not in start or "T" not in value or value >= start:
        return value
    later = datetime.fromisoformat(value) + timedelta(days=1)
    across = later.isoformat()[:10] > start[:10] and later - datetime.fromisoformat(start) < timedelta(hours=6)
    return later.isoformat() if across else None


def _csv_rows(path: Path) -> Iterator[_Row]:
    """Rows of a CSV with the line each starts on; comma, tab or semicolon, whatever the header line has most of."""
    text = _decode(path)
    head = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",\t;", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    try:
        for values in reader:
            yield _Row(line, values)
            line = reader.line_num + 1
    except csv.Error as error:
        raise ManifestError(f"{path}:{line}: 清单格式有误（{error}）；请检查这一行的引号") from None


def _decode(path: Path) -> str:
    """The manifest's text: UTF-8 with or without BOM, UTF-16 with BOM (Excel's Unicode text), else GB18030."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ManifestError(f"{path}：找不到清单文件；请检查路径") from None
    except OSError as error:
        raise ManifestError(f"{path}：清单读不了（{reason_of(error)}）；请检查路径和权限") from None
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ManifestError(f"{path}：这是 Excel 文件却不以 .xlsx 结尾；.xls 请另存为 .xlsx 或 CSV，.xlsx 请改回文件名")
    text = decode_text(data)
    if text is None:
        raise ManifestError(f"{path}：不是文本清单，或编码不是 UTF-8、GB18030；请在 Excel 中另存为“CSV UTF-8”或 .xlsx")
    return text


def decode_text(data: bytes) -> str | None:
    """The text of a table that somebody saved: UTF-8 with or without BOM, UTF-16 with BOM, else GB18030; None: no text at all."""
    encodings = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    return None


def _xlsx_rows(path: Path) -> Iterator[_Row]:
    """Rows of the first sheet, values as Excel computed them."""
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except FileNotFoundError:
        raise ManifestError(f"{path}：找不到清单文件；请检查路径") from None
    except (BadZipFile, InvalidFileException, KeyError, ValueError):
        raise ManifestError(f"{path}：内容不是 Excel 工作簿，或者不完整；请在 Excel 里重新另存为 .xlsx 或 CSV") from None
    except OSError as error:
        raise ManifestError(f"{path}：清单读不了（{reason_of(error)}）；请检查路径和权限") from None
    try:
        sheet: Any = book.worksheets[0]
        sheet.reset_dimensions()  # exports often carry a wrong size
        for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield _Row(number, values)
    finally:
        book.close()
