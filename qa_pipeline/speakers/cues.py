"""What agents and customers say: points by phrase. A cue of three points and more is said by one side only."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

# Heard by sound, so that 功耗 is 工号.
_AGENT: Mapping[float, str] = {
    4.0: ("很高兴为您服务 有什么可以帮您 什么可以帮到您 让您久等 感谢您的接听 感谢您的来电 祝您生活愉快 请您先挂 请先挂机"),
    3.5: "我的工号",
    3.0: (
        "工号是 客服中心 客户服务中心 客服代表 请问有什么 为您办理 帮您办理 给您办理 "
        "为您开通 帮您开通 给您开通 为您查询 给您来电 给您致电 跟您核实 跟您确认 请您稍等 "
        "感谢您的支持 感谢您对"
    ),
    2.5: "客户经理 请问您是 帮您查 给您介绍 跟您介绍 您是机主 祝您 耽误您 占用您",
    2.0: "工号 服务中心 打给您 请稍等 您稍等 谢谢您的 生活愉快 打扰您 您看可以吗 您看行吗",
    1.5: "请问您 请问是 您方便",
    1.0: "向您 机主本人 打扰了 现在方便 这边是 我们这边 免费体验 次日生效",
    0.7: "给您 帮您 为您",
    0.5: "办理业务",
}
_CUSTOMER: Mapping[float, str] = {
    3.0: (
        "你是谁 你谁啊 你是哪里 你们是哪 你哪位 你是哪位 是我本人 我就是机主 我不需要 "
        "我没兴趣 我不办 别打了 别再打 不要再打 我在开会 我在开车 我要投诉"
    ),
    2.5: "你哪里 我在忙 我没空 帮我开 帮我办 帮我查 你说吧 你讲吧",
    2.0: ("我是机主 我考虑 你们公司 你们怎么 你们老 我要退 给我开 给我办 给我取消 我想查 扣我"),
    1.5: "什么事 我不想 你们这 我想问 我的话费",
    1.0: "多少钱 怎么收费 不用了 不需要",
}
# Short ones only as these very characters: by sound they would be found everywhere. (word, points each, points at most)
AGENT_WORDS: tuple[tuple[str, float, float], ...] = (("您", 0.25, 2.0), ("先生", 0.6, 1.2), ("女士", 0.6, 1.2), ("请", 0.15, 0.6))
CUSTOMER_WORDS: tuple[tuple[str, float, float], ...] = (("你们", 0.4, 1.2), ("喂", 0.5, 1.0), ("哦", 0.1, 0.4))
COMPANIES = ("移动", "联通", "电信", "银行", "保险", "客服", "公司", "中心", "热线", "营业厅")
INTRODUCTIONS = ("这里是", "我是", "这边是", "我们是")
# Announcements of the network and of voice menus: nobody's words.
ANNOUNCEMENTS = (
    *(
        f"您拨打的{what}{state}"
        for what in ("电话", "用户", "号码")
        for state in ("已关机", "已停机", "正在通话", "暂时无", "无人", "不存在", "是空号")
    ),
    *("嘀声后留言", "人工服务请按", "结束请按井号键", "听到提示音后留言"),
)

Cue = tuple[str, str, float]  # phrase, its sound, points


@lru_cache(maxsize=1)
def by_sound() -> tuple[tuple[Cue, ...], tuple[Cue, ...], tuple[str, ...]]:
    """Cues of agents and of customers, the longest first, and the sounds of announcements."""
    from qa_pipeline.text.phonetic import phonetics

    table = phonetics()

    def cues(points: Mapping[float, str]) -> tuple[Cue, ...]:
        phrases = [(phrase, value) for value, line in points.items() for phrase in line.split()]
        return tuple(
            (phrase, table.sound(phrase), value) for phrase, value in sorted(phrases, key=lambda cue: (-len(cue[0]), cue[0]))
        )

    return cues(_AGENT), cues(_CUSTOMER), tuple(table.sound(phrase) for phrase in ANNOUNCEMENTS)
