"""Policy → scorecard: the amounts of the source, one fact once, nothing sanctioned without a person, in any order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_pipeline.errors import RuleFileError
from qa_pipeline.model import (
    CallData,
    Conversation,
    Evidence,
    EvidenceKind,
    Outcome,
    Penalty,
    Role,
    RoleSource,
    Scorecard,
    Turn,
    Verdict,
)
from qa_pipeline.policy import Policy
from qa_pipeline.resources import rules_dir
from qa_pipeline.scoring import COMPLAINT_KEY, load_policy, scorable, score

POLICY = load_policy(rules_dir() / "policy.yaml")
TEXT = "你懂不懂啊不知道就别说了"


def turn(index: int, raw: str, source: RoleSource = RoleSource.CHANNEL, role: Role = Role.AGENT) -> Turn:
    return Turn(index=index, role=role, role_source=source, role_confidence=1.0, raw=raw, text=raw, to_raw=tuple(range(len(raw))))


def talk(source: RoleSource = RoleSource.CHANNEL, **call: object) -> Conversation:
    data = CallData(call_id="c1", **call)  # type: ignore[arg-type]
    return Conversation(call=data, turns=tuple(turn(index, TEXT, source) for index in range(4)))


def hit(quote: str = "", turn: int | None = None, value: float | None = None, kind: EvidenceKind = EvidenceKind.HIT) -> Evidence:
    return Evidence(kind=kind, quote=quote, turn=turn, value=value)


def finding(clause: str, ordinal: int = 0, *evidence: Evidence, **more: object) -> Outcome:
    fields: dict[str, object] = {"verdict": Verdict.VIOLATION, "reason": "因为", "title": clause, **more}
    return Outcome(clause=clause, rule_id=f"r-{clause}", ordinal=ordinal, evidence=evidence, **fields)  # type: ignore[arg-type]


def card(*outcomes: Outcome, on: Conversation | None = None, **more: object) -> Scorecard:
    return score(POLICY, on or talk(), outcomes, **more)  # type: ignore[arg-type]


def test_a_clean_call_has_the_full_score() -> None:
    clear = finding("A01", verdict=Verdict.CLEAR)
    unknown = finding("A02", verdict=Verdict.NOT_EVALUATED)
    assert card(clear, unknown) == Scorecard(
        score=100,
        qualified=True,
        fatal=False,
        sale_invalid=False,
        violations=0,
        not_evaluated=1,
        fine_yuan=Decimal(0),
        supervisor_fine_yuan=Decimal(0),
        provisional=False,
    )


@pytest.mark.parametrize(
    ("turns", "verdicts", "wanted"),
    [
        (True, (Verdict.CLEAR, Verdict.NOT_EVALUATED), True),
        (True, (Verdict.NOT_EVALUATED, Verdict.NOT_APPLICABLE), False),
        (False, (Verdict.NOT_EVALUATED,), False),
        (False, (Verdict.CLEAR, Verdict.NOT_EVALUATED), False),  # by call data alone: nobody was heard
        (False, (Verdict.VIOLATION,), True),  # who hung up is a fact without a word
        (True, (), False),
    ],
)
def test_a_call_of_which_nothing_could_be_judged_has_no_score(turns: bool, verdicts: tuple[Verdict, ...], wanted: bool) -> None:
    outcomes = tuple(finding(f"A0{number}", verdict=verdict) for number, verdict in enumerate(verdicts, start=1))
    conversation = talk() if turns else replace(talk(), turns=())
    assert scorable(conversation, outcomes) is wanted
    assert scorable(conversation, tuple(replace(item, advice=True) for item in outcomes)) is False
    if not wanted:
        silent = card(*outcomes, on=conversation, judged=False)
        assert (silent.score, silent.qualified, silent.fatal, silent.fine_yuan, silent.case_fine_yuan) == (None, None, False, 0, 0)


# clause, score, fine, fatal, sale invalid: the first counted finding of each clause, as the catalogue has it
TABLE = [
    ("A01", 90, "10", False, False),
    ("A02", 90, "10", False, False),
    ("A03", 90, "10", False, False),
    ("A04", 90, "10", False, False),
    ("A05", 90, "5", False, False),
    ("A06", 90, "30", False, False),
    ("A07", 0, "100", True, True),
    ("A08", 90, "50", False, False),
    ("A09", 90, "30", False, False),
    ("A10", 0, "50", True, False),
    ("A11", 0, "50", True, False),
    ("A12", 0, "50", True, False),
    ("A13", 0, "50", True, True),
    ("A14", 90, "10", False, False),
    ("A15", 90, "10", False, False),
    ("A16", 100, "0", False, False),
    ("A17", 90, "10", False, False),
    ("B1", 90, "10", False, False),
    ("B2", 90, "20", False, False),
    ("B3a", 90, "5", False, False),
    ("B3b", 90, "10", False, False),
    ("B4", 90, "20", False, False),
    ("B5", 100, "0", False, False),
    ("B6", 0, "50", True, False),
    ("B7", 100, "0", False, False),
    ("B8", 100, "0", False, False),
    ("C1", 0, "50", True, True),
    ("C2", 0, "50", True, True),
    ("C3", 0, "50", True, True),
    ("C4", 0, "50", True, True),
    ("C5", 100, "0", False, True),
    ("C6", 100, "0", False, False),
    ("D1", 99, "0", False, False),
    ("D2", 99, "0", False, False),
    ("D5", 99, "0", False, False),
    ("D6", 98, "0", False, False),
    ("D7", 98, "0", False, False),
    ("D8", 100, "0", False, False),
    ("D9", 100, "0", False, False),
]


@pytest.mark.parametrize(("clause", "points", "fine", "fatal", "invalid"), TABLE)
def test_every_clause_as_the_catalogue_has_it(clause: str, points: int, fine: str, fatal: bool, invalid: bool) -> None:
    got = card(finding(clause, 0, hit(turn=0)))
    assert (got.score, got.fine_yuan, got.fatal, got.sale_invalid) == (points, Decimal(fine), fatal, invalid)


def test_the_table_is_whole() -> None:
    assert [row[0] for row in TABLE] == sorted(POLICY.file.clauses, key=lambda code: (code[0], int(code[1:].rstrip("ab")), code))


CONFIRMED = [
    ("B5", 0, "250", "100", "书面警告"),
    ("B6", 0, "550", "200", "开除；主管口头警告；全公司通报"),
    ("B7", 0, "550", "200", "开除；主管口头警告；全公司通报"),
    ("B8", 90, "500", "200", "开除；主管口头警告；全公司通报"),
]


@pytest.mark.parametrize(("clause", "points", "fine", "supervisor", "sanction"), CONFIRMED)
def test_sanctions_are_proposed_and_count_when_confirmed(
    clause: str, points: int, fine: str, supervisor: str, sanction: str
) -> None:
    one, on = finding(clause, 0, hit(turn=0)), talk(complaint=True)
    before, after = card(one, on=on), card(one, on=on, confirmed=frozenset({(one.rule_id, 0)}))
    assert before.provisional and before.supervisor_fine_yuan == 0
    assert before.penalties[0].sanction == sanction and not before.penalties[0].counted
    assert (after.score, after.fine_yuan, after.supervisor_fine_yuan) == (points, Decimal(fine), Decimal(supervisor))


def test_deception_costs_money_only_with_a_complaint() -> None:
    one = finding("B5", 0, hit(turn=0))
    got = card(one, confirmed=frozenset({(one.rule_id, 0)}))
    assert got.penalties == (
        Penalty(clause="B5", ordinal=0, rule_id="r-B5", points=10, counted=True, note="致命：本通 0 分；没有客户投诉记录，不扣款"),
    )
    assert (got.score, got.fine_yuan) == (0, Decimal(50))


def test_a_complaint_is_a_proposal_until_upheld() -> None:
    on = talk(complaint=True)
    assert card(on=on).penalties == (
        Penalty(
            clause="投诉",
            ordinal=0,
            rule_id="complaint",
            fine_yuan=Decimal(100),
            provisional=True,
            counted=False,
            note="客户投诉：核实成立后才计",
        ),
    )
    assert card(on=on).fine_yuan == 0
    assert card(on=on, confirmed=frozenset({COMPLAINT_KEY})).fine_yuan == 100


def test_points_stop_at_the_cap_and_money_goes_on() -> None:
    got = card(*(finding("A04", n, hit("你懂不懂", n % 4)) for n in range(4)))
    assert [penalty.points for penalty in got.penalties] == [10, 10, 10, 0]
    assert (got.score, got.fine_yuan, got.penalties[3].note) == (70, Decimal(40), "本条款扣分已到上限")


def test_per_call_money_is_taken_once() -> None:
    got = card(finding("A08", 0, hit("一", 0)), finding("A08", 1, hit("二", 1)))
    assert (got.score, got.fine_yuan, got.penalties[1].note) == (80, Decimal(50), "本条款一通只扣一次款")


@pytest.mark.parametrize(("value", "fine"), [(None, 5), (330.0, 5), (360.0, 5), (360.1, 10), (420.0, 10), (421.0, 20)])
def test_pace_is_graded_by_the_measured_value(value: float | None, fine: int) -> None:
    assert card(finding("A05", 0, hit(turn=0, value=value))).fine_yuan == fine


def test_the_case_fine_is_taken_once_whatever_the_number_of_fatal_hits() -> None:
    got = card(*(finding(clause, 0, hit(turn=0)) for clause in ("A10", "A11", "A12", "C4")))
    assert (got.score, got.fatal, got.fine_yuan, got.case_fine_yuan) == (0, True, Decimal(50), Decimal(50))


def test_zero_by_points_is_an_unqualified_case_too() -> None:
    many = [finding(clause, n, hit(turn=n)) for clause in ("A01", "A02", "A03", "B1") for n in range(3)]
    got = card(*many)
    assert (got.score, got.fatal, got.case_fine_yuan, got.fine_yuan) == (0, False, Decimal(50), Decimal(170))


def test_one_hangup_is_fined_once() -> None:
    got = card(finding("B3b", 0, hit(kind=EvidenceKind.DATA)), finding("A06", 0, hit(kind=EvidenceKind.DATA)))
    assert (got.score, got.fine_yuan, got.violations) == (90, Decimal(30), 2)
    assert [(item.clause, item.absorbed_by, item.counted) for item in got.penalties] == [("A06", "", True), ("B3b", "A06", False)]


@pytest.mark.parametrize(
    ("missing", "absorbed"),
    [(("资费",), "A11"), (("资费", "取消方式"), "A11"), (("资费", "使用方法"), ""), ((), ""), (("试用截止",), "")],
)
def test_missing_parts_are_not_counted_twice(missing: tuple[str, ...], absorbed: str) -> None:
    got = card(finding("A11"), finding("A12"), finding("C3", missing=missing))
    assert got.penalties[-1].absorbed_by == absorbed


def test_the_same_words_are_fined_once_the_gravest_counts() -> None:
    got = card(
        finding("A04", 0, hit("不知道就别说了", 0)), finding("A17", 0, hit("别说了", 0)), finding("A04", 1, hit("你懂不懂", 0))
    )
    assert [(item.clause, item.ordinal, item.absorbed_by) for item in got.penalties] == [
        ("A04", 0, ""),
        ("A04", 1, ""),
        ("A17", 0, "A04"),
    ]
    assert (got.score, got.fine_yuan, got.violations) == (80, Decimal(20), 3)


def test_other_words_or_another_turn_are_another_fact() -> None:
    apart = card(finding("A04", 0, hit("你懂不懂", 0)), finding("A17", 0, hit("别说了", 0)))
    elsewhere = card(finding("A04", 0, hit("你懂不懂", 0)), finding("A17", 0, hit("你懂不懂", 1)))
    assert (apart.fine_yuan, elsewhere.fine_yuan) == (Decimal(20), Decimal(20))


def test_while_abuse_waits_for_a_person_the_lesser_finding_counts() -> None:
    rude, abuse = finding("A04", 0, hit("你懂不懂", 0)), finding("B7", 0, hit("你懂不懂啊", 0), review=True)
    before, after = card(rude, abuse), card(rude, abuse, confirmed=frozenset({("r-B7", 0)}))
    assert (before.score, before.fine_yuan, before.provisional) == (90, Decimal(10), True)
    assert [(item.clause, item.absorbed_by, item.counted) for item in before.penalties] == [("A04", "B7", True), ("B7", "", False)]
    assert (after.score, after.fine_yuan) == (0, Decimal(550))
    assert [(item.clause, item.absorbed_by, item.counted) for item in after.penalties] == [("A04", "B7", False), ("B7", "", True)]


def test_a_finding_under_review_waits_even_when_its_clause_is_fatal() -> None:
    one = finding("A11", review=True)
    assert (card(one).score, card(one).fatal, card(one).provisional) == (100, False, True)
    assert card(one, confirmed=frozenset({("r-A11", 0)})).fatal


def test_guessed_roles_make_the_card_provisional_but_data_do_not() -> None:
    guessed = talk(RoleSource.CUES)
    assert card(finding("A04", 0, hit("你懂不懂", 0)), on=guessed).provisional
    assert card(finding("A01", 0, hit(kind=EvidenceKind.SEARCHED)), on=guessed).provisional
    assert not card(finding("A06", 0, hit(kind=EvidenceKind.DATA)), on=guessed).provisional
    assert card(finding("A04", 0, hit("你懂不懂", 0)), on=guessed).score == 90


def test_advice_is_told_and_never_counted() -> None:
    got = card(finding("A16"), finding("A04", advice=True), finding("X9"))
    assert (got.score, got.fine_yuan, got.violations) == (100, Decimal(0), 1)
    assert [item.note for item in got.penalties] == [
        "仅提示，不扣分、不扣款",
        "仅提示，不扣分、不扣款",
        "政策文件里没有这一条款，不扣分、不扣款",
    ]


# Properties


@st.composite
def findings(draw: st.DrawFn) -> tuple[Outcome, ...]:
    clauses = draw(st.lists(st.sampled_from(sorted(POLICY.file.clauses)), max_size=14))
    made, seen = [], dict.fromkeys(clauses, 0)
    for clause in clauses:
        at = draw(st.integers(0, len(TEXT) - 3))
        quote = TEXT[at : at + draw(st.integers(1, 3))]
        evidence = hit(quote, draw(st.integers(0, 3)), draw(st.one_of(st.none(), st.floats(0, 500))))
        missing = draw(st.sets(st.sampled_from(("资费", "取消方式", "开通时间", "使用方法"))))
        more = {"review": draw(st.booleans()), "missing": tuple(sorted(missing)), "advice": draw(st.integers(0, 9)) == 0}
        made.append(finding(clause, seen[clause], evidence, **more))
        seen[clause] += 1
    return tuple(made)


@given(findings(), st.randoms(use_true_random=False), st.booleans(), st.data())
@settings(max_examples=200, deadline=None)
def test_whatever_is_found_the_sums_hold_and_order_does_not_matter(
    outcomes: tuple[Outcome, ...], random: object, complaint: bool, data: st.DataObject
) -> None:
    on = talk(complaint=complaint)
    keys = [(item.rule_id, item.ordinal) for item in outcomes]
    confirmed = frozenset(data.draw(st.sets(st.sampled_from(keys)))) if keys else frozenset()
    got = card(*outcomes, on=on, confirmed=confirmed)
    shuffled = list(outcomes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert card(*shuffled, on=on, confirmed=confirmed) == got

    counted = [item for item in got.penalties if item.counted]
    assert got.fine_yuan == sum((item.fine_yuan for item in counted), got.case_fine_yuan) >= 0
    assert got.supervisor_fine_yuan == sum((item.supervisor_fine_yuan for item in counted), Decimal(0)) >= 0
    assert got.score == (0 if got.fatal else max(0, 100 - sum(item.points for item in counted)))
    assert got.case_fine_yuan == (50 if got.score == 0 else 0)
    for clause, policy in POLICY.file.clauses.items():
        assert sum(item.points for item in counted if item.clause == clause) <= policy.cap
    assert {(item.rule_id, item.ordinal) for item in got.penalties} >= set(keys)
    hangups = {item.clause for item in counted if item.clause in ("A06", "B3b") and item.fine_yuan}
    assert len(hangups) <= 1
    waiting = {key for key, item in zip(keys, outcomes, strict=True) if item.review and key not in confirmed}
    assert not any((item.rule_id, item.ordinal) in waiting for item in counted)


# The file


def edit(folder: Path, old: str, new: str) -> Path:
    text = (rules_dir() / "policy.yaml").read_text(encoding="utf-8")
    assert old in text
    path = folder / "policy.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("qualified_at: 60", "qualified_at: 600", "qualified_at 要在 1 到 base_score（100）之间"),
        ("base_score:", "base_skore:", "不认识的键“base_skore”"),
        ('fine: "10"}', 'fine: "-10"}', "fine 不能是负数"),
        ('fine: "10"}', 'fine: "10.005"}', "最多写到分"),
        ("points: 10, cap: 30", "points: 10, cap: 3", "cap（3）不能小于 points（10）"),
        ("fatal: always", "fatal: yes", "fatal只能是：never、always、confirmed"),
        ("advice: true", "advice: yes", "advice只能是 true 或 false"),
        ("  A02:", "  A01:", "键“A01”重复"),
        ("[A06, B3b]", "[A06, B3z]", "B3z"),
        ("clauses: [A06, B3b], same: call", "clauses: [A06, B3b], same: words2", "same只能是"),
        ("{over: 420,", "{over: 350,", "由小到大"),
    ],
)
def test_mistakes_in_the_file_name_line_and_column(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = edit(tmp_path, old, new)
    with pytest.raises(RuleFileError) as caught:
        load_policy(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}:")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = edit(tmp_path, "qualified_at: 60", "qualified_at: no\nextra: 1")
    with pytest.raises(RuleFileError) as caught:
        load_policy(path)
    assert len(caught.value.problems) == 2


def test_the_digest_follows_the_values_not_the_comments(tmp_path: Path) -> None:
    same = edit(tmp_path, "# 满分由中心自定", "# 别的说明")
    assert load_policy(same).digest == POLICY.digest
    other: Policy = load_policy(edit(tmp_path, 'case_fine: "50"', 'case_fine: "60"'))
    assert other.digest != POLICY.digest
