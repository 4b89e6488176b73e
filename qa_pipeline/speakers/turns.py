"""Words to turns: consecutive speech of one track, in order of time, with its measured loudness and pitch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median, pstdev

from qa_pipeline.model import Acoustics, Role, RoleSource, Transcript, Turn, Word
from qa_pipeline.speakers.spans import Spans
from qa_pipeline.speakers.units import Unit
from qa_pipeline.text.normalise import normalise

GAP_S = 1.5  # a longer pause of one speaker is two turns
HANGUP_SLACK_S = 0.2  # centres log the hang-up to a tenth of a second at best
PITCH_FRAMES = 5  # half a second of voice; fewer say nothing about movement


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The units of one turn before anybody has a role."""

    track: int | None
    units: tuple[Unit, ...]

    @property
    def start_s(self) -> float:
        return self.units[0].start_s

    @property
    def end_s(self) -> float:
        return max(unit.end_s for unit in self.units)

    @property
    def text(self) -> str:
        return "".join(unit.text for unit in self.units).rstrip(" ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What is known of a track: its role, how, and how sure."""

    role: Role
    source: RoleSource
    confidence: float


def merge(units: Sequence[Unit], hangup_at: float | None) -> list[Piece]:
    """Units (sorted by time) to turns.

    A turn ends when its speaker pauses for ``GAP_S``, when another one speaks within the pause, and at the hang-up.
    """
    middles = sorted(((unit.start_s + unit.end_s) / 2, -1 if unit.track is None else unit.track) for unit in units)
    open_turns: dict[int | None, list[Unit]] = {}
    done: list[Piece] = []
    for unit in units:
        current = open_turns.get(unit.track)
        if current is not None and _goes_on(current, unit, middles, hangup_at):
            current.append(unit)
            continue
        if current is not None:
            done.append(Piece(track=unit.track, units=tuple(current)))
        open_turns[unit.track] = [unit]
    done += [Piece(track=track, units=tuple(rest)) for track, rest in open_turns.items()]
    done = [piece for piece in done if piece.text.strip()]
    return sorted(done, key=lambda piece: (piece.start_s, piece.end_s, -1 if piece.track is None else piece.track))


def _goes_on(current: Sequence[Unit], unit: Unit, middles: Sequence[tuple[float, int]], hangup_at: float | None) -> bool:
    end_s = max(item.end_s for item in current[-3:])
    if unit.start_s - end_s >= GAP_S or after_hangup(unit.start_s, hangup_at) != after_hangup(current[0].start_s, hangup_at):
        return False
    own = -1 if unit.track is None else unit.track
    return not any(end_s < middle < unit.start_s and track != own for middle, track in _between(middles, end_s, unit.start_s))


def _between(middles: Sequence[tuple[float, int]], start: float, end: float) -> Sequence[tuple[float, int]]:
    from bisect import bisect_left, bisect_right

    return middles[bisect_left(middles, (start, -2)) : bisect_right(middles, (end, 99))]


def after_hangup(start_s: float | None, hangup_at: float | None) -> bool:
    """Whether speech starts after the hang-up, as far as the log's tenths of a second can say."""
    return start_s is not None and hangup_at is not None and start_s >= hangup_at - HANGUP_SLACK_S


class Meter:
    """Loudness and pitch movement of stretches of a recording; None where nothing was measured."""

    def __init__(self, transcript: Transcript) -> None:
        self._acoustics: Acoustics | None = transcript.acoustics
        self._voiced = {
            channel: Spans((span.start_s, span.end_s) for span in transcript.voiced if span.channel == channel)
            for channel in range(transcript.channels)
        }

    def loudness_db(self, channel: int, start_s: float, end_s: float) -> float | None:
        """Median level in dBFS of the frames with speech."""
        levels = (
            [self._acoustics.level_db[channel][index] for index in self._frames(channel, start_s, end_s)] if self._acoustics else []
        )
        return round(median(levels), 1) if levels else None

    def pitch_st(self, channel: int, start_s: float, end_s: float) -> float | None:
        """Standard deviation in semitones of the frames that have a pitch."""
        if self._acoustics is None:
            return None
        row = self._acoustics.pitch_st[channel]
        pitches = [pitch for index in self._frames(channel, start_s, end_s) if (pitch := row[index]) is not None]
        return round(pstdev(pitches), 2) if len(pitches) >= PITCH_FRAMES else None

    def louder_elsewhere_db(self, channel: int, start_s: float, end_s: float) -> float | None:
        """How much louder the other channel is in these frames (median); None without two measured channels."""
        if self._acoustics is None or len(self._acoustics.level_db) != 2:
            return None
        own, other = self._acoustics.level_db[channel], self._acoustics.level_db[1 - channel]
        frames = self._frames(channel, start_s, end_s)
        return median(other[index] - own[index] for index in frames) if frames else None

    def _frames(self, channel: int, start_s: float, end_s: float) -> list[int]:
        """Numbers of the frames whose middle lies in the stretch and in speech (in the stretch alone when no speech was found)."""
        if self._acoustics is None or channel >= len(self._acoustics.level_db):
            return []
        hop, count = self._acoustics.hop_s, len(self._acoustics.level_db[channel])
        voiced = self._voiced.get(channel)
        parts = voiced.clip(start_s, end_s) if voiced else []
        frames: list[int] = []
        for start, end in parts or [(start_s, end_s)]:
            first = max(0, int(start / hop - 0.5) + 1 if start / hop > 0.5 else 0)
            frames += [index for index in range(first, min(count, int(end / hop + 1))) if start <= (index + 0.5) * hop < end]
        return frames


def turn_of(piece: Piece, index: int, named: Named, meter: Meter, hangup_at: float | None) -> Turn:
    """One finished turn."""
    raw = piece.text
    normal = normalise(raw)
    words: list[Word] = []
    offset = 0
    for unit in piece.units:
        words += [replace(word, start=word.start + offset, end=word.end + offset) for word in unit.words]
        offset += len(unit.text)
    lengths = [max(1, len(unit.text)) for unit in piece.units]
    certainty = sum(unit.certainty * length for unit, length in zip(piece.units, lengths, strict=True)) / sum(lengths)
    channel = piece.units[0].channel
    return Turn(
        index=index,
        role=named.role,
        role_source=named.source,
        role_confidence=round(named.confidence * certainty, 3),
        raw=raw,
        text=normal.text,
        to_raw=normal.to_raw,
        start_s=round(piece.start_s, 3),
        end_s=round(piece.end_s, 3),
        words=tuple(words),
        confidence=round(fmean(unit.confidence for unit in piece.units), 4),
        channel=channel,
        loudness_db=meter.loudness_db(channel, piece.start_s, piece.end_s),
        pitch_st=meter.pitch_st(channel, piece.start_s, piece.end_s),
        after_hangup=after_hangup(piece.start_s, hangup_at),
    )
