"""One call as a page shows it: turns with marked words, findings with what proves them, what could not be judged."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qa_pipeline.masking import Masker
from qa_pipeline.model import (
    AuditRun,
    Evidence,
    EvidenceKind,
    Outcome,
    Penalty,
    Role,
    RoleSource,
    Scorecard,
    Strength,
    Turn,
    Verdict,
)
from qa_pipeline.quotes import places
from qa_pipeline.report.clips import Clips
from qa_pipeline.report.script_view import ScriptView, script_view
from qa_pipeline.report.verdicts import by_clause, of

ROLE = {Role.AGENT: "坐席", Role.CUSTOMER: "客户", Role.UNKNOWN: "未知"}
_SOURCE = {
    RoleSource.CHANNEL: "清单指明了坐席声道",
    RoleSource.CUES: "按说话内容推断",
    RoleSource.VOICE: "按声音和说话内容推断",
    RoleSource.IMPORTED: "导入的转写给出",
    RoleSource.HUMAN: "人工确认",
    RoleSource.NONE: "不知道",
}
TEMPLATE = re.compile(r"[|()~#\[\]{}*+?]")  # a rule author's notation, not words for a reader
_FACT = re.compile(r"([a-z_]+)=(.*)")  # a field of the call data as evidence
_VALUES = {"agent": "坐席", "customer": "客户", "system": "系统", "true": "是", "false": "否"}
_STRENGTH = {
    Strength.EXACT: "原字",
    Strength.PHONETIC: "同音",
    Strength.FUZZY: "近似",
    Strength.MEANING: "按意思",
    Strength.MEASURED: "测量",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a turn; ``finding`` is the number of the finding that it proves, 0 for none."""

    text: str
    finding: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnView:
    index: int
    role: str
    css: str
    guessed: bool
    at: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    label: str
    at: str
    quote: str
    note: str
    clip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    number: int
    clause: str
    title: str
    reason: str
    review: bool
    advice: bool
    exhibits: tuple[Exhibit, ...]
    readings: tuple[Exhibit, ...]  # the second listening: folded away
    penalty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    call_id: str
    anchor: str
    facts: tuple[tuple[str, str], ...]
    score: int | None
    conclusion: str
    css: str
    provisional: bool
    fine: str
    roles: str
    fitness: tuple[str, ...]
    turns: tuple[TurnView, ...]
    findings: tuple[FindingView, ...]
    unjudged: tuple[tuple[str, str, str], ...]  # clause, title, reason
    clear: tuple[str, ...]
    skipped: tuple[str, ...]
    clip_note: str
    clips: int
    script: ScriptView | None = None


def clock(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


def simplified(text: str) -> str:
    """For reading: the same characters in simplified script, one for one."""
    from qa_pipeline.text.normalise import simplified_table

    return text.translate(simplified_table())


def call_view(run: AuditRun, masker: Masker, *, anchor: str, max_clips: int) -> CallView:
    """What the page shows of a call; at most ``max_clips`` clips are cut."""
    conversation, card = run.conversation, run.scorecard
    sounds = Clips(run.recording.path if run.recording is not None else None)
    maker = _FindingMaker(run, masker, sounds, max_clips)
    ordered = sorted(
        (item for item in run.outcomes if item.verdict is Verdict.VIOLATION), key=lambda item: (item.advice, _place(item))
    )
    findings = tuple(maker.finding(number, item) for number, item in enumerate(ordered, start=1))
    verdicts = by_clause(run.outcomes)
    return CallView(
        call_id=conversation.call.call_id,
        anchor=anchor,
        facts=_facts(run, masker),
        score=card.score,
        conclusion=_conclusion(card),
        css=_css(card),
        provisional=card.provisional,
        fine=_yuan(card.fine_yuan),
        roles=roles_note(run),
        fitness=tuple(fact.message for fact in conversation.fitness),
        turns=tuple(_turn(turn, _marks(turn, ordered), masker) for turn in conversation.turns),
        findings=findings,
        unjudged=tuple((item.clause, item.title, masker.text(item.reason)) for item in of(verdicts, Verdict.NOT_EVALUATED)),
        clear=tuple(f"{item.clause} {item.title}" for item in of(verdicts, Verdict.CLEAR)),
        skipped=tuple(f"{item.clause} {item.title}" for item in of(verdicts, Verdict.NOT_APPLICABLE)),
        clip_note=sounds.reason if findings and max_clips and run.recording is not None else "",
        clips=maker.clips,
        script=script_view(conversation),
    )


def _conclusion(card: Scorecard) -> str:
    """In a word."""
    if card.score is None:
        return "无法判定"
    return "致命" if card.fatal else "合格" if card.qualified else "不合格"


def _css(card: Scorecard) -> str:
    if card.score is None:
        return "fair"
    return "bad" if card.fatal else "good" if card.qualified and not card.violations else "fair" if card.qualified else "bad"


def _place(item: Outcome) -> tuple[float, str, int]:
    proof = item.proof
    return (proof.start_s if proof is not None and proof.start_s is not None else 1e9, item.clause, item.ordinal)


def _yuan(amount: object) -> str:
    text = f"{amount}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _facts(run: AuditRun, masker: Masker) -> tuple[tuple[str, str], ...]:
    call = run.conversation.call
    pairs = (
        ("坐席", " ".join(filter(None, (call.agent_id, call.agent_name)))),
        ("班组", call.team or ""),
        ("客户", " ".join(filter(None, (masker.name(call.customer_name), masker.number(call.customer_number))))),
        ("业务", call.product or ""),
        ("开始", (call.started_at or "").replace("T", " ")),
        ("时长", clock(run.conversation.duration_s)),
    )
    return tuple((name, value) for name, value in pairs if value)


def roles_note(run: AuditRun) -> str:
    """How it is known who is who."""
    turns = [turn for turn in run.conversation.turns if turn.role is not Role.UNKNOWN]
    guessed = [turn.role_confidence for turn in turns if not turn.role_source.known]
    words = "、".join(dict.fromkeys(_SOURCE[turn.role_source] for turn in turns)) or "没有听到可以分角色的话"
    if run.conversation.role_reason:
        words = run.conversation.role_reason
    return f"{words}（推断，把握 {100 * min(guessed):.0f}%）" if guessed else words


def _marks(turn: Turn, findings: list[Outcome]) -> list[tuple[int, int, int]]:
    """Marked stretches of a turn as (start, end, finding number), without overlaps."""
    wanted = sorted(
        (*place, number)
        for number, finding in enumerate(findings, start=1)
        for item in finding.evidence
        if item.kind is EvidenceKind.HIT and item.turn == turn.index
        for place in places(turn, item)
    )
    marks: list[tuple[int, int, int]] = []
    for start, end, number in wanted:
        begin = max(start, marks[-1][1]) if marks else start
        if begin < end:
            marks.append((begin, end, number))
    return marks


def _turn(turn: Turn, marks: list[tuple[int, int, int]], masker: Masker) -> TurnView:
    text = masker.text(simplified(turn.raw))
    pieces, at = [], 0
    for start, end, number in marks:
        pieces += [Piece(text=text[at:start]), Piece(text=text[start:end], finding=number)]
        at = end
    pieces.append(Piece(text=text[at:]))
    return TurnView(
        index=turn.index,
        role=ROLE[turn.role],
        css=turn.role.value,
        guessed=not turn.role_source.known and turn.role is not Role.UNKNOWN,
        at=clock(turn.start_s),
        pieces=tuple(piece for piece in pieces if piece.text),
    )


class _FindingMaker:
    """Makes findings and counts the clips that they take."""

    def __init__(self, run: AuditRun, masker: Masker, sounds: Clips, max_clips: int) -> None:
        self._penalties = {(item.rule_id, item.ordinal): item for item in run.scorecard.penalties}
        self._channels = {turn.index: turn.channel for turn in run.conversation.turns}
        self._masker = masker
        self._sounds = sounds
        self._max_clips = max_clips
        self.clips = 0

    def finding(self, number: int, item: Outcome) -> FindingView:
        penalty = self._penalties.get((item.rule_id, item.ordinal))
        waits = penalty is not None and penalty.provisional and not penalty.counted
        return FindingView(
            number=number,
            clause=item.clause,
            title=item.title,
            reason=self._masker.text(item.reason),
            review=item.review or waits,
            advice=item.advice,
            exhibits=tuple(self._exhibit(one) for one in _distinct(item.evidence) if one.kind is not EvidenceKind.READING),
            readings=tuple(self._exhibit(one) for one in item.evidence if one.kind is EvidenceKind.READING),
            penalty=penalty_words(penalty) if penalty is not None else "",
        )

    def _exhibit(self, item: Evidence) -> Exhibit:
        span = item.start_s is not None and item.end_s is not None
        at = f"{clock(item.start_s)}–{clock(item.end_s)}" if span else clock(item.start_s)
        return Exhibit(
            label=_LABEL[item.kind],
            at=at,
            quote="" if item.kind is EvidenceKind.SEARCHED else self._masker.text(simplified(item.quote)),  # it stands beside
            note=self._masker.text(simplified(_note(item))),
            clip=self._clip(item) if item.kind in _HEARD else "",
        )

    def _clip(self, item: Evidence) -> str:
        if self.clips >= self._max_clips:
            return ""
        channel = self._channels.get(item.turn) if item.turn is not None else None
        clip = self._sounds.cut(item.start_s, item.end_s, channel)
        self.clips += bool(clip)
        return clip


# exhibits that get a clip: what was searched can be the whole call
_HEARD = (EvidenceKind.HIT, EvidenceKind.SAID, EvidenceKind.NEAREST)
_LABEL = {
    EvidenceKind.HIT: "原话",
    EvidenceKind.SAID: "听到的",
    EvidenceKind.SEARCHED: "查找范围",
    EvidenceKind.NEAREST: "最接近的一句",
    EvidenceKind.EXCUSE: "不追究的理由",
    EvidenceKind.READING: "复听",
    EvidenceKind.DATA: "通话数据",
}


def _distinct(evidence: tuple[Evidence, ...]) -> list[Evidence]:
    """What there is to show, the same words only once: the nearest heard may be the hit itself."""
    shown: dict[tuple[object, ...], Evidence] = {}
    for item in evidence:
        if item.quote or item.note or item.start_s is not None:
            shown.setdefault((item.kind, item.note) if item.kind is EvidenceKind.SEARCHED else (item.quote, item.start_s), item)
    return list(shown.values())


def _note(item: Evidence) -> str:
    parts = []
    if understood(item):
        how = _STRENGTH.get(item.strength, "") if item.strength is not None else ""
        distance = f"，相差 {item.distance:g} 个音节" if item.distance else ""
        parts.append(f"按“{simplified(understood(item))}”理解（{how}{distance}）")
    if item.note:
        parts.append(note_words(item))
    return "；".join(parts)


def understood(item: Evidence) -> str:
    """The phrase as which the words were understood; empty when it is the same or only notation: a pattern, a field of the data."""
    plain = item.heard_as != item.quote and not TEMPLATE.search(item.heard_as) and not _FACT.fullmatch(item.heard_as)
    return item.heard_as if plain else ""


def note_words(item: Evidence) -> str:
    """The note, with the values of the call data in Chinese: “坐席挂机（agent）” is for the author of a rule."""
    fact = _FACT.fullmatch(item.heard_as)
    return item.note.replace(f"（{fact[2]}）", f"（{_VALUES.get(fact[2], fact[2])}）") if fact else item.note


def penalty_words(penalty: Penalty) -> str:
    """What a finding costs, in words."""
    parts = []
    if penalty.points:
        parts.append(f"扣 {penalty.points} 分")
    if penalty.fine_yuan:
        parts.append(f"{_yuan(penalty.fine_yuan)} 元")
    if penalty.supervisor_fine_yuan:
        parts.append(f"主管 {_yuan(penalty.supervisor_fine_yuan)} 元")
    if penalty.sanction:
        parts.append(f"建议：{penalty.sanction}")
    said = "，".join(parts)
    if said and not penalty.counted:
        said = f"（未计入）{said}"
    return "；".join(filter(None, (said, penalty.note)))
