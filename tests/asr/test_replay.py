"""What was recorded is given back, by the hash of the audio."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qa_pipeline.asr.base import engine_digest
from qa_pipeline.asr.engines import describe_engine, open_engine
from qa_pipeline.asr.replay import ReplayEngine, record
from qa_pipeline.config import AsrSettings
from qa_pipeline.errors import ConfigError, StageError
from qa_pipeline.intake.decode import Decoded
from qa_pipeline.model import ChannelSpan, EngineInfo, Recording, Segment, Transcript, Word

ENGINE = EngineInfo(name="faster-whisper", model="whisper-base", model_hash="ab", options=(("beam", "1"),))


def transcript(audio_hash: str, engine: EngineInfo = ENGINE) -> Transcript:
    word = Word(start=0, end=1, start_s=0.5, end_s=0.7, confidence=0.9)
    segment = Segment(channel=0, start_s=0.5, end_s=0.7, text="好", words=(word,), confidence=0.9)
    return Transcript(audio_hash=audio_hash, duration_s=1.0, channels=1, engine=engine, segments=(segment,))


def decoded(audio_hash: str) -> Decoded:
    recording = Recording(
        path=f"{audio_hash}.wav", audio_hash=audio_hash, duration_s=1.0, sample_rate=8000, channels=1, codec="pcm"
    )
    return Decoded(recording=recording, samples=np.zeros((1, 16000), dtype=np.int16))


def test_recorded_transcripts_come_back_in_the_order_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "heard.jsonl"
    assert record([transcript("b"), transcript("a")], path) == 2
    engine = open_engine(AsrSettings(engine="replay", model=str(path)))
    assert list(engine.transcribe_many([decoded("b"), decoded("a"), decoded("b")])) == [
        transcript("b"),
        transcript("a"),
        transcript("b"),
    ]
    assert engine.info == ENGINE == describe_engine(AsrSettings(engine="replay", model=str(path)))


def test_two_engines_in_one_file_are_named_as_a_replay(tmp_path: Path) -> None:
    path = tmp_path / "heard.jsonl"
    other = EngineInfo(name="other", model="m", model_hash="c")
    record([transcript("a"), transcript("b", other)], path)
    assert ReplayEngine(path).info == EngineInfo(name="replay", model="heard.jsonl", model_hash="")


def test_the_second_hearing_gives_the_recorded_segments_of_the_span(tmp_path: Path) -> None:
    path = tmp_path / "heard.jsonl"
    record([transcript("a")], path)
    engine = ReplayEngine(path)
    inside = ChannelSpan(channel=0, start_s=0.0, end_s=0.6)
    behind, other = ChannelSpan(channel=0, start_s=0.8, end_s=1.0), ChannelSpan(channel=1, start_s=0.0, end_s=1.0)
    answers = engine.listen_again(decoded("a"), [(inside, ("工号",)), (behind, ()), (other, ())])
    assert answers == (transcript("a").segments, (), ())


def test_a_recording_that_was_not_recorded_is_a_failure_of_that_recording(tmp_path: Path) -> None:
    path = tmp_path / "heard.jsonl"
    record([transcript("a")], path)
    with pytest.raises(StageError, match=r"x\.wav：识别记录里没有这段录音"):
        list(ReplayEngine(path).transcribe_many([decoded("x")]))


def test_a_missing_or_damaged_file_says_where(tmp_path: Path) -> None:
    path = tmp_path / "heard.jsonl"
    with pytest.raises(ConfigError, match="读不了识别记录"):
        ReplayEngine(path)
    record([transcript("a")], path)
    path.write_bytes(path.read_bytes() + b'{"audio_hash": 3}\n')
    with pytest.raises(ConfigError, match=r"heard\.jsonl:2：不是有效的识别记录"):
        ReplayEngine(path)


def test_unknown_engines_and_devices_are_refused() -> None:
    with pytest.raises(ConfigError, match="没有叫“whisperx”的识别引擎，可用：faster-whisper、replay"):
        open_engine(AsrSettings(engine="whisperx"))
    with pytest.raises(ConfigError, match=r"asr\.device 只能是"):
        describe_engine(AsrSettings(device="tpu"))


def test_speed_settings_leave_the_digest_alone_and_options_do_not() -> None:
    plain = engine_digest(describe_engine(AsrSettings(device="cpu")))
    assert plain == engine_digest(describe_engine(AsrSettings(device="cpu", workers=7, threads=3, batch=2)))
    assert plain == engine_digest(describe_engine(AsrSettings(device="cpu", model="whisper-base")))
    others = [
        AsrSettings(device="cpu", beam=4),
        AsrSettings(device="cpu", language="yue"),
        AsrSettings(device="cpu", compute_type="float32"),
    ]
    assert len({plain, *(engine_digest(describe_engine(other)) for other in others)}) == 4
