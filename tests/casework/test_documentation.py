"""The script of docs/casework.md runs as it stands there, by command line alone, and the month reconciles to the cent."""

from __future__ import annotations

import re
import shlex
from decimal import Decimal
from pathlib import Path

import pytest

from qa_pipeline.cli.main import run

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"^qa .*$", re.MULTILINE)


def commands() -> list[str]:
    text = (ROOT / "docs" / "casework.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in COMMAND.findall(block)]


def test_from_a_day_to_a_closed_month(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import duckdb

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QA_PERSON", raising=False)
    said: dict[str, str] = {}
    for line in commands():
        code = run(shlex.split(line)[1:])
        told = capsys.readouterr()
        said.setdefault(line, told.out + told.err)
        assert code == 0, f"{line}\n{told.out}{told.err}"

    def answer(start: str) -> str:
        return next(text for line, text in reversed(said.items()) if line.startswith(start))

    with duckdb.connect(str(tmp_path / "qa-out" / "qa.duckdb"), read_only=True) as connection:
        insults = connection.execute("SELECT count(*) FROM findings WHERE call_id = 'c5' AND clause = 'A04'").fetchone()
        booked = connection.execute(
            "SELECT sum(yuan) FROM ledger_entries WHERE account = '已入账' AND party = 'agent' AND month = '2026-11'"
        ).fetchone()
        live = connection.execute("SELECT count(*) FROM ledger_balances WHERE account IN ('待确认', '已确认')").fetchone()
    assert insults is not None
    assert booked == (Decimal(30 + 50 + 100 + 10 * insults[0]),)
    assert live == (0,)
    assert f"{booked[0]:.0f} 元，主管 0 元" in answer("qa ledger close")
    assert "台账与每一条决定相符，一分不差。" in answer("qa ledger check")
    assert "日志完整。" in answer("qa log --verify")
    assert "重抽结果完全一样" in answer("qa sample --replay")
    assert "终裁维持" in answer("qa appeal show")
    assert "13900001103" in answer("qa followup callbacks")
    assert "# 质检日报 2026-11-02" in (tmp_path / "日报.md").read_text(encoding="utf-8")


def test_every_setting_named_in_the_document_exists() -> None:
    from qa_pipeline.casework.settings import CaseworkSettings, listed

    text = (ROOT / "docs" / "casework.md").read_text(encoding="utf-8")
    known = {name for name, _ in listed(CaseworkSettings())}
    named = set(re.findall(r"（`([a-z_]+)`）", text))
    assert named <= known
    assert {"blind_share", "appeal_days", "precision_floor", "retention_days"} <= named
