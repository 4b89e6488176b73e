"""Which recording is which: files are named by the hash of their bytes, and hashed again only when size or time changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from qa_pipeline.errors import AudioError
from qa_pipeline.intake import remote
from qa_pipeline.model import CallData
from qa_pipeline.store import Failure, FileFact, Store

_KEEP = 500  # freshly hashed files are remembered in steps, so that an interrupted look over a slow share is not lost
_AT_ONCE = 8  # files looked at together: a network share or object storage answers each of them late, all of them no later
_GUESSED_BYTES_S = 16_000  # of a recording whose header is not looked at: 8 kHz, 16 bits, one channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """A call whose recording is there; ``path`` is absolute, or a URL."""

    call: CallData
    path: str
    audio_hash: str


def identify(
    calls: Iterable[CallData], base: str, store: Store, *, told: Callable[[], None] = lambda: None
) -> tuple[list[Identified], list[Failure]]:
    """Names the recordings of ``calls`` (relative to ``base``). A file that is missing or unreadable is a failure of its call."""
    wanted = [(call, remote.location(base, call.file or "")) for call in calls]
    known = store.file_facts(path for _, path in wanted)
    facts: dict[str, FileFact | AudioError] = {}
    fresh: list[FileFact] = []
    for path, fact in _facts(list(dict.fromkeys(path for _, path in wanted)), known):
        facts[path] = fact
        if isinstance(fact, FileFact) and known.get(path) != fact:
            fresh.append(fact)
        if len(fresh) >= _KEEP:
            store.put_file_facts(fresh)
            fresh = []
        told()
    if fresh:
        store.put_file_facts(fresh)
    found: list[Identified] = []
    failures: list[Failure] = []
    for call, path in wanted:
        fact = facts[path]
        if isinstance(fact, AudioError):
            failures.append(Failure(call_id=call.call_id, file=call.file or "", stage=fact.stage, message=str(fact)))
        else:
            found.append(Identified(call=call, path=path, audio_hash=fact.audio_hash))
    return found, failures


def unseen(calls: Iterable[CallData], base: str, store: Store) -> int:
    """How many recordings have never been looked at, by their names alone."""
    paths = {remote.location(base, call.file or "") for call in calls}
    return len(paths - store.file_facts(paths).keys())


def _facts(paths: list[str], known: dict[str, FileFact]) -> Iterator[tuple[str, FileFact | AudioError]]:
    """Each path with its fact, in order; read ahead by ``_AT_ONCE`` files."""
    from concurrent.futures import ThreadPoolExecutor

    def fact(path: str) -> FileFact | AudioError:
        try:
            return _fact(path, known.get(path))
        except AudioError as error:
            return error

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for begin in range(0, len(paths), _KEEP):  # in portions, so that Ctrl-C does not wait for all that is queued
            portion = paths[begin : begin + _KEEP]
            yield from zip(portion, pool.map(fact, portion), strict=True)


def _fact(path: str, known: FileFact | None) -> FileFact:
    from qa_pipeline.intake.decode import audio_hash

    far = remote.is_url(path)
    size, changed = remote.stat(path) if far else _stat(Path(path))
    if known is not None and (known.size, known.mtime_ns) == (size, changed):
        return known
    name = remote.audio_hash(path) if far else audio_hash(Path(path))
    return FileFact(path=path, size=size, mtime_ns=changed, audio_hash=name)


def _stat(path: Path) -> tuple[int, int]:
    from qa_pipeline.intake.decode import audio_hash

    try:
        status = path.stat()
    except OSError:
        audio_hash(path)  # says what is wrong
        raise AudioError(f"{path}：录音读不了；请检查文件后重新运行") from None
    return status.st_size, status.st_mtime_ns


def length_s(path: str) -> float:
    """Seconds by the file's header (of a URL: by its size), for the progress bar; 0 when that does not say."""
    import av

    from qa_pipeline.intake.decode import FORMATS

    try:
        if remote.is_url(path):
            return remote.stat(path)[0] / _GUESSED_BYTES_S
        with av.open(path, options={"format_whitelist": FORMATS, "protocol_whitelist": "file"}) as container:
            return max(0.0, container.duration / 1e6) if container.duration else 0.0
    except (av.error.FFmpegError, AudioError, ValueError, OSError):
        return 0.0
