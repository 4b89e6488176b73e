"""The report of a run, one HTML file that needs nothing else: scores, findings beside the transcript, clips, what is unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from qa_pipeline.masking import Masker, mask_text
from qa_pipeline.model import AuditRun, Verdict
from qa_pipeline.report.call_view import CallView, call_view
from qa_pipeline.store import Failure, Store
from qa_pipeline.summary import ScoreLine, score_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """``made_at`` is shown as it is given. Details are written for at most ``max_calls`` calls, those of lowest score first."""

    calls: frozenset[str]
    made_at: str
    title: str = "录音质检报告"
    show_private: bool = False
    max_clips: int = 200
    max_calls: int = 300
    failures: Sequence[Failure] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseLine:
    clause: str
    title: str
    findings: int
    calls: int
    review: int
    share: float  # of the most frequent clause, 0..100, for the bar


@dataclass(slots=True, kw_only=True)
class _Tally:
    """What is counted over all calls while they are read one by one."""

    findings: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    review: Counter[str] = field(default_factory=Counter)
    titles: dict[str, str] = field(default_factory=dict)
    unjudged: Counter[tuple[str, str]] = field(default_factory=Counter)
    waiting_yuan: Decimal = Decimal(0)
    engines: set[str] = field(default_factory=set)
    digests: set[str] = field(default_factory=set)

    def add(self, run: AuditRun) -> None:
        waiting = {(item.rule_id, item.ordinal) for item in run.scorecard.penalties if item.provisional and not item.counted}
        found = [item for item in run.outcomes if item.verdict is Verdict.VIOLATION and not item.advice]
        for item in found:
            self.findings[item.clause] += 1
            self.review[item.clause] += item.review or (item.rule_id, item.ordinal) in waiting
            self.titles[item.clause] = item.title
        self.calls.update({item.clause for item in found})
        self.unjudged.update({(item.clause, item.title) for item in run.outcomes if item.verdict is Verdict.NOT_EVALUATED})
        self.waiting_yuan += sum(
            (item.fine_yuan for item in run.scorecard.penalties if item.provisional and not item.counted and not item.absorbed_by),
            Decimal(0),
        )
        engine = run.provenance.engine
        self.engines.add(" ".join(filter(None, (engine.name, engine.model, engine.model_hash[:12]))))
        self.digests.add(run.provenance.rules_digest[:12])

    def clauses(self) -> list[ClauseLine]:
        most = max(self.findings.values(), default=1)
        return [
            ClauseLine(
                clause=clause,
                title=self.titles[clause],
                findings=count,
                calls=self.calls[clause],
                review=self.review[clause],
                share=100 * count / most,
            )
            for clause, count in sorted(self.findings.items(), key=lambda item: (-item[1], item[0]))
        ]


def write_report(store: Store, path: Path, options: ReportOptions) -> None:
    """Writes the report; the file appears whole or not at all."""
    from qa_pipeline.tables import write_whole

    write_whole(path, render(store, options).encode())


def render(store: Store, options: ReportOptions) -> str:
    """The page as text. Everything from calls goes through autoescape; customer numbers and names are covered by default."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    lines = score_lines(store, options.calls)
    tally, views = _read(store, lines, options)
    environment = Environment(
        loader=PackageLoader("qa_pipeline.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    judged = len(lines)
    scores = [line.score for line in lines if line.score is not None]
    return environment.get_template("run.html").render(
        title=options.title,
        made_at=options.made_at,
        lines=lines,
        anchors={view.call_id: view.anchor for view in views},
        calls=views,
        left_out=judged - len(views),
        judged=judged,
        qualified=sum(1 for line in lines if line.qualified),
        fatal=sum(1 for line in lines if line.fatal),
        provisional=sum(1 for line in lines if line.provisional),
        scored=len(scores),
        mean=f"{sum(scores) / len(scores):.1f}" if scores else "无数据",
        audio=_hours(sum(line.duration_s or 0.0 for line in lines)),
        fines=_yuan(sum((line.fine_yuan for line in lines), Decimal(0))),
        waiting=_yuan(tally.waiting_yuan),
        clauses=tally.clauses(),
        unjudged=sorted(((*name, count) for name, count in tally.unjudged.items()), key=lambda item: (-item[2], item[0])),
        failures=[(item.call_id, mask_text(item.message)) for item in options.failures],
        engines=sorted(tally.engines),
        digests=sorted(tally.digests),
        yuan=_yuan,
    )


def _read(store: Store, lines: list[ScoreLine], options: ReportOptions) -> tuple[_Tally, list[CallView]]:
    """Counts over all calls, and the page of the calls that get one."""
    tally = _Tally()
    detailed = {line.call_id: f"c{number}" for number, line in enumerate(lines[: options.max_calls], start=1)}
    views: dict[str, CallView] = {}
    clips = options.max_clips
    for line in lines:
        run = store.load_run(line.call_id)
        if run is None:
            continue
        tally.add(run)
        if line.call_id in detailed:
            masker = Masker(run.conversation.call, show=options.show_private)
            view = call_view(run, masker, anchor=detailed[line.call_id], max_clips=clips)
            clips -= view.clips
            views[line.call_id] = view
    return tally, list(views.values())


def _yuan(amount: Decimal) -> str:
    text = f"{amount:,.2f}"
    return text.removesuffix(".00")


def _hours(seconds: float) -> str:
    if seconds < 3600:
        return f"{seconds / 60:.1f} 分钟"
    return f"{seconds / 3600:.1f} 小时"
