"""The waveform of a call, from the levels that were measured when it was heard."""

from __future__ import annotations

from qa_pipeline.model import AuditRun

PEAKS = 900  # points, more than the widest screen shows
FLOOR_DB = -55.0


def peaks(run: AuditRun) -> tuple[tuple[int, ...], ...]:
    """0..100 by channel; the loudest of each stretch."""
    acoustics = run.transcript.acoustics if run.transcript is not None else None
    if acoustics is None:
        return ()
    found = []
    for levels in acoustics.level_db[:2]:
        step = max(1, -(-len(levels) // PEAKS))
        loudest = [max(levels[at : at + step]) for at in range(0, len(levels), step)]
        found.append(tuple(round(100 * min(max((level - FLOOR_DB) / -FLOOR_DB, 0.0), 1.0)) for level in loudest))
    return tuple(found)


def channel_roles(run: AuditRun) -> tuple[str, ...]:
    """Whose voice each channel carries, by the turns on it; empty for a channel with both."""
    roles: list[str] = []
    for channel in range(run.conversation.channels or 1):
        spoken = [turn.role.value for turn in run.conversation.turns if turn.channel == channel]
        roles.append(max(set(spoken), key=spoken.count) if spoken and run.conversation.channels == 2 else "")
    return tuple(roles)
