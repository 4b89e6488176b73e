"""Loops, stock phrases and impossible speed are recognised; real speech is not touched."""

from __future__ import annotations

import pytest

from qa_pipeline.asr.guards import doubtful, is_stock, loop_in, reject
from qa_pipeline.asr.whisper import Heard, Timed

RATE = 16000


def heard(text: str, *, per_char_s: float = 0.2, confidence: float = 0.9, avg_logprob: float = -0.3, **more: object) -> Heard:
    step = round(per_char_s * RATE)
    words = tuple(Timed(start=n, end=n + 1, first=n * step, last=(n + 1) * step, confidence=confidence) for n, _ in enumerate(text))
    values = {"no_speech": 0.0, "cut_short": False, **more}
    return Heard(text=text, words=words, avg_logprob=avg_logprob, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "您好工号八零一二为您服务",
        "好好好好好好好",
        "喂喂喂喂喂",
        "对对对，是是是，行行行",
        "哈哈哈哈哈哈",
        "一一一一二二二二",
        "零零零零八六",
    ],
)
def test_what_people_say_is_neither_loop_nor_stock(text: str) -> None:
    assert loop_in(text) is None
    assert not is_stock(text)
    assert not doubtful(heard(text), RATE)
    assert reject(heard(text), RATE) == ""


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("街舞的街舞的街舞的街舞的", (0, 12)),
        ("您好" + "谢谢" * 6, (2, 14)),
        ("的" * 12, (0, 12)),
        ("那个我们这边呢" * 4 + "好", (0, 28)),
    ],
)
def test_loops_are_found_where_they_are(text: str, where: tuple[int, int]) -> None:
    assert loop_in(text) == where
    assert doubtful(heard(text), RATE)
    assert reject(heard(text), RATE) == "重复循环，不是说话"


@pytest.mark.parametrize(
    "text", ["請不吝點贊訂閱轉發打賞支持明鏡與點點欄目", "字幕由Amara.org社區提供", "谢谢大家观看", "謝謝收看", "中文字幕志愿者"]
)
def test_subtitle_phrases_are_not_speech(text: str) -> None:
    assert is_stock(text)
    assert reject(heard(text), RATE) == "字幕套话，不是说话"


@pytest.mark.parametrize("text", ["感谢您的接听，祝您生活愉快", "您可以订阅这个业务", "谢谢大家", "您要订阅手机报吗，点一下就行"])
def test_courtesy_and_business_are_not_stock(text: str) -> None:
    assert not is_stock(text)


def test_more_characters_than_a_mouth_can_say_are_rejected() -> None:
    fast = heard("这个业务我们已经给您开通", per_char_s=0.05)
    assert doubtful(fast, RATE)
    assert reject(fast, RATE) == "字数多于这段时间能说的字"
    assert reject(heard("这个业务我们已经给您开通", per_char_s=0.12), RATE) == ""  # 8 characters a second: fast, but human


def test_readings_that_the_model_does_not_believe_are_rejected() -> None:
    assert reject(heard("再见", confidence=0.15), RATE) == "几乎没有把握"
    assert reject(heard("再见", avg_logprob=-1.2, no_speech=0.8), RATE) == "像是没有人说话"
    assert reject(heard("再见", avg_logprob=-1.2), RATE) == ""
    assert doubtful(heard("再见", avg_logprob=-1.2), RATE)


def test_a_short_loop_is_speech_unless_the_model_hears_none() -> None:
    assert reject(heard("对对对对对", no_speech=0.3), RATE) == ""
    assert reject(heard("轻轻轻轻轻", no_speech=0.9), RATE) == "像是没有人说话"


def test_the_length_limit_means_a_loop_and_nothing_means_nothing() -> None:
    assert reject(heard("您好", cut_short=True), RATE) == "重复循环，不是说话"
    assert reject(heard(""), RATE) == ""
    assert not doubtful(heard(""), RATE)
