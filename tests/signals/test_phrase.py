"""Phrases: strict for what accuses, loose for what is owed; alone, bounded, excused, quoted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qa_pipeline.model import Strength
from qa_pipeline.signals.base import Relation, Where
from qa_pipeline.signals.kit import Kit, Matching, Shared
from qa_pipeline.signals.phrase import PhraseSpec
from qa_pipeline.signals.searcher import Searcher, make_searcher
from qa_pipeline.text.lexicon import Lexicon, Term
from tests.signals.support import call, context, quotes, turn


def phrase(*phrases: str, **values: object) -> PhraseSpec:
    return PhraseSpec(label="话", phrases=phrases, **values)  # type: ignore[arg-type]


def test_strict_takes_sounds_only_from_four_syllables() -> None:
    said = call("坐：有一件您就告去吧，不只道")
    assert quotes(context(said, s=phrase("有意见您就告去", "不知道")).hits("s")) == ["有一件您就告去"]


def test_loose_takes_sounds_from_two_and_distance_from_four() -> None:
    ctx = context(call("坐：可以推定，您是基主北人吗"), "loose", a=phrase("退订"), b=phrase("机主本人"), c=phrase("首付"))
    assert [(hit.quote, hit.strength, hit.distance) for hit in ctx.hits("a")] == [("推定", Strength.PHONETIC, 0)]
    assert [(hit.quote, hit.strength, hit.distance) for hit in ctx.hits("b")] == [("基主北人", Strength.FUZZY, 0.5)]
    assert ctx.hits("c") == ()


def test_only_the_one_who_is_meant() -> None:
    said = call("客：不行", "坐：好的", "？：不行")
    assert context(said, s=phrase("不行")).hits("s") == ()
    assert [hit.position.turn for hit in context(said, s=phrase("不行", who="customer")).hits("s")] == [0]
    assert [hit.position.turn for hit in context(said, s=phrase("不行", who="any")).hits("s")] == [0, 2]


@pytest.mark.parametrize(
    ("text", "whole", "count"),
    [
        ("不行", "turn", 1),
        ("这不行的", "turn", 1),
        ("行不行", "turn", 0),
        ("不行，我帮您问问", "turn", 0),
        ("不行，我帮您问问", "clause", 1),
        ("不行不行", "turn", 0),
    ],
)
def test_standing_alone(text: str, whole: str, count: int) -> None:
    assert len(context(call(f"坐：{text}"), s=phrase("不行", whole=whole)).hits("s")) == count


def test_word_bounds_by_jieba() -> None:
    assert len(context(call("坐：您看行不行"), s=phrase("不行", bounded=True)).hits("s")) == 0
    assert len(context(call("坐：这个不行"), s=phrase("不行", bounded=True)).hits("s")) == 1


def test_an_excuse_nearby_takes_it_back_and_is_told() -> None:
    ctx = context(call("坐：不是我不想帮您"), s=phrase("不想帮", unless=("不是我",)))
    assert ctx.hits("s") == ()
    assert [(hit.quote, hit.note) for hit in ctx.excused] == [("不想帮", "附近有“不是我”，不算")]


def test_quoting_does_not_accuse() -> None:
    assert context(call("坐：您刚才说听不懂，我再讲一遍"), s=phrase("听不懂")).hits("s") == ()
    assert len(context(call("坐：您刚才说听不懂"), s=phrase("听不懂", quoted=True)).hits("s")) == 1


def test_longest_of_overlapping_matches_and_once_per_turn() -> None:
    ctx = context(call("坐：不需要不需要不要", "坐：不要"), s=phrase("不要", "不需要"), t=phrase("不需要", once_per_turn=True))
    assert quotes(ctx.hits("s")) == ["不需要", "不需要", "不要", "不要"]
    assert len(ctx.hits("t")) == 1


def test_lexicon_terms_with_variants_and_their_own_excuses() -> None:
    lexicon = Lexicon(
        name="l",
        title="词",
        source="测试",
        date="2026-11-21",
        terms=("第一", Term(text="你懂不懂", variants=("明不明白",), unless=("您看",))),
    )
    spec = PhraseSpec(label="词", lexicons=("l",))
    assert quotes(context(call("坐：你懂不懂，第一"), lexicons=(lexicon,), s=spec).hits("s")) == ["你懂不懂", "第一"]
    assert context(call("坐：您看明不明白"), lexicons=(lexicon,), s=spec).hits("s") == ()


@pytest.mark.parametrize(
    ("where", "turns"),
    [
        (Where(first_turns=1), [0]),
        (Where(last_turns=1), [4]),
        (Where(first_s=1.0), [0]),
        (Where(last_s=1.0), [4]),
        (Where(first_share=0.5), [0, 2]),
        (Where(after=Relation(signal="anchor")), [2, 4]),
        (Where(after=Relation(signal="anchor", nth=2)), [4]),
        (Where(after=Relation(signal="anchor", nth=3)), []),
        (Where(after=Relation(signal="anchor", within_turns=1)), [2]),
        (Where(before=Relation(signal="anchor")), [0]),
        (Where(before=Relation(signal="anchor", nth=-1)), [0, 2]),
        (Where(), [0, 2, 4]),
    ],
)
def test_where(where: Where, turns: list[int]) -> None:
    said = call("坐：给您开通这个", "客：不要了", "坐：给您开通吧", "客：不要了", "坐：给您开通嘛")
    ctx = context(said, s=phrase("给您开通", where=where), anchor=phrase("不要", who="customer"))
    assert [hit.position.turn for hit in ctx.hits("s")] == turns


def test_what_is_muttered_after_the_hang_up_is_not_the_last_turn_of_the_call() -> None:
    said = call("坐：给您开通了", "客：好", "坐：那就再见了", "坐：真是烦死人")
    muttered = replace(said, turns=(*said.turns[:3], replace(said.turns[3], after_hangup=True)))
    last = phrase("再见", "开通", "烦死", where=Where(last_turns=1))
    assert quotes(context(said, s=last).hits("s")) == ["烦死"]
    assert quotes(context(muttered, s=last).hits("s")) == ["再见", "烦死"]
    before = phrase("再见", "开通", "烦死", where=Where(last_turns=1, after_hangup=False))
    assert quotes(context(muttered, s=before).hits("s")) == ["再见"]


def test_an_answer_belongs_to_the_question_before_it() -> None:
    said = call("坐：您现在方便吗？", "客：不方便", "坐：给您开通好吗？", "客：不方便")
    question = phrase("方便吗")
    ctx = context(
        said,
        q=question,
        yes=phrase("不方便", who="customer", where=Where(answering="q")),
        no=phrase("不方便", who="customer", where=Where(not_answering="q")),
    )
    assert [hit.position.turn for hit in ctx.hits("yes")] == [1]
    assert [hit.position.turn for hit in ctx.hits("no")] == [3]


def test_guessed_roles_search_everybody_for_what_is_owed() -> None:
    said = call("客：感谢您的接听")
    assert context(said, "loose", s=phrase("感谢")).hits("s") == ()
    assert len(context(said, "loose", both_roles=True, s=phrase("感谢")).hits("s")) == 1
    assert context(said, "strict", both_roles=True, s=phrase("感谢")).hits("s") == ()


def test_empty_call_and_turns_without_times() -> None:
    assert context(call(), s=phrase("不行")).hits("s") == ()
    hits = context(call(turn("坐：不行")), s=phrase("不行", where=Where(first_s=5.0))).hits("s")
    assert [(hit.quote, hit.start_s) for hit in hits] == [("不行", None)]


def test_nearest_is_told_when_nothing_counts() -> None:
    ctx = context(call("坐：请问您是户主北人在不在"), "loose", s=phrase("机主本人在家"))
    assert ctx.hits("s") == ()
    near = ctx.signal("s").nearest(ctx)
    assert near is not None and (near.quote, near.distance) == ("是户主北人在", 3.0)


def test_a_phrase_may_cross_turns_of_one_passage() -> None:
    ctx = context(call("坐：退订的话", "客：嗯", "坐：打10086"), s=phrase("退订~6(10086)"))
    assert [(hit.position.turn, hit.end.turn, hit.quote) for hit in ctx.hits("s")] == [(0, 2, "退订的话…打10086")]


def test_spec_refuses_nothing_to_look_for() -> None:
    with pytest.raises(ValueError, match="至少写一个"):
        PhraseSpec(label="空")


def test_signals_share_what_they_find_only_when_they_ask_for_the_same_in_every_way() -> None:
    lexicon = Lexicon(name="quoting", title="转述", source="测试", date="2026-11-21", terms=("您说",))
    shared, spec, terms = Shared(), PhraseSpec(label="短", phrases=("退订",)), (Term(text="退订"),)

    def searcher(strength: str, matching: Matching = "tolerant") -> Searcher:
        kit = Kit(lexicons={"quoting": lexicon}, default_strength=strength, matching=matching, shared=shared)
        return make_searcher(kit, spec, terms)

    ways: list[tuple[str, Matching]] = [
        (strength, matching) for strength in ("strict", "loose", "sounds") for matching in ("tolerant", "syllables", "characters")
    ]
    assert len({searcher(*way) for way in ways}) == len(ways)
    assert searcher("loose") is searcher("loose")


def test_what_stands_in_quotation_marks_was_said_by_somebody_else() -> None:
    spec = PhraseSpec(label="忌语", phrases=("爱办不办",))
    ctx = context(
        call("坐：她说的是“爱办不办”吧", "坐：“好的”，您爱办不办", "坐：‘爱办不办’这几个字", "坐：有一本《爱办不办》"), it=spec
    )
    assert [hit.position.turn for hit in ctx.hits("it")] == [1]
    assert {hit.note for hit in ctx.excused} == {"在引号里，属于转述，不算"}
