"""One TOML file → frozen settings. Command line beats environment (``QA_…``) beats file; unknown keys are refused.

The file is ``qa.toml`` in the current folder unless ``--config`` or ``QA_CONFIG`` names another; it may be absent.
Every setting has a name of the form ``section.key`` (or ``key`` at the top); its environment variable is ``QA_SECTION_KEY``.
"""

from __future__ import annotations

import dataclasses
import os
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from qa_pipeline.errors import ConfigError
from qa_pipeline.toml_file import TomlFile

DEFAULT_FILE = "qa.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class AsrSettings:
    """How recordings are heard. 0 or empty means: chosen from the machine or by the engine.

    ``workers`` and ``batch`` change the speed and nothing else. ``threads`` of one process are one unless asked otherwise: on some
    processors several add up in another order, and a character may be heard otherwise. ``replay`` is the recorded output that
    the ``replay`` engine gives back.
    """

    engine: str = "faster-whisper"
    model: str = ""  # empty: the embedded whisper-base; a folder; or the name of a model already fetched
    learned: bool = True  # the embedded model with what it has learned about calls; false: whisper-base as it was released
    language: str = "zh"
    device: str = "auto"  # auto | cpu | cuda
    compute_type: str = ""
    workers: int = 0
    threads: int = 0
    batch: int = 0
    beam: int = 0
    replay: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestSettings:
    columns: Mapping[str, str] = field(default_factory=dict)  # column title in the file → field of the manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSettings:
    folder: Path = Path("qa-out")
    show_private: bool = False  # False: customer numbers and names are masked
    clips: bool = True  # cut evidence clips into the report
    max_clips: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    host: str = "127.0.0.1"
    port: int = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one command."""

    db: Path = Path("qa-out/qa.duckdb")
    rules: Path | None = None  # None: the packaged rule book
    lexicons: Path | None = None  # None: "lexicons" beside the rules folder, else the packaged ones
    policy: Path | None = None  # None: policy.yaml in the rules folder, else the packaged one
    cache: bool = True
    second_listening: bool = True  # hear the searched span again before an omission becomes a violation
    cluster: str = ""  # empty: processes of this machine; "local", "auto" or the address of a Ray cluster
    fail_on: str = "none"  # none | any | fatal
    asr: AsrSettings = field(default_factory=AsrSettings)
    manifest: ManifestSettings = field(default_factory=ManifestSettings)
    output: OutputSettings = field(default_factory=OutputSettings)
    web: WebSettings = field(default_factory=WebSettings)

    def rules_folder(self) -> Path:
        from qa_pipeline.resources import rules_dir

        return self.rules or rules_dir()

    def lexicons_folder(self) -> Path:
        from qa_pipeline.resources import lexicons_dir

        if self.lexicons is not None:
            return self.lexicons
        beside = self.rules.parent / "lexicons" if self.rules is not None else None
        return beside if beside is not None and beside.is_dir() else lexicons_dir()

    def policy_file(self) -> Path:
        from qa_pipeline.resources import rules_dir

        if self.policy is not None:
            return self.policy
        own = self.rules / "policy.yaml" if self.rules is not None else None
        return own if own is not None and own.is_file() else rules_dir() / "policy.yaml"


FAIL_ON = ("none", "any", "fatal")


def load_settings(
    file: Path | None = None, *, environ: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """Settings from file, environment and command line (``overrides``: dotted names; None values are left out).

    Raises ConfigError with ``path:line`` where the file is wrong.
    """
    env = os.environ if environ is None else environ
    named = file or (Path(env["QA_CONFIG"]) if env.get("QA_CONFIG") else None)
    path = named or Path(DEFAULT_FILE)
    source = TomlFile(path)
    tree: dict[str, Any] = source.read(required=named is not None)
    settings: Settings = _build(Settings, tree, source, "")
    for name, text in _from_environment(env):
        settings = _replace(settings, name, text, f"环境变量 {_env_name(name)}")
    for name, value in (overrides or {}).items():
        if value is not None:
            settings = _replace(settings, name, value, f"选项 --{name.rsplit('.', 1)[-1].replace('_', '-')}")
    if settings.fail_on not in FAIL_ON:
        raise ConfigError(f"fail_on 只能是 {'、'.join(FAIL_ON)}，写的是“{settings.fail_on}”。")
    return settings


def _build(cls: type, tree: Mapping[str, Any], source: TomlFile, prefix: str) -> Any:
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    for key, raw in tree.items():
        name = f"{prefix}{key}"
        if key not in hints:
            raise ConfigError(f"{source.where(name)}：不认识的设置“{name}”。可用：{'、'.join(sorted(hints))}。")
        hint = hints[key]
        if dataclasses.is_dataclass(hint):
            if not isinstance(raw, dict):
                raise ConfigError(f"{source.where(name)}：“{name}”应是一节，写成 [{name}]。")
            values[key] = _build(hint, raw, source, f"{name}.")  # type: ignore[arg-type]
        else:
            values[key] = _value(hint, raw, f"{source.where(name)}：“{name}”")
    return cls(**values)


def _value(hint: Any, raw: Any, where: str) -> Any:
    """One TOML value in the type of its field."""
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(member for member in get_args(hint) if member is not type(None))
    if get_origin(hint) is not None:  # the only mapping: column names
        if not isinstance(raw, dict) or not all(isinstance(item, str) for item in raw.values()):
            raise ConfigError(f"{where}应是“列名 = 字段名”的对照表。")
        return dict(raw)
    if hint is Path and isinstance(raw, str | Path):
        return Path(raw).expanduser()
    if hint is bool and isinstance(raw, bool):
        return raw
    if hint is int and isinstance(raw, int) and not isinstance(raw, bool):
        return _not_negative(raw, where)
    if hint is str and isinstance(raw, str):
        return raw
    names = {Path: "一段路径文字（加引号）", bool: " true 或 false", int: "整数", str: "一段文字（加引号）"}
    raise ConfigError(f"{where}应是{names[hint]}，写的是 {raw!r}。")


def _not_negative(number: int, where: str) -> int:
    if number < 0:
        raise ConfigError(f"{where}不能是负数，写的是 {number}。")
    return number


def _leaves(cls: type, prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, hint in get_type_hints(cls).items():
        if dataclasses.is_dataclass(hint):
            found += _leaves(hint, f"{prefix}{key}.")  # type: ignore[arg-type]
        elif get_origin(hint) in (None, Union, types.UnionType):
            found.append((f"{prefix}{key}", hint))
    return found


def _env_name(name: str) -> str:
    return "QA_" + name.upper().replace(".", "_")


def _from_environment(env: Mapping[str, str]) -> list[tuple[str, Any]]:
    found = []
    for name, hint in _leaves(Settings):
        text = env.get(_env_name(name))
        if text is None or text == "":
            continue
        where = f"环境变量 {_env_name(name)} "
        value: Any = text
        if hint is int:
            if not text.isdigit():
                raise ConfigError(f"{where}应是整数，写的是“{text}”。")
            value = int(text)
        elif hint is bool:
            choices = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
            if text.lower() not in choices:
                raise ConfigError(f"{where}只能是 true 或 false，写的是“{text}”。")
            value = choices[text.lower()]
        found.append((name, value))
    return found


def _replace(settings: Any, name: str, value: Any, where: str) -> Any:
    head, _, rest = name.partition(".")
    hint = get_type_hints(type(settings)).get(head)
    if hint is None:
        raise ConfigError(f"{where}：没有“{name}”这个设置。")
    new = _replace(getattr(settings, head), rest, value, where) if rest else _value(hint, value, where)
    return dataclasses.replace(settings, **{head: new})
