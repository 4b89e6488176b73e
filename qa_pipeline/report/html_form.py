"""A report as one HTML file that needs nothing else and prints well."""

from __future__ import annotations

from typing import Any

from qa_pipeline.report.document import Column, Kind, Report, Section, Table, Value, shown
from qa_pipeline.report.svg import draw

MOST_ROWS = 2_000  # a browser prints these; all of them are in Excel and JSON


def render(report: Report) -> bytes:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("qa_pipeline.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    sections = [
        {
            "title": section.title,
            "note": section.note,
            "empty": section.empty,
            "columns": section.table.columns,
            "rows": _rows(section.table),
            "total": _total(section.table),
            "left_out": max(0, len(section.table.rows) - MOST_ROWS),
            "chart": Markup(_chart(section)),  # made of numbers and escaped labels by svg.draw
        }
        for section in report.sections
    ]
    facts = [
        {
            "label": fact.label,
            "value": shown(fact.value, fact.kind, rate=True) + fact.unit,
            "note": fact.note,
            "css": "" if fact.good is None else "good" if fact.good else "alert",
        }
        for fact in report.facts
    ]
    return environment.get_template("report.html").render(report=report, facts=facts, sections=sections).encode()


def _rows(table: Table) -> list[list[tuple[str, str]]]:
    found = []
    for number, line in enumerate(table.lines()):
        if number >= MOST_ROWS:
            break
        found.append([_cell(column, value, kind) for column, (value, kind) in zip(table.columns, line, strict=True)])
    return found


def _cell(column: Column, value: Value, kind: Kind) -> tuple[str, str]:
    """Text and class. A number that is not known says so."""
    words = shown(value, kind, rate=column.derived or column.kind.numeric)
    if value is None and column.kind.numeric:
        return words, "r soft"
    return words, "r" if column.kind.numeric else _MARKS.get(words, "")


_MARKS = {
    "致命": "bad",
    "不合格": "bad",
    "超出": "bad",
    "未达标": "bad",
    "低于标准": "bad",
    "高于标准": "bad",
    "达标": "good",
    "合格": "good",
    "缺列": "soft",
    "无数据": "soft",
}


def _total(table: Table) -> list[tuple[str, str]]:
    if not table.has_total:
        return []
    cells: list[tuple[Any, str]] = []
    for column, value in zip(table.columns, table.total_line(), strict=True):
        words = shown(value, column.kind, rate=True) if table.total_known(column) else ""
        cells.append((words, "r" if column.kind.numeric else ""))
    if not cells[0][0]:
        cells[0] = ("合计", "")
    return cells


def _chart(section: Section) -> str:
    return draw(section.chart, section.table) if section.chart is not None and section.table.rows else ""
