"""A TOML file with its lines: every mistake in it is told in Chinese with the place where it stands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from qa_pipeline.errors import ConfigError, reason_of

# What tomllib says, and what helps the writer.
_WORDS = (
    ("Invalid value", "等号后面的值看不懂；文字和路径要加引号，真假写 true 或 false"),
    ("Invalid statement", "这一行看不懂；名称里有中文或空格的要加引号，写成 名称 = 值"),
    ("Expected '=' after a key", "名称后面缺少等号；名称里有空格的要加引号"),
    ("Invalid initial character for a key", "等号左边的名称看不懂；有中文的要加引号"),
    ("Expected ']", "节的名称没有写完，缺少“]”"),
    ("Expected newline or end of document", "一行只能写一项；这里多出了内容"),
    ("Expected", "引号没有写完"),
    ("Unterminated string", "引号没有写完"),
    ("Cannot overwrite a value", "同一个名称写了两次"),
    ("Cannot declare", "同一节写了两次"),
    ("Duplicate", "同一个名称写了两次"),
    ("Cannot", "同一个名称写了两次，或既当一节又当一项"),
    ("Unclosed array", "列表没有写完，缺少“]”"),
    ("Unclosed inline table", "缺少“}”"),
    ("Unescaped '\\' in a string", "双引号里的反斜杠要写两个，或者改用单引号"),
    ("Invalid hex value", "双引号里的反斜杠要写两个，或者改用单引号"),
    ("Escaped character", "双引号里的反斜杠要写两个，或者改用单引号"),
    ("Illegal character", "有不能用的字符（如引号里换行、控制字符）"),
    ("Found invalid character", "有不能用的字符（如引号里换行、控制字符）"),
    ("Invalid date", "没有这个日期或时间"),
)
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class TomlFile:
    """The text of a configuration file, to say where a mistake stands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[str] = []

    def read(self, *, required: bool) -> dict[str, Any]:
        """The whole file; nothing when it is absent and not ``required``. Raises ConfigError."""
        try:
            text = self.path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            if required:
                raise ConfigError(f"{self.path}：找不到这个配置文件。请检查路径，或去掉 --config。") from None
            return {}
        except UnicodeDecodeError:
            raise ConfigError(f"{self.path}：不是 UTF-8 编码，请另存为 UTF-8。") from None
        except OSError as error:
            raise ConfigError(f"{self.path}：读不了这个配置文件（{reason_of(error)}）。") from None
        self.lines = text.splitlines()
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(self._told(str(error))) from None

    def where(self, name: str) -> str:
        """``path:line`` of a dotted name as well as plain TOML lets one find it."""
        *sections, key = name.split(".")
        current = ""
        for number, line in enumerate(self.lines, start=1):
            stripped = line.strip()
            if stripped.startswith("["):
                current = stripped.strip("[] ").replace('"', "")
                if current == name:
                    return f"{self.path}:{number}"
            elif current == ".".join(sections) and stripped.split("=", 1)[0].strip().strip("\"'") == key:
                return f"{self.path}:{number}"
        return str(self.path)

    def _told(self, error: str) -> str:
        """``path:line:col: …``; a mistake that only the end of the file shows stands in its last line that is not empty."""
        place = _PLACE.search(error)
        if place is not None and place[1]:
            line, col = int(place[1]), int(place[2])
        else:
            line = max((number for number, text in enumerate(self.lines, start=1) if text.strip()), default=1)
            col = len(self.lines[line - 1]) + 1 if self.lines else 1
        why = next((chinese for english, chinese in _WORDS if error.startswith(english)), "写法不对")
        return f"{self.path}:{line}:{col}: 不是有效的 TOML：{why}。"
