"""The command reference, written from the commands themselves: ``python -m qa_pipeline.cli.reference docs/commands.zh-CN.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_HEAD = """# 命令手册

由程序生成（`make docs`），测试会检查它与程序一致。每个命令都可以加 `--help`；选项的默认值可以写进 `qa.toml` 或环境变量 `QA_…`。
"""


def reference() -> str:
    """The whole manual in Markdown."""
    from qa_pipeline.cli.main import command

    return _HEAD + "".join(_sections(command(), ("qa",)))


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
