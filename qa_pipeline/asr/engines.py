"""Which engines there are. A new engine is a module and one line in ``ENGINES``."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.errors import ConfigError

if TYPE_CHECKING:
    from qa_pipeline.asr.base import Engine
    from qa_pipeline.asr.options import HearingOptions
    from qa_pipeline.config import AsrSettings
    from qa_pipeline.model import EngineInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineKind:
    """``describe`` must be quick and load nothing: it is asked even when every transcript is in the cache."""

    describe: Callable[[AsrSettings], EngineInfo]
    open: Callable[[AsrSettings], Engine]


def describe_engine(settings: AsrSettings) -> EngineInfo:
    """What ``open_engine(settings).info`` would be. Raises ConfigError, ModelError."""
    return _kind(settings).describe(settings)


def open_engine(settings: AsrSettings) -> Engine:
    """The loaded engine. Raises ConfigError for an unknown name or device, ModelError for the model."""
    return _kind(settings).open(settings)


def _kind(settings: AsrSettings) -> EngineKind:
    if settings.engine not in ENGINES:
        raise ConfigError(f"没有叫“{settings.engine}”的识别引擎，可用：{'、'.join(ENGINES)}。请改 asr.engine。")
    return ENGINES[settings.engine]


def _describe_faster_whisper(settings: AsrSettings) -> EngineInfo:
    from qa_pipeline.asr.models import DEFAULT, model_hash
    from qa_pipeline.asr.options import engine_info

    return engine_info(settings.model or DEFAULT, model_hash(settings.model), _options(settings))


def _open_faster_whisper(settings: AsrSettings) -> Engine:
    from qa_pipeline.asr.faster_whisper import FasterWhisperEngine
    from qa_pipeline.asr.models import DEFAULT, resolve
    from qa_pipeline.asr.whisper import Machine

    options = _options(settings)
    device = device_of(settings)
    threads = settings.threads or (1 if device == "cpu" else os.cpu_count() or 1)
    machine = Machine(device=device, compute_type=options.compute_type, threads=threads)
    model = resolve(settings.model or DEFAULT)
    return FasterWhisperEngine(model, machine, options, settings.batch or (8 if device == "cpu" else 32))


def _options(settings: AsrSettings) -> HearingOptions:
    from qa_pipeline.asr.models import DEFAULT
    from qa_pipeline.asr.options import HearingOptions

    compute_type = settings.compute_type or ("int8" if device_of(settings) == "cpu" else "float16")
    language = settings.language or "zh"
    built_in = settings.learned and language == "zh" and settings.model in ("", DEFAULT)
    options = HearingOptions.of_the_built_in() if built_in else HearingOptions()
    return replace(
        options,
        language=language,
        vocabulary="chinese" if language in ("zh", "yue") else "whole",
        compute_type=compute_type,
        beam=settings.beam or options.beam,
    )


def _describe_replay(settings: AsrSettings) -> EngineInfo:
    from qa_pipeline.asr.replay import ReplayEngine

    return ReplayEngine(Path(settings.model)).info


def _open_replay(settings: AsrSettings) -> Engine:
    from qa_pipeline.asr.replay import ReplayEngine

    return ReplayEngine(Path(settings.model))


def device_of(settings: AsrSettings) -> str:
    """``cpu`` or ``cuda``; ``auto`` asks the machine. Raises ConfigError."""
    if settings.device == "cpu":
        return "cpu"
    if settings.device not in ("auto", "cuda"):
        raise ConfigError(f"asr.device 只能是 auto、cpu、cuda，写的是“{settings.device}”。")
    import ctranslate2

    found = ctranslate2.get_cuda_device_count() > 0
    if settings.device == "cuda" and not found:
        raise ConfigError("这台电脑没有可用的 CUDA 显卡。请用 --device cpu，或检查显卡驱动。")
    return "cuda" if found else "cpu"


ENGINES: dict[str, EngineKind] = {
    "faster-whisper": EngineKind(describe=_describe_faster_whisper, open=_open_faster_whisper),
    "replay": EngineKind(describe=_describe_replay, open=_open_replay),
}
