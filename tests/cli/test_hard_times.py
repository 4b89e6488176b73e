"""Ctrl-C, a full disk, a locked or strange database: a Chinese sentence, the exit code of the interface, nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.support import SLOW, Qa
from tests.cli.test_commands import copy_calls, table

CALLS = ("S001", "S002", "S003", "S010")
HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy_calls(tmp_path / "day", *CALLS)


def slow(folder: Path, db: Path, pause_s: float, **more: object) -> subprocess.Popen[str]:
    """``qa run`` in a process of its own that rests after every recording."""
    words = [sys.executable, "-c", SLOW, str(pause_s), "run", str(folder), "--db", str(db)]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        words, cwd=folder.parent, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}, **streams, **more
    )  # type: ignore[call-overload,no-any-return]


def wait_for(process: subprocess.Popen[str], count: int) -> None:
    assert process.stdout is not None
    for _ in range(count):
        assert process.stdout.readline().startswith("heard")


def test_ctrl_c_in_the_middle_keeps_what_is_done(folder: Path, qa: Qa) -> None:
    process = slow(folder, qa.db, 30)
    wait_for(process, 1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    stored = len(table(qa("export", "scores", "--db", qa.db).out)[1])  # judged already when the signal came, or not yet
    said = qa("run", folder, "--db", qa.db)
    left = 3 if "要识别 3 段录音" in said.err else 4  # or not yet handed on by the worker that heard it
    assert said.code == 0 and f"要识别 {left} 段录音" in said.err
    kept = f"；听完还没判的 {4 - left - stored} 段存下了转写，下次直接判定" if 4 - left - stored else ""
    told = f"已入库 {stored} 通{kept}；没听完的 {left} 段下次要听。\n\n已中断。再运行同一条命令会接着做，已保存的不再重做。\n"
    assert err == f"要识别 4 段录音，共 3 分 40 秒。\n{told}"
    assert len(table(qa("export", "scores", "--db", qa.db).out)[1]) == 4


def test_killed_in_the_middle_the_rerun_gives_the_same(folder: Path, qa: Qa, tmp_path: Path) -> None:
    process = slow(folder, qa.db, 0.2)
    wait_for(process, 2)
    process.kill()
    process.communicate(timeout=60)
    assert qa("run", folder, "--db", qa.db).code == 0
    assert qa("run", folder, "--db", tmp_path / "at-once.duckdb").code == 0
    for kind in ("findings", "scores", "transcripts", "penalties"):
        assert qa("export", kind, "--db", qa.db).out == qa("export", kind, "--db", tmp_path / "at-once.duckdb").out


def test_a_full_disk_is_told_and_the_rerun_finishes(folder: Path, qa: Qa) -> None:
    """No file of the process may grow past 100 kB: the write fails as on a full disk."""
    import resource

    process = slow(folder, qa.db, 0, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)))
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "磁盘已满" in err and "Traceback" not in err
    assert qa("run", folder, "--db", qa.db).code == 0
    assert len(table(qa("export", "scores", "--db", qa.db).out)[1]) == 4


def test_a_database_held_by_another_program_is_named(folder: Path, qa: Qa, monkeypatch: pytest.MonkeyPatch) -> None:
    assert qa("run", folder, "--db", qa.db, "--limit", "1").code == 0
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(qa.db)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        monkeypatch.setattr("qa_pipeline.store.open_store.__kwdefaults__", {"patience_s": 0.2})
        said = qa("run", folder, "--db", qa.db)
    finally:
        holder.communicate("")
    assert said.code == 2 and "正被另一个程序占用" in said.err and "已完成的结果都还在" in said.err
    assert qa("run", folder, "--db", qa.db).code == 0


@pytest.mark.parametrize("kind", ["folder", "text", "below a file"])
def test_a_place_that_cannot_hold_the_database_is_named(folder: Path, qa: Qa, tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    if kind == "folder":
        place.mkdir()
    else:
        place.write_text("这不是数据库" * 100, encoding="utf-8")
    said = qa("run", folder, "--db", place / "qa.duckdb" if kind == "below a file" else place)
    assert said.code == 2 and str(place) in said.err and "Traceback" not in said.err
    if kind != "folder":
        assert place.read_text(encoding="utf-8") == "这不是数据库" * 100


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named(folder: Path, qa: Qa, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    said = qa("run", folder, "--db", locked / "qa.duckdb")
    assert said.code == 2 and "没有权限" in said.err


def test_a_read_only_file_system_is_named(folder: Path, qa: Qa) -> None:
    """/proc refuses new files to everybody, root too."""
    said = qa("run", folder, "--db", "/proc/qa-test/qa.duckdb")
    assert said.code == 2 and "/proc/qa-test" in said.err and "--db" in said.err


def test_the_reader_of_an_export_may_go_away(folder: Path, qa: Qa) -> None:
    qa("run", folder, "--db", qa.db)
    command = f"{sys.executable} -m qa_pipeline.cli.main export transcripts --db {qa.db} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("\ufeffcall_id") and "Traceback" not in done.stderr


def test_an_export_never_leaves_half_a_file(folder: Path, qa: Qa, tmp_path: Path) -> None:
    qa("run", folder, "--db", qa.db)
    (tmp_path / "old.csv").write_text("old", encoding="utf-8")
    said = qa("export", "scores", "--db", qa.db, "--out", "/proc/scores.csv")
    assert said.code == 2 and "Traceback" not in said.err
    assert said.err.startswith("错误：/proc/scores.csv：")  # not the name of the part that it is written to first
    assert qa("export", "scores", "--db", qa.db, "--out", tmp_path / "old.csv").code == 0
    assert (tmp_path / "old.csv").read_text(encoding="utf-8-sig").startswith("call_id")
    assert [path.name for path in tmp_path.glob(".old*")] == []
