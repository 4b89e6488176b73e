"""Signals of the call data and of other calls: fields of the manifest, number segments, confirmation calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from qa_pipeline.model import CallData, CallOutcome, CallType, Strength
from qa_pipeline.signals.base import NOWHERE, Context, Hit, PastCall
from qa_pipeline.signals.hit import Measured
from qa_pipeline.signals.kit import BindError, Finders, Kit
from qa_pipeline.signals.scope import whole_scope
from qa_pipeline.strict_yaml import Doc

FIELDS = tuple(name for name in CallData.__dataclass_fields__ if name not in ("call_id", "file", "extra"))


def field_text(call: CallData, name: str) -> str | None:
    """A manifest field (or unknown column) as text; None when not known."""
    value = getattr(call, name) if name in FIELDS else dict(call.extra).get(name)
    if value is None or value == "":
        return None
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def fact_hit(name: str, value: str, note: str, at_s: float | None = None) -> Hit:
    return Hit(
        position=NOWHERE,
        end=NOWHERE,
        heard_as=f"{name}={value}",
        strength=Strength.MEASURED,
        note=note,
        place=Measured(start_s=at_s, end_s=at_s),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSpec:
    """通话数据里的一个字段是（或不是）某些值。"""

    kind: Literal["data"] = "data"
    label: Annotated[str, Doc("给人看的名字")]
    field: Annotated[str, Doc("清单里的列名，也可以是自定义列")]
    is_: Annotated[tuple[str, ...], Doc('是这些值之一（"" 表示不明）')] = ()
    is_not: Annotated[tuple[str, ...], Doc("有值而且不是这些值")] = ()

    def __post_init__(self) -> None:
        if bool(self.is_) == bool(self.is_not):
            raise ValueError("is 与 is_not 写且只写一个")

    def bind(self, kit: Kit) -> Finders:
        def find(ctx: Context) -> tuple[Hit, ...]:
            value = field_text(ctx.call, self.field) or ""
            if value not in self.is_ if self.is_ else value in ("", *self.is_not):
                return ()
            at_s = ctx.call.hangup_at if self.field == "hangup_by" else None
            return (fact_hit(self.field, value, f"通话数据：{self.label}（{value}）", at_s),)

        return Finders(find=find, scope=whole_scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSpec:
    """号码的号段属于哪家运营商（按号段词库；服务号码不是号段）。"""

    kind: Literal["segment"] = "segment"
    label: Annotated[str, Doc("给人看的名字")]
    field: Annotated[Literal["caller_number", "customer_number"], Doc("哪个号码")]
    carriers: Annotated[tuple[str, ...], Doc("运营商，如 移动、联通、电信")]

    def bind(self, kit: Kit) -> Finders:
        table = kit.segments()
        unknown = [carrier for carrier in self.carriers if carrier not in table]
        if unknown:
            raise BindError(f"号段词库里没有“{unknown[0]}”，现有：{'、'.join(sorted(table))}")

        def find(ctx: Context) -> tuple[Hit, ...]:
            number = field_text(ctx.call, self.field)
            carrier = carrier_of(number, table) if number else None
            if number is None or carrier not in self.carriers:
                return ()
            return (fact_hit(self.field, f"{number[:3]}****", f"{self.label}：号段属于{carrier}"),)

        return Finders(find=find, scope=whole_scope)


def bare_number(number: str) -> str:
    """The digits of a number however it is written, without the country code of a mobile number: +86 139-1234-5678 → 13912345678."""
    digits = "".join(char for char in number if char.isdigit())
    for code in ("0086", "86"):
        if digits.startswith(code + "1") and len(digits) == len(code) + 11:
            return digits.removeprefix(code)
    return digits


def carrier_of(number: str, table: Mapping[str, tuple[str, ...]]) -> str | None:
    """The carrier whose segment an 11-digit mobile number lies in, longest prefix first; None for service and fixed numbers."""
    digits = bare_number(number)
    if len(digits) != 11 or not digits.startswith("1"):
        return None
    matches = [(len(prefix), carrier) for carrier, prefixes in table.items() for prefix in prefixes if digits.startswith(prefix)]
    return max(matches)[1] if matches else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationsSpec:
    """正式收费前，同一客户同一产品的二次确认通话（本身须合格）少于几次。"""

    kind: Literal["too_few_confirmations"] = "too_few_confirmations"
    label: Annotated[str, Doc("给人看的名字")]
    wanted: Annotated[int, Doc("应有几次")] = 2
    clean_of: Annotated[tuple[str, ...], Doc("确认通话自己不得违反的条款")] = ("C1", "C2", "C3", "C4")

    def bind(self, kit: Kit) -> Finders:
        def find(ctx: Context) -> tuple[Hit, ...]:
            if ctx.history is None:
                return ()
            past_calls = ctx.history.calls_about(ctx.call)
            due = charge_date(ctx.call, past_calls)
            calls = [past for past in past_calls if self._counts(ctx.call, past, due)]
            if len(calls) >= self.wanted:
                return ()
            dates = "、".join((past.call.started_at or "时间不详")[:10] for past in calls) or "没有"
            return (
                fact_hit("二次确认", str(len(calls)), f"收费前有效的确认通话 {len(calls)} 次（{dates}），应有 {self.wanted} 次"),
            )

        return Finders(find=find, scope=whole_scope)

    def _counts(self, sale: CallData, past: PastCall, due: datetime | None) -> bool:
        if past.call.call_type is not CallType.CONFIRM or past.call.call_id == sale.call_id or unreachable(past.call):
            return False
        start, sold = parse_time(past.call.started_at), parse_time(sale.started_at)
        if start is not None and sold is not None and start < sold:
            return False
        if start is not None and due is not None and start > due:
            return False
        return not (past.violated & set(self.clean_of))


def parse_time(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def unreachable(call: CallData) -> bool:
    return call.outcome is CallOutcome.NO_ANSWER


def charge_date(call: CallData, others: Sequence[PastCall] = ()) -> datetime | None:
    """When the trial ends and charging begins; a confirmation call that reached nobody gives one more trial period, once."""
    start = parse_time(call.started_at)
    if start is None or not call.trial_days:
        return None
    missed = any(other.call.call_type is CallType.CONFIRM and unreachable(other.call) for other in others)
    return start + timedelta(days=call.trial_days * (2 if missed else 1))
