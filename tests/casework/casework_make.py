"""A centre with invented people for the casework tests: everything that a person may do, without audio and without rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from qa_pipeline.casework import assigning, cases, closing, ledger, people, reviews
from qa_pipeline.casework.cases import Case, Opening
from qa_pipeline.casework.desk import Desk, Tx
from qa_pipeline.casework.reviews import Judgement
from qa_pipeline.casework.values import Account, Amount, CaseKind, Decision, Party, Person, Post
from qa_pipeline.model import (
    AuditRun,
    CallData,
    CallOutcome,
    CallType,
    Conversation,
    EngineInfo,
    Evidence,
    EvidenceKind,
    Outcome,
    Provenance,
    Recording,
    Role,
    RoleSource,
    Turn,
    Verdict,
)
from qa_pipeline.policy import Policy, load_policy
from qa_pipeline.resources import rules_dir
from qa_pipeline.scoring import score
from qa_pipeline.store import BatchInfo, open_store
from qa_pipeline.store.codec import digest

START = datetime(2026, 11, 2, 9, 0)
BATCH = BatchInfo(batch_id="b1", started_at="2026-11-02T08:00:00", command="import")
ENGINE = EngineInfo(name="imported", model="", model_hash="")
TITLES = {
    "A04": "服务忌语",
    "A06": "主动挂机",
    "A11": "未说明资费",
    "B3b": "未完成通话主动挂断",
    "B5": "欺骗误导",
    "B7": "出言不逊",
}
POLICY: Policy = load_policy(rules_dir() / "policy.yaml")
TEAM = (
    Person(person_id="admin", name="管理员", posts=(Post.ADMIN,)),
    Person(person_id="boss", name="钟经理", posts=(Post.MANAGER,)),
    Person(person_id="lead", name="方组长", posts=(Post.QA_LEAD,)),
    Person(person_id="lead2", name="袁组长", posts=(Post.QA_LEAD,)),
    Person(person_id="qa1", name="江质检", posts=(Post.QA,)),
    Person(person_id="qa2", name="沈质检", posts=(Post.QA,)),
    Person(person_id="qa3", name="秦质检", posts=(Post.QA, Post.AGENT), agent_id="1003", team="二组"),
    Person(person_id="chief1", name="林涛", posts=(Post.TEAM_LEADER, Post.QA), team="一组"),
    Person(person_id="a1001", name="周宁", posts=(Post.AGENT,), agent_id="1001", team="一组"),
    Person(person_id="a1002", name="顾晓", posts=(Post.AGENT,), agent_id="1002", team="一组"),
)


def finding(clause: str, ordinal: int = 0, *, quote: str = "", turn: int = 0, review: bool = False) -> Outcome:
    evidence = Evidence(
        kind=EvidenceKind.HIT,
        quote=quote or f"{clause} 的原话{ordinal}",
        turn=turn,
        role=Role.AGENT,
        start_s=3.0 + ordinal,
        end_s=5.0,
    )
    title = TITLES.get(clause, clause)
    return Outcome(
        clause=clause,
        rule_id=clause,
        title=title,
        verdict=Verdict.VIOLATION,
        reason=f"{title}的理由",
        ordinal=ordinal,
        review=review,
        evidence=(evidence,),
    )


def clear(clause: str) -> Outcome:
    return Outcome(clause=clause, rule_id=clause, title=TITLES.get(clause, clause), verdict=Verdict.CLEAR, reason="没有发现")


def conversation(call: CallData, said: str = "您好 不知道就别说了") -> Conversation:
    turns = tuple(
        Turn(
            index=index,
            role=role,
            role_source=RoleSource.IMPORTED,
            role_confidence=1.0,
            raw=text,
            text=text,
            to_raw=tuple(range(len(text))),
            start_s=4.0 * index,
            end_s=4.0 * index + 3.5,
        )
        for index, (role, text) in enumerate(((Role.AGENT, said), (Role.CUSTOMER, "不用了"), (Role.AGENT, "再见")))
    )
    return Conversation(call=call, turns=turns, duration_s=60.0)


def run_of(call: CallData, outcomes: tuple[Outcome, ...], *, recording: Recording | None = None) -> AuditRun:
    return judged(conversation(call), outcomes, recording=recording)


def judged(talk: Conversation, outcomes: tuple[Outcome, ...], *, recording: Recording | None = None) -> AuditRun:
    provenance = Provenance(
        audio_hash=recording.audio_hash if recording else "",
        content_hash=digest((digest(talk), digest(outcomes))),
        engine=ENGINE,
        rules_digest="rules-1",
        version="1.0",
    )
    return AuditRun(
        run_id="r" + digest(provenance)[:16],
        conversation=talk,
        outcomes=outcomes,
        scorecard=score(POLICY, talk, outcomes),
        provenance=provenance,
        recording=recording,
    )


class Centre:
    """The store of one centre. ``now`` moves on by a minute with every action, or by hand."""

    def __init__(self, path: Path, *, staffed: bool = True) -> None:
        self.store = open_store(path, patience_s=20.0)
        self.desk = Desk(store=self.store, policy=POLICY)
        self.now = START
        self.calls = 0
        if staffed:
            with self.desk.found(self.now) as tx:
                for person in TEAM:
                    people.save_person(tx, person)

    def act(self, person_id: str, **later: float) -> AbstractContextManager[Tx]:
        self.now += timedelta(**later) if later else timedelta(minutes=1)
        return self.desk.act(person_id, self.now)

    def call(self, *outcomes: Outcome, recording: Recording | None = None, **fields: object) -> str:
        """Stores a judged call and returns its id."""
        self.calls += 1
        base = CallData(
            call_id=f"call-{self.calls:04d}",
            agent_id="1001",
            agent_name="周宁",
            team="一组",
            supervisor="林涛",
            customer_number=f"1390000{self.calls:04d}",
            customer_name="赵小满",
            started_at=self.now.isoformat(),
            call_type=CallType.SALE,
            outcome=CallOutcome.SUCCESS,
            product="天气预报",
        )
        call = replace(base, **fields)  # type: ignore[arg-type]
        self.store.save([run_of(call, outcomes, recording=recording)], BATCH)
        return call.call_id

    def case(self, *outcomes: Outcome, reviewer: str = "qa1", kind: CaseKind = CaseKind.PRIMARY, **fields: object) -> Case:
        """A judged call with a case on the reviewer's desk."""
        call_id = self.call(*outcomes, **fields)  # type: ignore[arg-type]
        with self.act("lead") as tx:
            case = cases.open_case(tx, Opening(call_id=call_id, reason="日常抽查", kind=kind))
            return assigning.assign(tx, case.case_id, reviewer)

    def decide(self, case: Case, name: str, decision: Decision = Decision.CONFIRM, *, by: str = "qa1") -> Case:
        with self.act(by) as tx:
            return reviews.decide(tx, case.case_id, Judgement(finding=name, decision=decision, reason="听过了"))

    def finish(self, case: Case, *, by: str = "qa1") -> Case:
        with self.act(by) as tx:
            return reviews.finish(tx, case.case_id)

    def done(self, *outcomes: Outcome, confirm: tuple[str, ...] = (), reviewer: str = "qa1", **fields: object) -> Case:
        """A finished case in which the named findings are confirmed and the others rejected."""
        case = self.case(*outcomes, reviewer=reviewer, **fields)
        for outcome in outcomes:
            if outcome.verdict is Verdict.VIOLATION:
                name = f"{outcome.rule_id}#{outcome.ordinal}"
                chosen = Decision.CONFIRM if name in confirm or outcome.clause in confirm else Decision.REJECT
                self.decide(case, name, chosen, by=reviewer)
        return self.finish(case, by=reviewer)

    def money(self, case_id: str | None = None) -> dict[str, tuple[int, Decimal]]:
        """ "party account" → points and yuan, source left out, zeros left out."""
        with self.store.read() as connection:
            rows = connection.execute(
                """SELECT party, account, sum(points)::INTEGER, sum(yuan)::DECIMAL(12,2) FROM ledger_entries
                   WHERE (? IS NULL OR case_id = ?) AND account <> ? GROUP BY ALL HAVING sum(points) <> 0 OR sum(yuan) <> 0""",
                [case_id, case_id, Account.SOURCE],
            ).fetchall()
        return {f"{party} {account}": (points, yuan) for party, account, points, yuan in rows}

    def problems(self) -> list[str]:
        """What the ledger check and the log check say."""
        from qa_pipeline.casework import log

        with self.desk.act("admin", self.now) as tx:
            broken = log.verify(tx.connection)
            return closing.check(tx) + ([f"日志第 {broken} 行"] if broken else [])


@contextmanager
def held_open(centre: Centre) -> Iterator[None]:
    """The file stays open: opening and checkpointing it for every action is two thirds of the time of a long sequence (2026-11-22),
    and locks, kills and half-written files have tests of their own. Every action still is a transaction on its own connection."""
    connections = centre.store._connections  # type: ignore[attr-defined]
    file = connections._open(read_only=False)
    connections._open = lambda *, read_only: file.cursor()
    try:
        yield
    finally:
        file.close()


def total(tx: Tx, party: Party, account: Account) -> Amount:
    return ledger.totals(tx)[party, account]
