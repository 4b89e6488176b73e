"""What is meant: acts by their names and how sure, where they are quoted, what a doubt takes back. The reader here is a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from qa_pipeline.acts.encoding import Said
from qa_pipeline.acts.reader import ActReader, Reading
from qa_pipeline.model import Act, Conversation, Strength
from qa_pipeline.signals.act import ActSpec
from qa_pipeline.signals.base import Context, Where
from qa_pipeline.signals.combine import AnyOfSpec
from qa_pipeline.signals.phrase import PhraseSpec
from tests.signals.support import call, context, quotes, turn


class Table(ActReader):
    """Knows some turns by their text; what it was asked is kept."""

    def __init__(self, **known: Reading) -> None:
        super().__init__()
        self._table = known
        self.asked: list[tuple[Said, tuple[Said, ...]]] = []

    def read(self, said: Said, before: Sequence[Said]) -> Reading:
        self.asked.append((said, tuple(before)))
        return self._table.get(said.text, ())


def look(conversation: Conversation, reader: ActReader, both_roles: bool = False, **specs: Any) -> Context:
    return context(conversation, acts=reader, both_roles=both_roles, **specs)


FEE = ActSpec(label="资费", acts=("states_fee",), at_least=0.6)


def test_a_turn_that_does_it_is_quoted_where_it_shows_most() -> None:
    reader = Table(**{"那个，一个月三块，走话费": (Act("states_fee", 0.83, 5),)})
    ctx = look(call("坐：那个，一个月三块，走话费"), reader, fee=FEE)
    (hit,) = ctx.hits("fee")
    assert (hit.quote, hit.heard_as, hit.strength, hit.distance, hit.note) == (
        "一个月三块",
        "说明资费",
        Strength.MEANING,
        0.17,
        "按意思（83%）",
    )


@pytest.mark.parametrize(("sure", "found"), [(0.59, []), (0.6, ["一个月三块"]), (1.0, ["一个月三块"])])
def test_sure_enough_or_not(sure: float, found: list[str]) -> None:
    ctx = look(call("坐：一个月三块"), Table(一个月三块=(Act("states_fee", sure, 1),)), fee=FEE)
    assert quotes(ctx.hits("fee")) == found


def test_only_turns_of_the_side_and_the_part_are_read_with_what_was_said_before() -> None:
    reader = Table()
    spec = ActSpec(label="来意", acts=("tells_purpose",), where=Where(first_turns=1))
    look(call("客：喂喂喂您好", "坐：找您说个事", "客：什么事情啊", "坐：一个月三块"), reader, it=spec).hits("it")
    assert reader.asked == [(Said(True, "找您说个事"), (Said(False, "喂喂喂您好"),))]


def test_kinds_of_one_thing_are_weighed_together_and_shown_where_the_surest_is() -> None:
    bad = ActSpec(label="态度", acts=("blames", "retorts"), at_least=0.8)
    text = "您早干嘛去了，冲我嚷什么"
    ctx = look(call(f"坐：{text}"), Table(**{text: (Act("blames", 0.6, 2), Act("retorts", 0.5, 9))}), bad=bad)
    assert [(hit.quote, hit.distance) for hit in ctx.hits("bad")] == [("您早干嘛去了", 0.2)]


def test_guessed_roles_words_are_read_as_those_of_the_side_that_can_do_it() -> None:
    reader = Table()
    ctx = context(call("客：一个月三块"), "loose", both_roles=True, acts=reader, fee=FEE)
    assert ctx.hits("fee") == ()
    assert reader.asked == [(Said(True, "一个月三块"), ())]


def test_the_nearest_is_told_unless_it_is_far() -> None:
    reader = Table(甲甲甲=(Act("states_fee", 0.3, 0),), 乙乙乙=(Act("states_fee", 0.2, 0),))
    near = look(call("坐：甲甲甲", "客：嗯", "坐：乙乙乙"), reader, fee=FEE).signal("fee").nearest
    ctx = look(call("坐：甲甲甲", "客：嗯", "坐：乙乙乙"), reader, fee=FEE)
    hit = near(ctx)
    assert hit is not None and hit.quote == "甲甲甲"
    assert near(look(call("坐：乙乙乙"), reader, fee=FEE)) is None
    assert near(look(call(), reader, fee=FEE)) is None


def test_a_long_clause_is_quoted_in_part() -> None:
    text = "一二三四五六七八九十" * 6
    ctx = look(call(f"坐：{text}"), Table(**{text: (Act("states_fee", 0.9, 30),)}), fee=FEE)
    assert quotes(ctx.hits("fee")) == [text[14:46]]


def test_fillers_only_or_nothing_at_all_is_no_trouble() -> None:
    reader = Table(**{"嗯": (Act("states_fee", 0.9, 0),), "": ()})
    assert len(look(call("坐：嗯"), reader, fee=FEE).hits("fee")) == 1
    assert look(call("坐："), reader, fee=FEE).hits("fee") == ()


def test_without_times_the_place_has_no_seconds() -> None:
    (hit,) = look(call(turn("坐：一个月三块")), Table(一个月三块=(Act("states_fee", 0.9, 0),)), fee=FEE).hits("fee")
    assert (hit.start_s, hit.end_s, hit.quote) == (None, None, "一个月三块")


SAID = PhraseSpec(label="资费", phrases=("三块",))
EITHER = ActSpec(label="资费", acts=("states_fee",), at_least=0.6, said="said", said_at_least=0.2)


def test_words_that_may_mean_it_count_and_words_that_do_not_are_excused() -> None:
    reader = Table(一个月三块=(Act("states_fee", 0.2, 0),), 我有三块表=(Act("states_fee", 0.19, 0),))
    ctx = look(call("坐：我有三块表", "客：什么", "坐：一个月三块"), reader, said=SAID, fee=EITHER)
    assert [(hit.position.turn, hit.quote, hit.strength) for hit in ctx.hits("fee")] == [(2, "三块", Strength.EXACT)]
    assert [(hit.position.turn, hit.note) for hit in ctx.excused] == [(0, "字面像，意思不像（19%），不算")]


def test_what_no_words_found_counts_when_it_is_surely_meant() -> None:
    reader = Table(一个月三块=(Act("states_fee", 0.9, 0),), 三个钢镚=(Act("states_fee", 0.6, 0),))
    ctx = look(call("坐：三个钢镚", "客：什么", "坐：一个月三块"), reader, said=SAID, fee=EITHER)
    assert [(hit.quote, hit.strength) for hit in ctx.hits("fee")] == [("三个钢镚", Strength.MEANING), ("三块", Strength.EXACT)]


def test_of_what_is_owed_no_more_is_read_than_it_takes() -> None:
    reader = Table(一个月三块=(Act("states_fee", 0.9, 0),))
    ctx = context(call("坐：甲", "客：嗯", "坐：一个月三块", "客：嗯", "坐：乙"), "loose", acts=reader, said=SAID, fee=EITHER)
    assert quotes(ctx.hits("fee")) == ["三块"]
    assert [said.text for said, _ in reader.asked] == ["一个月三块"]


def test_where_one_is_enough_what_comes_after_it_is_not_looked_for() -> None:
    reader = Table(一个月三块=(Act("states_fee", 0.9, 0),))
    broken = ActSpec(label="坏", acts=("states_fee",), said="nobody")  # asking for it would raise
    both = AnyOfSpec(label="资费", of=("fee", "broken"))
    ctx = context(call("坐：甲", "坐：一个月三块"), "loose", acts=reader, said=SAID, fee=EITHER, broken=broken, both=both)
    found = ctx.some("both")
    assert found is not None and (found.quote, found.strength) == ("三块", Strength.EXACT)
    with pytest.raises(KeyError):
        ctx.hits("both")


def test_one_by_one_the_words_come_before_the_meaning() -> None:
    reader = Table(
        一个月三块=(Act("states_fee", 0.9, 0),), 三个钢镚=(Act("states_fee", 0.6, 0),), 三块表=(Act("states_fee", 0.1, 0),)
    )
    ctx = context(call("坐：三个钢镚", "坐：三块表", "坐：一个月三块"), "loose", acts=reader, said=SAID, fee=EITHER)
    assert [(hit.position.turn, hit.strength) for hit in ctx.each("fee")] == [
        (2, Strength.EXACT),
        (0, Strength.MEANING),
        (2, Strength.MEANING),
    ]
    assert ctx.some("fee") is not None and quotes(ctx.hits("fee")) == ["三块"]


def test_acts_that_are_kept_with_the_turns_are_not_read() -> None:
    kept = call(turn("坐：三个钢镚", acts=(Act("states_fee", 0.6, 1),)), turn("客：什么", acts=()))
    reader = Table()
    assert [hit.position.turn for hit in look(kept, reader, fee=FEE).hits("fee")] == [0]
    assert reader.asked == []


def test_only_the_words_that_are_meant() -> None:
    reader = Table(一个月三块=(Act("states_fee", 0.9, 0),), 三个钢镚=(Act("states_fee", 1.0, 0),))
    only = ActSpec(label="资费", acts=("states_fee",), at_least=1, said="said")
    assert quotes(look(call("坐：三个钢镚", "坐：一个月三块"), reader, said=SAID, fee=only).hits("fee")) == ["三块"]


@pytest.mark.parametrize(
    ("acts", "at_least", "told"),
    [
        (("sings",), 0.5, "没有这种行为：sings"),
        ((), 0.5, "至少写一个"),
        (("states_fee", "refuses"), 0.5, "同一方"),
        (("states_fee",), 0.0, "0 到 1"),
        (("states_fee",), 1.2, "0 到 1"),
    ],
)
def test_a_wrong_definition_is_refused(acts: tuple[str, ...], at_least: float, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ActSpec(label="甲", acts=acts, at_least=at_least)
