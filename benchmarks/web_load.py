"""Thirty people at work on the pages while calls are being stored: ``python -m benchmarks.web_load --db month.duckdb``.

``month.duckdb`` is what ``qa simulate-month --scale 10`` makes (40,000 calls), or, with ``--times 10``, the 4,000 calls of
``qa simulate-month`` multiplied. It is copied. ``qa serve`` runs as a process of its own; another process stores twenty judged calls
every five seconds through the same function as ``qa run`` (recognition itself is left out: it would measure the processor, not the pages). Every
acknowledged decision is looked up in the store afterwards. Times are taken at the server (Server-Timing) and at the client.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from qa_pipeline.casework import assigning, cases, log, people
from qa_pipeline.casework.desk import Desk
from qa_pipeline.casework.values import Person, Post
from qa_pipeline.config import load_settings
from qa_pipeline.policy import load_policy
from qa_pipeline.store import BatchInfo, open_store

PASSWORD = "load test 2026"
USERS = ("qa",) * 12 + ("agent",) * 9 + ("chief",) * 4 + ("mgr",) * 3 + ("lead",) * 2
WRITER = "--as-writer"
WRITES = ("decision", "finish")


@dataclass
class Tally:
    """What was asked and what came back."""

    server_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    client_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    failed: list[str] = field(default_factory=list)
    sure: list[tuple[str, str]] = field(default_factory=list)  # acknowledged: case, marker in the reason
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, answer: httpx.Response, took_s: float) -> None:
        found = re.search(r"dur=([\d.]+)", answer.headers.get("server-timing", ""))
        with self.lock:
            self.statuses[answer.status_code] += 1
            self.client_ms[name].append(1000 * took_s)
            if found:
                self.server_ms[name].append(float(found.group(1)))
            if answer.status_code >= 500:
                self.failed.append(f"{name} {answer.status_code} {answer.text[:200]}")


class User:
    """One person with a browser."""

    def __init__(self, base: str, person_id: str, tally: Tally, seed: int) -> None:
        self.http = httpx.Client(base_url=base, timeout=60, follow_redirects=True)
        self.tally = tally
        self.person_id = person_id
        self.chance = random.Random(seed)

    def get(self, name: str, url: str) -> httpx.Response:
        began = time.perf_counter()
        answer = self.http.get(url)
        self.tally.add(name, answer, time.perf_counter() - began)
        return answer

    def post(self, name: str, url: str, body: dict[str, object], token: str) -> httpx.Response:
        began = time.perf_counter()
        answer = self.http.post(url, json=body, headers={"x-csrf-token": token})
        self.tally.add(name, answer, time.perf_counter() - began)
        return answer

    def sign_in(self) -> None:
        page = self.http.get("/login").text
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token is not None
        fields = {"csrf": token.group(1), "person_id": self.person_id, "password": PASSWORD}
        answer = self.http.post("/login", data=fields)
        assert answer.status_code == 200, (self.person_id, answer.status_code)

    def think(self) -> None:
        time.sleep(self.chance.uniform(0.8, 3.2))


def review(user: User) -> None:
    """A reviewer: the queue, the next case, each finding, finish."""
    user.get("desk", "/desk")
    user.think()
    page = user.get("case", "/desk/next")
    found = re.search(r"/cases/(K[\d-]+)", str(page.url))
    token = re.search(r'data-csrf="([^"]+)"', page.text)
    if found is None or token is None:
        return
    case_id = found.group(1)
    version = int((re.search(r'name="version" value="(\d+)"', page.text) or ["0", "0"])[1])
    for key in re.findall(r'data-key="([^"]+#\d+)"', page.text):
        user.think()
        marker = uuid.uuid4().hex
        decision = user.chance.choice(("confirm", "confirm", "reject"))
        body = {"finding": key, "decision": decision, "reason": marker, "version": version}
        answer = user.post("decision", f"/api/v1/cases/{case_id}/decisions", body, token.group(1))
        if answer.status_code != 200:
            return
        version = answer.json()["version"]
        with user.tally.lock:
            user.tally.sure.append((case_id, marker))
    user.think()
    user.post("finish", f"/api/v1/cases/{case_id}/finish", {"version": version}, token.group(1))


def agent(user: User) -> None:
    page = user.get("me", "/me")
    user.think()
    calls = re.findall(r'href="(/me/calls/[^"]+)"', page.text)
    if calls:
        user.get("my call", user.chance.choice(calls))
        user.think()


def manager(user: User) -> None:
    urls = {
        "dashboard": "/manage",
        "calls": f"/manage/calls?page={user.chance.randint(1, 20)}",
        "teams": "/manage/teams",
        "team": "/manage/team?name=一组",
        "agent": f"/manage/agents/{1001 + user.chance.randrange(40)}",
        "clauses": "/manage/clauses",
        "money": "/manage/money",
        "calibration": "/manage/calibration",
        "follow-up": "/manage/followup",
        "cases": "/cases?state=全部",
        "appeals": "/appeals",
        "studio": "/studio",
        "log": "/admin/log" if user.person_id.startswith("mgr") else "/cases",
    }
    name = user.chance.choice(sorted(urls))
    page = user.get(name, urls[name])
    if name == "calls":
        user.think()
        calls = re.findall(r'href="(/calls/[^"]+)"', page.text)
        if calls:
            user.get("call", user.chance.choice(calls))
    user.think()


def chief(user: User) -> None:
    for name, url in (("team", "/"), ("calls", "/manage/calls"), ("appeals", "/appeals"), ("follow-up", "/manage/followup")):
        user.get(name, url)
        user.think()


WORK = {"qa": review, "agent": agent, "chief": chief, "mgr": manager, "lead": manager}


def prepare(db: Path, open_cases: int) -> datetime:
    """Passwords for everybody and cases to work on; the time that it is then."""
    settings = replace(load_settings(environ={}), db=db)
    store = open_store(db)
    desk = Desk(store=store, policy=load_policy(settings.policy_file()))
    with store.read() as connection:
        last = log.last_time(connection)
        staff = [person.person_id for person in people.all_people(connection)]
    now = (last or datetime.now()) + timedelta(hours=1)
    with desk.act("admin", now) as tx:
        for person_id in staff:
            people.set_password(tx, person_id, PASSWORD)
        for number in range(7, 13):  # twelve reviewers, each at one desk
            people.save_person(tx, Person(person_id=f"qa{number}", name=f"质检{number}", posts=(Post.QA,)))
            people.set_password(tx, f"qa{number}", PASSWORD)
    with desk.act("lead1", now) as tx:
        rows = tx.rows(
            """SELECT call_id FROM findings WHERE NOT advice AND call_id NOT IN (SELECT call_id FROM cases)
               GROUP BY call_id ORDER BY call_id LIMIT ?""",
            [open_cases],
        )
        opened = [cases.open_case(tx, cases.Opening(call_id=call_id, reason="重点复查")) for (call_id,) in rows]
        assigning.assign_evenly(tx, opened)
    print(f"{len(opened)} cases to work on, {len(staff)} people")
    return now + timedelta(minutes=5)


_IDS = [
    "call_id",
    "run_id",
    "case_id",
    "pair_of",
    "appeal_id",
    "sanction_id",
    "complaint_id",
    "conversation_digest",
    "run_before",
    "run_after",
]
_ALONE = (
    "people_log credentials settings_log schema_migrations files batches batch_ends samples month_closings audit_log day_reports"
)


def multiply(db: Path, times: int) -> None:
    """Every call with everything that hangs on it, ``times`` times: rows copied with other ids, in seconds instead of an hour."""
    import duckdb

    with duckdb.connect(str(db)) as connection:
        tables = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        for table in sorted(set(tables) - set(_ALONE.split())):
            columns = [row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()]
            changed = {name: f"{name} || '~' || k" for name in columns if name in _IDS}
            if table in ("conversations", "conversation_turns"):
                changed["digest"] = "digest || '~' || k"
            for name in ("seq", "txn"):
                if name in columns:
                    changed[name] = f"{name} + k * (SELECT max({name}) FROM {table})"
            if table == "ledger_entries":
                changed["decision"] = "decision + k * (SELECT max(seq) FROM decisions WHERE case_id NOT LIKE '%~%')"
            if not changed:
                continue
            chosen = ", ".join(changed.get(name, name) for name in columns)
            connection.execute(f"INSERT INTO {table} SELECT {chosen} FROM {table}, range(1, {times}) AS copies(k)")
        connection.execute("CHECKPOINT")
    print(f"rows multiplied by {times}: {db.stat().st_size / 1e6:.0f} MB")


def write_calls(db: Path) -> None:
    """What ``qa run`` does to the store: twenty judged calls in one transaction, again and again, until killed."""
    store = open_store(db)
    pattern = [run for run, _ in zip(store.iter_runs(), range(20), strict=False)]
    batch = BatchInfo(batch_id="load", started_at="2026-12-01T08:00:00", command="run")
    number = 0
    while True:
        fresh = []
        for run in pattern:
            number += 1
            call = replace(run.conversation.call, call_id=f"load-{number:06d}")
            talk = replace(run.conversation, call=call)
            fresh.append(replace(run, run_id=f"r{uuid.uuid4().hex[:16]}", conversation=talk))
        began = time.monotonic()
        store.save(fresh, batch)
        print(f"{time.monotonic() - began:.3f}", flush=True)
        time.sleep(5)


def load(base: str, seconds: float, ids: dict[str, list[str]]) -> Tally:
    tally = Tally()
    users = []
    for number, kind in enumerate(USERS):
        of_kind = ids[kind]
        users.append((WORK[kind], User(base, of_kind[number % len(of_kind)], tally, number)))
    for _, user in users:
        user.sign_in()
    end = time.monotonic() + seconds

    def work(task: object, user: User) -> None:
        user.think()  # nobody opens his first page in the same instant
        while time.monotonic() < end:
            try:
                task(user)  # type: ignore[operator]
            except httpx.HTTPError as error:
                with tally.lock:
                    tally.failed.append(f"{user.person_id}: {error!r}")

    threads = [threading.Thread(target=work, args=pair) for pair in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def report(tally: Tally, seconds: float) -> dict[str, object]:
    rows = {}
    print(f"\n{'page':14}{'count':>7}{'server p50':>12}{'p95':>8}{'max':>8}{'client p95':>12}  (ms)")
    for name in sorted(tally.server_ms):
        server, client = tally.server_ms[name], tally.client_ms[name]
        rows[name] = [len(server), percentile(server, 0.5), percentile(server, 0.95), max(server), percentile(client, 0.95)]
        print(f"{name:14}{rows[name][0]:7}{rows[name][1]:12.0f}{rows[name][2]:8.0f}{rows[name][3]:8.0f}{rows[name][4]:12.0f}")
    pages = [value for name, values in tally.server_ms.items() if name not in WRITES for value in values]
    print(f"{'pages':14}{len(pages):7}{percentile(pages, 0.5):12.0f}{percentile(pages, 0.95):8.0f}{max(pages, default=0):8.0f}")
    every = [value for values in tally.server_ms.values() for value in values]
    print(f"{'all':14}{len(every):7}{percentile(every, 0.5):12.0f}{percentile(every, 0.95):8.0f}{max(every, default=0):8.0f}")
    print(f"{len(every) / seconds:.1f} requests a second; statuses {dict(tally.statuses)}; failures {len(tally.failed)}")
    for line in tally.failed[:10]:
        print("  ", line)
    return {"pages": rows, "p95": percentile(every, 0.95), "statuses": dict(tally.statuses), "failures": len(tally.failed)}


def lost(db: Path, tally: Tally) -> int:
    """Acknowledged decisions that are not in the store."""
    with open_store(db).read() as connection:
        stored = {reason for (reason,) in connection.execute("SELECT reason FROM decisions").fetchall()}
    return sum(1 for _, marker in tally.sure if marker not in stored)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--port", type=int, default=8019)
    parser.add_argument("--cases", type=int, default=800)
    parser.add_argument("--times", type=int, default=1, help="calls of the store are multiplied")
    parser.add_argument("--json", type=Path)
    parser.add_argument(WRITER, action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.as_writer:
        write_calls(given.db)
    with tempfile.TemporaryDirectory(prefix="qa-load-") as name:
        db = Path(name) / "qa.duckdb"
        shutil.copyfile(given.db, db)
        multiply(db, given.times)
        now = prepare(db, given.cases)
        with open_store(db).read() as connection:
            everybody = [person.person_id for person in people.all_people(connection)]
        ids = {kind: [p for p in everybody if p.startswith(kind if kind != "agent" else "a1")] for kind in set(USERS)}
        command = [sys.executable, "-m", "qa_pipeline.cli.main", "serve", "--db", str(db), "--port", str(given.port)]
        server = subprocess.Popen([*command, "--at", now.isoformat(timespec="seconds")], stderr=subprocess.DEVNULL)
        writer = None
        try:
            base = f"http://127.0.0.1:{given.port}"
            _wait(base)
            writer = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.web_load", "--db", str(db), WRITER], stdout=subprocess.PIPE
            )
            began, spent, idle = time.monotonic(), _cpu_s(server.pid), _idle_s()
            own = time.process_time()
            tally = load(base, given.seconds, ids)
            took = time.monotonic() - began
            cores, idle_cores = (_cpu_s(server.pid) - spent) / took, (_idle_s() - idle) / took
            own_cores = (time.process_time() - own) / took
        finally:
            saves = _ended(writer)
            server.terminate()
            server.wait(30)
        result = report(tally, given.seconds)
        cpus = os.cpu_count() or 1
        print(f"the server used {cores:.2f} of {cpus} cores, this script {own_cores:.2f}, idle {idle_cores:.2f}; the rest others")
        print(f"load average of the machine over 15 minutes {os.getloadavg()[2]:.1f}")
        missing = lost(db, tally)
        print(f"decisions acknowledged {len(tally.sure)}, lost {missing}")
        print(f"the storing process: {len(saves)} transactions of 20 calls, slowest {max(saves, default=0):.2f} s")
        if given.json:
            given.json.write_text(json.dumps(result | {"lost": missing, "saves": saves}, indent=1))
    return 1 if missing or tally.failed else 0


def _cpu_s(pid: int) -> float:
    """Processor seconds of a process so far; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _idle_s() -> float:
    """Idle seconds of all processors so far; 0 where the system does not tell."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    except OSError:
        return 0.0
    return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")


def _wait(base: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"{base}/health").json()["ok"]:
                return
        except (httpx.HTTPError, ValueError, KeyError):
            time.sleep(0.5)
    raise SystemExit("the server did not start")


def _ended(writer: subprocess.Popen[bytes] | None) -> list[float]:
    if writer is None or writer.stdout is None:
        return []
    writer.terminate()
    return [float(line) for line in writer.stdout.read().split()]


if __name__ == "__main__":
    sys.exit(main())
