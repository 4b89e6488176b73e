"""Windows hold all speech once, and every place in them leads back to the recording."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from qa_pipeline.asr.packing import PackRules, Piece, Window, alone, make_pieces, pack, seconds

RULES = PackRules(window=1000, gap=40, keep=60, pad=10, quantum=50, alike=50, shortest=300, tail=80)


@st.composite
def voiced(draw: st.DrawFn) -> tuple[list[tuple[int, int]], int]:
    """Sorted stretches that do not touch, and the length of their channel."""
    lengths = draw(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 2500)), max_size=30))
    position, spans = 0, []
    for silence, speech in lengths:
        spans.append((position + silence, position + silence + speech))
        position = spans[-1][1]
    return spans, position + draw(st.integers(0, 300))


def middle(start: int, end: int) -> int:
    return (start + end) // 2


def owners(pieces: list[Piece], sample: int) -> int:
    return sum(piece.start <= sample < piece.end for piece in pieces)


@given(voiced())
def test_every_voiced_sample_is_in_exactly_one_piece_and_pieces_fit_a_window(case: tuple[list[tuple[int, int]], int]) -> None:
    spans, total = case
    pieces = make_pieces(0, spans, total, middle, RULES)
    for start, end in spans:
        for sample in {start, (start + end) // 2, end - 1}:
            assert owners(pieces, sample) == 1
    assert all(0 <= piece.start < piece.end <= total and piece.length <= RULES.window for piece in pieces)
    assert all(one.end <= other.start for one, other in pairwise(pieces))


@given(voiced())
def test_silences_that_are_kept_are_inside_pieces_and_longer_ones_between_them(case: tuple[list[tuple[int, int]], int]) -> None:
    spans, total = case
    pieces = make_pieces(0, spans, total, middle, RULES)
    for (_, end), (start, _) in pairwise(spans):
        if start - end > RULES.keep:
            assert owners(pieces, (start + end) // 2) == 0 or start - end <= 2 * RULES.pad + 1


@given(voiced())
def test_windows_hold_all_pieces_in_order_and_lead_back(case: tuple[list[tuple[int, int]], int]) -> None:
    spans, total = case
    pieces = make_pieces(0, spans, total, middle, RULES)
    windows = pack(pieces, RULES)
    assert [piece for window in windows for piece in window.pieces] == pieces
    for window in windows:
        assert window.filled <= RULES.window
        assert window.length % RULES.quantum == 0
        assert window.length >= max(RULES.shortest, window.filled + RULES.tail)
        for index, (piece, at) in enumerate(zip(window.pieces, window.at, strict=True)):
            for offset in {0, piece.length // 2, piece.length - 1}:
                assert window.piece_at(at + offset) == index
                voiced = min(max(piece.start + offset, piece.start + piece.lead), piece.end - piece.trail)
                assert window.locate(at + offset, index) == voiced


@given(voiced(), st.integers(-100, 5000))
def test_no_place_leads_outside_its_piece(case: tuple[list[tuple[int, int]], int], sample: int) -> None:
    spans, total = case
    for window in pack(make_pieces(1, spans, total, middle, RULES), RULES):
        index = window.piece_at(sample)
        assert window.pieces[index].start <= window.locate(sample, index) <= window.pieces[index].end


@given(voiced())
def test_windows_are_few(case: tuple[list[tuple[int, int]], int]) -> None:
    spans, total = case
    pieces = make_pieces(0, spans, total, middle, RULES)
    used = sum(piece.length + RULES.gap for piece in pieces)
    assert len(pack(pieces, RULES)) <= 2 * -(-used // RULES.window) + 1


def test_a_gap_between_pieces_belongs_to_the_nearer_one() -> None:
    window = Window(pieces=(Piece(channel=0, start=0, end=100), Piece(channel=0, start=500, end=600)), at=(0, 140), length=300)
    assert [window.piece_at(sample) for sample in (0, 99, 110, 130, 140, 239, 290)] == [0, 0, 0, 1, 1, 1, 1]


def test_long_speech_without_a_pause_is_cut_at_the_quietest_place() -> None:
    asked: list[tuple[int, int]] = []

    def quietest(start: int, end: int) -> int:
        asked.append((start, end))
        return start + 7

    pieces = make_pieces(0, [(0, 1500)], 1500, quietest, RULES)
    assert asked == [(490, 980), (987, 1477)]
    assert [(piece.start, piece.end) for piece in pieces] == [(0, 497), (497, 994), (994, 1500)]


def test_a_lone_piece_gets_a_window_of_the_shortest_length() -> None:
    piece = Piece(channel=1, start=5, end=25)
    assert alone(piece, RULES) == Window(pieces=(piece,), at=(0,), length=300)


def test_nothing_voiced_makes_nothing() -> None:
    assert make_pieces(0, [], 100, middle, RULES) == []
    assert pack([], RULES) == []


def test_seconds_are_rounded_to_the_millisecond() -> None:
    assert (seconds(16000), seconds(8), seconds(7)) == (1.0, 0.001, 0.0)


def test_a_word_that_begins_in_the_silence_before_it_belongs_to_the_speech_in_which_it_ends() -> None:
    """Two pieces with 40 samples of silence around 20 and 30 samples of speech, laid end to end."""
    one = Piece(channel=0, start=0, end=100, lead=40, trail=40)
    two = Piece(channel=0, start=500, end=610, lead=40, trail=40)
    window = Window(pieces=(one, two), at=(0, 100), length=300)
    assert window.piece_of(45, 60) == 0
    assert window.piece_of(60, 150) == 1  # its middle lies before piece two begins, its sound does not
    assert window.piece_of(45, 145) == 0  # stretched over the silence behind it
    assert window.piece_of(70, 95) == 0  # in nobody's speech: where its middle is
