"""What is wrong with lexicons beyond their form."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa_pipeline.errors import UserError
from qa_pipeline.resources import lexicons_dir, rules_dir
from qa_pipeline.rules.clean_speech import forbidden_lexicons, sentences
from qa_pipeline.rules.lexicon_check import LexiconNote, check_lexicons
from qa_pipeline.text.lexicon import Lexicon, Term
from tests.rules.support import book, phrase, rule, shipped


def lexicon(*terms: str | Term) -> dict[str, Lexicon]:
    return {"l": Lexicon(name="l", title="词", source="测试", date="2026-11-21", terms=terms)}


def notes(*terms: str | Term, clean: tuple[str, ...] = (), forbidden: bool = True) -> list[tuple[str, str, str]]:
    found = check_lexicons(lexicon(*terms), clean, frozenset({"l"} if forbidden else ()))
    assert all(item == LexiconNote(lexicon="l", term=item.term, kind=item.kind, message=item.message) for item in found)
    return [(item.term, item.kind, item.message) for item in found]


def test_terms_that_say_the_same() -> None:
    assert notes("滚蛋", "滚蛋") == [("滚蛋", "duplicate", "与“滚蛋”重复")]
    assert notes("(再见|拜拜)", "(拜拜|再见)") == []  # two syllables have no written-out readings
    assert notes("(你给我|给我)滚蛋", "(给我|你给我)滚蛋") == [("(给我|你给我)滚蛋", "duplicate", "与“(你给我|给我)滚蛋”重复")]
    assert notes(Term(text="滚蛋", variants=("滚蛋",))) == [("滚蛋", "duplicate", "与“滚蛋”重复")]


def test_terms_that_an_earlier_one_already_finds() -> None:
    assert notes("滚蛋", "你给我滚蛋") == [("你给我滚蛋", "swallowed", "凡是它能找到的，“滚蛋”都已经找到，可以删去")]
    assert notes("你给我滚蛋", "滚蛋") == [("你给我滚蛋", "swallowed", "凡是它能找到的，“滚蛋”都已经找到，可以删去")]
    assert notes("滚蛋", "(你给我滚蛋|快给我走开)") == []


def test_a_term_that_counts_less_often_swallows_nothing() -> None:
    assert notes(Term(text="不行", whole="clause"), "就是不行") == []
    assert notes(Term(text="滚蛋", unless=("皮球",)), "你给我滚蛋") == []
    assert notes(Term(text="滚蛋", bounded=True), "你给我滚蛋") == []
    assert notes(Term(text="滚蛋", whole="clause"), "滚蛋") == []
    assert [kind for _, kind, _ in notes(Term(text="滚蛋", whole="clause"), Term(text="你给我滚蛋", whole="clause"))] == [
        "swallowed"
    ]


def test_terms_that_hit_clean_speech() -> None:
    clean = ("您好，這個不行的話我幫您問問",)
    assert notes("不行的话", clean=clean) == [("不行的话", "clean", "会命中没有违规的话：您好，這個不行的話我幫您問問")]
    assert notes("不行的画", clean=clean) == [("不行的画", "clean", "会命中没有违规的话：您好，這個不行的話我幫您問問")]  # by sound
    assert notes("不行的话", clean=clean, forbidden=False) == []
    assert notes(Term(text="不行的话", unless=("帮您问",)), clean=clean) == []
    assert notes(Term(text="不行", whole="clause"), clean=clean) == []


def test_which_lexicons_accuse(tmp_path: Path) -> None:
    made = book(
        tmp_path,
        rule("N01", signals={"said": {"kind": "phrase", "label": "忌语", "lexicons": ["bad"]}}),
        rule("N02", signals={"said": {"kind": "phrase", "label": "短", "lexicons": ["curt"], "whole": "clause"}}),
        rule("M01", signals={"owed": {"kind": "phrase", "label": "应说", "lexicons": ["good"]}}, judge={"must": ["owed"]},
             examples={"violating": [{"turns": ["坐席：漏了"]}], "clear": [{"turns": ["坐席：说了", "客户：好"]}]}),
        lexicons={name: {"name": name, "title": "词", "source": "测试", "date": "2026-11-21", "terms": [name]} for name in ("bad", "curt", "good")},
    )  # fmt: skip
    assert forbidden_lexicons(made) == {"bad"}
    assert sentences(made) == ["说了"]


def test_a_corpus_of_ones_own(tmp_path: Path) -> None:
    made = book(tmp_path, rule(signals={"said": phrase("坏话")}))
    corpus = tmp_path / "clean.txt"
    corpus.write_bytes("\ufeff一句话\r\n\r\n 又一句 \n".encode())
    assert sentences(made, corpus) == ["一句话", "又一句"]
    corpus.write_bytes("一句话".encode("gbk"))
    with pytest.raises(UserError, match="请给出 UTF-8 的文本文件，一行一句。"):
        sentences(made, corpus)
    with pytest.raises(UserError, match=r"读不了 .*none\.txt"):
        sentences(made, tmp_path / "none.txt")


def test_the_shipped_lexicons_accuse_nobody_for_clean_speech_and_repeat_nothing() -> None:
    assert rules_dir().is_dir() and lexicons_dir().is_dir()
    found = check_lexicons(shipped().lexicons, sentences(shipped()), forbidden_lexicons(shipped()))
    assert [item for item in found if item.kind in ("clean", "duplicate")] == []


def test_every_shipped_lexicon_says_where_it_is_from_and_when() -> None:
    for item in shipped().lexicons.values():
        assert item.title and item.source, item.name
        assert len(item.date) == 10 and item.date[:2] == "20", item.name
