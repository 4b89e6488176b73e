"""Invented calls from building blocks: each block says the right thing in several ways, or leaves out or breaks one clause.

A fault names the clause that a careful listener would find. Sentences are our own; they follow the order of a telephone sale as
the sources describe it (开场、核实机主、介绍、资费、试用、取消方式、确认、结束).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

AGENT, CUSTOMER = "agent", "customer"
CHARACTERS_A_SECOND = 4.3  # 258 a minute: ordinary
FAST_CHARACTERS_A_SECOND = 6.6  # 396 a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    name: str
    what: str
    how: str
    fee: int  # yuan a month


PRODUCTS = (
    Product(name="天气预报", what="每天早上给您发当地的天气和穿衣提醒", how="到时候直接看短信就行，不用您操作", fee=2),
    Product(name="七彩铃音", what="别人给您打电话的时候听到的是您选的歌", how="您在手机上选一首歌就能换", fee=5),
    Product(name="来电提醒", what="您关机或者没信号的时候，谁打过电话都会有短信告诉您", how="开机以后自动收到，不用设置", fee=3),
    Product(name="手机报", what="早晚两份新闻，包括本地的消息", how="收到彩信点开就能看", fee=3),
    Product(name="流量加油包", what="每个月多给您五百兆的流量", how="开通以后系统自动先用这个包", fee=10),
)
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜"
GIVEN = (
    "晓梅",
    "建国",
    "小满",
    "文博",
    "立夏",
    "思远",
    "雨桐",
    "海燕",
    "志强",
    "春生",
    "若兰",
    "子安",
    "云帆",
    "秀英",
    "明辉",
    "佳宁",
)


@dataclass(slots=True, kw_only=True)
class Script:
    """What is known of one call before it is written. ``faults``: clauses that this call breaks."""

    chance: random.Random
    product: Product
    agent_number: str
    customer_name: str
    faults: frozenset[str] = frozenset()
    trial_days: int = 0
    lines: list[tuple[str, str]] = field(default_factory=list)

    def say(self, *choices: str) -> None:
        self.lines.append((AGENT, self.chance.choice(choices)))

    def hear(self, *choices: str) -> None:
        self.lines.append((CUSTOMER, self.chance.choice(choices)))

    def good(self, clause: str) -> bool:
        return clause not in self.faults

    @property
    def title(self) -> str:
        return self.customer_name[0] + ("先生" if self.chance.random() < 0.5 else "女士")


def sale(script: Script) -> None:
    """A sale that ends with a yes."""
    _opening(script)
    _owner(script)
    _pitch(script)
    _fee(script)
    _effect(script)
    _cancel(script)
    _trouble(script)
    _consent(script)
    _closing(script)


def refusal(script: Script) -> None:
    """The customer does not want it."""
    _opening(script)
    _owner(script)
    _pitch(script)
    script.hear("不需要，谢谢。", "我不要这个。", "没兴趣。")
    _trouble(script)
    if script.good("B4"):
        script.say("好的，那不打扰您了。", "没关系，您以后有需要再联系我们。")
    else:
        script.say("这个业务真的很实惠，您先试一试嘛。")
        script.hear("我说了不需要。", "真的不要。")
        script.say("一个月才几块钱，很多客户都办了。")
        script.hear("不用了，别打了。", "不办，我不要。")
        script.say("那我先给您开通体验一下，这个活动很划算的。")
        script.hear("不要不要。")
    _closing(script)


def callback(script: Script) -> None:
    """The customer has no time now."""
    _opening(script)
    _owner(script)
    script.say(f"我们有一个{script.product.name}业务想给您介绍一下，您现在方便吗？")
    script.hear("我在开会，晚点再说吧。", "现在开车呢，下午再打。")
    script.say("好的，那我下午再联系您，打扰您了。", "好的，那我晚一点再给您打电话，不好意思打扰了。")
    _closing(script)


def confirmation(script: Script) -> None:
    """The second call of a trial: does the customer stay with it?"""
    _opening(script)
    _owner(script)
    script.say(f"您之前免费体验的{script.product.name}快到期了，到期后每个月{script.product.fee}块钱从话费里扣，您看还继续用吗？")
    script.hear("可以，继续用吧。", "同意，继续用。")
    script.say("好的，如果以后不用了，您随时打10086或者发短信就可以取消，您看清楚了吗？")
    script.hear("清楚了。", "知道了。")
    _closing(script)


def no_answer(script: Script) -> None:
    """Nobody answers: the network speaks."""
    script.lines.append(("unknown", "您拨打的电话暂时无人接听，请稍后再拨。"))


def _opening(script: Script) -> None:
    if not script.good("A14"):
        script.say("喂，喂，听得到吗？")
    elif script.good("A01"):
        script.say(
            f"您好，这里是中国移动客户服务中心，我是{script.agent_number}号客服代表，很高兴为您服务。",
            f"您好，我是中国移动的客服，工号{script.agent_number}，打扰您一分钟可以吗？",
        )
    else:
        script.say("有个业务跟您说一下。", "那个，想跟您说个事情。")
    script.hear("你好，什么事？", "嗯，你说。", "喂，哪位？")
    script.say(f"给您来电是想介绍一个{script.product.name}的优惠，请问您现在方便吗？")
    script.hear("方便，你说吧。", "嗯，可以。", "行，你讲。")


def _owner(script: Script) -> None:
    if script.good("C1"):
        script.say("请问您是这个号码的机主本人吗？", "请问您是机主本人吗，能做主办理业务吗？")
        script.hear("是的，我就是。", "对，是我本人。", "是我，你说。")
    elif script.chance.random() < 0.5:
        script.say("请问您是机主本人吗？")
        script.hear("不是，机主是我爸，我做不了主。")


def _pitch(script: Script) -> None:
    product = script.product
    script.say(
        f"是这样的，{product.name}这个业务{product.what}，{product.how}。",
        f"{product.name}呢就是{product.what}，{product.how}，很方便的。",
    )
    script.hear("哦，是这样。", "嗯，听明白了。", "嗯嗯。")


def _fee(script: Script) -> None:
    product = script.product
    if script.trial_days and script.good("A13"):
        script.say(f"前{script.trial_days}天是免费体验，从今天开始算，{script.trial_days}天以后体验期结束就开始收费。")
    elif script.trial_days:
        script.say("现在办可以先免费体验一段时间。")
    if script.good("A11"):
        script.say(
            f"这个业务的功能费是每个月{product.fee}块钱，从话费里扣。", f"收费标准是一个月{product.fee}元，每月一号从话费里扣除。"
        )
    if not script.good("B5"):
        script.say("您放心，这个业务是永远免费的，不会收您一分钱。")
    script.hear("嗯，知道了。", "哦，好。")


def _effect(script: Script) -> None:
    if script.good("A10"):
        script.say("给您开通以后二十四小时之内生效。", "开通以后马上就可以使用。", "今天办理的话明天零点生效。")
        script.hear("好。", "嗯。")


def _cancel(script: Script) -> None:
    if script.good("A12"):
        script.say("要是以后不想用了，打10086或者到营业厅都可以取消。", "您以后不需要了，发短信到10086就可以退订。")
        script.hear("好的。", "嗯，知道。")


def _trouble(script: Script) -> None:
    if not script.good("A04"):
        script.hear("你再说一遍，我没听明白。")
        script.say("刚才不是和您说过了吗，怎么还问。", "不是告诉您了，怎么还不明白。", "您想好了没有，快点。")
    if not script.good("A17"):
        script.hear("我怎么没听说过。")
        script.say("您应该多关心一下自己的套餐，这种事情要自己弄清楚的。")
    if not script.good("B7"):
        script.hear("你们是不是骗人的？")
        script.say("你凭什么这么说，你听不懂吗。", "你以为你是谁啊。")


def _consent(script: Script) -> None:
    script.say(f"那我现在给您开通{script.product.name}，您看可以吗？", f"请问您同意开通{script.product.name}吗？")
    if script.good("C4"):
        script.hear("可以，开通吧。", "同意，你给我开吧。", "好，开通吧。")
        script.say("好的，已经为您办理好了，请问您都清楚了吗？", "好的，给您办好了，刚才说的您都明白了吗？")
        script.hear("清楚了。", "明白了。")
    else:
        script.hear("再说吧，我考虑一下。", "嗯……随便吧。")
        script.say("那我就给您开通了。")


def _closing(script: Script) -> None:
    if not script.good("A06"):
        script.hear("等一下，我还想问……")
        return
    if not script.good("A02"):
        script.say("就这样。", "没别的了。")
    elif script.good("B3a"):
        script.say(
            "感谢您的接听，中国移动祝您生活愉快，请您先挂机，再见。",
            "谢谢您的支持，代表中国移动祝您全家幸福安康，再见。",
        )
    else:
        script.say("感谢您的接听，祝您生活愉快，再见。")
    script.hear("再见。", "好，再见。")


def turns(lines: Sequence[tuple[str, str]], chance: random.Random, *, fast: bool) -> Iterator[dict[str, Any]]:
    """Lines with times, as an import has them: pace of the speaker, a short breath between turns."""
    clock = 0.6
    for role, text in lines:
        pace = FAST_CHARACTERS_A_SECOND if fast and role == AGENT else CHARACTERS_A_SECOND * chance.uniform(0.92, 1.08)
        spoken = sum(1 for char in text if char not in "，。？！…、")
        end = clock + max(0.5, spoken / pace)
        yield {
            "role": role,
            "start_s": round(clock, 2),
            "end_s": round(end, 2),
            "text": text,
            "confidence": round(chance.uniform(0.86, 0.97), 3),
        }
        clock = end + chance.uniform(0.25, 0.9)


def person_name(chance: random.Random) -> str:
    return chance.choice(SURNAMES) + chance.choice(GIVEN)
