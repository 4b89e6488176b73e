"""The report of the figures: golden file, data quality with row numbers, customer numbers covered."""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path

from qa_pipeline.kpi.importing import import_files
from qa_pipeline.report import registry
from qa_pipeline.report.document import Report
from qa_pipeline.report.reading import Wish
from qa_pipeline.store import open_store
from tests.casework.casework_make import POLICY
from tests.kpi import logs
from tests.kpi.test_importing import BAD


def made(folder: Path, *texts: tuple[str, str]) -> Report:
    for name, words in texts:
        (folder / name).write_text(words, encoding="utf-8")
    import_files(folder / "qa.calls.duckdb", [folder / name for name, _ in texts])
    wish = Wish(made_at=datetime(2026, 12, 20, 9, 0), date_from=date(2026, 11, 1), date_to=date(2026, 11, 30))
    return registry.build(open_store(folder / "qa.duckdb"), POLICY, "kpi", wish)


def test_golden(tmp_path: Path) -> None:
    found = made(tmp_path, ("calls.csv", logs.CALLS), ("staff.csv", logs.ATTENDANCE), ("bad.csv", BAD.replace("C", "D")))
    words = registry.render(found, "md").decode()
    path = Path(__file__).parent / "golden" / "kpi.md"
    if os.environ.get("QA_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(words, encoding="utf-8")
    assert words == path.read_text(encoding="utf-8")


def test_missing_columns_are_named_and_numbers_covered(tmp_path: Path) -> None:
    found = made(tmp_path, ("bad.csv", BAD))
    table = next(item for item in found.sections if item.title == "指标总表").table
    by_code = {row["code"]: row for row in table.rows}
    assert (by_code["K02"]["verdict"], by_code["K02"]["value"]) == ("缺列", None)
    assert by_code["K42"]["note"] == "缺 “方向”、“排队时长”"
    assert (by_code["K28"]["verdict"], by_code["K28"]["band"]) == ("高于标准", "≤ 20")
    quality = next(item for item in found.sections if item.title == "数据质量").table
    assert {row["kind"]: row["rows"] for row in quality.rows} == {
        "列数不对": "11",
        "换组": "8",
        "时长看不懂": "9",
        "时间看不懂": "7",
        "没有工号": "9",
        "结果看不懂": "8",
        "负时长": "6",
        "跨零点": "8",
        "重复通话": "5",
    }
    listed = next(item for item in found.sections if item.title == "数据问题逐行").table.rows
    assert [row["value"] for row in listed if row["kind"] == "跨零点"] == ["2026-11-02 23:59:50"]  # a time is not covered
    words = registry.render(found, "html").decode()
    assert "139****0006" in words
    assert "13900000006" not in words
