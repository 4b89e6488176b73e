"""For the first hour: demo and examples, with what the program brings along."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qa_pipeline.cli.auditing import run_folder
from qa_pipeline.cli.common import DbOption, Exit, duration, out, program, say, settings_of


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)
    app.command("examples")(examples)


def demo(
    folder: Annotated[Path, typer.Option("--out", help="结果放在哪个文件夹。")] = Path("qa-out"),
    db: DbOption = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=0, help="识别进程数，默认按机器决定。", show_default=False)
    ] = None,
) -> int:
    """用自带的示例录音走一遍：识别、判定、评分、写报告。不需要联网，也不需要准备任何东西。"""
    import shlex
    import time

    from qa_pipeline.resources import samples_dir

    began = time.monotonic()
    say(f"示例录音在 {samples_dir()}，人物和号码都是虚构的。")
    settings = settings_of(db=db or folder / "qa.duckdb", asr__workers=workers)
    report = folder / "report.html"
    code = run_folder(settings, str(samples_dir()), None, limit=None, report=report, as_json=False)
    say(f"用时 {duration(time.monotonic() - began)}。")
    say(f"打开报告：{report.resolve().as_uri()}")
    say(f"看一通电话：{program()} show S002 --db {shlex.quote(str(settings.db))}")
    say(f"导出表格：  {program()} export findings --db {shlex.quote(str(settings.db))} --out findings.csv")
    return code


def examples(
    folder: Annotated[Path, typer.Argument(help="抄到哪个文件夹，默认当前文件夹。", metavar="文件夹", show_default=False)] = Path(),
) -> int:
    """把说明里用到的例子抄出来：一天里六通虚构电话的转写。照着 docs/casework.md 从一天做到月结。"""
    from qa_pipeline.errors import UserError
    from qa_pipeline.resources import examples_dir

    source = examples_dir()
    files = {
        folder / "examples" / path.relative_to(source): path.read_bytes() for path in sorted(source.rglob("*")) if path.is_file()
    }
    changed = [target for target, data in files.items() if target.exists() and target.read_bytes() != data]
    if changed:
        raise UserError(f"{changed[0]} 已经有了，而且改动过，没有覆盖。请换一个文件夹，或先移走它。")
    for target, data in files.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        out(str(target))
    return Exit.DONE
