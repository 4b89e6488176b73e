"""What is older than the policy is purged: recordings, clips, transcripts, words. Scores, decisions and money stay, with a
receipt. A call is left while a case, appeal, complaint or an amount of it is still open.

Recording files are deleted only when their bytes are still those that were audited. The words are taken out of the database, and
the database file is rewritten, so that nothing remains readable in its free blocks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.casework.values import Post
from qa_pipeline.errors import CaseworkError

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

_OLD_CALLS = """
    SELECT call.call_id FROM calls AS call WHERE call.started_at < ?::DATE
        AND call.call_id NOT IN (SELECT call_id FROM cases_now WHERE state IN ('待分配', '待复核', '复核中'))
        AND call.call_id NOT IN (SELECT call_id FROM appeals_now
                                 WHERE state IN ('待班组长意见', '待质检组长裁定', '待经理终裁'))
        AND call.call_id NOT IN (SELECT call_id FROM complaints_now WHERE state = '处理中' AND call_id IS NOT NULL)
        AND call.call_id NOT IN (SELECT call_id FROM ledger_balances WHERE account IN ('待确认', '已确认'))
"""
PURGED = "（已按保存期清理）"


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """What would go, or went. ``kept`` names files that were left and why."""

    before: date
    calls: tuple[str, ...]
    files: tuple[str, ...]
    file_bytes: int
    transcripts: int
    turns: int
    kept: tuple[tuple[str, str], ...]
    receipt_id: str = ""


def before_day(tx: Tx, today: date) -> date:
    return today - timedelta(days=tx.settings.retention_days)


def plan(tx: Tx, before: date, clip_folders: tuple[Path, ...] = ()) -> Purge:
    """What a purge of everything before ``before`` would take; changes nothing. Calls still being worked on are left."""
    tx.need(Post.ADMIN, Post.MANAGER)
    if before > tx.at.date():
        raise CaseworkError(f"清理的日期 {before} 在今天之后。请检查日期和时钟。")
    calls = [call_id for (call_id,) in tx.rows(_OLD_CALLS + " ORDER BY call_id", [before]) if not _gone(tx, call_id)]
    files, kept, size = _files(tx, calls, clip_folders)
    turns = tx.row(
        """SELECT count(*) FROM conversation_turns WHERE digest IN
           (SELECT conversation_digest FROM runs WHERE list_contains(?, call_id))""",
        [calls],
    )
    transcripts = tx.row(f"SELECT count(*) FROM transcripts WHERE audio_hash IN ({_HASHES})", [calls, calls])
    return Purge(
        before=before,
        calls=tuple(calls),
        files=tuple(files),
        file_bytes=size,
        transcripts=int(transcripts[0]) if transcripts else 0,
        turns=int(turns[0]) if turns else 0,
        kept=tuple(kept),
    )


# Recordings of these calls that no later call shares.
_HASHES = """SELECT audio_hash FROM runs WHERE list_contains(?, call_id) AND audio_hash <> ''
    EXCEPT SELECT audio_hash FROM runs WHERE NOT list_contains(?, call_id)"""


def carry_out(tx: Tx, planned: Purge, remove: Callable[[Path], None] = Path.unlink) -> Purge:
    """Removes the words in the transaction and writes the receipt; files go first, so that none is orphaned by a kill between:
    what is found missing on the next run is simply gone already."""
    tx.need(Post.ADMIN, Post.MANAGER)
    for name in planned.files:
        path = Path(name)
        if path.exists():
            remove(path)
    _forget_words(tx, list(planned.calls))
    receipt_id = write_receipt(tx, asdict(planned), planned.before)
    tx.log("purge", receipt_id, {"before": planned.before, "calls": len(planned.calls), "files": len(planned.files)})
    return Purge(**(asdict(planned) | {"receipt_id": receipt_id}))


def write_receipt(tx: Tx, removed: Mapping[str, object], before: date) -> str:
    """The receipt for what is removed for good; gives its number."""
    from qa_pipeline.store.codec import to_json

    receipt_id = tx.next_id("R", "purge_receipts", "receipt_id")
    body = {**removed, "receipt_id": receipt_id, "by": tx.actor.person_id, "at": tx.at.isoformat()}
    tx.insert(
        "purge_receipts",
        receipt_id=receipt_id,
        at_time=tx.at,
        by_person=tx.actor.person_id,
        before=before,
        body=to_json(body).decode(),
    )
    return receipt_id


def _gone(tx: Tx, call_id: str) -> bool:
    row = tx.row("SELECT 1 FROM runs WHERE call_id = ? AND body IS NOT NULL LIMIT 1", [call_id])
    return row is None


def _files(tx: Tx, calls: list[str], clip_folders: tuple[Path, ...]) -> tuple[list[str], list[tuple[str, str]], int]:
    files: list[str] = []
    kept: list[tuple[str, str]] = []
    size = 0
    query = f"SELECT audio_hash, path FROM recordings WHERE audio_hash IN ({_HASHES}) ORDER BY path"
    for audio_hash, name in tx.rows(query, [calls, calls]):
        path = Path(name)
        if not path.is_file():
            continue
        if _hash(path) != audio_hash:
            kept.append((name, "内容与质检时不同，没有删除"))
            continue
        files.append(name)
        size += path.stat().st_size
    wanted = set(calls)
    for folder in clip_folders:
        for path in sorted(folder.glob("*/*")) if folder.is_dir() else []:
            if path.is_file() and path.parent.name in wanted:
                files.append(str(path))
                size += path.stat().st_size
    return files, kept, size


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _forget_words(tx: Tx, calls: list[str]) -> None:
    talks = "SELECT conversation_digest FROM runs WHERE list_contains(?, call_id)"
    tx.connection.execute(f"DELETE FROM transcripts WHERE audio_hash IN ({_HASHES})", [calls, calls])
    tx.connection.execute(f"DELETE FROM conversation_turns WHERE digest IN ({talks})", [calls])
    tx.connection.execute(f"UPDATE conversations SET body = NULL WHERE digest IN ({talks})", [calls])
    tx.connection.execute(
        """UPDATE outcomes SET quote = ?, heard_as = '', reason = ?
           WHERE list_contains(?, call_id) AND (quote <> '' OR verdict = '违规')""",
        [PURGED, PURGED, calls],
    )
    tx.connection.execute("UPDATE runs SET body = NULL WHERE list_contains(?, call_id)", [calls])
    tx.connection.execute(
        "UPDATE manual_findings SET body = json_merge_patch(body, '{\"evidence\": []}') WHERE list_contains(?, call_id)", [calls]
    )
    tx.connection.execute(
        "UPDATE corrections SET before = '', after = '' WHERE field = 'text' AND list_contains(?, call_id)", [calls]
    )
    tx.connection.execute(
        """UPDATE call_versions SET customer_number = NULL, customer_name = NULL, caller_number = NULL, extra = NULL,
               body = json_merge_patch(body, '{"customer_number": null, "customer_name": null, "caller_number": null, "extra": []}')
           WHERE list_contains(?, call_id)""",
        [calls],
    )


def rewrite(path: Path) -> None:
    """Copies the live rows into a new file and puts it in the place of the old one, so that deleted text is not left behind."""
    import duckdb

    fresh = path.with_name(path.name + ".compact")
    fresh.unlink(missing_ok=True)
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"ATTACH '{_quoted(path)}' AS old (READ_ONLY)")
        connection.execute(f"ATTACH '{_quoted(fresh)}' AS new")
        connection.execute("COPY FROM DATABASE old TO new")
    fresh.replace(path)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def receipts(tx: Tx) -> list[tuple[str, datetime, str, date]]:
    """(receipt_id, at, by, before) of every purge."""
    return [(row[0], row[1], row[2], row[3]) for row in tx.rows("SELECT * FROM purge_receipts ORDER BY receipt_id")]
