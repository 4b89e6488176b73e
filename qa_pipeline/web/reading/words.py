"""Chinese for the values of call data and of the log."""

from __future__ import annotations

import json
from typing import Any

CALL_TYPE = {"sale": "营销", "confirm": "二次确认", "revisit": "回访", "service": "服务", "other": "其他"}
OUTCOME = {"success": "成功", "refused": "拒绝", "callback": "预约", "no_answer": "未接通", "other": "其他"}
PARTY = {"agent": "坐席", "supervisor": "主管"}
LOGGED = {
    "confirm": "确认",
    "reject": "驳回",
    "cannot_tell": "无法判断",
    "overturn": "申诉成立",
    "review": "复核",
    "appeal": "申诉",
    "primary": "主评",
    "blind": "盲评",
    "second": "二级抽查",
    "approve": "同意处分",
    "money": "只扣款",
    "decline": "不予处分",
    "qa": "质检员",
    "qa_lead": "质检组长",
    "manager": "经理",
    "team_leader": "班组长",
    "agent": "坐席",
    "admin": "管理员",
}
FIELD = {  # the fields of the forms, as the pages call them
    "reason": "原因",
    "note": "意见、理由或备注",
    "name": "姓名",
    "posts": "岗位",
    "team": "班组",
    "agent_id": "工号",
    "active": "状态",
    "password": "密码",
    "value": "设置的值",
    "customer_number": "客户号码",
    "received_at": "收到时间",
    "content": "内容",
    "channel": "渠道",
    "call_id": "通话编号",
    "number": "号码",
    "result": "结果",
    "standards_met": "四标准",
    "reviewer": "人员编号",
    "date_from": "开始日期",
    "date_to": "结束日期",
    "level": "级别",
    "seed": "种子",
    "finding": "发现",
    "decision": "决定",
    "clause": "条款",
    "choice": "决定",
    "uphold_agent": "裁定",
    "upheld": "处理结果",
    "listed": "加入或移出",
    "before": "日期",
    "calls": "通数",
    "version": "版本",
    "case_id": "工单编号",
}
STEP = {
    "file": "提出申诉",
    "comment": "班组长意见",
    "uphold": "维持原判",
    "overturn": "申诉成立",
    "escalate": "申请终裁",
    "withdraw": "撤回",
}
ACTION = {
    "access": "查看",
    "decision": "复核决定",
    "case.open": "建工单",
    "case.assign": "分配工单",
    "case.work": "复核中",
    "case.finish": "完成复核",
    "case.correct": "更正",
    "case.reopen": "重开工单",
    "case.void": "作废工单",
    "people.save": "人员变更",
    "people.password": "设定密码",
    "settings": "改设置",
    "sample": "抽样",
    "sanction.decide": "处分决定",
    "sanction.event": "处分建议",
    "ledger.close": "月结",
    "purge": "清理",
    "remove_call": "删除误存的通话",
    "complaint": "投诉",
    "blacklist": "黑名单",
    "blacklist.export": "导出黑名单",
    "revisit": "回访",
    "rules.publish": "发布规则",
    "policy.publish": "发布政策",
    "appeal.file": "提出申诉",
    "appeal.comment": "班组长意见",
    "appeal.uphold": "维持原判",
    "appeal.overturn": "申诉成立",
    "appeal.escalate": "申请终裁",
    "appeal.withdraw": "撤回申诉",
}


def logged(text: str) -> str:
    """The values of a log entry, in words."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    if not isinstance(found, dict):
        return text
    return "，".join(_words(value) for value in found.values() if value not in (None, "", [], False))


def _words(value: Any) -> str:
    """One value of a log entry; what the program calls in English by its Chinese name."""
    if isinstance(value, list):
        return "、".join(_words(item) for item in value)
    return "是" if value is True else LOGGED.get(str(value), str(value).rstrip("。"))
