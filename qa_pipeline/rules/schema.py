"""JSON Schema of rule and lexicon files, from the same classes that read them: editors complete and check while one types."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from qa_pipeline.rules.base import RuleSpec
from qa_pipeline.strict_yaml import Doc, hints, kind_of, strip_annotated
from qa_pipeline.text.lexicon import Lexicon

_PLAIN = {str: "string", bool: "boolean", int: "integer", float: "number", Decimal: "number"}


def rule_schema() -> dict[str, Any]:
    return _document(RuleSpec, "质检规则")


def lexicon_schema() -> dict[str, Any]:
    return _document(Lexicon, "词库")


def _document(cls: type, title: str) -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    _reference(cls, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "$ref": f"#/$defs/{cls.__name__}",
        "$defs": definitions,
    }


def _reference(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    name = cls.__name__
    if name not in definitions:
        definitions[name] = {}
        definitions[name] = _object(cls, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _object(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    known = hints(cls)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for item in dataclasses.fields(cls):
        key = item.name.rstrip("_")
        hint = known[item.name]
        schema = _of(hint, definitions)
        if get_origin(hint) is Annotated:
            doc = next((str(extra) for extra in get_args(hint)[1:] if isinstance(extra, Doc)), "")
            schema = {**schema, "description": doc}
        properties[key] = schema
        if key == "kind" or (item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING):
            required.append(key)
    shape: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        shape["required"] = required
    if cls.__doc__:
        shape["description"] = cls.__doc__.strip().splitlines()[0]
    return shape


def _of(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    hint = strip_annotated(hint)
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        members = [strip_annotated(member) for member in get_args(hint)]
        choices = [{"type": "null"} if member is type(None) else _of(member, definitions) for member in members]
        return {"anyOf": choices}
    if origin is tuple:
        return {"type": "array", "items": _of(get_args(hint)[0], definitions)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _of(get_args(hint)[1], definitions)}
    if origin is Literal:
        return {"enum": list(get_args(hint))}
    if dataclasses.is_dataclass(hint):
        return _reference(hint, definitions)  # type: ignore[arg-type]
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return {"enum": [member.value for member in hint]}
    return {"type": _PLAIN[hint]}


def signal_kinds() -> tuple[str, ...]:
    """All kinds that ``signals`` may use."""
    from qa_pipeline.rules.base import SignalSpec

    return tuple(sorted(filter(None, (kind_of(member) for member in get_args(SignalSpec)))))
