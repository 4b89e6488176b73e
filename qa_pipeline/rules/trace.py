"""A decision as a readable trace: conditions, needs, every signal with what was found where, excuses, verdict."""

from __future__ import annotations

from collections.abc import Iterator

from qa_pipeline.audit import judge_rule, make_context
from qa_pipeline.model import Conversation, Evidence, EvidenceKind, Outcome, Strength
from qa_pipeline.rules.applies import applies, unmet_need
from qa_pipeline.rules.book import Rule, RuleBook
from qa_pipeline.signals.base import Context, History, Hit

_STRENGTHS = {
    Strength.EXACT: "原字",
    Strength.PHONETIC: "同音",
    Strength.FUZZY: "相近",
    Strength.MEANING: "按意思",
    Strength.MEASURED: "测量",
}
_KINDS = {
    EvidenceKind.HIT: "命中",
    EvidenceKind.SAID: "说到的",
    EvidenceKind.SEARCHED: "查找范围",
    EvidenceKind.NEAREST: "最接近",
    EvidenceKind.EXCUSE: "不算",
    EvidenceKind.READING: "复听",
    EvidenceKind.DATA: "数据",
}


def explain(book: RuleBook, rule: Rule, conversation: Conversation, history: History | None = None) -> list[str]:
    """The lines of the trace."""
    ctx = make_context(book, rule, conversation, history)
    return list(_lines(book, rule, ctx))


def _lines(book: RuleBook, rule: Rule, ctx: Context) -> Iterator[str]:
    spec = rule.spec
    yield f"{spec.clause} {spec.title}（{spec.rule}，{rule.path}）"
    yield f"出处：{spec.source.doc} {spec.source.article}"
    yield "一、适用"
    for condition in spec.applies:
        answer, reason = applies(ctx, condition, book.activation)
        yield f"  {'是' if answer else '否' if answer is False else '不明'}" + ("" if answer else f"：{reason}")
    if not spec.applies:
        yield "  每通都适用"
    yield "二、必须知道"
    for need in spec.needs:
        yield f"  {need}：{unmet_need(ctx, need, book.fairness) or '有'}"
    yield "三、信号"
    for name, bound in rule.signals.items():
        hits = ctx.hits(name)
        yield f"  {bound.label}（{name}）：{len(hits)} 处"
        for hit in hits[:8]:
            yield f"    {describe_hit(hit)}"
        if not hits and (near := bound.nearest(ctx)) is not None:
            yield f"    最接近的是 {describe_hit(near)}"
    if ctx.excused:
        yield "四、看到但不算的"
        for hit in ctx.excused:
            yield f"  {describe_hit(hit)}"
    yield "判定"
    for outcome in judge_rule(book, rule, ctx):
        yield from describe_outcome(outcome)


def _clock(seconds: float | None) -> str:
    return "" if seconds is None else f"{int(seconds // 60)}:{seconds % 60:04.1f}"


def describe_hit(hit: Hit) -> str:
    parts = [f"第 {hit.position.turn + 1} 轮"] if hit.position.turn >= 0 else []
    if hit.start_s is not None:
        parts.append(f"{_clock(hit.start_s)}–{_clock(hit.end_s)}")
    if hit.quote:
        parts.append(f"“{hit.quote}”")
    if hit.heard_as:
        parts.append(f"听作“{_short(hit.heard_as)}”")
    parts.append(
        _STRENGTHS[hit.strength] + (f"，差 {hit.distance:g} 个音节" if hit.strength is Strength.FUZZY and hit.distance else "")
    )
    if hit.confidence is not None:
        parts.append(f"识别置信度 {hit.confidence:.0%}")
    if hit.note:
        parts.append(hit.note)
    return "，".join(parts)


def describe_outcome(outcome: Outcome) -> Iterator[str]:
    flags = "（待复核）" if outcome.review else "（仅提示）" if outcome.advice else ""
    yield f"  {outcome.verdict.value}{flags}：{outcome.reason}"
    for item in outcome.evidence:
        yield f"    {_KINDS[item.kind]}：{describe_evidence(item)}"


def describe_evidence(item: Evidence) -> str:
    parts = []
    if item.start_s is not None:
        parts.append(f"{_clock(item.start_s)}–{_clock(item.end_s)}")
    if item.quote:
        parts.append(f"“{item.quote}”")
    if item.heard_as:
        parts.append(f"听作“{_short(item.heard_as)}”")
    if item.note:
        parts.append(item.note)
    return "，".join(parts)


def _short(phrase: str) -> str:
    return phrase if len(phrase) <= 40 else phrase[:40] + "…"
