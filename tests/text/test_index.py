"""The index of a call tells of every template that stands there, and of few others; no template may be missed by it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qa_pipeline.text.expression import Hearing
from qa_pipeline.text.index import PhraseIndex, Phrases
from qa_pipeline.text.pattern import compile_pattern
from qa_pipeline.text.stream import Stream, interleave

HEARINGS: tuple[Hearing, ...] = ("chars", "sounds", "runs")


def scan(passages: list[str], *wanted: tuple[str, Hearing]) -> dict[tuple[str, str], list[int]]:
    """For each template found possible the passages."""
    phrases = Phrases((compile_pattern(text), hearing) for text, hearing in wanted)
    bits = [1 << nth for nth, passage in enumerate(passages) for _ in range(len(passage) + 1)]
    present = PhraseIndex([phrases]).scan(Stream("\n".join(passages)), bits)
    return {wanted[nth]: [passage for passage in range(len(passages)) if mask >> passage & 1] for nth, mask in present.of(phrases)}


def test_a_template_is_told_of_where_all_its_stretches_stand() -> None:
    calls = ["退订的话打客服", "退订", "推定的话打营业厅", "请问您贵姓"]
    assert scan(calls, ("退订~6(营业厅|客服)", "chars"), ("退订~6(营业厅|客服)", "sounds"), ("挂机", "runs")) == {
        ("退订~6(营业厅|客服)", "chars"): [0],
        ("退订~6(营业厅|客服)", "sounds"): [0, 2],
    }


def test_a_single_character_is_taken_by_sound_only_in_a_run() -> None:
    calls = ["还有是么", "还有事吗"]
    assert scan(calls, ("有(事|市)吗", "sounds"), ("有(事|市)吗", "runs")) == {
        ("有(事|市)吗", "sounds"): [1],
        ("有(事|市)吗", "runs"): [1],
    }
    assert scan(["啊游事嘛"], ("有事", "chars"), ("有[点]事", "sounds"), ("有[点]事", "runs")) == {("有[点]事", "runs"): [0]}


def test_nothing_is_wanted_or_said() -> None:
    assert PhraseIndex([]).scan(Stream(""), []).of(Phrases(())) == ()
    assert scan([""], ("退订", "chars")) == {}


_words = st.text(alphabet="您好请问取消退订营业厅银行长", min_size=1, max_size=3)
_parts = st.one_of(
    _words,
    st.tuples(_words, _words).map(lambda pair: f"({pair[0]}|{pair[1]})"),
    _words.map(lambda text: f"[{text}]"),
    st.sampled_from(["~2", "#"]),
)


@given(
    st.lists(_parts, min_size=1, max_size=4),
    st.lists(st.text(alphabet="您好请问取消退订营业厅银行长一二杭常盈", max_size=12), max_size=3),
)
def test_what_stands_in_a_passage_is_never_missed(parts: list[str], passages: list[str]) -> None:
    try:
        pattern = compile_pattern("".join(parts))
    except ValueError:
        return
    told = scan(passages, *((pattern.source, hearing) for hearing in HEARINGS))
    for nth, passage in enumerate(passages):
        stream = Stream(passage)
        for hearing in HEARINGS:
            if pattern.matches(stream, 0, len(passage), hearing):
                assert nth in told[pattern.source, hearing]


@given(st.lists(st.tuples(st.characters(), st.characters())))
def test_streams_are_laid_between_each_other(pairs: list[tuple[str, str]]) -> None:
    first, second = "".join(one for one, _ in pairs), "".join(other for _, other in pairs)
    assert interleave(first, second) == "".join(one + other for one, other in pairs)
