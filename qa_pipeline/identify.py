"""Which recording is which: files are named by the hash of their bytes, and hashed again only when size or time changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from qa_pipeline.errors import AudioError
from qa_pipeline.model import CallData
from qa_pipeline.store import Failure, FileFact, Store

_KEEP = 500  # freshly hashed files are remembered in steps, so that an interrupted look over a slow share is not lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """A call whose recording is there; ``path`` is absolute."""

    call: CallData
    path: Path
    audio_hash: str


def identify(
    calls: Iterable[CallData], base: Path, store: Store, *, told: Callable[[], None] = lambda: None
) -> tuple[list[Identified], list[Failure]]:
    """Names the recordings of ``calls`` (relative to ``base``). A file that is missing or unreadable is a failure of its call."""
    from qa_pipeline.intake.decode import audio_hash

    wanted = [(call, _absolute(base, call.file or "")) for call in calls]
    known = store.file_facts(str(path) for _, path in wanted)
    found: list[Identified] = []
    failures: list[Failure] = []
    fresh: dict[str, FileFact] = {}
    for call, path in wanted:
        try:
            fact = _fact(path, known.get(str(path)) or fresh.get(str(path)), audio_hash)
        except AudioError as error:
            failures.append(Failure(call_id=call.call_id, file=call.file or "", stage=error.stage, message=str(error)))
            continue
        if known.get(str(path)) != fact:
            fresh[str(path)] = fact
        if len(fresh) >= _KEEP:
            store.put_file_facts(list(fresh.values()))
            known |= fresh
            fresh = {}
        found.append(Identified(call=call, path=path, audio_hash=fact.audio_hash))
        told()
    if fresh:
        store.put_file_facts(list(fresh.values()))
    return found, failures


def _absolute(base: Path, file: str) -> Path:
    return Path(base, file).absolute()


def _fact(path: Path, known: FileFact | None, audio_hash: Callable[[Path], str]) -> FileFact:
    try:
        status = path.stat()
    except OSError:
        audio_hash(path)  # says what is wrong
        raise AudioError(f"{path}：录音读不了；请检查文件后重新运行") from None
    if known is not None and (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns):
        return known
    return FileFact(path=str(path), size=status.st_size, mtime_ns=status.st_mtime_ns, audio_hash=audio_hash(path))


def length_s(path: Path) -> float:
    """Seconds by the file's header, for the progress bar; 0 when the header does not say."""
    import av

    from qa_pipeline.intake.decode import FORMATS

    try:
        with av.open(str(path), options={"format_whitelist": FORMATS, "protocol_whitelist": "file"}) as container:
            return max(0.0, container.duration / 1e6) if container.duration else 0.0
    except (av.error.FFmpegError, ValueError, OSError):
        return 0.0


def lengths_s(items: Sequence[Identified]) -> dict[Path, float]:
    return {item.path: length_s(item.path) for item in items}
