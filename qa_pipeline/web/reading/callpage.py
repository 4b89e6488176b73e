"""One call for the eye and the ear: turns in words that know their time, findings with what proves them, the two levels."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from qa_pipeline.casework.findings import Finding
from qa_pipeline.masking import Masker
from qa_pipeline.model import AuditRun, Evidence, EvidenceKind, Outcome, Penalty, Role, Strength, Turn, Verdict
from qa_pipeline.quotes import places
from qa_pipeline.report.call_view import ROLE, clock, note_words, penalty_words, roles_note, simplified, understood
from qa_pipeline.report.verdicts import by_clause, of
from qa_pipeline.rules.advice import advice
from qa_pipeline.web.reading.callparts import CallPage, Exhibit, FindingCard, Shown, Token, TurnLine
from qa_pipeline.web.reading.waveform import channel_roles, peaks

BEFORE_S, AFTER_S = 1.2, 0.8  # what is played around a finding: the words alone are hard to judge
LONGEST_S = 13.0  # so that the findings of a call with three of them are heard in under 40 s

LABEL = {
    EvidenceKind.HIT: "原话",
    EvidenceKind.SAID: "听到的",
    EvidenceKind.SEARCHED: "查找范围",
    EvidenceKind.NEAREST: "最接近的一句",
    EvidenceKind.EXCUSE: "不追究的理由",
    EvidenceKind.READING: "复听",
    EvidenceKind.DATA: "通话数据",
}
STRENGTH = {
    Strength.EXACT: "原字",
    Strength.PHONETIC: "同音",
    Strength.FUZZY: "近似",
    Strength.MEANING: "按意思",
    Strength.MEASURED: "测量",
}


def call_page(run: AuditRun, findings: Sequence[Finding], shown: Shown) -> CallPage:
    ordered = [] if shown.hide else sorted(findings, key=lambda item: (_first_s(item.outcome), item.clause, item.key))
    marks = _Marks(ordered)
    penalties = {(item.rule_id, item.ordinal): item for item in run.scorecard.penalties}
    verdicts = by_clause(() if shown.hide else run.outcomes)
    return CallPage(
        call_id=run.conversation.call.call_id,
        run_id=run.run_id,
        facts=_facts(run, shown.masker),
        roles=roles_note(run),
        fitness=tuple(fact.message for fact in run.conversation.fitness),
        turns=tuple(_turn(turn, marks, shown.masker) for turn in run.conversation.turns),
        findings=tuple(_card(number, item, penalties, shown) for number, item in enumerate(ordered, start=1)),
        unjudged=tuple((item.clause, item.title, shown.masker.text(item.reason)) for item in of(verdicts, Verdict.NOT_EVALUATED)),
        clear=tuple(f"{item.clause} {item.title}" for item in of(verdicts, Verdict.CLEAR)),
        skipped=tuple(f"{item.clause} {item.title}" for item in of(verdicts, Verdict.NOT_APPLICABLE)),
        duration_s=run.conversation.duration_s,
        has_audio=run.recording is not None,
        peaks=peaks(run),
        peak_roles=channel_roles(run),
        masked=shown.masked,
    )


def findings_of_run(run: AuditRun) -> list[Finding]:
    """The machine's findings of a call that has no case."""
    from qa_pipeline.casework.values import Key

    return [
        Finding(key=Key(item.rule_id, item.ordinal), outcome=item, live=None, manual=False, advice=item.advice)
        for item in run.outcomes
        if item.verdict is Verdict.VIOLATION
    ]


def _first_s(outcome: Outcome) -> float:
    proof = outcome.proof
    return proof.start_s if proof is not None and proof.start_s is not None else 1e9


def _facts(run: AuditRun, masker: Masker) -> tuple[tuple[str, str], ...]:
    from qa_pipeline.web.reading.words import CALL_TYPE, OUTCOME

    call = run.conversation.call
    pairs = (
        ("坐席", " ".join(filter(None, (call.agent_id, call.agent_name)))),
        ("班组", call.team or ""),
        ("客户", " ".join(filter(None, (masker.name(call.customer_name), masker.number(call.customer_number))))),
        ("业务", call.product or ""),
        ("类型", "，".join(filter(None, (CALL_TYPE.get(call.call_type or "", ""), OUTCOME.get(call.outcome or "", ""))))),
        ("时间", (call.started_at or "").replace("T", " ")[:16]),
        ("时长", clock(run.conversation.duration_s)),
    )
    return tuple((name, value) for name, value in pairs if value)


@dataclass(frozen=True, slots=True)
class _Mark:
    """A stretch of the raw text of a turn. ``against``: as of a token."""

    start: int
    end: int
    finding: int
    against: bool


_UNMARKED = _Mark(0, 0, 0, True)


class _Marks:
    """Which stretches of a turn prove which finding, and which are what was said of what a finding misses."""

    def __init__(self, ordered: Sequence[Finding]) -> None:
        self._by_turn: dict[int, list[tuple[int, Evidence]]] = {}
        for number, finding in enumerate(ordered, start=1):
            for item in finding.outcome.evidence:
                if item.kind in (EvidenceKind.HIT, EvidenceKind.SAID) and item.turn is not None:
                    self._by_turn.setdefault(item.turn, []).append((number, item))

    def of(self, turn: Turn) -> list[_Mark]:
        """In order and without overlaps: what proves something goes before what was rightly said, then the earlier."""
        wanted = sorted(
            (item.kind is not EvidenceKind.HIT, *place, number)
            for number, item in self._by_turn.get(turn.index, [])
            for place in places(turn, item)
        )
        owners: dict[int, tuple[int, bool]] = {}
        for said, start, end, number in wanted:
            for at in range(start, end):
                owners.setdefault(at, (number, not said))
        found: list[_Mark] = []
        for at, owner in sorted(owners.items()):
            last = found[-1] if found else None
            if last is not None and last.end == at and (last.finding, last.against) == owner:
                found[-1] = replace(last, end=at + 1)
            else:
                found.append(_Mark(at, at + 1, *owner))
        return found


def _turn(turn: Turn, marks: _Marks, masker: Masker) -> TurnLine:
    text = masker.text(simplified(turn.raw))
    return TurnLine(
        index=turn.index,
        role=turn.role,
        title=ROLE[turn.role],
        guessed=not turn.role_source.known and turn.role is not Role.UNKNOWN,
        corrected=turn.role_source.value == "human",
        start_s=turn.start_s,
        end_s=turn.end_s,
        at=clock(turn.start_s),
        tokens=_tokens(turn, text, marks.of(turn)),
        raw=text,
        unsure=turn.confidence is not None and turn.confidence < 0.5,
    )


def _tokens(turn: Turn, text: str, marks: list[_Mark]) -> tuple[Token, ...]:
    """The turn cut where a word or a mark begins or ends."""
    cuts = {0, len(text)}
    for mark in marks:
        cuts |= {mark.start, mark.end}
    for word in turn.words:
        cuts |= {word.start, word.end}
    edges = sorted(cut for cut in cuts if 0 <= cut <= len(text))
    starts = [word.start for word in turn.words]
    tokens = []
    for start, end in pairwise(edges):
        at = bisect_right(starts, start) - 1
        spoken = turn.words[at] if at >= 0 and start < turn.words[at].end else None
        mark = next((item for item in marks if item.start <= start < item.end), _UNMARKED)
        timed = spoken or turn
        tokens.append(
            Token(text=text[start:end], start_s=timed.start_s, end_s=timed.end_s, finding=mark.finding, against=mark.against)
        )
    return tuple(tokens) if turn.words or marks else (Token(text=text, start_s=turn.start_s, end_s=turn.end_s, finding=0),)


def _card(number: int, finding: Finding, penalties: Mapping[tuple[str, int], Penalty], shown: Shown) -> FindingCard:
    outcome, live, masker = finding.outcome, finding.live, shown.masker
    proof = outcome.proof
    start_s, end_s = play_span(proof)
    penalty = penalties.get((outcome.rule_id, outcome.ordinal)) if live is None else None  # the machine's ends with a decision
    charge = shown.bill.line(finding.key) if shown.bill is not None else None
    spec = shown.specs.get(outcome.rule_id) or shown.specs.get(outcome.clause)
    decision = live.decision if live is not None else None
    return FindingCard(
        number=number,
        key=f"{finding.key.rule_id}#{finding.key.ordinal}",
        rule_id=outcome.rule_id,
        clause=outcome.clause,
        title=outcome.title,
        name=finding.name,
        reason=masker.text(outcome.reason),
        strength=_strength(proof),
        confidence=outcome.confidence,
        review=outcome.review,
        advice=finding.advice,
        manual=finding.manual,
        start_s=start_s,
        end_s=end_s,
        turn=proof.turn if proof is not None else None,
        at=clock(proof.start_s) if proof is not None and proof.start_s is not None else "",
        against=proof is None or proof.kind in (EvidenceKind.HIT, EvidenceKind.DATA),
        missing=tuple(dict.fromkeys(outcome.missing)),
        exhibits=tuple(_exhibit(item, masker) for item in outcome.evidence if item.quote or item.note or item.start_s is not None),
        penalty=charge.words if charge is not None else penalty_words(penalty) if penalty is not None else "",
        basis=charge.source if charge is not None else "",
        decision=decision.value if decision else "",
        decision_label=decision.label if decision else "",
        decided_by=shown.who(live.by_person) if live else "",
        decision_reason=live.reason if live else "",
        source=f"{spec.source.doc} {spec.source.article}" if spec else "",
        source_text=spec.source.text if spec else "",
        means=spec.means if spec else "",
        instead=advice(spec, outcome.missing, shown.specs) if spec else "",
    )


def play_span(proof: Evidence | None) -> tuple[float | None, float | None]:
    """What to play of an exhibit: its words with a little before and after. For an omission the end of the searched span is
    usually where the missing words would be; it is played from its start."""
    if proof is None or proof.start_s is None:
        return None, None
    end_s = proof.end_s if proof.end_s is not None else proof.start_s + 3.0
    start_s = max(0.0, proof.start_s - BEFORE_S)
    return round(start_s, 2), round(min(end_s + AFTER_S, start_s + LONGEST_S), 2)


def _strength(proof: Evidence | None) -> str:
    if proof is None or proof.strength is None:
        return ""
    distance = f"，相差 {proof.distance:g} 个音节" if proof.distance else ""
    return f"{STRENGTH[proof.strength]}{distance}"


def _exhibit(item: Evidence, masker: Masker) -> Exhibit:
    start_s, end_s = play_span(item) if item.kind is not EvidenceKind.DATA else (None, None)
    parts = []
    if understood(item):
        parts.append(f"按“{simplified(understood(item))}”理解")
    if item.strength is not None and item.kind in (EvidenceKind.HIT, EvidenceKind.SAID, EvidenceKind.NEAREST):
        parts.append(_strength(item))
    if item.confidence is not None:
        parts.append(f"识别把握 {100 * item.confidence:.0f}%")
    if item.note:
        parts.append(note_words(item))
    span = f"{clock(item.start_s)}–{clock(item.end_s)}" if item.start_s is not None and item.end_s is not None else ""
    return Exhibit(
        kind=item.kind.value,
        label=LABEL[item.kind],
        start_s=start_s,
        end_s=end_s,
        at=span,
        turn=item.turn,
        quote=masker.text(simplified(item.quote)),
        note=masker.text("；".join(parts)),
    )
