"""The commands themselves, as a script would call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qa_pipeline.cli import main
from qa_pipeline.report.kinds import REPORTS
from tests.casework.casework_make import Centre
from tests.kpi import logs


@pytest.fixture
def qa(house: Centre, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QA_CONFIG", raising=False)

    def run(*words: object) -> tuple[int, str, str]:
        capsysbinary.readouterr()
        code = main.run([str(word) for word in words])
        out, err = capsysbinary.readouterr()
        return int(code), out.decode(), err.decode()

    return run


def test_every_report_is_a_command(qa, house: Centre) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = qa("report", "--help")
    assert code == 0
    assert all(kind in out for kind in (*REPORTS, "run"))


def test_to_the_screen_and_to_files(qa, house: Centre, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = qa("report", "team", "--db", house.store.path, "--at", "2026-12-20T09:00")
    assert (code, out.splitlines()[0]) == (0, "# 团队对比")
    code, out, _ = qa("report", "daily", "--db", house.store.path, "--to", "2026/11/2", "--format", "json")
    assert json.loads(out)["facts"][0] == {"label": "清单通话", "value": 5, "unit": "", "note": "接通 4", "good": None}
    for name in ("月报.xlsx", "月报.html", "月报.md"):
        code, _, err = qa("report", "monthly", "--db", house.store.path, "--out", tmp_path / name)
        assert (code, err) == (0, f"月度扣罚汇总与明细（2026-11）：{tmp_path / name}\n")
    assert (tmp_path / "月报.xlsx").read_bytes()[:2] == b"PK"


def test_mistakes_are_told(qa, house: Centre) -> None:  # type: ignore[no-untyped-def]
    for words, said in (
        (("report", "team", "--format", "pdf"), "没有“pdf”这种格式"),
        (("report", "team", "--format", "xlsx"), "请用 --out"),
        (("report", "team", "--from", "昨天"), "--from 的日期“昨天”不对"),
        (("report", "team", "--mail-to", "boss@example.com"), "QA_MAIL_HOST"),
        (("report", "settlement"), "加 --users 文件"),
        (("report", "kpi"), "还没有导入通话记录"),
    ):
        code, out, err = qa(*words, "--db", house.store.path)
        assert (code, out) == (2, "")
        assert said in err


def test_kpi_from_import_to_problems(qa, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "calls.csv").write_text(logs.CALLS, encoding="utf-8")
    code, _, err = qa("kpi", "import", "calls.csv")
    assert (code, err) == (0, "calls.csv：通话记录 9 行，计入 9 行\n")
    code, _, err = qa("kpi", "import", "calls.csv")
    assert "以前导入过" in err
    code, out, _ = qa("kpi", "show", "--format", "json")
    rows = {row["code"]: row for row in json.loads(out)["sections"][0]["rows"]}
    assert (code, rows["K05"]["value"], rows["K31"]["verdict"]) == (0, 9, "高于标准")
    code, out, _ = qa("kpi", "problems")
    assert (code, out) == (0, "\ufefffile,row,problem,column,value,effect\r\n")
    code, out, _ = qa("kpi", "list", "--json")
    assert (code, len(json.loads(out))) == (0, 58)


def test_script_commands(qa, house: Centre) -> None:  # type: ignore[no-untyped-def]
    assert qa("script", "check")[0] == 0
    code, out, _ = qa("script", "show", "call-0001", "--db", house.store.path)
    assert (code, out.splitlines()[0]) == (0, "call-0001　增值业务电话营销　覆盖 1 / 3（33%）")
    code, _, err = qa("script", "show", "call-0008", "--db", house.store.path)
    assert (code, "没有一份话术适用" in err) == (2, True)
