"""Who opened which call, kept without making a reader wait for the store.

An opening is written to a journal beside the store at once and from there into the audit log, several together. What a killed
server left in the journal is brought in when it starts again.
"""

from __future__ import annotations

import json
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qa_pipeline.store import Store

EVERY_S = 2.0
_JOURNAL = "access.jsonl"
_TAKEN = "access-taken.jsonl"
_TOGETHER = 200  # entries of one INSERT


class AccessLog:
    """``after`` is called when entries have been written to the store."""

    def __init__(self, store: Store, folder: Path, after: Callable[[], None]) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._store = store
        self._journal = folder / _JOURNAL
        self._taken = folder / _TAKEN
        self._after = after
        self._lock = threading.Lock()
        self._flushing = threading.Lock()  # two at once would bring the same entries in twice
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="access-log", daemon=True)

    def start(self) -> None:
        self.flush()
        self._thread.start()

    def note(self, person_id: str, call_id: str, what: str, at: datetime) -> None:
        """Notes that a person opened a part (``what``) of a call."""
        line = json.dumps([at.isoformat(timespec="seconds"), person_id, call_id, what], ensure_ascii=False)
        with self._lock, self._journal.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def flush(self) -> int:
        """Brings the journal into the store; the count of entries. StoreLockedError leaves them for the next time."""
        with self._flushing:
            if not self._taken.exists():
                with self._lock:
                    if not self._journal.exists():
                        return 0
                    self._journal.replace(self._taken)
            entries = [json.loads(line) for line in self._taken.read_text(encoding="utf-8").splitlines() if line.endswith("]")]
            self._bring_in(entries)
            self._taken.unlink()
            self._after()
            return len(entries)

    def _bring_in(self, entries: list[list[str]]) -> None:
        from qa_pipeline.casework import log

        with self._store.write() as connection:
            last = log.last_time(connection)
            found: list[tuple[log.Entry, Mapping[str, object]]] = []
            for at_text, person_id, call_id, what in entries:
                at = datetime.fromisoformat(at_text)
                at = at if last is None or at >= last else last  # the log never goes back
                last = at
                found.append((log.Entry(at=at, person_id=person_id, action="access", thing=call_id), {"what": what}))
            for start in range(0, len(found), _TOGETHER):
                log.append(connection, found[start : start + _TOGETHER])

    def _work(self) -> None:
        from qa_pipeline.errors import StoreError

        while not self._stop.wait(EVERY_S):
            try:
                self.flush()
            except StoreError:  # busy: the journal keeps them
                continue

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.flush()
