"""Where the rule book, the lexicons, the sample calls and the examples lie: beside the code in a wheel, at the top of a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    packaged = _PACKAGE / "_data" / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / name


def rules_dir() -> Path:
    return _folder("rules")


def lexicons_dir() -> Path:
    return _folder("lexicons")


def samples_dir() -> Path:
    return _folder("recordings_sample")


def examples_dir() -> Path:
    return _folder("examples")


def scripts_dir() -> Path:
    return _folder("scripts")
