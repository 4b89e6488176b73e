"""Amounts of the policy file changed in place: everything else in the file, its comments too, stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import yaml

from qa_pipeline.errors import UserError
from qa_pipeline.policy import PolicyFile

FIELDS = {"points": "每次扣分", "cap": "每通上限", "fine": "扣款（元）", "supervisor_fine": "主管连带（元）"}
TOTALS = {"qualified_at": "合格线", "case_fine": "不合格工单（元）", "complaint_fine": "投诉（元/条）"}
_WHOLE = ("points", "cap", "qualified_at", "base_score")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """``clause`` empty: a figure of the whole policy."""

    clause: str
    field: str
    before: str
    after: str


class NoAmount(UserError):
    """Figures that are none: every one is named, and the fields that hold them."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.fields = tuple(problems)
        super().__init__("".join(f"{problem}。" for problem in problems.values()) + "没有改动任何金额。")


def edits_from(policy: PolicyFile, values: Mapping[str, str]) -> list[Edit]:
    """What differs from the policy in fields named ``A04.fine`` or ``.case_fine``. NoAmount names the figures that are none."""
    found = []
    problems: dict[str, str] = {}
    for name, text in values.items():
        clause, _, field = name.rpartition(".")
        holder = policy.clauses.get(clause) if clause else policy
        if field not in (FIELDS if clause else TOTALS) or holder is None:
            continue
        before = getattr(holder, field)
        try:
            after = _number(text, field)
        except ValueError as error:
            problems[name] = f"{clause} {FIELDS.get(field, TOTALS.get(field, field))}：{error}".strip()
            continue
        if after != before:
            found.append(Edit(clause=clause, field=field, before=_plain(before), after=_plain(after)))
    if problems:
        raise NoAmount(problems)
    return found


def _number(text: str, field: str) -> int | Decimal:
    """The figure; ValueError says in Chinese what is wrong with it."""
    try:
        value = int(text) if field in _WHOLE else Decimal(text)
    except (ValueError, InvalidOperation):
        raise ValueError(f"“{text}”不是{'整数' if field in _WHOLE else '数字'}") from None
    if (isinstance(value, Decimal) and not value.is_finite()) or not 0 <= value <= 100_000:
        raise ValueError("要在 0 到 100000 之间")
    return value


def _plain(value: int | Decimal) -> str:
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def apply(text: str, edits: list[Edit]) -> str:
    """The file with the figures changed."""
    for edit in edits:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        holder = _child(_child(root, "clauses"), edit.clause) if edit.clause else root
        if not isinstance(holder, yaml.MappingNode):
            raise UserError(f"政策文件里没有 {edit.clause}。")
        value = edit.after if edit.field in _WHOLE else f'"{edit.after}"'
        old = _child(holder, edit.field)
        text = _replaced(text, old, value) if old is not None else _added(text, holder, edit.field, value)
    return text


def _child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for key, value in pairs if key.value == name), None)


def _replaced(text: str, node: yaml.Node, value: str) -> str:
    return text[: node.start_mark.index] + value + text[node.end_mark.index :]


def _added(text: str, holder: yaml.MappingNode, field: str, value: str) -> str:
    """Behind the last key of a mapping, in its own style."""
    at = holder.value[-1][1].end_mark.index
    if holder.flow_style:
        return f"{text[:at]}, {field}: {value}{text[at:]}"
    first = holder.value[0][0]
    line = text.rfind("\n", 0, first.start_mark.index) + 1
    return f"{text[:line]}{' ' * first.start_mark.column}{field}: {value}\n{text[line:]}"
