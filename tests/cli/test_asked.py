"""What a command line does not name is only its name and help; what it names is whole."""

from __future__ import annotations

from typing import Any

import pytest

from qa_pipeline.cli.main import command


def below(node: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    found = {path: node} if path else {}
    for name, child in getattr(node, "commands", {}).items():
        found |= below(child, (*path, name))
    return found


def test_all_names_and_their_sentences_are_there_for_any_words() -> None:
    whole = below(command())
    light = below(command([]))
    assert {path: (node.help, node.short_help, node.hidden) for path, node in light.items()} == {
        path: (node.help, node.short_help, node.hidden) for path, node in whole.items()
    }


@pytest.mark.parametrize("path", sorted(below(command())), ids=" ".join)
def test_what_is_named_has_all_its_options(path: tuple[str, ...]) -> None:
    whole, light = below(command())[path], below(command(["--config", "x", *path, "--help"]))[path]
    assert [parameter.opts for parameter in light.params] == [parameter.opts for parameter in whole.params]
    assert type(light) is type(whole)


def test_what_is_not_named_is_not_made() -> None:
    light = below(command(["rules", "check"]))
    assert light["rules", "check"].params
    assert not light["run",].params
    assert not light["rules", "test"].params
