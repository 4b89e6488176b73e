"""Model values as bytes: msgspec JSON, compressed where large; and the digests that name them.

The bytes are canonical: dataclass fields keep their order, so equal values give equal bytes on every machine.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

from qa_pipeline.errors import StoreError
from qa_pipeline.model import EngineInfo, Outcome, Recording, Scorecard

T = TypeVar("T")

# zlib at level 1 halves small values and shrinks turns with word times to a sixth; below this size the header costs more.
SMALL_BYTES = 200
_LEVEL = 1
_ZLIB_FIRST = 0x78  # JSON never starts with "x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The part of an audit run that changes with the rules; the conversation is stored apart, once."""

    outcomes: tuple[Outcome, ...]
    scorecard: Scorecard
    engine: EngineInfo
    recording: Recording | None


def to_json(value: Any) -> bytes:
    import msgspec

    return msgspec.json.encode(value)


def from_json(data: bytes | str, kind: type[T]) -> T:
    import msgspec

    try:
        return cast(T, _decoder(cast(Any, kind)).decode(data))
    except msgspec.DecodeError as error:
        raise StoreError(
            f"数据库里的一条记录读不出来（{error}）。可能由更新版本的程序写入：请升级 qa-pipeline；仍不行请恢复备份。"
        ) from error


def pack(value: Any) -> bytes:
    """Bytes for a BLOB column."""
    data = to_json(value)
    return data if len(data) < SMALL_BYTES else zlib.compress(data, _LEVEL)


def unpack(data: bytes, kind: type[T]) -> T:
    if data[:1] == bytes((_ZLIB_FIRST,)):
        try:
            data = zlib.decompress(data)
        except zlib.error as error:
            raise StoreError(f"数据库里的一条记录已损坏（{error}）。请从备份恢复。") from error
    return from_json(data, kind)


def digest(value: Any) -> str:
    """32 hex digits of SHA-256 over the canonical JSON of a model value."""
    return hashlib.sha256(to_json(value)).hexdigest()[:32]


@cache
def engine_digest(engine: EngineInfo) -> str:
    return digest(engine)


@cache
def _decoder(kind: type[Any]) -> Any:
    import msgspec

    return msgspec.json.Decoder(kind)
