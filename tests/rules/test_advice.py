"""What to say instead names the parts that were missing, in the words of the rule that owns each."""

from __future__ import annotations

import pytest

from qa_pipeline.rules.advice import advice
from tests.rules.support import shipped

RULES = {rule.spec.rule: rule.spec for rule in shipped().rules}
OWN, FEE = RULES["C3-introduction"].instead, RULES["A11-fee"].instead
CANCEL, TRIAL = RULES["A12-cancel-way"].instead, RULES["A13-trial-end"].instead


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        (("体验期截止时间",), TRIAL),
        (("取消方式与渠道",), CANCEL),
        (("资费", "体验期截止时间"), FEE + TRIAL),
        (("取消方式与渠道", "业务的功能", "使用方法"), CANCEL + OWN),  # its own sentence once
        (("使用方法",), OWN),
        (("以前的规则要的",), OWN),
        ((), OWN),
    ],
)
def test_an_incomplete_introduction_is_told_part_by_part(missing: tuple[str, ...], told: str) -> None:
    assert advice(RULES["C3-introduction"], missing, RULES) == told


def test_a_part_of_a_rule_that_is_gone_is_told_in_the_rule_s_own_words() -> None:
    assert advice(RULES["C3-introduction"], ("体验期截止时间",), {}) == OWN


def test_every_rule_that_borrows_no_part_tells_its_own() -> None:
    told = {
        name: advice(spec, [spec.signals[signal].label for signal in spec.judge.names()], RULES)
        for name, spec in RULES.items()
        if name != "C3-introduction"
    }
    assert told == {name: spec.instead for name, spec in RULES.items() if name != "C3-introduction"}
