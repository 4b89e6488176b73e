"""The JSON Schema says what the reader does: the shipped files pass, and what the reader refuses it refuses."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from qa_pipeline.resources import lexicons_dir, rules_dir
from qa_pipeline.rules.base import RuleSpec
from qa_pipeline.rules.load import POLICY_FILE, SEGMENTS_FILE
from qa_pipeline.rules.schema import lexicon_schema, rule_schema, signal_kinds
from qa_pipeline.strict_yaml import read_file
from tests.rules.support import phrase, rule

RULES = sorted(path for path in rules_dir().rglob("*.yaml") if path.name != POLICY_FILE)
LEXICONS = sorted(path for path in lexicons_dir().rglob("*.yaml") if path.name != SEGMENTS_FILE)


@cache
def rules() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(rule_schema())
    return jsonschema.Draft202012Validator(rule_schema())


@cache
def lexicons() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(lexicon_schema())
    return jsonschema.Draft202012Validator(lexicon_schema())


def mistakes(validator: jsonschema.Draft202012Validator, value: Any) -> list[str]:
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(value)]


def loaded(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_every_shipped_rule_is_valid(path: Path) -> None:
    assert mistakes(rules(), loaded(path)) == []


def test_every_shipped_lexicon_is_valid() -> None:
    assert LEXICONS and [wrong for path in LEXICONS for wrong in mistakes(lexicons(), loaded(path))] == []


def test_what_an_author_may_write_besides(tmp_path: Path) -> None:
    example = {"turns": ["坐席：好", {"role": "agent", "text": "好", "start_s": 1, "confidence": None}], "call": {"line": "10088"}}
    full = rule(
        applies=[{"sold": True}, {"field": "line", "in": ["10088"]}],
        needs=["agent", "times"],
        signals={
            "said": phrase("坏话", where={"first_turns": 2, "after": {"signal": "other", "nth": -1}}),
            "other": phrase("好话"),
        },
        borrows={},
        review={"always": True},
        examples={"violating": [example], "clear": [], "todo": []},
    )
    assert mistakes(rules(), full) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": 1},
        {"clause": 5},
        {"clause": None},
        {"judge": {"must_not": "said"}},
        {"judge": {"must_nt": ["said"]}},
        {"needs": ["voice"]},
        {"advice": "yes"},
        {"signals": {"said": {"kind": "phase", "label": "甲", "phrases": ["坏话"]}}},
        {"signals": {"said": {"label": "甲", "phrases": ["坏话"]}}},
        {"signals": {"said": phrase("坏话", strength="weak")}},
        {"signals": {"said": phrase("坏话", where={"first_turn": 1})}},
        {"signals": {"said": phrase("坏话", where={"first_turns": "两"})}},
        {"signals": {"said": {"kind": "pace", "label": "快", "over": "三百"}}},
        {"source": {"doc": "S0", "article": "一"}},
        {"examples": {"violating": [{"turns": ["坐席：好"], "noisy": True}], "clear": []}},
    ],
    ids=str,
)
def test_what_the_reader_refuses_the_schema_refuses(tmp_path: Path, changes: dict[str, Any]) -> None:
    wrong = rule(**changes)
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(wrong, allow_unicode=True), encoding="utf-8")
    value, reader = read_file(path, RuleSpec)
    assert value is None and reader.problems
    assert mistakes(rules(), wrong)


def test_an_unknown_key_of_a_lexicon_is_refused() -> None:
    good = {"name": "l", "title": "词", "source": "一", "date": "2026-11-21", "terms": ["甲", {"text": "乙", "variants": ["丙"]}]}
    assert mistakes(lexicons(), good) == []
    assert mistakes(lexicons(), {**good, "note": "多"}) == [": Additional properties are not allowed ('note' was unexpected)"]
    assert mistakes(lexicons(), {**good, "terms": [{"text": "乙", "unles": []}]}) != []


def test_an_editor_can_explain_every_signal() -> None:
    definitions = rule_schema()["$defs"]
    kinds = {shape["properties"]["kind"]["enum"][0]: shape for shape in definitions.values() if "kind" in shape["properties"]}
    assert sorted(kinds) == sorted(signal_kinds())
    for shape in kinds.values():
        assert shape["description"] and shape["properties"]["label"]["description"]
        assert {"kind", "label"} <= set(shape["required"]) and shape["additionalProperties"] is False
