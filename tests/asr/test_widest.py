"""Which processors are asked for AVX-512."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qa_pipeline.asr import widest

ALL = "fpu sse2 avx2 avx512f avx512dq avx512cd avx512bw avx512vl avx512_vnni"


def _cpuinfo(folder: Path, flags: str) -> Path:
    path = folder / "cpuinfo"
    path.write_text(
        f"processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: {flags}\n\nprocessor\t: 1\nflags\t\t: fpu\n", encoding="ascii"
    )
    return path


@pytest.mark.parametrize(
    ("flags", "set_before", "expected"),
    [
        (ALL, None, "AVX512"),
        (ALL.replace("avx512vl ", ""), None, None),
        ("fpu sse2 avx2", None, None),
        (ALL, "AVX2", "AVX2"),
    ],
)
def test_the_widest_instructions_are_used_where_all_of_them_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, set_before: str | None, expected: str | None
) -> None:
    environment = {} if set_before is None else {"CT2_FORCE_CPU_ISA": set_before}
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.setattr(widest, "_CPUINFO", _cpuinfo(tmp_path, flags))
    widest.use_the_widest()
    monkeypatch.undo()
    assert environment.get("CT2_FORCE_CPU_ISA") == expected


def test_a_computer_that_cannot_be_asked_has_no_flags(tmp_path: Path) -> None:
    assert widest.flags(tmp_path / "none") == frozenset()
