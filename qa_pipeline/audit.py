"""Runs a rule book on a conversation: one outcome or more per rule, every one with its reason and evidence.

A rule sees one call and nothing of other rules. A rule that raises is 无法判定 and told; it is never a violation.
"""

from __future__ import annotations

import logging

from qa_pipeline.model import Conversation, Outcome, Verdict
from qa_pipeline.rules.applies import applies, unmet_need
from qa_pipeline.rules.book import Rule, RuleBook
from qa_pipeline.rules.judging import Judgement, clear, not_applicable, not_evaluated
from qa_pipeline.rules.shapes import judge
from qa_pipeline.signals.base import Context, History
from qa_pipeline.signals.view import View

_log = logging.getLogger(__name__)


def audit(book: RuleBook, conversation: Conversation, history: History | None = None) -> tuple[Outcome, ...]:
    """All outcomes of a call, by clause and then by place in the call."""
    view = View(conversation)
    index = book.index.scan(view.stream, view.bits)
    outcomes: list[Outcome] = []
    for rule in book.rules:
        ctx = Context(view, rule.signals, index, history, both_roles=_roles_guessed(view))
        outcomes += judge_rule(book, rule, ctx)
    return tuple(outcomes)


def audit_one(book: RuleBook, rule: Rule, conversation: Conversation, history: History | None = None) -> tuple[Outcome, ...]:
    """One rule on one call, as ``audit`` would judge it."""
    return judge_rule(book, rule, make_context(book, rule, conversation, history))


def make_context(book: RuleBook, rule: Rule, conversation: Conversation, history: History | None = None) -> Context:
    """What one rule sees of one call."""
    view = View(conversation)
    return Context(view, rule.signals, book.index.scan(view.stream, view.bits), history, both_roles=_roles_guessed(view))


def _roles_guessed(view: View) -> bool:
    return view.weakest_role < 1.0


def judge_rule(book: RuleBook, rule: Rule, ctx: Context) -> tuple[Outcome, ...]:
    """Applicability, then needs, then excuses, then the verdict shape; exceptions become 无法判定."""
    spec = rule.spec
    try:
        unknown = ""
        for condition in spec.applies:
            answer, reason = applies(ctx, condition, book.activation)
            if answer is False:  # whatever the others would say
                return (not_applicable(spec, reason),)
            unknown = unknown or ("" if answer else reason)
        if unknown:
            return (not_evaluated(spec, unknown),)
        for need in spec.needs:
            if unmet := unmet_need(ctx, need, book.fairness):
                return (not_evaluated(spec, unmet),)
        for name in spec.excuses:
            if hits := ctx.hits(name):
                return (clear(spec, f"听到“{ctx.signal(name).label}”，不追究", excuse=hits[0]),)
        return judge(Judgement(spec=spec, ctx=ctx, fairness=book.fairness))
    except Exception as error:
        _log.exception("rule %s failed", spec.rule)
        return (not_evaluated(spec, f"规则运行出错（{type(error).__name__}），请把本规则与通话编号告诉维护者"),)


def violations(outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    return tuple(outcome for outcome in outcomes if outcome.verdict is Verdict.VIOLATION)
