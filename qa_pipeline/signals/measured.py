"""Signals that are measured, not spoken: pace, filler rate, loudness and pitch of turns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import Annotated, Literal

from qa_pipeline.model import Conversation, Role, Strength, Turn
from qa_pipeline.signals.base import Context, Hit, Scope, Where, Who
from qa_pipeline.signals.hit import Measured
from qa_pipeline.signals.kit import Finders, Kit
from qa_pipeline.signals.scope import scope_in
from qa_pipeline.signals.view import Position
from qa_pipeline.strict_yaml import Doc
from qa_pipeline.text.normalise import normalise

PAUSE_LEFT_OUT_S = 0.5  # rules.md, A05
ROUNDING = 1e-6  # what is exactly at a limit stays at it, whatever the subtraction of two times gives
# of characters counted: 95 % of turns have no more added (benchmarks/overcount.py); in doubt the agent spoke slower
RECOGNISED_DOUBT = 0.07
_SPOKEN = re.compile(r"[一-龥a-z]")
_TEXT_SHOWN = 40


def turn_hit(turn: Turn, note: str, value: float) -> Hit:
    """A whole turn as a measured hit."""
    return Hit(
        position=Position(turn.index, 0),
        end=Position(turn.index, len(turn.text)),
        role=turn.role,
        strength=Strength.MEASURED,
        note=note,
        value=value,
        place=Measured(
            quote=turn.raw if len(turn.raw) <= _TEXT_SHOWN else turn.raw[:_TEXT_SHOWN] + "…",
            start_s=turn.start_s,
            end_s=turn.end_s,
            confidence=turn.confidence,
        ),
    )


def _turns(ctx: Context, scope: Scope) -> list[Turn]:
    return [turn for turn in ctx.view.turns if turn.index in scope.turns]


def spoken_characters(turn: Turn) -> int:
    """Characters that take a syllable to say."""
    return _spoken_in(turn.text)


@lru_cache(maxsize=8192)
def _spoken_in(text: str) -> int:
    return len(_SPOKEN.findall(text))


def speech_seconds(conversation: Conversation, turn: Turn) -> float | None:
    """Time spent speaking in a turn, pauses of half a second and more left out. Where words and audio disagree the longer one counts."""
    if turn.start_s is None or turn.end_s is None:
        return None
    candidates = []
    if turn.words:
        spoken = sum(word.end_s - word.start_s for word in turn.words)
        gaps = (later.start_s - earlier.end_s for earlier, later in zip(turn.words, turn.words[1:], strict=False))
        candidates.append(spoken + sum(gap for gap in gaps if 0 < gap < PAUSE_LEFT_OUT_S))
    if conversation.voiced is not None:
        overlaps = (
            min(span.end_s, turn.end_s) - max(span.start_s, turn.start_s) for span in conversation.voiced if span.role is turn.role
        )
        candidates.append(sum(overlap for overlap in overlaps if overlap > 0))
    return max(candidates, default=turn.end_s - turn.start_s) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceSpec:
    """语速：一个话轮每分钟多少字（半秒以上的停顿不计时）。"""

    kind: Literal["pace"] = "pace"
    label: Annotated[str, Doc("给人看的名字")]
    who: Who = "agent"
    over: Annotated[float, Doc("每分钟超过多少字")]
    min_chars: Annotated[int, Doc("话轮至少多少字才看")] = 20
    where: Where = Where()

    def bind(self, kit: Kit) -> Finders:
        scope = scope_in(self.who, self.where)

        def find(ctx: Context) -> tuple[Hit, ...]:
            hits = []
            limit = self.over * (1 + RECOGNISED_DOUBT) if ctx.conversation.channels is not None else self.over
            for turn in _turns(ctx, scope(ctx)):
                count = spoken_characters(turn)
                seconds = speech_seconds(ctx.conversation, turn)
                if count >= self.min_chars and seconds and count * 60 > limit * seconds + ROUNDING:
                    pace = round(count / seconds * 60)
                    hits.append(turn_hit(turn, f"每分钟 {pace} 字（{count} 字，说话 {seconds:.1f} 秒）", pace))
            return tuple(hits)

        return Finders(find=find, scope=scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSpec:
    """某些字词每百字出现多少次（口头禅）。"""

    kind: Literal["rate"] = "rate"
    label: Annotated[str, Doc("给人看的名字")]
    who: Who = "agent"
    words: Annotated[tuple[str, ...], Doc("数哪些字词（原字，不分词）")]
    per_100_over: Annotated[float, Doc("每百字超过几次")]
    where: Where = Where()

    def __post_init__(self) -> None:
        if not self.words or not all(_SPOKEN.search(word) for word in _normal(self.words)):
            raise ValueError("words 至少写一个字词，每个都要有字")

    def bind(self, kit: Kit) -> Finders:
        expression = re.compile("|".join(sorted(map(re.escape, _normal(self.words)), key=len, reverse=True)))

        scope = scope_in(self.who, self.where)

        def find(ctx: Context) -> tuple[Hit, ...]:
            turns = _turns(ctx, scope(ctx))
            total = sum(map(spoken_characters, turns))
            times = len(expression.findall("\n".join([turn.text for turn in turns])))
            if not total or times * 100 <= self.per_100_over * total + ROUNDING:
                return ()
            counts = [(turn, len(expression.findall(turn.text))) for turn in turns]
            rate = round(times / total * 100, 1)
            worst = max(counts, key=lambda item: item[1])[0]
            return (turn_hit(worst, f"{total} 字里 {times} 次，每百字 {rate} 次", rate),)

        return Finders(find=find, scope=scope)


def _normal(words: tuple[str, ...]) -> list[str]:
    return [normalise(word).text for word in words]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoudnessSpec:
    """音量：话轮比说话人自己的中位数响多少分贝。"""

    kind: Literal["loudness"] = "loudness"
    label: Annotated[str, Doc("给人看的名字")]
    who: Who = "agent"
    above_median_db: Annotated[float, Doc("高出自己中位数多少分贝")]
    where: Where = Where()

    def bind(self, kit: Kit) -> Finders:
        scope, whole = scope_in(self.who, self.where), scope_in(self.who, Where())

        def find(ctx: Context) -> tuple[Hit, ...]:
            own = _levels(ctx.view.turns, whole(ctx))
            if len(own) < 3:
                return ()  # no median worth the name
            middle = median(level for _, level in own)
            return tuple(
                turn_hit(turn, f"比本人平时响 {level - middle:.1f} 分贝", round(level - middle, 1))
                for turn, level in _levels(ctx.view.turns, scope(ctx))
                if level - middle >= self.above_median_db - ROUNDING
            )

        return Finders(find=find, scope=scope)


def _levels(turns: Iterable[Turn], scope: Scope) -> list[tuple[Turn, float]]:
    return [(turn, turn.loudness_db) for turn in turns if turn.index in scope.turns and turn.loudness_db is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PitchSpec:
    """语调：话轮的音高起伏低于多少半音。"""

    kind: Literal["pitch"] = "pitch"
    label: Annotated[str, Doc("给人看的名字")]
    who: Who = "agent"
    below_st: Annotated[float, Doc("音高标准差低于多少半音")]
    min_chars: Annotated[int, Doc("话轮至少多少字才看")] = 8
    where: Where = Where()

    def bind(self, kit: Kit) -> Finders:
        scope = scope_in(self.who, self.where)

        def find(ctx: Context) -> tuple[Hit, ...]:
            return tuple(
                turn_hit(turn, f"音高起伏 {turn.pitch_st:.1f} 个半音", turn.pitch_st)
                for turn in _turns(ctx, scope(ctx))
                if turn.pitch_st is not None and turn.pitch_st < self.below_st and spoken_characters(turn) >= self.min_chars
            )

        return Finders(find=find, scope=scope)


def agent_characters(conversation: Conversation) -> int:
    return sum(spoken_characters(turn) for turn in conversation.turns if turn.role is Role.AGENT)
