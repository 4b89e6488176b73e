import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from sounds import chords, silence, voice, write

from qa_pipeline.errors import AudioError
from qa_pipeline.intake import decode as module
from qa_pipeline.intake.decode import audio_hash, decode
from qa_pipeline.intake.levels import levels_db
from qa_pipeline.model import Fitness, FitnessFact, Recording

FORMATS = [
    ("call.wav", "pcm_s16le", 8000, "pcm_s16le"),
    ("call.wav", "pcm_s16le", 48000, "pcm_s16le"),
    ("call.wav", "pcm_s16le", 11025, "pcm_s16le"),
    ("call.wav", "pcm_mulaw", 8000, "pcm_mulaw"),
    ("call.wav", "pcm_alaw", 8000, "pcm_alaw"),
    ("call.mp3", "libmp3lame", 8000, "mp3float"),
    ("call.mp3", "libmp3lame", 16000, "mp3float"),
    ("call.m4a", "aac", 16000, "aac"),
    ("call.ogg", "libopus", 48000, "opus"),
    ("call.opus", "libopus", 16000, "opus"),
]


def lag_and_likeness(reference: np.ndarray, heard: np.ndarray) -> tuple[int, float]:
    """Delay in samples and correlation of two signals at it."""
    size = 1 << int(np.ceil(np.log2(len(reference) + len(heard))))
    cross = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(reference, size)), size)
    lag = int(cross.argmax())
    return lag if lag < size // 2 else lag - size, float(cross.max() / np.sqrt((reference @ reference) * (heard @ heard)))


@pytest.mark.parametrize(("name", "codec", "rate", "heard_as"), FORMATS)
def test_every_format_gives_both_channels_apart_at_16_khz(tmp_path: Path, name: str, codec: str, rate: int, heard_as: str) -> None:
    left, right = voice(4, 1, rate), voice(4, 2, rate, 210.0)
    path = write(tmp_path / name, [left, right], rate, codec)
    decoded = decode(path)
    recording = decoded.recording
    assert (recording.codec, recording.channels, recording.fitness) == (heard_as, 2, ())
    assert recording.audio_hash == hashlib.sha256(path.read_bytes()).hexdigest() == audio_hash(path)
    assert decoded.samples.dtype == np.int16
    assert decoded.samples.shape == (2, round(recording.duration_s * 16000))
    assert abs(recording.duration_s - 4) < 0.15
    for source, other, samples in ((left, right, decoded.samples[0]), (right, left, decoded.samples[1])):
        at_16k = np.interp(np.arange(4 * 16000) / 16000, np.arange(len(source)) / rate, source)
        lag, likeness = lag_and_likeness(at_16k, samples.astype(float))
        assert likeness > 0.95
        assert abs(lag) < 0.1 * 16000  # encoders' own delay; the plain ones have none
        assert abs(lag) <= 2 or not codec.startswith("pcm")
        at_16k = np.interp(np.arange(4 * 16000) / 16000, np.arange(len(other)) / rate, other)
        assert lag_and_likeness(at_16k, samples.astype(float))[1] < 0.2


def test_amr_narrow_band(tmp_path: Path) -> None:
    path = write(tmp_path / "call.amr", [voice(4, 1)], 8000, "libopencore_amrnb")
    decoded = decode(path)
    assert (decoded.recording.codec, decoded.recording.channels, decoded.recording.sample_rate) == ("amrnb", 1, 8000)
    assert decoded.samples.shape == (1, round(decoded.recording.duration_s * 16000))
    assert 3.9 < decoded.recording.duration_s < 4.1


def test_a_plain_file_is_described_completely(tmp_path: Path) -> None:
    path = write(tmp_path / "call.wav", [voice(5, 1)], 16000)
    assert decode(path).recording == Recording(
        path=str(path), audio_hash=audio_hash(path), duration_s=2.5, sample_rate=16000, channels=1, codec="pcm_s16le",
        fitness=(FitnessFact(kind=Fitness.TOO_SHORT, value=2.5, message="录音只有 2.5 秒"),),
    )  # fmt: skip


@pytest.mark.parametrize(("codec", "name"), [("pcm_mulaw", "a.wav"), ("libmp3lame", "a.mp3")])
def test_two_channels_with_one_signal_become_one(tmp_path: Path, codec: str, name: str) -> None:
    same = voice(5, 1)
    decoded = decode(write(tmp_path / name, [same, (same * 0.5).astype(np.int16)], 8000, codec))
    assert decoded.recording.channels == 1
    assert decoded.samples.shape[0] == 1
    assert [fact.kind for fact in decoded.recording.fitness] == [Fitness.DUAL_MONO]
    assert decoded.recording.fitness[0].value > 0.99
    single = decode(write(tmp_path / f"single-{name}", [same], 8000, codec))
    assert abs(float(levels_db(decoded.samples).max()) - float(levels_db(single.samples).max())) < 0.5  # the louder one is kept


def test_a_dead_channel_is_not_dual_mono(tmp_path: Path) -> None:
    decoded = decode(write(tmp_path / "a.wav", [voice(5, 1), silence(5)]))
    assert decoded.recording.channels == 2
    assert decoded.recording.fitness == (
        FitnessFact(kind=Fitness.NEAR_SILENCE, channel=1, value=-100.0, message="声道 1 几乎没有声音（-100 dBFS）"),
    )


@pytest.mark.parametrize("name", ["10:03.wav", "a b%03d.wav", "-x.wav", "concat:录音.wav"])
def test_any_file_name_is_a_file_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    write(tmp_path / "plain.wav", [voice(4, 1)]).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert decode(Path(name)).recording.duration_s == 4.0


def test_a_long_recording_lives_in_a_temporary_file_with_the_same_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.wav", [voice(12, 1), voice(12, 2)])
    short = decode(path)
    monkeypatch.setattr(module, "MEMORY_S", 3)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    long = decode(path)
    assert isinstance(long.samples.base, np.memmap) or isinstance(long.samples, np.memmap)
    assert np.array_equal(long.samples, short.samples)
    assert long.recording == short.recording
    assert list(temporary.iterdir()) == []  # nothing is left behind, even when the process is killed


def test_no_room_for_the_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.wav", [voice(12, 1)])
    monkeypatch.setattr(module, "MEMORY_S", 3)
    monkeypatch.setattr("tempfile.TemporaryFile", lambda: open("/dev/full", "wb", buffering=0))  # noqa: SIM115, PTH123
    with pytest.raises(AudioError, match="临时文件写不下（磁盘已满）；请清理临时目录"):
        decode(path)


def test_truncated_wav_is_read_as_far_as_it_goes_and_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", [voice(10, 1)])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])
    recording = decode(path).recording
    assert abs(recording.duration_s - 6.0) < 0.1
    assert [fact.kind for fact in recording.fitness] == [Fitness.TRUNCATED]
    assert abs(recording.fitness[0].value - 4.0) < 0.1
    assert recording.fitness[0].message == f"文件不完整：应有 10.0 秒，只读到 {recording.duration_s:.1f} 秒"


def test_a_recorder_that_left_the_length_open_is_not_truncated(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", [voice(5, 1)])
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(bytes(data))
    recording = decode(path).recording
    assert (recording.duration_s, recording.fitness) == (5.0, ())


HALVES = [  # what a file cut in half says of its length: 20 s, or nothing
    ("a.mp3", "libmp3lame", 8000, "应有 20.0 秒，只读到 9.9 秒"),
    ("a.mp3", "libmp3lame", 16000, "应有 20.0 秒，只读到 9.9 秒"),
    ("a.w64", "pcm_s16le", 8000, "应有 20.0 秒，只读到 10.0 秒"),
    ("a.caf", "pcm_s16le", 8000, "应有 20.0 秒，只读到 10.0 秒"),
    ("a.aiff", "pcm_s16be", 8000, "应有 20.0 秒，只读到 10.0 秒"),
    ("a.au", "pcm_s16be", 8000, "应有 20.0 秒，只读到 10.0 秒"),
    ("a.flac", "flac", 8000, "应有 20.0 秒，只读到 9.5 秒"),
    ("a.webm", "libopus", 48000, "应有 20.0 秒，只读到 10.1 秒"),
    ("a.ogg", "libopus", 48000, "后面断了，有多长不清楚；只读到 10.0 秒"),
    ("a.aac", "aac", 16000, "后面断了，有多长不清楚；只读到 10.0 秒"),
    ("a.amr", "libopencore_amrnb", 8000, "后面断了，有多长不清楚；只读到 10.0 秒"),
]


@pytest.mark.parametrize(("name", "codec", "rate", "told"), HALVES)
def test_half_a_file_is_read_as_far_as_it_goes_and_says_so(tmp_path: Path, name: str, codec: str, rate: int, told: str) -> None:
    path = write(tmp_path / name, [voice(20, 1, rate)], rate, codec)
    assert decode(path).recording.fitness == ()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    recording = decode(path).recording
    assert abs(recording.duration_s - 10) < 0.6
    assert [(fact.kind, fact.message) for fact in recording.fitness] == [(Fitness.TRUNCATED, f"文件不完整：{told}")]


def test_half_a_long_wav_is_read_as_far_as_it_goes_and_says_so(tmp_path: Path) -> None:
    """RF64, which recorders write past 4 GB: the sizes are in a chunk of their own."""
    sound = voice(10, 1).tobytes()
    head = b"RF64" + b"\xff" * 4 + b"WAVE" + b"ds64" + (28).to_bytes(4, "little")
    head += (len(sound) + 72).to_bytes(8, "little") + len(sound).to_bytes(8, "little") + bytes(12)
    head += b"fmt " + (16).to_bytes(4, "little") + bytes.fromhex("01000100401f0000803e000002001000") + b"data" + b"\xff" * 4
    path = tmp_path / "a.wav"
    path.write_bytes(head + sound)
    assert decode(path).recording.fitness == ()
    path.write_bytes((head + sound)[: len(sound) // 2 + len(head)])
    assert [fact.message for fact in decode(path).recording.fitness] == ["文件不完整：应有 10.0 秒，只读到 5.0 秒"]


def test_an_mp3_that_counts_no_frames_has_no_length_to_miss(tmp_path: Path) -> None:
    """Its bit rate varies, and FFmpeg guesses from the first frames: that is no promise of the file's."""
    whole = write(tmp_path / "a.mp3", [voice(20, 1)], 8000, "libmp3lame").read_bytes()
    header = whole.index(b"Info") - 13
    frame = whole.index(b"\xff\xe3", header + 4)
    path = tmp_path / "plain.mp3"
    path.write_bytes(whole[frame:])
    assert decode(path).recording.fitness == ()


def broken_m4a(folder: Path) -> Path:
    path = write(folder / "a.m4a", [voice(5, 1, 16000)], 16000, "aac")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])  # its index is at the end
    return path


def named(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda folder: folder / "none.wav", "找不到录音文件"),
        (lambda folder: folder, "这是文件夹"),
        (lambda folder: named(folder, "empty.wav", b""), "文件是空的"),
        (lambda folder: named(folder, "text.wav", "这不是录音\n".encode() * 50), "不是可识别的录音"),
        (lambda folder: named(folder, "list.wav", b"#EXTM3U\n#EXTINF:5,\n/etc/passwd\n"), "不是可识别的录音"),
        (lambda folder: named(folder, "noise.mp3", bytes(range(256)) * 4), "不是可识别的录音"),
        (lambda folder: write(folder / "zero.wav", [silence(0.001)]), "没有声音内容"),
        (broken_m4a, "不是可识别的录音，或文件不完整"),
    ],
)
def test_what_is_no_recording_says_why(tmp_path: Path, make, wanted: str) -> None:
    with pytest.raises(AudioError, match=wanted) as caught:
        decode(make(tmp_path))
    assert caught.value.stage == "intake"
    assert "请" in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", [voice(1, 1)])
    path.chmod(0)
    with pytest.raises(AudioError, match="没有读取权限"):
        decode(path)


def test_more_than_two_channels_are_refused(tmp_path: Path) -> None:
    import av

    path = tmp_path / "four.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="quad")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4 * 8000), np.int16), format="s16", layout="quad")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(AudioError, match="录音有 4 个声道"):
        decode(path)


def test_music_only(tmp_path: Path) -> None:
    recording = decode(write(tmp_path / "music.wav", [chords(20)])).recording
    assert [(fact.kind, fact.value) for fact in recording.fitness] == [(Fitness.MUSIC, 20.0)]
