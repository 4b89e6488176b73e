"""Recogniser segments cut into words, each with its track (channel or voice): what turns are built from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from qa_pipeline.model import Segment, Transcript, VoiceSpan, Word
from qa_pipeline.speakers.spans import Spans

SNAP_S = 0.7  # a change of voice is known to about this; the words' own pauses and stops say where it really is
NEAR_S = 0.5  # a word this near to a voice's span belongs to it
STOPS = "，。？！、；：,.?!"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One word with what follows it up to the next one (or a whole segment without words). ``words`` count from its text."""

    track: int | None  # channel or voice; None: nobody knows
    channel: int
    start_s: float
    end_s: float
    text: str
    words: tuple[Word, ...] = ()
    confidence: float
    certainty: float = 1.0  # that the track is right


def units_of(transcript: Transcript, by_voice: bool) -> list[Unit]:
    """All words of a transcript, sorted by time; ``by_voice``: tracks are the voices of acoustics, else the channels."""
    voices = transcript.acoustics.voices if by_voice and transcript.acoustics is not None else ()
    voiced = {
        channel: Spans((span.start_s, span.end_s) for span in transcript.voiced if span.channel == channel)
        for channel in range(transcript.channels)
    }
    units: list[Unit] = []
    for segment in transcript.segments:
        pieces = [_within_speech(piece, voiced.get(segment.channel)) for piece in _words(segment)]
        units += _by_voice(pieces, voices) if by_voice else pieces
    return sorted(units, key=lambda unit: (unit.start_s, unit.end_s, unit.channel))


def _words(segment: Segment) -> Iterator[Unit]:
    """The segment's text without loss: each word takes the characters up to the next word's start."""
    words = [word for word in segment.words if word.end > word.start]
    text = parted(segment.text)
    if not words:
        yield Unit(
            track=segment.channel,
            channel=segment.channel,
            start_s=segment.start_s,
            end_s=segment.end_s,
            text=text,
            confidence=segment.confidence,
        )
        return
    starts = [0, *(word.start for word in words[1:]), len(text)]
    for word, start, stop in zip(words, starts[:-1], starts[1:], strict=True):
        yield Unit(
            track=segment.channel,
            channel=segment.channel,
            start_s=word.start_s,
            end_s=max(word.start_s, word.end_s),
            text=text[start:stop],
            words=(replace(word, start=word.start - start, end=word.end - start),),
            confidence=word.confidence,
        )


def parted(text: str) -> str:
    """Text to which more will be joined: after a digit or Latin letter with a space, so that 8012 and 3 do not become 80123."""
    return text + " " if text[-1:].isascii() and text[-1:].isalnum() else text


def _within_speech(unit: Unit, voiced: Spans | None) -> Unit:
    """Recognisers stretch a word over the silence beside it; its ends are drawn back to where the channel has speech."""
    if voiced is None or not voiced:
        return unit
    inside = voiced.clip(unit.start_s, unit.end_s)
    if not inside:
        return unit
    start_s, end_s = inside[0][0], inside[-1][1]
    if start_s == unit.start_s and end_s == unit.end_s:
        return unit
    words = tuple(replace(word, start_s=max(start_s, word.start_s), end_s=min(end_s, word.end_s)) for word in unit.words)
    return replace(unit, start_s=start_s, end_s=end_s, words=words)


def _by_voice(pieces: Sequence[Unit], voices: Sequence[VoiceSpan]) -> list[Unit]:
    """Words of one segment with their voices; changes of voice moved to the nearest pause or stop."""
    units = [_heard(piece, voices) for piece in pieces]
    for index in _changes(units):
        target = _best_cut(units, index)
        for moved in range(min(index, target), max(index, target)):
            source = units[index] if target < index else units[index - 1]
            units[moved] = replace(units[moved], track=source.track, certainty=min(units[moved].certainty, source.certainty))
    return units


def _changes(units: Sequence[Unit]) -> Iterable[int]:
    return [index for index in range(1, len(units)) if units[index].track != units[index - 1].track]


def _best_cut(units: Sequence[Unit], index: int) -> int:
    """Where the change before ``units[index]`` fits best: a long pause or a stop, near the measured time."""
    measured = units[index].start_s
    best, best_worth = index, _worth(units, index)
    for candidate in range(1, len(units)):
        away_s = abs(units[candidate].start_s - measured)
        between = units[min(candidate, index) : max(candidate, index)]
        if away_s > SNAP_S or len({unit.track for unit in between}) > 1:
            continue
        worth = _worth(units, candidate) - 0.5 * away_s
        if worth > best_worth + 1e-9:
            best, best_worth = candidate, worth
    return best


def _worth(units: Sequence[Unit], index: int) -> float:
    pause_s = max(0.0, units[index].start_s - units[index - 1].end_s)
    return min(1.0, pause_s) + (0.5 if units[index - 1].text.rstrip()[-1:] in tuple(STOPS) else 0.0)


def _heard(unit: Unit, voices: Sequence[VoiceSpan]) -> Unit:
    """The voice that covers most of the word, else the nearest one within half a second, else nobody."""
    covered: dict[int, float] = {}
    sure: dict[int, float] = {}
    for span in voices:
        overlap = min(unit.end_s, span.end_s) - max(unit.start_s, span.start_s)
        if overlap > 0:
            covered[span.voice] = covered.get(span.voice, 0.0) + overlap
            sure[span.voice] = sure.get(span.voice, 0.0) + overlap * span.confidence
    if covered:
        voice = max(covered, key=lambda key: (covered[key], -key))
        share = covered[voice] / sum(covered.values())
        return replace(unit, track=voice, certainty=sure[voice] / covered[voice] * share)
    near = [(max(span.start_s - unit.end_s, unit.start_s - span.end_s), span.voice, span.confidence) for span in voices]
    if near and min(near)[0] <= NEAR_S:
        _, voice, confidence = min(near)
        return replace(unit, track=voice, certainty=confidence * 0.5)
    return replace(unit, track=None, certainty=0.0)
