"""Things that identify a person: telephone numbers, identity-card digits, the customer's name, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal

from qa_pipeline.model import Role, Strength
from qa_pipeline.signals.base import Context, Hit, Where, Who, Window, window_hit
from qa_pipeline.signals.call_facts import bare_number
from qa_pipeline.signals.kit import Finders, Kit
from qa_pipeline.signals.scope import scope_in
from qa_pipeline.signals.view import View
from qa_pipeline.strict_yaml import Doc
from qa_pipeline.text.normalise import normalise
from qa_pipeline.text.phonetic import phonetics

_SPOKEN = {
    "零": "0",
    "一": "1",
    "幺": "1",
    "二": "2",
    "两": "2",
    "三": "3",
    "四": "4",
    "五": "5",
    "六": "6",
    "七": "7",
    "八": "8",
    "九": "9",
    "x": "x",
}
_RUN = re.compile(r"[零一二两三四五六七八九幺]{4,18}x?")
_ANY_RUN = re.compile(r"[零一二两三四五六七八九幺]+x?")
_LIKE_A_NUMBER = re.compile(r"[零一二三四五六七八九两幺]{3,}|[一二两三四五六七八九]千|[a-z][零一二两三四五六七八九十]")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_AREA_CODED = re.compile(r"0\d{9,11}")
_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_IDENTITY = re.compile(
    rf"\d{{6}}(?:19\d\d|200\d|201[0-5]){_DAY}[\dx]{{0,4}}|\d{{8}}{_DAY}\d{{3}}"
)  # with a birth date: an order number is none
_IDENTITY_WORDS = ("身份证", "身分证", "证件号", "证件是", "证号")
_IDENTITY_REACH = 12  # characters between the word and the digits
_IDENTITY_DIGITS = 6  # fewer is a tail for checking
_STREET = re.compile(r"路|街|巷|弄|胡同|小区|花园|新村|大厦|公寓|苑")
_ADDRESS = re.compile(
    r"[一-龥]{1,6}(?:路|街|巷|弄|胡同|小区|花园|新村|大厦|公寓|苑)[一-龥]{0,6}?[零一二三四五六七八九十百]+(?:号楼|栋|幢|单元|号|室|楼)"
)
# three to five digits, or a number in the thousands, that nothing counts: a clerk's number even where 工号 itself was misheard;
# or a number behind one letter (k一百一十八)
_WORK_NUMBER = re.compile(
    r"(?:(?<=^[a-z])|(?<=[^a-z][a-z]))[零一二两三四五六七八九十百千幺]{2,7}(?![点元块钱毛个分兆gm年月天次集])"
    r"|(?<![零一二两三四五六七八九十百千万幺点])(?!一零零|九五|四零零|八零零|九六)"
    r"(?:[零一二三四五六七八九幺]{3,5}|[一二两三四五六七八九]千[零一二两三四五六七八九十百]{1,6})"
    r"(?![零一二两三四五六七八九十百千万幺点元块钱毛个分兆gm年月天人次节集条户台家度左])"
)
_OTHER_NUMBER = re.compile(
    r"尾号|后四位|后三位|工单|单号|编号|订单|套餐|费|钱|[还交省花到送够共约付存减返]$|是[您你]的?$|[您你]的?号"
)
_HALF_A_TITLE = re.compile(r"[一-龥][生士]|[先女](?=[吗吧么是您本])")  # the other half was misheard or not heard
# A name of two characters may stand in the middle of other words (钱多扣了), or be one itself (很高兴): it counts where somebody is
# addressed or asked for.
_ADDRESSED_BEFORE = re.compile(r"(?:^|[是问喂好叫找下哦嗯呢吗吧啊诶唉哎那给跟])$")
_ADDRESSED_AFTER = re.compile(r"$|[您你]好|是[吧吗不]|[吧吗嘛么啊呀在]|本人|您[这的现看上是]|你[这的]|我[是们这]")
_YOU_AFTER = re.compile(r"[您你我]")
# fmt: off
_TITLES = (
    "先生", "老先生", "女士", "小姐", "太太", "夫人", "老师", "医生", "大夫", "主任", "校长", "律师", "同志", "总", "经理",
    "叔叔", "大叔", "阿姨", "大姨", "大爷", "大妈", "大娘", "大婶", "伯伯", "爷爷", "奶奶", "婆婆", "老人家", "大哥", "大姐", "哥", "姐",
    "师傅", "老板", "同学", "小朋友", "宝贝", "家长", "的家长", "爸爸", "妈妈",
)
# fmt: on


def digits(spoken: str) -> str:
    """``"幺三九"`` → ``"139"``."""
    return "".join(_SPOKEN[char] for char in spoken)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySpec:
    """身份信息：电话号码、身份证号、客户姓名（不带称谓）、地址。"""

    kind: Literal["entity"] = "entity"
    label: Annotated[str, Doc("给人看的名字")]
    who: Who = "agent"
    what: Annotated[Literal["phone", "identity", "bare_name", "address", "work_number", "read_back", "full_name"], Doc("哪一种")]
    where: Where = Where()

    def bind(self, kit: Kit) -> Finders:
        scope = scope_in(self.who, self.where, widens=kit.default_strength == "loose")

        def find(ctx: Context) -> tuple[Hit, ...]:
            windows = scope(ctx).windows
            if self.what not in ("bare_name", "full_name", "address"):
                numbered = ctx.view.of_call(_numbered)
                windows = tuple(window for window in windows if numbered >> window.passage.index & 1)
            hits = [hit for window in windows for hit in self._in_window(ctx, window)]
            return tuple(sorted(hits, key=lambda hit: hit.position))

        return Finders(find=find, scope=scope)

    def _in_window(self, ctx: Context, window: Window) -> Iterator[Hit]:
        if self.what in ("bare_name", "full_name"):
            yield from _names(ctx, window, titled=self.what == "full_name")
        elif self.what == "address":
            if _STREET.search(window.chars):
                for match in _ADDRESS.finditer(window.chars):
                    yield window_hit(window, match.span(), "地址", Strength.EXACT)
        elif self.what == "work_number":
            for match in _WORK_NUMBER.finditer(window.chars):
                if not _OTHER_NUMBER.search(window.chars[max(0, match.start() - 5) : match.start()]):
                    yield window_hit(window, match.span(), "工号", Strength.EXACT)
        else:
            yield from self._numbers(ctx, window)

    def _numbers(self, ctx: Context, window: Window) -> Iterator[Hit]:
        runs = list(_RUN.finditer(window.chars))
        told = _told_by_customer(ctx, window) if runs else ()
        for match in runs:
            number = digits(match.group())
            read_back = any(number in run for run in told)
            if read_back != (self.what == "read_back"):
                continue
            if read_back:
                yield window_hit(window, match.span(), "复述客户报的号码", Strength.EXACT)
            elif self.what == "identity":
                long_enough = len(number) >= _IDENTITY_DIGITS and _after_identity(window.chars, match.start())
                if _IDENTITY.fullmatch(number) or long_enough:
                    yield window_hit(window, match.span(), "身份证号码", Strength.EXACT)
            elif (_MOBILE.fullmatch(number) or _AREA_CODED.fullmatch(number)) and number not in _own_numbers(ctx):
                yield window_hit(window, match.span(), "电话号码", Strength.EXACT)


def _numbered(view: View) -> int:
    """The bits of the passages with something like a number in them."""
    found = 0
    for match in _LIKE_A_NUMBER.finditer(view.stream.chars):
        found |= view.bits[match.start()]
    return found


def _own_numbers(ctx: Context) -> set[str]:
    return {bare_number(number) for number in (ctx.call.customer_number, ctx.call.caller_number, ctx.call.line) if number}


def _told_by_customer(ctx: Context, window: Window) -> tuple[str, ...]:
    """What the customer said in digits before the window's passage, one text per passage."""
    if window.passage.role is Role.CUSTOMER:
        return ()
    return tuple(run for index, run in ctx.view.of_call(_customers_digits).items() if index < window.passage.index)


def _customers_digits(view: View) -> dict[int, str]:
    runs = {passage.index: "".join(map(digits, _ANY_RUN.findall(passage.chars))) for passage in view.by_role[Role.CUSTOMER]}
    return {index: run for index, run in runs.items() if run}


def _after_identity(chars: str, start: int) -> bool:
    before = chars[max(0, start - _IDENTITY_REACH) : start]
    return any(word in before for word in _IDENTITY_WORDS)


def _names(ctx: Context, window: Window, titled: bool) -> Iterator[Hit]:
    """Where the customer is called by the full name; without ``titled`` only where no title goes with it."""
    name = normalise((ctx.call.customer_name or "").strip()).text
    if len(name) < 2 or "*" in name or not all("一" <= char <= "龥" for char in name):
        return
    for span, strength in _named(window, name):
        after = window.chars[span[1] : span[1] + 6]
        before = window.chars[max(0, span[0] - 2) : span[0]]
        if titled:
            yield window_hit(window, span, "客户的全名", strength)
        elif not _titled(after, name) and not before.endswith(("姓", "叫")) and not _in_passing(window, span, name):
            yield window_hit(window, span, "直呼姓名", strength)


def _named(window: Window, name: str) -> Iterator[tuple[tuple[int, int], Strength]]:
    """Where a name stands, or what sounds the same: a recogniser does not know names (郝建军 is 好见军). Of two syllables, which
    many words share, only where they are a clause of their own."""
    sounds = phonetics().sound(window.chars)
    for match in re.finditer(re.escape(phonetics().sound(name)), sounds):
        span = match.span()
        if window.chars[span[0] : span[1]] == name:
            yield span, Strength.EXACT
        elif len(name) > 2 or window.passage.clause(window.start + span[0]) == (window.start + span[0], window.start + span[1]):
            yield span, Strength.PHONETIC


def _in_passing(window: Window, span: tuple[int, int], name: str) -> bool:
    """Whether the characters of the name, or those heard for it, only happen to stand there."""
    from qa_pipeline.text.words import is_a_word

    word = is_a_word(name) or is_a_word(window.chars[span[0] : span[1]])
    if len(name) > 2 and not word:
        return False
    start, end = window.passage.clause(window.start + span[0])
    before = window.passage.chars[start : window.start + span[0]]
    after = window.passage.chars[window.start + span[1] : end]
    addressed = _ADDRESSED_AFTER.match(after) or (not word and _YOU_AFTER.match(after))
    return not (addressed and _ADDRESSED_BEFORE.search(before))


def _titled(after: str, name: str) -> bool:
    """Whether a title follows, at once or after the surname said again (孙玉琴孙女士); either may be misheard.

    Who says the surname again is about to say the title, whatever was heard of it; who says the whole name again is not.
    """
    sounds = phonetics().sound(after)
    surname = range(3 if len(name) > 3 else 2)
    said = any(after[again:].startswith(_TITLES) or sounds[again:].startswith(_title_sounds()) for again in surname)
    begun = after.startswith(name[0]) and not after.startswith(name)
    return said or begun or _HALF_A_TITLE.match(after) is not None


@lru_cache(maxsize=1)
def _title_sounds() -> tuple[str, ...]:
    return tuple(phonetics().sound(title) for title in _TITLES if len(title) > 1)
