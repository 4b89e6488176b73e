"""The bundled network: what it makes of turns nobody wrote a phrase for, and that it says the same for ever."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import onnxruntime
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


def test_the_same_scores_in_whatever_way_they_are_reckoned() -> None:
    """A library that fuses other steps, or adds in another order as another processor does, comes to the same bits."""
    content = files("qa_pipeline.acts").joinpath("data/acts.onnx").read_bytes()
    levels = onnxruntime.GraphOptimizationLevel
    given = [
        {name: np.asarray([row], np.int64) for name, row in zip(("ids", "sounds", "places"), rows, strict=True)}
        for rows in (([5, 9, 700, 81], [3, 4, 90, 7], [1, 2, 4, 4]), ([n % 5000 for n in range(3, 5000, 37)], [9] * 136, [3] * 136))
    ]

    def scores(level: int, threads: int) -> list[bytes]:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level, options.intra_op_num_threads = level, threads
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        return [session.run(None, one)[0].tobytes() for one in given]

    plain = scores(levels.ORT_DISABLE_ALL, 1)
    others = [scores(*way) for way in ((levels.ORT_ENABLE_BASIC, 1), (levels.ORT_ENABLE_ALL, 1), (levels.ORT_ENABLE_ALL, 2))]
    assert others == [plain] * 3


@pytest.mark.parametrize(
    ("text", "before", "scores"),
    [
        (
            "坐：我跟您讲就几块钱的事您还犹豫什么",
            "客：我再想想",
            {
                "checks_understanding": 0.06,
                "pushes": 0.12,
                "speaks_curtly": 0.13,
                "blames": 0.03,
                "abuses": 0.03,
                "retorts": 0.98,
            },
        ),
        ("客：行吧那就那样", "坐：那我给您登记上", {"consents": 0.97, "customer_goodbye": 0.1, "changes_mind": 0.04}),
        ("客：哎呀我现在开会呢回头吧", "坐：给您介绍一个新套餐", {"wavers": 0.38, "takes_back": 0.02, "is_busy": 0.99}),
    ],
)
def test_scores_written_down_once_hold_on_every_machine(text: str, before: str, scores: dict[str, float]) -> None:
    """To the hundredth. They change with another network only."""
    said, earlier = (Said(line.startswith("坐"), line[2:]) for line in (text, before))
    assert {act.name: act.sure for act in READER.read(said, [earlier])} == scores
