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
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from qa_pipeline.errors import ConfigError
from qa_pipeline.toml_file import TomlFile

DEFAULT_FILE = "qa.toml"


T = TypeVar("T")


def _setting(default: T, text: str) -> T:
    """A field with what ``docs/commands.zh-CN.md`` says of it."""
    return field(default=default, metadata={"doc": text})


@dataclass(frozen=True, slots=True, kw_only=True)
class AsrSettings:
    """How recordings are heard. 0 or empty means: chosen from the machine or by the engine.

    ``workers`` and ``batch`` change the speed and nothing else. ``threads`` of one process are one unless asked otherwise: on some
    processors several add up in another order, and a character may be heard otherwise. ``replay`` is the recorded output that
    the ``replay`` engine gives back.
    """

    engine: str = _setting("faster-whisper", "识别引擎；replay 重放记录好的识别结果，供测试用。")
    model: str = _setting("", "识别模型：文件夹或已取得的模型名；空为自带的 whisper-base。")
    learned: bool = _setting(True, "自带的模型用学过通话的那一份；false 为原来发布的。")
    language: str = _setting("zh", "录音的语言。")
    device: str = _setting("auto", "auto、cpu 或 cuda。")
    compute_type: str = _setting("", "计算精度，如 int8、float16；空为按设备选。")
    workers: int = _setting(0, "识别进程数；0 为按机器决定。")
    threads: int = _setting(0, "每个进程的线程数；0 为处理器上一个。")
    batch: int = _setting(0, "一次送入识别的窗口数；0 为按机器决定。")
    beam: int = _setting(0, "束宽；0 为引擎自己的。")
    replay: Path | None = _setting(None, "engine 为 replay 时的记录文件。")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestSettings:
    columns: Mapping[str, str] = field(default_factory=dict, metadata={"doc": "清单的列名 → 字段名，见下表。"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSettings:
    folder: Path = _setting(Path("qa-out"), "日报写到哪个文件夹。")
    show_private: bool = _setting(False, "true 为不遮盖客户号码和姓名。")
    clips: bool = _setting(True, "报告里带可以播放的证据片段。")
    max_clips: int = _setting(200, "一份报告最多带几个片段。")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    host: str = _setting("127.0.0.1", "网页监听的地址；默认只有本机能访问。")
    port: int = _setting(8000, "网页的端口。")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one command."""

    db: Path = _setting(Path("qa-out/qa.duckdb"), "数据库文件。")
    rules: Path | None = _setting(None, "规则文件夹；不写用自带的规则。")
    lexicons: Path | None = _setting(None, "词库文件夹；不写用规则文件夹旁边的 lexicons，没有就用自带的。")
    policy: Path | None = _setting(None, "政策文件；不写用规则文件夹里的 policy.yaml，没有就用自带的。")
    cache: bool = _setting(True, "false 为全部重新识别和判定，不用已有结果。")
    second_listening: bool = _setting(True, "漏说判违规之前再听一遍那一段。")
    cluster: str = _setting("", "在 Ray 集群上识别：local、auto 或 头节点:端口；空为本机的进程。")
    fail_on: str = _setting("none", "有违规（any）或致命（fatal）时退出码为 1；none 为不看。")
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
# Variables that are no settings: read where they are used.
VARIABLES = {
    "QA_CONFIG": "配置文件，同 `--config`。",
    "QA_PERSON": "操作人编号，同 `--as`。",
    "QA_ADMIN_PASSWORD": "`qa serve --init-admin` 设定的密码，不写就询问。",
    "QA_MODEL_DIR": "语音模型放在哪个文件夹。",
    "QA_MAIL_HOST": "发邮件的服务器，见[报表](reports.md)；下同。",
    "QA_MAIL_PORT": "端口。",
    "QA_MAIL_SECURITY": "加密方式。",
    "QA_MAIL_USER": "登录名。",
    "QA_MAIL_PASSWORD": "密码或授权码。",
    "QA_MAIL_FROM": "发件人。",
}


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
            meant = _meant(name)
            perhaps = f"是不是{f' [{meant[0]}] 里的' if meant[0] else ''}“{meant[1]}”？" if meant else ""
            raise ConfigError(f"{source.where(name)}：不认识的设置“{name}”。{perhaps}可用：{'、'.join(sorted(hints))}。")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One setting for the manual. ``variable`` is empty where a table cannot be written in the environment."""

    name: str
    variable: str
    default: str
    text: str


def explained(cls: type = Settings, prefix: str = "") -> tuple[Explained, ...]:
    """All settings, in the order of the classes."""
    found: list[Explained] = []
    hints = get_type_hints(cls)
    for one in dataclasses.fields(cls):
        name, hint = f"{prefix}{one.name}", hints[one.name]
        if dataclasses.is_dataclass(hint):
            found += explained(hint, f"{name}.")  # type: ignore[arg-type]
            continue
        simple = get_origin(hint) in (None, Union, types.UnionType)
        default = "" if not simple or one.default in (None, "") else str(one.default)
        found.append(
            Explained(
                name=name,
                variable=_env_name(name) if simple else "",
                default=default.lower() if isinstance(one.default, bool) else default,
                text=one.metadata["doc"],
            )
        )
    return tuple(found)


def unused_variables(env: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Variables that were meant as settings and are none, each with what was probably meant (QA_WORKERS: QA_ASR_WORKERS)."""
    known = {_env_name(name) for name, _ in _leaves(Settings)} | set(VARIABLES)
    strange = sorted(name for name in env if name.startswith("QA_") and name not in known)
    meant = [(name, _meant(name.removeprefix("QA_").lower())) for name in strange]
    return tuple((name, _env_name(".".join(filter(None, setting)))) for name, setting in meant if setting is not None)


def _meant(name: str) -> tuple[str, str] | None:
    """Section and key of the setting that somebody who wrote ``name`` meant: the same key elsewhere, else nearly the same name."""
    from difflib import get_close_matches

    names = [full for full, _ in _leaves(Settings)]
    same = [full for full in names if full.rpartition(".")[2] == name.rpartition(".")[2]]
    close = {full.replace(".", "_"): full for full in names}
    near = [close[word] for word in get_close_matches(name.replace(".", "_"), close, n=1, cutoff=0.8)]
    found = (same or near)[:1]
    if not found:
        return None
    section, _, key = found[0].rpartition(".")
    return section, key


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
