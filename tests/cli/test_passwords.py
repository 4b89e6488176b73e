"""Passwords are asked for at a keyboard only, and whoever gives up at the question gets a sentence."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.support import Qa, Said

NO_KEYBOARD = "错误：这里没有键盘可以输入密码。"


def at_keyboard(folder: Path, keys: list[bytes], *words: str) -> tuple[int, str]:
    """``qa`` in a terminal where the next ``keys`` are pressed at each question: its exit code and everything on the screen."""
    import pty

    master, slave = pty.openpty()
    command = [sys.executable, "-m", "qa_pipeline.cli.main", *words]
    environ = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(
        command, cwd=folder, stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True, preexec_fn=_own_terminal
    ) as process:
        os.close(slave)
        screen = b""
        while True:
            ready, _, _ = select.select([master], [], [], 60)
            try:
                more = os.read(master, 4096) if ready else b""
            except OSError:  # the other side is closed
                more = b""
            if not more:
                break
            screen += more
            if keys and screen.decode(errors="ignore").endswith(": "):
                time.sleep(0.2)  # the echo is off only after the question is written
                os.write(master, keys.pop(0))
        if not ready:
            process.kill()
    os.close(master)
    return process.returncode, screen.decode().replace("\r\n", "\n")


def _own_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_without_a_keyboard_no_password_is_asked(qa: Qa) -> None:
    assert qa("serve", "--init-admin", "admin", "--db", qa.db) == Said(
        2, "", f"{NO_KEYBOARD}请在终端里运行，或用环境变量 QA_ADMIN_PASSWORD 给出密码。\n"
    )
    assert not qa.db.exists()
    qa("people", "add", "admin", "管理员", "--post", "管理员", "--db", qa.db)
    assert qa("people", "password", "admin", "--db", qa.db) == Said(
        2, "", f"{NO_KEYBOARD}请在终端里运行，或加 --stdin，从标准输入给出一行密码。\n"
    )


def test_who_may_not_is_told_before_the_password_is_asked(qa: Qa) -> None:
    qa("people", "add", "admin", "管理员", "--post", "管理员", "--db", qa.db)
    qa("people", "add", "lead", "方敏", "--post", "质检组长", "--as", "admin", "--db", qa.db)
    answers = [qa("people", "password", *words, "--db", qa.db).err for words in (("admin", "--as", "lead"), ("admin", "--as", "x"))]
    assert answers == [
        "错误：方敏（lead）没有这个权限：需要管理员。\n",
        "错误：没有编号为“x”的人员。请检查编号，或请管理员添加。查看用 qa people list，添加用 qa people add。\n",
    ]
    assert qa("serve", "--init-admin", "second", "--db", qa.db).err == "错误：人员已经建好。请由管理员操作。加 --as 管理员编号。\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a Unix terminal")
@pytest.mark.parametrize("keys", [b"\x03", b"\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_giving_up_at_the_question_is_a_sentence_and_changes_nothing(tmp_path: Path, keys: bytes) -> None:
    code, screen = at_keyboard(tmp_path, [keys], "serve", "--init-admin", "admin", "--db", "qa.duckdb")
    assert (code, [line.strip() for line in screen.splitlines() if line.strip()]) == (
        130,
        ["管理员密码:", "已取消，什么也没有改动。"],
    )
    assert not (tmp_path / "qa.duckdb").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a Unix terminal")
def test_a_password_typed_twice_is_set(tmp_path: Path) -> None:
    words = ("serve", "--init-admin", "admin", "--db", "qa.duckdb")
    code, screen = at_keyboard(tmp_path, 2 * ["长一点的密码短语也可以\n".encode()], *words)
    assert (code, screen.splitlines()[-1]) == (0, "管理员 admin 已建立。运行 qa serve 打开网页，登录后在“人员”里添加其他人。")
