"""Whether a rule applies to a call, and whether all it needs is known. Three answers: yes, no, cannot tell."""

from __future__ import annotations

from qa_pipeline.model import CallOutcome, CallType, Conversation, Fitness, Role
from qa_pipeline.rules.base import Condition, Need
from qa_pipeline.rules.fairness import Fairness
from qa_pipeline.signals.base import Bound, Context
from qa_pipeline.signals.call_facts import charge_date, field_text, parse_time
from qa_pipeline.signals.measured import agent_characters
from qa_pipeline.signals.timing import speech

_NO_SALE = (CallOutcome.REFUSED, CallOutcome.CALLBACK, CallOutcome.NO_ANSWER)
_UNKNOWN_SALE = "通话数据没有写结果，也没有听到为客户开通，不知是否成交"
_CHARS_PER_S = 4.5  # ordinary speech, for transcripts without times


def sold(ctx: Context, activation: Bound) -> bool | None:
    """Whether the call ended in a sale: by the call data, else by the agent saying that the service is opened now. Where service
    was asked for, a product and an outcome alone are no sale: it must be heard that the product is opened."""
    call = ctx.call
    if call.call_type is CallType.SERVICE:
        return call.outcome is CallOutcome.SUCCESS and bool(call.product) and bool(activation.find(ctx))
    if call.call_type not in (None, CallType.SALE):
        return False
    if call.outcome is CallOutcome.SUCCESS:
        return True
    if call.outcome in _NO_SALE:
        return False
    if call.outcome is None and call.call_type is None and not ctx.conversation.turns:
        return None
    return True if activation.find(ctx) else (None if call.outcome is None else False)


def _confirmed(ctx: Context) -> bool:
    return ctx.call.call_type is CallType.CONFIRM and ctx.call.outcome is CallOutcome.SUCCESS


def applies(ctx: Context, condition: Condition, activation: Bound) -> tuple[bool | None, str]:
    """The answer and, unless it is yes, the reason in Chinese."""
    if condition.sold is not None:
        answer = sold(ctx, activation)
        if answer is None:
            return None, _UNKNOWN_SALE
        return answer is condition.sold, condition.otherwise or ("不是成交的通话" if condition.sold else "是成交的通话")
    if condition.settled is not None:
        answer = _confirmed(ctx) or sold(ctx, activation)
        if answer is None:
            return None, _UNKNOWN_SALE
        return answer is condition.settled, condition.otherwise or "没有成交，也不是客户确认了的二次确认"
    if condition.field:
        return _field(ctx, condition)
    if condition.found:
        return ctx.some(condition.found) is not None, condition.otherwise or f"没有听到“{ctx.signal(condition.found).label}”"
    if condition.not_found:
        return ctx.some(condition.not_found) is None, condition.otherwise or f"听到了“{ctx.signal(condition.not_found).label}”"
    return _amount(ctx, condition)


def _field(ctx: Context, condition: Condition) -> tuple[bool | None, str]:
    value = field_text(ctx.call, condition.field)
    if condition.not_in:
        return value not in condition.not_in, condition.otherwise or f"{condition.field} 为 {value}"
    if value is None:
        return None, f"通话数据缺少 {condition.field}"
    if condition.at_least is not None:
        try:
            return float(value) >= condition.at_least, condition.otherwise or f"{condition.field} 为 {value}"
        except ValueError:
            return None, f"{condition.field} 不是数字"
    return value in condition.in_, condition.otherwise or f"{condition.field} 为 {value}"


def _amount(ctx: Context, condition: Condition) -> tuple[bool | None, str]:
    conversation = ctx.conversation
    if condition.min_talk_s is not None:
        talk = talk_seconds(conversation)
        return talk >= condition.min_talk_s, condition.otherwise or f"通话只有约 {talk:.0f} 秒说话"
    if condition.min_agent_turns is not None:
        count = len(ctx.view.substantive[Role.AGENT])
        return count >= condition.min_agent_turns, condition.otherwise or f"坐席只说了 {count} 个话轮"
    count = agent_characters(conversation)
    return count >= (condition.min_agent_chars or 0), condition.otherwise or f"坐席只说了 {count} 个字"


def talk_seconds(conversation: Conversation) -> float:
    """Seconds in which anybody speaks; estimated from the number of characters when there are no times."""
    spans = sorted((span.start_s, span.end_s) for span in speech(conversation))
    if not spans:
        return sum(len(turn.text) for turn in conversation.turns) / _CHARS_PER_S
    total, reached = 0.0, float("-inf")
    for start, end in spans:
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def unmet_need(ctx: Context, need: Need, fairness: Fairness) -> str | None:
    """Why a need is not met, in Chinese; None when it is."""
    conversation = ctx.conversation
    view = ctx.view
    if need in ("agent", "customer"):
        role = Role(need)
        if view.turns_of[role]:
            return None
        who = "坐席" if need == "agent" else "客户"
        return f"分不清哪些话是{who}说的" if view.turns_of[Role.UNKNOWN] else f"没有听到{who}说话"
    if need == "sure_roles":
        return None if view.weakest_role >= fairness.role_floor else "说话人分辨不够可靠"
    if need == "times":
        return None if view.has_times and view.turns else "没有时间信息"
    if need == "audio":
        return None if conversation.voiced is not None else "没有录音，无法测量"
    if need == "two_channels":
        return None if conversation.channels != 1 else "单声道录音，分不出两人是否同时说话"
    if need in ("loudness", "pitch"):
        known = any((turn.loudness_db if need == "loudness" else turn.pitch_st) is not None for turn in view.turns)
        return None if known else ("没有音量数据" if need == "loudness" else "没有音高数据")
    if need == "history":
        return None if ctx.history is not None else "看不到同一客户的其他通话"
    if need == "charge_due":
        return _not_due(ctx)
    if need == "closing":
        cut = any(fact.kind is Fitness.TRUNCATED for fact in conversation.fitness)
        return "录音不完整，结尾缺失" if cut else None
    return None if field_text(ctx.call, need) is not None else f"通话数据缺少 {need}"


def _not_due(ctx: Context) -> str | None:
    """Why charging has not begun as far as the calls on record reach."""
    if ctx.history is None:
        return "看不到同一客户的其他通话"
    due = charge_date(ctx.call, ctx.history.calls_about(ctx.call))
    known = parse_time(ctx.history.known_until)
    if due is None:
        return "通话数据缺少开始时间，算不出收费日"
    if known is None or known < due:
        return f"到 {due:%Y-%m-%d} 才收费，库里的通话还没有到那一天"
    return None
