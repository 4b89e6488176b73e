"""Any sequence of actions keeps the ledger equal to the sum of the live decisions, and every transaction balanced.

The model below knows only decisions, appeals and the policy's table; it prices them with arithmetic of its own.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from casework_make import Centre, finding, held_open
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from qa_pipeline.casework import appeals, cases, closing, complaints, reviews, sanctions
from qa_pipeline.casework.complaints import Received
from qa_pipeline.casework.desk import Tx
from qa_pipeline.casework.reviews import Added, Judgement
from qa_pipeline.casework.values import AppealState, CaseState, Decision, Party
from qa_pipeline.errors import CaseworkError

FINES = {"A04": 10, "A06": 30, "B3b": 10, "A11": 0, "B7": 500, "M08": 100, "A09": 30}
FATAL = ("A11", "B7")
SETS = (("A04",), ("A06", "B3b"), ("A04", "A11"), ("B7",), ("A04", "A06", "B3b", "A11"), ())
PEOPLE = ("lead", "lead2", "qa1", "qa2", "boss", "a1001", "chief1")


@dataclass
class Model:
    """One case as the test sees it. ``said``: finding → stands or not."""

    case_id: str
    call_id: str
    clauses: tuple[str, ...]
    said: dict[str, bool] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    sanction: str = ""  # of B7: approve, money, decline
    void: bool = False
    complaint: str = ""  # open, upheld, dismissed: the only one of its call

    def confirmed(self) -> tuple[Decimal, Decimal]:
        """What is certain, for the agent and for the supervisor."""
        if self.void:
            return Decimal(0), Decimal(0)  # a void case takes its complaint along
        stand = [clause for clause in self.clauses if self.said.get(clause)]
        amount = sum(FINES[clause] for clause in (*stand, *self.added) if clause != "B7")
        if "A06" in stand and "B3b" in stand:
            amount -= FINES["B3b"]  # one hang-up, fined once
        if any(clause in FATAL for clause in stand):
            amount += 50
        if self.complaint == "upheld":
            amount += 100
        paid = "B7" in stand and self.sanction in ("approve", "money")
        return Decimal(amount + (500 if paid else 0)), Decimal(200 if paid else 0)


BEGUN: dict[str, Any] = {}  # where every sequence starts: made once, copied for each


def _begun() -> Path:
    if not BEGUN:
        BEGUN["folder"] = tempfile.TemporaryDirectory()
        BEGUN["path"] = Path(BEGUN["folder"].name) / "qa.duckdb"
        centre = Centre(BEGUN["path"])
        models: list[Model] = []
        for clauses in (("A04", "A11"), ("B7",), ("A06", "B3b")):
            case = centre.case(*(finding(clause) for clause in clauses))
            models.append(Model(case.case_id, case.call_id, clauses))
            if len(models) < 3:
                for clause in clauses:
                    centre.decide(case, clause)
                    models[-1].said[clause] = True
                centre.finish(case)
        BEGUN["models"], BEGUN["now"] = models, centre.now
    path: Path = BEGUN["path"]
    return path


EVER: set[str] = set()  # what the sequences came to, so that the test cannot pass by doing nothing


class Casework(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.models: list[Model] = []
        self.reached: set[str] = set()

    @initialize()
    def start(self) -> None:
        """Starts deep: two finished cases with confirmed findings, one under review."""
        shutil.copy(_begun(), Path(self.folder.name) / "qa.duckdb")
        self.centre = Centre(Path(self.folder.name) / "qa.duckdb", staffed=False)
        self.centre.now, self.centre.calls = BEGUN["now"], len(BEGUN["models"])
        self.models = [replace(model, said=dict(model.said), added=[]) for model in BEGUN["models"]]
        self.open = ExitStack()
        self.open.enter_context(held_open(self.centre))

    def attempt(self, person: str, action: Callable[[Tx], object]) -> bool:
        """One action; refused actions change nothing. Returns whether it was done."""
        try:
            with self.centre.act(person) as tx:
                action(tx)
        except CaseworkError:
            return False
        return True

    @rule(clauses=st.sampled_from(SETS))
    def another_case(self, clauses: tuple[str, ...]) -> None:
        self.open_case(clauses)

    def open_case(self, clauses: tuple[str, ...]) -> None:
        case = self.centre.case(*(finding(clause) for clause in clauses))
        self.models.append(Model(case.case_id, case.call_id, clauses))

    @precondition(lambda self: self.models)
    @rule(data=st.data(), decision=st.sampled_from((Decision.CONFIRM, Decision.REJECT, Decision.CANNOT_TELL)))
    def decide(self, data: st.DataObject, decision: Decision) -> None:
        model = data.draw(st.sampled_from(self.models))
        if not model.clauses:
            return
        clause = data.draw(st.sampled_from(model.clauses))
        said = Judgement(finding=clause, decision=decision, reason="听过")
        if self.attempt(data.draw(st.sampled_from(PEOPLE)), lambda tx: reviews.decide(tx, model.case_id, said)):
            self._now_stands(model, clause, decision is Decision.CONFIRM)

    def _now_stands(self, model: Model, clause: str, stands: bool) -> None:
        """A sanction that was withdrawn with its finding is to be decided anew."""
        if clause == "B7" and model.said.get("B7") and not stands:
            model.sanction = ""
        model.said[clause] = stands

    @precondition(lambda self: self.models)
    @rule(data=st.data(), clause=st.sampled_from(("M08", "A09")))
    def add(self, data: st.DataObject, clause: str) -> None:
        model = data.draw(st.sampled_from(self.models))
        if self.attempt("qa1", lambda tx: reviews.add_finding(tx, model.case_id, Added(clause=clause, reason="补充"))):
            model.added.append(clause)

    @precondition(lambda self: self.models)
    @rule(data=st.data(), action=st.sampled_from(("finish", "reopen", "void")))
    def move(self, data: st.DataObject, action: str) -> None:
        model = data.draw(st.sampled_from(self.models))
        moves: dict[str, tuple[str, Callable[[Tx], object]]] = {
            "finish": ("qa1", lambda tx: reviews.finish(tx, model.case_id)),
            "reopen": ("lead", lambda tx: cases.reopen(tx, model.case_id, "复听")),
            "void": ("lead", lambda tx: cases.void(tx, model.case_id, "测试通话")),
        }
        if self.attempt(*moves[action]):
            model.void = model.void or action == "void"
            self.reached |= {"void": {"void"}, "reopen": {"reopened"}}.get(action, set())

    @precondition(lambda self: any("B7" in model.clauses for model in self.models))
    @rule(data=st.data(), choice=st.sampled_from(("approve", "money", "decline")))
    def settle_sanction(self, data: st.DataObject, choice: str) -> None:
        model = data.draw(st.sampled_from([item for item in self.models if "B7" in item.clauses]))
        with self.centre.store.read() as connection:
            row = connection.execute("SELECT sanction_id FROM sanctions_now WHERE case_id = ?", [model.case_id]).fetchone()
        if row is not None and self.attempt("boss", lambda tx: sanctions.decide(tx, row[0], choice, "核实")):
            model.sanction = choice
            self.reached.add("sanctioned")

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def review_to_the_end(self, data: st.DataObject) -> None:
        model = data.draw(st.sampled_from(self.models))
        for clause in model.clauses:
            decision = data.draw(st.sampled_from((Decision.CONFIRM, Decision.CONFIRM, Decision.REJECT)))
            said = Judgement(finding=clause, decision=decision, reason="听过")
            if self.attempt("qa1", lambda tx, said=said: reviews.decide(tx, model.case_id, said)):  # type: ignore[misc]
                self._now_stands(model, clause, decision is Decision.CONFIRM)
        self.attempt("qa1", lambda tx: reviews.finish(tx, model.case_id))

    @precondition(lambda self: any(model.clauses for model in self.models))
    @rule(data=st.data(), upheld=st.booleans())
    def appeal(self, data: st.DataObject, upheld: bool) -> None:
        self._appeal_step(data, upheld=upheld)

    def _appeal_step(self, data: st.DataObject, *, upheld: bool) -> None:
        """The next step of an appeal against one finding, whatever it is now."""
        model = data.draw(st.sampled_from([item for item in self.models if item.clauses]))
        clause = data.draw(st.sampled_from([item for item in model.clauses if model.said.get(item)] or list(model.clauses)))
        with self.centre.store.read() as connection:
            query = "SELECT appeal_id, state FROM appeals_now WHERE case_id = ? AND clause = ?"
            row = connection.execute(query, [model.case_id, clause]).fetchone()
        if row is None:
            self.attempt("a1001", lambda tx: appeals.file(tx, model.case_id, clause, "不服"))
            return
        decider = "boss" if row[1] == AppealState.ESCALATED else "lead"
        decide = (decider, lambda tx: appeals.decide(tx, row[0], uphold_agent=upheld, note="听过"))
        steps: dict[str, tuple[str, Callable[[Tx], object]]] = {
            AppealState.FILED: ("chief1", lambda tx: appeals.comment(tx, row[0], "请看")),
            AppealState.COMMENTED: decide,
            AppealState.UPHELD: ("a1001", lambda tx: appeals.escalate(tx, row[0], "再看")),
            AppealState.ESCALATED: decide,
        }
        if self.attempt(*steps.get(row[1], ("a1001", lambda tx: appeals.withdraw(tx, row[0])))):
            with self.centre.store.read() as connection:
                now = connection.execute("SELECT state FROM appeals_now WHERE appeal_id = ?", [row[0]]).fetchone()
            if now == (AppealState.OVERTURNED,):
                self.reached.add("overturned")
                self._now_stands(model, clause, False)

    @precondition(lambda self: any(model.complaint in ("", "open") for model in self.models))
    @rule(data=st.data(), upheld=st.booleans())
    def complain(self, data: st.DataObject, upheld: bool) -> None:
        """A customer complains about a call, whatever its case is at; the next time the complaint is settled."""
        model = data.draw(st.sampled_from([item for item in self.models if item.complaint in ("", "open")]))
        if not model.complaint:
            received = Received(
                customer_number="13900000000", content="没说资费", received_at=self.centre.now, call_id=model.call_id
            )
            if self.attempt("qa1", lambda tx: complaints.register(tx, received)):
                model.complaint = "open"
            return
        with self.centre.store.read() as connection:
            row = connection.execute("SELECT complaint_id FROM complaints WHERE call_id = ?", [model.call_id]).fetchone()
        assert row is not None
        if self.attempt("boss", lambda tx: complaints.settle(tx, row[0], upheld=upheld, note="已核实")):
            model.complaint = "upheld" if upheld else "dismissed"
            self.reached.add("complained")

    @rule(days=st.integers(1, 12))
    def time_passes(self, days: int) -> None:
        self.centre.now += timedelta(days=days)

    @rule()
    def close_a_month(self) -> None:
        last = (self.centre.now.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
        if self.attempt("lead", lambda tx: closing.close_month(tx, last)):
            self.reached.add("closed")

    @precondition(lambda self: self.models)
    @rule(data=st.data(), first=st.booleans(), second=st.booleans())
    def appeal_to_the_end(self, data: st.DataObject, first: bool, second: bool) -> None:
        for upheld in (None, None, first, None, second):
            self._appeal_step(data, upheld=bool(upheld))

    @invariant()
    def ledger_is_the_sum_of_live_decisions(self) -> None:
        if not hasattr(self, "centre"):
            return
        certain = dict.fromkeys(((model.case_id, party) for model in self.models for party in Party), Decimal(0))
        with self.centre.store.read() as connection:
            rows = connection.execute(
                "SELECT case_id, party, sum(yuan) FROM ledger_entries WHERE account IN ('已确认', '已入账') GROUP BY ALL"
            ).fetchall()
            done = connection.execute("SELECT case_id FROM cases_now WHERE state = ?", [CaseState.FINISHED]).fetchall()
        certain |= {(case_id, Party(party)): yuan for case_id, party, yuan in rows}
        for model in self.models:
            assert (certain[model.case_id, Party.AGENT], certain[model.case_id, Party.SUPERVISOR]) == model.confirmed(), model
            if (model.case_id,) in done:
                assert set(model.said) == set(model.clauses)  # no closed case has an open decision

    def teardown(self) -> None:
        """The program's own check of every balance, posting, closing and log row."""
        if hasattr(self, "centre"):
            assert self.centre.problems() == []
            self.open.close()
        EVER.update(self.reached)
        self.folder.cleanup()


Casework.TestCase.settings = settings(
    max_examples=14, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@pytest.mark.slow
class TestCasework(Casework.TestCase):  # type: ignore[misc]
    def runTest(self) -> None:
        super().runTest()
        assert {"overturned", "closed", "sanctioned", "void", "reopened", "complained"} == EVER
