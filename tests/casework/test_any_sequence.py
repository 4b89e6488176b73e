"""Any sequence of actions keeps the ledger equal to the sum of the live decisions, and every transaction balanced.

The model below knows only decisions, appeals and the policy's table; it prices them with arithmetic of its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from casework_make import Centre, finding
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from qa_pipeline.casework import appeals, cases, closing, reviews, sanctions
from qa_pipeline.casework.desk import Tx
from qa_pipeline.casework.reviews import Added, Judgement
from qa_pipeline.casework.values import AppealState, CaseState, Decision
from qa_pipeline.errors import CaseworkError

FINES = {"A04": 10, "A06": 30, "B3b": 10, "A11": 0, "B7": 500, "M08": 100, "A09": 30}
FATAL = ("A11", "B7")
SETS = (("A04",), ("A06", "B3b"), ("A04", "A11"), ("B7",), ("A04", "A06", "B3b", "A11"), ())
PEOPLE = ("lead", "lead2", "qa1", "qa2", "boss", "a1001", "chief1")


@dataclass
class Model:
    """One case as the test sees it. ``said``: finding → stands or not."""

    case_id: str
    clauses: tuple[str, ...]
    said: dict[str, bool] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    sanction: str = ""  # of B7: approve, money, decline
    void: bool = False

    def confirmed(self) -> tuple[Decimal, Decimal]:
        """What is certain, for the agent and for the supervisor."""
        if self.void:
            return Decimal(0), Decimal(0)
        stand = [clause for clause in self.clauses if self.said.get(clause)]
        amount = sum(FINES[clause] for clause in (*stand, *self.added) if clause != "B7")
        if "A06" in stand and "B3b" in stand:
            amount -= FINES["B3b"]  # one hang-up, fined once
        if any(clause in FATAL for clause in stand):
            amount += 50
        paid = "B7" in stand and self.sanction in ("approve", "money")
        return Decimal(amount + (500 if paid else 0)), Decimal(200 if paid else 0)


class Casework(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.models: list[Model] = []

    @initialize()
    def hire(self) -> None:
        self.centre = Centre(Path(self.folder.name) / "qa.duckdb")

    def teardown(self) -> None:
        self.folder.cleanup()

    def attempt(self, person: str, action: Callable[[Tx], object]) -> bool:
        """One action; refused actions change nothing. Returns whether it was done."""
        try:
            with self.centre.act(person) as tx:
                action(tx)
        except CaseworkError:
            return False
        return True

    @rule(clauses=st.sampled_from(SETS))
    def open_case(self, clauses: tuple[str, ...]) -> None:
        case = self.centre.case(*(finding(clause) for clause in clauses))
        self.models.append(Model(case.case_id, clauses))

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
        if self.attempt(*moves[action]) and action == "void":
            model.void = True

    @precondition(lambda self: any("B7" in model.clauses for model in self.models))
    @rule(data=st.data(), choice=st.sampled_from(("approve", "money", "decline")))
    def settle_sanction(self, data: st.DataObject, choice: str) -> None:
        model = data.draw(st.sampled_from([item for item in self.models if "B7" in item.clauses]))
        with self.centre.store.read() as connection:
            row = connection.execute("SELECT sanction_id FROM sanctions_now WHERE case_id = ?", [model.case_id]).fetchone()
        if row is not None and self.attempt("boss", lambda tx: sanctions.decide(tx, row[0], choice, "核实")):
            model.sanction = choice

    @precondition(lambda self: self.models)
    @rule(data=st.data(), step=st.sampled_from(("file", "comment", "uphold", "overturn", "escalate", "withdraw")))
    def appeal(self, data: st.DataObject, step: str) -> None:
        model = data.draw(st.sampled_from(self.models))
        if not model.clauses:
            return
        clause = data.draw(st.sampled_from(model.clauses))
        if step == "file":
            self.attempt("a1001", lambda tx: appeals.file(tx, model.case_id, clause, "不服"))
            return
        with self.centre.store.read() as connection:
            query = "SELECT appeal_id, state FROM appeals_now WHERE case_id = ? AND clause = ?"
            row = connection.execute(query, [model.case_id, clause]).fetchone()
        if row is None:
            return
        decider = "boss" if row[1] == AppealState.ESCALATED else "lead"
        steps: dict[str, tuple[str, Callable[[Tx], object]]] = {
            "comment": ("chief1", lambda tx: appeals.comment(tx, row[0], "请看")),
            "uphold": (decider, lambda tx: appeals.decide(tx, row[0], uphold_agent=False, note="维持")),
            "overturn": (decider, lambda tx: appeals.decide(tx, row[0], uphold_agent=True, note="成立")),
            "escalate": ("a1001", lambda tx: appeals.escalate(tx, row[0], "再看")),
            "withdraw": ("a1001", lambda tx: appeals.withdraw(tx, row[0])),
        }
        if self.attempt(*steps[step]) and step == "overturn":
            self._now_stands(model, clause, False)

    @rule(days=st.integers(1, 12))
    def time_passes(self, days: int) -> None:
        self.centre.now += timedelta(days=days)

    @rule()
    def close_a_month(self) -> None:
        last = (self.centre.now.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
        self.attempt("lead", lambda tx: closing.close_month(tx, last))

    @invariant()
    def ledger_is_the_sum_of_live_decisions(self) -> None:
        if not hasattr(self, "centre"):
            return
        for model in self.models:
            money = self.centre.money(model.case_id)
            agent, supervisor = model.confirmed()
            zero = (0, Decimal(0))
            certain = [money.get(f"agent {account}", zero)[1] for account in ("已确认", "已入账")]
            theirs = [money.get(f"supervisor {account}", zero)[1] for account in ("已确认", "已入账")]
            assert (sum(certain), sum(theirs)) == (agent, supervisor), (model, money)
        assert self.centre.problems() == []

    @invariant()
    def no_closed_case_has_an_open_decision(self) -> None:
        if not hasattr(self, "centre"):
            return
        with self.centre.store.read() as connection:
            finished = connection.execute("SELECT case_id FROM cases_now WHERE state = ?", [CaseState.FINISHED]).fetchall()
        for model in self.models:
            if (model.case_id,) in finished:
                assert set(model.said) == set(model.clauses)


Casework.TestCase.settings = settings(
    max_examples=6, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
TestCasework = Casework.TestCase
