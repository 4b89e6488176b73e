"""Outcomes and policy → scorecard. Pure: no files, no clock; the same findings in any order give the same card.

What counts, and what only waits:

* A finding counts at once, unless it must be reviewed (待复核) or its clause demands a person (B5–B8): then its amounts
  stand in its penalty as a proposal, and enter the sums when ``confirmed`` names it.
* A finding that rests on guessed roles counts and makes the card provisional.
* A call of which nothing could be judged has no score (``scorable``): silence is not a perfect call.
* One fact is fined once: the gravest finding carries it, the others name it in ``absorbed_by``. While the gravest waits
  for a person, the gravest of the others that need none counts in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from qa_pipeline.model import Conversation, Evidence, EvidenceKind, Outcome, Penalty, Role, Scorecard, Verdict
from qa_pipeline.policy import COMPLAINT, ClausePolicy, OneFact, Policy, load_policy
from qa_pipeline.quotes import places

__all__ = ["COMPLAINT_KEY", "Policy", "load_policy", "scorable", "score"]

Key = tuple[str, int]  # rule_id, ordinal
COMPLAINT_KEY: Key = ("complaint", 0)

_FATAL = "致命：本通 0 分"
_ADVICE = "仅提示，不扣分、不扣款"
_REVIEW = "待复核：人工确认后才计"
_PERSON = "建议处分：人工确认后才计"
_GUESSED = "坐席与客户是推断的，确认身份后入账"
_NO_COMPLAINT = "没有客户投诉记录，不扣款"
_CAPPED = "本条款扣分已到上限"
_ONCE = "本条款一通只扣一次款"
_NO_POLICY = "政策文件里没有这一条款，不扣分、不扣款"


@dataclass(slots=True, kw_only=True)
class _Draft:
    """One finding on its way to a penalty."""

    finding: Outcome
    clause: ClausePolicy
    penalty: Penalty
    waits: bool

    @property
    def gravity(self) -> tuple[Decimal, Decimal, int]:
        return self.penalty.fine_yuan, self.penalty.supervisor_fine_yuan, self.penalty.points


def scorable(conversation: Conversation, outcomes: tuple[Outcome, ...]) -> bool:
    """Whether a call was judged at all: something was found, or a clause was kept in words that were heard.

    Silence, noise and a fraction of a second are neither good nor bad, also where call data alone keep a clause.
    """
    verdicts = {item.verdict for item in outcomes if not item.advice}
    return Verdict.VIOLATION in verdicts or (Verdict.CLEAR in verdicts and any(turn.text for turn in conversation.turns))


def score(
    policy: Policy,
    conversation: Conversation,
    outcomes: tuple[Outcome, ...],
    *,
    confirmed: frozenset[Key] = frozenset(),
    judged: bool = True,
) -> Scorecard:
    """The scorecard of one call. ``confirmed`` holds (rule_id, ordinal) of findings that a person has confirmed;
    rejected findings are simply left out of ``outcomes`` by the caller. Not ``judged``: no score, neither good nor bad."""
    findings = sorted(
        (item for item in outcomes if item.verdict is Verdict.VIOLATION), key=lambda item: (item.clause, item.rule_id, item.ordinal)
    )
    drafts = [_draft(policy, conversation, finding, confirmed) for finding in findings]
    _one_fact_once(policy.file.one_fact, conversation, drafts)
    _limits(drafts)
    deadly = [draft for draft in drafts if _is_fatal(draft, confirmed)]
    for draft in deadly:
        draft.penalty = replace(draft.penalty, note="；".join(filter(None, (_FATAL, draft.penalty.note))))
    penalties = tuple(draft.penalty for draft in drafts) + _complaint(policy, conversation, confirmed)
    fatal = bool(deadly)
    counted = [penalty for penalty in penalties if penalty.counted]
    points = 0 if fatal else max(0, policy.file.base_score - sum(penalty.points for penalty in counted))
    case_fine = policy.file.case_fine if points == 0 else Decimal(0)
    return Scorecard(
        score=points if judged else None,
        qualified=points >= policy.file.qualified_at if judged else None,
        fatal=fatal,
        sale_invalid=any(draft.clause.sale_invalid and not draft.waits for draft in drafts),
        violations=sum(1 for draft in drafts if not _advice(draft)),
        not_evaluated=sum(1 for item in outcomes if item.verdict is Verdict.NOT_EVALUATED),
        fine_yuan=sum((penalty.fine_yuan for penalty in counted), case_fine),
        supervisor_fine_yuan=sum((penalty.supervisor_fine_yuan for penalty in counted), Decimal(0)),
        provisional=any(penalty.provisional for penalty in penalties),
        penalties=penalties,
        case_fine_yuan=case_fine,
    )


def _draft(policy: Policy, conversation: Conversation, finding: Outcome, confirmed: frozenset[Key]) -> _Draft:
    known = policy.clause(finding.clause)
    clause = known or ClausePolicy(source="")
    base = Penalty(clause=finding.clause, ordinal=finding.ordinal, rule_id=finding.rule_id, counted=False)
    if finding.advice or clause.advice or known is None:
        return _Draft(finding=finding, clause=clause, waits=False, penalty=replace(base, note=_ADVICE if known else _NO_POLICY))
    is_confirmed = (finding.rule_id, finding.ordinal) in confirmed
    waits = (finding.review or clause.confirm) and not is_confirmed
    guessed = not is_confirmed and _rests_on_guess(conversation, finding)
    pays = not clause.complaint_only or conversation.call.complaint is True
    notes = [_NO_COMPLAINT] * (not pays)
    notes += [_PERSON if clause.confirm else _REVIEW] * waits
    notes += [_GUESSED] * (guessed and not waits)
    penalty = replace(
        base,
        points=clause.points,
        fine_yuan=_graded(clause, finding) if pays else Decimal(0),
        supervisor_fine_yuan=clause.supervisor_fine if pays else Decimal(0),
        sanction=clause.sanction if pays else "",
        provisional=waits or guessed,
        counted=not waits,
        note="；".join(notes),
    )
    return _Draft(finding=finding, clause=clause, penalty=penalty, waits=waits)


def _advice(draft: _Draft) -> bool:
    return draft.finding.advice or draft.clause.advice


def _is_fatal(draft: _Draft, confirmed: frozenset[Key]) -> bool:
    """A clause is fatal at once, or only when confirmed; a finding under review never before it is confirmed."""
    if _advice(draft) or draft.clause.fatal == "never":
        return False
    if (draft.finding.rule_id, draft.finding.ordinal) in confirmed:
        return True
    return draft.clause.fatal == "always" and not draft.finding.review


def _graded(clause: ClausePolicy, finding: Outcome) -> Decimal:
    """The fine of the step that the measured value has passed; without a value the lowest: doubt favours the agent."""
    values = [item.value for item in finding.evidence if item.kind is EvidenceKind.HIT and item.value is not None]
    fine = clause.fine
    for grade in clause.grades:
        if values and max(values) > grade.over:
            fine = grade.fine
    return fine


def _rests_on_guess(conversation: Conversation, finding: Outcome) -> bool:
    """Whether the roles behind a finding are guessed: those of its hits, or, for an omission, those of the whole call."""
    if finding.evidence and all(item.kind is EvidenceKind.DATA for item in finding.evidence):
        return False
    hits = {item.turn for item in finding.evidence if item.kind is EvidenceKind.HIT and item.turn is not None}
    turns = [turn for turn in conversation.turns if turn.role is not Role.UNKNOWN and (not hits or turn.index in hits)]
    return any(not turn.role_source.known for turn in turns)


# One fact, one fine


def _one_fact_once(groups: Iterable[OneFact], conversation: Conversation, drafts: Sequence[_Draft]) -> None:
    for group in groups:
        members = [draft for draft in drafts if draft.finding.clause in group.clauses and not _advice(draft)]
        for fact in _facts(group, conversation, members):
            _absorb(group, fact)


def _facts(group: OneFact, conversation: Conversation, members: list[_Draft]) -> list[list[_Draft]]:
    """The findings of a group, gathered by the fact they rest on."""
    if group.same == "call":
        return [members]
    if group.same == "parts":
        return _same_parts(group, members)
    facts: list[list[_Draft]] = []
    for draft in members:
        touching = [fact for fact in facts if any(_same_words(conversation, draft.finding, other.finding) for other in fact)]
        facts = [fact for fact in facts if fact not in touching]
        facts.append([draft, *(other for fact in touching for other in fact)])
    return facts


def _same_parts(group: OneFact, members: list[_Draft]) -> list[list[_Draft]]:
    """The summing clause is one fact with the others when every part it misses is fined under one of them already."""
    summing = [draft for draft in members if draft.finding.clause == group.clauses[-1]]
    others = [draft for draft in members if draft not in summing]
    fined = {draft.finding.clause for draft in others if not draft.waits}
    facts = []
    for draft in summing:
        missing = {group.parts.get(part) for part in draft.finding.missing}
        if missing and missing <= fined:
            facts.append([*(other for other in others if other.finding.clause in missing and not other.waits), draft])
    return facts


def _absorb(group: OneFact, fact: list[_Draft]) -> None:
    if len({draft.finding.clause for draft in fact}) < 2:
        return
    if group.same == "parts":
        owner, absorbed = fact[0], fact[-1:]
    else:
        order = {clause: place for place, clause in enumerate(group.clauses)}
        ranked = sorted(
            fact, key=lambda draft: (*(-amount for amount in draft.gravity), order[draft.finding.clause], draft.finding.ordinal)
        )
        owner, absorbed = ranked[0], [draft for draft in ranked[1:] if draft.finding.clause != ranked[0].finding.clause]
    stand_in = next((draft for draft in absorbed if not draft.waits), None) if owner.waits else None
    for draft in absorbed:
        instead = (
            f"{owner.finding.clause} 待人工确认，先按本条计" if draft is stand_in else f"同一事实已按 {owner.finding.clause} 处理"
        )
        draft.penalty = replace(
            draft.penalty,
            absorbed_by=owner.finding.clause,
            counted=draft is stand_in,
            note="；".join(filter(None, (draft.penalty.note, instead))),
        )


def _same_words(conversation: Conversation, one: Outcome, other: Outcome) -> bool:
    """Whether two findings quote overlapping words of one turn."""
    return any(
        a.turn == b.turn and _overlap(_places(conversation, a), _places(conversation, b)) for a in _hits(one) for b in _hits(other)
    )


def _hits(finding: Outcome) -> list[Evidence]:
    return [item for item in finding.evidence if item.kind is EvidenceKind.HIT and item.turn is not None and item.quote]


def _places(conversation: Conversation, item: Evidence) -> list[tuple[int, int]]:
    turn = next((turn for turn in conversation.turns if turn.index == item.turn), None)
    return places(turn, item) if turn is not None else []


def _overlap(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> bool:
    return any(a < d and c < b for a, b in one for c, d in other)


# Limits within one call


def _limits(drafts: Sequence[_Draft]) -> None:
    """Points up to the cap of the clause, money once where the clause says so; in order of the findings."""
    left: dict[str, int] = {}
    paid: set[str] = set()
    for draft in sorted(
        drafts, key=lambda draft: (not draft.penalty.counted, draft.finding.clause, draft.finding.rule_id, draft.finding.ordinal)
    ):
        if _advice(draft) or (draft.penalty.absorbed_by and not draft.penalty.counted):
            continue
        code = draft.finding.clause
        rest = left.setdefault(code, draft.clause.cap)
        points = min(draft.penalty.points, rest)
        left[code] = rest - points
        notes = [draft.penalty.note, _CAPPED if points < draft.penalty.points else ""]
        money = draft.penalty.fine_yuan, draft.penalty.supervisor_fine_yuan
        if draft.clause.per == "call" and any(money):
            if code in paid:
                money = Decimal(0), Decimal(0)
                notes.append(_ONCE)
            paid.add(code)
        note = "；".join(filter(None, notes))
        draft.penalty = replace(draft.penalty, points=points, fine_yuan=money[0], supervisor_fine_yuan=money[1], note=note)


def _complaint(policy: Policy, conversation: Conversation, confirmed: frozenset[Key]) -> tuple[Penalty, ...]:
    """A complaint is fined when a person has found it justified; until then it is a proposal."""
    if conversation.call.complaint is not True or not policy.file.complaint_fine:
        return ()
    upheld = COMPLAINT_KEY in confirmed
    return (
        Penalty(
            clause=COMPLAINT,
            ordinal=COMPLAINT_KEY[1],
            rule_id=COMPLAINT_KEY[0],
            fine_yuan=policy.file.complaint_fine,
            provisional=not upheld,
            counted=upheld,
            note="" if upheld else "客户投诉：核实成立后才计",
        ),
    )
