"""Numbers that mean something: money with its period, and dates or terms.

Both are read from the normal text, where 5元, ５元 and 五元 are all 五元, and loosely also by sound (无元 → 五元).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal

from qa_pipeline.model import Strength
from qa_pipeline.signals.base import Context, Hit, Where, Who, Window, window_hit
from qa_pipeline.signals.kit import Finders, Kit
from qa_pipeline.signals.scope import scope_in
from qa_pipeline.strict_yaml import Doc
from qa_pipeline.text.phonetic import phonetics

_NUMERALS = "零一二两三四五六七八九十百千万"
_NUMERAL = re.compile(f"[{_NUMERALS}半]")
_UNITS = ("元", "块", "毛", "角", "分钱")
_PERIODS = (
    "每月", "每个月", "一个月", "个月", "月租", "月费", "包月", "月功能费", "功能费", "每天", "一天", "每日", "每条", "一条", "每次", "一次", "每年", "一年",
    "包年", "年费", "每分钟", "一分钟", "每小时", "按月", "每季", "一季", "每人", "每张", "每份", "一个季度", "每个季度", "半年", "月底扣", "一期", "每期", "按年", "套餐费", "每集", "一部", "每兆",
    "每g", "每户", "当月", "次月", "次性", "一晚", "两年", "#个月", "季度", "每周", "一周", "一月",
)  # fmt: skip


def _group(words: tuple[str, ...], by_sound: bool) -> str:
    sound = phonetics().sound
    return "|".join(
        sorted(
            (re.escape(sound(w) if by_sound else w).replace(re.escape("#"), "[" + _NUMERALS + "]") for w in words),
            key=len,
            reverse=True,
        )
    )


_TOGETHER = re.compile("一块(?:儿|扣|走|过|去|来|算|交|出|付|起)")  # no amount


class _Money:
    """Compiled once: amounts and periods, over characters and over sounds."""

    @cached_property
    def amount(self) -> re.Pattern[str]:
        return re.compile(
            rf"(?!{_TOGETHER.pattern})(?P<number>[{_NUMERALS}]+(?:点[{_NUMERALS}]+)?|半)(?P<unit>块钱|{_group(_UNITS, False)})(?P<rest>[{_NUMERALS}](?:毛|角|分)?)?"
        )

    @cached_property
    def amount_sound(self) -> re.Pattern[str]:
        sound = phonetics().sound
        numerals = re.escape(sound(_NUMERALS))
        return re.compile(rf"[{numerals}]+(?:{sound('点')}[{numerals}]+)?(?:{sound('元')}|{sound('块')}|{sound('毛')})")

    @cached_property
    def period(self) -> re.Pattern[str]:
        return re.compile(_group(_PERIODS, False))

    @cached_property
    def period_sound(self) -> re.Pattern[str]:
        return re.compile(_group(_PERIODS, True))

    @cached_property
    def bare(self) -> re.Pattern[str]:
        """一个月十九, 每月只要三十八: a number straight after its period needs no unit."""
        return re.compile(
            rf"(?:每月|每个月|一个月|月租|月费|包月)(?:是|为|只|就|才|要|收|也|您|扣|花|的费用)*(?P<number>[{_NUMERALS}]{{2,}}|[三五六八九十])(?![{_NUMERALS}天年月日号个g兆])|[{_NUMERALS}]{{2,}}(?:一个月|每个月|每月|一年|一季度)"
        )


_MONEY = _Money()


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneySpec:
    """金额：可要求带周期（每月、每条、一次性……）。"""

    kind: Literal["money"] = "money"
    label: Annotated[str, Doc("给人看的名字")]
    who: Who = "agent"
    period: Annotated[Literal["required", "any"], Doc("required：附近必须有周期")] = "required"
    reach: Annotated[int, Doc("周期离金额至多几个字")] = 12
    where: Where = Where()

    def bind(self, kit: Kit) -> Finders:
        loose = kit.default_strength == "loose" and kit.matching != "characters"
        scope = scope_in(self.who, self.where, widens=loose)

        def find(ctx: Context) -> tuple[Hit, ...]:
            windows = scope(ctx).windows
            hits = [hit for window in windows for hit in self._exact(window)]
            if not hits and loose and self.period == "required":
                hits = list(self._across(windows))
            if not hits and loose:
                hits = [hit for window in windows for hit in self._by_sound(window)]
            return tuple(sorted(hits, key=lambda hit: hit.position))

        def nearest(ctx: Context) -> Hit | None:
            for window in scope(ctx).windows:
                for match in _MONEY.amount.finditer(window.chars):
                    return window_hit(window, match.span(), "金额（没有说周期）", Strength.EXACT)
            return None

        return Finders(find=find, scope=scope, nearest=nearest)

    def _exact(self, window: Window) -> Iterator[Hit]:
        chars = window.chars
        if not _NUMERAL.search(chars):
            return
        told: list[tuple[int, int]] = []
        for match in _MONEY.amount.finditer(chars):
            if self.period == "any":
                yield window_hit(window, match.span(), "金额", Strength.EXACT)
                continue
            low, high = max(0, match.start() - self.reach), match.end() + self.reach
            if period := _MONEY.period.search(chars, low, high):
                span = (min(match.start(), period.start()), max(match.end(), period.end()))
                told.append(span)
                yield window_hit(window, span, f"金额与周期（{match.group()}，{period.group()}）", Strength.EXACT)
        for match in _MONEY.bare.finditer(chars):
            if not any(match.start() < end and start < match.end() for start, end in told):
                yield window_hit(window, match.span(), "金额与周期", Strength.EXACT)

    def _across(self, windows: tuple[Window, ...]) -> Iterator[Hit]:
        """The period told in the next turn of the same speaker: 就九十九块 …… 不是，一次性的."""
        for earlier, later in pairwise(windows):
            amounts = list(_MONEY.amount.finditer(earlier.chars))
            if amounts and len(earlier.chars) - amounts[-1].end() <= self.reach:
                period = _MONEY.period.search(later.chars, 0, self.reach)
                if period:
                    yield window_hit(earlier, amounts[-1].span(), f"金额，下一轮说周期（{period.group()}）", Strength.EXACT)

    def _by_sound(self, window: Window) -> Iterator[Hit]:
        for match in _MONEY.amount_sound.finditer(window.sounds):
            if _TOGETHER.match(window.chars, match.end() - 2):
                continue
            low, high = max(0, match.start() - self.reach), match.end() + self.reach
            period = _MONEY.period_sound.search(window.sounds, low, high)
            if period or self.period == "any":
                span = match.span() if period is None else (min(match.start(), period.start()), max(match.end(), period.end()))
                yield window_hit(window, span, "金额与周期（同音）", Strength.PHONETIC)


_N = f"[{_NUMERALS}]"
_CALENDAR = re.compile("[月号日天周期拜底末旦节庆儿晚]")  # one of these is in every date
_DATES = {
    # a day on the calendar
    "date": rf"{_N}+月(?:份)?{_N}+[号日]|(?:这个?|本|下个?|次|当|下下个?|每个?)月(?:的)?{_N}+[号日]|(?:本月|这个?月|下个?月|当月|次月|月)(?:底|末|初)"
    rf"|{_N}+月(?:份)?(?:底|末|初|上旬|中旬|下旬)|下个?(?:周|星期|礼拜)[一二三四五六日天]|(?:年底|年末|元旦|春节|国庆)|(?:到|至|截止|截至|止于){_N}+[号日]|{_N}+[号日](?:到期|截止|为止|之前|以前|前|结束|就)",
    # a day told by its name
    "day": "[今明后当]天|明[儿日]|后[儿日]|[今次]日|今晚",
    # counted from now: when it is over
    "deadline": rf"(?:第{_N}+(?:天|日)|{_N}+(?:天|日|个月|个星期|周)(?:之后|以后|过后|后|期满|到期|一过|过了|满了|一到|到了|结束|用完|体验完|试用完)|满{_N}+(?:天|个月)|过(?:了)?{_N}+(?:天|个月)|(?:下个?|次)月(?:起|开始|才|就)"
    rf"|从(?:今天|现在|即日|明天)(?:开始|起|算)?.{{0,6}}{_N}+(?:天|个月)|{_N}+(?:天|个月).{{0,4}}从(?:今天|现在|即日|明天))",
    # only how long
    "length": rf"{_N}+(?:天|个月|个星期|周)|首月|第一个月|半个月|一整月",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DateSpec:
    """日期与期限：date 日历上的某天，day 今天明天，deadline 从现在数起的终点，length 只有长短。"""

    kind: Literal["date"] = "date"
    label: Annotated[str, Doc("给人看的名字")]
    who: Who = "agent"
    forms: Annotated[tuple[Literal["date", "day", "deadline", "length"], ...], Doc("要哪几种")] = ("date", "deadline")
    where: Where = Where()

    def bind(self, kit: Kit) -> Finders:
        loose = kit.default_strength == "loose" and kit.matching != "characters"
        expression = re.compile("|".join(f"(?:{_DATES[form]})" for form in self.forms))
        by_sound = re.compile(_sound_of(expression.pattern))
        scope = scope_in(self.who, self.where, widens=loose)

        def find(ctx: Context) -> tuple[Hit, ...]:
            windows = scope(ctx).windows
            dated = [window for window in windows if _CALENDAR.search(window.chars)]
            hits = [window_hit(w, m.span(), "日期或期限", Strength.EXACT) for w in dated for m in expression.finditer(w.chars)]
            if not hits and loose:
                hits = [
                    window_hit(w, m.span(), "日期或期限（同音）", Strength.PHONETIC)
                    for w in windows
                    for m in by_sound.finditer(w.sounds)
                ]
            return tuple(sorted(hits, key=lambda hit: hit.position))

        return Finders(find=find, scope=scope)


def _sound_of(expression: str) -> str:
    """The same expression over sounds: every Chinese character becomes its syllable class, the syntax stays."""
    return phonetics().sound(expression)
