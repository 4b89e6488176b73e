"""Documentation under test: every command named in the documents exists, and every command is in the manual."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from qa_pipeline.cli.main import command
from qa_pipeline.cli.reference import EXAMPLE, commands, reference

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")])
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.S)
_COMMAND = re.compile(r"(?:^|[\s`(|;&])qa((?: +[a-z][a-z-]*)+)((?:[^\S\n]+[^\s`|;&#]+)*)", re.M)
_OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]+")


def named(path: Path) -> list[tuple[str, list[str], list[str]]]:
    """The commands in a document's code: as written, the words, the options."""
    return [
        (hit.group().strip(" `(|"), hit.group(1).split(), _OPTION.findall(hit.group()))
        for code in _CODE.findall(path.read_text(encoding="utf-8"))
        for hit in _COMMAND.finditer(code)
    ]


def resolve(words: list[str]) -> Any:
    """The command that the words lead to; words after a leaf are its arguments."""
    node = command()
    for word in words:
        children = getattr(node, "commands", None)
        if not children:
            break
        if word not in children:
            return None
        node = children[word]
    return node


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_and_option_in_the_documents_exists(path: Path) -> None:
    wrong = []
    for text, words, options in named(path):
        node = resolve(words)
        if node is None:
            wrong.append(f"no such command: {text}")
            continue
        known = {name for item in node.params for name in (*item.opts, *item.secondary_opts)} | {"--help", "--version", "--config"}
        wrong += [f"no such option: {text} ({option})" for option in options if option not in known]
    assert wrong == []


def test_the_documents_are_read() -> None:
    """The finder finds: the main job is in both READMEs."""
    for name in ("README.md", "README.zh-CN.md"):
        words = {tuple(found) for _, found, _ in named(ROOT / name)}
        assert {("doctor",), ("rescore",), ("report", "run"), ("export", "findings")} <= words
    assert resolve(["rum"]) is None and resolve(["run", "anything"]) is not None


def test_the_manual_is_the_programs() -> None:
    assert (ROOT / "docs" / "commands.zh-CN.md").read_text(encoding="utf-8") == reference(), "run: make docs"


def test_every_command_says_what_it_does_and_so_does_every_option() -> None:
    for words, leaf in commands(command()):
        assert leaf.help, " ".join(words)
        for item in leaf.params:
            if item.param_type_name == "option":
                assert item.help, f"{' '.join(words)} {item.name}"


def test_links_between_documents_lead_somewhere() -> None:
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_example_of_the_manual_is_a_configuration_that_reads_a_manifest(tmp_path: Path) -> None:
    from qa_pipeline.config import load_settings
    from qa_pipeline.intake.manifest import read_manifest

    assert f"```toml\n{EXAMPLE}```" in reference()
    (tmp_path / "qa.toml").write_text(EXAMPLE, encoding="utf-8")
    (tmp_path / "manifest.csv").write_text("录音下载地址,坐席编码,客户等级\na.wav,8012,金\n", encoding="utf-8")
    settings = load_settings(tmp_path / "qa.toml", environ={})
    (call,) = read_manifest(tmp_path / "manifest.csv", settings.manifest.columns).calls
    assert (settings.asr.workers, call.file, call.agent_id, call.extra) == (2, "a.wav", "8012", (("等级", "金"),))
