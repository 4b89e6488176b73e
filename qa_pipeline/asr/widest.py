"""CTranslate2 uses AVX-512 by itself only on Intel processors; AMD's have it too (Zen 4 and later).

Measured on such a processor (2026-11-28, one thread): encoding 12 % and decoding 6 % less, see ``benchmarks/README.md``.
"""

from __future__ import annotations

import os
from pathlib import Path

_VARIABLE = "CT2_FORCE_CPU_ISA"
_NEEDED = frozenset({"avx512f", "avx512cd", "avx512vl", "avx512bw", "avx512dq"})  # what CTranslate2 is compiled for
_CPUINFO = Path("/proc/cpuinfo")


def use_the_widest() -> None:
    """Let CTranslate2 use what this processor has; to be called before the first model is loaded. What the user has set stands;
    where the processor cannot be asked, CTranslate2 decides."""
    if _VARIABLE not in os.environ and flags(_CPUINFO) >= _NEEDED:
        os.environ[_VARIABLE] = "AVX512"


def flags(cpuinfo: Path) -> frozenset[str]:
    """What the first processor of Linux's ``/proc/cpuinfo`` can do; nothing where there is no such file."""
    try:
        lines = cpuinfo.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), ()))
