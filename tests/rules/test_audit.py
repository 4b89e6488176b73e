"""The fairness of the machine: order never matters, nothing leaks, nothing that breaks or is doubtful accuses anybody."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qa_pipeline.audit import audit, audit_one, violations
from qa_pipeline.model import (
    CallOutcome,
    CallType,
    Conversation,
    EvidenceKind,
    Fitness,
    FitnessFact,
    Outcome,
    Role,
    RoleSource,
    Verdict,
    VoicedSpan,
)
from qa_pipeline.resources import lexicons_dir, rules_dir
from qa_pipeline.rules.book import RuleBook
from qa_pipeline.rules.examples import conversation_of
from qa_pipeline.rules.load import load_book
from tests.rules.support import book, phrase, rule, shipped, told
from tests.signals.support import call, turn

MUST = rule("M01", signals={"thanks": phrase("感谢您的接听", label="感谢")}, judge={"must": ["thanks"]})
MUST_NOT = rule("N01")


def guessed(conversation: Conversation, confidence: float) -> Conversation:
    turns = tuple(replace(item, role_source=RoleSource.CUES, role_confidence=confidence) for item in conversation.turns)
    return replace(conversation, turns=turns)


def verdicts(made: RuleBook, conversation: Conversation) -> list[tuple[str, bool]]:
    return [(item.verdict.value, item.review) for item in audit(made, conversation)]


def sample_calls(count: int) -> list[Conversation]:
    examples = [example for item in shipped().rules for example in (*item.spec.examples.violating, *item.spec.examples.clear)]
    chosen = random.Random(7).sample(examples, count)
    calls = [conversation_of(example, f"c{nth}") for nth, example in enumerate(chosen)]
    return [guessed(item, 0.9) if nth % 3 == 0 else item for nth, item in enumerate(calls)]


def by_rule(outcomes: tuple[Outcome, ...]) -> list[Outcome]:
    return sorted(outcomes, key=lambda item: (item.rule_id, item.ordinal))


@pytest.mark.parametrize("matching", ["tolerant", "characters"])
def test_the_order_of_rules_and_calls_changes_nothing(matching: Any) -> None:
    """Two rules may share everything about a signal but how strictly it is matched; calls share nothing."""
    made = shipped() if matching == "tolerant" else load_book(rules_dir(), lexicons_dir(), matching)
    calls = sample_calls(12)
    first = [by_rule(audit(made, item)) for item in calls]
    draw = random.Random(11)
    for _ in range(3):
        shuffled = replace(made, rules=tuple(draw.sample(made.rules, len(made.rules))))
        order = draw.sample(range(len(calls)), len(calls))
        again = {nth: by_rule(audit(shuffled, calls[nth])) for nth in order}
        assert [again[nth] for nth in range(len(calls))] == first


def test_a_rule_sees_nothing_of_the_others() -> None:
    for conversation in sample_calls(4):
        alone = [outcome for item in shipped().rules for outcome in audit_one(shipped(), item, conversation)]
        assert alone == list(audit(shipped(), conversation))


def test_every_rule_answers_every_call_even_an_empty_one() -> None:
    for conversation in (call(), call("？：喂"), call(turn("客：你好"), turn("坐：您好"))):
        outcomes = audit(shipped(), conversation)
        assert {item.rule_id for item in outcomes} == {item.spec.rule for item in shipped().rules}
        assert all(item.reason for item in outcomes)
        assert "规则运行出错" not in "".join(item.reason for item in outcomes)
    assert violations(audit(shipped(), call())) == violations(audit(shipped(), call("？：喂"))) == ()


def test_a_rule_that_raises_is_not_evaluated_and_the_others_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = book(tmp_path, MUST_NOT, rule("N02", signals={"said": phrase("丑话")}), MUST)

    def breaks(ctx: object) -> tuple[()]:
        raise ZeroDivisionError("本该除得尽")

    broken = tuple(
        replace(item, signals={"said": replace(item.signals["said"], find=breaks)}) if item.clause == "N01" else item
        for item in made.rules
    )
    outcomes = audit(replace(made, rules=broken), call("坐：坏话，丑话"))
    assert told(outcomes) == [
        ("M01", "违规", "没有听到：感谢"),
        ("N01", "无法判定", "规则运行出错（ZeroDivisionError），请把本规则与通话编号告诉维护者"),
        ("N02", "违规", "丑话：“丑话”"),
    ]
    assert "N01-test" in caplog.text and "本该除得尽" in caplog.text


def condition(folder: Path, *conditions: dict[str, Any], needs: list[str] | None = None) -> RuleBook:
    return book(folder, rule(applies=list(conditions), needs=needs))


SOLD, TRIAL = {"sold": True}, {"field": "trial_days", "at_least": 1}


@pytest.mark.parametrize(
    ("data", "verdict", "reason"),
    [
        ({"outcome": CallOutcome.SUCCESS, "trial_days": 30}, "违规", "坏话：“坏话”"),
        ({"outcome": CallOutcome.SUCCESS, "trial_days": 0}, "不适用", "trial_days 为 0"),
        ({"outcome": CallOutcome.SUCCESS}, "无法判定", "通话数据缺少 trial_days"),
        ({"outcome": CallOutcome.REFUSED}, "不适用", "不是成交的通话"),
        ({"outcome": CallOutcome.SUCCESS, "call_type": CallType.CONFIRM, "trial_days": 30}, "不适用", "不是成交的通话"),
        ({"trial_days": 30}, "无法判定", "通话数据没有写结果，也没有听到为客户开通，不知是否成交"),
        ({"trial_days": 0}, "不适用", "trial_days 为 0"),  # whatever the first would say: one condition is certainly not met
        ({"outcome": CallOutcome.REFUSED, "trial_days": 30}, "不适用", "不是成交的通话"),
    ],
)
def test_conditions_have_three_answers_and_no_beats_unknown(
    tmp_path: Path, data: dict[str, Any], verdict: str, reason: str
) -> None:
    for nth, order in enumerate(([SOLD, TRIAL], [TRIAL, SOLD])):
        made = condition(tmp_path / str(nth), *order)
        assert told(audit(made, call("坐：坏话", **data))) == [("X01", verdict, reason)]


@pytest.mark.parametrize(
    ("said", "data", "settled", "is_sold"),
    [
        ("好的，已经给您开通了", {"outcome": CallOutcome.SUCCESS}, True, True),
        ("好的", {"outcome": CallOutcome.SUCCESS, "call_type": CallType.CONFIRM}, True, False),
        ("好的", {"outcome": CallOutcome.REFUSED, "call_type": CallType.CONFIRM}, False, False),
        ("好的", {"outcome": CallOutcome.SUCCESS, "call_type": CallType.REVISIT}, False, False),
        ("已经给您开通了", {"outcome": CallOutcome.SUCCESS, "call_type": CallType.SERVICE, "product": "流量包"}, True, True),
        ("已经给您开通了", {"outcome": CallOutcome.SUCCESS, "call_type": CallType.SERVICE}, False, False),
        ("已经给您修好了", {"outcome": CallOutcome.SUCCESS, "call_type": CallType.SERVICE, "product": "流量包"}, False, False),
        ("已经给您开通了", {"outcome": CallOutcome.OTHER, "call_type": CallType.SERVICE, "product": "流量包"}, False, False),
    ],
)
def test_what_is_settled_and_what_is_sold(tmp_path: Path, said: str, data: dict[str, Any], settled: bool, is_sold: bool) -> None:
    """A confirmation is settled, not sold; a service call is sold where a product is told and heard to be opened."""
    for key, wanted in (("settled", settled), ("sold", is_sold)):
        made = condition(tmp_path / key, {key: True})
        assert told(audit(made, call(f"坐：坏话，{said}", **data)))[0][1] == ("违规" if wanted else "不适用"), key


def test_a_sale_is_heard_where_the_call_data_do_not_tell(tmp_path: Path) -> None:
    made = condition(tmp_path, SOLD)
    assert told(audit(made, call("坐：坏话，已经给您开通了"))) == [("X01", "违规", "坏话：“坏话”")]
    assert told(audit(made, call("坐：坏话", outcome=CallOutcome.OTHER)))[0][1] == "不适用"
    not_sold = condition(tmp_path / "n", {"sold": False, "otherwise": "卖成了"})
    assert told(audit(not_sold, call("坐：坏话", outcome=CallOutcome.SUCCESS))) == [("X01", "不适用", "卖成了")]
    assert told(audit(not_sold, call("坐：坏话", outcome=CallOutcome.REFUSED)))[0][1] == "违规"


@pytest.mark.parametrize(
    ("one", "data", "verdict"),
    [
        ({"field": "line", "in": ["10088"]}, {"line": "10088"}, "违规"),
        ({"field": "line", "in": ["10088"]}, {"line": "10086"}, "不适用"),
        ({"field": "line", "in": ["10088"]}, {}, "无法判定"),
        ({"field": "line", "not_in": ["10088"]}, {"line": "10088"}, "不适用"),
        ({"field": "line", "not_in": ["10088"]}, {}, "违规"),
        ({"field": "时长", "at_least": 60}, {"extra": (("时长", "60"),)}, "违规"),
        ({"field": "时长", "at_least": 60}, {"extra": (("时长", "59.9"),)}, "不适用"),
        ({"field": "时长", "at_least": 60}, {"extra": (("时长", "一分钟"),)}, "无法判定"),
        ({"min_agent_turns": 1}, {}, "违规"),
        ({"min_agent_turns": 2}, {}, "不适用"),
        ({"min_agent_chars": 4}, {}, "违规"),
        ({"min_agent_chars": 5}, {}, "不适用"),
        ({"min_talk_s": 0.8}, {}, "违规"),
        ({"min_talk_s": 0.9}, {}, "不适用"),
    ],
)
def test_each_kind_of_condition_at_its_limit(tmp_path: Path, one: dict[str, Any], data: dict[str, Any], verdict: str) -> None:
    assert [item.verdict.value for item in audit(condition(tmp_path, one), call("坐：说坏话了", **data))] == [verdict]


def test_conditions_on_what_was_said(tmp_path: Path) -> None:
    signals = {"said": phrase("坏话"), "sale": phrase("办一个", label="推销")}
    found = book(tmp_path, rule(signals=signals, applies=[{"found": "sale"}]))
    absent = book(tmp_path / "n", rule(signals=signals, applies=[{"not_found": "sale"}]))
    assert told(audit(found, call("坐：坏话"))) == [("X01", "不适用", "没有听到“推销”")]
    assert told(audit(found, call("坐：坏话，办一个")))[0][1] == "违规"
    assert told(audit(absent, call("坐：坏话，办一个"))) == [("X01", "不适用", "听到了“推销”")]
    assert told(audit(absent, call("坐：坏话")))[0][1] == "违规"


MUSIC = FitnessFact(kind=Fitness.TRUNCATED, value=1.0, message="结尾缺失")


@pytest.mark.parametrize(
    ("need", "lacking", "reason"),
    [
        ("agent", call("客：坏话"), "没有听到坐席说话"),
        ("agent", call("？：坏话"), "分不清哪些话是坐席说的"),
        ("customer", call("坐：坏话"), "没有听到客户说话"),
        ("customer", call("坐：坏话", "？：好"), "分不清哪些话是客户说的"),
        ("times", call(turn("坐：坏话")), "没有时间信息"),
        ("audio", call("坐：坏话"), "没有录音，无法测量"),
        ("two_channels", call("坐：坏话", channels=1), "单声道录音，分不出两人是否同时说话"),
        ("sure_roles", guessed(call("坐：坏话"), 0.59), "说话人分辨不够可靠"),
        ("loudness", call("坐：坏话"), "没有音量数据"),
        ("pitch", call("坐：坏话"), "没有音高数据"),
        ("history", call("坐：坏话"), "看不到同一客户的其他通话"),
        ("charge_due", call("坐：坏话"), "看不到同一客户的其他通话"),
        ("closing", replace(call("坐：坏话"), fitness=(MUSIC,)), "录音不完整，结尾缺失"),
        ("hangup_by", call("坐：坏话"), "通话数据缺少 hangup_by"),
        ("customer_name", call("坐：坏话", customer_name=""), "通话数据缺少 customer_name"),
    ],
)
def test_what_is_not_known_is_not_evaluated(tmp_path: Path, need: str, lacking: Conversation, reason: str) -> None:
    assert told(audit(book(tmp_path, rule(needs=[need])), lacking)) == [("X01", "无法判定", reason)]


def test_what_is_known_is(tmp_path: Path) -> None:
    needs = [
        "agent",
        "customer",
        "times",
        "audio",
        "two_channels",
        "sure_roles",
        "loudness",
        "pitch",
        "closing",
        "hangup_at",
        "line",
    ]
    said = call(
        turn("坐：坏话", 0.0, 1.0, loudness_db=-20.0, pitch_st=2.0),
        turn("客：好", 1.0, 2.0),
        voiced=(VoicedSpan(role=Role.AGENT, start_s=0.0, end_s=1.0),),
        channels=2,
        hangup_at=0.0,
        line="10088",
    )
    made = book(tmp_path, rule(needs=needs))
    assert [item.verdict for item in audit(made, said)] == [Verdict.VIOLATION]
    assert [item.verdict for item in audit(made, guessed(said, 0.6))] == [Verdict.VIOLATION]


def test_with_guessed_roles_an_omission_is_only_one_if_nobody_said_it(tmp_path: Path) -> None:
    made = book(tmp_path, MUST)
    said = call("坐：再见", "客：感谢您的接听")
    assert verdicts(made, said) == [("违规", False)]
    assert verdicts(made, guessed(said, 0.99)) == [("合规", False)]
    assert verdicts(made, guessed(call("坐：再见", "客：好"), 0.99)) == [("违规", False)]
    searched = next(
        item for item in audit(made, guessed(call("坐：再见", "客：好"), 0.99))[0].evidence if item.kind is EvidenceKind.SEARCHED
    )
    assert (searched.role, searched.quote, searched.note) == (None, "再见／好", "在这一段里找：感谢（共 2 个话轮）")


@pytest.mark.parametrize(
    ("confidence", "verdict"),
    [
        (1.0, ("违规", False)),
        (0.85, ("违规", False)),
        (0.849, ("违规", True)),
        (0.6, ("违规", True)),
        (0.599, ("无法判定", False)),
        (0.0, ("无法判定", False)),
    ],
)
def test_a_guessed_speaker_is_reviewed_and_below_the_floor_not_accused(
    tmp_path: Path, confidence: float, verdict: tuple[str, bool]
) -> None:
    assert verdicts(book(tmp_path, MUST_NOT), guessed(call("坐：坏话"), confidence)) == [verdict]


def test_a_known_speaker_needs_no_confidence(tmp_path: Path) -> None:
    said = call("坐：坏话")
    for source in RoleSource:
        turns = tuple(replace(item, role_source=source, role_confidence=0.1) for item in said.turns)
        expected = ("违规", False) if source.known else ("无法判定", False)
        assert verdicts(book(tmp_path, MUST_NOT), replace(said, turns=turns)) == [expected]


def test_the_least_sure_speaker_of_all_hits_decides(tmp_path: Path) -> None:
    made = book(tmp_path, rule(judge={"at_most": {"signal": "said", "times": 1}}))
    said = guessed(call("坐：坏话", "客：嗯？", "坐：坏话"), 0.9)
    unsure = replace(said, turns=(*said.turns[:2], replace(said.turns[2], role_confidence=0.5)))
    assert verdicts(made, said) == [("违规", False)]
    assert told(audit(made, unsure)) == [("N01".replace("N", "X"), "无法判定", "说话人分辨不够可靠（50%），不能认定是坐席说的")]


@pytest.mark.parametrize(("confidence", "verdict"), [(None, "违规"), (0.45, "违规"), (0.449, "无法判定")])
def test_an_omission_in_speech_that_was_hardly_heard_is_none(tmp_path: Path, confidence: float | None, verdict: str) -> None:
    said = call(turn("坐：再见", 0.0, 5.0, confidence=confidence), turn("客：谢谢", 5.0, 6.0, confidence=0.01))
    (outcome,) = audit(book(tmp_path, MUST), said)
    assert outcome.verdict.value == verdict
    if verdict == "无法判定":
        assert outcome.reason == "要找的这一段识别置信度只有 45%，听不清，不能说没有说"


@pytest.mark.parametrize(
    ("role", "length", "spoken", "verdict"),
    [
        (Role.AGENT, 1.5, 5.0, "无法判定"),
        (Role.UNKNOWN, 1.5, 5.0, "无法判定"),
        (Role.AGENT, 1.4, 5.0, "违规"),  # too short to have said it
        (Role.AGENT, 1.5, 20.0, "违规"),  # a small part of what was said
        (Role.CUSTOMER, 30.0, 5.0, "违规"),  # the agent could not have said it there
    ],
)
def test_speech_that_was_not_recognised_may_hold_what_is_missing(
    tmp_path: Path, role: Role, length: float, spoken: float, verdict: str
) -> None:
    said = replace(call(turn("坐：再见", 0.0, spoken)), uncovered=(VoicedSpan(role=role, start_s=2.0, end_s=2.0 + length),))
    (outcome,) = audit(book(tmp_path, MUST), said)
    assert outcome.verdict.value == verdict
    if verdict == "无法判定":
        assert outcome.reason == "要找的这一段里有 1.5 秒说话没有识别出来，不能说没有说"


def test_unrecognised_speech_elsewhere_does_not_excuse(tmp_path: Path) -> None:
    opening = rule(signals={"hello": phrase("您好", where={"first_turns": 1})}, judge={"must": ["hello"]})
    said = call(turn("坐：有个优惠跟您讲", 0.0, 5.0), turn("坐：您听着呢吗", 60.0, 65.0))
    made = book(tmp_path, opening)
    late = replace(said, uncovered=(VoicedSpan(role=Role.AGENT, start_s=50.0, end_s=55.0),))
    early = replace(said, uncovered=(VoicedSpan(role=Role.AGENT, start_s=6.0, end_s=9.0),))
    assert [item.verdict.value for item in audit(made, late)] == ["违规"]
    assert [item.verdict.value for item in audit(made, early)] == ["无法判定"]


def test_the_customers_unrecognised_words_may_hold_the_customers_yes(tmp_path: Path) -> None:
    made = book(tmp_path, rule(signals={"yes": phrase("我同意", who="customer", label="同意")}, judge={"must": ["yes"]}))
    said = call(turn("坐：可以吗", 0.0, 2.0), turn("客：什么", 2.0, 3.0))
    lost = VoicedSpan(role=Role.CUSTOMER, start_s=3.0, end_s=6.0)
    assert [item.verdict.value for item in audit(made, said)] == ["违规"]
    assert told(audit(made, replace(said, uncovered=(lost,)))) == [
        ("X01", "无法判定", "要找的这一段里有 3.0 秒说话没有识别出来，不能说没有说")
    ]


def test_with_guessed_roles_anybodys_unrecognised_words_may_hold_it(tmp_path: Path) -> None:
    said = replace(call(turn("坐：再见", 0.0, 5.0)), uncovered=(VoicedSpan(role=Role.CUSTOMER, start_s=2.0, end_s=6.0),))
    assert [item.verdict.value for item in audit(book(tmp_path, MUST), guessed(said, 0.9))] == ["无法判定"]


def test_a_commission_hardly_heard_is_for_a_person(tmp_path: Path) -> None:
    made = book(tmp_path, MUST_NOT)
    (sure,) = audit(made, call(turn("坐：坏话", 0.0, 1.0, confidence=0.35)))
    (unsure,) = audit(made, call(turn("坐：坏话", 0.0, 1.0, confidence=0.349)))
    assert (sure.verdict, sure.review, sure.reason) == (Verdict.VIOLATION, False, "坏话：“坏话”")
    assert (unsure.verdict, unsure.review, unsure.reason) == (Verdict.VIOLATION, True, "坏话：“坏话”；识别置信度 35%，须人工听辨")
    own = book(tmp_path / "o", rule(review={"below_confidence": 0.8}))
    assert [item.review for item in audit(own, call(turn("坐：坏话", 0.0, 1.0, confidence=0.79)))] == [True]


def test_what_was_only_meant_is_for_a_person_to_decide(tmp_path: Path) -> None:
    signals = {"abuse": {"kind": "act", "label": "辱骂", "acts": ["abuses", "retorts", "speaks_curtly"], "at_least": 0.5}}
    made = book(tmp_path, rule("N01", signals=signals, judge={"must_not": ["abuse"]}))
    assert verdicts(made, call("客：我没听懂。", "坐：您以为您是谁啊，冲我嚷嚷！")) == [("违规", True)]
    assert verdicts(made, call("客：我没听懂。", "坐：我换个说法，您看清楚些没有？")) == [("合规", False)]


def test_review_always_unless_a_field_says_it_is_proven(tmp_path: Path) -> None:
    made = book(tmp_path, rule(review={"always": True, "unless_field": "complaint"}))
    assert verdicts(made, call("坐：坏话")) == verdicts(made, call("坐：坏话", complaint=False)) == [("违规", True)]
    assert verdicts(made, call("坐：坏话", complaint=True)) == [("违规", False)]


def test_excuses_come_before_the_verdict_and_are_told(tmp_path: Path) -> None:
    signals = {"said": phrase("坏话"), "sorry": phrase("对不起", label="道歉")}
    (outcome,) = audit(book(tmp_path, rule(signals=signals, excuses=["sorry"])), call("坐：坏话", "坐：对不起"))
    assert (outcome.verdict, outcome.reason) == (Verdict.CLEAR, "听到“道歉”，不追究")
    assert [(item.kind, item.quote) for item in outcome.evidence] == [(EvidenceKind.EXCUSE, "对不起")]


def test_advice_is_marked_on_every_verdict(tmp_path: Path) -> None:
    made = book(tmp_path, rule(advice=True))
    assert [item.advice for said in ("坐：坏话", "坐：好话", "客：嗯") for item in audit(made, call(said))] == [True] * 3


@pytest.mark.parametrize(
    ("said", "sold"), [("好的，已经给您办了，马上生效。", "合规"), ("今晚这个我就先不给您办了，等您酒醒了再说。", "不适用")]
)
def test_what_is_not_opened_is_no_sale(said: str, sold: str) -> None:
    """Where the data say no more than "other": 给您办了 inside 先不给您办了 opens nothing."""
    outcomes = audit_one(
        shipped(), shipped().rule("A10-effective-time"), call(f"坐：{said}", call_type=CallType.SALE, outcome=CallOutcome.OTHER)
    )
    assert [item.verdict.value for item in outcomes] == [sold]
