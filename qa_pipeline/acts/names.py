"""The acts: what a turn can do. Names are for rule files, labels for readers, tags for the corpus of the training."""

from __future__ import annotations

from typing import NamedTuple


class About(NamedTuple):
    label: str
    tag: str  # in the corpus (tools/meaning/corpus)
    agents: bool = True  # else the customer's


_AGENT = {
    "greets": ("问候", "问候"),
    "names_company": ("报出公司、部门", "机构"),
    "names_self": ("报工号或姓名", "身份"),
    "tells_purpose": ("说明来意", "来意"),
    "asks_leave": ("问现在方不方便", "征询"),
    "asks_owner": ("问是不是机主", "问机主"),
    "explains_function": ("说业务有什么用", "功能"),
    "explains_use": ("说怎么使用", "用法"),
    "states_fee": ("说明资费", "资费"),
    "states_trial_end": ("说明试用到哪天", "试用截止"),
    "states_charge_after": ("说明到期以后收费", "到期收费"),
    "states_start": ("说明什么时候生效", "生效"),
    "states_cancelling": ("说明通过什么取消", "取消"),
    "says_cancellable": ("只说可以取消", "可取消"),
    "asks_consent": ("问要不要办", "问办理"),
    "checks_understanding": ("问清不清楚，或复述请客户核对", "问明白"),
    "thanks_or_wishes": ("感谢或祝愿", "感谢祝愿"),
    "says_goodbye": ("道别", "道别"),
    "wishes_for_company": ("以公司名义祝福", "代表祝福"),
    "asks_to_wait": ("请客户稍等", "请等"),
    "returns_from_wait": ("等待以后的致歉、致谢", "等后"),
    "transfers": ("转接", "转接"),
    "tells_why_transfer": ("说明为什么转", "转因"),
    "pushes": ("推销", "推销"),
    "activates": ("给客户开通", "开通"),
    "speaks_curtly": ("生硬、不耐烦（忌语）", "忌语"),
    "blames": ("教训、责备、争辩", "训责"),
    "abuses": ("辱骂", "辱骂"),
    "retorts": ("质问、反问", "反问"),
    "grumbles": ("发牢骚", "牢骚"),
    "promises_falsely": ("虚假承诺或隐瞒", "虚假"),
    "threatens": ("威胁", "威胁"),
    "leaks": ("泄露资料", "泄露"),
    "cannot_do": ("说办不了", "办不了"),
    "invites_to_shop": ("请客户去营业厅", "邀厅"),
    "speaks_as_mobile": ("以移动名义", "移动名义"),
}
_CUSTOMER = {
    "refuses": ("明确拒绝", "拒绝"),
    "consents": ("明确同意", "同意"),
    "wavers": ("犹豫", "犹豫"),
    "takes_back": ("收回同意", "收回"),
    "is_owner": ("是机主或能做主", "是机主"),
    "is_not_owner": ("不是机主或做不了主", "非机主"),
    "not_clear_headed": ("不清醒、听不明白", "不清醒"),
    "is_busy": ("不方便", "不方便"),
    "understands": ("听明白了", "明白"),
    "customer_goodbye": ("客户道别", "道别"),
    "hurries": ("催坐席快点", "催快"),
    "asks_agent_to_wait": ("叫坐席等一下", "请等"),
    "changes_mind": ("改了主意", "改主意"),
    "states_request": ("说明自己要办什么", "来电诉求"),
    "is_annoyed": ("嫌烦、要投诉", "嫌烦"),
}
ACTS: dict[str, About] = {name: About(*about) for name, about in _AGENT.items()} | {
    name: About(*about, agents=False) for name, about in _CUSTOMER.items()
}
