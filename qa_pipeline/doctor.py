"""``qa doctor``: is everything here that an audit needs, and what to do when it is not. Nothing is changed, nothing is fetched."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from qa_pipeline.errors import QaError

if TYPE_CHECKING:
    from qa_pipeline.config import Settings

NEEDED = (
    "faster-whisper",
    "ctranslate2",
    "onnxruntime",
    "av",
    "numpy",
    "soxr",
    "pydub",
    "jieba",
    "rapidfuzz",
    "duckdb",
)
_LOW_DISK_GB = 2.0
_OLDEST = (3, 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    name: str
    state: Literal["ok", "warn", "bad"]
    detail: str


def examine(settings: Settings) -> list[Check]:
    """All checks, in the order in which a newcomer would meet the troubles."""
    checks: tuple[tuple[str, Callable[[Settings], Check]], ...] = (
        ("程序", _program),
        ("依赖", _dependencies),
        ("规则与政策", _rules),
        ("识别模型", _model),
        ("试听", _smoke),
        ("数据库", _store),
        ("磁盘", _disk),
    )
    return [_guarded(name, check, settings) for name, check in checks]


def _guarded(name: str, check: Callable[[Settings], Check], settings: Settings) -> Check:
    """A check that fails is its finding."""
    try:
        return check(settings)
    except QaError as error:
        return Check(name=name, state="bad", detail=str(error))
    except Exception as error:  # whatever is broken here is what the reader wants to know
        return Check(name=name, state="bad", detail=f"{type(error).__name__}：{error}")


def _program(settings: Settings) -> Check:
    from qa_pipeline import __version__

    detail = f"qa-pipeline {__version__}，Python {platform.python_version()}，{platform.system()} {platform.machine()}"
    if sys.version_info < _OLDEST:
        return Check(name="程序", state="bad", detail=f"{detail}；需要 Python 3.11 或更高")
    return Check(name="程序", state="ok", detail=detail)


def _dependencies(settings: Settings) -> Check:
    missing, found = [], []
    for name in NEEDED:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check(name="依赖", state="bad", detail=f"缺少 {'、'.join(missing)}；请运行 pip install --upgrade qa-pipeline")
    return Check(name="依赖", state="ok", detail="，".join(found))


def _rules(settings: Settings) -> Check:
    from qa_pipeline.policy import load_policy
    from qa_pipeline.rules.load import load_book

    book = load_book(settings.rules_folder(), settings.lexicons_folder())
    policy = load_policy(settings.policy_file())
    clauses = sorted({rule.clause for rule in book.rules})
    unpriced = [clause for clause in clauses if policy.clause(clause) is None]
    detail = f"{len(book.rules)} 条规则，{len(policy.file.clauses)} 条考核政策，来自 {settings.rules_folder()}"
    if unpriced:
        return Check(name="规则与政策", state="warn", detail=f"{detail}；{'、'.join(unpriced)} 没有写考核政策，只提示不扣分")
    return Check(name="规则与政策", state="ok", detail=detail)


def _model(settings: Settings) -> Check:
    from qa_pipeline.asr.engines import open_engine

    info = open_engine(settings.asr).info
    return Check(name="识别模型", state="ok", detail=f"{info.name} {info.model}，校验值 {info.model_hash[:16]}")


def _smoke(settings: Settings) -> Check:
    """A sample call through decoder and recogniser: words must come out."""
    import time

    from qa_pipeline.asr.engines import open_engine
    from qa_pipeline.intake.decode import decode
    from qa_pipeline.resources import samples_dir

    sample = min(samples_dir().glob("S*.*"), key=lambda path: (path.stat().st_size, path.name), default=None)
    if sample is None:
        return Check(name="试听", state="warn", detail="没有示例录音，没有试听")
    began = time.monotonic()
    decoded = decode(sample)
    transcript = next(iter(open_engine(settings.asr).transcribe_many([decoded])))
    spent = time.monotonic() - began
    characters = sum(len(segment.text) for segment in transcript.segments)
    if not characters:
        return Check(name="试听", state="bad", detail=f"{sample.name} 里没有听到字；模型可能不完整，请运行 qa models verify")
    detail = f"{sample.name} 听到 {characters} 字，{decoded.recording.duration_s:.0f} 秒录音用了 {spent:.1f} 秒（含装载模型）"
    return Check(name="试听", state="ok", detail=detail)


def _store(settings: Settings) -> Check:
    from qa_pipeline.store import open_store

    refused = _refused(settings.db)
    if not settings.db.exists():
        if refused:
            return Check(name="数据库", state="bad", detail=f"{settings.db} 还没有，也建不了：{refused}")
        return Check(name="数据库", state="ok", detail=f"{settings.db} 还没有，第一次运行时建立")
    with open_store(settings.db, patience_s=1.0).read() as connection:
        calls, runs = connection.execute("SELECT count(DISTINCT call_id), count(*) FROM current_runs").fetchone() or (0, 0)
    size = settings.db.stat().st_size / 1e6
    detail = f"{settings.db}：{calls} 通电话，{runs} 个有效判定，{size:.1f} MB"
    return Check(
        name="数据库", state="bad" if refused else "ok", detail=f"{detail}；只能看，不能写：{refused}" if refused else detail
    )


def _refused(db: Path) -> str:
    """What stands in the way of writing the database; empty when nothing does. The file is opened and left as it is, and a
    nameless one proves its folder, where the write-ahead log is put."""
    import tempfile

    folder = _folder_of(db)
    try:
        place: Path = folder
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"qa")
            file.flush()
        if db.is_file():
            place = db
            with db.open("r+b"):
                pass
    except OSError as error:
        return f"{place} 写不进去（{error.strerror}）。请检查权限，或用 --db 换一个位置"
    return ""


def _folder_of(db: Path) -> Path:
    """Where the database is or will be; its nearest parent that is there already."""
    folder = db.absolute().parent
    while not folder.exists():
        folder = folder.parent
    return folder


def _disk(settings: Settings) -> Check:
    import tempfile

    folder = _folder_of(settings.db)
    free = {str(place): shutil.disk_usage(place).free / 1e9 for place in (folder, Path(tempfile.gettempdir()))}
    detail = "，".join(f"{place} 剩 {room:.1f} GB" for place, room in free.items())
    if min(free.values()) < _LOW_DISK_GB:
        return Check(name="磁盘", state="warn", detail=f"{detail}；少于 {_LOW_DISK_GB:g} GB，长录音和大批量可能写不下")
    return Check(name="磁盘", state="ok", detail=detail)
