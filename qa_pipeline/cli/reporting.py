"""qa report daily, weekly, …: one command a report, made from the table of reports."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qa_pipeline.cli.common import DbOption, Exit, FromOption, PrivateOption, ToOption, existing_store, say, settings_of

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


def register(app: typer.Typer) -> None:
    """Adds the reports to the group ``report``, which also has ``run``."""
    from qa_pipeline.report.kinds import REPORTS

    group = next(info.typer_instance for info in app.registered_groups if info.name == "report" and info.typer_instance)
    for kind, chosen in REPORTS.items():
        group.command(kind, help=chosen.help)(_command(kind))


def _command(kind: str) -> Callable[..., int]:
    def report(
        db: DbOption = None,
        date_from: FromOption = None,
        date_to: ToOption = None,
        form: FormatOption = None,
        target: OutOption = None,
        agent: AgentOption = "",
        team: TeamOption = "",
        at: MadeOption = None,
        show_private: PrivateOption = False,
    ) -> int:
        settings = settings_of(db=db, output__show_private=show_private or None)
        wish = wish_of(
            settings, date_from=day(date_from, "--from"), date_to=day(date_to, "--to"), agent=agent, team=team, made_at=moment(at)
        )
        return deliver(settings, kind, wish, form=form, target=target)

    return report


def wish_of(settings: Settings, **values: Any) -> Wish:
    from qa_pipeline.report.reading import Wish

    return Wish(show_private=settings.output.show_private, **values)


def deliver(settings: Settings, kind: str, wish: Wish, *, form: str | None, target: Path | None) -> int:
    """Makes a report and writes it to a file or the screen."""
    from qa_pipeline.errors import UserError
    from qa_pipeline.policy import load_policy
    from qa_pipeline.report import registry

    chosen = registry.form_of(target, form)
    if chosen not in registry.FORMS:
        raise UserError(f"没有“{chosen}”这种格式。可用：{'、'.join(registry.FORMS)}。")
    if target is None and chosen == "xlsx":
        raise UserError(f"xlsx 是二进制文件，请用 --out 指明写到哪里，例如 --out {kind}.xlsx。")
    report = registry.build(existing_store(settings), load_policy(settings.policy_file()), kind, wish)
    data = registry.render(report, chosen)
    if target is None:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return Exit.DONE
    from qa_pipeline.tables import write_whole

    write_whole(target, data)
    say(f"{report.title}（{report.period}）：{target}")
    return Exit.DONE


def day(text: str | None, option: str) -> date | None:
    from qa_pipeline.errors import UserError

    if text is None:
        return None
    try:
        return date.fromisoformat(text.replace("/", "-"))
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
