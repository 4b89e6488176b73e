"""What the imported logs were like: files, rows that count, and every odd row with its number. Customers' numbers are covered."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qa_pipeline.kpi.columns import TITLES
from qa_pipeline.report.document import Column, Kind, Report, Section, Table, count, text
from qa_pipeline.report.reading import Wish

if TYPE_CHECKING:
    import duckdb

MOST_PROBLEMS = 1_000  # rows listed in a report; all of them by ``qa kpi problems``


def files(connection: duckdb.DuckDBPyConnection) -> Section:
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "kind": TITLES[kind],
            "rows": read,
            "counted": counted,
            "dropped": read - counted,
            "encodings": "、".join(encodings),
            "unused": "、".join(unused),
        }
        for name, kind, read, counted, encodings, unused in connection.execute(
            "SELECT name, kind, rows, counted, encodings, unused FROM files ORDER BY file_id"
        ).fetchall()
    ]
    columns = (
        text("name", "文件"),
        text("kind", "内容"),
        count("rows", "行数"),
        count("counted", "计入"),
        count("dropped", "未计入"),
        text("encodings", "编码"),
        text("unused", "没有用到的列"),
    )
    note = "行数不含表头。没有计入的行，每一行都在下面的数据问题里写明行号和原因。"
    return Section(title="数据来源", table=Table(columns=columns, rows=rows), note=note)


def problems(connection: duckdb.DuckDBPyConnection) -> tuple[Section, Section]:
    kinds: list[dict[str, Any]] = [
        {"name": name, "kind": kind, "field": field, "effect": effect, "n": number, "rows": "、".join(map(str, rows))}
        for name, kind, field, effect, number, rows in connection.execute(
            """SELECT file.name, item.kind, item.field, item.effect, count(*), list_sort(min(item.row, 20))
               FROM problems AS item JOIN files AS file USING (file_id)
               GROUP BY file.file_id, file.name, item.kind, item.field, item.effect ORDER BY file.file_id, item.kind, item.field"""
        ).fetchall()
    ]
    columns = (
        text("name", "文件"),
        text("kind", "问题"),
        text("field", "列"),
        count("n", "行数"),
        text("effect", "怎样处理"),
        text("rows", "行号（前 20 行）"),
    )
    listed: list[dict[str, Any]] = [
        dict(zip(("name", "row", "kind", "field", "value", "effect"), row, strict=True))
        for row in connection.execute(
            """SELECT file.name, item.row, item.kind, item.field, item.value, item.effect FROM problems AS item
               JOIN files AS file USING (file_id) ORDER BY file.file_id, item.row, item.kind, item.field, item.value, item.effect LIMIT ?""",
            [MOST_PROBLEMS],
        ).fetchall()
    ]
    every = sum(row["n"] for row in kinds)
    note = "" if every <= MOST_PROBLEMS else f"列出前 {MOST_PROBLEMS} 处，共 {every} 处；全部用 qa kpi problems 导出。"
    detail = (
        text("name", "文件"),
        Column(key="row", title="行号", kind=Kind.INT),
        text("kind", "问题"),
        text("field", "列"),
        text("value", "内容"),
        text("effect", "怎样处理"),
    )
    return (
        Section(title="数据质量", table=Table(columns=columns, rows=kinds), empty="没有发现数据问题。"),
        Section(title="数据问题逐行", table=Table(columns=detail, rows=listed), note=note, empty="没有发现数据问题。"),
    )


_TIME = re.compile(r"(19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}日?[T\s]*[\d:：.时分秒\s]*")


def covered(value: str) -> str:
    """A cell of a log that was told as a problem: long numbers covered. A time is no number of a customer."""
    from qa_pipeline.masking import mask_text

    return value if _TIME.fullmatch(value.strip()) else mask_text(value)


def masked(report: Report, wish: Wish) -> Report:
    """Customer numbers in the listed problems covered, unless the reader may see them."""
    if wish.show_private:
        return report
    sections = []
    for section in report.sections:
        keys = {column.key for column in section.table.columns}
        if not {"value", "row"} <= keys:
            sections.append(section)
            continue
        rows = [{**row, "value": covered(str(row["value"] or ""))} for row in section.table.rows]
        sections.append(replace(section, table=Table(columns=section.table.columns, rows=rows)))
    return replace(report, sections=tuple(sections))
