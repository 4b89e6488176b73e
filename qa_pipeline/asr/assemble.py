"""From readings of windows back to segments of the recording. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from qa_pipeline.asr.packing import Piece, Window, seconds
from qa_pipeline.asr.whisper import Heard, Timed
from qa_pipeline.model import Segment, Word


def segments_of(window: Window, heard: Heard) -> list[tuple[Piece, Segment]]:
    """One segment per piece of ``window`` that has words, each with the piece it was heard in.

    A word belongs to the piece in whose speech it lies, never to an earlier one than the word before it. Words that begin
    behind the last piece were said over silence and are left out.
    """
    groups: list[tuple[int, list[Timed]]] = []
    lowest = 0
    stop = len(heard.text)
    for word in heard.words:
        if word.first > window.filled:
            stop = word.start
            break
        index = max(lowest, window.piece_of(word.first, word.last))
        lowest = index
        if not groups or groups[-1][0] != index:
            groups.append((index, []))
        groups[-1][1].append(word)
    result = []
    for number, (index, words) in enumerate(groups):
        end = groups[number + 1][1][0].start if number + 1 < len(groups) else stop
        result.append((window.pieces[index], _segment(window, index, words, heard.text[:end])))
    return result


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
