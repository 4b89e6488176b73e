"""``qa eval`` for the eyes and for scripts."""

from __future__ import annotations

from typing import Any

from qa_pipeline.cli.common import out, out_json, table
from qa_pipeline.evaluate import Counts, Evaluation

_SHOWN = 40


def tell_evaluation(found: Evaluation, *, as_json: bool) -> None:
    if as_json:
        out_json(_as_json(found))
        return
    rows = [_row(clause, counts) for clause, counts in found.clauses.items() if counts.hits or counts.false or counts.missed]
    table(
        ("条款", "判对", "误判", "漏判", "无法判定", "查准率", "查全率", "F1"),
        [*rows, _row("合计", found.overall)],
        right=tuple(range(1, 8)),
    )
    quiet = [clause for clause, counts in found.clauses.items() if not (counts.hits or counts.false or counts.missed)]
    if quiet:
        out(f"没有标注违规、也没有误判的条款：{' '.join(quiet)}")
    out(f"标注 {found.calls} 通，其中无违规的 {found.clean_calls} 通，平均每通误判 {_number(found.false_per_clean_call)}。")
    if found.roles is not None:
        out(f"角色正确率 {_percent(found.roles.rate)}（按说话时间，共 {found.roles.whole:.0f} 秒）。")
    if found.characters is not None:
        worst = "、".join(f"{call_id} {_percent(rate)}" for call_id, rate in found.worst)
        out(f"字错率 {_percent(found.characters.rate)}（{found.characters.whole:.0f} 字）；最高：{worst}。")
    if found.missing:
        out(f"有标注但库里没有的通话 {len(found.missing)} 通：{'、'.join(found.missing[:20])}。请先用 qa run 处理。")
    for mistake in found.mistakes[:_SHOWN]:
        quote = f"“{mistake.quote}” " if mistake.quote else ""
        why = f"{quote}{mistake.reason}"
        out(f"  {mistake.kind} {mistake.call_id} {mistake.clause}{'：' if why else ''}{why}")
    if len(found.mistakes) > _SHOWN:
        out(f"  还有 {len(found.mistakes) - _SHOWN} 处，用 --json 看全部。")


def _row(name: str, counts: Counts) -> tuple[str, ...]:
    numbers = (counts.hits, counts.false, counts.missed, counts.unjudged)
    return (
        name,
        *(str(number or "") for number in numbers),
        *(_number(rate) for rate in (counts.precision, counts.recall, counts.f1)),
    )


def _number(rate: float | None) -> str:
    return "无数据" if rate is None else f"{rate:.3f}"


def _percent(rate: float | None) -> str:
    return "无数据" if rate is None else f"{100 * rate:.1f}%"


def _counts(counts: Counts) -> dict[str, Any]:
    return {
        "true_positive": counts.hits,
        "false_positive": counts.false,
        "false_negative": counts.missed,
        "true_negative": counts.clear,
        "not_evaluated": counts.unjudged,
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
    }


def _as_json(found: Evaluation) -> dict[str, Any]:
    return {
        "calls": found.calls,
        "clean_calls": found.clean_calls,
        "clauses": {clause: _counts(counts) for clause, counts in found.clauses.items()},
        "overall": _counts(found.overall),
        "false_accusations_per_clean_call": found.false_per_clean_call,
        "role_accuracy": found.roles.rate if found.roles else None,
        "role_seconds": found.roles.whole if found.roles else None,
        "cer": found.characters.rate if found.characters else None,
        "cer_characters": found.characters.whole if found.characters else None,
        "missing": found.missing,
        "mistakes": found.mistakes,
    }
