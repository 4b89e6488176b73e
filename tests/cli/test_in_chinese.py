"""What a user reads is Chinese, also where Typer, Python or the system wrote the sentence first."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from qa_pipeline.cli.main import command
from qa_pipeline.errors import reason_of
from qa_pipeline.resources import rules_dir
from qa_pipeline.strict_yaml import Reader
from qa_pipeline.web.reading.words import ACTION
from tests.cli.support import Qa, Said
from tests.cli.test_commands import all_commands


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "my", "calls"), "多出的内容：calls。文件夹或文字里有空格时，整个加上引号。"),
        (("run", "a", "b", "c"), "多出的内容：b c。文件夹或文字里有空格时，整个加上引号。"),
        (("sample", "--rate", "2"), "--rate 不能大于 1。"),
        (("sample", "--rate", "-1"), "--rate 不能小于 0。"),
        (("serve", "--port", "80000"), "--port 不能大于 65535。"),
    ],
)
def test_usage_errors_are_chinese_sentences(qa: Qa, words: tuple[str, ...], message: str) -> None:
    assert qa(*words) == Said(2, "", f"错误：{message}\n用 qa {words[0]} --help 查看用法。\n")


def test_a_value_too_many_or_too_few(qa: Qa) -> None:
    assert qa("run", "x", "--json=3") == Said(2, "", "错误：选项 --json 后面不写值。\n")
    assert qa("bench", "--rounds") == Said(2, "", "错误：选项 --rounds 后面要写一个值。\n")


def test_the_help_names_kinds_and_limits_of_values_in_chinese(qa: Qa) -> None:
    assert qa("sample", "--help").out == (
        "用法： qa sample [选项]\n\n"
        "  抽样并建工单。同一天（周）只抽一次，再运行会给出已有的抽样并补建缺的工单。\n\n"
        "选项：\n"
        "  --date 日期           抽哪一天，默认昨天。\n"
        "  --weekly              二级抽查：--date 所在的一整周（周一到周日）。\n"
        "  --rate 数字           比例，默认按设置。  [0 到 1]\n"
        "  --floor 整数          每人至少几通，默认按设置。  [不小于 0]\n"
        "  --seed 文字           随机种子，默认由级别和日期得出；会记录。\n"
        "  --replay 抽样编号     按记录重抽这次抽样，核对是否一样。\n"
        "  --no-cases            只抽样，不建工单。\n"
        "  --db 路径             数据库文件，默认 qa-out/qa.duckdb。\n"
        "  --json                输出 JSON，供脚本使用。\n"
        "  --as 人员             操作人编号；也可用环境变量 QA_PERSON。\n"
        "  --at 时间             操作时间，默认现在；补录时用，如 2026-11-02T09:30。\n"
        "  --help                显示这段帮助。\n"
    )


def test_no_help_has_english_kinds_or_a_command_without_its_sentence(qa: Qa) -> None:
    assert "  eval            对照标注看判得准不准：每条的查准率、查全率、F1，误判，角色正确率，字错率。\n" in qa("--help").out
    for words in [(), *all_commands(command())]:
        text = qa(*words, "--help").out
        assert not re.search(r"<\w|\bx[<>]=|=x\b|\s\.\.\.$|\brange\b", text, re.M), " ".join(words)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 文字", "1:5: 不是有效的 TOML：等号后面的值看不懂；文字和路径要加引号，真假写 true 或 false。"),
        ("[asr]\nworkers 2\n", "2:9: 不是有效的 TOML：名称后面缺少等号；名称里有空格的要加引号。"),
        ("工号 = 1", "1:1: 不是有效的 TOML：这一行看不懂；名称里有中文或空格的要加引号，写成 名称 = 值。"),
        ("[asr\n", "1:5: 不是有效的 TOML：节的名称没有写完，缺少“]”。"),
        ("db = 'x\n", "1:8: 不是有效的 TOML：引号没有写完。"),
        ('rules = "C:\\qa"', "1:14: 不是有效的 TOML：双引号里的反斜杠要写两个，或者改用单引号。"),
        ("cache = true\ncache = false", "2:14: 不是有效的 TOML：同一个名称写了两次。"),
        ("[asr]\n[asr]", "2:5: 不是有效的 TOML：同一节写了两次。"),
    ],
)
def test_a_bad_configuration_is_told_with_line_and_column(qa: Qa, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "qa.toml").write_text(text, encoding="utf-8")
    assert qa("doctor") == Said(2, "", f"错误：qa.toml:{message}\n")


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ("a: [1,", "1:7", "列表或花括号没有写完，缺少“]”或“}”"),
        ("a: ]", "1:4", "多出一个括号或逗号；它若是文字请加引号"),
        ("a: >x\n", "1:5", "以 | 或 > 开头的文字请加引号；多行文字要在 | 或 > 之后换行"),
        ("a: !<x", "1:7", "以 ! 开头的文字请加引号"),
        ("&a &b c", "1:4", "写法不对；请检查引号、冒号、括号和缩进"),
    ],
)
def test_what_the_yaml_reader_says(text: str, place: str, why: str) -> None:
    reader = Reader("A01.yaml")
    assert reader.compose(text) is None
    assert [str(problem) for problem in reader.problems] == [f"A01.yaml:{place}: 不是有效的 YAML：{why}"]


def test_a_broken_rule_file_is_told_in_chinese(qa: Qa, tmp_path: Path) -> None:
    shutil.copytree(rules_dir(), tmp_path / "rules")
    (tmp_path / "rules" / "a" / "A06.yaml").write_text("clause: [A06,\n", encoding="utf-8")
    said = qa("rules", "check", "--rules", tmp_path / "rules")
    assert "A06.yaml:2:1: 不是有效的 YAML：列表或花括号没有写完，缺少“]”或“}”" in said.out + said.err


def test_a_file_that_only_calls_itself_excel(qa: Qa, tmp_path: Path) -> None:
    (tmp_path / "day").mkdir()
    (tmp_path / "day" / "manifest.xlsx").write_text("录音文件\n", encoding="utf-8")
    assert qa("run", "day") == Said(
        2, "", "错误：day/manifest.xlsx：内容不是 Excel 工作簿，或者不完整；请在 Excel 里重新另存为 .xlsx 或 CSV\n"
    )
    assert qa("kpi", "import", "day/manifest.xlsx", "--db", qa.db).err.splitlines()[0] == (
        "错误：day/manifest.xlsx 的内容不是 Excel 工作簿，或者不完整。请在 Excel 里重新另存为 .xlsx 或 CSV。"
    )


def test_what_the_system_says_is_chinese(qa: Qa, tmp_path: Path) -> None:
    import errno
    import os
    import socket
    import ssl

    assert qa("import", "transcripts", "none.jsonl").err == (
        "错误：none.jsonl：读不了这个文件（找不到文件或文件夹）。请检查路径。\n"
    )
    assert qa("eval", tmp_path).err == f"错误：{tmp_path}：读不了标注文件（这是文件夹，不是文件）。请检查路径。\n"
    told = [
        reason_of(OSError(number, os.strerror(number)))
        for number in (errno.ENOENT, errno.EACCES, errno.ENOSPC, errno.EADDRINUSE, errno.EXDEV)
    ]
    assert told == ["找不到文件或文件夹", "没有权限", "磁盘已满", "地址和端口已被别的程序占用", f"系统错误 {errno.EXDEV}"]
    others = (
        socket.gaierror(-2, "Name or service not known"),
        ssl.SSLError(1, "handshake"),
        TimeoutError("timed out"),
        OSError("断了"),
    )
    assert [reason_of(error) for error in others] == ["找不到这台主机", "加密连接没有建成", "等待超时", "断了"]


def test_the_log_and_the_settings_are_in_words(qa: Qa) -> None:
    at = ("--at", "2026-11-01T09:00", "--db", qa.db)
    qa("people", "add", "admin", "管理员", "--post", "管理员", *at)
    qa("people", "add", "lead", "方敏", "--post", "质检组长", "--team", "一组", "--as", "admin", *at)
    qa("settings", "set", "appeal_days", "7", "--as", "admin", *at)
    lines = [" ".join(line.split()) for line in qa("log", "--as", "admin", *at).out.splitlines()]
    assert lines[0] == "序号 时间 人员 动作 对象 内容"
    assert lines[2:] == [
        "3 2026-11-01 09:00 admin 改设置 appeal_days 7，5",
        "2 2026-11-01 09:00 admin 人员变更 lead 是，方敏，质检组长，一组",
        "1 2026-11-01 09:00 system 人员变更 admin 是，管理员，管理员",
    ]
    assert not [word for word in ACTION.values() if word.isascii()]
    shown = [" ".join(line.split()) for line in qa("settings", "show", "--db", qa.db).out.splitlines()]
    assert shown[0] == "设置 值 说明"
    assert "appeal_days 7 几天内可申诉" in shown and "precision_floor 0.8 准确率低于多少只作提示" in shown


def test_a_variable_that_is_no_setting_is_told_once(qa: Qa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_WORKERS", "abc")
    assert qa("show", "S001", "--db", qa.db).err.splitlines()[0] == "注意：没有用到环境变量 QA_WORKERS；是不是 QA_ASR_WORKERS？"
