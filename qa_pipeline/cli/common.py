"""What all commands share: settings from options, exit codes, data to stdout and words to stderr."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from qa_pipeline.config import Settings
    from qa_pipeline.store import Store


class Exit(IntEnum):
    """Exit codes of ``qa``; scripts rely on them."""

    DONE = 0
    FINDINGS = 1  # done, and findings at or above --fail-on
    USER = 2
    INCOMPLETE = 3  # some recordings could not be processed, the others are stored
    INTERRUPTED = 130


@dataclass(slots=True)
class Context:
    """Options given before the command."""

    config: Path | None = None
    overrides: dict[str, Any] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)  # variables that were complained about


CONTEXT = Context()
_LATIN = re.compile(r"[!-~]+")
_LONGEST_WHOLE = 32  # characters that a table keeps in one line
_UNBOUNDED = 10_000  # columns of what is no terminal

DbOption = Annotated[Path | None, typer.Option("--db", help="数据库文件，默认 qa-out/qa.duckdb。", show_default=False)]
RulesOption = Annotated[Path | None, typer.Option("--rules", help="规则文件夹，默认用自带的规则。", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="输出 JSON，供脚本使用。")]
PrivateOption = Annotated[bool, typer.Option("--show-private", help="不遮盖客户号码和姓名。")]
FromOption = Annotated[str | None, typer.Option("--from", help="从这一天（含），如 2026-11-01。", show_default=False)]
TableFormOption = Annotated[
    str | None,
    typer.Option("--format", help="csv、json、parquet 或 xlsx；不写按 --out 的扩展名，没有时为 csv。", show_default=False),
]
ToOption = Annotated[str | None, typer.Option("--to", help="到这一天（含）。", show_default=False)]


def settings_of(**overrides: Any) -> Settings:
    """Settings of this command: options with a dotted name written with two underscores, ``asr__workers``."""
    import os

    from qa_pipeline.config import load_settings, unused_variables

    for variable, meant in unused_variables(os.environ):
        if variable not in CONTEXT.told:
            CONTEXT.told.add(variable)
            say(f"注意：没有用到环境变量 {variable}；是不是 {meant}？")
    named = {name.replace("__", "."): value for name, value in overrides.items()}
    return load_settings(CONTEXT.config, overrides=named)


def store_of(settings: Settings) -> Store:
    from qa_pipeline.store import open_store

    return open_store(settings.db)


def existing_store(settings: Settings) -> Store:
    """The store for a command that only reads; a missing file is told with what to do."""
    from qa_pipeline.errors import UserError

    if not settings.db.exists():
        raise UserError(f"还没有数据库 {settings.db}。请先用 qa run 处理录音，或用 --db 指明数据库的位置。")
    return store_of(settings)


def say(text: str) -> None:
    """Words for the person, to stderr."""
    print(text, file=sys.stderr)


def program() -> str:
    """What calls this program from here, for commands to be pasted: ``qa`` where the shell finds this very one, else its path."""
    import shlex
    import shutil

    called, found = Path(sys.argv[0]), shutil.which("qa")
    if found is not None and called.exists() and Path(found).samefile(called):
        return "qa"
    if called.stem == "qa":
        return shlex.quote(str(called))
    return f"{shlex.quote(sys.executable)} -m qa_pipeline.cli.main"


def ask_password(question: str, otherwise: str) -> str:
    """A new password from the keyboard, typed twice. Without a keyboard there is nothing to ask: ``otherwise`` is what helps then."""
    from qa_pipeline.errors import UserError

    if not sys.stdin.isatty():
        raise UserError(f"这里没有键盘可以输入密码。{otherwise}")
    password: str = typer.prompt(question, hide_input=True, confirmation_prompt="再输一次")
    return password


def out(text: str) -> None:
    """Data, to stdout."""
    print(text)


def out_json(value: Any) -> None:
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value, enc_hook=_plain), indent=2).decode() + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"cannot write {type(value)} as JSON")


def yuan(amount: Decimal) -> str:
    """50.00 → 50, 0.50 → 0.5."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def clock(seconds: float | None) -> str:
    """Position in a recording: 83.4 → 01:23."""
    if seconds is None:
        return "--:--"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


def duration(seconds: float) -> str:
    """How long something took or lasts, in words."""
    if seconds < 60:
        return f"{seconds:.1f} 秒"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} 分 {rest} 秒" if rest else f"{minutes} 分钟"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} 小时 {minutes} 分" if minutes else f"{hours} 小时"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), title: str = "") -> None:
    """A table for the eyes, to stdout; Chinese characters count as two columns.

    A terminal that is too narrow folds cells, never inside a number or a name in Latin letters; a pipe or a file has no width.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(columns):
        whole = max((len(word) for row in rows for word in _LATIN.findall(row[index])), default=0)
        drawn.add_column(name, justify="right" if index in right else "left", overflow="fold", min_width=min(whole, _LONGEST_WHOLE))
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    console = Console(highlight=False, color_system=None)
    console.width = max(console.width, 100) if sys.stdout.isatty() else _UNBOUNDED
    with console.capture() as capture:
        console.print(drawn)
    if title:
        out(title)
    for line in capture.get().splitlines():
        if line.strip():
            out(line.rstrip())
