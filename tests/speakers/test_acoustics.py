import numpy as np
import pytest
from people import MAN, RATE, WOMAN, recorded, silence, talk

from qa_pipeline.intake.decode import Decoded
from qa_pipeline.model import ChannelSpan, Recording
from qa_pipeline.speakers.acoustics import measure
from qa_pipeline.speakers.encoder import ENCODER_SHA256, WINDOW_FRAMES, VoiceEncoder, mel_frames
from qa_pipeline.speakers.spans import Spans


def decoded(*channels: np.ndarray) -> Decoded:
    samples = np.stack(channels)
    recording = Recording(
        path="x.wav",
        audio_hash="0" * 64,
        duration_s=samples.shape[1] / RATE,
        sample_rate=RATE,
        channels=len(channels),
        codec="pcm_s16le",
    )
    return Decoded(recording=recording, samples=samples)


def everything(*channels: np.ndarray) -> list[ChannelSpan]:
    return [ChannelSpan(channel=number, start_s=0.0, end_s=len(row) / RATE) for number, row in enumerate(channels)]


def tone(hertz: float, seconds: float = 1.0, harmonics: int = 8, missing: int = 0) -> np.ndarray:
    at = np.arange(int(seconds * RATE)) / RATE
    sound = sum(np.sin(2 * np.pi * hertz * k * at) / k for k in range(1 + missing, harmonics + 1))
    return np.asarray(sound / np.abs(sound).max() * 12000, np.int16)


@pytest.mark.parametrize("hertz", [75.0, 110.0, 147.3, 220.0, 300.0, 400.0])
@pytest.mark.parametrize("missing", [0, 1])  # the telephone cuts off the lowest harmonic of men
def test_pitch_in_semitones_above_55_hz(hertz: float, missing: int) -> None:
    sound = tone(hertz, missing=missing)
    (row,) = measure(decoded(sound), everything(sound)).pitch_st
    wanted = 12 * np.log2(hertz / 55)
    assert len(row) == 10
    assert row[1:9] == pytest.approx([wanted] * 8, abs=0.15)


def test_noise_and_silence_have_no_pitch() -> None:
    noise = np.random.default_rng(1).normal(0, 3000, RATE).astype(np.int16)
    sound = np.concatenate([noise, np.zeros(RATE, np.int16)])
    assert measure(decoded(sound), everything(sound)).pitch_st == ((None,) * 20,)


def test_pitch_is_measured_in_speech_only_levels_everywhere() -> None:
    sound = tone(110.0, 2.0)
    acoustics = measure(decoded(sound, sound // 10), [ChannelSpan(channel=0, start_s=0.5, end_s=1.2)])
    assert acoustics.hop_s == 0.1
    assert [index for index, pitch in enumerate(acoustics.pitch_st[0]) if pitch is not None] == [5, 6, 7, 8, 9, 10, 11]
    assert acoustics.pitch_st[1] == (None,) * 20
    assert set(acoustics.level_db[0]) == {acoustics.level_db[0][0]}
    assert acoustics.level_db[0][5] - acoustics.level_db[1][5] == pytest.approx(20.0, abs=0.2)


def test_two_channels_that_both_talk_have_no_voices() -> None:
    agent, customer = recorded(talk(MAN, 4, 1)), recorded(talk(WOMAN, 4, 2))
    assert measure(decoded(agent, customer), everything(agent, customer)).voices == ()


def test_two_people_on_one_of_two_channels_are_voices_one_person_is_not() -> None:
    both = recorded(talk(MAN, 4, 1), silence(0.5), talk(WOMAN, 4, 2), silence(0.5), talk(MAN, 4, 3))
    speech = [ChannelSpan(channel=1, start_s=start, end_s=start + 4) for start in (0.0, 4.5, 9.0)]
    acoustics = measure(decoded(np.zeros_like(both), both), speech)
    assert [span.voice for span in acoustics.voices] == [0, 1, 0]
    alone = recorded(talk(MAN, 4, 1), silence(0.5), talk(MAN, 4, 2), silence(0.5), talk(MAN, 4, 3))
    assert measure(decoded(np.zeros_like(alone), alone), speech).voices == ()
    assert [span.voice for span in measure(decoded(alone), [ChannelSpan(channel=0, start_s=0.0, end_s=4.0)]).voices] == [0]


def test_an_empty_recording() -> None:
    acoustics = measure(decoded(np.zeros(0, np.int16)), [])
    assert (acoustics.level_db, acoustics.pitch_st, acoustics.voices) == (((),), ((),), ())


def test_mel_frames_are_those_of_librosa() -> None:
    """Values of librosa 0.11.0: ``melspectrogram(y=x, sr=16000, n_fft=400, hop_length=160, n_mels=40)``."""
    noise = np.random.default_rng(7)
    at = np.arange(16000) / 16000
    sound = 0.2 * np.sin(2 * np.pi * 440 * at) + 0.1 * np.sin(2 * np.pi * 2500 * at * (1 + at / 10)) + noise.normal(0, 0.01, 16000)
    mels = mel_frames(sound.astype(np.float32))
    assert mels.shape == (101, 40)
    assert mels[np.ix_((0, 50, 100), (0, 6, 12, 22, 39))] == pytest.approx(
        np.array(
            [
                [0.035552, 0.65154, 0.001684, 0.0021089, 0.00012759],
                [0.0006618, 0.74032, 0.00018394, 0.00017143, 0.00043412],
                [0.038798, 0.65575, 0.0021097, 0.00072288, 0.00038527],
            ]
        ),
        rel=1e-3,
    )


def test_vectors_have_unit_length_and_do_not_depend_on_the_batch() -> None:
    mels = mel_frames(recorded(talk(MAN, 4, 1)).astype(np.float32) / 32768)
    windows = np.stack([mels[start : start + WINDOW_FRAMES] for start in range(0, 240, 3)])
    encoder = VoiceEncoder()
    together = encoder.vectors(windows)
    assert together.shape == (80, 256)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(80), abs=1e-5)
    assert np.abs(encoder.vectors(windows[70:71]) - together[70:71]).max() < 1e-6
    assert encoder.vectors(windows[:0]).shape == (0, 256)


def test_a_damaged_network_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from qa_pipeline.errors import ModelError
    from qa_pipeline.speakers import encoder

    monkeypatch.setattr(encoder, "ENCODER_SHA256", ENCODER_SHA256[::-1])
    with pytest.raises(ModelError, match="声纹模型文件已损坏.*重新安装"):  # noqa: RUF043
        VoiceEncoder()


def test_spans() -> None:
    spans = Spans([(3.0, 4.0), (0.0, 1.0), (0.5, 2.0), (5.0, 5.0)])
    assert list(spans) == [(0.0, 2.0), (3.0, 4.0)]
    assert spans.total_s == 3.0
    assert spans.clip(1.5, 3.5) == [(1.5, 2.0), (3.0, 3.5)]
    assert spans.minus(1.5, 5.0) == [(2.0, 3.0), (4.0, 5.0)]
    assert (spans.clip(2.0, 3.0), spans.minus(0.5, 1.5), bool(Spans([]))) == ([], [], False)
