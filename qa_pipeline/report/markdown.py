"""A report as Markdown, for a chat or a repository."""

from __future__ import annotations

from qa_pipeline.report.document import Column, Kind, Report, Section, Value, shown

MOST_ROWS = 2_000


def render(report: Report) -> bytes:
    parts = [f"# {report.title}", "", f"{report.period}　生成于 {report.made_at}", ""]
    for fact in report.facts:
        note = f"（{fact.note}）" if fact.note else ""
        parts.append(f"- {fact.label}：{_safe(shown(fact.value, fact.kind, rate=True))}{fact.unit}{_safe(note)}")
    parts += ["", *(_safe(line) for line in report.lead)] if report.lead else []
    for section in report.sections:
        parts += ["", f"## {section.title}", "", *_section(section)]
    if report.notes:
        parts += ["", "## 说明", "", *(f"- {_safe(note)}" for note in report.notes)]
    return ("\n".join(parts) + "\n").encode()


def _section(section: Section) -> list[str]:
    lines = [_safe(section.note), ""] if section.note else []
    table = section.table
    if not table.rows:
        return [*lines, section.empty]
    lines.append("| " + " | ".join(_safe(column.title) for column in table.columns) + " |")
    lines.append("|" + "|".join("---:" if column.kind.numeric else "---" for column in table.columns) + "|")
    for number, row in enumerate(table.lines()):
        if number >= MOST_ROWS:
            lines += ["", f"这里列出前 {MOST_ROWS} 行，共 {len(table.rows)} 行；全部见 Excel 或 JSON。"]
            break
        lines.append(_line(table.columns, row))
    if table.has_total:
        cells = [
            shown(value, column.kind, rate=column.derived) if table.total_known(column) else ""
            for column, value in zip(table.columns, table.total_line(), strict=True)
        ]
        cells[0] = cells[0] or "合计"
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _line(columns: tuple[Column, ...], row: list[tuple[Value, Kind]]) -> str:
    cells = (
        _safe(shown(value, kind, rate=column.derived or column.kind.numeric))
        for column, (value, kind) in zip(columns, row, strict=True)
    )
    return "| " + " | ".join(cells) + " |"


def _safe(text: str) -> str:
    """Words of customers may hold anything; in a table they stay words."""
    for sign in ("\\", "|", "<", "`"):
        text = text.replace(sign, "\\" + sign)
    return " ".join(text.split())
