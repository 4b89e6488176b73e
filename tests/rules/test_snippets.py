"""The snippets that try one clause in many wordings: they can be read, and what is counted is what was judged."""

from __future__ import annotations

from benchmarks.snippets_quality import FOLDER, judged, snippets
from qa_pipeline.model import Verdict
from qa_pipeline.resources import lexicons_dir, rules_dir
from qa_pipeline.rules.load import load_book


def test_every_snippet_belongs_to_a_clause_and_has_times() -> None:
    book = load_book(rules_dir(), lexicons_dir())
    clauses = {rule.clause for rule in book.rules}
    for path in sorted(FOLDER.glob("*.yaml")):
        for one in snippets(path.stem):
            assert one.clause in clauses, one.text
            assert all(turn.start_s is not None for turn in one.conversation.turns), one.text


def test_a_snippet_is_judged_by_its_clause_alone() -> None:
    book = load_book(rules_dir(), lexicons_dir())
    first = {one.kept: one for one in snippets("1_conduct") if one.clause == "A04"}
    verdicts = {kept: outcome.clause for kept, one in first.items() if (outcome := judged(book, one)) is not None}
    assert verdicts == {True: "A04", False: "A04"}


def test_silence_and_what_was_said_behind_the_hangup_are_read() -> None:
    behind = [one for one in snippets("1_conduct") if "（挂机后）" in one.text]
    waited = [one for one in snippets("1_handling") if "（12秒）" in one.text]
    assert behind
    assert waited
    assert all(one.conversation.turns[-1].after_hangup for one in behind)
    gaps = [
        max(b.start_s - a.end_s for a, b in zip(one.conversation.turns, one.conversation.turns[1:], strict=False)) for one in waited
    ]
    assert min(gaps) >= 11.9


def test_most_of_them_are_judged_as_their_authors_say() -> None:
    """A guard, not a figure: see ``benchmarks/rules.md`` for the figures."""
    book = load_book(rules_dir(), lexicons_dir())
    wrong = total = 0
    for one in snippets("1_handling"):
        outcome = judged(book, one)
        wrong += (outcome is not None and outcome.verdict is Verdict.VIOLATION) is one.kept
        total += 1
    assert wrong / total < 0.15
