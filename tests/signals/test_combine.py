"""Signals made of signals: any of, together, without, replied."""

from __future__ import annotations

import pytest

from qa_pipeline.model import Strength
from qa_pipeline.signals.base import Where
from qa_pipeline.signals.call_facts import DataSpec
from qa_pipeline.signals.combine import AnyOfSpec, RepliedSpec, TogetherSpec, WithoutSpec
from qa_pipeline.signals.phrase import PhraseSpec
from qa_pipeline.signals.timing import SilenceSpec
from tests.signals.support import call, context, quotes, turn

CANCEL = PhraseSpec(label="取消", phrases=("取消", "退订"))
WAY = PhraseSpec(label="渠道", phrases=("10086", "短信"))
YES = PhraseSpec(label="答是", who="customer", phrases=("是的", "同意"))
ASK = PhraseSpec(label="问", phrases=("可以吗",))


def test_any_of_in_the_order_of_the_call() -> None:
    ctx = context(
        call("坐：发短信", "客：取消", "坐：退订"), s=AnyOfSpec(label="任一", of=("cancel", "way")), cancel=CANCEL, way=WAY
    )
    assert [(hit.position.turn, hit.quote) for hit in ctx.hits("s")] == [(0, "短信"), (2, "退订")]


def test_any_of_counts_one_place_once() -> None:
    wait = SilenceSpec(label="等", longer_s=4)
    ctx = context(
        call(turn("坐：查一下", 0.0, 1.0), turn("坐：退订", 11.0, 12.0)),
        s=AnyOfSpec(label="任一", of=("cancel", "again", "long", "short")),
        cancel=CANCEL,
        again=PhraseSpec(label="退", phrases=("退订",)),
        long=SilenceSpec(label="久", longer_s=8),
        short=wait,
    )
    assert [(hit.position.turn, hit.quote, hit.note) for hit in ctx.hits("s")] == [(0, "", "静默 10.0 秒"), (1, "退订", "")]


def test_any_of_tells_the_nearest_of_all() -> None:
    far = PhraseSpec(label="甲", phrases=("请问您是机主",), strength="loose")
    near = PhraseSpec(label="乙", phrases=("感谢您的接听",), strength="loose")
    ctx = context(call("坐：感泄你那接收"), s=AnyOfSpec(label="任一", of=("far", "near")), far=far, near=near)
    found = ctx.signal("s").nearest(ctx)
    assert ctx.hits("s") == ()
    assert found is not None and found.heard_as == "感谢您的接听"


def test_a_signal_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="any_of 至少要一个信号"):
        AnyOfSpec(label="空", of=())
    with pytest.raises(ValueError, match="together 至少要两个信号"):
        TogetherSpec(label="单", of=("a",))


def together(*lines: str, **values: object) -> list[str]:
    spec = TogetherSpec(label="取消方式", of=("cancel", "way"), **values)  # type: ignore[arg-type]
    return quotes(context(call(*lines), s=spec, cancel=CANCEL, way=WAY).hits("s"))


def test_together_within_so_many_characters() -> None:
    assert together("坐：取消就打一下10086", within_chars=4) == ["取消…10086"]
    assert together("坐：取消就打一下10086", within_chars=3) == []
    assert together("坐：打10086就可以退订", within_chars=3) == ["10086…退订"]
    assert together("坐：取消短信", within_chars=0) == ["取消…短信"]


def test_the_other_order_may_be_bounded_more_closely() -> None:
    assert together("坐：短信一二三四取消", within_chars=9, backwards_chars=4) == ["短信…取消"]
    assert together("坐：短信一二三四取消", within_chars=9, backwards_chars=3) == []
    assert together("坐：取消一二三四短信", within_chars=9, backwards_chars=3) == ["取消…短信"]


def test_together_across_the_customers_words() -> None:
    said = ("坐：可以取消", "客：怎么取消？", "坐：打10086")
    assert together(*said) == []
    assert together(*said, within_turns=1) == []
    assert together(*said, within_turns=2) == ["取消…10086"]
    assert together("坐：打10086", "客：怎么了？", "坐：取消", within_turns=2) == []  # the second must follow


def test_together_every_first_with_its_own_second() -> None:
    assert together("坐：取消发短信", "客：嗯？还有呢？", "坐：退订打10086") == ["取消…短信", "退订…10086"]
    assert together("坐：取消", "客：短信") == []  # another speaker's word is not the signal's


def test_together_is_as_weak_as_its_weakest_part_and_spans_both() -> None:
    weak = PhraseSpec(label="近", phrases=("帮您退订业务",), strength="loose")
    ctx = context(
        call(turn("坐：帮您腿定夜午发短信", 0.0, 5.5)), s=TogetherSpec(label="同", of=("weak", "way")), weak=weak, way=WAY
    )
    assert [(hit.strength, hit.start_s, hit.end_s, hit.heard_as) for hit in ctx.hits("s")] == [
        (Strength.PHONETIC, 0.0, 5.5, "帮您退订业务 + 短信")
    ]


def test_together_with_facts_that_have_no_place() -> None:
    line = DataSpec(label="线", field="line", is_=("10088",))
    spec = TogetherSpec(label="同", of=("line", "way"), within_turns=99)
    assert len(context(call("坐：短信", line="10088"), s=spec, line=line, way=WAY).hits("s")) == 1
    assert context(call("坐：短信", line="10010"), s=spec, line=line, way=WAY).hits("s") == ()


def test_together_tells_what_is_nearest_to_the_missing_part() -> None:
    ctx = context(call("坐：随时可以取消"), s=TogetherSpec(label="同", of=("cancel", "way")), cancel=CANCEL, way=WAY)
    assert ctx.signal("s").nearest(ctx) is None
    apart = context(
        call("坐：取消", "客：啊？怎么", "坐：短信"), s=TogetherSpec(label="同", of=("cancel", "way")), cancel=CANCEL, way=WAY
    )
    near = apart.signal("s").nearest(apart)
    assert near is not None and near.quote == "取消"


def without(*lines: object, **values: object) -> tuple[list[str], list[str]]:
    spec = WithoutSpec(label="没有同意", of="cancel", but="yes", **values)  # type: ignore[arg-type]
    ctx = context(call(*lines), s=spec, cancel=CANCEL, yes=YES)  # type: ignore[arg-type]
    return quotes(ctx.hits("s")), [hit.note for hit in ctx.excused]


EXCUSED = ["附近有“同意”（答是），不算"]


def test_without_looks_so_many_turns_around() -> None:
    said = ("客：同意", "坐：好的", "坐：取消")
    assert without(*said, turns_before=1) == (["取消"], [])
    assert without(*said, turns_before=2) == ([], EXCUSED)
    assert without("坐：取消", "客：同意", turns_before=9) == (["取消"], [])
    assert without("坐：取消", "客：同意", turns_after=1) == ([], EXCUSED)
    assert without("坐：取消", "坐：好的", "坐：那个", "客：同意", anywhere=True) == ([], EXCUSED)


def test_without_looks_so_many_seconds_back() -> None:
    def waited(seconds: float) -> tuple[list[str], list[str]]:
        return without(turn("客：同意", 0.0, 1.0), turn("坐：取消", 1.0 + seconds, 2.0 + seconds), seconds_before=1.5)

    assert waited(1.5) == ([], EXCUSED)
    assert waited(1.51) == (["取消"], [])
    assert without(turn("坐：取消", 0.0, 1.0), turn("客：同意", 1.2, 2.0), seconds_before=1.5) == (["取消"], [])


def test_each_hit_is_excused_for_itself() -> None:
    assert without("坐：取消", "客：同意", "坐：退订", turns_before=1) == (["取消"], EXCUSED)


def test_a_measured_excuse_is_told_by_what_was_measured() -> None:
    said = call(turn("坐：您好", 0.0, 1.0), turn("坐：取消", 8.0, 9.0))
    spec = WithoutSpec(label="不等", of="cancel", but="wait", seconds_before=1.5)
    ctx = context(said, s=spec, cancel=CANCEL, wait=SilenceSpec(label="没有回应", longer_s=5))
    assert (ctx.hits("s"), [hit.note for hit in ctx.excused]) == ((), ["附近有“静默 7.0 秒”（没有回应），不算"])


def test_call_data_are_no_words_that_were_taken_back() -> None:
    spec = WithoutSpec(label="不收费的产品", of="free", but="cancel", anywhere=True)
    free = DataSpec(label="不收费", field="charged", is_=("false",))
    ctx = context(call("坐：取消", charged=False), s=spec, free=free, cancel=CANCEL)
    assert len(ctx.hits("free")) == 1
    assert (ctx.hits("s"), ctx.excused) == ((), [])


def replied(*lines: str, **values: object) -> list[int]:
    spec = RepliedSpec(label="答了", of="ask", by="yes", **values)  # type: ignore[arg-type]
    return [hit.position.turn for hit in context(call(*lines), s=spec, ask=ASK, yes=YES).hits("s")]


def test_a_question_is_replied_to_after_it_within_so_many_turns() -> None:
    assert replied("坐：可以吗？", "客：是的") == [0]
    assert replied("客：是的", "坐：可以吗？") == []
    assert replied("坐：可以吗？", "客：什么？", "坐：就是办一个", "客：同意") == []
    assert replied("坐：可以吗？", "客：什么？", "坐：就是办一个", "客：同意", within_turns=3) == [0]
    assert replied("坐：可以吗？", "客：不行", "坐：可以吗？", "客：同意") == [2]


@pytest.mark.parametrize(
    ("said", "nodded"), [("客：嗯", [0]), ("客：对对", [0]), ("客：好的。", [0]), ("客：不行", []), ("坐：嗯", [])]
)
def test_a_nod_counts_where_it_is_asked_for(said: str, nodded: list[int]) -> None:
    assert replied("坐：可以吗？", said, nods=True) == nodded
    assert replied("坐：可以吗？", said) == []


def test_the_scope_of_a_combination_is_that_of_what_it_looks_for() -> None:
    early = PhraseSpec(label="早", phrases=("取消",), where=Where(first_turns=1))
    said = call("坐：您好这里是客服", "客：什么事", "坐：我帮您取消")
    for spec in (
        AnyOfSpec(label="任一", of=("early", "way")),
        TogetherSpec(label="同", of=("early", "way")),
        WithoutSpec(label="没", of="early", but="way"),
        RepliedSpec(label="答", of="early", by="way"),
    ):
        ctx = context(said, s=spec, early=early, way=WAY)
        assert ctx.signal("s").scope(ctx).turns >= {0}
        assert ctx.hits("s") == ()
