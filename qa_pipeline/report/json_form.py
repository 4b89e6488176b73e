"""A report as JSON: the same values, untouched, for scripts. Rates are numbers of 1, unknown is null."""

from __future__ import annotations

from datetime import date
from typing import Any

from qa_pipeline.report.document import Report, Section, Value


def render(report: Report) -> bytes:
    import msgspec

    body = {
        "kind": report.kind,
        "title": report.title,
        "period": report.period,
        "made_at": report.made_at,
        "facts": [
            {"label": fact.label, "value": _plain(fact.value), "unit": fact.unit, "note": fact.note, "good": fact.good}
            for fact in report.facts
        ],
        "lead": list(report.lead),
        "sections": [_section(section) for section in report.sections],
        "notes": list(report.notes),
    }
    return msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n"


def _section(section: Section) -> dict[str, Any]:
    table = section.table
    names = [column.key for column in table.columns]
    body: dict[str, Any] = {
        "title": section.title,
        "note": section.note,
        "columns": [{"key": column.key, "title": column.title, "kind": column.kind.value} for column in table.columns],
        "rows": [dict(zip(names, (_plain(value) for value, _ in line), strict=True)) for line in table.lines()],
    }
    if table.has_total:
        line = zip(table.columns, table.total_line(), strict=True)
        body["total"] = {column.key: _plain(value) for column, value in line if table.total_known(column)}
    return body


def _plain(value: Value) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    return value.isoformat() if isinstance(value, date) else value  # yuan are texts with two decimals
