"""``qa doctor`` finds out before the first run what the first run would find out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qa_pipeline import doctor
from qa_pipeline.config import load_settings
from qa_pipeline.doctor import Check
from qa_pipeline.store import open_store


def store_check(db: Path) -> Check:
    return doctor._store(load_settings(None, overrides={"db": db}))


def test_a_database_that_can_be_written(tmp_path: Path) -> None:
    db = tmp_path / "new" / "qa.duckdb"
    assert store_check(db) == Check(name="数据库", state="ok", detail=f"{db} 还没有，第一次运行时建立")
    assert list(tmp_path.iterdir()) == []  # trying leaves nothing behind
    with open_store(db).write():
        pass
    before = db.read_bytes()
    found = store_check(db)
    assert (found.state, found.detail.startswith(f"{db}：0 通电话，0 个有效判定，")) == ("ok", True)
    assert db.read_bytes() == before and [path.name for path in db.parent.iterdir()] == ["qa.duckdb"]


def test_a_place_where_nothing_can_be_written() -> None:
    """/proc refuses new files to everybody, root too."""
    found = store_check(Path("/proc/qa-test/qa.duckdb"))
    assert (found.name, found.state) == ("数据库", "bad")
    assert found.detail.startswith("/proc/qa-test/qa.duckdb 还没有，也建不了：/proc 写不进去（")
    assert found.detail.endswith("）。请检查权限，或用 --db 换一个位置")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("locked", ["file", "folder"])
def test_a_database_that_can_only_be_read(tmp_path: Path, locked: str) -> None:
    db = tmp_path / "qa.duckdb"
    with open_store(db).write():
        pass
    place = db if locked == "file" else tmp_path
    place.chmod(0o444 if locked == "file" else 0o555)
    found = store_check(db)
    assert found.state == "bad"
    assert f"只能看，不能写：{place} 写不进去（Permission denied）。请检查权限，或用 --db 换一个位置" in found.detail
