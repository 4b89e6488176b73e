"""qa script: call scripts and the way a call took through them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qa_pipeline.cli.common import DbOption, Exit, JsonOption, existing_store, out, out_json, say, settings_of, table

FolderOption = Annotated[Path | None, typer.Option("--scripts", help="话术文件夹，默认用自带的。", show_default=False)]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="话术：列出、核对、看一通电话走过的路径。", no_args_is_help=True, rich_markup_mode=None)
    group.command("list")(script_list)
    group.command("check")(script_check)
    group.command("show")(script_show)
    app.add_typer(group, name="script")


def script_list(folder: FolderOption = None) -> int:
    """列出话术。"""
    from qa_pipeline.callscript.load import load_scripts
    from qa_pipeline.resources import scripts_dir

    scripts = load_scripts(folder or scripts_dir())
    rows = [(item.script, item.title, str(len(item.steps)), str(len(item.points)), item.source) for item in scripts]
    table(("编号", "名称", "步骤", "要点", "出处"), rows, right=(2, 3))
    return Exit.DONE


def script_check(folder: FolderOption = None) -> int:
    """核对话术文件：写法、跳转，以及每份话术自带的例子。"""
    from qa_pipeline.callscript.check import check
    from qa_pipeline.callscript.load import load_scripts
    from qa_pipeline.resources import scripts_dir

    scripts = load_scripts(folder or scripts_dir())
    problems = [problem for script in scripts for problem in check(script)]
    for problem in problems:
        say(problem)
    if problems:
        return Exit.USER
    say(f"{len(scripts)} 份话术，{sum(len(item.examples) for item in scripts)} 个例子，全部相符。")
    return Exit.DONE


def script_show(
    call_id: Annotated[str, typer.Argument(help="通话编号。", metavar="通话编号")],
    db: DbOption = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> int:
    """看一通电话在话术里走过的路径、漏掉的步骤和错误跳转。"""
    from qa_pipeline.errors import UserError
    from qa_pipeline.report.script_view import script_view

    run = existing_store(settings_of(db=db)).load_run(call_id)
    if run is None:
        raise UserError(f"库里没有通话 {call_id}。用 qa export scores 可以看到全部通话编号。")
    view = script_view(run.conversation, folder)
    if view is None:
        raise UserError(f"没有一份话术适用于通话 {call_id}（看话术里的 applies）。")
    if as_json:
        out_json(view)
        return Exit.DONE
    out(f"{call_id}　{view.title}　覆盖 {view.coverage}")
    for at, step, answer in view.path:
        out(f"  {at:>5}  {step}" + (f"　客户：{answer}" if answer else ""))
    for title, items in (("说到的要点", view.points), ("漏掉", view.skipped), ("顺序颠倒", view.late), ("错误跳转", view.wrong)):
        if items:
            out(f"{title}：{'；'.join(items)}")
    return Exit.DONE
