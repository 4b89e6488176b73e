"""Reads the labelled call scripts (``dev/`` and ``test/``) as conversations and labels.

Texts without audio get times at an ordinary pace (250 characters a minute unless ``pace`` says otherwise, 0.4 s between turns unless
``gap_s`` does), so that rules that need times can be judged as on a ready transcript.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from qa_pipeline.model import Conversation, Role, RoleSource, Turn
from qa_pipeline.rules.examples import call_data
from qa_pipeline.text.normalise import normalise

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledCall:
    conversation: Conversation
    expected: frozenset[str]
    not_counted: frozenset[str]
    note: str
    has_audio: bool


def load(half: str) -> list[LabelledCall]:
    """All calls of ``dev`` or ``test``, by id."""
    return sorted(_read(HERE / half), key=lambda item: item.conversation.call.call_id)


def _read(folder: Path) -> Iterator[LabelledCall]:
    for path in sorted(folder.glob("*.yaml")):
        for item in yaml.safe_load(path.read_text(encoding="utf-8")):
            yield LabelledCall(
                conversation=_conversation(item),
                expected=frozenset(item.get("expect") or {}),
                not_counted=frozenset(item.get("not_counted") or {}),
                note=str(item.get("note", "")),
                has_audio=bool(item.get("audio")),
            )


def _conversation(item: dict[str, Any]) -> Conversation:
    fields = {
        key: ("true" if value else "false") if isinstance(value, bool) else str(value)
        for key, value in (item.get("call") or {}).items()
    }
    turns: list[Turn] = []
    clock = 0.3
    for index, turn in enumerate(item["turns"]):
        normal = normalise(turn["text"])
        start = max(0.0, clock + (turn.get("gap_s", 0.4) if index else 0.0))
        spoken = sum(char.isalnum() for char in normal.text)
        end = start + max(0.3, spoken / turn.get("pace", 250) * 60)
        loudness = -20.0 + turn.get("gain_db", 0)
        turns.append(
            Turn(
                index=index,
                role=Role(turn["role"]),
                role_source=RoleSource.IMPORTED,
                role_confidence=1.0,
                raw=turn["text"],
                text=normal.text,
                to_raw=normal.to_raw,
                start_s=round(start, 3),
                end_s=round(end, 3),
                loudness_db=loudness,
                after_hangup=bool(turn.get("after_hangup", False)),
            )
        )
        clock = max(clock, end)
    return Conversation(call=call_data(fields, item["call_id"]), turns=tuple(turns), duration_s=round(clock, 3))
