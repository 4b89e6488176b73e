"""Small rule books written to a folder, and calls to judge with them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from qa_pipeline.model import Outcome
from qa_pipeline.resources import lexicons_dir, rules_dir
from qa_pipeline.rules.book import RuleBook
from qa_pipeline.rules.load import load_book

NEEDED: Mapping[str, Mapping[str, Any]] = {
    "quoting": {"name": "quoting", "title": "转述", "source": "测试", "date": "2026-11-21", "terms": ["(您|你)[刚才]说", "不是说"]},
    "activation": {"name": "activation", "title": "开通", "source": "测试", "date": "2026-11-21", "terms": ["给您开通了"]},
}


def phrase(*phrases: str, **values: Any) -> dict[str, Any]:
    return {"kind": "phrase", "label": values.pop("label", phrases[0]), "phrases": list(phrases), **values}


def rule(clause: str = "X01", **changes: Any) -> dict[str, Any]:
    """A rule that must not hear 坏话, changed as told; a value of None leaves the key out."""
    made: dict[str, Any] = {
        "clause": clause,
        "rule": f"{clause}-test",
        "title": f"测试条款{clause}",
        "source": {"doc": "S0", "article": "测试", "text": "不说坏话"},
        "means": "测试。",
        "instead": "好话。",
        "signals": {"said": phrase("坏话")},
        "judge": {"must_not": ["said"]},
        "examples": {"violating": [], "clear": []},
    }
    made.update(changes)
    return {key: value for key, value in made.items() if value is not None}


def write(
    folder: Path, *rules: Mapping[str, Any] | str, lexicons: Mapping[str, Mapping[str, Any] | str] | None = None
) -> tuple[Path, Path]:
    """The two folders of a book; a text is written as it stands."""
    places = (folder / "rules", folder / "lexicons")
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
    for nth, item in enumerate(rules):
        _put(places[0] / f"r{nth}.yaml", item)
    for name, item in {**NEEDED, **(lexicons or {})}.items():
        _put(places[1] / f"{name}.yaml", item)
    return places


def _put(path: Path, item: Mapping[str, Any] | str) -> None:
    text = item if isinstance(item, str) else yaml.safe_dump(item, allow_unicode=True, sort_keys=False)
    path.write_text(text, encoding="utf-8")


def book(folder: Path, *rules: Mapping[str, Any] | str, lexicons: Mapping[str, Mapping[str, Any] | str] | None = None) -> RuleBook:
    return load_book(*write(folder, *rules, lexicons=lexicons))


@cache
def shipped() -> RuleBook:
    return load_book(rules_dir(), lexicons_dir())


def told(outcomes: tuple[Outcome, ...]) -> list[tuple[str, str, str]]:
    """Clause, verdict and reason of each outcome."""
    return [(item.clause, item.verdict.value, item.reason) for item in outcomes]
