import pytest

from qa_pipeline.model import Role
from qa_pipeline.speakers.cues import AGENT_WORDS, CUSTOMER_WORDS, by_sound
from qa_pipeline.speakers.roles import LEAST, MOST, Guess, decide, is_announcement, role_of

SALE = "您好，这里是中国移动客户服务中心，我的工号是八零一二，给您来电是想介绍一下天气预报业务。感谢您的接听，祝您生活愉快，再见。"
MISHEARD = (
    "您好，这里是中国一洞客户服务中心，我的功耗是八零一二，给您来点是想介绍一下天气预报夜午。感谢您的接听，祝您生活于快，再见。"
)
BUYER = "行你说吧。那我要是不想要了咋办。清楚了，帮我开通吧。"
ANNOYED = "你是谁啊。我不需要，我在开会，别打了。"
BANK = "请问是王女士吗，我是建设银行的客户经理，跟您核实一下上个月的账单，现在方便吗？好的，打扰您了。"
LONE = "这个月的账单已经出来了，一共是三百二十块，最晚下周五要还。"


@pytest.mark.parametrize("agent", [SALE, MISHEARD, BANK])
@pytest.mark.parametrize("customer", [BUYER, ANNOYED, "嗯。嗯。好。"])
@pytest.mark.parametrize("track", [0, 1])
def test_the_agent_is_found_on_either_track(agent: str, customer: str, track: int) -> None:
    guess = decide({track: agent, 1 - track: customer})
    assert guess.agent == track
    assert 0.9 <= guess.confidence <= MOST
    assert guess.strong


def test_the_reason_names_what_was_heard() -> None:
    assert decide({0: "您好，请问有什么可以帮您？我帮您查一下。", 1: "我想查一下我的话费。"}) == Guess(
        agent=0,
        confidence=0.95,
        reason="像坐席的一方说了：“有什么可以帮您”、“帮您查”；另一方说了：“我想查”、“我的话费”",
        strong=True,
    )


def test_talk_alone_decides_nothing() -> None:
    assert decide({0: LONE, 1: "嗯。是的。"}).confidence < 0.85
    assert decide({0: "今天天气好。", 1: "是啊今天好。"}) == Guess(
        agent=None, confidence=0.5, reason="双方的话里都没有足够的坐席特征"
    )
    assert decide({}) == decide({0: " "}) == Guess(agent=None, confidence=0.0, reason="没有听到可以判断角色的话")


def test_more_cues_are_more_certain_and_never_certain() -> None:
    few = decide({0: "请问您方便吗", 1: "方便"})
    many = decide({0: SALE, 1: "方便"})
    assert LEAST < few.confidence < many.confidence == MOST


def test_both_sides_polite_is_no_strong_guess() -> None:
    assert not decide({0: SALE, 1: "你好我也是移动客服中心的，我的工号是八零零一"}).strong


@pytest.mark.parametrize(
    ("text", "agent", "confidence", "reason"),
    [
        (SALE, 0, 0.85, "只有一方说话，像坐席：“感谢您的接听”、“祝您生活愉快”、“我的工号”、“这里是中国移动”"),
        (ANNOYED, 1, 0.85, "只有一方说话，像客户：“我不需要”、“我在开会”、“你是谁”、“别打了”"),
        (LONE, None, 0.0, "只有一方说话，听不出是坐席还是客户"),
    ],
)
def test_one_side_only(text: str, agent: int | None, confidence: float, reason: str) -> None:
    assert decide({0: text, 1: ""}) == Guess(agent=agent, confidence=confidence, reason=reason)


def test_one_voice_that_says_the_words_of_both_sides_is_doubted() -> None:
    assert decide({0: SALE + "你是谁啊我不需要"}) == Guess(
        agent=0,
        confidence=LEAST,
        reason="只有一方说话，像坐席：“感谢您的接听”、“祝您生活愉快”、“我的工号”、“这里是中国移动”；也有另一方才说的话，两人可能没有分开",
    )


def test_one_voice_alone_that_is_a_customer_leaves_the_agent_unheard() -> None:
    guess = decide({0: ANNOYED})
    assert [role_of(track, guess, [0]) for track in (0, 1, None)] == [Role.CUSTOMER, Role.UNKNOWN, Role.UNKNOWN]


def test_roles_of_tracks() -> None:
    guess = decide({0: BUYER, 1: SALE})
    assert [role_of(track, guess, [0, 1]) for track in (0, 1, 2, None)] == [Role.CUSTOMER, Role.AGENT, Role.UNKNOWN, Role.UNKNOWN]
    empty = Guess(agent=None, confidence=0.0, reason="")
    assert role_of(0, empty, [0, 1]) is Role.UNKNOWN


@pytest.mark.parametrize("said", ["我是中国移动公司吗？", "你们这里是中国移动公司？", "我不是中国移动公司的", "你是移动公司的吧"])
def test_asking_who_calls_is_no_introduction(said: str) -> None:
    guess = decide({0: SALE, 1: said})
    assert guess.agent == 0
    assert "这里是" not in guess.reason.partition("另一方")[2]


def test_announcements_are_nobody() -> None:
    assert is_announcement("您好，您拨打的电话已关机，请稍后再拨。")
    assert is_announcement("您播打的用户正在通话中")
    assert not is_announcement("您好，您拨打的是客户服务中心，我是八零一二号客服，请您稍后再拨一次。")


def test_cues_are_of_use() -> None:
    agents, customers, announcements = by_sound()
    phrases = [phrase for phrase, _, _ in agents + customers]
    assert len(phrases) == len(set(phrases))
    assert not {sound for _, sound, _ in agents} & {sound for _, sound, _ in customers}
    assert all(len(phrase) == len(sound) for phrase, sound, _ in agents + customers)
    assert all(len(sound) >= 5 for sound in announcements)
    assert all(most >= each > 0 for _, each, most in AGENT_WORDS + CUSTOMER_WORDS)
