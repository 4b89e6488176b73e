"""The calls of one folder: by its manifest when there is one, else by the recordings that lie there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qa_pipeline.errors import ManifestError, Problem
from qa_pipeline.model import CallData


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The calls of one folder; files are relative to ``base``."""

    base: Path
    calls: tuple[CallData, ...]
    warnings: tuple[Problem, ...] = ()
    name: str = ""


def open_source(folder: Path, manifest: Path | None, columns: dict[str, str]) -> Source:
    """The calls of a folder, by its manifest when there is one. Raises ManifestError with what to do when there are none."""
    from qa_pipeline.intake.manifest import AUDIO_ENDINGS, find_manifest, read_manifest, scan_folder

    if not folder.is_dir():
        hint = "这是一个文件，请给出它所在的文件夹" if folder.exists() else "请检查路径"
        raise ManifestError(f"{folder}：没有这个文件夹；{hint}。")
    path = manifest or find_manifest(folder)
    found = read_manifest(path, columns) if path is not None else scan_folder(folder)
    if not found.calls:
        told = "".join(f"\n  {problem}" for problem in found.warnings[:10])
        if path is not None:
            raise ManifestError(f"{path}：清单里没有可以处理的通话。{told}")
        endings = " ".join(sorted(AUDIO_ENDINGS))
        raise ManifestError(f"{folder}：文件夹里没有录音。支持的文件：{endings}；也可以放一份 manifest.csv。{told}")
    base = path.parent if path is not None else folder
    return Source(base=base, calls=found.calls, warnings=found.warnings, name=str(path or folder))
