"""Files that spreadsheets and scripts open: whole, typed, harmless."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from qa_pipeline.errors import UserError
from qa_pipeline.export import Table
from qa_pipeline.tables import FORMS, write, write_whole

ROWS = [
    ("S1", 1, 0.5, True, Decimal("10.00"), None, "=SUM(A1)"),
    ("S2", 2, 1.5, False, Decimal("0.50"), "x", '-5 分，"引号"\n换行'),
]
COLUMNS = ("call", "number", "seconds", "flag", "yuan", "maybe", "text")


def table(rows: list[tuple[object, ...]] = ROWS) -> Table:  # type: ignore[assignment]
    return Table(kind="scores", columns=COLUMNS, rows=iter(rows))


def test_csv_opens_in_excel_and_no_cell_is_a_formula() -> None:
    assert FORMS["csv"](table()).decode() == (
        "\ufeffcall,number,seconds,flag,yuan,maybe,text\r\n"
        "S1,1,0.5,true,10.00,,'=SUM(A1)\r\n"
        'S2,2,1.5,false,0.50,x,"\'-5 分，""引号""\n换行"\r\n'
    )


def test_xlsx_has_real_types_and_no_formula() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(FORMS["xlsx"](table()))).active
    assert sheet is not None and sheet.freeze_panes == "B2" and sheet.auto_filter.ref == "A1:G3"
    rows = list(sheet.iter_rows(values_only=True))
    assert rows == [COLUMNS, ("S1", 1, 0.5, True, 10, None, "=SUM(A1)"), ("S2", 2, 1.5, False, 0.5, "x", '-5 分，"引号"\n换行')]
    assert {sheet.cell(2, 7).data_type, sheet.cell(3, 7).data_type} == {"s"}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_equal_tables_give_equal_bytes_and_empty_ones_are_fine(form: str) -> None:
    assert FORMS[form](table()) == FORMS[form](table())
    assert FORMS[form](table([]))


def test_parquet_keeps_money_exact(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "t.parquet"
    path.write_bytes(FORMS["parquet"](table()))
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT call, yuan, flag, maybe FROM '{path}' ORDER BY call").fetchall()
    assert rows == [("S1", Decimal("10.00"), True, None), ("S2", Decimal("0.50"), False, "x")]


def test_a_file_is_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "out.csv"
    write_whole(path, b"old")

    def broken() -> Iterator[tuple[object, ...]]:
        yield ROWS[0]
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError):
        write(Table(kind="scores", columns=COLUMNS, rows=broken()), "csv", path)  # type: ignore[arg-type]
    assert path.read_bytes() == b"old" and [item.name for item in path.parent.iterdir()] == ["out.csv"]
    assert write(table(), "csv", path) == 2
    assert path.read_bytes().startswith(b"\xef\xbb\xbfcall")


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UserError, match="没有“doc”这种格式。可用：csv、json、parquet、xlsx"):
        write(table(), "doc", None)
