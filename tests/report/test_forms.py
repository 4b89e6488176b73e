"""The same report in four forms: real types and formulas in Excel, nothing executable anywhere, 无数据 for a division by zero."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_pipeline.report import excel, registry
from qa_pipeline.report.document import Chart, Column, Fact, Kind, Report, Section, Table, count, money, share, text
from qa_pipeline.report.fast_sheet import FastSheet

ROWS: list[dict[str, Any]] = [
    {"name": "=1+1", "day": date(2026, 11, 2), "done": 3, "all": 4, "yuan": Decimal("12.50")},
    {"name": "<script>alert(1)</script>|`x`", "day": date(2026, 11, 3), "done": 0, "all": 0, "yuan": Decimal("0.10")},
]
COLUMNS = (
    text("name", "名称"),
    Column(key="day", title="日期", kind=Kind.DAY),
    count("done", "完成"),
    count("all", "全部"),
    share("rate", "完成率", "done", "all"),
    money("yuan", "金额（元）"),
)
REPORT = Report(
    kind="test",
    title="测试",
    period="2026-11",
    made_at="2026-12-01 09:00",
    facts=(Fact(label="没有分母", value=None, kind=Kind.SHARE), Fact(label="件数", value=1234)),
    sections=(
        Section(
            title="第一张/表",
            table=Table(columns=COLUMNS, rows=ROWS),
            chart=Chart(kind="bar", label="name", series=("done",), title="完成"),
        ),
        Section(title="空表", table=Table(columns=COLUMNS, rows=())),
    ),
)


def test_excel_has_types_formulas_filters_and_a_chart() -> None:
    book = openpyxl.load_workbook(io.BytesIO(registry.render(REPORT, "xlsx")))
    assert book.sheetnames == ["概要", "第一张-表", "空表"]
    sheet = book["第一张-表"]
    assert [cell.value for cell in sheet[4]] == ["名称", "日期", "完成", "全部", "完成率", "金额（元）"]
    assert [type(cell.value).__name__ for cell in sheet[5]] == ["str", "datetime", "int", "int", "str", "float"]
    assert sheet["A5"].value == "=1+1"
    assert sheet["A5"].data_type == "s"  # words of a customer are never a formula
    assert sheet["E5"].value == '=IF(AND(ISNUMBER(C5),N(D5)<>0),C5/D5,"无数据")'
    assert sheet["C7"].value == "=SUBTOTAL(109,C5:C6)"
    assert sheet["E7"].value == '=IF(AND(ISNUMBER(C7),N(D7)<>0),C7/D7,"无数据")'
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B5", "A4:F6")
    assert sheet["A5"].font.name == "微软雅黑"
    assert len(sheet._charts) == 1
    values = openpyxl.load_workbook(io.BytesIO(registry.render(REPORT, "xlsx")), data_only=True)["第一张-表"]
    assert [values.cell(row, 5).value for row in (5, 6, 7)] == [0.75, "无数据", 0.75]
    assert [values.cell(row, 6).value for row in (5, 6, 7)] == [12.5, 0.1, 12.6]


def test_excel_is_the_same_every_time() -> None:
    assert registry.render(REPORT, "xlsx") == registry.render(REPORT, "xlsx")


def test_html_stands_alone_and_runs_nothing() -> None:
    page = registry.render(REPORT, "html").decode()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("<svg") == 1
    assert page.count("无数据") == 3  # the fact, the row without a denominator, the footer


def test_markdown_and_json() -> None:
    words = registry.render(REPORT, "md").decode()
    assert "| \\<script>alert(1)\\</script>\\|\\`x\\` | 2026-11-03 | 0 | 0 | 无数据 | 0.10 |" in words
    assert "| 合计 |  | 3 | 4 | 75.0% | 12.60 |" in words
    body = json.loads(registry.render(REPORT, "json"))
    assert [row["rate"] for row in body["sections"][0]["rows"]] == [0.75, None]
    assert body["sections"][0]["total"] == {"done": 3, "all": 4, "rate": 0.75, "yuan": "12.60"}
    assert body["facts"][0]["value"] is None


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.decimals(0, 999, places=2)), min_size=2, max_size=12))
def test_the_line_of_sums_is_the_whole(parts: list[tuple[int, int, Decimal]]) -> None:
    rows: list[dict[str, Any]] = [{"name": "x", "done": done, "all": done + more, "yuan": yuan} for done, more, yuan in parts]
    table = Table(columns=COLUMNS, rows=rows)
    done, whole = sum(row[0] for row in parts), sum(row[0] + row[1] for row in parts)
    line = dict(zip((column.key for column in COLUMNS), table.total_line(), strict=True))
    assert (line["done"], line["all"], line["yuan"]) == (done, whole, sum(row[2] for row in parts))
    assert line["rate"] == (done / whole if whole else None)
    assert all(rate is None or 0 <= float(str(rate)) <= 1 for rate in (table.value(row, COLUMNS[4]) for row in rows))


def test_the_fast_sheet_writes_what_the_slow_one_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = excel.render(REPORT)
    monkeypatch.delattr(FastSheet, "_write_cell")
    slow = excel.render(REPORT)
    parts = [zipfile.ZipFile(io.BytesIO(data)) for data in (quick, slow)]
    assert parts[0].namelist() == parts[1].namelist()
    assert [parts[0].read(name) for name in parts[0].namelist()] == [parts[1].read(name) for name in parts[1].namelist()]
