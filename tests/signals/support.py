"""Small calls for signal tests: turns with times, one signal bound and asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qa_pipeline.acts.reader import ActReader
from qa_pipeline.model import CallData, Conversation, Role, RoleSource, Turn, VoicedSpan, Word
from qa_pipeline.signals.base import Bound, Context, History, Hit
from qa_pipeline.signals.kit import Kit
from qa_pipeline.signals.view import View
from qa_pipeline.text.index import PhraseIndex
from qa_pipeline.text.lexicon import Lexicon
from qa_pipeline.text.normalise import normalise

_ROLES = {"坐": Role.AGENT, "客": Role.CUSTOMER, "？": Role.UNKNOWN}


def turn(line: str, start_s: float | None = None, end_s: float | None = None, **values: Any) -> Turn:
    """``"坐：您好"`` as a turn."""
    who, _, raw = line.partition("：")
    normal = normalise(raw)
    return replace(
        Turn(
            index=0,
            role=_ROLES[who],
            role_source=RoleSource.IMPORTED,
            role_confidence=1.0,
            raw=raw,
            text=normal.text,
            to_raw=normal.to_raw,
            start_s=start_s,
            end_s=end_s,
        ),
        **values,
    )


def call(
    *turns: Turn | str, voiced: tuple[VoicedSpan, ...] | None = None, channels: int | None = None, **data: Any
) -> Conversation:
    """A conversation of these turns, four and a half characters a second unless they have times."""
    made: list[Turn] = []
    clock = 0.0
    for item in turns:
        one = turn(item) if isinstance(item, str) else item
        if isinstance(item, str):
            one = replace(one, start_s=round(clock, 2), end_s=round(clock + max(0.3, len(one.text) / 4.5), 2))
        made.append(replace(one, index=len(made)))
        clock = max(clock, (one.end_s or clock) + 0.4)
    return Conversation(call=CallData(call_id="t", **data), turns=tuple(made), voiced=voiced, channels=channels)


def words(text: str, start_s: float, per_char_s: float, gap_after: dict[int, float] | None = None) -> tuple[Word, ...]:
    """One word a character, with extra silence after some of them."""
    made = []
    clock = start_s
    for index in range(len(text)):
        made.append(Word(start=index, end=index + 1, start_s=clock, end_s=clock + per_char_s, confidence=0.9))
        clock += per_char_s + (gap_after or {}).get(index, 0.0)
    return tuple(made)


def context(
    conversation: Conversation,
    strength: str = "strict",
    lexicons: tuple[Lexicon, ...] = (),
    history: History | None = None,
    both_roles: bool = False,
    acts: ActReader | None = None,
    **specs: Any,
) -> Context:
    """Signals bound by name over one conversation."""
    quoting = Lexicon(name="quoting", title="转述", source="测试", date="2026-11-21", terms=("您[刚才]说", "不是说"))
    kit = Kit(lexicons={item.name: item for item in (quoting, *lexicons)}, default_strength=strength, segment_table=SEGMENTS)
    kit.acts = acts or kit.acts
    bound = {}
    for name, spec in specs.items():
        finders = spec.bind(kit)
        bound[name] = Bound(
            name=name,
            label=spec.label,
            role=getattr(spec, "who", "any"),
            find=finders.find,
            nearest=finders.nearest,
            scope=finders.scope,
            each=finders.each,
        )
    view = View(conversation)
    return Context(view, bound, PhraseIndex(kit.used).scan(view.stream, view.bits), history, both_roles)


SEGMENTS = {"移动": ("134", "139", "1703"), "联通": ("130", "170"), "电信": ("189",)}


def quotes(hits: tuple[Hit, ...]) -> list[str]:
    return [hit.quote for hit in hits]
