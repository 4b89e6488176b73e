"""The bundled network: what it makes of turns nobody wrote a phrase for, and that it says the same for ever."""

from __future__ import annotations

import pytest

from qa_pipeline.acts import reader as reading
from qa_pipeline.acts.encoding import Said
from qa_pipeline.acts.names import ACTS
from qa_pipeline.acts.reader import ActReader
from qa_pipeline.errors import ModelError
from qa_pipeline.text.normalise import normalise

READER = ActReader()


def sure(text: str, act: str, *before: str) -> float:
    agent = ACTS[act].agents
    earlier = [Said(line.startswith("坐"), normalise(line[2:]).text) for line in before]
    return next((found.sure for found in READER.read(Said(agent, normalise(text).text), earlier) if found.name == act), 0.0)


@pytest.mark.parametrize(
    ("text", "act", "before"),
    [
        ("挂了电话您那边就能听着新歌了", "states_start", ()),
        ("一个月五个钢镚，跟着话费走", "states_fee", ()),
        ("哪天不想听了，发个零到这个号就停了", "states_cancelling", ()),
        ("上回您反映的信号差，我来给您个答复", "tells_purpose", ()),
        ("这个手机是登记在您名下的吗", "asks_owner", ()),
        ("中，你给俺弄上吧", "consents", ("坐：那我给您办上，您看行吗",)),
        ("我用不着这玩意儿，别说了", "refuses", ("坐：您看要不要来一个",)),
        ("你是不是脑子有毛病", "abuses", ("客：我没听懂",)),
    ],
)
def test_meant_in_words_of_ones_own(text: str, act: str, before: tuple[str, ...]) -> None:
    assert sure(text, act, *before) > 0.5


@pytest.mark.parametrize(
    ("text", "act", "before"),
    [
        ("好的，感谢您的接听，再见", "states_fee", ()),
        ("随时都可以退的，您放心", "states_cancelling", ()),
        ("嗯", "consents", ("坐：这个业务是每天发一条天气",)),
        ("不知道您现在说话方便吗", "speaks_curtly", ()),
        ("一个月多少钱啊", "refuses", ("坐：是每天发一条天气",)),
    ],
)
def test_what_only_looks_like_it(text: str, act: str, before: tuple[str, ...]) -> None:
    assert sure(text, act, *before) < 0.5


def test_the_same_turn_reads_the_same_whatever_was_read_before() -> None:
    said, before = Said(True, "每月三块，开通当天就能用"), (Said(False, "多少钱"),)
    first = ActReader().read(said, before)
    other = ActReader()
    for text in ("您好", "一" * 400, "再见"):
        other.read(Said(True, text), ())
    assert other.read(said, before) == first
    assert all(ACTS[act.name].agents and 0.02 <= act.sure <= 1 and 0 <= act.at < len(said.text) for act in first)


def test_an_act_at_the_end_of_a_long_turn_is_found_there() -> None:
    text = "这个业务呢就是每天早上给您发一条当地的天气情况，" * 12 + "每个月是三块钱。"
    (act,) = (act for act in ActReader().read(Said(True, text), ()) if act.name == "states_fee")
    assert act.sure > 0.5 and act.at >= len(text) - 12


def test_an_empty_turn_does_nothing() -> None:
    assert READER.read(Said(False, ""), ()) == ()


def test_no_more_readings_are_kept_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "REMEMBERED", 3)
    small = ActReader()
    for text in "一二三四五":
        small.read(Said(True, text), ())
    assert [said.text for said, _ in small._known] == ["三", "四", "五"]


def test_a_damaged_network_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ACTS_SHA256", "0" * 64)
    reading._load.cache_clear()
    with pytest.raises(ModelError, match="重新安装"):
        ActReader().read(Said(True, "您好"), ())
    reading._load.cache_clear()
