"""Recordings on object storage, or wherever fsspec reads: named by their URL, copied to a temporary file to be decoded.

A *location* is what the pipeline calls a recording by: an absolute path of this machine, or a URL.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from qa_pipeline.errors import AudioError, ConfigError, ManifestError, reason_of

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")  # two letters at least: one letter is a Windows drive
_BLOCK = 1 << 20


def is_url(location: str) -> bool:
    return _URL.match(location) is not None


def location(base: str, file: str) -> str:
    """A file of a folder (path or URL), as an absolute path or a URL."""
    return f"{base.rstrip('/')}/{file}" if is_url(base) else str(Path(base, file).absolute())


def names(folder: str) -> list[PurePosixPath]:
    """All files below a folder URL, relative to it, sorted; hidden ones left out. Raises ManifestError, ConfigError."""
    files, root = _filesystem(folder)
    root = root.rstrip("/")
    try:
        found = [PurePosixPath(path[len(root) :].lstrip("/")) for path in files.find(root)]
    except Exception as error:  # every kind of storage has its own errors
        raise ManifestError(f"{folder}：打不开（{_reason(error)}）。请检查地址、网络和访问密钥。") from error
    return sorted(name for name in found if not any(part.startswith(".") for part in name.parts))


def stat(url: str) -> tuple[int, int]:
    """Size in bytes, and a number that is another one when the file was written again. Raises AudioError."""
    files, path = _filesystem(url)
    try:
        return int(files.size(path) or 0), int(files.ukey(path)[:15], 16)
    except Exception as error:
        raise _unreadable(url, error) from error


def audio_hash(url: str) -> str:
    """As ``decode.audio_hash``, read in blocks, nothing kept. Raises AudioError."""
    digest = hashlib.sha256()
    for block in _blocks(url):
        digest.update(block)
    return digest.hexdigest()


@contextmanager
def local(location: str) -> Iterator[Path]:
    """The recording as a file of this machine: the path itself, or a copy that is gone after the block. Raises AudioError."""
    import tempfile

    if not is_url(location):
        yield Path(location)
        return
    with tempfile.TemporaryDirectory(prefix="qa-fetch-") as folder:  # readable by this user only
        path = Path(folder) / PurePosixPath(location).name
        try:
            with path.open("wb") as copy:
                for block in _blocks(location):
                    copy.write(block)
        except OSError as error:
            raise AudioError(
                f"{location}：临时文件写不下（{reason_of(error)}）；请清理临时目录所在磁盘，或用 TMPDIR 指到别处"
            ) from error
        yield path


def _blocks(url: str) -> Iterator[bytes]:
    files, path = _filesystem(url)
    try:
        with files.open(path, "rb", block_size=_BLOCK, cache_type="readahead") as file:
            while block := file.read(_BLOCK):
                yield block
    except Exception as error:
        raise _unreadable(url, error) from error


def _filesystem(url: str) -> tuple[Any, str]:
    """The storage of a URL and the path there. Raises ConfigError when there is no driver for it."""
    try:
        import fsspec.core
    except ImportError:
        raise ConfigError(f"{url}：读对象存储要先安装：pip install 'qa-pipeline[ray]'。") from None
    try:
        files, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise ConfigError(
            f"{url}：读这种地址还缺一个程序包（{error}）。请在每台机器上安装，例如 s3:// 用 pip install s3fs。"
        ) from error
    except ValueError as error:
        raise ConfigError(
            f"{url}：不认识这种地址（{error}）。可以用文件夹路径，或 s3://、gs://、abfs://、sftp:// 一类的地址。"
        ) from error
    return files, path


def _unreadable(url: str, error: Exception) -> AudioError:
    if isinstance(error, FileNotFoundError):
        return AudioError(f"{url}：找不到录音文件；请检查清单里的文件名和所在的地址")
    return AudioError(f"{url}：录音读不了（{_reason(error)}）；请检查网络和访问密钥后重新运行")


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}：{error}" if str(error) else type(error).__name__
