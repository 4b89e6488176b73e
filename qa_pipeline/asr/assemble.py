"""From readings of windows back to segments of the recording. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from qa_pipeline.asr.packing import Piece, Window, seconds
from qa_pipeline.asr.whisper import Heard, Timed
from qa_pipeline.model import Segment, Word

_STRAY = 2  # words


def segments_of(window: Window, heard: Heard) -> list[tuple[Piece, Segment]]:
    """One segment per piece of ``window`` that has words, each with the piece it was heard in.

    A word belongs to the piece in whose speech it lies, never to an earlier one than the word before it. Words that begin
    behind the last piece were said over silence and are left out.
    """
    said = [word for word in heard.words if word.first <= window.filled]
    stop = heard.words[len(said)].start if len(said) < len(heard.words) else len(heard.text)
    groups: list[tuple[int, list[Timed]]] = []
    for word, index in zip(said, _pieces_of(window, said), strict=True):
        if not groups or groups[-1][0] != index:
            groups.append((index, []))
        groups[-1][1].append(word)
    result = []
    for number, (index, words) in enumerate(groups):
        end = groups[number + 1][1][0].start if number + 1 < len(groups) else stop
        result.append((window.pieces[index], _segment(window, index, words, heard.text[:end])))
    return result


def _pieces_of(window: Window, words: Sequence[Timed]) -> list[int]:
    """The piece of each word, never falling.

    The aligner is unsure about the words around a long silence, the recogniser's own phrases are not: where a join would cut a
    phrase, one or two words go to the side that the rest of their phrase is on.
    """
    pieces: list[int] = []
    for word in words:
        pieces.append(max(pieces[-1] if pieces else 0, window.piece_of(word.first, word.last)))
    whole = [True] + [words[at - 1].end < words[at].start for at in range(1, len(words))]  # a phrase begins here
    for at in range(1, len(words)):
        if pieces[at] == pieces[at - 1] or whole[at]:
            continue
        before, after = pieces[at - 1], pieces[at]
        for count in range(1, _STRAY + 1):
            if at - count > 0 and pieces[at - count] == before and whole[at - count]:
                pieces[at - count : at] = [after] * count
                break
            if at + count < len(words) and pieces[at + count - 1] == after and whole[at + count]:
                pieces[at : at + count] = [before] * count
                break
    return pieces


def _segment(window: Window, index: int, words: Sequence[Timed], text: str) -> Segment:
    start = words[0].start
    timed = tuple(
        Word(
            start=word.start - start,
            end=word.end - start,
            start_s=seconds(window.locate(word.first, index)),
            end_s=seconds(window.locate(word.last, index)),
            confidence=round(word.confidence, 4),
        )
        for word in words
    )
    return Segment(
        channel=window.pieces[index].channel,
        start_s=timed[0].start_s,
        end_s=timed[-1].end_s,
        text=text[start:].rstrip(),
        words=timed,
        confidence=round(sum(word.confidence for word in words) / len(words), 4),
    )
