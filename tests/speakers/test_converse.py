"""Transcripts to conversations: who, when, in which turn."""

from dataclasses import replace

import pytest
from heard import segment, transcript, voices

from qa_pipeline.model import (
    Acoustics,
    CallData,
    ChannelSpan,
    Fitness,
    FitnessFact,
    Recording,
    Role,
    RoleSource,
    Transcript,
    Turn,
    VoicedSpan,
    Word,
)
from qa_pipeline.speakers import converse

A, C, U = Role.AGENT, Role.CUSTOMER, Role.UNKNOWN
CALL = CallData(call_id="x", agent_channel=0)
OPENING = "您好,這裡是中國移動客戶服務中心,我的公好是8012"


def lines(heard: Transcript, call: CallData = CALL, recording: Recording | None = None) -> list[tuple[Role, str]]:
    return [(turn.role, turn.raw) for turn in converse(call, recording, heard).turns]


def recording(*facts: FitnessFact) -> Recording:
    return Recording(
        path="x.wav", audio_hash="0" * 64, duration_s=60.0, sample_rate=8000, channels=2, codec="pcm_mulaw", fitness=facts
    )


def test_two_channels_with_a_named_agent_channel_complete() -> None:
    heard = transcript(segment(0, 0.5, 1.7, "您好,我姓3"), segment(1, 2.0, 2.2, "嗯"), segment(0, 2.4, 2.6, "5元"), length=5.0)
    conversation = converse(CALL, recording(), heard)
    assert conversation.turns == (
        Turn(
            index=0, role=A, role_source=RoleSource.CHANNEL, role_confidence=1.0,
            raw="您好,我姓3", text="您好，我姓三", to_raw=(0, 1, 2, 3, 4, 5), start_s=0.5, end_s=1.7,
            words=(
                Word(start=0, end=1, start_s=0.5, end_s=0.74, confidence=0.9),
                Word(start=1, end=2, start_s=0.74, end_s=0.98, confidence=0.9),
                Word(start=3, end=4, start_s=0.98, end_s=1.22, confidence=0.9),
                Word(start=4, end=5, start_s=1.22, end_s=1.46, confidence=0.9),
                Word(start=5, end=6, start_s=1.46, end_s=1.7, confidence=0.9),
            ),
            confidence=0.9, channel=0,
        ),
        Turn(
            index=1, role=C, role_source=RoleSource.CHANNEL, role_confidence=1.0, raw="嗯", text="嗯", to_raw=(0,), start_s=2.0, end_s=2.2,
            words=(Word(start=0, end=1, start_s=2.0, end_s=2.2, confidence=0.9),), confidence=0.9, channel=1,
        ),
        Turn(
            index=2, role=A, role_source=RoleSource.CHANNEL, role_confidence=1.0, raw="5元", text="五元", to_raw=(0, 1), start_s=2.4, end_s=2.6,
            words=(
                Word(start=0, end=1, start_s=2.4, end_s=2.5, confidence=0.9),
                Word(start=1, end=2, start_s=2.5, end_s=2.6, confidence=0.9),
            ),
            confidence=0.9, channel=0,
        ),
    )  # fmt: skip
    assert conversation.voiced == (
        VoicedSpan(role=A, start_s=0.5, end_s=1.7), VoicedSpan(role=C, start_s=2.0, end_s=2.2), VoicedSpan(role=A, start_s=2.4, end_s=2.6),
    )  # fmt: skip
    assert (conversation.duration_s, conversation.channels, conversation.uncovered, conversation.fitness) == (5.0, 2, (), ())
    assert conversation.role_reason == "清单写明坐席在声道 0"


def test_segments_of_one_role_are_one_turn_until_a_pause_or_another_one() -> None:
    heard = transcript(
        segment(0, 0.0, 1.0, "功能费"),
        segment(0, 2.0, 3.0, "每月三元"),  # 1.0 s later: goes on
        segment(0, 4.5, 5.0, "好吗"),  # 1.5 s later: a new turn
        segment(1, 5.2, 5.5, "嗯"),
        segment(0, 5.8, 6.5, "谢谢"),  # 0.8 s after 好吗, but the customer spoke between
        segment(1, 6.0, 6.3, "啊"),  # over the agent's words, not between
        segment(0, 6.6, 7.0, "再见"),
    )
    assert lines(heard) == [(A, "功能费每月三元"), (A, "好吗"), (C, "嗯"), (A, "谢谢再见"), (C, "啊")]


def test_a_segment_over_an_answer_is_cut_at_the_answer() -> None:
    words = segment(0, 0.0, 1.0, "可以吗").words + tuple(
        replace(word, start=word.start + 4, end=word.end + 4) for word in segment(0, 3.0, 4.0, "好的").words
    )
    long = replace(segment(0, 0.0, 4.0, "可以吗，好的"), words=words)
    heard = replace(transcript(long, segment(1, 1.6, 2.2, "可以")), voiced=())
    assert lines(heard) == [(A, "可以吗，"), (C, "可以"), (A, "好的")]


def test_digits_of_neighbouring_segments_stay_apart() -> None:
    heard = transcript(segment(0, 0.0, 1.0, "工号8012"), segment(0, 1.2, 2.0, "3元"))
    (turn,) = converse(CALL, None, heard).turns
    assert (turn.raw, turn.text.replace(" ", "")) == ("工号8012 3元", "工号八零一二三元")  # not 80123
    assert [turn.raw[word.start : word.end] for word in turn.words] == ["工", "号", "8", "0", "1", "2", "3", "元"]


def test_a_segment_without_words_is_placed_whole() -> None:
    heard = transcript(segment(0, 0.0, 2.0, "您好", words=False), segment(1, 2.5, 3.0, "你好", words=False))
    assert [(turn.raw, turn.start_s, turn.end_s, turn.words, turn.confidence) for turn in converse(CALL, None, heard).turns] == [
        ("您好", 0.0, 2.0, (), 0.8),
        ("你好", 2.5, 3.0, (), 0.8),
    ]


def test_words_stretched_over_silence_are_drawn_back_to_the_speech() -> None:
    stretched = replace(segment(0, 1.0, 5.0, "好"), words=(Word(start=0, end=1, start_s=1.0, end_s=5.0, confidence=0.9),))
    heard = replace(transcript(stretched), voiced=(ChannelSpan(channel=0, start_s=4.5, end_s=4.9),))
    (turn,) = converse(CALL, None, heard).turns
    assert (turn.start_s, turn.end_s, turn.words[0].start_s, turn.words[0].end_s) == (4.5, 4.9, 4.5, 4.9)


def test_without_a_named_channel_the_words_decide_and_say_so() -> None:
    heard = transcript(segment(0, 0.0, 1.0, "你说吧"), segment(1, 1.5, 6.0, OPENING))
    conversation = converse(CallData(call_id="x"), None, heard)
    assert [(turn.role, turn.role_source, turn.role_confidence) for turn in conversation.turns] == [
        (C, RoleSource.CUES, 0.95),
        (A, RoleSource.CUES, 0.95),
    ]
    assert conversation.role_reason.startswith("像坐席的一方说了：“我的工号”")
    assert not any(turn.role_source.known for turn in conversation.turns)


def test_swapped_channels_are_a_fact_and_the_words_win() -> None:
    heard = transcript(segment(0, 0.0, 1.0, "你说吧，我在开会"), segment(1, 1.5, 6.0, OPENING))
    conversation = converse(CALL, recording(), heard)
    assert [(turn.role, turn.role_source, turn.role_confidence) for turn in conversation.turns] == [
        (C, RoleSource.CUES, 0.7),
        (A, RoleSource.CUES, 0.7),
    ]
    (fact,) = conversation.fitness
    assert (fact.kind, fact.channel, fact.value) == (Fitness.SWAPPED, 1, 0.95)
    assert fact.message.startswith("清单写坐席在声道 0，但声道 1 才像坐席")


def test_a_weak_contradiction_leaves_the_manifest_right_but_less_sure() -> None:
    heard = transcript(segment(0, 0.0, 1.0, "好的"), segment(1, 1.5, 4.0, "请问您是机主吗，您看可以吗"))
    conversation = converse(CALL, recording(), heard)
    assert [(turn.role, turn.role_source, turn.role_confidence) for turn in conversation.turns] == [
        (A, RoleSource.CHANNEL, 0.8),
        (C, RoleSource.CHANNEL, 0.8),
    ]
    assert conversation.fitness == ()


def test_one_channel_by_voice() -> None:
    heard = transcript(
        segment(0, 0.0, 6.0, OPENING + "。你说吧。"),  # 27 words of 0.222 s, 你说吧 from 5.33 s on
        segment(0, 7.0, 8.0, "给您介绍"),
        channels=1,
        acoustics=voices((0, 0.0, 5.0), (1, 5.0, 6.0), (0, 7.0, 8.0)),
    )
    conversation = converse(CallData(call_id="x", agent_channel=0), recording(), heard)
    assert [(turn.role, turn.raw, turn.role_source, turn.role_confidence) for turn in conversation.turns] == [
        (A, OPENING + "。", RoleSource.VOICE, pytest.approx(0.855, abs=0.06)),  # the change is moved to the stop
        (C, "你说吧。", RoleSource.VOICE, 0.855),
        (A, "给您介绍", RoleSource.VOICE, 0.855),
    ]
    assert conversation.voiced == (
        VoicedSpan(role=A, start_s=0.0, end_s=5.0), VoicedSpan(role=C, start_s=5.0, end_s=6.0), VoicedSpan(role=A, start_s=7.0, end_s=8.0),
    )  # fmt: skip


def test_one_voice_and_a_third_voice() -> None:
    alone = transcript(segment(0, 0.0, 6.0, OPENING), channels=1, acoustics=voices((0, 0.0, 6.0)))
    (turn,) = converse(CallData(call_id="x"), None, alone).turns
    assert (turn.role, turn.role_source) == (A, RoleSource.VOICE)
    heard = transcript(
        segment(0, 0.0, 4.0, "欢迎致电请按一"),
        segment(0, 5.0, 9.0, OPENING),
        segment(0, 10.0, 11.0, "你说吧"),
        channels=1,
        acoustics=voices((2, 0.0, 4.0), (0, 5.0, 9.0), (1, 10.0, 11.0)),
    )
    conversation = converse(CallData(call_id="x"), None, heard)
    assert [(turn.role, turn.role_source, turn.role_confidence) for turn in conversation.turns] == [
        (U, RoleSource.NONE, 0.0),
        (A, RoleSource.VOICE, 0.855),
        (C, RoleSource.VOICE, 0.855),
    ]
    assert conversation.voiced is not None
    assert conversation.voiced[0] == VoicedSpan(role=U, start_s=0.0, end_s=4.0)


def test_one_channel_without_voices_is_nobodys() -> None:
    heard = transcript(segment(0, 0.0, 6.0, OPENING), channels=1)
    conversation = converse(CallData(call_id="x"), None, heard)
    assert [(turn.role, turn.role_source, turn.role_confidence) for turn in conversation.turns] == [(U, RoleSource.NONE, 0.0)]
    assert conversation.voiced == (VoicedSpan(role=U, start_s=0.0, end_s=6.0),)
    assert conversation.role_reason == "单声道录音，没有声纹测量，无法区分说话人"


def test_two_channels_with_everything_on_one() -> None:
    heard = transcript(
        segment(0, 0.0, 6.0, OPENING), segment(0, 7.0, 8.0, "你说吧"), acoustics=voices((0, 0.0, 6.0), (1, 7.0, 8.0))
    )  # fmt: skip
    assert lines(heard, CallData(call_id="x")) == [(A, OPENING), (C, "你说吧")]
    assert lines(heard) == [(A, OPENING + " 你说吧")]  # a named channel is believed
    assert {turn.role_source for turn in converse(CALL, None, heard).turns} == {RoleSource.CHANNEL}


def test_announcements_belong_to_nobody() -> None:
    heard = transcript(segment(1, 0.0, 3.0, "您拨打的电话已关机"), segment(0, 5.0, 6.0, "没人接"))
    assert [(turn.role, turn.role_source) for turn in converse(CALL, None, heard).turns] == [
        (U, RoleSource.NONE),
        (A, RoleSource.CHANNEL),
    ]


def test_words_leaked_from_the_other_channel_are_left_out_when_crosstalk_was_measured() -> None:
    loud, faint = (-20.0,) * 20 + (-60.0,) * 20, (-40.0,) * 20 + (-22.0,) * 20
    sound = Acoustics(hop_s=0.1, level_db=(loud, faint), pitch_st=((None,) * 40,) * 2)
    heard = transcript(
        segment(0, 0.0, 2.0, "请问您方便吗"), segment(1, 0.0, 2.0, "请问您方便"), segment(1, 2.5, 3.5, "方便"), acoustics=sound
    )
    crosstalk = recording(FitnessFact(kind=Fitness.CROSSTALK, channel=1, value=-20.0, message=""))
    assert lines(heard, recording=crosstalk) == [(A, "请问您方便吗"), (C, "方便")]
    assert lines(heard, recording=recording()) == [(A, "请问您方便吗"), (C, "请问您方便方便")]
    conversation = converse(CALL, crosstalk, heard)
    assert conversation.voiced == (VoicedSpan(role=A, start_s=0.0, end_s=2.0), VoicedSpan(role=C, start_s=2.5, end_s=3.5))


def test_loudness_and_pitch_are_those_of_the_speech_in_the_turn() -> None:
    level = (-60.0, -20.0, -22.0, -21.0, -60.0, -30.0, -31.0, -32.0, -33.0, -34.0, -60.0)
    pitch = (None, 20.0, 22.0, 20.0, None, 10.0, 12.0, 10.0, 12.0, 11.0, None)
    sound = Acoustics(hop_s=0.1, level_db=(level, (-90.0,) * 11), pitch_st=(pitch, (None,) * 11))
    heard = transcript(segment(0, 0.1, 0.4, "您好"), segment(0, 0.5, 1.0, "再见"), acoustics=sound, length=1.1)
    (turn,) = converse(CALL, None, heard).turns
    assert turn.loudness_db == -30.5
    assert turn.pitch_st == pytest.approx(4.77, abs=0.01)
    short = converse(CALL, None, transcript(segment(0, 0.1, 0.4, "您好"), acoustics=sound)).turns[0]
    assert (short.loudness_db, short.pitch_st) == (-21.0, None)


def test_uncovered_speech_and_what_comes_after_the_hang_up() -> None:
    heard = transcript(
        segment(0, 0.0, 1.0, "再见"),
        segment(0, 1.4, 2.0, "真烦"),
        uncovered=(ChannelSpan(channel=1, start_s=5.0, end_s=7.0, note="两次识别都没有文字"),),
    )
    conversation = converse(CallData(call_id="x", agent_channel=0, hangup_at=1.5), None, heard)
    assert [(turn.raw, turn.after_hangup) for turn in conversation.turns] == [("再见", False), ("真烦", True)]
    assert conversation.uncovered == (VoicedSpan(role=C, start_s=5.0, end_s=7.0),)
    assert conversation.voiced is not None
    assert conversation.voiced[-1] == VoicedSpan(role=C, start_s=5.0, end_s=7.0)


@pytest.mark.parametrize("channels", [1, 2])
def test_an_empty_transcript(channels: int) -> None:
    conversation = converse(CALL, None, transcript(channels=channels))
    assert (conversation.turns, conversation.voiced, conversation.channels) == ((), (), channels)


def test_words_without_any_measurement_have_no_measured_speech() -> None:
    heard = replace(transcript(segment(0, 0.0, 1.0, "您好")), voiced=())
    assert converse(CALL, None, heard).voiced is None
    assert [
        turn.raw for turn in converse(CALL, None, replace(heard, segments=(segment(0, 0.0, 1.0, "  ", words=False),))).turns
    ] == []


def test_every_character_heard_is_in_exactly_one_turn() -> None:
    heard = transcript(
        segment(0, 0.0, 9.0, "，您好。 abc 12，我是客服。"), segment(1, 2.0, 3.0, "嗯…"), segment(0, 9.5, 12.0, "再见！"), segment(1, 12.1, 13.0, "再见")
    )  # fmt: skip
    said = "".join(sorted("".join(turn.raw for turn in converse(CALL, None, heard).turns).replace(" ", "")))
    assert said == "".join(sorted("，您好。abc12，我是客服。嗯…再见！再见"))
    for turn in converse(CALL, None, heard).turns:
        assert len(turn.to_raw) == len(turn.text)
        assert all(0 <= word.start < word.end <= len(turn.raw) for word in turn.words)
