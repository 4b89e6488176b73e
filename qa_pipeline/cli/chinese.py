"""Help and usage errors in Chinese: the frame of Typer's texts is English, ours is not."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

_FRAME = (
    ("Usage:", "用法："),
    ("Options:", "选项："),
    ("Arguments:", "参数："),
    ("Commands:", "命令："),
    ("[OPTIONS]", "[选项]"),
    ("COMMAND [ARGS]...", "命令 [参数]…"),
    ("Show this message and exit.", "显示这段帮助。"),
    ("[required]", "[必填]"),
    ("[default: ", "[默认："),
)


def translate_help(text: str) -> str:
    for english, chinese in _FRAME:
        text = text.replace(english, chinese)
    return text


def in_chinese(command: Any) -> Any:
    """The same click command, its help and that of every command below it in Chinese and plain text."""
    command.rich_markup_mode = None
    command.add_completion = False
    original = command.get_help
    command.get_help = partial(_help, original)
    usage = command.get_usage
    command.get_usage = partial(_help, usage)
    for child in getattr(command, "commands", {}).values():
        in_chinese(child)
    return command


def _help(original: Any, context: Any) -> str:
    return translate_help(original(context))


_MESSAGES = (
    (re.compile(r"^No such option: (\S+)(?: \(Possible options: (.+)\))?.*$"), r"没有 \1 这个选项。"),
    (re.compile(r"^No such command '(.+?)'\.?.*$"), r"没有“\1”这个命令。"),
    (re.compile(r"^Missing command\.$"), "还缺一个命令。"),
    (re.compile(r"^Missing argument '(.+?)'.*$", re.S), r"还缺参数 \1。"),
    (re.compile(r"^Missing option '(.+?)'.*$", re.S), r"还缺选项 \1。"),
    (re.compile(r"^Got unexpected extra arguments? \((.+)\)$"), r"多出的内容：\1。"),
    (re.compile(r"^Option '?(.+?)'? requires an argument\.$"), r"选项 \1 后面要写一个值。"),
    (re.compile(r"^Invalid value for '?(.+?)'?: .*valid integer.*$", re.S), r"\1 应是整数。"),
    (re.compile(r"^Invalid value for '?(.+?)'?: .*valid (?:number|float).*$", re.S), r"\1 应是数字。"),
    (re.compile(r"^Invalid value for '?(.+?)'?: .*greater than or equal to (\S+?)\.?$", re.S), r"\1 不能小于 \2。"),
    (re.compile(r"^Invalid value for '?(.+?)'?: (.+)$", re.S), r"\1 的值不对：\2"),
)


def translate_error(message: str) -> str:
    """A usage error of click's in Chinese; what is not known stays as it is."""
    for pattern, chinese in _MESSAGES:
        if pattern.match(message):
            return pattern.sub(chinese, message)
    return message
