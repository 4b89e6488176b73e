"""``qa show``: a call as a reader wants it, findings beside the words they rest on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qa_pipeline.cli.common import clock, yuan
from qa_pipeline.masking import Masker
from qa_pipeline.model import AuditRun, EvidenceKind, Outcome, Role, Turn, Verdict
from qa_pipeline.report.call_view import ROLE, TEMPLATE, penalty_words, roles_note, simplified
from qa_pipeline.report.verdicts import by_clause, of


def call_lines(run: AuditRun, *, show_private: bool) -> Iterator[str]:
    call, card = run.conversation.call, run.scorecard
    masker = Masker(call, show=show_private)
    facts = [
        f"坐席 {call.agent_id or '未知'} {call.agent_name or ''}".rstrip(),
        f"客户 {masker.number(call.customer_number) or '未知'}",
    ]
    facts += [f"开始 {call.started_at.replace('T', ' ')}"] if call.started_at else []
    facts += [f"时长 {clock(run.conversation.duration_s)}"] if run.conversation.duration_s else []
    yield f"通话 {call.call_id}   {'   '.join(facts)}"
    conclusion = "致命，0 分" if card.fatal else f"{card.score} 分，{'合格' if card.qualified else '不合格'}"
    if card.score is None:
        conclusion = "无法判定，不评分"
    money = f"建议扣款 {yuan(card.fine_yuan)} 元" if card.fine_yuan else "不扣款"
    yield f"{conclusion}{'（暂定，有内容要人工确认）' if card.provisional else ''}   {money}"
    yield f"角色：{roles_note(run)}"
    for fact in run.conversation.fitness:
        yield f"录音质量：{fact.message}"
    yield ""
    beside = _beside(run)
    for turn in run.conversation.turns:
        yield _turn_line(turn, masker)
        for outcome in beside.pop(turn.index, []):
            yield from _finding_lines(outcome, run, masker, indent=" " * 18)
    left = [outcome for outcomes in beside.values() for outcome in outcomes]
    if left:
        yield ""
        yield "不在某一句话上的："
        for outcome in left:
            yield from _finding_lines(outcome, run, masker, indent="  ")
    yield from _rest(run, masker)


def _rest(run: AuditRun, masker: Masker) -> Iterator[str]:
    verdicts = by_clause(run.outcomes)
    if unjudged := of(verdicts, Verdict.NOT_EVALUATED):
        yield ""
        yield "无法判定："
        for item in unjudged:
            yield f"  {item.clause} {item.title}：{masker.text(item.reason)}"
    yield ""
    for name, verdict in (("合规", Verdict.CLEAR), ("不适用", Verdict.NOT_APPLICABLE)):
        yield f"{name}：{' '.join(item.clause for item in of(verdicts, verdict)) or '无'}"
    if run.scorecard.case_fine_yuan:
        yield f"不合格工单：{yuan(run.scorecard.case_fine_yuan)} 元（一通一次，已含在合计里）"


def _beside(run: AuditRun) -> dict[int, list[Outcome]]:
    """Violations by the turn they stand beside; -1 for those that belong to no turn."""
    found: dict[int, list[Outcome]] = {}
    for outcome in run.outcomes:
        if outcome.verdict is Verdict.VIOLATION:
            shown = (EvidenceKind.HIT, EvidenceKind.SAID)
            hit = next((item for item in outcome.evidence if item.kind in shown and item.turn is not None), None)
            found.setdefault(hit.turn if hit is not None and hit.turn is not None else -1, []).append(outcome)
    return found


def _turn_line(turn: Turn, masker: Masker) -> str:
    mark = "" if turn.role_source.known or turn.role is Role.UNKNOWN else "?"
    return f"{turn.index + 1:>3} [{clock(turn.start_s)}] {ROLE[turn.role]}{mark}\t{masker.text(simplified(turn.raw))}"


def _finding_lines(outcome: Outcome, run: AuditRun, masker: Masker, *, indent: str) -> Iterator[str]:
    penalty = next(
        (item for item in run.scorecard.penalties if (item.rule_id, item.ordinal) == (outcome.rule_id, outcome.ordinal)), None
    )
    flags = "【待复核】" if outcome.review else "【提示】" if outcome.advice else ""
    yield f"{indent}▲ {outcome.clause} {outcome.title}{flags}：{masker.text(outcome.reason)}"
    for item in outcome.evidence:
        if item.kind in (EvidenceKind.HIT, EvidenceKind.SAID) and item.quote:
            plain = bool(item.heard_as) and item.heard_as != item.quote and not TEMPLATE.search(item.heard_as)
            heard = f"（按“{masker.text(item.heard_as)}”理解）" if plain else ""
            yield f"{indent}  {'原话' if item.kind is EvidenceKind.HIT else '听到的'} [{clock(item.start_s)}]“{masker.text(simplified(item.quote))}”{heard}"
        elif item.kind is EvidenceKind.NEAREST and item.quote:
            yield f"{indent}  最接近的 [{clock(item.start_s)}]“{masker.text(simplified(item.quote))}”"
    if penalty is not None and (told := penalty_words(penalty)):
        yield f"{indent}  {told}"


def call_json(run: AuditRun, *, show_private: bool) -> dict[str, Any]:
    """The run as JSON values; private things covered, samples and acoustics left out."""
    import msgspec

    masker = Masker(run.conversation.call, show=show_private)
    call = msgspec.to_builtins(run.conversation.call)
    call["customer_number"] = masker.number(run.conversation.call.customer_number)
    call["customer_name"] = masker.name(run.conversation.call.customer_name)
    outcomes = msgspec.to_builtins(run.outcomes)
    for outcome in outcomes:
        outcome["reason"] = masker.text(outcome["reason"])
        for item in outcome["evidence"]:
            for name in ("quote", "heard_as", "note"):
                item[name] = masker.text(item[name])
    return {
        "run_id": run.run_id,
        "call": call,
        "duration_s": run.conversation.duration_s,
        "turns": [
            {
                "turn": turn.index,
                "role": turn.role,
                "role_source": turn.role_source,
                "role_confidence": turn.role_confidence,
                "start_s": turn.start_s,
                "end_s": turn.end_s,
                "text": masker.text(turn.raw),
                "confidence": turn.confidence,
            }
            for turn in run.conversation.turns
        ],
        "outcomes": outcomes,
        "scorecard": msgspec.to_builtins(run.scorecard),
        "provenance": msgspec.to_builtins(run.provenance),
    }
