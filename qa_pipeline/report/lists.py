"""The lists that a settlement is computed from, as the client and the centre keep them: CSV or Excel, known by their headers.

Rows that cannot be used are told with their row number; the header is row 1.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from qa_pipeline.errors import UserError
from qa_pipeline.kpi.columns import key_of
from qa_pipeline.kpi.textfile import prepared

_MONTH = re.compile(r"(\d{4})\s*[-/.年]?\s*(\d{1,2})(?:\D.*)?$")
_YES = {"是", "有效", "对", "1", "true", "yes", "y", "√"}
_NO = {"否", "无效", "错", "0", "false", "no", "n", "×", ""}


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
class Survey:
    """One questionnaire handed in. ``wrong``: the client found a mistake in its data."""

    row: int
    survey_id: str
    month: str
    valid: bool
    wrong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a looked-after user spent in ``month``; ``before``: a month before; ``start``: first month that counts."""

    row: int
    number: str
    start: str
    before: Decimal
    month: str
    spent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """A user won from another network, at a price agreed one by one."""

    row: int
    number: str
    month: str
    yuan: Decimal
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    path: str
    row: int
    problem: str


@dataclass(slots=True, kw_only=True)
class Lists:
    subscribers: list[Subscriber] = field(default_factory=list)
    surveys: list[Survey] = field(default_factory=list)
    bills: list[Bill] = field(default_factory=list)
    new_users: list[NewUser] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


Values = Mapping[str, str]
Columns = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """``columns``: name → the headers it goes by; ``make`` raises ValueError in Chinese for a row that cannot be used."""

    title: str
    place: str  # attribute of Lists
    columns: Columns
    optional: tuple[str, ...]
    make: Callable[[int, Values], Any]
    key: Callable[[Any], tuple[object, ...]]

    @property
    def required(self) -> list[str]:
        return [name for name in self.columns if name not in self.optional]


def read_lists(files: Sequence[Path]) -> Lists:
    """Rows of all files; bad rows and doubles are told. Raises UserError for a file that is none of the lists."""
    found = Lists()
    seen: dict[tuple[str, tuple[object, ...]], int] = {}
    for path in files:
        with tempfile.TemporaryDirectory() as place, prepared(path, Path(place)) as source:
            kind, at = _recognised(source.headers, path)
            with source.path.open(encoding="utf-8-sig", newline="") as file:
                for row, cells in enumerate(csv.reader(file, delimiter=source.delimiter), start=1):
                    if row == 1 or not any(cell.strip() for cell in cells):
                        continue
                    values = {name: cells[index].strip() if index < len(cells) else "" for name, index in at.items()}
                    try:
                        item = kind.make(row, values)
                    except ValueError as error:
                        found.bad.append(BadRow(path=path.name, row=row, problem=str(error)))
                        continue
                    key = (kind.place, kind.key(item))
                    if key in seen:
                        problem = f"与第 {seen[key]} 行是同一个{kind.title}，没有重复计入"
                        found.bad.append(BadRow(path=path.name, row=row, problem=problem))
                        continue
                    seen[key] = row
                    getattr(found, kind.place).append(item)
    return found


def _recognised(headers: Sequence[str], path: Path) -> tuple[_Kind, dict[str, int]]:
    """The kind of list with the most of its columns there, and where they are."""
    tried = [(kind, _columns(headers, kind.columns)) for kind in _KINDS]
    kind, at = max(
        tried, key=lambda item: (not set(item[0].required) - set(item[1]), sum(name in item[1] for name in item[0].required))
    )
    missing = [kind.columns[name][0] for name in kind.required if name not in at]
    if missing:
        others = "；".join(f"{item.title}：{'、'.join(item.columns[name][0] for name in item.required)}" for item in _KINDS)
        raise UserError(
            f"{path}：结算清单缺列 {'、'.join(missing)}。表头是：{'、'.join(headers) or '（空）'}。可以给的清单和必须有的列：{others}。"
        )
    return kind, at


def _columns(headers: Sequence[str], columns: Columns) -> dict[str, int]:
    known = {key_of(alias): name for name, aliases in columns.items() for alias in (name, *aliases)}
    at: dict[str, int] = {}
    for index, header in enumerate(headers):
        name = known.get(key_of(header.lstrip("\ufeff")))
        if name is not None:
            at.setdefault(name, index)
    return at


def month(text: str) -> str:
    """2026-11 of 2026/11, 2026年11月, 2026-11-05. Raises ValueError."""
    match = _MONTH.match(text.strip())
    if match is None or not 1 <= int(match[2]) <= 12:
        raise ValueError(f"月份“{text}”看不懂，写成 2026-11")
    return f"{match[1]}-{int(match[2]):02d}"


def _yuan(title: str, text: str) -> Decimal:
    try:
        amount = Decimal(text.removesuffix("元").replace(",", ""))
    except InvalidOperation:
        raise ValueError(f"{title}“{text}”不是金额") from None
    if amount < 0 or not amount.is_finite():
        raise ValueError(f"{title}“{text}”不能是负数")
    return amount


def _yes(title: str, text: str) -> bool:
    plain = text.strip().lower()
    if plain not in _YES and plain not in _NO:
        raise ValueError(f"{title}“{text}”看不懂，写是或否")
    return plain in _YES


def _named(values: Values, *names: str) -> None:
    if not all(values[name] for name in names):
        titles = {"number": "客户号码", "product": "业务", "survey_id": "问卷编号"}
        raise ValueError(f"没有{'或'.join(titles[name] for name in names)}")


def _subscriber(row: int, values: Values) -> Subscriber:
    _named(values, "number", "product")
    fee = _yuan("月功能费", values["fee"])
    start, stop = month(values["start"]), month(values["stop"]) if values.get("stop") else ""
    if stop and stop < start:
        raise ValueError(f"停止计费月 {stop} 早于计费开始月 {start}")
    call_id = values.get("call_id", "")
    return Subscriber(row=row, number=values["number"], product=values["product"], fee=fee, start=start, stop=stop, call_id=call_id)


def _survey(row: int, values: Values) -> Survey:
    _named(values, "survey_id")
    if not values["valid"]:
        raise ValueError("没有写是否有效")
    return Survey(
        row=row,
        survey_id=values["survey_id"],
        month=month(values["day"]),
        valid=_yes("是否有效", values["valid"]),
        wrong=_yes("差错", values.get("wrong", "")),
    )


def _bill(row: int, values: Values) -> Bill:
    _named(values, "number")
    return Bill(
        row=row,
        number=values["number"],
        start=month(values["start"]),
        before=_yuan("原月话费", values["before"]),
        month=month(values["month"]),
        spent=_yuan("当月话费", values["spent"]),
    )


def _new_user(row: int, values: Values) -> NewUser:
    _named(values, "number")
    return NewUser(
        row=row,
        number=values["number"],
        month=month(values["month"]),
        yuan=_yuan("每户酬金", values["yuan"]),
        kind=values.get("kind", ""),
    )


_NUMBER = ("客户号码", "用户号码", "号码", "手机号", "customer_number")
_KINDS = (
    _Kind(
        title="用户",
        place="subscribers",
        columns={
            "number": _NUMBER,
            "product": ("业务", "业务名称", "产品", "product"),
            "fee": ("月功能费", "功能费", "月费", "资费", "monthly_fee"),
            "start": ("计费开始月", "开始计费月", "计费开始", "计费月", "first_month"),
            "stop": ("停止计费月", "停止计费", "退订月", "stop_month"),
            "call_id": ("录音编号", "通话编号", "call_id"),
        },
        optional=("stop", "call_id"),
        make=_subscriber,
        key=lambda item: (item.number, item.product, item.start),
    ),
    _Kind(
        title="问卷",
        place="surveys",
        columns={
            "survey_id": ("问卷编号", "问卷", "survey_id"),
            "day": ("完成日期", "回收日期", "日期", "day"),
            "valid": ("是否有效", "有效", "valid"),
            "wrong": ("差错", "是否差错", "有差错", "wrong"),
        },
        optional=("wrong",),
        make=_survey,
        key=lambda item: (item.survey_id,),
    ),
    _Kind(
        title="用户的同一个月",
        place="bills",
        columns={
            "number": _NUMBER,
            "start": ("维护开始月", "开始维护月", "起提月", "care_month"),
            "before": ("原月话费", "维护前话费", "原话费", "before"),
            "month": ("话费月份", "月份", "month"),
            "spent": ("当月话费", "现月话费", "维护后话费", "话费", "spent"),
        },
        optional=(),
        make=_bill,
        key=lambda item: (item.number, item.month),
    ),
    _Kind(
        title="外网用户",
        place="new_users",
        columns={
            "number": _NUMBER,
            "month": ("发展月", "发展月份", "入网月", "joined_month"),
            "yuan": ("每户酬金", "单户酬金", "商定酬金", "agreed_yuan"),
            "kind": ("用户类型", "类型", "kind"),
        },
        optional=("kind",),
        make=_new_user,
        key=lambda item: (item.number,),
    ),
)
