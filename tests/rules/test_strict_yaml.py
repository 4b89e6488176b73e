"""YAML read strictly: what plain loaders swallow is told with line and column, all of it at once, in Chinese."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import pytest

from qa_pipeline.strict_yaml import Doc, read_file


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """A square."""

    kind: Literal["square"] = "square"
    side: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """A circle."""

    kind: Literal["circle"] = "circle"
    radius: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """Something inside."""

    name: str
    size: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A file of everything."""

    text: Annotated[str, Doc("文字")]
    number: int = 0
    share: float = 0.0
    money: Decimal = Decimal(0)
    flag: bool = False
    colour: Colour = Colour.RED
    level: Literal["low", "high"] = "low"
    maybe: float | None = None
    in_: tuple[str, ...] = ()
    many: tuple[str | Inner, ...] = ()
    inner: Inner | None = None
    shapes: dict[str, Square | Circle] | None = None

    def __post_init__(self) -> None:
        if self.number > 9:
            raise ValueError("number 太大")


def read(tmp_path: Path, content: str | bytes) -> tuple[Thing | None, list[str]]:
    path = tmp_path / "thing.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    value, reader = read_file(path, Thing, "t.yaml")
    return value, [str(problem) for problem in reader.problems]


def test_everything_right(tmp_path: Path) -> None:
    value, problems = read(
        tmp_path,
        """text: 你好
number: -3
share: 0.5
money: 12.50
flag: true
colour: blue
level: high
maybe: 3
in: [甲, "12:30"]
many: [乙, {name: 丙, size: 2}]
inner: {name: 丁}
shapes: {a: {kind: square, side: 2}, b: {kind: circle, radius: 1.5}}
""",
    )
    assert problems == []
    assert value == Thing(
        text="你好",
        number=-3,
        share=0.5,
        money=Decimal("12.50"),
        flag=True,
        colour=Colour.BLUE,
        level="high",
        maybe=3.0,
        in_=("甲", "12:30"),
        many=("乙", Inner(name="丙", size=2)),
        inner=Inner(name="丁"),
        shapes={"a": Square(side=2.0), "b": Circle(radius=1.5)},
    )


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"", b"# \xe6\xb3\xa8\n", b"---\n"])
def test_a_byte_order_mark_a_comment_and_windows_line_ends_do_not_matter(tmp_path: Path, start: bytes) -> None:
    assert read(tmp_path, start + "text: 甲\r\nnumber: 2\r\n".encode()) == (Thing(text="甲", number=2), [])


@pytest.mark.parametrize("nothing", ["~", "null", ""])
def test_nothing_is_what_may_be_left_out(tmp_path: Path, nothing: str) -> None:
    assert read(tmp_path, f"text: 甲\nmaybe: {nothing}\ninner: {nothing}\n") == (Thing(text="甲"), [])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "txet: 甲",
            "t.yaml:2:1: 不认识的键“txet”，可用：colour、flag、in、inner、level、many、maybe、money、number、shapes、share、text",
        ),
        (
            "in_: [甲]",
            "t.yaml:2:1: 不认识的键“in_”，可用：colour、flag、in、inner、level、many、maybe、money、number、shapes、share、text",
        ),
        ("text: 乙", "t.yaml:2:1: 键“text”重复，前一个在第 1 行"),
        ("number: 三", "t.yaml:2:9: number应是数字，写的是“三”"),
        ("number: 1.5", "t.yaml:2:9: number应是数字，写的是“1.5”"),
        ("number: 12:30", "t.yaml:2:9: number应是数字，写的是“12:30”"),
        ("number: 1_000", "t.yaml:2:9: number应是数字，写的是“1_000”"),
        ("number: 10", "t.yaml:1:1: number 太大"),
        ("share: .inf", "t.yaml:2:8: share应是数字，写的是“.inf”"),
        ("share: 1e3", "t.yaml:2:8: share应是数字，写的是“1e3”"),
        ("share: 50%", "t.yaml:2:8: share应是数字，写的是“50%”"),
        ("money: 五元", "t.yaml:2:8: money应是数字，写的是“五元”"),
        ("money: --5", "t.yaml:2:8: money应是数字，写的是“--5”"),
        ("flag: yes", "t.yaml:2:7: flag只能是 true 或 false"),
        ("flag: no", "t.yaml:2:7: flag只能是 true 或 false"),
        ("flag: on", "t.yaml:2:7: flag只能是 true 或 false"),
        ("flag: True", "t.yaml:2:7: flag只能是 true 或 false"),
        ('flag: "true"', "t.yaml:2:7: flag只能是 true 或 false"),
        ("flag: 1", "t.yaml:2:7: flag只能是 true 或 false"),
        ("colour: green", "t.yaml:2:9: colour只能是：red、blue"),
        ("level: [low]", "t.yaml:2:8: level只能是：low、high"),
        ("in: 甲", "t.yaml:2:5: in应是列表（每项前加 - ）"),
        ("in: [甲, no]", "t.yaml:2:9: in应是文字；“no”会被 YAML 读成别的类型，请加引号"),
        ("in: [12:30]", "t.yaml:2:6: in应是文字；“12:30”会被 YAML 读成别的类型，请加引号"),
        ("in: [2026-11-21]", "t.yaml:2:6: in应是文字；“2026-11-21”会被 YAML 读成别的类型，请加引号"),
        ("in: [10086]", "t.yaml:2:6: in应是文字；“10086”会被 YAML 读成别的类型，请加引号"),
        ("in: [[甲]]", "t.yaml:2:6: in应是单个值"),
        ("inner: 甲", "t.yaml:2:8: inner应是“键: 值”的形式"),
        ("inner: {size: 2}", "t.yaml:2:8: inner 缺少必填的键“name”"),
        ("inner: {name: 甲, sise: 2}", "t.yaml:2:18: inner 不认识的键“sise”，可用：name、size"),
        ("inner: {? [甲] : 乙, name: 甲}", "t.yaml:2:11: 键应是简单的文字"),
        ("many: [{size: 2}]", "t.yaml:2:8: many 缺少必填的键“name”"),
        ("shapes: {a: {side: 2}}", "t.yaml:2:13: shapes.a缺少 kind，可用：circle、square"),
        ("shapes: {a: {kind: hexagon}}", "t.yaml:2:20: 没有“hexagon”这种 kind，可用：circle、square"),
        ("shapes: {a: {kind: square, radius: 2, side: 1}}", "t.yaml:2:28: shapes.a 不认识的键“radius”，可用：kind、side"),
        (
            "<<: {number: 3}",
            "t.yaml:2:1: 不认识的键“<<”，可用：colour、flag、in、inner、level、many、maybe、money、number、shapes、share、text",
        ),
    ],
)
def test_one_mistake(tmp_path: Path, line: str, problem: str) -> None:
    assert read(tmp_path, f"text: 甲\n{line}\n") == (None, [problem])


@pytest.mark.parametrize("said", ["no", "yes", "on", "12:30", "1.5", "0x1F", "010", "~", "", "true", "2026-11-21", ".inf"])
def test_text_that_yaml_would_read_as_something_else(tmp_path: Path, said: str) -> None:
    value, problems = read(tmp_path, f"text: {said}\n")
    assert (value, len(problems)) == (None, 1)
    assert problems[0].startswith("t.yaml:1:") and problems[0].endswith(f"text应是文字；“{said}”会被 YAML 读成别的类型，请加引号")
    assert read(tmp_path, f'text: "{said}"\n') == (Thing(text=said), [])


def test_all_mistakes_of_a_file_at_once_each_at_its_place(tmp_path: Path) -> None:
    content = """number: x
flag: yes
number: 2
shapes:
  a: {kind: square, side: 甲}
  b: {kind: oval}
many:
  - {name: no}
  - 甲
  - {nmae: 乙}
"""
    assert read(tmp_path, content) == (
        None,
        [
            "t.yaml:3:1: 键“number”重复，前一个在第 1 行",
            "t.yaml:1:9: number应是数字，写的是“x”",
            "t.yaml:2:7: flag只能是 true 或 false",
            "t.yaml:5:27: side应是数字，写的是“甲”",
            "t.yaml:6:13: 没有“oval”这种 kind，可用：circle、square",
            "t.yaml:8:12: name应是文字；“no”会被 YAML 读成别的类型，请加引号",
            "t.yaml:10:6: many 不认识的键“nmae”，可用：name、size",
            "t.yaml:10:5: many 缺少必填的键“name”",
            "t.yaml:1:1: 缺少必填的键“text”",
        ],
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "t.yaml:1:1: 文件是空的"),
        (b"# only a comment\n\n", "t.yaml:1:1: 文件是空的"),
        ("- 甲\n".encode(), "t.yaml:1:1: 此处应是“键: 值”的形式"),
        ("甲\n".encode(), "t.yaml:1:1: 此处应是“键: 值”的形式"),
        ("text: 甲\n".encode("gbk"), "t.yaml:1:1: 文件不是 UTF-8 编码，请另存为 UTF-8"),
        ("text: 甲\n".encode("utf-16"), "t.yaml:1:1: 文件不是 UTF-8 编码，请另存为 UTF-8"),
        ("text: 甲\n\tnumber: 2\n".encode(), "t.yaml:2:1: 不是有效的 YAML：不能用制表符（Tab）缩进，请用空格"),
        ("text: 甲: 乙\n".encode(), "t.yaml:1:8: 不是有效的 YAML：这里不能再有冒号；文字里有“: ”的请加引号"),
        ("text: [甲\n".encode(), "t.yaml:2:1: 不是有效的 YAML：列表没有写完，缺少“]”"),
        ("text: {a: 甲\n".encode(), "t.yaml:2:1: 不是有效的 YAML：缺少“}”"),
        ('text: "甲\n'.encode(), "t.yaml:2:1: 不是有效的 YAML：引号没有写完"),
        ("text: *甲\n".encode(), "t.yaml:1:8: 不是有效的 YAML：* 和 & 开头的文字请加引号"),
        ("text: %甲\n".encode(), "t.yaml:1:7: 不是有效的 YAML：文字不能用这个符号开头，请加引号"),
        ("text: 甲\n---\ntext: 乙\n".encode(), "t.yaml:2:1: 不是有效的 YAML：一个文件只能写一份内容，不能有第二个 ---"),
        ("text: 甲\x00\n".encode(), "t.yaml:1:8: 不是有效的 YAML：有看不见的控制字符，请删去"),
        (b"text: " + b"[" * 1500, "t.yaml:1:1: 不是有效的 YAML：一层套一层太深"),
    ],
)
def test_a_file_that_is_no_yaml_is_told_in_chinese(tmp_path: Path, content: bytes, problem: str) -> None:
    assert read(tmp_path, content) == (None, [problem])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    value, reader = read_file(tmp_path / "none.yaml", Thing)
    assert (value, [str(problem) for problem in reader.problems]) == (None, [f"{tmp_path}/none.yaml:1:1: 找不到文件"])


def test_an_alias_may_be_used_twice(tmp_path: Path) -> None:
    assert read(tmp_path, "text: &a 甲\nin: [*a, *a]\n") == (Thing(text="甲", in_=("甲", "甲")), [])
