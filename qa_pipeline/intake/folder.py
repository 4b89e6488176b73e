"""The list of calls of a folder of recordings that has no manifest: every recording is a call, named by its path."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from qa_pipeline.errors import ManifestError, Problem, reason_of
from qa_pipeline.intake.manifest import Manifest
from qa_pipeline.model import CallData

AUDIO_ENDINGS = frozenset(
    (
        ".wav",
        ".mp3",
        ".m4a",
        ".mp4",
        ".aac",
        ".ogg",
        ".oga",
        ".opus",
        ".amr",
        ".awb",
        ".3gp",
        ".flac",
        ".wma",
        ".au",
        ".caf",
        ".webm",
    )
)
_HEADS = (b"ID3", b"\xff\xfb", b"\xff\xf3", b"OggS", b"fLaC", b"#!AMR")


def scan_folder(folder: Path) -> Manifest:
    """All recordings under a folder, sorted by path within each folder; the call number is the path without its ending."""
    if not folder.is_dir():
        raise ManifestError(f"{folder}：没有这个文件夹；请检查路径")
    warnings: list[Problem] = []
    calls = named_calls(_walk(folder, PurePosixPath(), warnings))
    return Manifest(calls=calls, warnings=tuple(warnings), left_out=len(warnings))


def unlisted(folder: Path, base: Path, calls: Iterable[CallData]) -> tuple[str, ...]:
    """Recordings under a folder that no call of its manifest names; ``base`` is what the manifest's files are relative to."""
    listed = {os.path.abspath(base / (call.file or "")) for call in calls}  # noqa: PTH100 - links are names, they stay
    return tuple(str(file) for file in _walk(folder, PurePosixPath(), []) if os.path.abspath(folder / file) not in listed)  # noqa: PTH100


def is_recording(name: str) -> bool:
    """By its ending."""
    return PurePosixPath(name).suffix.lower() in AUDIO_ENDINGS


def _sounds(path: Path) -> bool:
    """By its first bytes, for a file without an ending."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False
    return head.startswith(_HEADS) or (head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE")


def named_calls(files: Iterable[PurePosixPath]) -> tuple[CallData, ...]:
    """A call for each recording, named by its path."""
    calls: list[CallData] = []
    seen: set[str] = set()
    for relative in files:
        call_id = "-".join(relative.with_suffix("").parts)
        if call_id in seen:  # 001.wav beside 001.mp3
            call_id = "-".join(relative.parts)
        seen.add(call_id)
        calls.append(CallData(call_id=call_id, file=str(relative)))
    return tuple(calls)


def _walk(folder: Path, relative: PurePosixPath, warnings: list[Problem]) -> Iterator[PurePosixPath]:
    """Depth first, one folder's names in memory at a time; hidden names and linked folders (loops) are passed over."""
    here = folder / relative
    try:
        with os.scandir(here) as listing:
            entries = sorted((entry for entry in listing if not entry.name.startswith(".")), key=lambda entry: entry.name)
    except OSError as error:
        warnings.append(Problem(path=str(here), line=0, col=0, message=f"文件夹读不了，已跳过：{reason_of(error)}"))
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder, relative / entry.name, warnings)
        elif entry.is_file() and (is_recording(entry.name) or ("." not in entry.name and _sounds(Path(entry.path)))):
            yield relative / entry.name
