"""What people do, each thing once: the API and the forms of the pages call the same functions.

An action reads its values from a model, works in one transaction and answers with the sentence that a page shows and the data that
the API gives back.
"""

from __future__ import annotations

from qa_pipeline.web.actions import after, desk, office
from qa_pipeline.web.actions.base import Action, Done, Model, Note, Versioned

__all__ = ["ACTIONS", "Action", "Done", "Model"]
_C, _A = "/cases/{case_id}", "/appeals/{appeal_id}"
ACTIONS: tuple[Action, ...] = (
    Action("case.decide", f"{_C}/decisions", "对一条发现作决定", desk.Decide, desk.decide),
    Action("case.add", f"{_C}/findings", "补充发现或人工项", desk.Add, desk.add),
    Action(
        "case.correct",
        f"{_C}/corrections",
        "更正角色或文字，重新判定",
        desk.Correct,
        desk.correct,
        prepare=lambda site: site.judge(),
    ),
    Action("case.finish", f"{_C}/finish", "完成复核", Note, desk.finish),
    Action("case.open", "/cases", "指定复核：建工单", desk.OpenCase, desk.open_case),
    Action("case.assign", f"{_C}/assign", "分配工单", desk.Assign, desk.assign),
    Action("case.reopen", f"{_C}/reopen", "重开工单", desk.Reason, desk.reopen),
    Action("case.void", f"{_C}/void", "作废工单", desk.Reason, desk.void),
    Action("sample.take", "/samples", "抽样并建工单", desk.TakeSample, desk.take_sample),
    Action("appeal.file", "/appeals", "提出申诉", after.FileAppeal, after.file_appeal),
    Action("appeal.comment", f"{_A}/comment", "班组长意见", Note, after.comment),
    Action("appeal.decide", f"{_A}/decision", "裁定申诉", after.DecideAppeal, after.decide_appeal),
    Action("appeal.escalate", f"{_A}/escalate", "申请终裁", Note, after.escalate),
    Action("appeal.withdraw", f"{_A}/withdraw", "撤回申诉", Versioned, after.withdraw),
    Action("sanction.decide", "/sanctions/{sanction_id}/decision", "决定处分建议", after.DecideSanction, after.decide_sanction),
    Action("month.close", "/months/{month}/closing", "月结", Model, after.close_month),
    Action("revisit.record", "/calls/{call_id}/revisits", "登记回访结果", after.Revisit, after.record_revisit),
    Action("complaint.register", "/complaints", "登记投诉", after.RegisterComplaint, after.register_complaint),
    Action("complaint.settle", "/complaints/{complaint_id}/settlement", "处理投诉", after.SettleComplaint, after.settle_complaint),
    Action("blacklist.change", "/blacklist", "更改黑名单", after.Blacklist, after.change_blacklist),
    Action("person.save", "/people/{person_id}", "新增或更改人员", office.SavePerson, office.save_person),
    Action("person.password", "/people/{person_id}/password", "设定密码", office.Password, office.set_password),
    Action("setting.change", "/settings/{name}", "更改设置", office.Setting, office.change_setting),
    Action("retention.purge", "/retention/purges", "按保存期清理", office.Purge, office.purge, after=lambda site: site.rewrite()),
)
