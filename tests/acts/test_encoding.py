"""A turn as numbers: characters, sounds, whose they are; and long turns in pieces that lose nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qa_pipeline.acts.encoding import BEFORE_CHARS, LONGEST, PIECE, UNKNOWN, Alphabet, Place, Said, pieces

ALPHABET = Alphabet.of("您你好号一，a")


def test_characters_and_syllable_classes_are_numbered_from_two() -> None:
    assert ALPHABET.chars == {"您": 2, "你": 3, "好": 4, "号": 5, "一": 6, "，": 7, "a": 8}
    assert ALPHABET.sounds["好"] == ALPHABET.sounds["号"] and ALPHABET.sounds["您"] != ALPHABET.sounds["你"]
    assert "，" not in ALPHABET.sounds and ALPHABET.sound_count == max(ALPHABET.sounds.values()) + 1


def test_a_network_keeps_the_classes_it_was_trained_with() -> None:
    chars = "您你好号一，a"
    numbers = [ALPHABET.sounds.get(char, 0) for char in chars]
    assert Alphabet.kept(chars, numbers) == ALPHABET
    assert Alphabet.kept("好号", [7, 0]).sounds == {"好": 7}


def test_what_was_said_before_stands_first_and_is_told_apart() -> None:
    code = ALPHABET.encode(Said(False, "好，"), [Said(True, "你"), Said(False, "您x")])
    assert code.ids == [3, 2, UNKNOWN, 4, 7]
    assert code.places == [Place.BEFORE_AGENT, Place.BEFORE_CUSTOMER, Place.BEFORE_CUSTOMER, Place.CUSTOMER, Place.CUSTOMER]
    assert code.first == 3 and len(code.sounds) == 5


def test_only_the_end_of_what_was_said_before_is_read() -> None:
    code = ALPHABET.encode(Said(True, "好"), [Said(False, "一" * 100), Said(True, "您" * 10)])
    assert code.first == BEFORE_CHARS
    assert code.ids == [6] * (BEFORE_CHARS - 10) + [2] * 10 + [4]


def test_nothing_before_and_nothing_said() -> None:
    assert ALPHABET.encode(Said(True, ""), []) == ([], [], [], 0)
    assert list(pieces(Said(True, ""), [])) == []


def test_a_long_turn_is_cut_where_a_clause_ends() -> None:
    text = ("一" * 39 + "，") * 5
    cut = list(pieces(Said(True, text), [Said(False, "好")]))
    assert [(start, len(piece.text)) for start, piece, _ in cut] == [(0, 80), (80, 120)]
    assert cut[1][2] == [Said(False, "好"), Said(True, text[:80])]


@given(st.text(alphabet="一二三，。", max_size=700))
def test_the_pieces_are_the_turn(text: str) -> None:
    cut = list(pieces(Said(False, text), []))
    assert "".join(piece.text for _, piece, _ in cut) == text
    assert all(text[start:].startswith(piece.text) and 0 < len(piece.text) <= LONGEST for start, piece, _ in cut)
    assert all(len(piece.text) > PIECE // 2 for _, piece, _ in cut[:-1])
