"""Evaluation against labels, counted by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from qa_pipeline.errors import UserError
from qa_pipeline.evaluate import Counts, Evaluation, Labels, Mistake, Share, character_edits, evaluate, read_labels, role_share
from qa_pipeline.model import (
    AuditRun,
    CallData,
    Conversation,
    EngineInfo,
    Evidence,
    EvidenceKind,
    Outcome,
    Provenance,
    Role,
    RoleSource,
    Scorecard,
    Turn,
    Verdict,
)
from qa_pipeline.text.normalise import normalise

V, C, N = Verdict.VIOLATION, Verdict.CLEAR, Verdict.NOT_EVALUATED


def turn(index: int, role: Role, text: str, start_s: float, end_s: float) -> Turn:
    normal = normalise(text)
    return Turn(
        index=index,
        role=role,
        role_source=RoleSource.CUES,
        role_confidence=0.9,
        raw=text,
        text=normal.text,
        to_raw=normal.to_raw,
        start_s=start_s,
        end_s=end_s,
    )


def run(call_id: str, verdicts: dict[str, Verdict], turns: tuple[Turn, ...] = ()) -> AuditRun:
    outcomes = tuple(
        Outcome(
            clause=clause,
            rule_id=clause,
            title=clause,
            verdict=verdict,
            reason=f"{clause}的理由",
            evidence=(Evidence(kind=EvidenceKind.HIT, quote="原话"),) if verdict is V else (),
        )
        for clause, verdict in verdicts.items()
    )
    card = Scorecard(
        score=100,
        qualified=True,
        fatal=False,
        sale_invalid=False,
        violations=0,
        not_evaluated=0,
        fine_yuan=Decimal(0),
        supervisor_fine_yuan=Decimal(0),
        provisional=False,
    )
    engine = EngineInfo(name="e", model="", model_hash="")
    provenance = Provenance(audio_hash="", content_hash=call_id, engine=engine, rules_digest="", version="")
    conversation = Conversation(call=CallData(call_id=call_id), turns=turns)
    return AuditRun(run_id=call_id, conversation=conversation, outcomes=outcomes, scorecard=card, provenance=provenance)


def test_counts_by_hand() -> None:
    labels = Labels(
        expected={
            "a": {"A01": "违规", "A02": "违规", "A03": "违规", "A04": "不计"},
            "b": {"A01": "合规"},
            "c": {},
            "gone": {"A01": "违规"},
        }
    )
    runs = [
        run("a", {"A01": V, "A02": C, "A03": N, "A04": V, "A05": V}),
        run("b", {"A01": V, "A02": N, "A05": C}),
        run("c", {"A01": C, "A05": C}),
        run("unlabelled", {"A01": V}),
    ]
    found = evaluate(labels, runs)
    assert found == Evaluation(
        calls=3,
        clean_calls=2,
        clauses={
            "A01": Counts(hits=1, false=1, clear=1),
            "A02": Counts(missed=1, clear=1, unjudged=1),
            "A03": Counts(missed=1, unjudged=1),
            "A05": Counts(false=1, clear=2),
        },
        overall=Counts(hits=1, false=2, missed=2, clear=4, unjudged=2),
        false_on_clean=1,
        mistakes=(
            Mistake(call_id="a", clause="A02", kind="漏判", reason="A02的理由"),
            Mistake(call_id="a", clause="A03", kind="漏判（无法判定）", reason="A03的理由"),
            Mistake(call_id="a", clause="A05", kind="误判", reason="A05的理由", quote="原话"),
            Mistake(call_id="b", clause="A01", kind="误判", reason="A01的理由", quote="原话"),
        ),
        missing=("gone",),
    )
    assert (found.overall.precision, found.overall.recall, found.overall.f1) == (1 / 3, 1 / 3, 1 / 3)
    assert found.false_per_clean_call == 0.5


def test_mistakes_cover_the_customer() -> None:
    one = run("a", {"A05": V})
    (accused,) = one.outcomes
    proof = replace(accused.evidence[0], quote="李四先生，您的电话是13812345678")
    call = replace(one.conversation.call, customer_name="李四", customer_number="13812345678")
    one = replace(
        one,
        conversation=replace(one.conversation, call=call),
        outcomes=(replace(accused, evidence=(proof,), reason="说了13812345678"),),
    )
    assert evaluate(Labels(expected={"a": {}}), [one]).mistakes == (
        Mistake(call_id="a", clause="A05", kind="误判", reason="说了138****5678", quote="李*先生，您的电话是138****5678"),
    )


def test_a_rate_without_a_denominator_is_unknown_not_zero() -> None:
    nothing = evaluate(Labels(expected={"x": {}}), [])
    assert (nothing.overall.precision, nothing.overall.recall, nothing.overall.f1, nothing.false_per_clean_call) == (None,) * 4
    assert (nothing.roles, nothing.characters) == (None, None)


def test_role_share_is_counted_in_seconds_of_true_speech() -> None:
    talk = Conversation(
        call=CallData(call_id="x"),
        turns=(turn(0, Role.AGENT, "您好", 0, 4), turn(1, Role.AGENT, "嗯", 4, 5), turn(2, Role.UNKNOWN, "再见", 8, 10)),
    )
    truth = [
        {"role": "agent", "start_s": 0.5, "end_s": 4.0},
        {"role": "customer", "start_s": 4.0, "end_s": 5.0},
        {"role": "agent", "start_s": 9.0, "end_s": 10.0},
        {"role": "ivr", "start_s": 5.0, "end_s": 6.0},
        {"role": "agent"},
    ]
    assert role_share(talk, truth) == Share(part=3.5, whole=5.5)


def test_character_edits_ignore_script_width_punctuation_and_number_forms() -> None:
    talk = Conversation(
        call=CallData(call_id="x"), turns=(turn(1, Role.CUSTOMER, "不办", 3, 4), turn(0, Role.AGENT, "您好，每月５元", 0, 2))
    )
    assert character_edits(talk, "您好!每月五元。不辦") == Share(part=0.0, whole=8.0)
    assert character_edits(talk, "您好，每月六元，不办了") == Share(part=2.0, whole=9.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "缺少列 call_id"),
        ("call_id,clause,expected\n", "标注是空的"),
        ("call_id,clause,expected\nA,A01,也许\n", "labels.csv:2: expected 只能是"),
        ("call_id,clause,expected\nA,A01,违规\nA,A01,合规\n", "labels.csv:3: A 的 A01 写了两次"),
    ],
)
def test_labels_with_mistakes_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        read_labels(path)


def test_labels_with_their_references(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("\ufeffcall_id,clause,expected\nA,A01,违规\nA,A02,\nB,,\n", encoding="utf-8")
    (tmp_path / "reference.csv").write_text("call_id,reference\nA,您好\n", encoding="utf-8")
    (tmp_path / "truth.jsonl").write_text('{"call_id": "A", "turns": [{"role": "agent"}]}\n\n', encoding="utf-8")
    found = read_labels(path)
    assert found == Labels(
        expected={"A": {"A01": "违规", "A02": "违规"}, "B": {}},
        places={"A01": f"{path}:2", "A02": f"{path}:3"},
        reference={"A": "您好"},
        truth={"A": [{"role": "agent"}]},
    )
