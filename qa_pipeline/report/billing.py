"""The list of billed users that the client sends, and what it comes to. Pure but for reading the file.

Source: S0 part 4, 四.1: of the monthly fee 50 % for the first month in the net, 15 % for the second to sixth, nothing afterwards (125 %
over six months); 四.4: complaints are fined double.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path

from qa_pipeline.errors import UserError
from qa_pipeline.kpi.columns import key_of
from qa_pipeline.kpi.textfile import prepared
from qa_pipeline.policy import Settlement

CENT = Decimal("0.01")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "number": ("客户号码", "用户号码", "号码", "手机号", "customer_number"),
    "product": ("业务", "业务名称", "产品", "product"),
    "fee": ("月功能费", "功能费", "月费", "资费", "monthly_fee"),
    "start": ("计费开始月", "开始计费月", "计费开始", "计费月", "first_month"),
    "stop": ("停止计费月", "停止计费", "退订月", "stop_month"),
    "call_id": ("录音编号", "通话编号", "call_id"),
}
_MONTH = re.compile(r"(\d{4})\s*[-/.年]?\s*(\d{1,2})(?:\D.*)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """One billed user of one product. ``start``: first month that is charged, ``stop``: first month that is not any more."""

    row: int
    number: str
    product: str
    fee: Decimal
    start: str  # 2026-11
    stop: str = ""
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    path: str
    row: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one user comes to in the month. ``taken_back``: paid before, for a sale found invalid this month."""

    user: Subscriber
    month_in_net: int  # 1: first
    share: Decimal
    commission: Decimal
    taken_back: Decimal = Decimal(0)
    invalid: bool = False


def read_subscribers(files: Sequence[Path]) -> tuple[list[Subscriber], list[BadRow]]:
    """Users of all files; bad rows and doubles are told with their row number. Raises UserError for a file without the columns."""
    users: list[Subscriber] = []
    bad: list[BadRow] = []
    seen: dict[tuple[str, str, str], int] = {}
    for path in files:
        with tempfile.TemporaryDirectory() as place, prepared(path, Path(place)) as source:
            at = _columns(source.headers, path)
            with source.path.open(encoding="utf-8-sig", newline="") as file:
                for row, cells in enumerate(csv.reader(file, delimiter=source.delimiter), start=1):
                    if row == 1 or not any(cell.strip() for cell in cells):
                        continue
                    values = {name: cells[index].strip() if index < len(cells) else "" for name, index in at.items()}
                    try:
                        user = _user(row, values)
                    except ValueError as error:
                        bad.append(BadRow(path=path.name, row=row, problem=str(error)))
                        continue
                    key = (user.number, user.product, user.start)
                    if key in seen:
                        bad.append(BadRow(path=path.name, row=row, problem=f"与第 {seen[key]} 行是同一个用户，没有重复计入"))
                        continue
                    seen[key] = row
                    users.append(user)
    return users, bad


def _columns(headers: Sequence[str], path: Path) -> dict[str, int]:
    known = {key_of(alias): name for name, aliases in COLUMNS.items() for alias in (name, *aliases)}
    at: dict[str, int] = {}
    for index, header in enumerate(headers):
        name = known.get(key_of(header.lstrip("\ufeff")))
        if name is not None:
            at.setdefault(name, index)
    missing = [COLUMNS[name][0] for name in ("number", "product", "fee", "start") if name not in at]
    if missing:
        raise UserError(f"{path}：计费用户清单缺列 {'、'.join(missing)}。表头是：{'、'.join(headers) or '（空）'}。")
    return at


def _user(row: int, values: Mapping[str, str]) -> Subscriber:
    if not values["number"] or not values["product"]:
        raise ValueError("没有客户号码或业务")
    try:
        fee = Decimal(values["fee"].removesuffix("元").replace(",", ""))
    except InvalidOperation:
        raise ValueError(f"月功能费“{values['fee']}”不是金额") from None
    if fee < 0 or not fee.is_finite():
        raise ValueError(f"月功能费“{values['fee']}”不能是负数")
    start, stop = month(values["start"]), month(values["stop"]) if values.get("stop") else ""
    if stop and stop < start:
        raise ValueError(f"停止计费月 {stop} 早于计费开始月 {start}")
    return Subscriber(
        row=row,
        number=values["number"],
        product=values["product"],
        fee=fee,
        start=start,
        stop=stop,
        call_id=values.get("call_id", ""),
    )


def month(text: str) -> str:
    """2026-11 of 2026/11, 2026年11月, 2026-11-05. Raises ValueError."""
    match = _MONTH.match(text.strip())
    if match is None or not 1 <= int(match[2]) <= 12:
        raise ValueError(f"月份“{text}”看不懂，写成 2026-11")
    return f"{match[1]}-{int(match[2]):02d}"


def months_between(start: str, end: str) -> int:
    """2026-11 to 2027-01 is 2."""
    years, months = int(end[:4]) - int(start[:4]), int(end[5:7]) - int(start[5:7])
    return 12 * years + months


def settle(users: Iterable[Subscriber], now: str, terms: Settlement, invalid: Mapping[Subscriber, str]) -> list[Line]:
    """The month ``now``. ``invalid``: users whose sale was found invalid, with the month in which it was found.

    An invalid user earns nothing from the month of the finding on; with ``take_back`` what was paid before is taken back in that month.
    """
    lines = []
    for user in users:
        found = invalid.get(user)
        in_net = months_between(user.start, now) + 1
        if in_net < 1 or (user.stop and now >= user.stop and found != now):
            continue
        if found is not None and found <= now:
            back = _paid_before(user, now, terms) if terms.take_back and found == now else Decimal(0)
            if found == now or not user.stop or now < user.stop:
                lines.append(
                    Line(user=user, month_in_net=in_net, share=Decimal(0), commission=Decimal(0), taken_back=back, invalid=True)
                )
            continue
        share = _share(in_net, terms)
        lines.append(Line(user=user, month_in_net=in_net, share=share, commission=_cents(user.fee * share)))
    return lines


def _share(in_net: int, terms: Settlement) -> Decimal:
    return terms.shares[in_net - 1] if in_net <= len(terms.shares) else Decimal(0)


def _paid_before(user: Subscriber, now: str, terms: Settlement) -> Decimal:
    last = min(now, user.stop) if user.stop else now
    months = months_between(user.start, last)
    return sum((_cents(user.fee * _share(nth, terms)) for nth in range(1, months + 1)), Decimal(0))


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
