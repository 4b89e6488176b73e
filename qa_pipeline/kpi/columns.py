"""Columns of the four kinds of logs, by the names that platforms use, and how result words are read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qa_pipeline.errors import UserError

Names = Mapping[str, tuple[str, ...]]

_PERSON: Names = {
    "agent_id": ("工号", "坐席工号", "座席工号", "员工号", "员工编号", "坐席编号", "座席编号", "话务员工号", "坐席ID", "座席ID"),
    "agent_name": ("姓名", "坐席姓名", "座席姓名", "坐席", "座席", "话务员", "员工姓名"),
    "team": ("班组", "团队", "组别", "小组", "所属班组", "部门"),
}
CALLS: Names = {
    **_PERSON,
    "call_key": ("call_id", "通话编号", "通话ID", "流水号", "呼叫流水号", "通话流水号", "呼叫ID", "会话ID", "话单号"),
    "direction": ("方向", "呼叫方向", "呼叫类型", "话务类型"),
    "account": ("客户编号", "客户ID", "数据编号", "名单编号", "account_id", "customer_id"),
    "number": ("customer_number", "被叫号码", "被叫", "客户号码", "客户电话", "号码", "电话号码", "手机号", "手机号码", "主叫号码"),
    "day": ("date", "日期", "通话日期"),
    "started_at": ("开始时间", "呼叫时间", "拨打时间", "呼叫开始时间", "外呼时间", "来电时间", "通话开始时间"),
    "answered_at": ("接通时间", "应答时间", "接听时间"),
    "ended_at": ("结束时间", "挂机时间", "通话结束时间", "呼叫结束时间"),
    "prep_s": ("准备时长", "呼出前准备时长", "拨号前时长"),
    "ring_s": ("振铃时长", "振铃秒数", "振铃时间"),
    "talk_s": ("duration_s", "通话时长", "通话秒数", "通话时间", "交谈时长"),
    "hold_s": ("保持时长", "持线时长", "等待保持时长"),
    "acw_s": ("后处理时长", "话后处理时长", "事后处理时长", "挂机后处理时长", "整理时长", "后处理时间"),
    "queue_s": ("排队时长", "排队秒数", "等待时长", "排队时间"),
    "rings": ("振铃次数", "响铃次数"),
    "result": ("outcome", "结果", "通话结果", "外呼结果", "呼叫结果", "处理结果", "状态"),
    "transferred": ("是否转接", "转接"),
    "resolved": ("是否一次解决", "一次解决", "是否解决"),
}
ATTENDANCE: Names = {
    **_PERSON,
    "day": ("date", "日期", "考勤日期"),
    "planned_s": ("排班时长", "计划工时", "计划上岗时长", "排班工时"),
    "paid_s": ("付薪工时", "付薪时长", "计薪工时"),
    "ontime_s": ("按时工作时长", "实际出勤时长", "出勤工时", "当值时长"),
    "logged_s": ("登录时长", "签入时长", "在线时长", "上岗时长"),
    "productive_s": ("外呼总时长", "外呼时长", "呼出时长"),
    "waiting_s": ("等待总时长", "空闲时长", "闲置时长", "等待时长"),
    "away_s": ("非外呼工作总时长", "非外呼时长"),
    "planned_start": ("排班开始", "班次开始", "上班时间"),
    "planned_end": ("排班结束", "班次结束", "下班时间"),
    "sign_in": ("签入时间", "签入", "登录时间", "上线时间"),
    "sign_out": ("签出时间", "签出", "退出时间", "下线时间"),
    "present": ("是否出勤", "出勤"),
    "resigned": ("是否离职", "离职"),
}
ACCOUNTS: Names = {
    "account": ("客户编号", "客户ID", "数据编号", "名单编号", "account_id", "customer_id", "客户号码", "号码", "电话号码"),
    "valid": ("是否有效", "数据状态", "有效"),
    "day": ("date", "日期", "提取日期"),
    "team": ("班组", "团队", "组别", "小组"),
}
COSTS: Names = {"day": ("date", "日期", "月份"), "amount": ("费用", "金额", "总费用", "成本")}

# What a kind must have to be read at all; anything else may be missing, and the figures that need it say so.
KINDS: Mapping[str, tuple[Names, tuple[str, ...]]] = {
    "calls": (CALLS, ("started_at",)),
    "attendance": (ATTENDANCE, ("agent_id", "day")),
    "accounts": (ACCOUNTS, ("account", "valid")),
    "costs": (COSTS, ("day", "amount")),
}
TITLES = {"calls": "通话记录", "attendance": "考勤", "accounts": "客户数据", "costs": "费用"}

RESULTS: Mapping[str, tuple[str, ...]] = {
    "sold": ("success", "成功", "成交", "营销成功", "办理成功", "已办理", "已开通"),
    "completed": ("completed", "完成", "完成问卷", "问卷完成", "有效问卷", "已核实", "已确认"),
    "refused": ("refused", "拒绝", "客户拒绝", "拒绝办理", "拒答", "中途拒绝", "拒访"),
    "callback": ("callback", "预约", "预约回拨", "再联系", "待跟进"),
    "no_answer": ("no_answer", "noanswer", "未接通", "未接", "无人接听", "无应答", "关机"),
    "busy": ("busy", "忙音", "占线", "用户忙", "忙"),
    "forwarded": ("forwarded", "呼转", "呼叫转移", "语音信箱"),
    "invalid": ("invalid", "空号", "停机", "错号", "查无此人", "非目标客户", "国际漫游", "公司倒闭", "无效数据", "无效"),
    "answered": ("answered", "已接听", "已接", "接听", "接通", "已接通"),
    "abandoned": ("abandoned", "放弃", "用户放弃", "排队放弃", "客户挂断"),
    "blocked": ("blocked", "受阻", "遇忙", "线路忙"),
    "other": ("other", "其他", "其它"),
}
INBOUND = ("in", "inbound", "呼入", "来电", "接入", "入呼")
OUTBOUND = ("out", "outbound", "呼出", "外呼", "去电", "外拨", "出呼")
YES = ("1", "true", "yes", "y", "t", "是", "有", "有效", "正常", "√", "出勤", "已离职")
NO = (
    "0",
    "false",
    "no",
    "n",
    "f",
    "否",
    "无",
    "无效",
    "缺勤",
    "空号",
    "停机",
    "错号",
    "×",
    "在职",
    "查无此人",
    "非目标客户",
    "国际漫游",
    "资料不完整",
)
_BRACKETS = re.compile(r"[(\[【](.*?)[)\]】]")
_UNITS = {"分": 60.0, "分钟": 60.0, "min": 60.0, "小时": 3600.0, "时": 3600.0, "h": 3600.0, "毫秒": 0.001, "ms": 0.001}


def key_of(header: str) -> str:
    """Headers are compared in half width and lower case, without spaces, ``_`` and ``-`` and what stands in brackets."""
    plain = unicodedata.normalize("NFKC", header).casefold()
    return re.sub(r"[\s_\-*]", "", _BRACKETS.sub("", plain))


def unit_of(header: str) -> float:
    """Seconds in the unit that a header names in brackets: 通话时长（分钟） → 60; nothing named → 1."""
    match = _BRACKETS.search(unicodedata.normalize("NFKC", header).casefold())
    return _UNITS.get(match.group(1).strip(), 1.0) if match else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which column of a file is which field, with the seconds in its unit."""

    kind: str
    fields: tuple[tuple[str, int, float], ...]
    width: int
    unused: tuple[str, ...]
    missing: tuple[str, ...]  # fields of the kind that no column holds

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _, _ in self.fields)


def recognise(headers: Sequence[str], kind: str | None, path: str) -> Layout:
    """The layout of a file; without ``kind`` the kind whose columns fit best.

    Raises UserError when nothing fits or a column that the kind must have is missing.
    """
    if kind is not None and kind not in KINDS:
        raise UserError(f"没有“{kind}”这种记录。可用：{'、'.join(KINDS)}。")
    layouts = [_layout(headers, name) for name in ([kind] if kind else KINDS)]
    fitting = [item for item in layouts if set(KINDS[item.kind][1]) <= set(item.names)]
    if not fitting:
        wanted = "；".join(f"{TITLES[item.kind]}缺 {'、'.join(_missing(item))}" for item in layouts)
        listed = "、".join(name for name in headers if name.strip()) or "（空）"
        raise UserError(f"{path}：认不出是哪种记录。表头是：{listed}。{wanted}。请改表头，列名见 docs/reports.md。")
    return max(fitting, key=lambda item: len(item.fields))


def _missing(layout: Layout) -> list[str]:
    names, needed = KINDS[layout.kind]
    return [f"“{_in_chinese(names[name])}”" for name in needed if name not in layout.names]


def _in_chinese(aliases: Sequence[str]) -> str:
    """The first header a reader knows; some go by an English one first."""
    return next((name for name in aliases if not name.isascii()), aliases[0])


def _layout(headers: Sequence[str], kind: str) -> Layout:
    names, _ = KINDS[kind]
    known = {key_of(alias): field for field, aliases in names.items() for alias in (field, *aliases)}
    taken: dict[str, tuple[int, float]] = {}
    unused = []
    for index, header in enumerate(headers):
        field = known.get(key_of(header))
        if field is not None and field not in taken:
            taken[field] = (index, unit_of(header))
        elif header.strip():
            unused.append(header.strip())
    return Layout(
        kind=kind,
        fields=tuple((field, *place) for field, place in sorted(taken.items())),
        width=len(headers),
        unused=tuple(unused),
        missing=tuple(sorted(set(names) - set(taken))),
    )
