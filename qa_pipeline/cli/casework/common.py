"""Who acts, when, and on which store: the options that all casework commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qa_pipeline.cli.common import existing_store, settings_of

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Desk, Tx
    from qa_pipeline.config import Settings
    from qa_pipeline.masking import Masker

AsOption = Annotated[
    str, typer.Option("--as", help="操作人编号；也可用环境变量 QA_PERSON。", envvar="QA_PERSON", show_envvar=False, metavar="人员")
]
AtOption = Annotated[
    str | None,
    typer.Option("--at", help="操作时间，默认现在；补录时用，如 2026-11-02T09:30。", show_default=False, metavar="时间"),
]
VersionOption = Annotated[
    int | None,
    typer.Option("--version", help="只在工单仍是这一版时才改（防止覆盖别人的改动）。", show_default=False, metavar="版本"),
]
TurnArgument = Annotated[int, typer.Argument(help="第几轮：qa show、qa case show 里写的号码，从 1 数起。", metavar="话轮")]
TurnOption = Annotated[
    int | None,
    typer.Option("--turn", help="第几轮：qa show、qa case show 里写的号码，从 1 数起。", show_default=False, metavar="话轮"),
]
CaseArgument = Annotated[str, typer.Argument(help="工单编号，如 K20261102-0001。", metavar="工单")]


Commands = Mapping[str, Callable[..., object]]


def group(app: typer.Typer, name: str, text: str, commands: Commands) -> None:
    """``qa name command`` for each of the commands."""
    child = typer.Typer(help=text, no_args_is_help=True, rich_markup_mode=None)
    for command, action in commands.items():
        child.command(command)(action)
    app.add_typer(child, name=name)


def time_of(text: str | None) -> datetime:
    """The time of an action: given, else now. Raises UserError for nonsense."""
    from qa_pipeline.errors import UserError

    if text is None:
        return datetime.now()
    try:
        return datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise UserError(f"时间“{text}”看不懂，请写成 2026-11-02T09:30。") from None


def day_of(text: str | None, default: date) -> date:
    from qa_pipeline.errors import UserError

    if text is None:
        return default
    try:
        return date.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise UserError(f"日期“{text}”看不懂，请写成 2026-11-02。") from None


def desk_of(settings: Settings, *, must_exist: bool = True) -> Desk:
    from qa_pipeline.casework.desk import Desk
    from qa_pipeline.policy import load_policy
    from qa_pipeline.store import open_store

    store = existing_store(settings) if must_exist else open_store(settings.db)
    return Desk(store=store, policy=load_policy(settings.policy_file()))


@contextmanager
def acting(db: Path | None, person: str, at: str | None) -> Iterator[Tx]:
    """One action of a person on the store of the command."""
    with desk_of(settings_of(db=db)).act(_named(person), time_of(at)) as tx:
        yield tx


def _named(person: str) -> str:
    from qa_pipeline.errors import UserError

    if not person:
        raise UserError("请用 --as 写明是谁在操作，或设置环境变量 QA_PERSON。")
    return person


def turn_index(number: int) -> int:
    """The index of a turn that people call by ``number``: they count from 1, data and the API from 0."""
    from qa_pipeline.errors import UserError

    if number < 1:
        raise UserError(f"没有第 {number} 轮：话轮从 1 数起，号码见 qa show 或 qa case show。什么也没有改动。")
    return number - 1


def shows_clear(tx: Tx, asked: bool) -> bool:
    """Whether this person reads customers' numbers and names in clear now: only when asked for, by ``--show-private`` (refused to
    whoever may not) or by the setting ``output.show_private`` (which gives nothing to whoever may not)."""
    from qa_pipeline.casework import privacy

    if asked:
        privacy.need_clear(tx)
        return True
    return settings_of().output.show_private and privacy.sees_clear(tx.actor)


def list_masker(tx: Tx, asked: bool, name: str) -> Masker:
    """Covers numbers in a list of many calls; reading it in clear goes into the log under the name of the list."""
    from qa_pipeline.masking import Masker
    from qa_pipeline.model import CallData

    shown = shows_clear(tx, asked)
    if shown:
        tx.log("access", "", {"what": f"{name}，客户号码全文"})
    return Masker(CallData(call_id=""), show=shown)


def when(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M}"


def plain(value: Any) -> Any:
    """Dataclasses, named tuples and enumerations as JSON-ready values."""
    import dataclasses

    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(item) for name, item in value._asdict().items()}
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value
