"""A recognised recording as a conversation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from qa_pipeline.model import (
    CallData,
    ChannelSpan,
    Conversation,
    Fitness,
    FitnessFact,
    Recording,
    Role,
    RoleSource,
    Transcript,
    VoicedSpan,
    VoiceSpan,
)
from qa_pipeline.speakers.roles import Guess, decide, is_announcement, role_of
from qa_pipeline.speakers.spans import Spans
from qa_pipeline.speakers.turns import Meter, Named, Piece, merge, turn_of
from qa_pipeline.speakers.units import Unit, units_of
from qa_pipeline.text.normalise import normalise

DOUBTED = 0.8  # confidence of a named channel that what is said weakly contradicts
CONTRADICTED = 0.7  # at most, of roles taken from what is said against the manifest
LEAK_DB = 12.0  # with measured crosstalk: words that are this much louder on the other channel are the other's
NOBODY = Named(role=Role.UNKNOWN, source=RoleSource.NONE, confidence=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Roles:
    tracks: Mapping[int, Named]
    by_voice: bool
    reason: str
    facts: tuple[FitnessFact, ...] = ()

    def of(self, track: int | None) -> Named:
        return NOBODY if track is None else self.tracks.get(track, NOBODY)


def build(call: CallData, recording: Recording | None, transcript: Transcript) -> Conversation:
    """The conversation of one recording.

    Two channels: one role a channel, named by ``call.agent_channel`` or by what is said. One channel (or one channel with speech
    and no named channel): the voices of ``transcript.acoustics``. A role that is only guessed says so in ``role_source``.
    """
    by_voice = _goes_by_voice(call, transcript)
    meter = Meter(transcript)
    fitness = recording.fitness if recording is not None else ()
    leaking = {fact.channel for fact in fitness if fact.kind is Fitness.CROSSTALK}
    units = [unit for unit in units_of(transcript, by_voice) if not _leaked(unit, leaking, meter)]
    pieces = merge(units, call.hangup_at)
    announced = [is_announcement(normalise(piece.text).text) for piece in pieces]
    roles = _name(call, transcript, by_voice, [piece for piece, other in zip(pieces, announced, strict=True) if not other])
    turns = tuple(
        turn_of(piece, index, NOBODY if other else roles.of(piece.track), meter, call.hangup_at)
        for index, (piece, other) in enumerate(zip(pieces, announced, strict=True))
    )
    voices = transcript.acoustics.voices if by_voice and transcript.acoustics is not None else ()
    measured = transcript.acoustics is not None or bool(transcript.voiced) or not transcript.segments
    speech = [span for span in transcript.voiced if not _span_leaked(span, leaking, meter)]
    return Conversation(
        call=call,
        turns=turns,
        duration_s=transcript.duration_s,
        channels=transcript.channels,
        voiced=_per_role(speech, roles, voices) if measured else None,
        uncovered=_per_role([span for span in transcript.uncovered if not _span_leaked(span, leaking, meter)], roles, voices),
        fitness=(*fitness, *roles.facts),
        role_reason=roles.reason,
    )


def _goes_by_voice(call: CallData, transcript: Transcript) -> bool:
    """One channel; or two of which one is dead, with two voices on the other, and nobody has said which channel is the agent's."""
    if transcript.channels == 1:
        return True
    voices = transcript.acoustics.voices if transcript.acoustics is not None else ()
    return call.agent_channel is None and len({span.voice for span in voices}) > 1


def _leaked(unit: Unit, leaking: set[int | None], meter: Meter) -> bool:
    if unit.channel not in leaking:
        return False
    louder = meter.louder_elsewhere_db(unit.channel, unit.start_s, unit.end_s)
    return louder is not None and louder >= LEAK_DB


def _span_leaked(span: ChannelSpan, leaking: set[int | None], meter: Meter) -> bool:
    if span.channel not in leaking:
        return False
    louder = meter.louder_elsewhere_db(span.channel, span.start_s, span.end_s)
    return louder is not None and louder >= LEAK_DB


def _name(call: CallData, transcript: Transcript, by_voice: bool, pieces: Sequence[Piece]) -> _Roles:
    if by_voice:
        heard = {piece.track for piece in pieces if piece.track is not None}
        if transcript.acoustics is not None:
            heard |= {span.voice for span in transcript.acoustics.voices}
        tracks = sorted(heard & {0, 1})
        if transcript.acoustics is None or not transcript.acoustics.voices:
            return _Roles(tracks={}, by_voice=True, reason="单声道录音，没有声纹测量，无法区分说话人")
    else:
        tracks = list(range(transcript.channels))
    guess = decide({track: _said(pieces, track) for track in tracks})
    if by_voice or call.agent_channel is None:
        source = RoleSource.VOICE if by_voice else RoleSource.CUES
        return _Roles(tracks=_guessed(guess, tracks, source), by_voice=by_voice, reason=guess.reason)
    return _by_manifest(call.agent_channel, guess, tracks)


def _said(pieces: Iterable[Piece], track: int) -> str:
    """All that a track says, as normal text, turns parted by a stop so that no phrase crosses them."""
    return "。".join(normalise(piece.text).text for piece in pieces if piece.track == track)


def _guessed(guess: Guess, tracks: Sequence[int], source: RoleSource) -> dict[int, Named]:
    roles = {track: role_of(track, guess, tracks) for track in tracks}
    return {
        track: NOBODY if role is Role.UNKNOWN else Named(role=role, source=source, confidence=guess.confidence)
        for track, role in roles.items()
    }


def _by_manifest(agent: int, guess: Guess, tracks: Sequence[int]) -> _Roles:
    """The named channel is a fact, unless what is said leaves no doubt that the channels are swapped."""
    if guess.agent is not None and guess.agent != agent and guess.strong:
        confidence = min(CONTRADICTED, guess.confidence)
        message = f"清单写坐席在声道 {agent}，但声道 {guess.agent} 才像坐席（{guess.reason}）；角色改按所说的话判断，请核对声道"
        fact = FitnessFact(kind=Fitness.SWAPPED, channel=guess.agent, value=guess.confidence, message=message)
        swapped = Guess(agent=guess.agent, confidence=confidence, reason=guess.reason)
        return _Roles(tracks=_guessed(swapped, tracks, RoleSource.CUES), by_voice=False, reason=message, facts=(fact,))
    doubted = guess.agent is not None and guess.agent != agent
    confidence = DOUBTED if doubted else 1.0
    reason = f"清单写明坐席在声道 {agent}" + (f"；但所说的话不大像（{guess.reason}）" if doubted else "")
    named = {
        track: Named(role=Role.AGENT if track == agent else Role.CUSTOMER, source=RoleSource.CHANNEL, confidence=confidence)
        for track in tracks
    }
    return _Roles(tracks=named, by_voice=False, reason=reason)


def _per_role(spans: Sequence[ChannelSpan], roles: _Roles, voices: Sequence[VoiceSpan]) -> tuple[VoicedSpan, ...]:
    """Speech per role, sorted; where no voice is known the role is UNKNOWN."""
    found: dict[Role, list[tuple[float, float]]] = {}
    if not roles.by_voice:
        for span in spans:
            found.setdefault(roles.of(span.channel).role, []).append((span.start_s, span.end_s))
    else:
        known = {voice: Spans((v.start_s, v.end_s) for v in voices if v.voice == voice) for voice in {v.voice for v in voices}}
        anybody = Spans((v.start_s, v.end_s) for v in voices)
        for span in spans:
            for voice, stretches in known.items():
                found.setdefault(roles.of(voice).role, []).extend(stretches.clip(span.start_s, span.end_s))
            found.setdefault(Role.UNKNOWN, []).extend(anybody.minus(span.start_s, span.end_s))
    merged = [
        VoicedSpan(role=role, start_s=round(start, 3), end_s=round(end, 3))
        for role, parts in found.items()
        for start, end in Spans(parts)
    ]
    return tuple(sorted(merged, key=lambda span: (span.start_s, span.end_s, span.role)))
