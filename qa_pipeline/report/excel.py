"""A report as an Excel workbook: real types, frozen headers, filters, a Chinese font, sums and rates as formulas, charts inside.

Every formula carries its value, so that viewers that do not calculate show it too. Text is never taken for a formula or a link.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from qa_pipeline.report.document import NO_DATA, Chart, Column, Kind, Report, Row, Section, Table, Value, shown

FONT = "微软雅黑"
MOST_ROWS = 1_000_000  # a sheet holds 1,048,576
MEASURED_ROWS = 1_000  # of which the widths of the columns are taken
_LONGEST = 32_767  # characters of a cell
_EPOCH = datetime(1899, 12, 30)  # day 0 of Excel's calendar
_HEAD = 3  # row of the headers, from 0: title, note, blank, headers
_FORMATS = {
    Kind.INT: "#,##0",
    Kind.NUMBER: "#,##0.00",
    Kind.SHARE: "0.0%",
    Kind.MONEY: "#,##0.00",
    Kind.SECONDS: "#,##0.0",
    Kind.HOURS: "#,##0.00",
    Kind.DAY: "yyyy-mm-dd",
    Kind.TIME: "yyyy-mm-dd hh:mm",
}


def render(report: Report) -> bytes:
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": report.title, "created": datetime(2000, 1, 1)})  # equal reports give equal files
    pens = _Pens(book)
    _summary(book, report, pens)
    names: set[str] = {"概要"}
    for section in report.sections:
        name = _name(section.title, names)
        names.add(name)
        _Sheet(book, name, section, pens).write()
    book.close()
    return buffer.getvalue()


class _Pens:
    """The formats of a workbook, made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[str, str], Any] = {}

    def __call__(self, style: str, number: str = "") -> Any:
        key = (style, number)
        if key not in self._made:
            looks: dict[str, Any] = {"font_name": FONT, "font_size": 10, "valign": "top"}
            styles: dict[str, dict[str, Any]] = {
                "plain": {},
                "text": {"text_wrap": True},
                "title": {"bold": True, "font_size": 15},
                "soft": {"font_color": "#5B6874"},
                "head": {"bold": True, "bg_color": "#E8EEF4", "border": 1, "text_wrap": True, "valign": "vcenter"},
                "total": {"bold": True, "top": 1, "bg_color": "#F5F6F8"},
            }
            looks |= styles[style]
            if number:
                looks["num_format"] = number
            self._made[key] = self._book.add_format(looks)
        return self._made[key]


def _name(title: str, taken: set[str]) -> str:
    """A sheet's name: without the signs that Excel forbids, 31 characters at most, unique."""
    base = "".join("-" if char in "[]:*?/\\'" else char for char in title)[:28] or "表"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}{number}", number + 1
    return name


def _summary(book: Any, report: Report, pens: _Pens) -> None:
    sheet = book.add_worksheet("概要")
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 18)
    sheet.set_column(2, 2, 80)
    sheet.write_string(0, 0, report.title, pens("title"))
    sheet.write_string(1, 0, f"{report.period}　生成于 {report.made_at}", pens("soft"))
    for index, name in enumerate(("项目", "数值", "说明")):
        sheet.write_string(_HEAD, index, name, pens("head"))
    row = _HEAD
    for row, fact in enumerate(report.facts, start=_HEAD + 1):
        sheet.write_string(row, 0, fact.label + (f"（{fact.unit}）" if fact.unit else ""), pens("text"))
        _write(sheet, (row, 1), fact.value, fact.kind, pens)
        sheet.write_string(row, 2, fact.note, pens("text"))
    for line in (*report.lead, *report.notes):
        row += 1
        sheet.write_string(row + 1, 0, line, pens("soft"))
    sheet.freeze_panes(_HEAD + 1, 0)
    _printing(sheet)


def _printing(sheet: Any) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)


def _write(sheet: Any, place: tuple[int, int], value: Value, kind: Kind, pens: _Pens) -> None:
    row, column = place
    number = _FORMATS.get(kind, "")
    if value is None:
        if kind.numeric:
            sheet.write_string(row, column, NO_DATA, pens("soft"))
        return
    if isinstance(value, bool):
        sheet.write_string(row, column, shown(value, kind), pens("text"))
    elif isinstance(value, int | float | Decimal):
        sheet.write_number(row, column, float(value), pens("plain", number))
    elif isinstance(value, datetime | date):
        sheet.write_datetime(row, column, value, pens("plain", _FORMATS[Kind.TIME if isinstance(value, datetime) else Kind.DAY]))
    else:
        sheet.write_string(row, column, str(value)[:_LONGEST], pens("text"))


class _Sheet:
    """One table on one sheet."""

    def __init__(self, book: Any, name: str, section: Section, pens: _Pens) -> None:
        from qa_pipeline.report.fast_sheet import FastSheet

        self._book, self._name, self._section, self._pens = book, name, section, pens
        self._sheet = book.add_worksheet(name, worksheet_class=FastSheet)
        self._table: Table = section.table
        self._at = {column.key: index for index, column in enumerate(self._table.columns)}
        self._last = _HEAD + min(len(self._table.rows), MOST_ROWS)

    def write(self) -> None:
        sheet, table, pens = self._sheet, self._table, self._pens
        sheet.write_string(0, 0, self._section.title, pens("title"))
        note = self._section.note
        if len(table.rows) > MOST_ROWS:
            note += f" 一张表最多写 {MOST_ROWS} 行，其余 {len(table.rows) - MOST_ROWS} 行见 JSON。"
        sheet.write_string(1, 0, note or ("" if table.rows else self._section.empty), pens("soft"))
        for index, column in enumerate(table.columns):
            sheet.write_string(_HEAD, index, column.title, pens("head"))
        cells = [self._cells(column, index) for index, column in enumerate(table.columns)]
        for line, row in enumerate(islice(table.rows, MOST_ROWS), start=_HEAD + 1):
            for cell in cells:
                cell(line, row)
        widths = [max(9, 2 * len(column.title) + 2) for column in table.columns]
        for row in islice(table.rows, MEASURED_ROWS):
            for index, column in enumerate(table.columns):
                words = shown(table.value(row, column), table.kind(row, column))
                widths[index] = max(widths[index], min(46, _wide(words) + 2))
        for index, width in enumerate(widths):
            sheet.set_column(index, index, min(width, 46))
        sheet.freeze_panes(_HEAD + 1, 1)
        if table.rows:
            sheet.autofilter(_HEAD, 0, self._last, len(table.columns) - 1)
        if table.has_total:
            self._totals()
        if self._section.chart is not None and table.rows:
            self._chart(self._section.chart)
        sheet.repeat_rows(_HEAD)
        _printing(sheet)

    def _cells(self, column: Column, index: int) -> Callable[[int, Row], None]:
        """What writes the cells of one column. A sheet may have millions of them: what is the same in all is looked up here."""
        table, sheet, pens = self._table, self._sheet, self._pens
        if column.derived:
            return lambda line, row: self._rate(line, index, column, table.value(row, column))
        key, overruled = column.key, f"{column.key}__kind"
        if any(overruled in row for row in table.rows):
            return lambda line, row: _write(sheet, (line, index), row.get(key), table.kind(row, column), pens)
        write_number, write_string = sheet.write_number, sheet.write_string
        number, words = pens("plain", _FORMATS.get(column.kind, "")), pens("text")
        moment = pens("plain", _FORMATS[Kind.TIME])

        def cell(line: int, row: Row) -> None:
            value = row.get(key)
            if type(value) is str and len(value) <= _LONGEST:
                write_string(line, index, value, words)
            elif type(value) is int or type(value) is float or type(value) is Decimal:  # not bool, which is an int too
                write_number(line, index, float(value), number)
            elif type(value) is datetime:
                write_number(line, index, (value - _EPOCH).total_seconds() / 86_400, moment)
            else:
                _write(sheet, (line, index), value, column.kind, pens)

        return cell

    def _rate(self, line: int, index: int, column: Column, value: Value, style: str = "plain") -> None:
        """A rate as a formula over the counts of its own line; where a count has no column the value alone."""
        if column.part not in self._at or column.over not in self._at:
            _write(self._sheet, (line, index), value, column.kind, self._pens)
            return
        part, over = (_cell(line, self._at[key]) for key in (column.part, column.over))
        scale = "" if column.scale == 1 else f"*{column.scale!r}"
        formula = f'=IF(AND(ISNUMBER({part}),N({over})<>0),{part}/{over}{scale},"{NO_DATA}")'
        shown_value = NO_DATA if value is None else float(value)  # type: ignore[arg-type]
        self._sheet.write_formula(line, index, formula, self._pens(style, _FORMATS[column.kind]), shown_value)

    def _totals(self) -> None:
        """The line below: SUBTOTAL follows the filter, so what is filtered adds up too."""
        line = self._last + 1
        values = self._table.total_line()
        for index, (column, value) in enumerate(zip(self._table.columns, values, strict=True)):
            pen = self._pens("total", _FORMATS.get(column.kind, ""))
            if column.total:
                formula = f"=SUBTOTAL(109,{_cell(_HEAD + 1, index)}:{_cell(self._last, index)})"
                self._sheet.write_formula(line, index, formula, pen, 0 if value is None else float(value))  # type: ignore[arg-type]
            elif column.derived and self._table.total_known(column):
                self._rate(line, index, column, value, "total")
            else:
                self._sheet.write_string(line, index, "合计" if index == 0 else "", pen)

    def _chart(self, wanted: Chart) -> None:
        chart = self._book.add_chart({"type": "line" if wanted.kind == "line" else "column"})
        label = self._at[wanted.label]
        for key in wanted.series:
            index = self._at[key]
            series: dict[str, Any] = {
                "name": [self._name, _HEAD, index],
                "categories": [self._name, _HEAD + 1, label, self._last, label],
                "values": [self._name, _HEAD + 1, index, self._last, index],
            }
            if wanted.kind == "line":
                series["marker"] = {"type": "circle", "size": 5}
            chart.add_series(series)
        font = {"name": FONT, "size": 9}
        chart.set_title({"name": wanted.title, "name_font": {"name": FONT, "size": 12}})
        chart.set_legend({"position": "bottom", "font": font})
        chart.set_x_axis({"num_font": font})
        chart.set_y_axis({"num_font": font, "num_format": _FORMATS[self._table.column(wanted.series[0]).kind], "min": 0})
        chart.set_size({"width": 860, "height": 320})
        self._sheet.insert_chart(_HEAD, len(self._table.columns) + 1, chart)


def _cell(row: int, column: int) -> str:
    from xlsxwriter.utility import xl_rowcol_to_cell

    return str(xl_rowcol_to_cell(row, column))


def _wide(words: str) -> int:
    return sum(2 if ord(char) > 255 else 1 for char in words)
