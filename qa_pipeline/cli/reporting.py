"""qa report daily, weekly, …: one command a report, made from the table of reports."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qa_pipeline.cli import scripts
from qa_pipeline.cli.common import (
    DbOption,
    Exit,
    FromOption,
    JsonOption,
    PrivateOption,
    TableFormOption,
    ToOption,
    existing_store,
    out_json,
    say,
    settings_of,
    store_of,
    table,
)

if TYPE_CHECKING:
    from qa_pipeline.config import Settings
    from qa_pipeline.report.reading import Wish

FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format", help="html、xlsx、md 或 json；不写按 --out 的扩展名，输出到屏幕时为 md。", show_default=False, metavar="格式"
    ),
]
OutOption = Annotated[Path | None, typer.Option("--out", help="写到哪个文件，默认输出到屏幕。", show_default=False, metavar="文件")]
MadeOption = Annotated[str | None, typer.Option("--at", help="报表上写的时间，默认现在。", show_default=False, metavar="时间")]
AgentOption = Annotated[str, typer.Option("--agent", help="只看这个工号。", show_default=False, metavar="工号")]
TeamOption = Annotated[str, typer.Option("--team", help="只看这个班组。", show_default=False, metavar="班组")]

MailOption = Annotated[
    list[str] | None,
    typer.Option(
        "--mail-to", help="发给这个邮件地址，可写多次；服务器用环境变量 QA_MAIL_… 设置。", show_default=False, metavar="地址"
    ),
]
UsersOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--users", help="结算表的清单：计费用户、问卷、话费、外网用户，按表头认，可写多次。", show_default=False, metavar="文件"
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the reports to the group ``report``, which also has ``run``."""
    from qa_pipeline.report.kinds import REPORTS

    group = next(info.typer_instance for info in app.registered_groups if info.name == "report" and info.typer_instance)
    for kind, chosen in REPORTS.items():
        group.command(kind, help=chosen.help)(_command(kind))
    kpi = typer.Typer(
        help="运营指标：导入通话记录、考勤、客户数据和费用，算出各项指标。", no_args_is_help=True, rich_markup_mode=None
    )
    kpi.command("import")(kpi_import)
    kpi.command("show", help="指标总表、按天按班组按坐席、数据质量；同 qa report kpi。")(_command("kpi"))
    kpi.command("list")(kpi_list)
    kpi.command("problems")(kpi_problems)
    app.add_typer(kpi, name="kpi")
    scripts.register(app)


def _command(kind: str) -> Callable[..., int]:
    def report(
        db: DbOption = None,
        date_from: FromOption = None,
        date_to: ToOption = None,
        form: FormatOption = None,
        target: OutOption = None,
        agent: AgentOption = "",
        team: TeamOption = "",
        users: UsersOption = None,
        folder: scripts.FolderOption = None,
        mail_to: MailOption = None,
        at: MadeOption = None,
        show_private: PrivateOption = False,
    ) -> int:
        settings = settings_of(db=db, output__show_private=show_private or None)
        wish = wish_of(
            settings,
            date_from=day(date_from, "--from"),
            date_to=day(date_to, "--to"),
            agent=agent,
            team=team,
            made_at=moment(at),
            files=tuple(users or ()),
            scripts=folder,
        )
        return deliver(settings, kind, wish, Delivery(form=form, target=target, mail_to=tuple(mail_to or ())))

    return report


def wish_of(settings: Settings, **values: Any) -> Wish:
    from qa_pipeline.report.reading import Wish

    return Wish(show_private=settings.output.show_private, **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where a report goes: the screen, a file, people by mail."""

    form: str | None = None
    target: Path | None = None
    mail_to: tuple[str, ...] = ()


def deliver(settings: Settings, kind: str, wish: Wish, way: Delivery) -> int:
    """Makes a report and writes it to a file or the screen, and mails it."""
    from qa_pipeline.errors import UserError
    from qa_pipeline.policy import load_policy
    from qa_pipeline.report import mail, registry

    form = registry.form_of(way.target, way.form or ("html" if way.mail_to and way.target is None else None))
    if form not in registry.FORMS:
        raise UserError(f"没有“{form}”这种格式。可用：{'、'.join(registry.FORMS)}。")
    if form == "xlsx" and way.target is None and not way.mail_to:
        raise UserError(f"xlsx 是二进制文件，请用 --out 指明写到哪里，例如 --out {kind}.xlsx。")
    server = mail.server_from(os.environ) if way.mail_to else None
    store = store_of(settings) if kind == "kpi" else existing_store(settings)
    report = registry.build(store, load_policy(settings.policy_file()), kind, wish)
    data = registry.render(report, form)
    if way.target is not None:
        from qa_pipeline.tables import write_whole

        write_whole(way.target, data)
        say(f"{report.title}（{report.period}）：{way.target}")
    elif server is None:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    if server is not None:
        name = way.target.name if way.target is not None else f"{kind}.{form}"
        message = mail.message_of(report, [(name, form, data)], sender=server.sender, to=way.mail_to, at=wish.made_at)
        mail.send(server, message)
        say(f"已发给 {'、'.join(way.mail_to)}。")
    return Exit.DONE


def day(text: str | None, option: str) -> date | None:
    from qa_pipeline.errors import UserError

    if text is None:
        return None
    try:
        return datetime.strptime(text.replace("/", "-"), "%Y-%m-%d").date()
    except ValueError:
        raise UserError(f"{option} 的日期“{text}”不对，请写成 2026-11-21 的样子。") from None


def moment(text: str | None) -> datetime:
    from qa_pipeline.errors import UserError

    if text is None:
        return datetime.now()
    try:
        return datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise UserError(f"时间“{text}”看不懂，请写成 2026-11-21T18:00。") from None


def kpi_import(
    files: Annotated[list[Path], typer.Argument(help="CSV 或 XLSX：通话记录、考勤、客户数据、费用。", metavar="文件…")],
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="calls、attendance、accounts 或 costs；不写按表头认。", show_default=False, metavar="内容"),
    ] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """导入记录。同一个文件再导入一次什么也不变；有问题的行都写明行号，不会悄悄丢掉。"""
    from qa_pipeline.kpi.database import log_path
    from qa_pipeline.kpi.importing import import_files

    settings = settings_of(db=db)
    done = import_files(log_path(settings.db), files, kind)
    if as_json:
        out_json([{"name": item.name, "kind": item.kind, "rows": item.rows, "counted": item.counted, "fresh": item.fresh,
                   "problems": dict(item.problems), "missing": item.missing} for item in done])  # fmt: skip
        return Exit.DONE
    for item in done:
        again = "" if item.fresh else "（以前导入过，没有重复计入）"
        say(f"{item.name}：{item.title} {item.rows} 行，计入 {item.counted} 行{again}")
        if item.problems:
            say("  问题：" + "，".join(f"{name} {number} 行" for name, number in item.problems) + "。逐行见 qa kpi problems。")
    return Exit.DONE


def kpi_list(as_json: JsonOption = False) -> int:
    """列出全部指标：公式、标准、出处。"""
    from qa_pipeline.kpi.catalogue import FIGURES
    from qa_pipeline.report.kpi import UNITS, band_words

    rows = [
        (item.code, item.group, item.title, item.formula, band_words(item.band, UNITS[item.unit]), item.source) for item in FIGURES
    ]
    names = ("编号", "类别", "指标", "公式", "标准", "出处")
    if as_json:
        out_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        table(names, rows)
    return Exit.DONE


def kpi_problems(
    db: DbOption = None,
    form: TableFormOption = None,
    target: OutOption = None,
    show_private: PrivateOption = False,
) -> int:
    """导出数据问题，一处一行：文件、行号、问题、内容、怎样处理。"""
    from qa_pipeline.export import Table
    from qa_pipeline.kpi.database import log_path, reading
    from qa_pipeline.report.kpi_quality import covered
    from qa_pipeline.tables import write

    settings = settings_of(db=db, output__show_private=show_private or None)
    with reading(log_path(settings.db)) as connection:
        rows = connection.execute(
            """SELECT file.name, item.row, item.kind, item.field, item.value, item.effect FROM problems AS item
               JOIN files AS file USING (file_id) ORDER BY file.file_id, item.row, item.kind, item.field, item.value, item.effect"""
        ).fetchall()
    if not settings.output.show_private:
        rows = [(*row[:4], covered(row[4] or ""), row[5]) for row in rows]
    columns = ("file", "row", "problem", "column", "value", "effect")
    count = write(Table(kind="problems", columns=columns, rows=iter(rows)), form, target)
    if target is not None:
        say(f"{count} 处，写到 {target}。")
    return Exit.DONE
