from typing import Any

import pytest

from qa_pipeline.errors import UserError
from qa_pipeline.model import CallData, Conversation, Role, RoleSource, Turn, Word
from qa_pipeline.speakers import conversation_from_turns

CALL = CallData(call_id="x", hangup_at=8.0)


def test_the_documented_format_complete() -> None:
    turn = {
        "role": "agent",
        "start_s": 0.4,
        "end_s": 3.1,
        "text": "您好，10086",
        "confidence": 0.93,
        "words": [["您好", 0.4, 0.9], ["没有", 1, 2]],
    }
    assert conversation_from_turns(CALL, [turn, {"role": "customer", "text": "你說"}]) == Conversation(
        call=CALL,
        duration_s=3.1,
        role_reason="角色由导入的文本给出",
        turns=(
            Turn(
                index=0, role=Role.AGENT, role_source=RoleSource.IMPORTED, role_confidence=1.0,
                raw="您好，10086", text="您好，一零零八六", to_raw=(0, 1, 2, 3, 4, 5, 6, 7), start_s=0.4, end_s=3.1,
                words=(Word(start=0, end=2, start_s=0.4, end_s=0.9, confidence=0.93),), confidence=0.93,
            ),
            Turn(
                index=1, role=Role.CUSTOMER, role_source=RoleSource.IMPORTED, role_confidence=1.0,
                raw="你說", text="你说", to_raw=(0, 1),
            ),
        ),
    )  # fmt: skip


def turns(*items: tuple[str, float | None, float | None, str]) -> list[dict[str, Any]]:
    return [{"role": role, "start_s": start, "end_s": end, "text": text} for role, start, end, text in items]


def test_sentences_of_one_role_become_one_turn_when_times_say_so() -> None:
    given = turns(
        ("agent", 0, 1, "功能费"),
        ("agent", 1.5, 2, "每月8"),
        ("agent", 2.2, 3, "5折"),
        ("customer", 3, 4, "嗯"),
        ("agent", 6, 7.5, "好"),
    )
    given += turns(("agent", 7.9, 9, "烦"))
    conversation = conversation_from_turns(CALL, given)
    assert [(turn.index, turn.raw, turn.start_s, turn.end_s, turn.after_hangup) for turn in conversation.turns] == [
        (0, "功能费每月8 5折", 0, 3, False),
        (1, "嗯", 3, 4, False),
        (2, "好", 6, 7.5, False),
        (3, "烦", 7.9, 9, True),
    ]


def test_without_times_turns_stay_as_given() -> None:
    conversation = conversation_from_turns(
        CALL, turns(("agent", None, None, "您好"), ("agent", None, None, "再见"), ("unknown", None, None, "嘟"))
    )
    assert [(turn.role, turn.role_source, turn.raw) for turn in conversation.turns] == [
        (Role.AGENT, RoleSource.IMPORTED, "您好"),
        (Role.AGENT, RoleSource.IMPORTED, "再见"),
        (Role.UNKNOWN, RoleSource.NONE, "嘟"),
    ]
    assert (conversation.duration_s, conversation.voiced, conversation.channels, conversation.has_times) == (
        None,
        None,
        None,
        False,
    )


def test_turns_out_of_order_are_sorted_and_empty_ones_left_out() -> None:
    conversation = conversation_from_turns(CALL, turns(("客户", 2, 3, "好"), ("坐席", 0, 1, "您好"), ("agent", 1, 2, " ")))
    assert [(turn.role, turn.raw) for turn in conversation.turns] == [(Role.AGENT, "您好"), (Role.CUSTOMER, "好")]
    assert conversation_from_turns(CALL, []).turns == ()


def test_merged_words_and_confidence() -> None:
    given = [
        {"role": "agent", "start_s": 0, "end_s": 1, "text": "您好", "confidence": 0.8, "words": [["您", 0, 0.5], ["好", 0.5, 1]]},
        {"role": "agent", "start_s": 1.1, "end_s": 2, "text": "再见了吗", "confidence": 0.5, "words": [["再见", 1.1, 1.6]]},
    ]
    (turn,) = conversation_from_turns(CALL, given).turns
    assert [(turn.raw[word.start : word.end], word.start_s, word.confidence) for word in turn.words] == [
        ("您", 0.0, 0.8),
        ("好", 0.5, 0.8),
        ("再见", 1.1, 0.5),
    ]
    assert turn.confidence == 0.6


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"role": "boss"}, "第 2 个话轮：role“boss”无效"),
        ({"text": None}, "第 2 个话轮：缺少 text"),
        ({"start_s": "soon"}, "第 2 个话轮：start_s“soon”应为录音开始后的秒数"),
        ({"start_s": -1}, "第 2 个话轮：start_s“-1”"),
        ({"start_s": True}, "第 2 个话轮：start_s“True”"),
        ({"start_s": 5, "end_s": 4}, "第 2 个话轮：end_s 4 早于 start_s 5"),
        ({"confidence": 93}, "第 2 个话轮：confidence“93”应在 0 到 1 之间"),
        ({"words": "您好"}, "第 2 个话轮：words 应为列表"),
        ({"words": [["您好", 1]]}, "第 2 个话轮：words 里的"),
    ],
)
def test_what_cannot_be_used_names_the_turn(change: dict[str, Any], wanted: str) -> None:
    with pytest.raises(UserError, match=wanted):
        conversation_from_turns(CALL, [{"role": "agent", "text": "您好"}, {"role": "agent", "text": "您好"} | change])
