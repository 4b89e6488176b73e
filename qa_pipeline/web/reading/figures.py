"""The figures of managers. Counts stay beside every rate; rates of people come from the random sample only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from qa_pipeline.casework import samples
from qa_pipeline.casework.samples import Found
from qa_pipeline.casework.sampling import Standing, standings
from qa_pipeline.casework.stats import Rate
from qa_pipeline.casework.values import Account, CaseKind, CaseState, Party
from qa_pipeline.text.order import in_order
from qa_pipeline.web.reading import flagged, queue
from qa_pipeline.web.reading.span import Span, latest

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

DAYS = 28  # of trends and of rates
MOST_TICKS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    day: date | None  # of the latest sample
    sample_id: str
    cases: int
    finished: int
    waiting: int  # all cases that are not finished; of them late, and nobody's
    late: int
    unassigned: int
    fatal_calls: int  # by the machine, not reviewed to the end
    appeals: int
    appeals_late: int
    span: Span  # of the rate
    rate: Rate | None
    reviewed: int
    machine_calls: int


def today(tx: Tx) -> Today:
    """Every count by the filter of the list that it opens."""
    sample = tx.row("SELECT sample_id, date_to FROM samples WHERE level = 'daily' ORDER BY date_to DESC, sample_id DESC LIMIT 1")
    sample_id, day = sample or ("", None)
    drawn = queue.Filter(sample=sample_id, kind=CaseKind.PRIMARY)
    waiting = tx.row(
        """SELECT count(*), count(*) FILTER (due_at < ?) FROM appeals_now
           WHERE state IN ('待班组长意见', '待质检组长裁定', '待经理终裁')""",
        [tx.at],
    )
    span = latest(tx, DAYS)
    found = samples.qualified_rates(tx, "all", span.first, span.last)
    calls = tx.row("SELECT count(*) FROM current_runs")
    return Today(
        day=day,
        sample_id=sample_id,
        cases=queue.count_cases(tx, drawn) if sample_id else 0,
        finished=queue.count_cases(tx, replace(drawn, state=CaseState.FINISHED)) if sample_id else 0,
        waiting=queue.count_cases(tx, queue.Filter(state=queue.TO_DO)),
        late=queue.count_cases(tx, queue.Filter(state=queue.LATE)),
        unassigned=queue.count_cases(tx, queue.Filter(state=CaseState.OPEN)),
        fatal_calls=flagged.count_calls(tx, flagged.Wanted(only="fatal", review="open")),
        appeals=waiting[0] if waiting else 0,
        appeals_late=waiting[1] if waiting else 0,
        span=span,
        rate=found[0].rate if found else None,
        reviewed=found[0].reviewed if found else 0,
        machine_calls=calls[0] if calls else 0,
    )


def by_group(tx: Tx, by: str, span: Span) -> tuple[list[Found], dict[str, Standing]]:
    """Qualified rates of teams or agents, and the tiers that the sample can tell apart."""
    found = samples.qualified_rates(tx, by, span.first, span.last)
    tiers = standings({item.name: item.rate for item in found if item.rate is not None})
    return found, {item.name: item for item in tiers}


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPoint:
    day: date
    calls: int
    score: float
    unqualified: int
    fatal: int


def by_day(tx: Tx, *, team: str = "", agent_id: str = "", days: int = DAYS) -> list[DayPoint]:
    """The machine's day by day: every call that has a score."""
    rows = tx.rows(
        """SELECT call.started_at::DATE AS day, count(*), avg(card.score), count(*) FILTER (NOT card.qualified),
               count(*) FILTER (card.fatal)
           FROM current_runs AS run JOIN scorecards AS card USING (run_id) JOIN calls AS call USING (call_id)
           WHERE card.score IS NOT NULL AND call.started_at IS NOT NULL AND (? = '' OR call.team = ?) AND (? = '' OR call.agent_id = ?)
           GROUP BY day ORDER BY day DESC LIMIT ?""",
        [team, team, agent_id, agent_id, days],
    )
    points = [DayPoint(day=row[0], calls=row[1], score=row[2], unqualified=row[3], fatal=row[4]) for row in rows]
    return sorted(points, key=lambda point: point.day)


def day_axis(days: Sequence[date]) -> dict[str, Any]:
    """An axis with one tick a day that there is, at most seven: left to itself the chart writes one day five times."""
    ticks = days[:: 1 + (len(days) - 1) // MOST_TICKS]
    axis: dict[str, Any] = {
        "type": "date",
        "tickvals": [day.isoformat() for day in ticks],
        "ticktext": [f"{day:%m-%d}" for day in ticks],
        "tickangle": 0,
    }
    if len(days) == 1:  # a point alone has no breadth
        axis["range"] = [(days[0] + timedelta(days=step)).isoformat() for step in (-1, 1)]
    return axis


def trend_chart(points: list[DayPoint], *, what: str = "score") -> dict[str, Any]:
    share = what == "unqualified"
    values = [round(100 * point.unqualified / point.calls, 2) if share else round(point.score, 1) for point in points]
    unit = "%" if share else " 分"
    return {
        "data": [
            {
                "x": [point.day.isoformat() for point in points],
                "y": values,
                "customdata": [point.calls for point in points],
                "type": "scatter",
                "mode": "lines+markers",
                "hovertemplate": "%{x|%m-%d}<br>%{y}" + unit + "（%{customdata} 通）<extra></extra>",
            }
        ],
        "layout": {
            "showlegend": False,
            "xaxis": day_axis([point.day for point in points]),
            "yaxis": {"title": {"text": "机检不合格率 %" if share else "机检平均分"}, "rangemode": "tozero" if share else "normal"},
        },
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """Violations per 100 judged calls, clause × team; ``confirmed``: in how many of the hits people confirmed the clause."""

    span: Span
    teams: tuple[str, ...]
    clauses: tuple[tuple[str, str], ...]
    calls: dict[str, int]
    hits: dict[tuple[str, str], int]
    confirmed: dict[tuple[str, str], int]

    def per_100(self, clause: str, team: str) -> float:
        calls = self.calls.get(team, 0)
        return 100 * self.hits.get((clause, team), 0) / calls if calls else 0.0

    def most(self) -> list[tuple[str, str, int]]:
        """(clause, title, calls) over all teams, most calls first."""
        sums = [(code, title, sum(self.hits.get((code, team), 0) for team in self.teams)) for code, title in self.clauses]
        return sorted(sums, key=lambda item: -item[2])

    def shade(self, clause: str, team: str) -> int:
        """0..8 for the colour of a cell; 8 is the highest rate of the table."""
        most = max((self.per_100(code, name) for code, _ in self.clauses for name in self.teams), default=0.0)
        return round(8 * (self.per_100(clause, team) / most) ** 0.6) if most else 0


def heat(tx: Tx, span: Span, team: str = "") -> Heat:
    """Counts what the list of marked calls finds: with this clause, of this team, in these days; and of it what people confirmed."""
    days = [span.first, span.last, team]
    inside = "($1::DATE IS NULL OR (call.started_at >= $1::DATE AND call.started_at < $2::DATE + 1))"
    inside += f" AND ($3 = '' OR coalesce(call.team, '{flagged.UNKNOWN}') = $3)"
    calls: dict[str, int] = dict(
        tx.rows(
            f"""SELECT coalesce(call.team, '{flagged.UNKNOWN}'), count(*)
                FROM current_runs AS run JOIN scorecards AS card USING (run_id) LEFT JOIN calls AS call USING (call_id)
                WHERE {inside} GROUP BY 1""",
            days,
        )
    )
    rows = tx.rows(
        f"""SELECT item.clause, max(item.title), coalesce(call.team, '{flagged.UNKNOWN}'), count(DISTINCT item.call_id),
                count(DISTINCT sure.call_id)
            FROM outcomes AS item JOIN current_runs AS run USING (run_id) LEFT JOIN calls AS call ON call.call_id = item.call_id
            LEFT JOIN (SELECT DISTINCT said.call_id, said.clause FROM decisions_now AS said JOIN cases AS one USING (case_id)
                       WHERE said.decision = 'confirm' AND one.kind = 'primary') AS sure
                ON sure.call_id = item.call_id AND sure.clause = item.clause
            WHERE item.verdict = '违规' AND NOT item.advice AND {inside}
            GROUP BY item.clause, 3 ORDER BY item.clause""",
        days,
    )
    titles = {row[0]: row[1] for row in rows}
    return Heat(
        span=span,
        teams=tuple(sorted(calls, key=in_order)),
        clauses=tuple((clause, titles[clause]) for clause in sorted(titles)),
        calls=calls,
        hits={(row[0], row[2]): row[3] for row in rows},
        confirmed={(row[0], row[2]): row[4] for row in rows},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLine:
    agent_id: str
    name: str
    team: str
    calls: int
    score: float
    fatal: int


def agents(tx: Tx, span: Span, team: str = "") -> list[AgentLine]:
    """By work number, never by score."""
    rows = tx.rows(
        """SELECT call.agent_id, arg_max(call.agent_name, (call.started_at, call.call_id)),
               coalesce(arg_max(call.team, (call.started_at, call.call_id)), ''), count(*), avg(card.score),
               count(*) FILTER (card.fatal)
           FROM current_runs AS run JOIN scorecards AS card USING (run_id) JOIN calls AS call USING (call_id)
           WHERE card.score IS NOT NULL AND call.agent_id IS NOT NULL AND (? = '' OR call.team = ?)
             AND (call.started_at IS NULL OR ?::DATE IS NULL OR (call.started_at >= ?::DATE AND call.started_at < ?::DATE + 1))
           GROUP BY call.agent_id ORDER BY call.agent_id""",
        [team, team, span.first, span.first, span.last],
    )
    names = ("agent_id", "name", "team", "calls", "score", "fatal")
    return [AgentLine(**dict(zip(names, row, strict=True))) for row in rows]


def clause_counts(tx: Tx, *, agent_id: str) -> list[tuple[str, str, int, int]]:
    """(clause, title, calls the machine marked, confirmed by people) of one agent."""
    rows = tx.rows(
        """SELECT item.clause, max(item.title), count(DISTINCT item.call_id),
               (SELECT count(DISTINCT said.case_id) FROM decisions_now AS said JOIN cases AS one USING (case_id)
                WHERE said.clause = item.clause AND said.decision = 'confirm' AND one.agent_id = ? AND one.kind = 'primary')
           FROM outcomes AS item JOIN current_runs AS run USING (run_id) JOIN calls AS call ON call.call_id = item.call_id
           WHERE item.verdict = '违规' AND NOT item.advice AND call.agent_id = ? GROUP BY item.clause ORDER BY 3 DESC, 1""",
        [agent_id, agent_id],
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def money_by_month(tx: Tx) -> dict[str, dict[tuple[str, str], Decimal]]:
    """month → (party, account) → yuan moved in that month."""
    found: dict[str, dict[tuple[str, str], Decimal]] = defaultdict(dict)
    for month, party, account, yuan in tx.rows(
        """SELECT month, party, account, sum(yuan)::DECIMAL(12,2) FROM ledger_entries WHERE account <> ? GROUP BY month, party, account
           ORDER BY month""",
        [Account.SOURCE],
    ):
        found[month][party, account] = yuan
    return dict(found)


def balances(tx: Tx) -> dict[tuple[Party, Account], Any]:
    from qa_pipeline.casework import ledger

    return ledger.totals(tx)
