"""From signals to outcomes: reasons, evidence, confidence, and the doubts that keep a verdict from being a violation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qa_pipeline.model import Evidence, EvidenceKind, Outcome, Role, Strength, Turn, Verdict
from qa_pipeline.rules.base import RuleSpec
from qa_pipeline.rules.fairness import Fairness
from qa_pipeline.signals.base import Context, Hit, Scope
from qa_pipeline.signals.call_facts import field_text

_MAX_EXHIBITS = 12
_MATCH_CONFIDENCE = {
    Strength.EXACT: 1.0,
    Strength.PHONETIC: 0.9,
    Strength.FUZZY: 0.8,
    Strength.MEANING: 0.8,
    Strength.MEASURED: 1.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One rule about to decide on one call."""

    spec: RuleSpec
    ctx: Context
    fairness: Fairness

    def label(self, name: str) -> str:
        return self.ctx.signal(name).label

    def sure(self, hits: Sequence[Hit], least: int) -> Sequence[Hit]:
        """The hits that were heard clearly, where at least so many were; else all, so that the doubt is told.

        Only for rules whose words are easily confused (``review.below_confidence``).
        """
        if self.spec.review.below_confidence is None:
            return hits
        clearly = [hit for hit in hits if hit.confidence is None or hit.confidence >= self.fairness.blur]
        return clearly if len(clearly) >= least else hits


def not_applicable(spec: RuleSpec, reason: str) -> Outcome:
    return _outcome(spec, Verdict.NOT_APPLICABLE, reason)


def not_evaluated(spec: RuleSpec, reason: str, evidence: Sequence[Evidence] = ()) -> Outcome:
    return _outcome(spec, Verdict.NOT_EVALUATED, reason, evidence)


def clear(spec: RuleSpec, reason: str, hits: Iterable[Hit] = (), excuse: Hit | None = None) -> Outcome:
    evidence = [hit.evidence() for hit in hits]
    if excuse is not None:
        evidence.append(excuse.evidence(EvidenceKind.EXCUSE))
    return _outcome(spec, Verdict.CLEAR, reason, evidence)


def _outcome(spec: RuleSpec, verdict: Verdict, reason: str, evidence: Sequence[Evidence] = ()) -> Outcome:
    return Outcome(
        clause=spec.clause,
        rule_id=spec.rule,
        title=spec.title,
        verdict=verdict,
        reason=reason,
        advice=spec.advice,
        evidence=tuple(evidence[:_MAX_EXHIBITS]),
    )


def commission(judgement: Judgement, hits: Sequence[Hit], reason: str, ordinal: int = 0) -> Outcome:
    """A violation proved by what was said or measured; doubt about who said it or what was heard turns it down."""
    spec, fairness = judgement.spec, judgement.fairness
    evidence = [hit.evidence() for hit in hits] + [hit.evidence(EvidenceKind.EXCUSE) for hit in judgement.ctx.excused]
    sure = min((_role_confidence(judgement.ctx, hit) for hit in hits), default=1.0)
    if sure < fairness.role_floor:
        return not_evaluated(spec, f"说话人分辨不够可靠（{sure:.0%}），不能认定是坐席说的", evidence)
    heard = min((hit.confidence for hit in hits if hit.confidence is not None), default=None)
    floor = spec.review.below_confidence if spec.review.below_confidence is not None else fairness.hit_floor
    unsure = heard is not None and heard < floor
    if spec.review.below_confidence is not None and heard is not None and heard < fairness.blur:
        return not_evaluated(spec, f"{reason}；识别置信度只有 {heard:.0%}，听不真切，不予认定", evidence)
    meant = any(hit.strength is Strength.MEANING for hit in hits)  # no words that anybody could point at: a person decides
    matched = min((_MATCH_CONFIDENCE[hit.strength] for hit in hits), default=1.0)
    return Outcome(
        clause=spec.clause,
        rule_id=spec.rule,
        title=spec.title,
        verdict=Verdict.VIOLATION,
        reason=reason + (f"；识别置信度 {heard:.0%}，须人工听辨" if unsure and heard is not None else ""),
        review=_review(judgement) or unsure or meant or sure < fairness.role_review,
        advice=spec.advice,
        ordinal=ordinal,
        evidence=tuple(evidence[:_MAX_EXHIBITS]),
        confidence=round(min(sure, matched, 1.0 if heard is None else max(heard, 0.0)), 3),
    )


def omission(judgement: Judgement, missing: Sequence[str], found: Sequence[Hit], reason: str, at: Hit | None = None) -> Outcome:
    """A violation because something was not said; poor hearing of the span searched makes it 无法判定."""
    spec, ctx = judgement.spec, judgement.ctx
    scopes = [ctx.signal(name).scope(ctx) for name in missing]
    turns = sorted({index for scope in scopes for index in scope.turns})
    searched = [ctx.view.turns[index] for index in turns]
    evidence = [] if at is None else [at.evidence()]
    evidence.append(_searched(searched, missing, judgement))
    for name in missing:
        near = ctx.signal(name).nearest(ctx)
        if near is not None:
            evidence.append(near.evidence(EvidenceKind.NEAREST))
    evidence += [hit.evidence(_there(hit) if at is None else EvidenceKind.NEAREST) for hit in found]
    if doubt := _hearing_doubt(judgement, searched, scopes):
        return not_evaluated(spec, doubt, evidence)
    heard = [turn.confidence for turn in searched if turn.confidence is not None]
    return Outcome(
        clause=spec.clause,
        rule_id=spec.rule,
        title=spec.title,
        verdict=Verdict.VIOLATION,
        reason=reason,
        review=_review(judgement),
        advice=spec.advice,
        evidence=tuple(sorted(evidence, key=_exhibit_order)[:_MAX_EXHIBITS]),
        confidence=round(sum(heard) / len(heard), 3) if heard else None,
        missing=tuple(judgement.label(name) for name in missing),
    )


def _there(hit: Hit) -> EvidenceKind:
    """What a part that is not missing is: words that were said, or a field of the call data that stands for them."""
    return EvidenceKind.SAID if hit.position.turn >= 0 else EvidenceKind.DATA


def _exhibit_order(item: Evidence) -> int:
    order = (EvidenceKind.SEARCHED, EvidenceKind.HIT, EvidenceKind.SAID, EvidenceKind.NEAREST)
    return order.index(item.kind) if item.kind in order else len(order)


def _searched(turns: Sequence[Turn], missing: Sequence[str], judgement: Judgement) -> Evidence:
    labels = "、".join(judgement.label(name) for name in missing)
    starts = [turn.start_s for turn in turns if turn.start_s is not None]
    ends = [turn.end_s for turn in turns if turn.end_s is not None]
    text = "／".join(turn.raw for turn in turns)
    return Evidence(
        kind=EvidenceKind.SEARCHED,
        quote=text if len(text) <= 120 else text[:60] + "……" + text[-60:],
        heard_as="",
        turn=turns[0].index if turns else None,
        role=_only({turn.role for turn in turns}),
        start_s=min(starts, default=None),
        end_s=max(ends, default=None),
        note=f"在这一段里找：{labels}（共 {len(turns)} 个话轮）",
    )


def _only(roles: set[Role]) -> Role | None:
    """The role of whom the span is; None when everybody's words were searched."""
    return next(iter(roles)) if len(roles) == 1 else None if roles else Role.AGENT


def _hearing_doubt(judgement: Judgement, searched: Sequence[Turn], scopes: Sequence[Scope]) -> str | None:
    """Why the span searched was not heard well enough to say that something is missing."""
    ctx, fairness = judgement.ctx, judgement.fairness
    confidences = [(turn.confidence, max(1, len(turn.text))) for turn in searched if turn.confidence is not None]
    if confidences:
        mean = sum(value * weight for value, weight in confidences) / sum(weight for _, weight in confidences)
        if mean < fairness.hearing_floor:
            return f"要找的这一段识别置信度只有 {mean:.0%}，听不清，不能说没有说"
    start = min((turn.start_s for turn in searched if turn.start_s is not None), default=None)
    end = max((turn.end_s for turn in searched if turn.end_s is not None), default=None)
    low = None if any(scope.low.turn >= 0 for scope in scopes) is False and start is None else start
    roles = set(Role) if ctx.both_roles else {Role.UNKNOWN, *(turn.role for turn in searched or ctx.view.turns)}
    lost = [
        span
        for span in ctx.conversation.uncovered
        if span.role in roles and (low is None or span.end_s > low - 3) and (end is None or span.start_s < end + 3)
    ]
    seconds = sum(span.end_s - span.start_s for span in lost)
    spoken = sum(turn.end_s - turn.start_s for turn in searched if turn.start_s is not None and turn.end_s is not None)
    if seconds >= fairness.unheard_s and seconds >= fairness.unheard_share * (spoken + seconds):
        return f"要找的这一段里有 {seconds:.1f} 秒说话没有识别出来，不能说没有说"
    return None


def _role_confidence(ctx: Context, hit: Hit) -> float:
    if hit.position.turn < 0 or hit.role is None:
        return 1.0
    turn = ctx.view.turns[hit.position.turn]
    return 1.0 if turn.role_source.known else turn.role_confidence


def _review(judgement: Judgement) -> bool:
    review = judgement.spec.review
    if not review.always:
        return False
    return not (review.unless_field and field_text(judgement.ctx.call, review.unless_field) == "true")
