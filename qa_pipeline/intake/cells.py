"""Manifest cells to values: every parser returns a value or raises ``CellError`` with what is wrong, in Chinese."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from enum import StrEnum
from typing import Any, TypeVar

from qa_pipeline.model import CallOutcome, CallType, HangupBy

W = TypeVar("W", bound=StrEnum)
CHINA = timezone(timedelta(hours=8))
EXCEL_EPOCH = datetime(1899, 12, 30)
EMPTY = frozenset({"", "-", "--", "—", "——", "/", "\\", "null", "none", "nan", "n/a", "#n/a", "未知", "不详", "空"})

HANGUP_BY: Mapping[str, HangupBy] = {
    **dict.fromkeys(("agent", "坐席", "座席", "客服", "话务员", "坐席挂机", "座席挂机", "坐席挂断", "座席挂断"), HangupBy.AGENT),
    **dict.fromkeys(("customer", "客户", "用户", "客户挂机", "用户挂机", "客户挂断", "用户挂断"), HangupBy.CUSTOMER),
    **dict.fromkeys(("system", "系统", "平台", "系统挂机", "系统挂断"), HangupBy.SYSTEM),
}
CALL_TYPE: Mapping[str, CallType] = {
    **dict.fromkeys(("sale", "sales", "营销", "外呼营销", "电话营销", "销售", "推广"), CallType.SALE),
    **dict.fromkeys(("confirm", "二次确认", "确认", "二次确认外呼"), CallType.CONFIRM),
    **dict.fromkeys(("revisit", "回访", "客户回访"), CallType.REVISIT),
    **dict.fromkeys(("service", "服务", "客户服务", "咨询", "投诉处理"), CallType.SERVICE),
    **dict.fromkeys(("other", "其他", "其它"), CallType.OTHER),
}
OUTCOME: Mapping[str, CallOutcome] = {
    **dict.fromkeys(("success", "成功", "成交", "营销成功", "办理成功", "已办理", "已开通"), CallOutcome.SUCCESS),
    **dict.fromkeys(("refused", "拒绝", "客户拒绝", "拒绝办理"), CallOutcome.REFUSED),
    **dict.fromkeys(("callback", "预约", "预约回拨", "再联系", "待跟进"), CallOutcome.CALLBACK),
    **dict.fromkeys(
        ("no_answer", "noanswer", "未接通", "未接", "无人接听", "无应答", "占线", "关机", "停机", "空号"), CallOutcome.NO_ANSWER
    ),
    **dict.fromkeys(("other", "其他", "其它"), CallOutcome.OTHER),
}
TRUE = frozenset({"1", "true", "yes", "y", "t", "是", "有", "对", "√", "✓", "收费", "已收费", "已投诉", "投诉"})
FALSE = frozenset({"0", "false", "no", "n", "f", "否", "无", "没有", "不是", "×", "免费", "未收费", "不收费", "未投诉"})
CHANNEL: Mapping[str, int] = {
    **dict.fromkeys(("0", "左", "l", "left", "左声道"), 0),
    **dict.fromkeys(("1", "右", "r", "right", "右声道"), 1),
}

_DATE = re.compile(
    r"(?P<y>\d{4})(?P<s>[-/.年]?)(?P<m>\d{1,2})[-/.月]?(?P<d>\d{1,2})日?"
    r"(?:[t\s]*(?P<H>\d{1,2})[:时点]?(?P<M>\d{2})(?:[:分]?(?P<S>\d{2})秒?)?分?(?:[.,]\d+)?\s*(?P<z>z|[+-]\d{2}:?\d{2})?)?"
)
_TIME = re.compile(r"(\d{1,2})[:时点](\d{1,2})(?:[:分](\d{1,2})秒?)?分?")
_DURATION = re.compile(r"(?:(\d+)(?:分钟|分))?(?:(\d+(?:\.\d+)?)(?:秒钟|秒|s)?)?")
_PHONE = re.compile(r"\+?[\d*x]+(?:[,;转]\d+)?", re.IGNORECASE)


class CellError(ValueError):
    """The cell cannot be understood; the message is Chinese and names the accepted forms."""


def tidy(value: Any) -> str:
    """A cell as text: whole floats without their ``.0`` (Excel), Excel's ``="…"`` and leading apostrophe removed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = str(value).replace("\u200b", "").replace("\ufeff", "").strip()
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1].strip()
    return text.removeprefix("'").strip()


def is_empty(text: str) -> bool:
    """Whether a tidied cell says nothing: blank, a dash, 未知, null, …"""
    return text.casefold() in EMPTY


def _plain(text: str) -> str:
    """Half width, lower case, no spaces: what tables of words are keyed by."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def parse_word(value: Any, words: Mapping[str, W]) -> W:
    """The value that a word of the table stands for (half width and case do not matter)."""
    text = tidy(value)
    found = words.get(_plain(text))
    if found is None:
        raise CellError(f"“{text}”不是可识别的取值，可用：{'、'.join(words)}")
    return found


def parse_bool(value: Any) -> bool:
    """Yes or no: 是/否, 有/无, 1/0, true/false, 收费/免费, 投诉/未投诉."""
    text = _plain(tidy(value))
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    raise CellError(f"“{tidy(value)}”不是“是/否”")


def parse_channel(value: Any) -> int:
    """0 (left) or 1 (right)."""
    found = CHANNEL.get(_plain(tidy(value)))
    if found is None:
        raise CellError(f"“{tidy(value)}”不是声道，应为 0（左）或 1（右）")
    return found


def parse_days(value: Any) -> int:
    """Whole days; ``无`` and ``没有`` are 0 (no trial)."""
    text = _plain(tidy(value)).removesuffix("天").removesuffix("日")
    if text in ("无", "没有"):
        return 0
    if not re.fullmatch(r"\d{1,4}", text):
        raise CellError(f"“{tidy(value)}”不是天数，应为整数，例如 30")
    return int(text)


def parse_seconds(value: Any) -> float:
    """Seconds into the recording: ``95``, ``95.5``, ``95秒``, ``1分35秒``. A clock time could mean two things and is refused."""
    text = _plain(tidy(value))
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise CellError(f"“{tidy(value)}”不是秒数，应为录音开始后的秒数，例如 95.5 或 1分35秒")
    seconds = int(match[1] or 0) * 60 + float(match[2] or 0)
    if not math.isfinite(seconds):
        raise CellError(f"“{tidy(value)}”不是秒数")
    return seconds


def parse_phone(value: Any) -> str:
    """A number without spaces and hyphens; masked digits (``*``) stay. Excel's 1.39E+10 has lost digits and is refused."""
    text = _plain(tidy(value))
    bare = re.sub(r"[-()]", "", text)
    if re.fullmatch(r"\d(?:\.\d+)?e\+?\d+", bare):
        raise CellError(f"“{text}”是 Excel 的科学计数，号码已丢失数字；请把该列设为文本格式后重新导出")
    if not _PHONE.fullmatch(bare):
        raise CellError(f"“{tidy(value)}”不是电话号码")
    return bare


def parse_when(value: Any, day: str | None = None) -> str:
    """A point in time as ISO 8601 in the centre's local time, no offset (dates alone stay dates).

    Takes datetimes and serial numbers of Excel, ``2026-11-21T10:03:05``, ``2026/11/21 10:03``, ``2026年11月21日 10时03分``,
    ``20261121100305``; a time alone takes its date from ``day`` (an ISO string). An offset is converted to China's time.
    """
    if isinstance(value, datetime):
        return _local(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        value = value.isoformat()
    if isinstance(value, float) or (isinstance(value, int) and 20_000 < value < 90_000):
        if not 20_000 < value < 90_000:
            raise CellError(f"“{value}”不是日期时间")
        return _local(EXCEL_EPOCH + timedelta(seconds=round(value * 86_400)))
    text = " ".join(unicodedata.normalize("NFKC", tidy(value)).casefold().split())
    clock = _TIME.fullmatch(text)
    try:
        if clock is not None and day is not None:
            at = time(int(clock[1]), int(clock[2]), int(clock[3] or 0))
            return datetime.combine(date.fromisoformat(day[:10]), at).isoformat()
        match = _DATE.fullmatch(text)
        if match is not None:
            return _from_match(match)
    except ValueError:
        pass
    raise CellError(f"“{tidy(value)}”不是日期时间，应为 2026-11-21 10:03:05 或 2026/11/21 10:03")


def _from_match(match: re.Match[str]) -> str:
    if not match["s"] and len(match["m"] + match["d"]) != 4:
        raise ValueError("digits without separators must be yyyymmdd")
    day = date(int(match["y"]), int(match["m"]), int(match["d"]))
    if match["H"] is None:
        return day.isoformat()
    at = datetime.combine(day, time(int(match["H"]), int(match["M"]), int(match["S"] or 0)))
    zone = match["z"]
    if zone:
        offset = timedelta(0)
        if zone != "z":
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])) * (-1 if zone[0] == "-" else 1)
        at = at.replace(tzinfo=timezone(offset))
    return _local(at)


def _local(at: datetime) -> str:
    if at.tzinfo is not None:
        at = at.astimezone(CHINA).replace(tzinfo=None)
    return at.replace(microsecond=0).isoformat()


Parser = Callable[[Any], Any]
PARSERS: Mapping[str, Parser] = {
    "caller_number": parse_phone,
    "customer_number": parse_phone,
    "hangup_by": lambda value: parse_word(value, HANGUP_BY),
    "hangup_at": parse_seconds,
    "call_type": lambda value: parse_word(value, CALL_TYPE),
    "outcome": lambda value: parse_word(value, OUTCOME),
    "trial_days": parse_days,
    "charged": parse_bool,
    "complaint": parse_bool,
    "agent_channel": parse_channel,
}
TIMES = ("started_at", "answered_at", "ended_at")  # in this order: later ones may borrow the date of the first
