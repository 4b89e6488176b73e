"""Words heard in a window become segments of the recording, cut where the recording had its silences."""

from __future__ import annotations

from qa_pipeline.asr.assemble import segments_of
from qa_pipeline.asr.packing import Piece, Window
from qa_pipeline.asr.whisper import Heard, Timed
from qa_pipeline.model import Segment, Word

S = 16000
FIRST = Piece(channel=1, start=10 * S, end=12 * S)
SECOND = Piece(channel=1, start=30 * S, end=33 * S)
WINDOW = Window(pieces=(FIRST, SECOND), at=(0, 3 * S), length=8 * S)


def heard(text: str, *times: tuple[int, int, float, float]) -> Heard:
    """``times``: characters from, to, seconds from, to."""
    words = tuple(
        Timed(start=start, end=end, first=round(first * S), last=round(last * S), confidence=0.8)
        for start, end, first, last in times
    )
    return Heard(text=text, words=words, avg_logprob=-0.2, no_speech=0.0, cut_short=False)


def test_words_go_back_to_their_pieces_with_offsets_into_the_new_texts() -> None:
    result = segments_of(WINDOW, heard("您好,先生 再见。", (0, 2, 0.5, 1.0), (3, 5, 1.0, 1.6), (6, 8, 3.5, 4.0)))
    assert result == [
        (
            FIRST,
            Segment(
                channel=1,
                start_s=10.5,
                end_s=11.6,
                text="您好,先生",
                words=(
                    Word(start=0, end=2, start_s=10.5, end_s=11.0, confidence=0.8),
                    Word(start=3, end=5, start_s=11.0, end_s=11.6, confidence=0.8),
                ),
                confidence=0.8,
            ),
        ),
        (
            SECOND,
            Segment(
                channel=1,
                start_s=30.5,
                end_s=31.0,
                text="再见。",
                words=(Word(start=0, end=2, start_s=30.5, end_s=31.0, confidence=0.8),),
                confidence=0.8,
            ),
        ),
    ]


def test_a_word_that_the_aligner_stretched_over_the_joint_stays_in_one_piece() -> None:
    [(piece, segment)] = segments_of(WINDOW, heard("好", (0, 1, 1.5, 2.4)))
    assert (piece, segment.start_s, segment.end_s) == (FIRST, 11.5, 12.0)
    [(piece, segment)] = segments_of(WINDOW, heard("好", (0, 1, 2.2, 3.9)))
    assert (piece, segment.start_s, segment.end_s) == (SECOND, 30.0, 30.9)


def test_words_never_go_back_to_an_earlier_piece() -> None:
    result = segments_of(WINDOW, heard("好的", (0, 1, 3.0, 3.4), (1, 2, 0.2, 0.4)))
    assert [piece for piece, _ in result] == [SECOND]


def test_words_over_the_closing_silence_are_left_out() -> None:
    result = segments_of(WINDOW, heard("好谢谢", (0, 1, 5.5, 5.9), (1, 3, 7.5, 7.9)))
    assert [segment.text for _, segment in result] == ["好"]


def test_no_words_no_segments() -> None:
    assert segments_of(WINDOW, heard(" ")) == []


def test_a_join_does_not_cut_a_phrase() -> None:
    """不 is timed before the silence, but the recogniser wrote it with what follows; 了 the other way round."""
    early = segments_of(WINDOW, heard("还清 不需要", (0, 2, 0.5, 1.2), (3, 4, 1.6, 1.9), (4, 6, 3.3, 4.0)))
    assert [(piece, segment.text) for piece, segment in early] == [(FIRST, "还清"), (SECOND, "不需要")]
    assert early[1][1].start_s == 30.0
    late = segments_of(WINDOW, heard("还清了 需要", (0, 2, 0.5, 1.2), (2, 3, 3.1, 3.3), (4, 6, 3.4, 4.0)))
    assert [(piece, segment.text) for piece, segment in late] == [(FIRST, "还清了"), (SECOND, "需要")]
    unsure = segments_of(WINDOW, heard("还清不需要", (0, 2, 0.5, 1.2), (2, 3, 1.6, 1.9), (3, 5, 3.3, 4.0)))
    assert [segment.text for _, segment in unsure] == ["还清不", "需要"]
