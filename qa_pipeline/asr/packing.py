"""Windows full of speech, and the way back: pure arithmetic on sample offsets (16 kHz).

Whisper's encoder costs by the length of its window, silence included. So the voiced stretches of a recording are laid one
after the other (with ``gap`` of silence between them; none by default), cut only where nobody speaks, and every position in
a window can be asked for its channel and its sample in the recording.

Windows never mix recordings. They need not: a window may have any length, so nothing is gained by filling it up with a
neighbour's speech, and a transcript that depended on its neighbours would not be the same after a rerun.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from qa_pipeline.asr.base import SAMPLE_RATE

Quietest = Callable[[int, int], int]
"""(from sample, to sample) → the sample between them at which a cut hurts least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackRules:
    """All lengths in samples."""

    window: int  # a window holds no more than this
    gap: int  # silence laid between two pieces
    keep: int  # silences up to this length stay as they were recorded
    pad: int  # audio kept on both sides of a voiced stretch, where there is room
    quantum: int  # window lengths are multiples of this
    alike: int  # windows share a batch when their lengths, rounded up to multiples of this, are the same
    shortest: int  # shorter windows are filled up with silence
    tail: int  # silence behind the last piece: without it the model does not know that the end is the end, and loops


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of one channel that is heard in one go: samples ``[start, end)`` of the recording.

    ``lead`` samples at its beginning and ``trail`` at its end are not voiced: they are heard, but no word lies in them.
    """

    channel: int
    start: int
    end: int
    lead: int = 0
    trail: int = 0

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Pieces in the order in which they are heard; ``at[i]`` is where piece ``i`` begins in the window."""

    pieces: tuple[Piece, ...]
    at: tuple[int, ...]
    length: int  # with the silence behind the last piece

    @property
    def filled(self) -> int:
        """Where the last piece ends."""
        return self.at[-1] + self.pieces[-1].length

    def piece_at(self, sample: int) -> int:
        """Index of the piece that holds, or lies nearest to, a position in the window."""
        index = max(0, bisect_right(self.at, sample) - 1)
        if index + 1 < len(self.at):
            end = self.at[index] + self.pieces[index].length
            if sample - end > self.at[index + 1] - sample:
                return index + 1
        return index

    def piece_of(self, first: int, last: int) -> int:
        """Index of the piece in whose voiced part most of ``[first, last)`` lies; the one at its middle when it lies in none.

        The aligner lets the first word after a silence begin in that silence, so its middle may lie in the piece before.
        """
        candidates = range(self.piece_at(first), self.piece_at(last) + 1)
        shares = {index: self._voiced(index, first, last) for index in candidates}
        best = max(shares, key=lambda index: (shares[index], -index), default=0)
        return best if shares.get(best) else self.piece_at((first + last) // 2)

    def _voiced(self, index: int, first: int, last: int) -> int:
        """Samples of ``[first, last)`` in the voiced part of a piece."""
        piece, at = self.pieces[index], self.at[index]
        return max(0, min(last, at + piece.length - piece.trail) - max(first, at + piece.lead))

    def locate(self, sample: int, index: int) -> int:
        """The recording's sample for a window position that belongs to piece ``index``; never outside what is voiced of it."""
        piece = self.pieces[index]
        return min(piece.end - piece.trail, max(piece.start + piece.lead, piece.start + sample - self.at[index]))


def make_pieces(channel: int, voiced: Sequence[tuple[int, int]], total: int, quietest: Quietest, rules: PackRules) -> list[Piece]:
    """Pieces of one channel of ``total`` samples: every voiced sample is in exactly one of them, in order.

    Neighbours with no more than ``keep`` of silence between them are one piece; what is longer than a window is cut, at a
    silence between voiced stretches if there is one, else at the ``quietest`` place.
    """
    pieces: list[Piece] = []
    for run in _runs(voiced, rules.keep):
        spans = list(run)
        while spans:
            taken, spans = _take(spans, quietest, rules.window - 2 * rules.pad)
            pieces.append(Piece(channel=channel, start=taken[0], end=taken[1]))
    return _padded(pieces, total, rules.pad)


def _runs(voiced: Sequence[tuple[int, int]], keep: int) -> Iterable[list[tuple[int, int]]]:
    run: list[tuple[int, int]] = []
    for span in voiced:
        if run and span[0] - run[-1][1] > keep:
            yield run
            run = []
        run.append(span)
    if run:
        yield run


def _take(spans: list[tuple[int, int]], quietest: Quietest, room: int) -> tuple[tuple[int, int], list[tuple[int, int]]]:
    """The longest head of ``spans`` that fits into ``room``, and the rest."""
    start = spans[0][0]
    fitting = [index for index, span in enumerate(spans) if span[1] - start <= room]
    if fitting:
        last = fitting[-1]
        rest = spans[last + 1 :]
        whole = rest == [] or spans[last][1] - start >= room // 2
        if whole:
            return (start, spans[last][1]), rest
    # One stretch without a pause, longer than the room: cut in its second half.
    cut = quietest(start + room // 2, start + room)
    rest = [(max(cut, first), last) for first, last in spans if last > cut]
    return (start, cut), rest


def _padded(pieces: list[Piece], total: int, pad: int) -> list[Piece]:
    """Give every piece ``pad`` samples on both sides, neighbours sharing the silence between them."""
    result: list[Piece] = []
    for index, piece in enumerate(pieces):
        before = pieces[index - 1].end if index else 0
        after = pieces[index + 1].start if index + 1 < len(pieces) else total
        left = min(pad, (piece.start - before) // 2 if index else piece.start)
        right = min(pad, (after - piece.end) // 2 if index + 1 < len(pieces) else after - piece.end)
        result.append(Piece(channel=piece.channel, start=piece.start - left, end=piece.end + right, lead=left, trail=right))
    return result


def pack(pieces: Sequence[Piece], rules: PackRules) -> list[Window]:
    """Lay ``pieces`` into as few windows as they need, evenly filled, order kept.

    Even filling: with two windows of speech for 1.1 windows, 0.55 each is better heard than 1.0 and 0.1.
    """
    if not pieces:
        return []
    total = sum(piece.length + rules.gap for piece in pieces) - rules.gap
    target = total / -(-total // rules.window)
    groups: list[list[Piece]] = [[]]
    filled = 0
    for piece in pieces:
        grown = filled + (rules.gap if groups[-1] else 0) + piece.length
        overfull = grown > rules.window
        if groups[-1] and (overfull or grown - target > target - filled):
            groups.append([])
            grown = piece.length
        groups[-1].append(piece)
        filled = grown
    return [_window(group, rules) for group in groups]


def alone(piece: Piece, rules: PackRules) -> Window:
    """A window for one piece."""
    return _window([piece], rules)


def _window(pieces: list[Piece], rules: PackRules) -> Window:
    at: list[int] = []
    position = 0
    for piece in pieces:
        at.append(position)
        position += piece.length + rules.gap
    filled = position - rules.gap
    length = max(rules.shortest, -(-(filled + rules.tail) // rules.quantum) * rules.quantum)
    return Window(pieces=tuple(pieces), at=tuple(at), length=length)


def seconds(samples: int) -> float:
    """Samples as seconds, to the millisecond: what goes into a transcript."""
    return round(samples / SAMPLE_RATE, 3)
