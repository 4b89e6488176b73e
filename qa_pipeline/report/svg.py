"""Charts of a report as inline SVG: printable, no script, nothing loaded. Bars and lines with a legend and readable ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

from qa_pipeline.report.document import Chart, Kind, Table, shown

COLOURS = ("#1f5fa8", "#c2571a", "#1c6b3a", "#7a3fa0", "#8a5300", "#5b6874")
WIDTH, HEIGHT = 900, 232
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 14, 14, 28
MOST_LABELS = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    labels: tuple[str, ...]
    series: tuple[tuple[str, tuple[float | None, ...]], ...]
    kind: Kind
    top: float

    def x(self, nth: float) -> float:
        return _LEFT + (nth + 0.5) * (WIDTH - _LEFT - _RIGHT) / max(1, len(self.labels))

    def y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - value / self.top * (HEIGHT - _TOP - _BOTTOM)


def draw(chart: Chart, table: Table) -> str:
    """The chart; empty when there is nothing to draw."""
    columns = [table.column(key) for key in chart.series]
    label = table.column(chart.label)
    rows = list(table.rows)[:MOST_LABELS]
    labels = tuple(shown(table.value(row, label), label.kind) for row in rows)
    series = tuple((column.title, tuple(_number(table.value(row, column)) for row in rows)) for column in columns)
    highest = max((value for _, values in series for value in values if value is not None), default=0.0)
    if not rows or highest <= 0:
        return ""
    frame = _Frame(labels=labels, series=series, kind=columns[0].kind, top=_nice(highest, columns[0].kind))
    body = _grid(frame) + (_lines(frame) if chart.kind == "line" else _bars(frame)) + _axis(frame)
    head = f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(chart.title)}">'
    legend = "".join(
        f'<span><i style="background:{COLOURS[nth % len(COLOURS)]}"></i>{escape(name)}</span>'
        for nth, (name, _) in enumerate(series)
    )
    return f'<figure><figcaption>{escape(chart.title)}<span class="legend">{legend}</span></figcaption>{head}{body}</svg></figure>'


def _number(value: object) -> float | None:
    return None if value is None else max(0.0, float(value))  # type: ignore[arg-type]


def _nice(highest: float, kind: Kind) -> float:
    """The top of the axis: a round number above the highest value; a share never above 100 % unless it is."""
    power = 10.0 ** math.floor(math.log10(highest))
    top = next(step * power for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= highest * 0.999)
    return min(top, 1.0) if kind is Kind.SHARE and highest <= 1 else top


def _grid(frame: _Frame) -> str:
    parts = []
    for nth in range(5):
        value = frame.top * nth / 4
        y = frame.y(value)
        name = f"{value:.3g}" if frame.kind is not Kind.SHARE else f"{value:.0%}" if frame.top >= 0.1 else f"{value:.1%}"
        name = f"{value:,.0f}" if frame.kind is not Kind.SHARE and frame.top >= 100 else name
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{name}</text>')
    return "".join(parts)


def _bars(frame: _Frame) -> str:
    slot = (WIDTH - _LEFT - _RIGHT) / len(frame.labels)
    width = min(42.0, slot * 0.7 / len(frame.series))
    parts = []
    for which, (_, values) in enumerate(frame.series):
        for nth, value in enumerate(values):
            if value is None:
                continue
            x = frame.x(nth) + (which - len(frame.series) / 2) * width
            y = frame.y(value)
            colour = COLOURS[which % len(COLOURS)]
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{width - 1:.1f}" height="{HEIGHT - _BOTTOM - y:.1f}" fill="{colour}"/>'
            )
    return "".join(parts)


def _lines(frame: _Frame) -> str:
    """A gap where nothing is known; a point alone is still seen."""
    parts = []
    for which, (_, values) in enumerate(frame.series):
        colour = COLOURS[which % len(COLOURS)]
        runs: list[list[tuple[float, float]]] = [[]]
        for nth, value in enumerate(values):
            if value is None:
                runs.append([])
            else:
                runs[-1].append((frame.x(nth), frame.y(value)))
        for run in runs:
            if len(run) > 1:
                points = " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
                parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in run]
    return "".join(parts)


def _axis(frame: _Frame) -> str:
    y = HEIGHT - _BOTTOM
    parts = [f'<line class="axis" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>']
    longest = max(map(_wide, frame.labels))
    step = max(1, math.ceil(len(frame.labels) * (longest * 6.5 + 12) / (WIDTH - _LEFT - _RIGHT)))
    parts += [
        f'<text x="{frame.x(nth):.1f}" y="{y + 18}" text-anchor="middle">{escape(frame.labels[nth])}</text>'
        for nth in range(0, len(frame.labels), step)
    ]
    return "".join(parts)


def _wide(label: str) -> int:
    return sum(2 if ord(char) > 255 else 1 for char in label)
