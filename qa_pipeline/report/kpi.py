"""运营指标: every figure of the sources with formula, article, band and verdict, by day, team and agent; and what the logs were like."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_pipeline.kpi.catalogue import FIGURES
from qa_pipeline.kpi.compute import BREAKDOWNS, Computed, Scores, compute, days_known, measures_of
from qa_pipeline.kpi.database import log_path, reading
from qa_pipeline.kpi.figures import Band, Figure
from qa_pipeline.kpi.measures import MEASURES
from qa_pipeline.report import kpi_quality as quality
from qa_pipeline.report.document import Chart, Column, Fact, Kind, Report, Section, Table, Value, text
from qa_pipeline.report.reading import Wish, period_of
from qa_pipeline.text.order import in_order

if TYPE_CHECKING:
    from qa_pipeline.store import Store

UNITS = {
    "share": Kind.SHARE,
    "int": Kind.INT,
    "seconds": Kind.SECONDS,
    "minutes": Kind.NUMBER,
    "hours": Kind.HOURS,
    "number": Kind.NUMBER,
    "money": Kind.MONEY,
    "score": Kind.NUMBER,
}
PARTS = {"day": ("按天", "日期"), "team": ("按班组", "班组"), "agent": ("按坐席", "工号")}
_SCORES = """
    SELECT started_at::DATE AS day, coalesce(team, '') AS team, coalesce(agent_id, '') AS agent_id, count(*)::BIGINT AS scored,
        sum(score)::BIGINT AS score_sum
    FROM scores WHERE started_at IS NOT NULL AND score IS NOT NULL GROUP BY 1, 2, 3
"""


def build_from_logs(store: Store | None, database: Path, wish: Wish) -> Report:
    """The report of the imported logs; the audit store only adds the QA scores. Raises UserError when no log was imported."""
    with reading(database) as connection:
        period = period_of(wish.date_from, wish.date_to, days_known(connection), "month")
        found = compute(connection, period.first, period.last, _scores(store))
        files = quality.files(connection)
        problems = quality.problems(connection)
    sections = (_all(found), *_groups(found), files, *problems)
    judged = [figure for figure in FIGURES if figure.band is not None and found.value(figure, found.whole) is not None]
    good = sum(1 for figure in judged if _holds(figure, found.value(figure, found.whole)))
    lacking = sum(1 for figure in FIGURES if found.lacking(figure))
    return Report(
        kind="kpi",
        title="运营指标",
        period=str(period),
        made_at=f"{wish.made_at:%Y-%m-%d %H:%M}",
        facts=(
            Fact(label="计入的通话", value=found.calls),
            Fact(label="能算的指标", value=len(FIGURES) - lacking, note=f"共 {len(FIGURES)} 项，缺列 {lacking} 项"),
            Fact(label="达标", value=good, note=f"有标准并算得出的 {len(judged)} 项", good=good == len(judged) if judged else None),
        ),
        sections=sections,
        notes=(
            "出处：S0 第三篇（外呼项目运营指标）、S1 f（项目关键绩效指标）、S2（23 个数字化指标）、S3 3.0.1（出勤、吻合度）。",
            "客户类指标（外拨客户量、联系量等）在所看的部分里去重：同一客户在两天各拨一次，两天各算一户，合计算一户，所以没有合计行。",
        ),
    )


def database_of(store: Path, wish: Wish) -> Path:
    return wish.call_log or log_path(store)


def _scores(store: Store | None) -> list[Scores]:
    if store is None:
        return []
    with store.read() as connection:
        rows = connection.execute(_SCORES).fetchall()
    return [Scores(day=row[0], team=row[1], agent_id=row[2], scored=row[3], score_sum=row[4]) for row in rows]


def _holds(figure: Figure, value: float | None) -> bool:
    return value is not None and figure.band is not None and figure.band.holds(value)


def band_words(band: Band | None, kind: Kind) -> str:
    """Between 30 and 60; at most 20; at least 92 %."""
    if band is None:
        return ""
    low, high = (None if end is None else _end(end, kind) for end in (band.low, band.high))
    if low is not None and high is not None:
        return low if low == high else f"{low}–{high}"
    return f"≥ {low}" if low is not None else f"≤ {high}"


def _end(value: float, kind: Kind) -> str:
    return f"{value:.0%}" if kind is Kind.SHARE else f"{value:g}"


def _verdict(figure: Figure, value: float | None, lacking: tuple[str, ...]) -> str:
    if lacking:
        return "缺列"
    if value is None:
        return "无数据"
    if figure.band is None:
        return ""
    if figure.band.holds(value):
        return "达标"
    return "低于标准" if figure.band.low is not None and value < figure.band.low else "高于标准"


def _all(found: Computed) -> Section:
    rows: list[dict[str, Any]] = []
    for figure in FIGURES:
        lacking = found.lacking(figure)
        value = None if lacking else found.value(figure, found.whole)
        kind = UNITS[figure.unit]
        rows.append(
            {
                "group": figure.group,
                "code": figure.code,
                "title": figure.title,
                "value": value,
                "value__kind": kind.value,
                "band": band_words(figure.band, kind),
                "verdict": _verdict(figure, value, lacking),
                "formula": figure.formula,
                "source": figure.source,
                "note": f"缺 {'、'.join(lacking)}" if lacking else figure.note,
            }
        )
    columns = (
        text("group", "类别"),
        text("code", "编号"),
        text("title", "指标"),
        Column(key="value", title="本期", kind=Kind.NUMBER),
        text("band", "标准"),
        text("verdict", "判断"),
        text("formula", "公式"),
        text("source", "出处"),
        text("note", "说明"),
    )
    return Section(title="指标总表", table=Table(columns=columns, rows=rows))


def _groups(found: Computed) -> list[Section]:
    """For each group of figures that has data: its measures and figures by day, team and agent."""
    sections = []
    for group, items in groupby(FIGURES, key=lambda figure: figure.group):
        figures = [figure for figure in items if not found.lacking(figure) and found.value(figure, found.whole) is not None]
        if not figures:
            continue
        for breakdown in BREAKDOWNS:
            section = _part(found, group, figures, breakdown)
            if section is not None:
                sections.append(section)
    return sections


def _part(found: Computed, group: str, figures: list[Figure], breakdown: str) -> Section | None:
    known = found.sums[breakdown]
    measures = list(dict.fromkeys(name for figure in figures for name in measures_of(figure)))
    if not any(sums.get(name) is not None for sums in known.values() for name in measures):
        return None
    way, title = PARTS[breakdown]
    label = Column(key="key", title=title, kind=Kind.DAY if breakdown == "day" else Kind.TEXT)
    items = sorted(known.items(), key=lambda item: in_order(item[0])) if breakdown == "team" else known.items()
    rows = [_row(key, sums, figures, measures) for key, sums in items if any(sums.get(name) is not None for name in measures)]
    columns = [label, *(_measure(name) for name in measures), *(column for figure in figures for column in _figure(figure))]
    shown_first = next((figure for figure in figures if figure.over), None)
    chart = None
    if shown_first is not None and len(rows) > 1:
        drawn = [figure for figure in figures if figure.over and figure.unit == shown_first.unit][:3]
        names = "、".join(figure.title for figure in drawn)
        kind = "line" if breakdown == "day" else "bar"
        chart = Chart(kind=kind, label="key", series=tuple(figure.code for figure in drawn), title=f"{way}：{names}")
    return Section(title=f"{group}（{way}）", table=Table(columns=tuple(columns), rows=rows), chart=chart)


def _row(key: Value, sums: dict[str, float | None], figures: list[Figure], measures: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"key": key} | {name: _whole(sums.get(name)) for name in measures}
    for figure in figures:
        if "+" in figure.over:
            parts = [sums.get(name) for name in figure.over.split("+")]
            row[figure.over] = None if any(part is None for part in parts) else sum(part for part in parts if part is not None)
    return row


def _whole(value: float | None) -> float | int | None:
    return int(value) if value is not None and float(value).is_integer() else value


def _measure(name: str) -> Column:
    measure = MEASURES[name]
    unit = {"seconds": "（秒）", "hours": "（秒）", "money": "（元）"}.get(measure.unit, "")
    kind = {"int": Kind.INT, "number": Kind.NUMBER, "money": Kind.MONEY}.get(measure.unit, Kind.INT)
    return Column(key=name, title=measure.title + unit, kind=kind, total=measure.additive)


def _figure(figure: Figure) -> list[Column]:
    """A rate over the columns of its own row; a measure alone is there already, unless it has its own unit."""
    if not figure.over:
        return []
    extra = []
    if "+" in figure.over:
        title = "与".join(MEASURES[name].title for name in figure.over.split("+"))
        extra = [Column(key=figure.over, title=f"{title}（秒）", kind=Kind.INT, total=True)]
    rate = Column(
        key=figure.code,
        title=figure.title,
        kind=UNITS[figure.unit],
        part=figure.part,
        over=figure.over,
        scale=figure.scale,
    )
    return [*extra, rate]
