"""The engines that can hear, by name, and how the settings open one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qa_pipeline.asr.base import Engine
from qa_pipeline.errors import ConfigError

if TYPE_CHECKING:
    from qa_pipeline.config import AsrSettings


def _whisper(settings: AsrSettings) -> Engine:
    from qa_pipeline.asr.models import locate
    from qa_pipeline.asr.packed import PackedOptions, PackedWhisper
    from qa_pipeline.asr.whisper import Machine

    device = "cpu" if settings.device == "auto" else settings.device
    compute = settings.compute_type or ("int8" if device == "cpu" else "float16")
    options = PackedOptions(language=settings.language, beam=settings.beam or 1, batch=settings.batch or 8)
    return PackedWhisper(locate(settings.model), options, Machine(device=device, compute_type=compute, threads=settings.threads or 1))


ENGINES: dict[str, Callable[[AsrSettings], Engine]] = {"faster-whisper": _whisper}


def open_engine(settings: AsrSettings) -> Engine:
    """The engine that the settings name, loaded; ConfigError when there is none of that name."""
    if settings.engine not in ENGINES:
        raise ConfigError(f"没有识别引擎“{settings.engine}”，可用：{'、'.join(sorted(ENGINES))}。请改配置 asr.engine。")
    return ENGINES[settings.engine](settings)
