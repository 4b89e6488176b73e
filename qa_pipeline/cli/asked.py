"""Reading the options of a hundred commands takes longer than everything else before the one that was asked for begins."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from copy import copy

from typer import Typer
from typer.models import CommandInfo


def only_asked(app: Typer, words: Collection[str]) -> Typer:
    """The same tree; commands that none of the words of the command line names are their names and help only."""
    lighter = copy(app)
    lighter.registered_commands = [
        info if _name(info) in words else _named(info) for info in app.registered_commands if info.callback is not None
    ]
    lighter.registered_groups = [copy(group) for group in app.registered_groups]
    for group in lighter.registered_groups:
        if group.typer_instance is not None:
            group.typer_instance = only_asked(group.typer_instance, words)
    return lighter


def _name(info: CommandInfo) -> str:
    assert info.callback is not None
    return info.name or info.callback.__name__.lower().replace("_", "-")


def _named(info: CommandInfo) -> CommandInfo:
    named = copy(info)
    named.name = _name(info)
    named.help = info.help or inspect.getdoc(info.callback)
    named.callback = _not_asked
    return named


def _not_asked() -> None:
    raise AssertionError("a command runs only when the command line names it")
