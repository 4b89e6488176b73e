"""Commands that look: show, export, eval, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qa_pipeline.cli.common import (
    DbOption,
    Exit,
    FromOption,
    JsonOption,
    PrivateOption,
    TableFormOption,
    ToOption,
    existing_store,
    out,
    out_json,
    say,
    settings_of,
    table,
)

if TYPE_CHECKING:
    from qa_pipeline.config import Settings
    from qa_pipeline.export import Wanted
    from qa_pipeline.store import Store


def register(app: typer.Typer) -> None:
    app.command("show")(show)
    reports = typer.Typer(help="报告。", no_args_is_help=True, rich_markup_mode=None)
    reports.command("run")(report_run)
    app.add_typer(reports, name="report")
    app.command("export")(export)
    app.command("eval")(evaluate)
    app.command("doctor")(doctor)


def show(
    call_id: Annotated[str, typer.Argument(help="通话编号。", metavar="通话编号")],
    db: DbOption = None,
    as_json: JsonOption = False,
    show_private: PrivateOption = False,
) -> int:
    """看一通电话：带时间的对话、旁边的违规和原话、得分、扣款。"""
    from qa_pipeline.cli.call_page import call_json, call_lines

    settings = settings_of(db=db, output__show_private=show_private or None)
    store = existing_store(settings)
    run = store.load_run(call_id)
    if run is None:
        from qa_pipeline.errors import UserError

        raise UserError(f"库里没有通话 {call_id}。用 qa export scores 可以看到全部通话编号。")
    if as_json:
        out_json(call_json(run, show_private=settings.output.show_private))
    else:
        for line in call_lines(run, show_private=settings.output.show_private):
            out(line)
    return Exit.DONE


def report_run(
    target: Annotated[Path, typer.Option("--out", help="写到哪个 HTML 文件。")] = Path("qa-out/report.html"),
    db: DbOption = None,
    date_from: FromOption = None,
    date_to: ToOption = None,
    show_private: PrivateOption = False,
) -> int:
    """把库里的通话写成一份 HTML 报告：得分、违规与原话、可以播放的证据片段。"""
    from datetime import datetime

    from qa_pipeline.export import Wanted
    from qa_pipeline.export import export as read
    from qa_pipeline.report.run_report import ReportOptions, write_report

    settings = settings_of(db=db, output__show_private=show_private or None)
    store = existing_store(settings)
    scores = read(store, Wanted(kind="scores", date_from=date_from, date_to=date_to))
    options = ReportOptions(
        calls=frozenset(row[0] for row in scores.rows),
        made_at=datetime.now().isoformat(sep=" ", timespec="minutes"),
        show_private=settings.output.show_private,
        max_clips=settings.output.max_clips if settings.output.clips else 0,
    )
    write_report(store, target, options)
    say(f"报告：{target}")
    return Exit.DONE


def export(
    kind: Annotated[
        str,
        typer.Argument(help="findings、scores、transcripts、penalties、reviews；lake 是全部，按天分的 Parquet。", metavar="内容"),
    ],
    db: DbOption = None,
    form: TableFormOption = None,
    target: Annotated[
        Path | None, typer.Option("--out", help="写到哪个文件，默认输出到屏幕；lake 是文件夹。", show_default=False)
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="lake：这个库的名字，几个库写进同一文件夹时各不相同。", show_default=False)
    ] = None,
    date_from: FromOption = None,
    date_to: ToOption = None,
    every: Annotated[bool, typer.Option("--all", help="findings：四种结论都要，默认只有违规和无法判定。")] = False,
    show_private: PrivateOption = False,
) -> int:
    """导出表格。默认遮盖客户号码和姓名。"""
    from qa_pipeline.export import Wanted
    from qa_pipeline.export import export as read
    from qa_pipeline.tables import form_of, write

    settings = settings_of(db=db, output__show_private=show_private or None)
    form_of(target, form)  # before a long query
    wanted = Wanted(kind=kind, date_from=date_from, date_to=date_to, every_verdict=every, show_private=settings.output.show_private)
    if kind == "lake":
        return _export_lake(existing_store(settings), target, name, wanted)
    rows = write(read(existing_store(settings), wanted), form, target)
    if target is not None:
        say(f"{rows} 行，写到 {target}。")
    return Exit.DONE


def _export_lake(store: Store, folder: Path | None, name: str | None, wanted: Wanted) -> int:
    from qa_pipeline.errors import UserError
    from qa_pipeline.lake import lay

    if folder is None or name is None:
        raise UserError("qa export lake 要写明 --out 文件夹 和 --name 库名，例如：qa export lake --out 湖 --name 成都。")
    laid = lay(store, folder, name, wanted)
    told = "，".join(f"{kind} {count} 行" for kind, count in laid.rows.items())
    say(f"{laid.files} 个文件写到 {folder}：{told}；删去过时的 {laid.removed} 个。")
    return Exit.DONE


def evaluate(
    labels: Annotated[
        Path | None,
        typer.Argument(help="标注文件：call_id, clause, expected；不写时以人的复核为准。", metavar="标注文件", show_default=False),
    ] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """对照标注看判得准不准：每条的查准率、查全率、F1，误判，角色正确率，字错率。不写标注文件时看人的复核：准确率、κ、申诉推翻。"""
    from qa_pipeline.cli.evaluation import tell_evaluation
    from qa_pipeline.evaluate import evaluate as compare
    from qa_pipeline.evaluate import read_labels

    settings = settings_of(db=db)
    if labels is None:
        return _against_reviews(settings, as_json=as_json)
    found = compare(read_labels(labels), existing_store(settings).iter_runs())
    if not found.calls:
        from qa_pipeline.errors import UserError

        some = "、".join(found.missing[:3])
        raise UserError(
            f"标注的 {len(found.missing)} 通（{some}{'等' if len(found.missing) > 3 else ''}）都不在库 {settings.db} 里，没有可以评估的。"
            "请先用 qa run 处理，或核对 call_id；库里的通话编号见 qa export scores。"
        )
    tell_evaluation(found, as_json=as_json)
    return Exit.DONE


def _against_reviews(settings: Settings, *, as_json: bool) -> int:
    """The same question answered by what reviewers decided; qa calibrate says more."""
    from datetime import datetime

    from qa_pipeline.casework import agreement
    from qa_pipeline.cli.casework.common import desk_of, plain
    from qa_pipeline.cli.casework.trust import tell_trust

    with desk_of(settings).look(datetime.now()) as tx:
        trusted, people = agreement.trust(tx), agreement.people_agreement(tx)
    if as_json:
        out_json({"clauses": plain(trusted), "people": plain(people)})
    elif not trusted:
        out("还没有完成的复核。请给出标注文件，或先用 qa sample、qa review 复核一部分通话。")
    else:
        tell_trust(trusted, people)
    return Exit.DONE


def doctor(db: DbOption = None, as_json: JsonOption = False) -> int:
    """检查安装：依赖、模型、规则、磁盘、数据库，并用一小段合成声音试跑解码。"""
    from qa_pipeline.doctor import examine

    settings = settings_of(db=db)
    checks = examine(settings)
    if as_json:
        out_json(checks)
    else:
        marks = {"ok": "正常", "warn": "注意", "bad": "有问题"}
        table(("检查", "结果", "说明"), [(check.name, marks[check.state], check.detail) for check in checks])
    return Exit.USER if any(check.state == "bad" for check in checks) else Exit.DONE
