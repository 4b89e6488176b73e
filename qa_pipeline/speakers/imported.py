"""A ready transcript as a conversation: roles are those of its author, nothing is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qa_pipeline.errors import UserError
from qa_pipeline.model import CallData, Conversation, Role, RoleSource, Turn, Word
from qa_pipeline.speakers.turns import GAP_S, after_hangup
from qa_pipeline.speakers.units import parted
from qa_pipeline.text.normalise import normalise

_ROLES: Mapping[str, Role] = {
    **dict.fromkeys(("agent", "坐席", "座席", "客服"), Role.AGENT),
    **dict.fromkeys(("customer", "客户", "用户"), Role.CUSTOMER),
    **dict.fromkeys(("unknown", "未知", ""), Role.UNKNOWN),
}


def build(call: CallData, turns: Sequence[Mapping[str, Any]]) -> Conversation:
    """``turns``: ``{"role", "text", "start_s"?, "end_s"?, "confidence"?, "words"?: [[text, start_s, end_s], …]}``.

    Neighbouring turns of one role with known times and a pause under 1.5 s become one, as in a recognised recording.
    Raises UserError naming the turn when a value cannot be used.
    """
    drafts = [_draft(number, item) for number, item in enumerate(turns, start=1)]
    drafts = [draft for draft in drafts if draft.raw.strip()]
    if all(draft.start_s is not None for draft in drafts):
        drafts.sort(key=lambda draft: (draft.start_s or 0.0, draft.end_s or 0.0))
    merged: list[_Draft] = []
    for draft in drafts:
        if merged and _goes_on(merged[-1], draft, call.hangup_at):
            merged[-1].append(draft)
        else:
            merged.append(draft)
    ends = [draft.end_s if draft.end_s is not None else draft.start_s for draft in merged]
    known = [end for end in ends if end is not None]
    return Conversation(
        call=call,
        turns=tuple(draft.turn(index, call.hangup_at) for index, draft in enumerate(merged)),
        duration_s=max(known) if known else None,
        role_reason="角色由导入的文本给出",
    )


class _Draft:
    """A turn while others may still be joined to it."""

    __slots__ = ("confidences", "end_s", "raw", "role", "start_s", "words")

    def __init__(self, role: Role, raw: str, times: tuple[float | None, float | None]) -> None:
        self.role = role
        self.raw = raw
        self.start_s, self.end_s = times
        self.words: list[Word] = []
        self.confidences: list[tuple[int, float]] = []

    def append(self, other: _Draft) -> None:
        """Join what the same role says next."""
        self.raw = parted(self.raw)
        offset = len(self.raw)
        self.words += [
            Word(
                start=word.start + offset,
                end=word.end + offset,
                start_s=word.start_s,
                end_s=word.end_s,
                confidence=word.confidence,
            )
            for word in other.words
        ]
        self.raw += other.raw
        self.end_s = max(self.end_s or 0.0, other.end_s or 0.0)
        self.confidences += other.confidences

    def turn(self, index: int, hangup_at: float | None) -> Turn:
        """The finished turn."""
        normal = normalise(self.raw)
        total = sum(length for length, _ in self.confidences)
        confidence = sum(length * value for length, value in self.confidences) / total if total else None
        known = self.role is not Role.UNKNOWN
        return Turn(
            index=index,
            role=self.role,
            role_source=RoleSource.IMPORTED if known else RoleSource.NONE,
            role_confidence=1.0 if known else 0.0,
            raw=self.raw,
            text=normal.text,
            to_raw=normal.to_raw,
            start_s=self.start_s,
            end_s=self.end_s,
            words=tuple(self.words),
            confidence=None if confidence is None else round(confidence, 4),
            after_hangup=after_hangup(self.start_s, hangup_at),
        )


def _goes_on(before: _Draft, after: _Draft, hangup_at: float | None) -> bool:
    if (
        before.role is not after.role
        or before.role is Role.UNKNOWN
        or before.end_s is None
        or after.start_s is None
        or after.end_s is None
    ):
        return False
    same_side = after_hangup(before.start_s, hangup_at) == after_hangup(after.start_s, hangup_at)
    return same_side and after.start_s - before.end_s < GAP_S


def _draft(number: int, item: Mapping[str, Any]) -> _Draft:
    role = _ROLES.get(str(item.get("role") or "").strip().lower())
    if role is None:
        raise UserError(f"第 {number} 个话轮：role“{item.get('role')}”无效，应为 agent、customer 或 unknown")
    raw = item.get("text")
    if not isinstance(raw, str):
        raise UserError(f"第 {number} 个话轮：缺少 text，或它不是文字")
    start_s, end_s = _seconds(number, "start_s", item.get("start_s")), _seconds(number, "end_s", item.get("end_s"))
    if start_s is not None and end_s is not None and end_s < start_s:
        raise UserError(f"第 {number} 个话轮：end_s {end_s:g} 早于 start_s {start_s:g}")
    draft = _Draft(role, raw, (start_s, end_s))
    confidence = item.get("confidence")
    if confidence is not None:
        if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
            raise UserError(f"第 {number} 个话轮：confidence“{confidence}”应在 0 到 1 之间")
        draft.confidences.append((max(1, len(raw)), float(confidence)))
    draft.words = _words(number, raw, item.get("words"), 1.0 if confidence is None else float(confidence))
    return draft


def _seconds(number: int, name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        raise UserError(f"第 {number} 个话轮：{name}“{value}”应为录音开始后的秒数")
    return float(value)


def _words(number: int, raw: str, words: Any, confidence: float) -> list[Word]:
    """Words looked up in the text from left to right; one that is not in the text is passed over (its time is of no use)."""
    if words is None:
        return []
    if not isinstance(words, Sequence) or isinstance(words, str):
        raise UserError(f"第 {number} 个话轮：words 应为列表 [[词, 开始秒, 结束秒], …]")
    found: list[Word] = []
    at = 0
    for word in words:
        if not isinstance(word, Sequence) or isinstance(word, str) or len(word) != 3 or not isinstance(word[0], str):
            raise UserError(f"第 {number} 个话轮：words 里的“{word}”应为 [词, 开始秒, 结束秒]")
        start_s, end_s = _seconds(number, "words", word[1]), _seconds(number, "words", word[2])
        text = word[0].strip()
        start = raw.find(text, at) if text else -1
        if start < 0 or start_s is None or end_s is None:
            continue
        at = start + len(text)
        found.append(Word(start=start, end=at, start_s=start_s, end_s=max(start_s, end_s), confidence=confidence))
    return found
