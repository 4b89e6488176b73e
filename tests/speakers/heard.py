"""Transcripts written down by hand: one line a segment, words spread evenly over the time given."""

from qa_pipeline.model import Acoustics, ChannelSpan, EngineInfo, Segment, Transcript, VoiceSpan, Word

ENGINE = EngineInfo(name="replay", model="none", model_hash="")


def segment(channel: int, start_s: float, end_s: float, text: str, words: bool = True) -> Segment:
    """One word a character (punctuation belongs to none), times evenly spread."""
    spoken = [index for index, char in enumerate(text) if char.isalnum()]
    step = (end_s - start_s) / max(1, len(spoken))
    made = tuple(
        Word(
            start=index,
            end=index + 1,
            start_s=round(start_s + number * step, 3),
            end_s=round(start_s + (number + 1) * step, 3),
            confidence=0.9,
        )
        for number, index in enumerate(spoken)
    )
    return Segment(channel=channel, start_s=start_s, end_s=end_s, text=text, words=made if words else (), confidence=0.8)


def transcript(
    *segments: Segment,
    channels: int = 2,
    acoustics: Acoustics | None = None,
    uncovered: tuple[ChannelSpan, ...] = (),
    length: float = 60.0,
) -> Transcript:
    """Speech is exactly where segments are."""
    return Transcript(
        audio_hash="0" * 64,
        duration_s=length,
        channels=channels,
        engine=ENGINE,
        segments=tuple(sorted(segments, key=lambda item: (item.start_s, item.channel))),
        voiced=tuple(ChannelSpan(channel=item.channel, start_s=item.start_s, end_s=item.end_s) for item in segments) + uncovered,
        uncovered=uncovered,
        acoustics=acoustics,
    )


def voices(*spans: tuple[int, float, float]) -> Acoustics:
    """One channel without sound, with these voices."""
    return Acoustics(
        hop_s=0.1,
        level_db=((),),
        pitch_st=((),),
        voices=tuple(VoiceSpan(voice=voice, start_s=start, end_s=end, confidence=0.9) for voice, start, end in spans),
    )
