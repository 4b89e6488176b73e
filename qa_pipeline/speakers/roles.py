"""Which voice or channel is the agent, decided from what is said: a guess with a confidence and its reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qa_pipeline.model import Role
from qa_pipeline.speakers.cues import AGENT_WORDS, COMPANIES, CUSTOMER_WORDS, INTRODUCTIONS, Cue, by_sound

MOST = 0.95  # a guess never counts as certain
LEAST = 0.6  # under it nobody is named
ALONE_LEAST = 2.0  # points that one voice alone needs
MIXED = 3.0  # points of the other side, from which one voice may well be two people
_SLOPE = 0.55  # confidence of a lead of n points is the logistic of this times n


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """``agent`` is the track (channel or voice) of the agent, None when nobody can be named."""

    agent: int | None
    confidence: float  # 0..0.95
    reason: str  # Chinese
    strong: bool = False  # the agent's track says something only agents say, and the other one does not


@dataclass(frozen=True, slots=True)
class _Marks:
    points: float
    cues: tuple[str, ...]
    telling: float  # points of the cues that only agents have (three and more)
    opposed: float  # points of the cues of the side that the track does not sound like


def decide(tracks: Mapping[int, str]) -> Guess:
    """Name the agent's track from the normal text of each track (one or two tracks, all turns of a track joined).

    Looks at self-introduction, service phrases, politeness, what customers say, and the share of talk.
    """
    spoken = {track: text for track, text in tracks.items() if text.strip()}
    marks = {track: _marks(text) for track, text in spoken.items()}
    if not marks:
        return Guess(agent=None, confidence=0.0, reason="没有听到可以判断角色的话")
    if len(marks) == 1:
        return _alone(*next(iter(marks.items())), others=tuple(track for track in tracks if track not in spoken))
    first, second = sorted(marks, key=lambda track: (-marks[track].points, track))[:2]
    share = math.log((len(spoken[first]) + 10) / (len(spoken[second]) + 10))
    lead = marks[first].points - marks[second].points + max(-1.5, min(1.5, share))
    if lead < 0:
        first, second, lead = second, first, -lead
    confidence = min(MOST, 1 / (1 + math.exp(-_SLOPE * lead)))
    heard = "、".join(marks[first].cues[:4]) or "说话较多"
    other = "、".join(marks[second].cues[:3])
    reason = f"像坐席的一方说了：{heard}" + (f"；另一方说了：{other}" if other else "")
    if confidence < LEAST:
        return Guess(agent=None, confidence=round(confidence, 3), reason="双方的话里都没有足够的坐席特征")
    strong = marks[first].telling >= 3 and marks[second].telling == 0 and confidence >= 0.9
    return Guess(agent=first, confidence=round(confidence, 3), reason=reason, strong=strong)


def _alone(track: int, marks: _Marks, others: Sequence[int]) -> Guess:
    """One track only: the agent when it sounds like one; when it sounds like a customer, the silent track is the agent's."""
    confidence = min(0.85, 1 / (1 + math.exp(-_SLOPE * abs(marks.points))))
    heard = "、".join(marks.cues[:4])
    if marks.opposed >= MIXED:
        confidence, heard = LEAST, f"{heard}；也有另一方才说的话，两人可能没有分开"
    if marks.points >= ALONE_LEAST:
        return Guess(agent=track, confidence=round(confidence, 3), reason=f"只有一方说话，像坐席：{heard}")
    if marks.points <= -ALONE_LEAST:
        silent = others[0] if others else NOBODY
        return Guess(agent=silent, confidence=round(confidence, 3), reason=f"只有一方说话，像客户：{heard}")
    return Guess(agent=None, confidence=0.0, reason="只有一方说话，听不出是坐席还是客户")


NOBODY = -1  # the agent is a track that never speaks


def role_of(track: int | None, guess: Guess, tracks: Sequence[int]) -> Role:
    """The role of a track under a guess; third voices and everybody under an empty guess are UNKNOWN."""
    if track is None or guess.agent is None or track not in tracks:
        return Role.UNKNOWN
    return Role.AGENT if track == guess.agent else Role.CUSTOMER


def _marks(text: str) -> _Marks:
    """Agent points minus customer points; every cue counts once, inside a longer cue it does not count again."""
    from qa_pipeline.text.phonetic import phonetics

    bare = "".join(char for char in text if char.isalnum())
    sound = phonetics().sound(bare)
    agents, customers, _ = by_sound()
    found = _found(sound, agents)
    found_customer = _found(sound, customers)
    if (introduction := _introduction(text)) is not None:
        found.append((introduction, 3.5))
    points = sum(value for _, value in found) - sum(value for _, value in found_customer)
    for words, sign in ((AGENT_WORDS, 1), (CUSTOMER_WORDS, -1)):
        points += sign * sum(min(most, each * bare.count(word)) for word, each, most in words)
    cues = (
        sorted(found + found_customer, key=lambda cue: -cue[1]) if points >= 0 else sorted(found_customer, key=lambda cue: -cue[1])
    )
    telling = sum(value for _, value in found if value >= 3)
    opposed = sum(value for _, value in (found_customer if points >= 0 else found))
    return _Marks(points, tuple(f"“{phrase}”" for phrase, _ in cues), telling, opposed)


def _found(sound: str, cues: Sequence[Cue]) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for phrase, phrase_sound, points in cues:
        if phrase_sound in sound:
            found.append((phrase, points))
            sound = sound.replace(phrase_sound, " ")
    return found


def _introduction(text: str) -> str | None:
    """这里是/我是 … 公司/中心/银行 within the next twelve characters, not as a question or a denial."""
    for opening in INTRODUCTIONS:
        at = text.find(opening)
        while at >= 0:
            before, after = text[max(0, at - 1) : at], text[at + len(opening) : at + len(opening) + 12]
            name = next((name for name in COMPANIES if name in after.split("吗")[0].split("？")[0]), None)
            asked = after.find("吗") >= 0 or "？" in after
            if name is not None and not asked and before not in ("你", "不"):
                return opening + after[: after.index(name) + len(name)]
            at = text.find(opening, at + 1)
    return None


def is_announcement(text: str) -> bool:
    """The network or a voice menu is speaking, on whatever channel (normal text)."""
    from qa_pipeline.text.phonetic import phonetics

    sound = phonetics().sound("".join(char for char in text if char.isalnum()))
    return any(announcement in sound for announcement in by_sound()[2])
