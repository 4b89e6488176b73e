"""A log file as plain UTF-8 CSV for DuckDB: encodings mixed line by line, odd line ends, other delimiters, Excel.

A clean UTF-8 file is used as it lies; anything else is rewritten into a temporary file, block by block, never held in memory.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from qa_pipeline.errors import UserError, reason_of

_BLOCK = 1 << 22
_DELIMITERS = ",\t;|"


@dataclass(slots=True, kw_only=True)
class Prepared:
    """A readable file. ``bad_lines``: 1-based lines of which some bytes are in no known encoding."""

    path: Path
    headers: list[str]
    delimiter: str
    newline: str  # \n or \r\n
    encodings: tuple[str, ...]
    bad_lines: list[int] = field(default_factory=list)
    mixed_lines: list[int] = field(default_factory=list)  # lines in another encoding than the first ones


@contextmanager
def prepared(path: Path, folder: Path) -> Iterator[Prepared]:
    """The file ready for DuckDB; temporary files lie in ``folder`` and are gone afterwards. Raises UserError."""
    import tempfile

    if not path.is_file():
        raise UserError(f"找不到文件 {path}。")
    if path.stat().st_size == 0:
        raise UserError(f"{path} 是空文件。")
    with tempfile.TemporaryDirectory(dir=folder, prefix="qa-kpi-") as place:
        target = Path(place) / "log.csv"
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            yield _excel(path, target)
        elif path.suffix.lower() == ".xls":
            raise UserError(f"{path} 是旧式 .xls 文件。请在 Excel 里另存为 .xlsx 或 CSV。")
        else:
            yield _text(path, target)


def _excel(path: Path, target: Path) -> Prepared:
    import zipfile

    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError):
        raise UserError(f"{path} 的内容不是 Excel 工作簿，或者不完整。请在 Excel 里重新另存为 .xlsx 或 CSV。") from None
    except OSError as error:
        raise UserError(f"{path}：读不了这个文件（{reason_of(error)}）。请检查路径和权限。") from None
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        rows = book.worksheets[0].iter_rows(values_only=True)
        headers = [_cell(value) for value in next(rows, ())]
        while headers and not headers[-1]:
            headers.pop()
        writer.writerow(headers)
        for row in rows:
            writer.writerow([_cell(value) for value in row[: len(headers)]])
    book.close()
    return Prepared(path=target, headers=headers, delimiter=",", newline="\n", encodings=("Excel",))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _text(path: Path, target: Path) -> Prepared:
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        _from_utf16(path, target)
        return _described(target, ("UTF-16",))
    if _is_clean(path):
        return _described(path, ("UTF-8",))
    return _rewritten(path, target)


def _from_utf16(path: Path, target: Path) -> None:
    with (
        path.open(encoding="utf-16", newline=None, errors="replace") as file,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        while block := file.read(_BLOCK):
            out.write(block)


def _is_clean(path: Path) -> bool:
    """Valid UTF-8 with one kind of line end."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    ends: set[bool] = set()
    before = b""
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                decoder.decode(block)
                whole = before[-1:] + block
                pairs, feeds = whole.count(b"\r\n"), block.count(b"\n")
                if feeds:
                    ends |= {pairs == feeds} if pairs in (0, feeds) else {True, False}
                before = block
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return len(ends) <= 1


def _rewritten(path: Path, target: Path) -> Prepared:
    """Line by line: UTF-8, else GB18030, else the bytes that nobody can read become □ and the line is named."""
    used: dict[str, list[int]] = {}
    bad: list[int] = []
    with path.open("rb") as file, target.open("wb") as out:
        for number, line in enumerate(_lines(file), start=1):
            for name in ("utf-8", "gb18030"):
                try:
                    words = line.decode(name)
                except UnicodeDecodeError:
                    continue
                if not line.isascii():
                    used.setdefault(name, []).append(number)
                break
            else:
                words = line.decode("gb18030", errors="replace").replace("\ufffd", "□")
                bad.append(number)
            out.write(words.encode() + b"\n")
    most = max(used, key=lambda name: len(used[name]), default="utf-8")
    mixed = sorted(number for name, numbers in used.items() if name != most for number in numbers)
    found = _described(target, tuple(sorted(name.upper() for name in used)))
    found.bad_lines, found.mixed_lines = bad, mixed
    return found


def _lines(file: BinaryIO) -> Iterator[bytes]:
    for line in file:
        yield line.rstrip(b"\r\n")


def _described(path: Path, encodings: tuple[str, ...]) -> Prepared:
    with path.open("rb") as file:
        first = file.readline()
    words = first.decode("utf-8-sig", errors="replace").rstrip("\r\n")
    delimiter = max(_DELIMITERS, key=words.count)
    headers = next(csv.reader(io.StringIO(words), delimiter=delimiter), [])
    newline = "\r\n" if first.endswith(b"\r\n") else "\n"
    return Prepared(path=path, headers=headers, delimiter=delimiter, newline=newline, encodings=encodings)
