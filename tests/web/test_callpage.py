"""What a call's page paints as evidence against the agent, and what it does not."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "casework"))

from casework_make import conversation, finding, judged

from qa_pipeline.masking import Masker
from qa_pipeline.model import CallData, Evidence, EvidenceKind, Outcome, Role, Verdict
from qa_pipeline.resources import lexicons_dir, rules_dir
from qa_pipeline.rules.load import load_book
from qa_pipeline.web.reading.callpage import call_page, findings_of_run
from qa_pipeline.web.reading.callparts import CallPage, Shown


def incomplete(*said: str) -> Outcome:
    """An introduction without the end of the trial, of which some things were said."""
    searched = Evidence(
        kind=EvidenceKind.SEARCHED, quote="……", turn=0, role=Role.AGENT, start_s=0.0, end_s=11.5, note="在这一段里找"
    )
    heard = [Evidence(kind=EvidenceKind.SAID, quote=quote, turn=0, role=Role.AGENT, start_s=1.0, end_s=2.0) for quote in said]
    return Outcome(
        clause="C3",
        rule_id="C3-introduction",
        title="业务介绍不完整",
        verdict=Verdict.VIOLATION,
        reason="没有听到：体验期截止时间",
        evidence=(searched, *heard),
        missing=("体验期截止时间",),
    )


def shown(text: str, *outcomes: Outcome) -> CallPage:
    call = CallData(call_id="c1")
    run = judged(conversation(call, text), outcomes)
    specs = {rule.spec.rule: rule.spec for rule in load_book(rules_dir(), lexicons_dir()).rules}
    return call_page(run, findings_of_run(run), Shown(masker=Masker(call, show=True), specs=specs, masked=False))


def painted(page: CallPage) -> list[tuple[str, int, bool]]:
    return [(token.text, token.finding, token.against) for token in page.turns[0].tokens]


def test_what_was_rightly_said_is_not_evidence() -> None:
    page = shown("您好，按月收，一个月六块。", incomplete("按月收，一个月六块"))
    assert painted(page) == [("您好，", 0, True), ("按月收，一个月六块", 1, False), ("。", 0, True)]
    (card,) = page.findings
    assert [(item.kind, item.label, item.quote) for item in card.exhibits] == [
        ("searched", "查找范围", "……"),
        ("said", "听到的", "按月收，一个月六块"),
    ]
    assert (card.against, card.missing, card.at) == (False, ("体验期截止时间",), "00:01")
    assert card.instead == "从今天起免费体验三十天，到十二月二十号为止，之后每月五元，不想用了请在那之前取消。"


def test_where_both_lie_on_the_same_words_the_evidence_is_painted() -> None:
    page = shown("一个月六块，不知道就别说了。", incomplete("一个月六块，不知道"), finding("A04", quote="不知道就别说了"))
    assert painted(page) == [("一个月六块，", 1, False), ("不知道就别说了", 2, True), ("。", 0, True)]
    assert [(card.clause, card.against) for card in page.findings] == [("C3", False), ("A04", True)]
