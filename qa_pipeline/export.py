"""Tables out of the store: the columns that users and their scripts rely on, as CSV, JSON, Parquet or Excel.

Customer numbers and names are covered unless asked for. Rows are ordered by call, so equal stores give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qa_pipeline.errors import UserError
from qa_pipeline.masking import mask_text
from qa_pipeline.policy import CASE
from qa_pipeline.store import Store

if TYPE_CHECKING:
    from datetime import date

Row = tuple[Any, ...]
_TYPES = {"TIMESTAMP": "VARCHAR", "DATE": "VARCHAR", "INTEGER": "BIGINT"}  # times go out as ISO text


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns and a stream of rows; ``types`` are DuckDB's, where they are known."""

    kind: str
    columns: tuple[str, ...]
    rows: Iterator[Row]
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to export. Dates are ISO and include both ends; calls without a time are left out when a date is given."""

    kind: str
    date_from: str | None = None
    date_to: str | None = None
    every_verdict: bool = False
    show_private: bool = False
    calls: frozenset[str] | None = None


_FINDINGS = """
    SELECT item.call_id, call.agent_id, item.clause, item.rule_id, item.title, item.verdict,
        item.review OR (coalesce(money.provisional, false) AND NOT coalesce(money.counted, true)) AS review,
        item.role, item.turn, item.start_s, item.end_s, item.quote, item.heard_as, item.reason, item.confidence,
        CASE WHEN money.counted THEN money.points ELSE 0 END AS points,
        CASE WHEN money.counted THEN money.fine_yuan ELSE 0 END::DECIMAL(12,2) AS fine_yuan,
        CASE WHEN money.counted THEN money.supervisor_fine_yuan ELSE 0 END::DECIMAL(12,2) AS supervisor_fine_yuan,
        coalesce(money.sanction, '') AS sanction, run.rules_digest, item.run_id, call.customer_name AS private_name
    FROM outcomes AS item
    JOIN current_runs AS run USING (run_id)
    LEFT JOIN calls AS call ON call.call_id = item.call_id
    LEFT JOIN run_penalties AS money ON money.run_id = item.run_id AND money.rule_id = item.rule_id
        AND money.ordinal = item.ordinal AND item.verdict = '违规'
    WHERE {where} AND ($every OR item.verdict IN ('违规', '无法判定'))
    ORDER BY item.call_id, item.clause, item.rule_id, item.ordinal
"""

_SCORES = """
    SELECT run.call_id, call.agent_id, call.team, call.started_at, run.duration_s, card.score, card.qualified, card.fatal,
        card.violations, card.not_evaluated, card.fine_yuan, card.provisional, run.run_id, call.customer_name AS private_name
    FROM current_runs AS run JOIN scorecards AS card USING (run_id) LEFT JOIN calls AS call USING (call_id)
    WHERE {where} AND $every = $every ORDER BY run.call_id
"""

_TRANSCRIPTS = """
    SELECT run.call_id, line.turn, line.role, line.role_source, line.start_s, line.end_s, line.raw AS text, line.confidence,
        call.customer_name AS private_name
    FROM current_runs AS run JOIN conversation_turns AS line ON line.digest = run.conversation_digest
    LEFT JOIN calls AS call USING (call_id)
    WHERE {where} AND $every = $every ORDER BY run.call_id, line.turn
"""

# 不合格工单 is no rule's finding, but money all the same: what is counted adds up to the fine of the scores
_EVERY_FACT = f"""
    SELECT run_id, clause, rule_id, ordinal, points, fine_yuan, supervisor_fine_yuan, sanction, counted, provisional, absorbed_by, note
    FROM run_penalties UNION ALL
    SELECT run_id, '{CASE}', 'case', 0, 0, case_fine_yuan, 0, '', true, false, '', '致命或零分，一通只罚一次'
    FROM scorecards WHERE case_fine_yuan > 0
"""

_PENALTIES = """
    SELECT run.call_id, call.agent_id, call.team, call.supervisor, call.started_at, money.clause, money.rule_id, money.ordinal,
        money.points, money.fine_yuan, money.supervisor_fine_yuan, money.sanction, money.counted, money.provisional,
        money.absorbed_by, money.note, run.run_id, call.customer_name AS private_name
    FROM ({every_fact}) AS money JOIN current_runs AS run USING (run_id) LEFT JOIN calls AS call ON call.call_id = run.call_id
    WHERE {where} AND $every = $every ORDER BY run.call_id, money.clause, money.rule_id, money.ordinal
""".replace("{every_fact}", _EVERY_FACT)

_REVIEWS = """
    SELECT item.case_id, item.call_id, one.agent_id, one.team, item.clause, item.rule_id, item.ordinal, item.decision, item.reason,
        item.stage, item.by_person AS reviewer, item.at_time AS decided_at, one.state AS case_state, item.run_id,
        call.customer_name AS private_name
    FROM decisions_now AS item JOIN cases_now AS one USING (case_id)
    JOIN (SELECT call_id FROM calls) AS run ON run.call_id = item.call_id
    LEFT JOIN calls AS call ON call.call_id = item.call_id
    WHERE {where} AND $every = $every ORDER BY item.call_id, item.case_id, item.clause, item.rule_id, item.ordinal
"""

# kind → query and the columns in which private things may stand
KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "findings": (_FINDINGS, ("quote", "heard_as", "reason")),
    "scores": (_SCORES, ()),
    "transcripts": (_TRANSCRIPTS, ("text",)),
    "penalties": (_PENALTIES, ("note",)),
    "reviews": (_REVIEWS, ("reason",)),
}
_WHERE = """($from IS NULL OR call.started_at >= $from::DATE) AND ($to IS NULL OR call.started_at < $to::DATE + 1)
        AND ($calls IS NULL OR run.call_id IN (SELECT unnest($calls::VARCHAR[])))"""


def export(store: Store, wanted: Wanted) -> Table:
    """The table of one kind. Raises UserError for a kind or date that does not exist."""
    if wanted.kind not in KINDS:
        raise UserError(f"没有“{wanted.kind}”这种导出。可用：{'、'.join(KINDS)}。")
    check_days(wanted)
    query, private = KINDS[wanted.kind]
    parameters = {
        "from": wanted.date_from,
        "to": wanted.date_to,
        "every": wanted.every_verdict,
        "calls": sorted(wanted.calls) if wanted.calls is not None else None,
    }
    with store.read() as connection:
        found = connection.execute(query.format(where=_WHERE), parameters)
        columns = tuple(column[0] for column in found.description or ())[:-1]
        types = tuple(_TYPES.get(str(column[1]), str(column[1])) for column in found.description or ())[:-1]
        rows = found.fetchall()
    cover = () if wanted.show_private else tuple(columns.index(name) for name in private)
    return Table(kind=wanted.kind, columns=columns, rows=_covered(rows, cover), types=types)


def check_days(wanted: Wanted) -> None:
    """Raises UserError for a day that is none, and for days in the wrong order: an empty table would look like an answer."""
    first, last = _day(wanted.date_from), _day(wanted.date_to)
    if first is not None and last is not None and first > last:
        raise UserError(f"日期写反了：--from {first} 晚于 --to {last}。")


def _day(day: str | None) -> date | None:
    from datetime import date

    if day is None:
        return None
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise UserError(f"日期“{day}”不对，请写成 2026-11-21 的样子。") from None


def _covered(rows: Sequence[Row], cover: Sequence[int]) -> Iterator[Row]:
    """Rows without their last column (the customer's name), private columns covered."""
    for row in rows:
        values, name = list(row[:-1]), row[-1]
        for index in cover:
            if values[index]:
                values[index] = mask_text(values[index], (name,) if name else ())
        yield tuple(_plain(value) for value in values)


def _plain(value: Any) -> Any:
    """Times as ISO text; yuan keep their two decimals."""
    if hasattr(value, "isoformat"):
        return value.isoformat(sep=" ") if hasattr(value, "hour") else value.isoformat()
    return value
