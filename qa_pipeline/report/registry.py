"""From the name of a report to its file."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from qa_pipeline.errors import UserError
from qa_pipeline.policy import Policy
from qa_pipeline.report.document import Report
from qa_pipeline.report.kinds import FORMS, REPORTS
from qa_pipeline.report.reading import Reading, Wish, open_reading
from qa_pipeline.store import Store

__all__ = ["FORMS", "REPORTS", "build", "form_of", "render"]


def build(store: Store, policy: Policy, kind: str, wish: Wish) -> Report:
    """The report as values. Raises UserError for a kind that does not exist or a period without calls."""
    if kind not in REPORTS:
        raise UserError(f"没有“{kind}”这种报表。可用：{'、'.join(REPORTS)}。")
    chosen = REPORTS[kind]
    if kind == "kpi":
        return _from_logs(store, wish)
    maker: Callable[[Reading], Report] = importlib.import_module(f"qa_pipeline.report.{chosen.module}").build
    with open_reading(store, policy, wish, chosen.span) as reading:
        report = maker(reading)
    return replace(report, kind=kind, made_at=f"{wish.made_at:%Y-%m-%d %H:%M}")


def _from_logs(store: Store, wish: Wish) -> Report:
    """Operating figures need no audit store; where there is one it adds the QA scores."""
    from qa_pipeline.report import kpi
    from qa_pipeline.report.kpi_quality import masked

    audited = store if store.path.is_file() else None
    return masked(kpi.build_from_logs(audited, kpi.database_of(store.path, wish), wish), wish)


def render(report: Report, form: str) -> bytes:
    """The report as a file. Raises UserError for an unknown form."""
    if form not in FORMS:
        raise UserError(f"没有“{form}”这种格式。可用：{'、'.join(FORMS)}。")
    data: bytes = importlib.import_module(f"qa_pipeline.report.{FORMS[form]}").render(report)
    return data


def form_of(out: Path | None, form: str | None) -> str:
    """The format wished for: given, else by the file's ending, else Markdown for the screen."""
    if form:
        return form
    ending = out.suffix.lower().lstrip(".") if out is not None else ""
    return {"": "md", "htm": "html", "markdown": "md"}.get(ending, ending)
