"""Every action of a person is one transaction: decision, ledger and log together, or nothing.

    with desk.act("lead1", at) as tx:
        reviews.decide(tx, "K20261102-0001", …)

Time is always passed in. The log knows the time of the last action; a clock that runs a little behind is moved up to it, one
that went back far is refused, so that no deadline is met by turning the clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from qa_pipeline.casework import log
from qa_pipeline.casework import settings as settings_module
from qa_pipeline.casework.inserting import insert_rows
from qa_pipeline.casework.people import find_person
from qa_pipeline.casework.settings import CaseworkSettings
from qa_pipeline.casework.values import Person, Post
from qa_pipeline.errors import CaseworkError
from qa_pipeline.model import AuditRun
from qa_pipeline.policy import Policy
from qa_pipeline.store import Store

if TYPE_CHECKING:
    import duckdb

# Machines of one office differ by seconds; more is a wrong clock.
CLOCK_TOLERANCE = timedelta(minutes=10)
_MOST_RUNS = 1000  # runs held by one transaction: about 20 MB


@dataclass(slots=True, kw_only=True)
class Tx:
    """One action under way: who, when, and the open transaction."""

    store: Store
    raw: duckdb.DuckDBPyConnection
    at: datetime
    actor: Person
    policy: Policy
    settings: CaseworkSettings
    # Nobody else can write while the transaction is open, so what was read once stays true until it is written here.
    memo: dict[tuple[object, ...], Any] = field(default_factory=dict)
    _unwritten: dict[tuple[str, ...], list[object]] = field(default_factory=dict)  # (table, columns…) → values of its rows
    _runs: dict[str, AuditRun] = field(default_factory=dict)
    _logged: list[tuple[log.Entry, Mapping[str, object]]] = field(default_factory=list)

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The transaction, with everything written that was inserted so far."""
        self.flush()
        return self.raw

    def need(self, *posts: Post) -> None:
        """Refuses an actor who holds none of the posts."""
        if not self.actor.has(*posts):
            titles = "、".join(post.label for post in posts)
            raise CaseworkError(f"{self.actor.name}（{self.actor.person_id}）没有这个权限：需要{titles}。")

    def log(self, action: str, thing: str, detail: Mapping[str, object] | None = None) -> None:
        """Into the audit log, written with the transaction."""
        self._logged.append((log.Entry(at=self.at, person_id=self.actor.person_id, action=action, thing=thing), detail or {}))

    def write_log(self) -> None:
        log.append(self.connection, self._logged)
        self._logged.clear()

    def run(self, run_id: str) -> AuditRun:
        if run_id not in self._runs:
            run = self.store.load_run_by_id(run_id)
            if run is None:
                raise CaseworkError(f"库里没有质检结果 {run_id}；它可能已按保存期清理。")
            if len(self._runs) >= _MOST_RUNS:
                self._runs.pop(next(iter(self._runs)))
            self._runs[run_id] = run
        return self._runs[run_id]

    def purged(self) -> frozenset[str]:
        """Runs whose words are gone: they cannot be priced again, what is booked stays."""
        if ("purged",) not in self.memo:
            self.memo["purged",] = frozenset(run_id for (run_id,) in self.rows("SELECT run_id FROM runs WHERE body IS NULL"))
        gone: frozenset[str] = self.memo["purged",]
        return gone

    def preload(self, run_ids: Sequence[str]) -> None:
        """Brings many runs in one go, for work on a whole sample."""
        self._runs.clear()
        self._runs.update({run.run_id: run for run in self.store.load_runs([*dict.fromkeys(run_ids)][:_MOST_RUNS])})

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, list(values)).fetchall()

    def row(self, query: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        return self.connection.execute(query, list(values)).fetchone()

    def insert(self, table: str, **values: object) -> None:
        """A row of a table. Rows are written together before anything is read, see :mod:`qa_pipeline.casework.inserting`."""
        self._unwritten.setdefault((table, *values), []).extend(values.values())

    def flush(self) -> None:
        for (table, *columns), values in self._unwritten.items():
            insert_rows(self.raw, (table, *columns), values, self._types)
        self._unwritten.clear()

    def _types(self, table: str) -> dict[str, str]:
        """Column → type, of all tables asked for once."""
        if ("types",) not in self.memo:
            known: dict[str, dict[str, str]] = defaultdict(dict)
            for name, column, kind in self.raw.execute(
                "SELECT table_name, column_name, data_type FROM duckdb_columns()"
            ).fetchall():
                known[name][column] = kind
            self.memo["types",] = known
        types: dict[str, str] = self.memo["types",][table]
        return types

    def append(self, table: str, **values: object) -> int:
        """Inserts with the next ``seq`` of the table, which is returned."""
        if ("seq", table) not in self.memo:
            found = self.row(f"SELECT coalesce(max(seq), 0) FROM {table}")
            self.memo["seq", table] = int(found[0]) if found else 0
        seq = self.memo["seq", table] = int(self.memo["seq", table]) + 1
        self.insert(table, seq=seq, **values)
        return seq

    def next_id(self, letter: str, table: str, column: str) -> str:
        """K20261102-0001: letter, day, running number of the day."""
        prefix = f"{letter}{self.at:%Y%m%d}-"
        if ("id", prefix) not in self.memo:
            found = self.row(f"SELECT max({column}) FROM {table} WHERE {column} LIKE ?", [prefix + "%"])
            self.memo["id", prefix] = int(found[0][len(prefix) :]) if found and found[0] else 0
        last = self.memo["id", prefix] = int(self.memo["id", prefix]) + 1
        return f"{prefix}{last:04d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The door to casework."""

    store: Store
    policy: Policy

    @contextmanager
    def act(self, person_id: str, at: datetime) -> Iterator[Tx]:
        """One action of an active person, one transaction."""
        with self.store.write() as connection:
            actor = find_person(connection, person_id)
            if not actor.active:
                raise CaseworkError(f"{actor.name}（{person_id}）已停用，不能操作。")
            tx = self._tx(connection, actor, at)
            yield tx
            tx.write_log()

    @contextmanager
    def found(self, at: datetime) -> Iterator[Tx]:
        """The first action of all: nobody is in the store yet, so the operator himself sets up the first administrator."""
        with self.store.write() as connection:
            if connection.execute("SELECT 1 FROM people_log LIMIT 1").fetchone() is not None:
                raise CaseworkError("人员已经建好。请由管理员操作。", command="加 --as 管理员编号。")
            tx = self._tx(connection, Person(person_id="system", name="系统", posts=(Post.ADMIN,)), at)
            yield tx
            tx.write_log()

    @contextmanager
    def look(self, at: datetime) -> Iterator[Tx]:
        """Reads as nobody in particular; nothing can be written."""
        with self.store.read() as connection:
            yield Tx(
                store=self.store,
                raw=connection,
                at=at,
                actor=Person(person_id="reader", name="", posts=()),
                policy=self.policy,
                settings=settings_module.load(connection),
            )

    def _tx(self, connection: duckdb.DuckDBPyConnection, actor: Person, at: datetime) -> Tx:
        return Tx(
            store=self.store,
            raw=connection,
            at=steady(at, log.last_time(connection)),
            actor=actor,
            policy=self.policy,
            settings=settings_module.load(connection),
        )


def steady(at: datetime, last: datetime | None) -> datetime:
    """The time that counts for an action at ``at`` after one at ``last``."""
    at = at.replace(microsecond=0, tzinfo=None)
    if last is None or at >= last:
        return at
    if last - at > CLOCK_TOLERANCE:
        raise CaseworkError(
            f"电脑时钟（{at:%Y-%m-%d %H:%M}）比库里最近一次操作（{last:%Y-%m-%d %H:%M}）还早。请先校准时钟再操作，什么也没有改动。"
        )
    return last
