"""The real model on sample calls: heard, placed, complete, and the same whatever is heard beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qa_pipeline.asr.base import Engine
from qa_pipeline.asr.engines import describe_engine, open_engine
from qa_pipeline.asr.workers import transcribe_files
from qa_pipeline.config import AsrSettings
from qa_pipeline.intake.decode import Decoded, decode
from qa_pipeline.model import ChannelSpan, Transcript
from qa_pipeline.resources import samples_dir
from qa_pipeline.text.normalise import normalise

pytestmark = pytest.mark.slow

SETTINGS = AsrSettings(device="cpu", workers=1, threads=1)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return open_engine(SETTINGS)


@pytest.fixture(scope="module")
def call() -> Decoded:
    """Two channels, 72 s; cut to the first 34 s."""
    return cut(decode(samples_dir() / "S001.wav"), 34.0)


@pytest.fixture(scope="module")
def heard(engine: Engine, call: Decoded) -> Transcript:
    [transcript] = engine.transcribe_many([call])
    return transcript


def cut(decoded: Decoded, seconds: float) -> Decoded:
    samples = decoded.samples[:, : round(seconds * 16000)]
    return Decoded(recording=replace(decoded.recording, duration_s=seconds), samples=samples)


def made(samples: np.ndarray) -> Decoded:
    recording = decode(samples_dir() / "S001.wav").recording
    return Decoded(recording=replace(recording, duration_s=samples.shape[1] / 16000, channels=samples.shape[0]), samples=samples)


def said(transcript: Transcript, channel: int) -> str:
    return normalise("".join(segment.text for segment in transcript.segments if segment.channel == channel)).text


def test_what_is_said_is_heard_on_the_channel_that_says_it(heard: Transcript, call: Decoded) -> None:
    agent, customer = said(heard, 0), said(heard, 1)
    assert "中国移动客户服务中心" in agent
    assert "天气预报这个业务" in agent
    assert "每天早上会发一条短信" in agent
    assert "说吧" in customer
    assert "是我" in customer
    assert (heard.audio_hash, heard.duration_s, heard.channels) == (call.recording.audio_hash, 34.0, 2)
    assert heard.engine == describe_engine(SETTINGS)
    assert heard.uncovered == ()
    assert heard.acoustics is not None


def test_segments_lie_where_somebody_speaks_and_words_lie_in_their_segments(heard: Transcript) -> None:
    assert [segment.start_s for segment in heard.segments] == sorted(segment.start_s for segment in heard.segments)
    for segment in heard.segments:
        near = [span for span in heard.voiced if span.channel == segment.channel]
        assert any(span.start_s - 0.3 <= segment.start_s and segment.start_s < span.end_s for span in near)
        assert segment.words[0].start_s == segment.start_s
        assert segment.words[-1].end_s == segment.end_s
        assert [word.start for word in segment.words] == sorted({word.start for word in segment.words})
        for word in segment.words:
            assert segment.text[word.start : word.end].strip()
            assert segment.start_s <= word.start_s <= word.end_s <= segment.end_s
            assert 0.0 <= word.confidence <= 1.0


def test_a_transcript_does_not_depend_on_its_neighbours_or_on_the_batch(engine: Engine, call: Decoded, heard: Transcript) -> None:
    other = cut(decode(samples_dir() / "S004.wav"), 20.0)
    assert list(engine.transcribe_many([other, call]))[1] == heard
    assert next(iter(open_engine(replace(SETTINGS, batch=1)).transcribe_many([call, other]))) == heard


def test_silence_and_noise_say_nothing(engine: Engine) -> None:
    noise = np.random.default_rng(7).normal(0, 300, (1, 16000 * 12)).astype(np.int16)
    quiet, noisy = engine.transcribe_many([made(np.zeros((2, 16000 * 5), dtype=np.int16)), made(noise)])
    assert (quiet.segments, quiet.voiced, quiet.uncovered, quiet.dropped) == ((), (), (), ())
    assert noisy.segments == ()


def test_a_span_is_heard_again_alone_and_always_the_same(engine: Engine, call: Decoded) -> None:
    span = ChannelSpan(channel=0, start_s=15.2, end_s=20.6)
    request = (span, ("工号", "机主本人"))
    (readings,) = engine.listen_again(call, [request])
    assert len(readings) > 1
    assert len({reading.text for reading in readings}) == len(readings)
    assert "机主本人" in normalise(readings[0].text).text
    assert all(15.2 <= reading.start_s < reading.end_s <= 20.6 for reading in readings)
    assert all(0 < reading.confidence <= 1 and reading.words == () for reading in readings)
    beside = [(replace(span, start_s=2.0), ("工号", "机主本人")), request, (replace(span, start_s=33.99, end_s=50.0), ())]
    assert engine.listen_again(call, beside)[1:] == (readings, ())


def test_worker_processes_hear_the_same(engine: Engine, tmp_path: Path) -> None:
    path = min(samples_dir().glob("S*.wav"), key=lambda one: one.stat().st_size)
    (tmp_path / "broken.wav").write_text("not audio")
    [good, bad] = transcribe_files([("a", path), ("b", tmp_path / "broken.wav")], replace(SETTINGS, workers=2))
    assert (good.key, good.transcript) == ("a", next(iter(engine.transcribe_many([decode(path)]))))
    assert (bad.key, bad.transcript, bad.error.stage if bad.error else "") == ("b", None, "intake")
