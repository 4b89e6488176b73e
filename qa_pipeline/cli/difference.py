"""``qa rescore --diff`` for the eyes and for scripts."""

from __future__ import annotations

from qa_pipeline.cli.common import out, out_json, table, yuan
from qa_pipeline.masking import mask_text
from qa_pipeline.rescore import Change, Difference, Sum

_SHOWN = 60


def tell_difference(found: Difference, *, as_json: bool, show_private: bool) -> None:
    def cover(text: str, item: Change) -> str:
        return text if show_private else mask_text(text, (item.customer_name,))

    if as_json:
        out_json(
            {
                "calls": found.calls,
                "changed_calls": found.changed_calls,
                "total": found.total,
                "clauses": {clause: {"flagged": counts[0], "cleared": counts[1]} for clause, counts in found.clauses.items()},
                "agents": found.agents,
                "unpriced": found.unpriced,
                "changes": [
                    {
                        "call_id": item.call_id,
                        "agent_id": item.agent_id,
                        "clause": item.clause,
                        "change": item.kind,
                        "quote": cover(item.quote, item),
                        "reason": cover(item.reason, item),
                    }
                    for item in found.changes
                ],
            }
        )
        return
    if not found.changed_calls:
        out(f"{found.calls} 通电话重新判定，结论、得分、扣款都没有变化。什么也没有写入。")
        return
    if found.clauses:
        out("按条款")
        table(
            ("条款", "新增违规", "撤销违规"),
            [(clause, str(flagged or ""), str(cleared or "")) for clause, (flagged, cleared) in found.clauses.items()],
            right=(1, 2),
        )
    out("按坐席")
    agents = [(agent, one) for agent, one in found.agents.items() if _changed(one)]
    table(
        ("坐席", "通话", "新增", "撤销", "平均分", "建议扣款(元)"),
        [_agent_row(agent, one) for agent, one in agents] + [_agent_row("合计", found.total)],
        right=(1, 2, 3, 4, 5),
    )
    rows = [
        (item.call_id, item.agent_id, item.kind, f"{item.clause} {item.title}", cover(item.quote, item)) for item in found.changes
    ]
    table(("通话", "坐席", "变化", "条款", "原话"), rows[:_SHOWN])
    if len(rows) > _SHOWN:
        out(f"还有 {len(rows) - _SHOWN} 处变化，用 --json 看全部。")
    if found.unpriced:
        out(f"政策文件（policy.yaml 的 clauses）里没有 {'、'.join(found.unpriced)}：新增的违规照记，但不扣分、不扣款。")
    out(f"{found.calls} 通电话里有 {found.changed_calls} 通会变。什么也没有写入；去掉 --diff 才生效。")


def _changed(one: Sum) -> bool:
    return bool(one.flagged or one.cleared) or (one.scored_before, one.score_before, one.fine_before) != (
        one.scored_after,
        one.score_after,
        one.fine_after,
    )


def _mean(score: int, calls: int) -> str:
    return f"{score / calls:.1f}" if calls else "不评分"


def _agent_row(agent: str, one: Sum) -> tuple[str, ...]:
    before, after = _mean(one.score_before, one.scored_before), _mean(one.score_after, one.scored_after)
    return (
        agent,
        str(one.calls),
        str(one.flagged or ""),
        str(one.cleared or ""),
        f"{before} → {after}",
        f"{yuan(one.fine_before)} → {yuan(one.fine_after)}",
    )
