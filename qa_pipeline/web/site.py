"""What the pages share: the store and its copy, the policy in force, sessions, results, recordings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from qa_pipeline.casework.desk import Desk, Tx
from qa_pipeline.casework.values import Person
from qa_pipeline.errors import StoreError
from qa_pipeline.web.access import AccessLog
from qa_pipeline.web.backtest import Jobs
from qa_pipeline.web.cache import Cache
from qa_pipeline.web.held import HeldStore
from qa_pipeline.web.mirror import Mirror
from qa_pipeline.web.sessions import Attempts, Sessions

if TYPE_CHECKING:
    from qa_pipeline.config import Settings
    from qa_pipeline.judge import Judge
    from qa_pipeline.policy import Policy
    from qa_pipeline.rules.base import RuleSpec
    from qa_pipeline.rules.book import RuleBook
    from qa_pipeline.web.rulebook import RuleFolder
    from qa_pipeline.web.sounds import Sounds

T = TypeVar("T")
_POLL_S = 0.7  # how often the file is looked at for what other processes wrote


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the server is run. ``now`` is the clock of every action and page."""

    settings: Settings
    only_local: bool = True
    behind_proxy: bool = False
    now: Callable[[], datetime] = datetime.now


@dataclass(slots=True, kw_only=True)
class _Kept:
    """Loaded once and again after a publication."""

    policy: Policy | None = None
    judge: Judge | None = None
    book: RuleBook | None = None
    specs: dict[str, RuleSpec] = field(default_factory=dict)
    people: tuple[int, dict[str, tuple[Person, int]]] = (-1, {})  # as of so many rows
    # Of everybody who ever was there, known with the people: by person_id and by work number.
    names: dict[str, str] = field(default_factory=dict)
    agents: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Site:
    options: Options
    store: HeldStore
    mirror: Mirror
    access: AccessLog
    rules: RuleFolder
    sounds: Sounds
    sessions: Sessions = field(default_factory=Sessions)
    attempts: Attempts = field(default_factory=Attempts)
    results: Cache
    jobs: Jobs = field(default_factory=Jobs)
    _kept: _Kept = field(default_factory=_Kept)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _book_lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _preparer: threading.Thread | None = None
    _watcher: threading.Thread | None = None

    def now(self) -> datetime:
        return self.options.now().replace(microsecond=0)

    # life

    def start(self) -> None:
        """Makes the copy and begins to watch the store."""
        self.mirror.fill()
        self.access.start()
        self._preparer = threading.Thread(target=self._prepare, name="prepare", daemon=True)
        self._preparer.start()
        self._watcher = threading.Thread(target=self._watch, name="store-watcher", daemon=True)
        self._watcher.start()

    def _prepare(self) -> None:
        """What the first readers would have to wait for."""
        from qa_pipeline.web.overview import warm

        self.specs()
        warm(self)

    def close(self) -> None:
        self._stop.set()
        if self._watcher is not None:
            self._watcher.join()
        self.jobs.close()
        self.results.close()
        self.access.close()
        self.mirror.close()
        if self._preparer is not None:
            self._preparer.join()  # without the copy it ends with the figure that it is making
        self.store.held.close()

    def _watch(self) -> None:
        while not self._stop.wait(_POLL_S):
            try:
                if self.mirror.changed():
                    self.mirror.catch_up()
            except StoreError:  # another process is writing: next time
                continue

    # reading and acting

    @property
    def policy(self) -> Policy:
        if self._kept.policy is None:
            from qa_pipeline.policy import load_policy

            self._kept.policy = load_policy(self.rules.policy_file())
        return self._kept.policy

    def judge(self) -> Judge:
        """Rules and policy in force, for corrections; loaded at the first use (seconds)."""
        with self._lock:
            if self._kept.judge is None:
                from qa_pipeline.judge import open_judge

                self._kept.judge = open_judge(self.rules.settings())
            return self._kept.judge

    def book(self) -> RuleBook:
        """The rule book in force, for the words of its clauses and for tests of drafts."""
        with self._book_lock:
            if self._kept.book is None:
                from qa_pipeline.rules.load import load_book

                self._kept.book = load_book(self.rules.rules, self.rules.lexicons)
            return self._kept.book

    def specs(self) -> dict[str, RuleSpec]:
        """Rules by their id, and by their clause."""
        if not self._kept.specs:
            rules = self.book().rules
            by_clause = {rule.clause: rule.spec for rule in reversed(rules)}
            self._kept.specs = by_clause | {rule.spec.rule: rule.spec for rule in rules}
        return self._kept.specs

    def reload(self) -> None:
        """Rules or policy were published."""
        self._kept = _Kept()
        self.results.forget()

    @contextmanager
    def look(self, person: Person) -> Iterator[Tx]:
        """The state of the copy, in the shape that casework reads."""
        from qa_pipeline.casework import settings

        with self.mirror.store.read() as connection:
            yield Tx(
                store=self.mirror.store,
                raw=connection,
                at=self.now(),
                actor=person,
                policy=self.policy,
                settings=settings.load(connection),
            )

    def act(self, person: Person, work: Callable[[Tx], T]) -> T:
        """One action, one transaction on the store; the pages show it at once."""
        with Desk(store=self.store, policy=self.policy).act(person.person_id, self.now()) as tx:
            done = work(tx)
        self.mirror.settle()
        return done

    def rewrite(self) -> None:
        """After a purge: the file is written anew, so that what was removed is nowhere left."""
        from qa_pipeline.casework import retention

        with self.store.held.alone():
            retention.rewrite(self.store.path)
        self.mirror.fill()

    def person(self, person_id: str) -> tuple[Person, int] | None:
        """An active person and the number of his password's row (0: none)."""
        return self._people().get(person_id)

    def who(self, person_id: str) -> str:
        """“江雪（qa1）”, also of people who have left; the id alone where nobody has it."""
        self._people()
        return _named(self._kept.names, person_id)

    def agent(self, agent_id: str) -> str:
        """“周宁（1001）”, where an account has this work number; else the number alone."""
        self._people()
        return _named(self._kept.agents, agent_id)

    def _people(self) -> dict[str, tuple[Person, int]]:
        from qa_pipeline.casework.people import all_people

        version, known = self._kept.people
        now = self.mirror.rows("people_log", "credentials")
        if version != now:
            with self.mirror.store.read() as connection:
                people = all_people(connection, active=False)
                passwords = dict(connection.execute("SELECT person_id, max(seq) FROM credentials GROUP BY person_id").fetchall())
            known = {item.person_id: (item, int(passwords.get(item.person_id, 0))) for item in people if item.active}
            self._kept.names = {item.person_id: item.name for item in people}
            self._kept.agents = {item.agent_id: item.name for item in people if item.agent_id}
            self._kept.people = (now, known)
        return known


def _named(names: dict[str, str], known_as: str) -> str:
    name = names.get(known_as, "")
    return f"{name}（{known_as}）" if name and name != known_as else known_as


def open_site(options: Options) -> Site:
    """A site on a store, which is made and brought up to date when needed. Nothing is read before ``start``."""
    from qa_pipeline.store import open_store
    from qa_pipeline.web.rulebook import RuleFolder
    from qa_pipeline.web.sounds import Sounds

    settings = options.settings
    plain = open_store(settings.db)
    if not settings.db.exists():
        with plain.write():
            pass
    with plain.read():
        pass
    path = settings.db.resolve()
    folder = work_folder(path)
    store = HeldStore(path)
    mirror = Mirror(store, folder)
    return Site(
        options=options,
        store=store,
        mirror=mirror,
        access=AccessLog(store, folder, mirror.settle),
        rules=RuleFolder(settings),
        sounds=Sounds(folder / "audio"),
        results=Cache(lambda: mirror.version, options.now),
    )


def work_folder(db: Path) -> Path:
    """Beside the database: the copy, decoded recordings, the journal of openings."""
    return db.with_name(db.name + ".web")
