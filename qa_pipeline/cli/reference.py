"""The command reference, written from the commands themselves: ``python -m qa_pipeline.cli.reference docs/commands.zh-CN.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_HEAD = """# 命令手册

由程序生成（`make docs`），测试会检查它与程序一致。每个命令都可以加 `--help`；常用选项的默认值可以写进 `qa.toml` 或环境变量，名称见最后的[设置](#设置)。
"""
EXAMPLE = """db = "质检/qa.duckdb"
rules = "我的规则"

[asr]
workers = 2

[manifest.columns]
"录音下载地址" = "file"
"坐席编码" = "agent_id"
"客户等级" = "extra.等级"
"""
_SETTINGS = f"""
## 设置

写在当前文件夹的 `qa.toml` 里（别处的用 `--config` 或 `QA_CONFIG` 指明）。环境变量优先于文件，命令行优先于两者。名称写错会被拒绝，并写明
行号和可用的名称。名称里的点是节：`asr.workers` 写在 `[asr]` 下面；没有点的写在所有节之前。例如：

```toml
{EXAMPLE}```
"""
_COLUMNS = """
`[manifest.columns]` 一行一个对照，左边是清单的列名，右边是字段；`extra.名称` 为换一个名称保留的附加属性。字段和不用写对照就认得的列名：

| 字段 | 认得的列名 |
|---|---|
"""


def reference() -> str:
    """The whole manual in Markdown."""
    from qa_pipeline.cli.main import command

    return _HEAD + "".join(_sections(command(), ("qa",))) + "".join(_settings())


def _settings() -> Iterator[str]:
    from qa_pipeline.config import VARIABLES, explained
    from qa_pipeline.intake.columns import CHINESE

    yield _SETTINGS
    yield "\n| 设置 | 环境变量 | 默认 | 含义 |\n|---|---|---|---|\n"
    for one in explained():
        yield f"| `{one.name}` | {_code(one.variable)} | {_code(one.default)} | {_cell(one.text)} |\n"
    yield "\n只有环境变量的：\n\n| 环境变量 | 含义 |\n|---|---|\n"
    for name, text in VARIABLES.items():
        yield f"| `{name}` | {_cell(text)} |\n"
    yield _COLUMNS
    for target, names in CHINESE.items():
        yield f"| `{target}` | {'、'.join(names)} |\n"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def commands(node: Any, path: tuple[str, ...] = ("qa",)) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its words, groups left out."""
    children = getattr(node, "commands", {})
    if not children:
        yield path, node
    for name, child in children.items():
        yield from commands(child, (*path, name))


def _sections(node: Any, path: tuple[str, ...]) -> Iterator[str]:
    for words, leaf in commands(node, path):
        yield f"\n## {' '.join(words)}\n\n{_paragraph(leaf.help)}\n"
        arguments = [item for item in leaf.params if item.param_type_name == "argument"]
        options = [item for item in leaf.params if item.param_type_name == "option" and item.name != "help"]
        if arguments or options:
            yield "\n| 参数与选项 | 说明 |\n|---|---|\n"
        for item in arguments:
            yield f"| `{item.metavar or item.name}` | {_cell(item.help)} |\n"
        for item in options:
            yield f"| `{' '.join((*item.opts, *item.secondary_opts))}` | {_cell(item.help)} |\n"


def _paragraph(text: str | None) -> str:
    return " ".join((text or "").split())


def _cell(text: str | None) -> str:
    return _paragraph(text).replace("|", "\\|")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
