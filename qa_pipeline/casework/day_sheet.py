"""质检日报: the sheet of one day, from what is in the store. The same store gives the same bytes, so it can be written again."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.casework import followup, samples
from qa_pipeline.casework.day import DayDone
from qa_pipeline.casework.stats import Rate, weighted

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx


def sheet(tx: Tx, done: DayDone) -> str:
    """Markdown. Machine figures are called proposals: people's decisions follow in the monthly sheets."""
    sample = done.sample
    rows = tx.rows(
        """SELECT score.call_id, score.agent_id, score.team, score.score, score.qualified, score.fatal, score.duration_s,
               coalesce((SELECT string_agg(DISTINCT clause, ' ' ORDER BY clause) FROM findings
                         WHERE findings.call_id = score.call_id AND NOT advice), '')
           FROM scores AS score WHERE list_contains(?, score.call_id) ORDER BY score.call_id""",
        [[item.call.call_id for item in sample.items]],
    )
    weights = {item.call.call_id: item.weight for item in sample.base}
    rate = weighted([(row[4], weights[row[0]]) for row in rows if row[0] in weights and row[4] is not None])
    parts = [
        f"# 质检日报 {done.day}",
        "",
        f"- 清单通话 {done.calls} 通，有效录音 {sample.frame} 通",
        f"- 随机抽查 {len(sample.base)} 通（比例 {sample.plan.rate:.0%}，每人至少 {sample.plan.floor} 通，种子 {sample.plan.seed}），"
        f"另加 {len(sample.added)} 通{_marks(sample)}",
        f"- 机检合格率（随机部分，按坐席通数加权）：{_rate(rate)}；机检结果须经人工复核",
        f"- 没有听成的录音 {len(done.unheard)} 通{_names(done.unheard)}",
        f"- 黑名单号码 {len(done.blacklisted)} 通{_names(done.blacklisted)}",
        "",
        "## 抽查录音",
        "",
        "| 录音 | 工号 | 班组 | 机检分 | 合格 | 时长（秒） | 待复核的条款 |",
        "|---|---|---|---:|---|---:|---|",
    ]
    parts += [
        f"| {call_id} | {agent or ''} | {team or ''} | {_conclusion(score, qualified, fatal)} "
        f"| {f'{duration:.0f}' if duration is not None else ''} | {clauses} |"
        for call_id, agent, team, score, qualified, fatal, duration, clauses in rows
    ]
    parts += _clauses(rows) + _reviewers(tx, sample.sample_id) + _follow(tx, done.day)
    return "\n".join(parts) + "\n"


def _conclusion(score: int | None, qualified: bool | None, fatal: bool) -> str:
    """The two cells of score and conclusion."""
    return " | 无法判定" if score is None else f"{score} | {'致命' if fatal else '合格' if qualified else '不合格'}"


def write(path: Path, text: str) -> None:
    """Atomically: a reader sees the old sheet or the new one."""
    from qa_pipeline.tables import write_whole

    write_whole(path, text.encode())


def _marks(sample: samples.Sample) -> str:
    counts = Counter(mark for item in sample.added for mark in item.marks)
    return f"（{'，'.join(f'{mark} {count}' for mark, count in sorted(counts.items()))}）" if counts else ""


def _rate(rate: Rate | None) -> str:
    return "无数据" if rate is None else f"{rate.share:.1%}（95% 区间 {rate.low:.1%}–{rate.high:.1%}）"


def _names(names: tuple[str, ...]) -> str:
    return f"：{'、'.join(names[:20])}{' 等' if len(names) > 20 else ''}" if names else ""


def _clauses(rows: list[tuple[object, ...]]) -> list[str]:
    counts = Counter(clause for row in rows for clause in str(row[7]).split())
    lines = ["", "## 条款（机检，待复核）", "", "| 条款 | 通数 |", "|---|---:|"]
    return lines + [f"| {clause} | {count} |" for clause, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def _reviewers(tx: Tx, sample_id: str) -> list[str]:
    """By the first person each case was given to."""
    rows = tx.rows(
        """SELECT coalesce(given.person, '未分配'), count(*), coalesce(sum(run.duration_s), 0) / 60
           FROM cases AS one
           JOIN case_events AS opened ON opened.case_id = one.case_id AND opened.version = 1
           LEFT JOIN runs AS run USING (run_id)
           LEFT JOIN (SELECT case_id, arg_min(assignee, version) AS person FROM case_events
                      WHERE action = 'assign' GROUP BY case_id) AS given ON given.case_id = one.case_id
           WHERE one.sample_id = ? GROUP BY 1 ORDER BY 1""",
        [sample_id],
    )
    lines = ["", "## 分派", "", "| 质检员 | 工单 | 录音（分钟） |", "|---|---:|---:|"]
    return lines + [f"| {name} | {count} | {minutes:.0f} |" for name, count, minutes in rows]


def _follow(tx: Tx, day: date) -> list[str]:
    due = [item for item in followup.confirmations(tx, day) if item.due and item.due[0] <= day]
    return ["", "## 跟进", "", f"- 到期的二次确认 {len(due)} 户"]
