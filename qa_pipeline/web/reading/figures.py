"""The figures of managers. Counts stay beside every rate; rates of people come from the random sample only."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from qa_pipeline.casework import samples
from qa_pipeline.casework.samples import Found
from qa_pipeline.casework.sampling import Standing, standings
from qa_pipeline.casework.stats import Rate
from qa_pipeline.casework.values import Account, CaseKind, CaseState, Party

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

DAYS = 28  # of trends and of rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    day: date | None  # of the latest sample
    sample_id: str
    frame: int
    base: int
    added: int
    cases: int
    finished: int
    waiting: int
    late: int
    unassigned: int
    fatal_calls: int  # machine, not yet decided
    appeals: int
    appeals_late: int
    rate: Rate | None
    reviewed: int
    machine_calls: int


def today(tx: Tx) -> Today:
    sample = tx.row(
        "SELECT sample_id, date_to, frame FROM samples WHERE level = 'daily' ORDER BY date_to DESC, sample_id DESC LIMIT 1"
    )
    sample_id, day, frame = sample if sample else ("", None, 0)
    items = tx.row("SELECT count(*) FILTER (base), count(*) FILTER (NOT base) FROM sample_items WHERE sample_id = ?", [sample_id])
    cases = tx.row(
        "SELECT count(*), count(*) FILTER (state = ?) FROM cases_now WHERE sample_id = ? AND kind = ?",
        [CaseState.FINISHED, sample_id, CaseKind.PRIMARY],
    )
    states = tx.row(
        """SELECT count(*) FILTER (state IN ('待复核', '复核中')), count(*) FILTER (state IN ('待复核', '复核中') AND due_at < ?),
               count(*) FILTER (state = '待分配') FROM cases_now""",
        [tx.at],
    )
    fatal = tx.row(
        """SELECT count(*) FROM current_runs AS run JOIN scorecards AS card USING (run_id)
           WHERE card.fatal AND run.call_id NOT IN (SELECT call_id FROM cases_now WHERE kind = 'primary' AND state = ?)""",
        [CaseState.FINISHED],
    )
    waiting = tx.row(
        """SELECT count(*), count(*) FILTER (due_at < ?) FROM appeals_now
           WHERE state IN ('待班组长意见', '待质检组长裁定', '待经理终裁')""",
        [tx.at],
    )
    found = samples.qualified_rates(tx, recent_samples(tx, DAYS), "all")
    calls = tx.row("SELECT count(*) FROM current_runs")
    return Today(
        day=day,
        sample_id=sample_id,
        frame=frame,
        base=items[0] if items else 0,
        added=items[1] if items else 0,
        cases=cases[0] if cases else 0,
        finished=cases[1] if cases else 0,
        waiting=states[0] if states else 0,
        late=states[1] if states else 0,
        unassigned=states[2] if states else 0,
        fatal_calls=fatal[0] if fatal else 0,
        appeals=waiting[0] if waiting else 0,
        appeals_late=waiting[1] if waiting else 0,
        rate=found[0].rate if found else None,
        reviewed=found[0].reviewed if found else 0,
        machine_calls=calls[0] if calls else 0,
    )


def recent_samples(tx: Tx, days: int) -> list[str]:
    """Samples of the last ``days`` days that have any, counted back from the latest."""
    rows = tx.rows(
        "SELECT sample_id FROM samples WHERE date_to > (SELECT max(date_to) FROM samples) - ?::INTEGER ORDER BY sample_id", [days]
    )
    return [row[0] for row in rows]


def by_group(tx: Tx, by: str, days: int = DAYS) -> tuple[list[Found], dict[str, Standing]]:
    """Qualified rates of teams or agents, and the tiers that the sample can tell apart."""
    found = samples.qualified_rates(tx, recent_samples(tx, days), by)
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
            "xaxis": {"tickformat": "%m-%d", "type": "date"},
            "yaxis": {"title": {"text": "机检不合格率 %" if share else "机检平均分"}, "rangemode": "tozero" if share else "normal"},
        },
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """Violations per 100 judged calls, clause × team; ``confirmed`` counts people's decisions."""

    teams: tuple[str, ...]
    clauses: tuple[tuple[str, str], ...]
    calls: dict[str, int]
    hits: dict[tuple[str, str], int]
    confirmed: dict[tuple[str, str], int]

    def per_100(self, clause: str, team: str) -> float:
        calls = self.calls.get(team, 0)
        return 100 * self.hits.get((clause, team), 0) / calls if calls else 0.0

    def shade(self, clause: str, team: str) -> int:
        """0..8 for the colour of a cell; 8 is the highest rate of the table."""
        most = max((self.per_100(code, name) for code, _ in self.clauses for name in self.teams), default=0.0)
        return round(8 * (self.per_100(clause, team) / most) ** 0.6) if most else 0


def heat(tx: Tx, since: date | None = None, team: str = "") -> Heat:
    calls = dict(
        tx.rows(
            """SELECT coalesce(call.team, '未知'), count(*) FROM current_runs AS run JOIN calls AS call USING (call_id)
               WHERE (?::DATE IS NULL OR call.started_at >= ?) AND (? = '' OR call.team = ?) GROUP BY 1""",
            [since, since, team, team],
        )
    )
    rows = tx.rows(
        """SELECT item.clause, max(item.title), coalesce(call.team, '未知'), count(DISTINCT item.call_id)
           FROM outcomes AS item JOIN current_runs AS run USING (run_id) JOIN calls AS call ON call.call_id = item.call_id
           WHERE item.verdict = '违规' AND NOT item.advice AND (?::DATE IS NULL OR call.started_at >= ?) AND (? = '' OR call.team = ?)
           GROUP BY item.clause, call.team ORDER BY item.clause, call.team""",
        [since, since, team, team],
    )
    confirmed = tx.rows(
        """SELECT said.clause, coalesce(one.team, '未知'), count(DISTINCT said.case_id)
           FROM decisions_now AS said JOIN cases AS one USING (case_id)
           WHERE said.decision = 'confirm' AND one.kind = 'primary' GROUP BY 1, 2"""
    )
    titles = {row[0]: row[1] for row in rows}
    return Heat(
        teams=tuple(sorted(calls)),
        clauses=tuple((clause, titles[clause]) for clause in sorted(titles)),
        calls=calls,
        hits={(row[0], row[2]): row[3] for row in rows},
        confirmed={(row[0], row[1]): row[2] for row in confirmed},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLine:
    agent_id: str
    name: str
    team: str
    calls: int
    score: float
    fatal: int


def agents(tx: Tx, team: str = "", days: int = DAYS) -> list[AgentLine]:
    """By work number, never by score."""
    rows = tx.rows(
        """SELECT call.agent_id, arg_max(call.agent_name, (call.started_at, call.call_id)),
               coalesce(arg_max(call.team, (call.started_at, call.call_id)), ''), count(*), avg(card.score),
               count(*) FILTER (card.fatal)
           FROM current_runs AS run JOIN scorecards AS card USING (run_id) JOIN calls AS call USING (call_id)
           WHERE card.score IS NOT NULL AND call.agent_id IS NOT NULL AND (? = '' OR call.team = ?)
             AND (call.started_at IS NULL OR call.started_at > (SELECT max(started_at) FROM calls) - to_days(?::INTEGER))
           GROUP BY call.agent_id ORDER BY call.agent_id""",
        [team, team, days],
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


def since(tx: Tx, days: int) -> date | None:
    """The first day of the last ``days`` days that have calls."""
    row = tx.row("SELECT max(started_at) FROM calls")
    last: datetime | None = row[0] if row else None
    return last.date() - timedelta(days=days - 1) if last is not None and days else None
