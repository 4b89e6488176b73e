"""A model without the words that a Chinese call does not hold: most of what Whisper costs a token is choosing among 52,000.

Kept are Chinese, figures, marks, every single byte (so that anything can still be spelled), short Latin words and abbreviations,
and all marks of the model itself: 12,000 tokens of 51,865. Decoding is what it would be if the others were suppressed, and
costs a quarter less (``benchmarks/README.md``). The smaller model is written once and kept beside the whole one.
"""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Weights = NDArray[np.float32]

_VERSION = 6  # of CTranslate2's file format
HALF = 4  # its number for float16
_WORDS = ("decoder/embeddings/", "decoder/projection/")  # what has one row a token
_LATIN = 3  # letters
_KEPT = "kept"
_IDS = ("suppress_ids", "suppress_ids_begin", "lang_ids")


def _bytes_of() -> dict[str, int]:
    """GPT-2's way to write bytes as printable characters."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + nth): byte for nth, byte in enumerate(rest)}


_BYTES = _bytes_of()


def spoken_in_chinese(token: str) -> bool:
    """Whether a token (as the vocabulary writes it) may be needed to write down a Chinese call."""
    if len(token) == 1 or token.startswith("<|") or any(letter not in _BYTES for letter in token):
        return True
    raw = bytes(_BYTES[letter] for letter in token)
    text = raw.decode(errors="ignore")
    if raw.isascii():
        return sum(letter.isalpha() for letter in text) <= _LATIN
    if text.encode() == raw:
        return all(letter.isascii() or _chinese(ord(letter)) for letter in text)
    # Parts of characters: what may continue one, or begin one between U+2000 and U+9FFF or at U+FF00.
    return all(byte < 0xC0 or 0xE2 <= byte <= 0xE9 or byte == 0xEF for byte in raw)


def _chinese(code: int) -> bool:
    return 0x2000 <= code < 0x3040 or 0x3400 <= code < 0xA000 or 0xFF00 <= code < 0xFFF0


class Numbers:
    """The numbers of tokens in a trimmed model (new) and in the tokenizer (old); without ``kept`` they are the same."""

    def __init__(self, tokens: Sequence[str] = (), kept: Sequence[int] = ()) -> None:
        self._tokens = tokens
        self._old = kept
        self._new = {number: nth for nth, number in enumerate(kept)}
        self._letters = {tokens[number]: nth for nth, number in enumerate(kept) if len(tokens[number]) == 1}

    def old(self, numbers: Sequence[int]) -> list[int]:
        return [self._old[number] for number in numbers] if self._old else list(numbers)

    def new(self, numbers: Sequence[int]) -> list[int]:
        """What was not kept is spelled."""
        return [nth for number in numbers for nth in self._spelled(number)] if self._old else list(numbers)

    def _spelled(self, number: int) -> Sequence[int]:
        new = self._new.get(number)
        return (new,) if new is not None else [self._letters[letter] for letter in self._tokens[number]]

    def kept(self, numbers: Sequence[int]) -> list[int]:
        """Those that are left, without the others."""
        return [self._new[number] for number in numbers if number in self._new] if self._old else list(numbers)


def can_be_trimmed(folder: Path) -> bool:
    """Whether the files are of a kind that is known here; else the model must be loaded as it is."""
    with (folder / "model.bin").open("rb") as file:
        return file.read(4) == struct.pack("<I", _VERSION) and (folder / "vocabulary.json").is_file()


def trim(folder: Path, target: Path, learned: Mapping[str, Weights] | None = None) -> None:
    """Write the smaller model of ``folder`` for CTranslate2, and which tokens it keeps.

    ``learned``: what is added to a float16 variable of that name. Raises KeyError when the model has no such variable.
    """
    tokens: list[str] = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    kept = [number for number, token in enumerate(tokens) if spoken_in_chinese(token)]
    new = {number: nth for nth, number in enumerate(kept)}
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {name: [new[number] for number in config[name] if number in new] for name in _IDS if name in config}
    with (folder / "model.bin").open("rb") as source, (target / "model.bin").open("wb") as out:
        data = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
        for part in _fewer_rows(data, len(tokens), kept, dict(learned or {})):
            out.write(part)
    for name, content in (("config", config), ("vocabulary", [tokens[number] for number in kept]), (_KEPT, kept)):
        (target / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def numbers_of(folder: Path, trimmed: Path) -> Numbers:
    """What ``trim`` kept."""
    tokens: list[str] = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    return Numbers(tokens, json.loads((trimmed / f"{_KEPT}.json").read_text(encoding="utf-8")))


class Variable(NamedTuple):
    """Where one variable lies in a model file: its sizes at ``sizes_at``, its data at ``[start, end)``."""

    name: str
    sizes: tuple[int, ...]
    kind: int  # CTranslate2's number of the type
    sizes_at: int
    start: int
    end: int


def variables(data: bytes | mmap.mmap) -> Iterator[Variable]:
    """The variables of a model file, in order.

    Format: version, name, revision, number of variables; each variable: name, rank, sizes, type, bytes, data; then aliases. Names are
    written with their length, and end with a zero.
    """
    at = 4 + 2 + struct.unpack_from("<H", data, 4)[0] + 4
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = bytes(data[at + 2 : at + 1 + length]).decode()
        at += 2 + length
        rank = data[at]
        sizes_at = at + 1
        sizes = struct.unpack_from(f"<{rank}I", data, sizes_at)
        at = sizes_at + 4 * rank
        kind, size = struct.unpack_from("<BI", data, at)
        yield Variable(name, sizes, kind, sizes_at, at + 5, at + 5 + size)
        at += 5 + size


def _fewer_rows(data: mmap.mmap, tokens: int, kept: Sequence[int], learned: dict[str, Any]) -> Iterator[bytes]:
    """A model file with the ``kept`` rows only of whatever has one row a token, and with what was ``learned`` added."""
    import numpy as np

    done = 0  # what lies between the changed parts is copied as it is
    for one in variables(data):
        content = data[one.start : one.end]
        if one.name.startswith(_WORDS) and one.sizes and one.sizes[0] == tokens:
            rows = np.frombuffer(content, np.uint8).reshape(tokens, -1)[kept]
            yield data[done : one.sizes_at]
            yield struct.pack(f"<{len(one.sizes)}IBI", len(kept), *one.sizes[1:], one.kind, rows.nbytes)
            yield rows.tobytes()
        elif one.name in learned and one.kind == HALF:
            weights = np.frombuffer(content, "<f2").reshape(one.sizes)
            yield data[done : one.start]
            yield (weights.astype(np.float32) + learned.pop(one.name)).astype("<f2").tobytes()
        else:
            continue
        done = one.end
    if learned:
        raise KeyError(*sorted(learned))
    yield data[done:]
