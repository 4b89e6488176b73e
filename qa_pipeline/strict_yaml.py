"""YAML into frozen dataclasses, strictly, telling every mistake of a file with its line and column.

What plain YAML loaders do silently is refused here: unknown and duplicate keys, ``no`` read as False, ``12:30`` read as 750, a number
where text is wanted. The shape wanted is the dataclass itself: field names are the keys, ``Annotated[..., Doc(...)]`` explains them, a
union of dataclasses is told apart by their ``kind: Literal["..."]`` field. The same classes give the JSON Schema (see rules/schema.py).
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import yaml

from qa_pipeline.errors import Problem, reason_of

T = TypeVar("T")
_STR = "tag:yaml.org,2002:str"


class Doc(str):
    """Explanation of a field, shown by ``qa rules schema`` and in editors."""


class _Invalid(Exception):
    """A value could not be built; its problems are already noted."""


@lru_cache(maxsize=256)
def hints(cls: type) -> dict[str, Any]:
    """Resolved annotations of a dataclass, ``Annotated`` kept."""
    return get_type_hints(cls, include_extras=True)


def strip_annotated(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def kind_of(cls: type) -> str | None:
    """The literal that tells this member of a union from the others."""
    hint = hints(cls).get("kind")
    return str(get_args(strip_annotated(hint))[0]) if hint is not None else None


# What PyYAML says, and what helps the author.
_YAML_WORDS = (
    ("'\\t' that cannot start", "不能用制表符（Tab）缩进，请用空格"),
    ("cannot start any token", "文字不能用这个符号开头，请加引号"),
    ("mapping values are not allowed", "这里不能再有冒号；文字里有“: ”的请加引号"),
    ("could not find expected ':'", "这一行缺少冒号，或者缩进不对"),
    ("expected ',' or ']'", "列表没有写完，缺少“]”"),
    ("expected ',' or '}'", "缺少“}”"),
    ("unexpected end of stream", "引号没有写完"),
    ("expected alphabetic or numeric character", "* 和 & 开头的文字请加引号"),
    ("undefined alias", "* 和 & 开头的文字请加引号"),
    ("another document", "一个文件只能写一份内容，不能有第二个 ---"),
    ("special characters are not allowed", "有看不见的控制字符，请删去"),
    ("unknown escape character", "双引号里的反斜杠要写两个，或者改用单引号"),
    ("expected <block end>", "缩进与前面几行不一致"),
    ("block sequence entries are not allowed", "列表的“- ”要另起一行"),
    ("sequence entries are not allowed", "列表的“- ”要另起一行"),
    ("expected the node content, but found '<stream end>'", "列表或花括号没有写完，缺少“]”或“}”"),
    ("expected the node content", "多出一个括号或逗号；它若是文字请加引号"),
    ("expected chomping or indentation indicators", "以 | 或 > 开头的文字请加引号；多行文字要在 | 或 > 之后换行"),
    ("tag", "以 ! 开头的文字请加引号"),
)
_OTHERWISE = "写法不对；请检查引号、冒号、括号和缩进"
_SAFE_DEPTH = 800  # levels that libyaml nests on the smallest C stack without harm


def _in_chinese(error: yaml.YAMLError) -> str:
    words = " ".join(filter(None, (getattr(error, "problem", None) or str(error), getattr(error, "context", None))))
    return next((chinese for english, chinese in _YAML_WORDS if english in words), _OTHERWISE)


def _place(error: yaml.YAMLError, text: str) -> tuple[int, int]:
    """Line and column, from 1; a character that YAML forbids has only a position in the text."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return mark.line + 1, mark.column + 1
    before = text[: getattr(error, "position", 0)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _compose(text: str) -> yaml.Node | None:
    """The nodes of a text, by libyaml where it can: ten times as fast. What it refuses the parser with the better marks refuses."""
    depth_at_most = text.count("[") + text.count("{") + max(map(len, text.splitlines()), default=0)
    if depth_at_most < _SAFE_DEPTH and hasattr(yaml, "CSafeLoader"):
        with suppress(yaml.YAMLError):
            return yaml.compose(text, Loader=yaml.CSafeLoader)
    return yaml.compose(text, Loader=yaml.SafeLoader)


class Reader:
    """Builds values from the nodes of one file and collects what is wrong with it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.lines: dict[int, tuple[int, int]] = {}  # id of a built value → its line and column

    def note(self, node: yaml.Node | None, message: str) -> None:
        mark = node.start_mark if node is not None else None
        line, col = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        self.problems.append(Problem(path=self.path, line=line, col=col, message=message))

    def compose(self, text: str) -> yaml.Node | None:
        try:
            node = _compose(text)
        except yaml.YAMLError as error:
            line, col = _place(error, text)
            self.problems.append(Problem(path=self.path, line=line, col=col, message=f"不是有效的 YAML：{_in_chinese(error)}"))
            return None
        except RecursionError:
            self.note(None, "不是有效的 YAML：一层套一层太深")
            return None
        if node is None:
            self.note(None, "文件是空的")
        return node

    def build(self, cls: type[T], node: yaml.Node) -> T | None:
        """The value of type ``cls``, or None when anything in it is wrong (every mistake is in ``problems``)."""
        try:
            return cast(T, self._value(cls, node, ""))
        except _Invalid:
            return None

    def _fail(self, node: yaml.Node, message: str) -> _Invalid:
        self.note(node, message)
        return _Invalid()

    def _value(self, hint: Any, node: yaml.Node, where: str) -> Any:
        hint = strip_annotated(hint)
        origin = get_origin(hint)
        if origin in (Union, types.UnionType):
            return self._union(hint, node, where)
        if origin is tuple:
            return self._tuple(get_args(hint), node, where)
        if origin in (dict, Mapping):
            return self._mapping(get_args(hint)[1], node, where)
        if origin is Literal:
            return self._choice(get_args(hint), node, where)
        if dataclasses.is_dataclass(hint):
            return self._dataclass(cast(type, hint), node, where)
        return self._scalar(hint, node, where)

    def _union(self, hint: Any, node: yaml.Node, where: str) -> Any:
        members = [strip_annotated(member) for member in get_args(hint)]
        if type(None) in members:
            if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null":
                return None
            members = [member for member in members if member is not type(None)]
        if len(members) == 1:
            return self._value(members[0], node, where)
        if isinstance(node, yaml.MappingNode):
            tagged = {kind_of(cast(type, member)): member for member in members if dataclasses.is_dataclass(member)}
            if None in tagged and len(tagged) == 1:
                return self._dataclass(cast(type, tagged[None]), node, where)
            return self._tagged({key: value for key, value in tagged.items() if key}, node, where)
        plain = [member for member in members if not dataclasses.is_dataclass(member)]
        for member in plain:
            wants_list = get_origin(member) is tuple
            if wants_list == isinstance(node, yaml.SequenceNode):
                return self._value(member, node, where)
        raise self._fail(node, f"{where or '此处'}的形式不对")

    def _tagged(self, members: Mapping[str, Any], node: yaml.MappingNode, where: str) -> Any:
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == "kind":
                if not isinstance(value, yaml.ScalarNode) or value.value not in members:
                    name = value.value if isinstance(value, yaml.ScalarNode) else "…"
                    raise self._fail(value, f"没有“{name}”这种 kind，可用：{'、'.join(sorted(members))}")
                return self._dataclass(members[value.value], node, where)
        raise self._fail(node, f"{where or '此处'}缺少 kind，可用：{'、'.join(sorted(members))}")

    def _tuple(self, args: tuple[Any, ...], node: yaml.Node, where: str) -> tuple[Any, ...]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._fail(node, f"{where}应是列表（每项前加 - ）")
        built, failed = [], False
        for item in node.value:
            try:
                built.append(self._value(args[0], item, where))
            except _Invalid:
                failed = True
        if failed:
            raise _Invalid
        return tuple(built)

    def _pairs(self, node: yaml.Node, where: str) -> list[tuple[str, yaml.Node, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise self._fail(node, f"{where or '此处'}应是“键: 值”的形式")
        seen: dict[str, yaml.Node] = {}
        pairs: list[tuple[str, yaml.Node, yaml.Node]] = []
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.note(key, "键应是简单的文字")
                continue
            name = str(key.value)
            if name in seen:
                self.note(key, f"键“{name}”重复，前一个在第 {seen[name].start_mark.line + 1} 行")
                continue
            seen[name] = key
            pairs.append((name, key, value))
        return pairs

    def _mapping(self, hint: Any, node: yaml.Node, where: str) -> dict[str, Any]:
        built: dict[str, Any] = {}
        failed = False
        for name, _, value in self._pairs(node, where):
            try:
                built[name] = self._value(hint, value, f"{where}.{name}" if where else name)
            except _Invalid:
                failed = True
        if failed:
            raise _Invalid
        return built

    def _dataclass(self, cls: type, node: yaml.Node, where: str) -> Any:
        before = len(self.problems)
        fields = {item.name.rstrip("_"): item for item in dataclasses.fields(cls) if item.init}
        values: dict[str, Any] = {}
        known = hints(cls)
        for name, key, value in self._pairs(node, where):
            if name not in fields:
                self.note(key, f"{where + ' ' if where else ''}不认识的键“{name}”，可用：{'、'.join(sorted(fields))}")
                continue
            try:
                values[fields[name].name] = self._value(known[fields[name].name], value, name)
            except _Invalid:
                continue
        for name, item in fields.items():
            required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
            if required and item.name not in values and not any(k.value == name for k, _ in cast(Any, node).value):
                self.note(node, f"{where + ' ' if where else ''}缺少必填的键“{name}”")
        if len(self.problems) > before:
            raise _Invalid
        try:
            built = cls(**values)
        except ValueError as error:
            raise self._fail(node, str(error)) from None
        self.lines[id(built)] = (node.start_mark.line + 1, node.start_mark.column + 1)
        return built

    def _choice(self, allowed: tuple[Any, ...], node: yaml.Node, where: str) -> Any:
        if isinstance(node, yaml.ScalarNode) and node.value in {str(item) for item in allowed}:
            return next(item for item in allowed if str(item) == node.value)
        raise self._fail(node, f"{where}只能是：{'、'.join(str(item) for item in allowed)}")

    def _scalar(self, hint: Any, node: yaml.Node, where: str) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            raise self._fail(node, f"{where}应是单个值")
        text = str(node.value)
        if hint is str:
            if node.tag != _STR:
                raise self._fail(node, f"{where}应是文字；“{text}”会被 YAML 读成别的类型，请加引号")
            self.lines[id(text)] = (node.start_mark.line + 1, node.start_mark.column + 1)
            return text
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            return self._choice(tuple(hint), node, where)
        if hint is bool:
            if text not in ("true", "false") or node.style:
                raise self._fail(node, f"{where}只能是 true 或 false")
            return text == "true"
        return self._number(hint, node, text, where)

    def _number(self, hint: Any, node: yaml.ScalarNode, text: str, where: str) -> Any:
        try:
            if hint is int:
                if not text.lstrip("-").isdigit():
                    raise ValueError
                return int(text)
            if hint is float:
                return float(text) if text.replace(".", "", 1).lstrip("-").isdigit() else float("x")
            if hint is Decimal:
                return Decimal(text) if text.replace(".", "", 1).lstrip("-").isdigit() else Decimal("x")
        except (ValueError, InvalidOperation):
            raise self._fail(node, f"{where}应是数字，写的是“{text}”") from None
        raise TypeError(f"strict_yaml cannot read {hint!r}")


def read_file(path: Path, cls: type[T], shown_as: str | None = None) -> tuple[T | None, Reader]:
    """Reads one file. The value is None when the reader holds problems; encoding and access errors are problems too."""
    reader = Reader(shown_as or str(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        reader.note(None, "找不到文件")
        return None, reader
    except UnicodeDecodeError:
        reader.note(None, "文件不是 UTF-8 编码，请另存为 UTF-8")
        return None, reader
    except OSError as error:
        reader.note(None, f"读不了文件：{reason_of(error)}")
        return None, reader
    node = reader.compose(text)
    value = reader.build(cls, node) if node is not None else None
    return (None if reader.problems else value), reader
