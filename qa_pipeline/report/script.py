"""话术遵循: path, steps left out, wrong jumps and coverage per script. Source: S1 c (问答跳转), S0 part 4 三.2 第 3 款 (遵照语言脚本).

Following a script is computed from the stored words each time, about a millisecond a call. Above ``MOST_CALLS`` a random part is
looked at: the calls with the smallest hash of their number, so that the same calls are taken every time and rates keep an interval.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from qa_pipeline.callscript.follow import Walk, follow
from qa_pipeline.callscript.load import load_scripts, script_of
from qa_pipeline.callscript.model import CallScript
from qa_pipeline.model import Conversation
from qa_pipeline.report.common import interval, interval_columns
from qa_pipeline.report.document import Chart, Column, Fact, Kind, Report, Section, Table, count, share, text
from qa_pipeline.report.reading import Reading
from qa_pipeline.resources import scripts_dir

MOST_CALLS = 2_000
MOST_LISTED = 500  # calls with a gap or a wrong jump, the worst first
_PAGE = 500
_CALLS = """
    SELECT call_id, agent_id, team, conversation_digest FROM r_scores
    WHERE ($agent = '' OR agent_id = $agent) AND ($team = '' OR team = $team) AND coalesce(outcome, '') <> 'no_answer'
    ORDER BY {order} LIMIT $most
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    call_id: str
    agent_id: str
    team: str
    script: CallScript
    walk: Walk


def build(reading: Reading) -> Report:
    reading.need("r_scores")
    scripts = load_scripts(reading.wish.scripts or scripts_dir())
    wanted = {"agent": reading.wish.agent, "team": reading.wish.team}
    every = reading.rows(
        "SELECT count(*) AS n FROM r_scores WHERE ($agent = '' OR agent_id = $agent) AND ($team = '' OR team = $team) "
        "AND coalesce(outcome, '') <> 'no_answer'",
        wanted,
    )[0]["n"]
    followed = _follow(reading, scripts, wanted, every)
    lead = (
        ()
        if every <= MOST_CALLS
        else (f"接通并已机检 {every} 通，按通话编号的散列（MD5）取其中 {MOST_CALLS} 通；再做一次取到的是同样的通话。",)
    )
    said = sum(item.walk.said for item in followed)
    expected = sum(len(item.walk.expected) for item in followed)
    wrong = sum(1 for item in followed if item.walk.wrong)
    return Report(
        kind="script",
        title="话术遵循",
        period=str(reading.period),
        made_at="",
        facts=(
            Fact(label="套用话术的通话", value=len(followed), note=f"话术 {len(scripts)} 份"),
            Fact(label="平均覆盖率", value=said / expected if expected else None, kind=Kind.SHARE, note="说到的 ÷ 应说的"),
            Fact(label="有错误跳转的通话", value=wrong, good=not wrong if followed else None),
        ),
        lead=lead,
        sections=(
            _scripts(scripts, followed),
            _steps(scripts, followed),
            _jumps(followed),
            _agents(followed),
            _listed(reading, followed),
        ),
        notes=(
            "匹配与质检规则相同：原字、同音、相近。没有听清回答时，任何一条去路都算对；两步之间按漏得最少的走法算，疑点归坐席。",
            "覆盖率：走过的路径上应说的步骤和要点里，说到了多少。漏掉不等于违规，违规由质检规则判定。",
            "出处：S1 c 呼叫中心语音（内容、选择、跳转）；S0 第四篇 三.2 第 3 款（营销过程必须严格遵照核准的语言脚本）。",
        ),
    )


def _follow(reading: Reading, scripts: tuple[CallScript, ...], wanted: dict[str, str], every: int) -> list[Followed]:
    from qa_pipeline.store.codec import unpack

    order = "call_id" if every <= MOST_CALLS else "md5(call_id)"
    calls = reading.rows(_CALLS.format(order=order), wanted | {"most": MOST_CALLS})
    found = []
    for start in range(0, len(calls), _PAGE):
        page = {row["conversation_digest"]: row for row in calls[start : start + _PAGE]}
        bodies = reading.tx.rows(
            "SELECT digest, body FROM conversations WHERE body IS NOT NULL AND digest IN (SELECT unnest(?::VARCHAR[])) ORDER BY call_id",
            [list(page)],
        )
        for digest, body in bodies:
            conversation = unpack(body, Conversation)
            script = script_of(scripts, conversation.call)
            if script is not None:
                row = page[digest]
                found.append(
                    Followed(
                        call_id=row["call_id"],
                        agent_id=row["agent_id"],
                        team=row["team"],
                        script=script,
                        walk=follow(script, conversation),
                    )
                )
    return found


def _sums(items: list[Followed]) -> dict[str, Any]:
    whole = sum(1 for item in items if not item.walk.skipped and not item.walk.wrong)
    return {
        "calls": len(items),
        "said": sum(item.walk.said for item in items),
        "expected": sum(len(item.walk.expected) for item in items),
        "complete": whole,
        "wrong": sum(1 for item in items if item.walk.wrong),
        "late": sum(1 for item in items if item.walk.late),
    } | interval(whole, len(items))


_SUMS = (
    count("calls", "通话"),
    count("said", "说到的步骤与要点"),
    count("expected", "应说的"),
    share("coverage", "覆盖率", "said", "expected"),
    count("complete", "完整走完"),
    share("rate", "完整比例", "complete", "calls"),
    *interval_columns(),
    count("wrong", "有错误跳转"),
    count("late", "有顺序颠倒"),
)


def _scripts(scripts: tuple[CallScript, ...], followed: list[Followed]) -> Section:
    rows: list[dict[str, Any]] = [
        {"script": script.title, "source": script.source}
        | _sums([item for item in followed if item.script.script == script.script])
        for script in scripts
    ]
    return Section(title="各份话术", table=Table(columns=(text("script", "话术"), *_SUMS, text("source", "出处")), rows=rows))


def _steps(scripts: tuple[CallScript, ...], followed: list[Followed]) -> Section:
    rows: list[dict[str, Any]] = []
    for script in scripts:
        walks = [item.walk for item in followed if item.script.script == script.script]
        if not walks:
            continue
        expected = Counter(name for walk in walks for name in walk.expected)
        skipped = Counter(name for walk in walks for name in walk.skipped)
        said = Counter(said.item for walk in walks for said in (*walk.path, *walk.points))
        for name in (*(step.id for step in script.steps), *(point.id for point in script.points)):
            due = expected[name]
            rows.append(
                {
                    "script": script.title,
                    "id": name,
                    "step": script.name_of(name).removeprefix(name).strip(),
                    "heard": said[name],
                    "due": due,
                    "done": due - skipped[name],
                    "skipped": skipped[name],
                }
            )
    columns = (
        text("script", "话术"),
        text("id", "编号"),
        text("step", "步骤或要点"),
        Column(key="heard", title="听到的通话", kind=Kind.INT),
        count("due", "应说的通话"),
        count("done", "说到"),
        count("skipped", "漏掉"),
        share("rate", "说到的比例", "done", "due"),
    )
    chart = Chart(kind="bar", label="id", series=("skipped",), title="漏掉的通话")
    return Section(title="各步骤", table=Table(columns=columns, rows=rows), chart=chart, empty="没有套用话术的通话。")


def _jumps(followed: list[Followed]) -> Section:
    counts: dict[tuple[str, str, str, str, str], list[str]] = defaultdict(list)
    for item in followed:
        for jump in item.walk.wrong:
            key = (item.script.title, item.script.name_of(jump.source), jump.answer, item.script.name_of(jump.expected), item.script.name_of(jump.target))  # fmt: skip
            counts[key].append(item.call_id)
    rows: list[dict[str, Any]] = [
        {
            "script": key[0],
            "source": key[1],
            "answer": key[2] or "没有听出",
            "expected": key[3],
            "target": key[4],
            "n": len(calls),
            "calls": "、".join(calls[:5]),
        }
        for key, calls in sorted(counts.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    ]
    columns = (
        text("script", "话术"),
        text("source", "从"),
        text("answer", "客户的回答"),
        text("expected", "应到"),
        text("target", "却到了"),
        count("n", "次数"),
        text("calls", "录音编号（前 5 通）"),
    )
    return Section(title="错误跳转", table=Table(columns=columns, rows=rows), empty="没有错误跳转。")


def _agents(followed: list[Followed]) -> Section:
    groups: dict[tuple[str, str], list[Followed]] = defaultdict(list)
    for item in followed:
        groups[item.agent_id or "未知", item.team or "未知"].append(item)
    rows: list[dict[str, Any]] = [{"agent": agent, "team": team} | _sums(items) for (agent, team), items in sorted(groups.items())]
    columns = (text("agent", "工号"), text("team", "班组"), *_SUMS)
    chart = Chart(kind="bar", label="agent", series=("coverage",), title="各坐席的覆盖率")
    return Section(title="各坐席", table=Table(columns=columns, rows=rows), chart=chart, empty="没有套用话术的通话。")


def _listed(reading: Reading, followed: list[Followed]) -> Section:
    gaps = [item for item in followed if item.walk.skipped or item.walk.wrong]
    gaps.sort(key=lambda item: (-len(item.walk.wrong), item.walk.coverage or 0.0, item.call_id))
    rows: list[dict[str, Any]] = [
        {
            "call_id": item.call_id,
            "agent": item.agent_id,
            "script": item.script.title,
            "path": " → ".join(item.walk.steps),
            "answers": "；".join(f"{step}：{label}" for step, label in item.walk.answers),
            "skipped": "、".join(item.script.name_of(name) for name in item.walk.skipped),
            "wrong": "；".join(str(jump) for jump in item.walk.wrong),
            "said": item.walk.said,
            "expected": len(item.walk.expected),
        }
        for item in gaps[:MOST_LISTED]
    ]
    columns = (
        text("call_id", "录音编号"),
        text("agent", "工号"),
        text("script", "话术"),
        text("path", "走过的路径"),
        text("answers", "听出的回答"),
        text("skipped", "漏掉的"),
        text("wrong", "错误跳转"),
        Column(key="said", title="说到", kind=Kind.INT),
        Column(key="expected", title="应说", kind=Kind.INT),
        share("coverage", "覆盖率", "said", "expected"),
    )
    note = f"列出 {len(rows)} 通，共 {len(gaps)} 通有漏掉或错误跳转。" if len(gaps) > MOST_LISTED else ""
    return Section(title="有漏掉或错误跳转的通话", table=Table(columns=columns, rows=rows), note=note, empty="都完整走完了。")
