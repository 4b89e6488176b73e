"""A clause with several rules has one verdict for the reader."""

from __future__ import annotations

from qa_pipeline.model import Outcome, Verdict
from qa_pipeline.report.verdicts import ClauseVerdict, by_clause, of


def outcome(clause: str, verdict: Verdict, title: str, reason: str) -> Outcome:
    return Outcome(clause=clause, rule_id=f"{clause}-{title}", title=title, verdict=verdict, reason=reason)


def test_the_gravest_verdict_of_its_rules_with_what_they_say() -> None:
    verdicts = by_clause(
        [
            outcome("C6", Verdict.CLEAR, "留言", "没有出现"),
            outcome("B1", Verdict.NOT_EVALUATED, "称谓", "没有录音"),
            outcome("C1", Verdict.VIOLATION, "未核实机主", "没有核实"),
            outcome("C1", Verdict.CLEAR, "未核实机主", "没有出现"),
            outcome("C6", Verdict.NOT_APPLICABLE, "留言", "不是留言"),
            outcome("B1", Verdict.NOT_EVALUATED, "称谓", "不知道姓名"),
            outcome("B1", Verdict.NOT_EVALUATED, "问候", "没有录音"),
            outcome("B1", Verdict.CLEAR, "语速", "不快"),
        ]
    )
    assert verdicts == [
        ClauseVerdict(clause="C6", verdict=Verdict.CLEAR, titles=("留言",), reasons=("没有出现",)),
        ClauseVerdict(clause="B1", verdict=Verdict.NOT_EVALUATED, titles=("称谓", "问候"), reasons=("没有录音", "不知道姓名")),
        ClauseVerdict(clause="C1", verdict=Verdict.VIOLATION, titles=("未核实机主",), reasons=("没有核实",)),
    ]
    (unjudged,) = of(verdicts, Verdict.NOT_EVALUATED)
    assert (unjudged.title, unjudged.reason) == ("称谓、问候", "没有录音；不知道姓名")
    assert of(verdicts, Verdict.NOT_APPLICABLE) == []
