"""What a run says on the way: how far it is and how long it will take, and no table cuts a name."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from qa_pipeline.cli.common import table
from qa_pipeline.cli.progress import RunProgress
from tests.cli.support import Qa
from tests.cli.test_commands import copy_calls


def test_the_time_left_is_told_at_the_pace_of_hearing_not_of_starting(capsys: pytest.CaptureFixture[str]) -> None:
    """Twelve recordings of 100 s; processes start for 30 s, then one recording takes 35 s. Two of them cannot be read."""
    now = [0.0]
    progress = RunProgress(tick=lambda: now[0])
    progress.hearing(12, 1200.0)
    for number in range(12):
        now[0] += 65 if number == 0 else 35
        progress.heard(f"S{number:03}", 100.0, "打不开" if number in (3, 7) else "")
    told = capsys.readouterr().err.splitlines()
    assert told[:4] == [
        "要识别 12 段录音，共 20 分钟。",
        "1/12 通  音频 1 分 40 秒，剩 18 分 20 秒",
        "2/12 通  音频 3 分 20 秒，剩 16 分 40 秒",
        "3/12 通  音频 5 分钟，剩 15 分钟  约需 5 分 15 秒",
    ]
    assert told[4] == "4/12 通（未处理 1）  音频 6 分 40 秒，剩 13 分 20 秒  约需 4 分 40 秒"
    assert told[-1] == "12/12 通（未处理 2）  音频 20 分钟，剩 0.0 秒"
    assert "打不开" not in "".join(told)


def test_a_failure_is_told_once(qa: Qa, tmp_path: Path) -> None:
    folder = copy_calls(tmp_path / "day", "S001", "S010")
    (folder / "S010.wav").write_text("文字", encoding="utf-8")
    err = qa("run", folder, "--db", qa.db).err
    assert err.count("未处理 S010") == 1 and "未处理 1 通（原因见上）" in err


ROWS = [
    ["方敏", "复核", "K20261103-0005 K20261103-0006 K20261103-0007", "这是一句很长很长的话" * 5, "qa review confirm 工单 发现"]
] * 2
COLUMNS = ("人员", "事项", "最早的", "说明", "命令")


def test_a_piped_table_is_not_folded(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    table(COLUMNS, ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and [re.split(r"  +", line.strip()) for line in lines[2:]] == ROWS


def test_a_narrow_terminal_folds_between_names(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    table(COLUMNS, ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 4 and re.findall(r"K\d{8}-\d{4}", "\n".join(lines)) == 2 * [
        f"K20261103-000{number}" for number in (5, 6, 7)
    ]
