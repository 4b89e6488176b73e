"""Help and usage errors in Chinese: the frame of Typer's texts is English, ours is not."""

from __future__ import annotations

import re
import unicodedata
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
# Kinds of values, as Typer names them now (<int range>) and named them before (INTEGER RANGE).
_VALUES = {
    "path": "路径",
    "file": "文件",
    "dir": "文件夹",
    "directory": "文件夹",
    "int": "整数",
    "integer": "整数",
    "float": "数字",
    "str": "文字",
    "text": "文字",
}
_KIND = re.compile(r"(?<=\S )(?:<(?:list\[)?([A-Za-z]+)\]?(?: range)?>|([A-Z]+)(?: RANGE)?)(?=\s)")
_COLUMNS = re.compile(r"^(  \S.*?)(  +)(?=\S)")
_BETWEEN = re.compile(r"([\d.]+)<=x<=([\d.]+)(?=[\];])")
_LEAST = re.compile(r"x>=([\d.]+)(?=[\];])")
_MOST = re.compile(r"x<=([\d.]+)(?=[\];])")


def translate_help(text: str) -> str:
    for english, chinese in _FRAME:
        text = text.replace(english, chinese)
    text = "\n".join(_COLUMNS.sub(_below_each_other, _KIND.sub(_value_kind, line, count=1)) for line in text.split("\n"))
    return _MOST.sub(r"不大于 \1", _LEAST.sub(r"不小于 \1", _BETWEEN.sub(r"\1 到 \2", text)))


def _value_kind(hit: re.Match[str]) -> str:
    """The kind of an option's value; an argument has a name that says what it is, so its kind is left out."""
    chinese = _VALUES.get((hit[1] or hit[2]).lower())
    if chinese is None:
        return hit[0]
    return (chinese if "-" in hit.string[: hit.start()] else "").ljust(len(hit[0]))


def _below_each_other(hit: re.Match[str]) -> str:
    """Typer counts characters, a terminal columns: a Chinese character fills two."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in hit[1])
    return hit[1] + " " * max(2, len(hit[2]) - wide)


def in_chinese(command: Any) -> Any:
    """The same click command, its help and that of every command below it in Chinese and plain text.

    The line of a command in a list is its first sentence: click cuts between words, and Chinese has no spaces between them.
    """
    command.rich_markup_mode = None
    command.short_help = command.short_help or " ".join((command.help or "").split()).partition("。")[0] + "。"
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
    (
        re.compile(r"^Got unexpected extra argument(?:s|\(s\))? \((.+)\)$"),
        r"多出的内容：\1。文件夹或文字里有空格时，整个加上引号。",
    ),
    (re.compile(r"^Option '?(.+?)'? requires an argument\.$"), r"选项 \1 后面要写一个值。"),
    (re.compile(r"^Option '?(.+?)'? does not take a value\.$"), r"选项 \1 后面不写值。"),
    (re.compile(r"^Invalid value for '?(.+?)'?: .*valid integer.*$", re.S), r"\1 应是整数。"),
    (re.compile(r"^Invalid value for '?(.+?)'?: .*valid (?:number|float).*$", re.S), r"\1 应是数字。"),
    (re.compile(r"^Invalid value for '?(.+?)'?: .*greater than or equal to (\S+?)\.?$", re.S), r"\1 不能小于 \2。"),
    (re.compile(r"^Invalid value for '?(.+?)'?: .*less than or equal to (\S+?)\.?$", re.S), r"\1 不能大于 \2。"),
    (re.compile(r"^Invalid value for '?(.+?)'?: (.+)$", re.S), r"\1 的值不对：\2"),
)


def translate_error(message: str) -> str:
    """A usage error of click's in Chinese; what is not known stays as it is."""
    for pattern, chinese in _MESSAGES:
        if pattern.match(message):
            return pattern.sub(chinese, message)
    return message
