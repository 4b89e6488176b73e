"""How long every report takes, and what memory: over a store, and over the same store copied to a million calls.

    python benchmarks/reports.py month STORE.duckdb                    each report over a simulated month
    python benchmarks/reports.py grow STORE.duckdb BIG.duckdb 250      the same calls 250 times, under other numbers and agents
    python benchmarks/reports.py log CALLS.csv 5000000                 a made call log, for qa kpi import

Each report runs in a process of its own, so that its peak memory is its own. Results with date and machine: benchmarks/reports.md.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

KINDS = ("daily", "weekly", "monthly", "agent", "team", "clause", "sample", "appeals", "followup", "script")
_ONE = """
import resource, sys, time
from datetime import datetime
from pathlib import Path
from qa_pipeline.policy import load_policy
from qa_pipeline.report import registry
from qa_pipeline.report.reading import Wish
from qa_pipeline.resources import rules_dir
from qa_pipeline.store import open_store
begun, cpu = time.perf_counter(), time.process_time()
store, policy = open_store(Path(sys.argv[1])), load_policy(rules_dir() / "policy.yaml")
report = registry.build(store, policy, sys.argv[2], Wish(made_at=datetime(2026, 12, 10)))
built = time.perf_counter() - begun
for form in ("html", "xlsx"):
    registry.render(report, form)
usage = resource.getrusage(resource.RUSAGE_SELF)
rows = sum(len(item.table.rows) for item in report.sections)
print(f"{sys.argv[2]:10} {built:6.1f} s built, {time.perf_counter() - begun:6.1f} s with HTML and Excel, "
      f"{time.process_time() - cpu:6.1f} s of CPU, {usage.ru_maxrss / 1024:6.0f} MB, {rows} rows", flush=True)
"""


def month(store: Path) -> None:
    for kind in KINDS:
        subprocess.run([sys.executable, "-c", _ONE, str(store), kind], check=False)


def grow(store: Path, big: Path, times: int) -> None:
    """Copies of calls, runs and verdicts under new numbers; cases, decisions and the ledger are copied with them. Copies share the
    stored conversations, so that the file stays small."""
    import duckdb

    shutil.copy(store, big)
    begun = time.perf_counter()
    with duckdb.connect(str(big), config={"memory_limit": "3GB", "preserve_insertion_order": "false"}) as connection:
        for table, keys in _COPIED.items():
            columns = [row[0] for row in connection.execute(f"SELECT column_name FROM duckdb_columns() WHERE table_name = '{table}'").fetchall()]  # fmt: skip
            cells = ", ".join(_cell(name, keys, table) for name in columns)
            connection.execute(f"INSERT INTO {table} SELECT {cells} FROM {table}, range(1, {times}) AS copy(n)")
        calls = connection.execute("SELECT count(*) FROM calls").fetchone()
    print(f"{calls} calls in {time.perf_counter() - begun:.0f} s, {big.stat().st_size / 1e6:.0f} MB")


_COPIED: dict[str, tuple[str, ...]] = {
    "call_versions": ("call_id", "agent_id"),
    "runs": ("run_id", "call_id"),
    "run_log": ("run_id", "call_id"),
    "scorecards": ("run_id",),
    "outcomes": ("run_id", "call_id"),
    "run_penalties": ("run_id", "call_id"),
    "sample_items": ("call_id", "agent_id"),
    "cases": ("case_id", "call_id", "agent_id", "pair_of"),
    "case_events": ("case_id", "run_id"),
    "decisions": ("case_id", "call_id", "run_id"),
    "manual_findings": ("case_id", "call_id"),
    "ledger_entries": ("case_id", "call_id", "run_id", "person"),
}


def _cell(name: str, keys: tuple[str, ...], table: str) -> str:
    if name in keys:
        # fifty copies of an agent: 2,000 agents, as a million calls a month would have
        return f"{name} || '-' || {'n % 50' if name in ('agent_id', 'person') else 'n'}"
    if name in ("seq", "txn"):
        return f"{name} + n * (SELECT max({name}) FROM {table})"
    return "NULL" if name == "body" and table == "runs" else f'"{name}"'


def log(path: Path, rows: int) -> None:
    import duckdb

    with duckdb.connect(config={"memory_limit": "2GB"}) as connection:
        connection.execute(
            f"""COPY (SELECT 'C' || i AS "通话编号", 1000 + i % 400 AS "工号", (i % 20) || '组' AS "班组",
                    '139' || lpad((hash(i) % 2000000)::VARCHAR, 8, '0') AS "被叫号码",
                    strftime(TIMESTAMP '2026-11-02 08:00:00' + to_seconds(((i // 400) % 600) * 54)
                        + to_days((i // 240000)::INTEGER), '%Y-%m-%d %H:%M:%S') AS "开始时间",
                    5 + hash(i + 1) % 25 AS "振铃时长", CASE WHEN hash(i + 2) % 3 = 0 THEN 0 ELSE hash(i + 3) % 240 END AS "通话时长",
                    hash(i + 4) % 40 AS "后处理时长",
                    ['成功', '拒绝', '预约', '无人接听', '忙音', '空号'][1 + (hash(i + 5) % 6)::INTEGER] AS "结果"
                FROM range({rows}) AS made(i)) TO '{path}' (HEADER)"""
        )
    print(f"{rows} rows, {path.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["month", store]:
            month(Path(store))
        case ["grow", store, big, times]:
            grow(Path(store), Path(big), int(times))
        case ["log", path, rows]:
            log(Path(path), int(rows))
        case _:
            print(__doc__)
