"""A call that was stored by mistake (a copy of a file, an old number) is taken out, as if it had never been judged.

Only while nobody has worked on it: what has a case, a complaint or an amount stays, and is corrected there. The recording itself
is not touched.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from qa_pipeline.casework.retention import write_receipt
from qa_pipeline.casework.values import Post
from qa_pipeline.errors import CaseworkError

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

# Where people's work on a call is kept, what it is called, and what names it there.
_WORK = (
    ("cases", "工单", "case_id"),
    ("appeals", "申诉", "appeal_id"),
    ("complaints", "投诉", "complaint_id"),
    ("sample_items", "抽样", "sample_id"),
    ("ledger_entries", "台账", "case_id"),
    ("revisits", "回访", "purpose"),
)
_TALKS = """SELECT conversation_digest FROM runs WHERE call_id = $call
    EXCEPT SELECT conversation_digest FROM runs WHERE call_id <> $call"""
_HASHES = """SELECT audio_hash FROM runs WHERE call_id = $call AND audio_hash <> ''
    EXCEPT SELECT audio_hash FROM runs WHERE call_id <> $call"""
_FORGET = (  # what hangs on the runs goes before them
    f"DELETE FROM transcripts WHERE audio_hash IN ({_HASHES})",
    f"DELETE FROM recordings WHERE audio_hash IN ({_HASHES})",
    f"DELETE FROM conversation_turns WHERE digest IN ({_TALKS})",
    f"DELETE FROM conversations WHERE digest IN ({_TALKS})",
    "DELETE FROM scorecards WHERE run_id IN (SELECT run_id FROM runs WHERE call_id = $call)",
    *(f"DELETE FROM {table} WHERE call_id = $call" for table in ("outcomes", "run_penalties", "run_log", "runs", "failures")),
    "DELETE FROM call_versions WHERE call_id = $call",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What would go, or went; ``samples`` are those that can no longer be drawn again for a check, for the call was in their frame."""

    call_id: str
    runs: int
    turns: int
    score: int | None
    fine_yuan: Decimal
    samples: tuple[str, ...]
    receipt_id: str = ""


def plan(tx: Tx, call_id: str) -> Removal:
    """What a removal would take; changes nothing. CaseworkError names whatever people have done with the call."""
    tx.need(Post.ADMIN, Post.MANAGER)
    known = tx.row("SELECT count(*) FROM call_versions WHERE call_id = ?", [call_id])
    if known is None or not known[0]:
        raise CaseworkError(f"库里没有通话“{call_id}”。请检查编号，用 qa export scores 查看全部。")
    work = [
        f"{what} {'、'.join(str(name) for (name,) in rows)}"
        for table, what, key in _WORK
        if (rows := tx.rows(f"SELECT DISTINCT {key} FROM {table} WHERE call_id = ? ORDER BY 1", [call_id]))
    ]
    if work:
        raise CaseworkError(f"通话“{call_id}”已经有{'，'.join(work)}，不能删除。错的请在工单里驳回，或作废工单，台账随之更正。")
    counted = tx.row(
        """SELECT (SELECT count(*) FROM runs WHERE call_id = ?),
               (SELECT count(*) FROM conversation_turns WHERE digest IN (SELECT conversation_digest FROM runs WHERE call_id = ?)),
               (SELECT score FROM scores WHERE call_id = ?),
               (SELECT coalesce(max(fine_yuan), 0) FROM scores WHERE call_id = ?)""",
        [call_id] * 4,
    )
    runs, turns, score, fine = counted or (0, 0, None, Decimal(0))
    samples = tx.rows(
        """SELECT sample_id FROM samples WHERE EXISTS (SELECT 1 FROM call_versions AS call WHERE call.call_id = ?
               AND call.seq <= samples.calls_seq AND call.started_at >= samples.date_from AND call.started_at < samples.date_to + 1)
           ORDER BY sample_id""",
        [call_id],
    )
    return Removal(
        call_id=call_id,
        runs=int(runs),
        turns=int(turns),
        score=score,
        fine_yuan=fine,
        samples=tuple(name for (name,) in samples),
    )


def carry_out(tx: Tx, planned: Removal) -> Removal:
    """Takes the call out of every table in the transaction, and writes the receipt."""
    tx.need(Post.ADMIN, Post.MANAGER)
    for step in _FORGET:
        tx.connection.execute(step, {"call": planned.call_id})
    receipt_id = write_receipt(tx, asdict(planned), tx.at.date())
    tx.log("remove_call", planned.call_id, {"receipt": receipt_id, "runs": planned.runs})
    return Removal(**(asdict(planned) | {"receipt_id": receipt_id}))
