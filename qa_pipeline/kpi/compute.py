"""Figures from the log database: every measure once per day, team, agent and for the whole, one query a table and breakdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from qa_pipeline.kpi.columns import ACCOUNTS, ATTENDANCE, CALLS
from qa_pipeline.kpi.figures import Figure
from qa_pipeline.kpi.measures import MEASURES

if TYPE_CHECKING:
    import duckdb

UNKNOWN = "未知"
WHOLE = ""
BREAKDOWNS: Mapping[str, str] = {"day": "day", "team": "team", "agent": "agent_id"}

Sums = dict[str, float | None]  # measure → value; None: nothing to add up
_SKIPPED: Mapping[str, tuple[str, ...]] = {"accounts": ("agent",), "costs": ("team", "agent")}  # what a table does not know

_PREPARE = """
CREATE TEMP TABLE k_calls AS
    SELECT call.*, CASE WHEN before IS NOT NULL AND NOT before_reached
        THEN date_diff('second', before, started_at) / 3600.0 END AS gap_h
    FROM (SELECT started_at::DATE AS day, coalesce(team, '未知') AS team, coalesce(agent_id, '未知') AS agent_id, account, inbound,
              started_at, prep_s, ring_s, talk_s, hold_s, acw_s, queue_s, rings, result, transferred, resolved,
              lag(started_at) OVER w AS before, lag(coalesce(result, '') IN ('sold', 'completed', 'refused')) OVER w AS before_reached, row_number() OVER w AS nth
          FROM calls WHERE counted AND started_at < $last::DATE + 1
          WINDOW w AS (PARTITION BY CASE WHEN inbound OR account IS NULL THEN file_id || '/' || row ELSE account END
                       ORDER BY started_at, file_id, row)) AS call
    WHERE day >= $first::DATE
"""
_TABLES: Mapping[str, str] = {
    "calls": "SELECT {key} AS key, {sums} FROM k_calls GROUP BY 1",
    "reached": """
        SELECT key, {sums} FROM (
            SELECT {key} AS key, account, count(*) AS attempts, bool_or(coalesce(result, '') IN ('sold', 'completed', 'refused')) AS reached,
                bool_or(coalesce(result, '') IN ('sold', 'completed')) AS completed, bool_or(coalesce(result, '') = 'sold') AS sold,
                arg_max(coalesce(result, ''), nth) NOT IN ('invalid') AS again
            FROM k_calls WHERE NOT inbound AND account IS NOT NULL GROUP BY 1, 2) GROUP BY 1""",
    "agent_days": """
        SELECT key, {sums} FROM (
            SELECT {key} AS key, agent_id, day, sum(coalesce(talk_s, 0) + coalesce(ring_s, 0)) AS busy_s, count(*) AS dialled
            FROM k_calls WHERE NOT inbound AND agent_id <> '未知' GROUP BY 1, 2, 3) GROUP BY 1""",
    "attendance": """
        SELECT {key} AS key, {sums}
        FROM (SELECT * REPLACE (coalesce(team, '未知') AS team, coalesce(agent_id, '未知') AS agent_id) FROM attendance)
        WHERE counted AND day BETWEEN $first AND $last GROUP BY 1""",
    "accounts": """
        SELECT {key} AS key, {sums} FROM (SELECT * REPLACE (coalesce(team, '未知') AS team) FROM accounts)
        WHERE counted AND (day IS NULL OR day BETWEEN $first AND $last) GROUP BY 1""",
    "costs": "SELECT {key} AS key, {sums} FROM costs WHERE counted AND day BETWEEN $first AND $last GROUP BY 1",
    "scores": "SELECT {key} AS key, {sums} FROM k_scores GROUP BY 1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Machine scores of one agent's day, from the audit store."""

    day: date
    team: str
    agent_id: str
    scored: int
    score_sum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """``sums[breakdown][key]`` → measures; the breakdown ``""`` has the only key ``""``, the whole."""

    sums: Mapping[str, Mapping[Any, Sums]]
    columns: frozenset[str]  # columns that at least one imported file has: talk_s, attendance.paid_s …
    calls: int

    @property
    def whole(self) -> Sums:
        return self.sums[WHOLE].get(WHOLE, {})

    def value(self, figure: Figure, sums: Sums) -> float | None:
        """The figure of a part; None: no data, or nothing to divide by."""
        part = sums.get(figure.part)
        if not figure.over:
            return None if part is None else part * figure.scale
        over = over_of(figure, sums)
        return None if part is None or not over else part / over * figure.scale

    def lacking(self, figure: Figure) -> tuple[str, ...]:
        """Columns without which the figure cannot be computed, by the name a log would have."""
        needs = [need for name in measures_of(figure) for need in MEASURES[name].needs]
        return tuple(
            dict.fromkeys(" 或 ".join(map(_chinese, need.split("|"))) for need in needs if not set(need.split("|")) & self.columns)
        )


def measures_of(figure: Figure) -> list[str]:
    return [figure.part, *(figure.over.split("+") if figure.over else ())]


def over_of(figure: Figure, sums: Sums) -> float | None:
    parts = [sums.get(name) for name in figure.over.split("+")]
    return None if any(part is None for part in parts) else sum(part for part in parts if part is not None)


def _chinese(need: str) -> str:
    if need == "scores":
        return "质检得分"
    table, _, name = need.rpartition(".")
    names = {"": CALLS, "attendance": ATTENDANCE, "accounts": ACCOUNTS}.get(table)
    aliases = names[name] if names is not None else ("费用",)
    title = next(alias for alias in (*aliases, name) if not alias.isascii())
    return {"attendance": "考勤的", "accounts": "客户数据的", "costs": "费用表的"}.get(table, "") + f"“{title}”"


def compute(
    connection: duckdb.DuckDBPyConnection, first: date, last: date, scores: Iterable[Scores] = (),
    breakdowns: Sequence[str] = tuple(BREAKDOWNS),
) -> Computed:  # fmt: skip
    """All measures of the period."""
    bounds = {"first": first, "last": last}
    connection.execute(_PREPARE, bounds)
    known = _scores(connection, scores, bounds)
    columns = _columns(connection) | ({"scores"} if known else set())
    sums: dict[str, dict[Any, Sums]] = {}
    for name in (WHOLE, *breakdowns):
        found: dict[Any, Sums] = {}
        for table in _TABLES:
            if name in _SKIPPED.get(table, ()):
                continue
            for key, values in _table(connection, table, BREAKDOWNS.get(name, "''"), bounds):
                found.setdefault(key, {}).update(values)
        sums[name] = dict(sorted((item for item in found.items() if item[0] is not None), key=lambda item: str(item[0])))
    row = connection.execute("SELECT count(*) FROM k_calls").fetchone()
    return Computed(sums=sums, columns=frozenset(columns), calls=int(row[0]) if row else 0)


def _table(connection: duckdb.DuckDBPyConnection, table: str, key: str, bounds: dict[str, date]) -> list[tuple[Any, Sums]]:
    names = [name for name, measure in MEASURES.items() if measure.table == table]
    query = _TABLES[table].format(key=key, sums=", ".join(f"({MEASURES[name].sql})::DOUBLE AS {name}" for name in names))
    rows = connection.execute(query, bounds if "$first" in query else None).fetchall()
    return [(row[0], dict(zip(names, row[1:], strict=True))) for row in rows]


def _scores(connection: duckdb.DuckDBPyConnection, scores: Iterable[Scores], bounds: dict[str, date]) -> bool:
    connection.execute("CREATE TEMP TABLE k_scores (day DATE, team VARCHAR, agent_id VARCHAR, scored BIGINT, score_sum BIGINT)")
    rows = [
        (item.day, item.team or UNKNOWN, item.agent_id or UNKNOWN, item.scored, item.score_sum)
        for item in scores
        if bounds["first"] <= item.day <= bounds["last"]
    ]
    for start in range(0, len(rows), 500):
        page = rows[start : start + 500]
        marks = ", ".join(["(?, ?, ?, ?, ?)"] * len(page))
        connection.execute(f"INSERT INTO k_scores VALUES {marks}", [cell for row in page for cell in row])
    return bool(rows)


def _columns(connection: duckdb.DuckDBPyConnection) -> set[str]:
    found: set[str] = set()
    for kind, names in connection.execute("SELECT kind, columns FROM files").fetchall():
        found |= {name if kind == "calls" else f"{kind}.{name}" for name in names}
    if {"answered_at", "ended_at"} <= found:
        found.add("talk_s")
    return found


def days_known(connection: duckdb.DuckDBPyConnection) -> tuple[date | None, date | None]:
    row = connection.execute("SELECT min(started_at)::DATE, max(started_at)::DATE FROM calls WHERE counted").fetchone()
    return (row[0], row[1]) if row else (None, None)
