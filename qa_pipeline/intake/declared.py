"""How long a recording is by what its own header promises, read where FFmpeg trims the promise to the bytes that are there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPEN = 0xFFFF_FF00  # recorders that cannot go back leave the length at 0 or at all ones
_MOST_CHUNKS = 64  # chunks before the data are few
_NO_LENGTH = ("aac", "amr", "amrnb", "amrwb", "gsm", "ogg")  # FFmpeg takes it from the size or from the last page
_OGG_TAIL = 1 << 17  # a page has 65,307 bytes at most


def declared_s(path: Path, container: Any, stream: Any) -> float | None:
    """Seconds that the header promises; None when it says nothing, or no more than what is there."""
    name = container.format.name
    if name in _DATA_BYTES:
        with path.open("rb") as file:
            declared = _DATA_BYTES[name](file)
        per_s = (stream.codec_context.bit_rate or 0) / 8
        return declared / per_s if declared is not None and per_s and declared > path.stat().st_size else None
    if name in _NO_LENGTH or (name == "mp3" and not _mp3_counts_frames(path)):
        return None
    return container.duration / 1e6 if container.duration else None


def ends_midway(path: Path, container: Any) -> bool:
    """Whether an Ogg file, which does not tell its length, breaks off within its last page."""
    if container.format.name != "ogg":
        return False
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _OGG_TAIL))
        tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0:
        return False
    segments = tail[at + 27 : at + 27 + tail[at + 26]] if len(tail) > at + 26 else b""
    whole = len(tail) > at + 26 and len(segments) == tail[at + 26]
    return not whole or at + 27 + len(segments) + sum(segments) > len(tail)


def _wav_bytes(file: BinaryIO) -> int | None:
    """The size that a WAV's ``data`` chunk claims; of an RF64, whose sizes are in ``ds64``."""
    form = file.read(4)
    if form not in (b"RIFF", b"RF64"):
        return None
    long_size = None
    for name, length in _chunks(file, start=12, name_bytes=4, size_bytes=4, pad=2):
        if name == b"ds64":
            long_size = int.from_bytes(file.read(16)[8:], "little")
        if name == b"data":
            return long_size or None if form == b"RF64" else length if 0 < length < _OPEN else None
    return None


def _w64_bytes(file: BinaryIO) -> int | None:
    """Sony's WAV: names of 16 bytes, sizes of 8 that contain the 24 of the head, everything on multiples of 8."""
    for name, length in _chunks(file, start=40, name_bytes=16, size_bytes=8, pad=8, head=24):
        if name[:4] == b"data":
            return length if 0 < length < 1 << 62 else None
    return None


def _caf_bytes(file: BinaryIO) -> int | None:
    """Apple's container; all ones: the recorder left the length open. The first four bytes of the data are a counter."""
    for name, length in _chunks(file, start=8, name_bytes=4, size_bytes=8, pad=1, order="big"):
        if name == b"data":
            return length - 4 if 4 < length < 1 << 63 else None
    return None


def _chunks(
    file: BinaryIO, *, start: int, name_bytes: int, size_bytes: int, pad: int, head: int = 0, order: Any = "little"
) -> Iterator[tuple[bytes, int]]:
    """Names and lengths of the chunks, the file standing at the content of each; ``head``: bytes that the length counts too."""
    at = start
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        label = file.read(name_bytes + size_bytes)
        if len(label) < name_bytes + size_bytes:
            return
        length = int.from_bytes(label[name_bytes:], order) - head
        yield label[:name_bytes], length
        if length < 0:
            return
        at += len(label) + length
        at += -at % pad


_DATA_BYTES = {"wav": _wav_bytes, "w64": _w64_bytes, "caf": _caf_bytes}


def _mp3_counts_frames(path: Path) -> bool:
    """Whether the first frame is a Xing, Info or VBRI header that counts the frames; else FFmpeg guesses the length from the size."""
    with path.open("rb") as file:
        tag = file.read(10)
        start = 0
        if tag[:3] == b"ID3" and len(tag) == 10:  # its size has seven bits a byte, and leaves out the head and the foot
            start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True))
            start += 10 if tag[5] & 0x10 else 0
        file.seek(start)
        frame = file.read(64)
    if len(frame) < 64 or frame[0] != 0xFF or frame[1] & 0xE0 != 0xE0:
        return False
    if frame[36:40] == b"VBRI":
        return int.from_bytes(frame[50:54], "big") > 0
    first_version, mono = frame[1] & 0x18 == 0x18, frame[3] & 0xC0 == 0xC0
    at = 4 + (17 if mono else 32) if first_version else 4 + (9 if mono else 17)
    if frame[at : at + 4] not in (b"Xing", b"Info") or not frame[at + 7] & 1:
        return False
    return int.from_bytes(frame[at + 8 : at + 12], "big") > 0
