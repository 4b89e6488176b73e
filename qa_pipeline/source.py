"""The calls of one folder (a path, or a URL of object storage): by its manifest, else by the recordings that lie there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.errors import ManifestError, Problem
from qa_pipeline.model import CallData

if TYPE_CHECKING:
    from qa_pipeline.intake.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The calls of one folder; files are relative to ``base``, a path or a URL."""

    base: str
    calls: tuple[CallData, ...]
    warnings: tuple[Problem, ...] = ()
    name: str = ""
    left_out: int = 0  # rows of the manifest (or folders) that could not be used, each of them told in ``warnings``
    unlisted: tuple[str, ...] = ()  # recordings in the folder that its manifest does not name: nobody asked for them


def open_source(folder: str | Path, manifest: Path | None, columns: dict[str, str]) -> Source:
    """The calls of a folder, by its manifest when there is one. Raises ManifestError with what to do when there are none."""
    from qa_pipeline.intake.folder import scan_folder, unlisted
    from qa_pipeline.intake.manifest import find_manifest, read_manifest
    from qa_pipeline.intake.remote import is_url

    if is_url(str(folder)):
        return _remote_source(str(folder), manifest, columns)
    folder = Path(folder)
    if not folder.is_dir():
        hint = "这是一个文件，请给出它所在的文件夹" if folder.exists() else "请检查路径"
        raise ManifestError(f"{folder}：没有这个文件夹；{hint}。")
    path = manifest or find_manifest(folder)
    found = read_manifest(path, columns) if path is not None else scan_folder(folder)
    base = path.parent if path is not None else folder
    more = unlisted(folder, base, found.calls) if path is not None else ()
    return replace(_source(str(base), str(path or folder), found, listed=path is not None), unlisted=more)


def _remote_source(folder: str, manifest: Path | None, columns: dict[str, str]) -> Source:
    """Recordings on object storage; the manifest lies beside them, or on this machine when it is named."""
    from qa_pipeline.intake.folder import is_recording, named_calls
    from qa_pipeline.intake.manifest import MANIFEST_NAMES, Manifest, read_manifest
    from qa_pipeline.intake.remote import local, location, names

    if manifest is not None:
        return _source(folder, str(manifest), read_manifest(manifest, columns), listed=True)
    files = names(folder)
    beside = next((name for name in MANIFEST_NAMES if any(str(file) == name for file in files)), None)
    if beside is None:
        calls = named_calls(file for file in files if is_recording(file.name))
        return _source(folder, folder, Manifest(calls=calls, warnings=()), listed=False)
    url = location(folder, beside)
    with local(url) as path:
        found = read_manifest(path, columns)
    warnings = tuple(replace(problem, path=url) for problem in found.warnings)
    listed = {call.file for call in found.calls}
    more = tuple(str(file) for file in files if is_recording(file.name) and str(file) not in listed)
    return replace(_source(folder, url, replace(found, warnings=warnings), listed=True), unlisted=more)


def _source(base: str, name: str, found: Manifest, *, listed: bool) -> Source:
    from qa_pipeline.intake.folder import AUDIO_ENDINGS

    if not found.calls:
        told = "".join(f"\n  {problem}" for problem in found.warnings[:10])
        if listed:
            raise ManifestError(f"{name}：清单里没有可以处理的通话。{told}")
        endings = " ".join(sorted(AUDIO_ENDINGS))
        raise ManifestError(f"{name}：文件夹里没有录音。支持的文件：{endings}；也可以放一份 manifest.csv。{told}")
    return Source(base=base, calls=found.calls, warnings=found.warnings, name=name, left_out=found.left_out)
