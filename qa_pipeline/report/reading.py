"""What reports read: one read-only connection, the calls of a period as temporary tables, everything else asked from casework.

Nothing is written to the store. The temporary tables are made when a report first asks for them, so each pays only for its own.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_pipeline.casework import settings as casework_settings
from qa_pipeline.casework.desk import Tx
from qa_pipeline.casework.values import Person, Post
from qa_pipeline.errors import UserError
from qa_pipeline.masking import mask_name, mask_number, mask_text
from qa_pipeline.policy import Policy
from qa_pipeline.store import Store

if TYPE_CHECKING:
    import duckdb

_READER = Person(person_id="report", name="报表", posts=(Post.QA_LEAD,))
_TABLES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "r_calls": (
        (),
        """SELECT call_id, agent_id, agent_name, team, supervisor, customer_number, customer_name, started_at, answered_at, ended_at,
               call_type, outcome, product, trial_days, charged, complaint
           FROM calls WHERE started_at >= $first::DATE AND started_at < $last::DATE + 1""",
    ),
    "r_scores": (
        ("r_calls",),
        """SELECT call.call_id, coalesce(call.agent_id, '') AS agent_id, coalesce(call.agent_name, '') AS agent_name,
               coalesce(call.team, '') AS team, call.started_at, call.call_type, call.outcome, run.duration_s, run.run_id,
               run.conversation_digest, card.* EXCLUDE (run_id)
           FROM r_calls AS call
           JOIN (SELECT call_id, arg_max(run_id, seq) AS run_id FROM run_log GROUP BY call_id) AS last USING (call_id)
           JOIN (SELECT run_id, duration_s, conversation_digest FROM runs) AS run USING (run_id)
           JOIN scorecards AS card USING (run_id)
           WHERE card.score IS NOT NULL""",  # of the others nothing could be judged: they enter no mean and no rate
    ),
    "r_findings": (
        ("r_scores",),
        """SELECT item.call_id, score.agent_id, score.team, score.started_at, item.run_id, item.clause, item.rule_id, item.ordinal,
               item.title, item.review, item.role, item.turn, item.start_s, item.quote, item.reason
           FROM outcomes AS item JOIN r_scores AS score USING (run_id) WHERE item.verdict = '违规' AND NOT item.advice""",
    ),
    "r_cases": (
        (),
        """SELECT item.*, last.state, last.assignee, last.run_id, last.due_at, done.finished_at
           FROM cases AS item
           JOIN (SELECT case_id, arg_max(state, version) AS state, arg_max(assignee, version) AS assignee,
                     arg_max(run_id, version) AS run_id, arg_max(due_at, version) AS due_at
                 FROM case_events GROUP BY case_id) AS last USING (case_id)
           LEFT JOIN (SELECT case_id, max(at_time) AS finished_at FROM case_events WHERE action = 'finish' GROUP BY case_id) AS done
               USING (case_id)""",
    ),
    "r_decided": (
        ("r_cases",),
        """SELECT item.case_id, item.call_id, item.clause, item.rule_id, item.ordinal, item.decision, item.by_person, item.reason,
               one.kind, one.state, one.finished_at, one.agent_id, one.team, one.supervisor
           FROM (SELECT case_id, run_id, rule_id, ordinal, max(call_id) AS call_id, max(clause) AS clause,
                     arg_max(decision, seq) AS decision, arg_max(by_person, seq) AS by_person, arg_max(reason, seq) AS reason
                 FROM decisions GROUP BY case_id, run_id, rule_id, ordinal) AS item
           JOIN r_cases AS one ON one.case_id = item.case_id AND one.run_id = item.run_id""",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Whole days, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first} 至 {self.last}"

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the reader asked for. ``made_at`` is shown as it is given; no report looks at the clock."""

    made_at: datetime
    date_from: date | None = None
    date_to: date | None = None
    agent: str = ""
    team: str = ""
    show_private: bool = False
    call_log: Path | None = None  # the database of imported call logs, when there is one
    files: tuple[Path, ...] = ()  # lists that a report needs besides the store (settlement)
    scripts: Path | None = None  # folder of call scripts; None: the packaged ones
    breakdown: str = "day"  # kpi: day | week | month | team | agent


@dataclass(slots=True, kw_only=True)
class Reading:
    """One report being read. ``tx`` is a transaction of casework that only reads."""

    tx: Tx
    wish: Wish
    period: Period
    made: set[str] = field(default_factory=set)

    @property
    def policy(self) -> Policy:
        return self.tx.policy

    def need(self, *tables: str) -> None:
        """Makes temporary tables that are not there yet."""
        for name in tables:
            if name in self.made:
                continue
            before, query = _TABLES[name]
            self.need(*before)
            bounds = {"first": self.period.first, "last": self.period.last}
            self.tx.connection.execute(f"CREATE TEMP TABLE {name} AS {query}", bounds if "$first" in query else None)
            self.made.add(name)

    def rows(self, query: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[dict[str, Any]]:
        """Rows as mappings from column name to value."""
        found = self.tx.connection.execute(query, list(values) if not isinstance(values, Mapping) else dict(values))
        names = [item[0] for item in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def one(self, query: str, values: Sequence[object] = ()) -> dict[str, Any]:
        """The only row."""
        return self.rows(query, values)[0]

    def number(self, number: str | None) -> str:
        return (number or "") if self.wish.show_private else mask_number(number or "")

    def name(self, name: str | None) -> str:
        return (name or "") if self.wish.show_private else mask_name(name or "")

    def words(self, words: str | None, *names: str | None) -> str:
        """Running text of a call in simplified script, numbers and names covered."""
        from qa_pipeline.text.normalise import simplified_table

        plain = (words or "").translate(simplified_table())
        return plain if self.wish.show_private else mask_text(plain, tuple(name for name in names if name))


@contextmanager
def open_reading(store: Store, policy: Policy, wish: Wish, span: str) -> Iterator[Reading]:
    """A reading of the period wished for; without one the last ``span`` (day, week, month, all) that has calls.

    Raises UserError when there are no calls or the dates are the wrong way round.
    """
    with store.read() as connection:
        period = _period(connection, wish, span)
        tx = Tx(
            store=store,
            raw=connection,
            at=wish.made_at,
            actor=_READER,
            policy=policy,
            settings=casework_settings.load(connection),
        )
        yield Reading(tx=tx, wish=wish, period=period)


def _period(connection: duckdb.DuckDBPyConnection, wish: Wish, span: str) -> Period:
    row = connection.execute("SELECT min(started_at)::DATE, max(started_at)::DATE FROM calls").fetchone()
    earliest, latest = row if row else (None, None)
    return period_of(wish.date_from, wish.date_to, (earliest, latest), span)


def period_of(first: date | None, last: date | None, known: tuple[date | None, date | None], span: str) -> Period:
    """The period that the dates given mean, completed by what is known to exist."""
    earliest, latest = known
    if first is not None and last is not None and first > last:
        raise UserError(f"日期写反了：开始 {first} 晚于结束 {last}。", command="日期用 --from 和 --to 写。")
    end = last or latest
    if end is None or earliest is None:
        raise UserError("库里还没有带开始时间的通话，做不出报表。", command="请先用 qa run 处理录音，或在清单里写上开始时间。")
    if span == "day":
        begin = end if last is not None or first is None else first
    elif span == "week":
        begin = end - timedelta(days=end.weekday())
        end = last or begin + timedelta(days=6)
    elif span == "month":
        begin = end.replace(day=1)
        end = last or end.replace(day=calendar.monthrange(end.year, end.month)[1])
    else:
        begin = earliest
    if first is not None and last is None:
        end = max(end, first) if span == "all" else {"day": first, "week": first + timedelta(days=6)}.get(span, _month_end(first))
    return Period(first=first or min(begin, end), last=end)


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
