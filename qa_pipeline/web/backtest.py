"""What a changed rule or policy would newly mark and clear in the stored calls.

It runs as a process of its own with low priority, so that judging ten thousand calls slows nobody's page down; it reads the store
page by page, as ``qa rescore --diff`` does, and stores nothing.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_pipeline.model import AuditRun

if TYPE_CHECKING:
    from qa_pipeline.config import Settings
    from qa_pipeline.store import Store
    from qa_pipeline.web.site import Site

MOST_KEPT = 20
MOST_CHANGES = 300  # single changes shown; the sums are over all


@dataclass(slots=True, kw_only=True)
class Job:
    """One back-test. ``result`` is what :func:`report` gives; ``error`` a sentence for the reader."""

    job_id: str
    by_person: str
    name: str
    text: str
    began: datetime
    done: int = 0
    total: int = 0
    result: dict[str, Any] | None = None
    error: str = ""
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def running(self) -> bool:
        return self.result is None and not self.error


class Jobs:
    """Back-tests of this server, one at a time."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._one = threading.Lock()

    def get(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def all(self) -> list[Job]:
        return list(reversed(self._jobs.values()))

    def start(self, site: Site, job: Job, date_from: str = "") -> Job:
        self._jobs[job.job_id] = job
        while len(self._jobs) > MOST_KEPT:
            self._jobs.pop(next(iter(self._jobs)))
        threading.Thread(target=self._work, args=(site, job, date_from), name="backtest", daemon=True).start()
        return job

    def _work(self, site: Site, job: Job, date_from: str) -> None:
        with self._one, site.rules.staged({job.name: job.text}) as settings, tempfile.TemporaryDirectory() as folder:
            order = Path(folder) / "order.json"
            order.write_text(json.dumps(_order(settings, date_from)), encoding="utf-8")
            command = [sys.executable, "-m", "qa_pipeline.web.backtest", str(order)]
            job.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")
            assert job.process.stdout is not None and job.process.stderr is not None
            for line in job.process.stdout:
                self._heard(job, json.loads(line))
            errors = job.process.stderr.read()
            if job.process.wait() != 0 and not job.error:
                job.error = f"回测没有做完：{errors.strip().splitlines()[-1] if errors.strip() else '进程中断'}"

    def _heard(self, job: Job, message: Mapping[str, Any]) -> None:
        job.done, job.total = message.get("done", job.done), message.get("total", job.total)
        job.result = message.get("result", job.result)
        job.error = message.get("error", job.error)

    def close(self) -> None:
        for job in self._jobs.values():
            if job.process is not None and job.process.poll() is None:
                job.process.terminate()


def new_job(name: str, text: str, person_id: str, at: datetime) -> Job:
    return Job(job_id=secrets.token_urlsafe(9), by_person=person_id, name=name, text=text, began=at)


def _order(settings: Settings, date_from: str) -> dict[str, str]:
    return {
        "db": str(settings.db.resolve()),
        "rules": str(settings.rules_folder()),
        "lexicons": str(settings.lexicons_folder()),
        "policy": str(settings.policy_file()),
        "from": date_from,
    }


# The process


class _Since:
    """A store that gives the calls from a day on."""

    def __init__(self, store: Store, date_from: str | None) -> None:
        self._store = store
        self._date_from = date_from

    def iter_runs(self) -> Iterator[AuditRun]:
        return self._store.iter_runs(date_from=self._date_from)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def report(found: Any) -> dict[str, Any]:
    """A difference as JSON: sums over all calls, single changes up to a limit."""
    total = found.total
    return {
        "calls": found.calls,
        "changed_calls": found.changed_calls,
        "flagged": total.flagged,
        "cleared": total.cleared,
        "fine_before": str(total.fine_before),
        "fine_after": str(total.fine_after),
        "clauses": {clause: list(counts) for clause, counts in found.clauses.items()},
        "agents": {
            agent: [item.calls, item.flagged, item.cleared, str(item.fine_after - item.fine_before)]
            for agent, item in found.agents.items()
            if item.flagged or item.cleared or item.fine_after != item.fine_before
        },
        "changes": [
            [item.call_id, item.agent_id, item.clause, item.title, item.kind, item.reason, item.quote]
            for item in found.changes[:MOST_CHANGES]
        ],
        "all_changes": len(found.changes),
    }


def main(order_file: str) -> int:
    import os
    from dataclasses import replace

    from qa_pipeline.config import load_settings
    from qa_pipeline.errors import QaError
    from qa_pipeline.judge import open_judge
    from qa_pipeline.rescore import difference
    from qa_pipeline.store import open_store

    if hasattr(os, "nice"):
        os.nice(10)
    order = json.loads(Path(order_file).read_text(encoding="utf-8"))

    def tell(**message: Any) -> None:
        sys.stdout.write(json.dumps(message, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    settings = replace(
        load_settings(environ={}),
        db=Path(order["db"]),
        rules=Path(order["rules"]),
        lexicons=Path(order["lexicons"]),
        policy=Path(order["policy"]),
    )
    store = open_store(settings.db)
    try:
        with store.read() as connection:
            query = """SELECT count(*) FROM current_runs LEFT JOIN calls USING (call_id)
                       WHERE ? = '' OR started_at >= TRY_CAST(? AS DATE)"""
            row = connection.execute(query, [order["from"], order["from"]]).fetchone()
        total = int(row[0]) if row else 0
        done = 0

        def told() -> None:
            nonlocal done
            done += 1
            if done % 20 == 0:
                tell(done=done, total=total)

        tell(done=0, total=total)
        since: Any = _Since(store, order["from"] or None)
        tell(result=report(difference(since, open_judge(settings, since), told=told)), done=total, total=total)
    except QaError as error:
        tell(error=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
