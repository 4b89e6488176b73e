"""A decision as a person reads it: line by line, whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from qa_pipeline.model import RoleSource
from qa_pipeline.rules.trace import explain
from tests.rules.support import book, phrase, rule, shipped
from tests.signals.support import call, turn


def test_a_violation_with_what_was_found_and_what_did_not_count(tmp_path: Path) -> None:
    signals = {"said": phrase("不想理您了", label="怠慢", unless=["不是我"]), "sale": phrase("办一个", label="推销")}
    made = book(tmp_path, rule(signals=signals, applies=[{"found": "sale"}], needs=["agent", "times"]))
    said = call(
        turn("坐：您办一个吧", 0.0, 2.0),
        turn("坐：不是我不想理您了", 60.0, 62.0, confidence=0.93),
        turn("客：什么", 62.0, 63.0),
        turn("坐：我不想里您了", 75.5, 77.5, confidence=0.5),
    )
    assert explain(made, made.rules[0], said) == [
        "X01 测试条款X01（X01-test，rules/r0.yaml）",
        "出处：S0 测试",
        "一、适用",
        "  是",
        "二、必须知道",
        "  agent：有",
        "  times：有",
        "三、信号",
        "  怠慢（said）：1 处",
        "    第 4 轮，1:15.8–1:17.5，“不想里您了”，听作“不想理您了”，同音，识别置信度 50%",
        "  推销（sale）：1 处",
        "    第 1 轮，0:00.4–0:01.6，“办一个”，听作“办一个”，原字",
        "四、看到但不算的",
        "  第 2 轮，1:00.8–1:02.0，“不想理您了”，听作“不想理您了”，原字，识别置信度 93%，附近有“不是我”，不算",
        "判定",
        "  违规：怠慢：“不想里您了”",
        "    命中：1:15.8–1:17.5，“不想里您了”，听作“不想理您了”",
        "    不算：1:00.8–1:02.0，“不想理您了”，听作“不想理您了”，附近有“不是我”，不算",
    ]


def test_an_omission_with_the_nearest_and_its_distance(tmp_path: Path) -> None:
    made = book(tmp_path, rule(signals={"thanks": phrase("感谢您的来电", label="感谢")}, judge={"must": ["thanks"]}, advice=True))
    assert explain(made, made.rules[0], call(turn("坐：敢写李到家去"))) == [
        "X01 测试条款X01（X01-test，rules/r0.yaml）",
        "出处：S0 测试",
        "一、适用",
        "  每通都适用",
        "二、必须知道",
        "  agent：有",
        "三、信号",
        "  感谢（thanks）：0 处",
        "    最接近的是 第 1 轮，“敢写李到”，听作“感谢您的来电”，相近，差 3 个音节",
        "判定",
        "  违规（仅提示）：没有听到：感谢",
        "    查找范围：“敢写李到家去”，在这一段里找：感谢（共 1 个话轮）",
        "    最接近：“敢写李到”，听作“感谢您的来电”",
    ]


def test_what_is_not_met_or_not_known_and_what_a_person_must_look_at(tmp_path: Path) -> None:
    made = book(tmp_path, rule(applies=[{"sold": True}, {"field": "line", "in": ["10088"]}], needs=["history", "agent"]))
    lines = explain(made, made.rules[0], call("坐：坏话", line="10010"))
    assert lines[2:8] == [
        "一、适用",
        "  不明：通话数据没有写结果，也没有听到为客户开通，不知是否成交",
        "  否：line 为 10010",
        "二、必须知道",
        "  history：看不到同一客户的其他通话",
        "  agent：有",
    ]
    assert lines[-2:] == ["判定", "  不适用：line 为 10010"]
    unsure = call("坐：坏话")
    guessed = replace(unsure, turns=(replace(unsure.turns[0], role_source=RoleSource.VOICE, role_confidence=0.7),))
    plain = book(tmp_path / "p", rule())
    assert explain(plain, plain.rules[0], guessed)[-2] == "  违规（待复核）：坏话：“坏话”"


def test_every_shipped_rule_can_be_explained_on_any_call() -> None:
    for conversation in (call(), call("坐：您好，这里是移动客服，给您开通了", "客：不要")):
        for item in shipped().rules:
            lines = explain(shipped(), item, conversation)
            assert lines[0].startswith(f"{item.clause} {item.spec.title}") and "判定" in lines
            assert any(line.startswith(("  违规", "  合规", "  不适用", "  无法判定")) for line in lines)
