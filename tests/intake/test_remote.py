"""Recordings that fsspec reads: listed, named, copied; every trouble told with the address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import fsspec
import pytest

from qa_pipeline.errors import AudioError, ConfigError, ManifestError
from qa_pipeline.identify import identify
from qa_pipeline.intake import remote
from qa_pipeline.intake.decode import audio_hash, decode
from qa_pipeline.resources import samples_dir
from qa_pipeline.source import open_source
from qa_pipeline.store import open_store

BUCKET = "memory://centre/day"


@pytest.fixture
def bucket() -> Iterator[str]:
    """Two sample calls and what else lies about."""
    files = fsspec.filesystem("memory")
    for name in ("S001.wav", "late/S010.wav"):
        files.pipe(f"/centre/day/{name}", (samples_dir() / Path(name).name).read_bytes())
    files.pipe("/centre/day/notes.txt", b"x")
    files.pipe("/centre/day/.trash/S002.wav", b"x")
    yield BUCKET
    files.rm("/centre", recursive=True)


def test_what_a_url_is() -> None:
    assert [remote.is_url(text) for text in ("s3://a/b", "file:///a", "C://a", "C:\\a", "/a/b", "a", "day 10:03://")] == [
        True,
        True,
        False,
        False,
        False,
        False,
        False,
    ]
    assert remote.location("s3://a/b/", "c/d.wav") == "s3://a/b/c/d.wav"
    assert remote.location("/a/b", "c/d.wav") == "/a/b/c/d.wav"


def test_a_folder_without_a_manifest_is_listed(bucket: str) -> None:
    assert remote.names(bucket) == [PurePosixPath("S001.wav"), PurePosixPath("late/S010.wav"), PurePosixPath("notes.txt")]
    source = open_source(bucket, None, {})
    assert [(call.call_id, call.file) for call in source.calls] == [("S001", "S001.wav"), ("late-S010", "late/S010.wav")]
    assert (source.base, source.name, source.warnings) == (bucket, bucket, ())


def test_a_manifest_lies_beside_the_recordings_or_on_this_machine(bucket: str, tmp_path: Path) -> None:
    rows = "call_id,file,agent_id\nA,S001.wav,8012\n,,\nB,,1\n"
    fsspec.filesystem("memory").pipe("/centre/day/manifest.csv", rows.encode())
    beside = open_source(bucket, None, {})
    assert [(call.call_id, call.agent_id) for call in beside.calls] == [("A", "8012")]
    assert [(problem.path, problem.line) for problem in beside.warnings] == [(f"{bucket}/manifest.csv", 4)]
    (tmp_path / "mine.csv").write_text("file\nlate/S010.wav\n", encoding="utf-8")
    mine = open_source(bucket, tmp_path / "mine.csv", {})
    assert (mine.base, [call.file for call in mine.calls]) == (bucket, ["late/S010.wav"])


def test_recordings_are_named_by_content_and_read_again_only_when_changed(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path / "qa.duckdb")
    calls = open_source(bucket, None, {}).calls
    found, failures = identify(calls, bucket, store)
    assert [(one.path, one.audio_hash) for one in found] == [
        (f"{bucket}/S001.wav", audio_hash(samples_dir() / "S001.wav")),
        (f"{bucket}/late/S010.wav", audio_hash(samples_dir() / "S010.wav")),
    ]
    assert failures == []
    fsspec.filesystem("memory").pipe("/centre/day/S001.wav", b"another")
    read: list[str] = []
    real = remote.audio_hash
    monkeypatch.setattr(remote, "audio_hash", lambda url: read.append(url) or real(url))
    again, _ = identify(calls, bucket, store)
    assert read == [f"{bucket}/S001.wav"]
    assert again[0].audio_hash != found[0].audio_hash and again[1] == found[1]


def test_a_copy_lives_as_long_as_the_block(bucket: str) -> None:
    with remote.local(f"{bucket}/S001.wav") as path:
        assert decode(path).recording.audio_hash == audio_hash(samples_dir() / "S001.wav")
        assert path.name == "S001.wav"
    assert not path.exists() and not path.parent.exists()
    with remote.local(str(samples_dir() / "S001.wav")) as path:
        assert path == samples_dir() / "S001.wav"


def test_trouble_is_told_with_the_address(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AudioError, match=f"{bucket}/gone.wav：找不到录音文件"):
        remote.audio_hash(f"{bucket}/gone.wav")
    _, failures = identify(open_source(bucket, None, {}).calls, "memory://other", open_store(tmp_path / "qa.duckdb"))
    assert [failure.message.split("：")[0] for failure in failures] == ["memory://other/S001.wav", "memory://other/late/S010.wav"]
    with pytest.raises(ConfigError, match="nosuch://a：不认识这种地址"):
        open_source("nosuch://a", None, {})
    with pytest.raises(ConfigError, match=r"s3://a：读这种地址还缺一个程序包.*pip install s3fs"):
        open_source("s3://a", None, {})
    with pytest.raises(ManifestError, match="memory://centre/empty：文件夹里没有录音"):
        open_source("memory://centre/empty", None, {})
    with monkeypatch.context() as patch:
        patch.setitem(__import__("sys").modules, "fsspec.core", None)
        with pytest.raises(ConfigError, match=r"pip install 'qa-pipeline\[ray\]'"):
            open_source(bucket, None, {})
