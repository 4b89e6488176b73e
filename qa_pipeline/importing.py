"""Ready transcripts into the same judging, scoring and storing: one call a line of JSON, format in the documentation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from qa_pipeline.errors import Problem, UserError, reason_of
from qa_pipeline.hearing import Heard
from qa_pipeline.judge import IMPORTED, Judge
from qa_pipeline.model import AuditRun, CallData
from qa_pipeline.store import BatchInfo, Store

BATCH_CALLS = 200
_KEYS = {"call_id", "call", "turns"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    calls: tuple[str, ...]
    new: int  # runs that were not in the store yet
    problems: tuple[Problem, ...]  # lines that were left out and values that stayed unknown, with the reason
    left_out: int = 0  # lines


def import_transcripts(path: Path, store: Store, judge: Judge, now: datetime) -> ImportResult:
    """Judges and stores every good line; a bad line, or a second one of a call, is told and the others go on."""
    batch = BatchInfo(
        batch_id=f"import-{now:%Y%m%dT%H%M%S%f}", started_at=now.isoformat(timespec="seconds"), command="import", source=str(path)
    )
    problems: list[Problem] = []
    calls: list[str] = []
    waiting: list[AuditRun] = []
    seen: dict[str, int] = {}
    new = left_out = 0
    try:
        for line, text in _lines(path):
            run = _judged(path, line, text, judge, problems, seen)
            if run is None:
                left_out += 1
                continue
            calls.append(run.conversation.call.call_id)
            waiting.append(run)
            if len(waiting) >= BATCH_CALLS:
                new += store.save(waiting, batch)
                waiting = []
    finally:
        if waiting:
            new += store.save(waiting, batch)
    return ImportResult(calls=tuple(calls), new=new, problems=tuple(problems), left_out=left_out)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Each line that is not blank, with its number."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.rstrip()
    except UnicodeDecodeError:
        raise UserError(f"{path}：不是 UTF-8 编码，请另存为 UTF-8。") from None
    except OSError as error:
        raise UserError(f"{path}：读不了这个文件（{reason_of(error)}）。请检查路径。") from None


class _LineError(UserError):
    """This line cannot become a call."""


def _judged(path: Path, line: int, text: str, judge: Judge, problems: list[Problem], seen: dict[str, int]) -> AuditRun | None:
    """None (reported) when this line cannot become a call; ``seen`` holds the lines of the calls before it."""
    from qa_pipeline.speakers import conversation_from_turns

    def note(message: str, col: int = 1) -> None:
        problems.append(Problem(path=str(path), line=line, col=col, message=message))

    try:
        entry = json.loads(text)
    except ValueError as error:
        note("不是有效的 JSON；一行写一通电话；这一行没有导入", getattr(error, "colno", 1))
        return None
    try:
        call, turns, warnings = _entry(entry)
        if call.call_id in seen:
            raise _LineError(f"通话编号“{call.call_id}”与第 {seen[call.call_id]} 行重复")
        for warning in warnings:
            note(f"{call.call_id}：{warning}；按未知处理")
        run = judge(conversation_from_turns(call, turns), Heard(engine=IMPORTED))
    except UserError as error:
        note(f"{error}；这一行没有导入")
        return None
    seen[call.call_id] = line
    return run


def _entry(entry: Any) -> tuple[CallData, list[Any], list[str]]:
    if not isinstance(entry, dict) or not isinstance(entry.get("turns"), list):
        raise _LineError("缺少 turns（话轮列表）")
    if unknown := sorted(set(entry) - _KEYS):
        raise _LineError(f"不认识的键 {'、'.join(unknown)}；可用 call_id、call、turns")
    fields = entry.get("call") or {}
    if not isinstance(fields, dict):
        raise _LineError("call 应是“字段: 值”的形式")
    call_id = entry.get("call_id") or fields.get("call_id")
    if not isinstance(call_id, str) or not call_id.strip():
        raise _LineError("缺少 call_id（通话编号）")
    call, warnings = call_from_fields({**fields, "call_id": call_id})
    return call, entry["turns"], warnings


def call_from_fields(fields: Mapping[str, Any]) -> tuple[CallData, list[str]]:
    """Call data from manifest fields of any JSON type, read as a manifest's cells are; a bad value is told and stays unknown."""
    from dataclasses import fields as fields_of

    from qa_pipeline.intake import cells

    known = {field.name for field in fields_of(CallData)} - {"extra"}
    values: dict[str, Any] = {}
    extra: list[tuple[str, str]] = []
    warnings: list[str] = []
    for name, value in fields.items():
        text = cells.tidy(value)
        if cells.is_empty(text):
            continue
        if name not in known:
            extra.append((name, text))
            continue
        try:
            if name in cells.TIMES:
                values[name] = cells.parse_when(text, values.get("started_at"))
            else:
                parser: cells.Parser = cells.PARSERS.get(name, cells.tidy)
                values[name] = parser(text)
        except cells.CellError as error:
            warnings.append(f"{name}：{error}")
    return CallData(**values, extra=tuple(sorted(extra))), warnings
