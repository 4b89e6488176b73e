"""Transcript to conversation: who said what when, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qa_pipeline.model import CallData, Conversation, Recording, Transcript


def converse(call: CallData, recording: Recording | None, transcript: Transcript) -> Conversation:
    """Turns with roles, measured values per turn, speech and unheard speech per role. Pure; see ``conversation.build``."""
    from qa_pipeline.speakers.conversation import build

    return build(call, recording, transcript)


def conversation_from_turns(call: CallData, turns: Sequence[Mapping[str, Any]]) -> Conversation:
    """A ready transcript's turns (``role, text, start_s, end_s, confidence, words``); see ``imported.build``."""
    from qa_pipeline.speakers.imported import build

    return build(call, turns)
