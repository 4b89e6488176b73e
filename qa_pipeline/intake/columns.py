"""Which column of a manifest is which field: English names, Chinese names in use, and the user's own mapping."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from qa_pipeline.errors import ManifestError
from qa_pipeline.model import CallData

FIELDS = tuple(field.name for field in fields(CallData) if field.name != "extra")

CHINESE: Mapping[str, tuple[str, ...]] = {
    "call_id": ("通话编号", "通话ID", "通话流水号", "录音流水号", "流水号", "呼叫ID", "呼叫流水号", "会话ID", "录音编号", "录音ID"),
    "file": ("录音文件", "录音文件名", "文件名", "录音", "录音路径", "录音地址", "文件", "文件路径"),
    "agent_id": ("工号", "坐席工号", "座席工号", "员工号", "员工编号", "坐席编号", "座席编号", "坐席ID", "座席ID", "话务员工号"),
    "agent_name": ("坐席姓名", "座席姓名", "坐席", "座席", "话务员", "员工姓名", "坐席名称", "座席名称", "客服姓名"),
    "team": ("班组", "团队", "组别", "小组", "所属班组", "部门"),
    "supervisor": ("主管", "班长", "组长", "班组长", "督导", "直属主管"),
    "line": ("线路", "坐席线路", "座席线路", "外显线路", "业务线", "外呼线路", "平台号码", "接入号"),
    "caller_number": ("主叫号码", "主叫", "外显号码", "主显号码", "外呼号码"),
    "customer_number": ("被叫号码", "客户号码", "被叫", "客户电话", "用户号码", "客户手机号", "手机号", "手机号码", "电话号码"),
    "customer_name": ("客户姓名", "用户姓名", "机主姓名", "客户名称", "客户"),
    "started_at": ("开始时间", "呼叫开始时间", "呼叫时间", "外呼时间", "通话开始时间", "拨打时间", "通话时间"),
    "answered_at": ("接通时间", "应答时间", "接听时间"),
    "ended_at": ("结束时间", "通话结束时间", "呼叫结束时间"),
    "hangup_by": ("挂机方", "挂断方", "释放方", "拆线方", "挂机人"),
    "hangup_at": ("挂机时间", "挂断时间", "挂机秒数", "挂机位置"),
    "call_type": ("业务类型", "通话类型", "外呼类型", "呼叫类型", "任务类型"),
    "outcome": ("结果", "通话结果", "营销结果", "外呼结果", "处理结果", "办理结果"),
    "product": ("产品", "产品名称", "业务名称", "营销产品", "办理业务", "推荐产品"),
    "trial_days": ("试用天数", "免费天数", "体验天数", "试用期", "免费期", "体验期"),
    "charged": ("是否收费", "收费", "是否付费", "是否扣费"),
    "complaint": ("是否投诉", "投诉", "有无投诉"),
    "agent_channel": ("坐席声道", "座席声道", "客服声道"),
}
_BRACKETS = re.compile(r"[(\[【].*?[)\]】]")


def _key(header: str) -> str:
    """Headers are compared in half width and lower case, without spaces, ``_`` and ``-``."""
    return re.sub(r"[\s_\-*]", "", unicodedata.normalize("NFKC", header).casefold())


_KNOWN: Mapping[str, str] = {_key(name): field for field, names in CHINESE.items() for name in names} | {
    _key(name): name for name in FIELDS
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Column numbers by field; every other column under the name its values are kept by."""

    fields: tuple[tuple[str, int], ...]
    extra: tuple[tuple[str, int], ...]
    doubtful: tuple[tuple[int, str], ...] = ()  # column number, what is odd about it

    @property
    def width(self) -> int:
        """Columns that carry a name."""
        return 1 + max(index for _, index in self.fields + self.extra)


def recognise(headers: Sequence[str], mapping: Mapping[str, str]) -> Columns:
    """Assign columns to fields.

    ``mapping`` goes from a header to a field name, or to ``extra.NAME`` for an attribute under another name; it wins over the
    built-in names. The first column of a field wins, a second one is kept as an attribute and reported.

    Raises ManifestError: the mapping names an unknown field, or no column holds the recording's file.
    """
    own = {_key(header): _target(header, target) for header, target in mapping.items()}
    taken: dict[str, int] = {}
    extra: dict[str, int] = {}
    doubtful: list[tuple[int, str]] = []
    claimed = {own[key] for key in (_key(header) for header in headers) if key in own}
    for index, header in enumerate(headers):
        name = " ".join(header.split())
        if not name:
            continue
        key = _key(name)
        target = own.get(key) or _KNOWN.get(key) or _KNOWN.get(_key(_BRACKETS.sub("", unicodedata.normalize("NFKC", name))))
        if target in claimed and key not in own:
            target = None  # the user's mapping gives this field to another column
        if target is not None and target.startswith("extra."):
            name, target = target.removeprefix("extra."), None
        if target is not None and target not in taken:
            taken[target] = index
        elif name not in extra:
            extra[name] = index
            if target is not None:
                doubtful.append((index, f"列“{name}”与“{headers[taken[target]]}”都对应 {target}，只用前者，本列按附加属性保留"))
        else:
            doubtful.append((index, f"列名“{name}”重复，只用第一列"))
    if "file" not in taken:
        raise ManifestError(
            f"找不到录音文件列；表头是：{'、'.join(name for name in headers if name.strip()) or '（空）'}。"
            '请把该列命名为 file 或“录音文件”，或在 qa.toml 的 [manifest.columns] 里写一行："您的列名" = "file"'
        )
    return Columns(
        fields=tuple((field, taken[field]) for field in FIELDS if field in taken),
        extra=tuple(sorted(extra.items())),
        doubtful=tuple(doubtful),
    )


def _target(header: str, target: str) -> str:
    if target in FIELDS or (target.startswith("extra.") and len(target) > len("extra.")):
        return target
    raise ManifestError(f"列名映射“{header}”→“{target}”无效：没有这个字段。可用：{'、'.join(FIELDS)}，或 extra.名称")
