"""qa sample, qa rates, qa calibrate."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from qa_pipeline.cli.casework.common import AsOption, AtOption, acting, day_of, plain, time_of
from qa_pipeline.cli.casework.trust import rate_cells, tell_trust
from qa_pipeline.cli.common import DbOption, Exit, FromOption, JsonOption, ToOption, out, out_json, say, table

if TYPE_CHECKING:
    from qa_pipeline.casework.samples import Sample


def register(app: typer.Typer) -> None:
    app.command("sample")(sample)
    app.command("rates")(rates)
    app.command("calibrate")(calibrate)


def sample(
    on: Annotated[str | None, typer.Option("--date", help="抽哪一天，默认昨天。", show_default=False, metavar="日期")] = None,
    weekly: Annotated[bool, typer.Option("--weekly", help="二级抽查：--date 所在的一整周（周一到周日）。")] = False,
    rate: Annotated[float | None, typer.Option("--rate", min=0, max=1, help="比例，默认按设置。", show_default=False)] = None,
    floor: Annotated[int | None, typer.Option("--floor", min=0, help="每人至少几通，默认按设置。", show_default=False)] = None,
    seed: Annotated[str, typer.Option("--seed", help="随机种子，默认由级别和日期得出；会记录。", show_default=False)] = "",
    replay: Annotated[
        str, typer.Option("--replay", help="按记录重抽这次抽样，核对是否一样。", show_default=False, metavar="抽样编号")
    ] = "",
    no_cases: Annotated[bool, typer.Option("--no-cases", help="只抽样，不建工单。")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
    person: AsOption = "",
    at: AtOption = None,
) -> int:
    """抽样并建工单。同一天（周）只抽一次，再运行会给出已有的抽样并补建缺的工单。"""
    from qa_pipeline.casework import samples

    if replay:
        return _replay(replay, db=db, person=person, at=at)
    day = day_of(on, time_of(at).date() - timedelta(days=1))
    first, last = _days(day, weekly)
    order = samples.Order(
        date_from=first, date_to=last, level=samples.WEEKLY if weekly else samples.DAILY, rate=rate, floor=floor, seed=seed
    )
    with acting(db, person, at) as tx:
        taken = samples.take(tx, order)
        opened = [] if no_cases else samples.open_cases(tx, taken)
    if as_json:
        out_json(plain(taken) | {"opened": [case.case_id for case in opened]})
    else:
        _show(taken)
        say(f"建工单 {len(opened)} 张" if opened else "没有新工单")
    return Exit.DONE


def _replay(sample_id: str, *, db: object, person: str, at: str | None) -> int:
    from qa_pipeline.casework import samples

    with acting(db, person, at) as tx:  # type: ignore[arg-type]
        differences = samples.replay(tx, sample_id)
    for line in differences:
        out(line)
    say("重抽结果不同。" if differences else f"{sample_id} 重抽结果完全一样。")
    return Exit.FINDINGS if differences else Exit.DONE


def _days(day: date, weekly: bool) -> tuple[date, date]:
    if not weekly:
        return day, day
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)


def _show(taken: Sample) -> None:
    rows = [
        [
            item.call.call_id,
            item.call.agent_id,
            item.call.team,
            "随机" if item.base else "",
            "、".join(item.marks),
            f"{item.weight:.2f}" if item.base else "",
        ]
        for item in taken.items
    ]
    table(["通话", "工号", "班组", "随机", "另加原因", "权重"], rows, right=[5])
    out(
        f"抽样 {taken.sample_id}{'' if taken.fresh else '（已有）'}：有效录音 {taken.frame} 通，随机 {len(taken.base)} 通，"
        f"另加 {len(taken.added)} 通，种子 {taken.plan.seed}"
    )


def rates(
    by: Annotated[str, typer.Option("--by", help="agent（坐席）、team（班组）或 all（合计）。")] = "team",
    date_from: FromOption = None,
    date_to: ToOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """合格率（只算随机抽样，按通数加权）与 95% 区间；区间重叠的不分先后。"""
    from qa_pipeline.casework import samples
    from qa_pipeline.casework.sampling import standings
    from qa_pipeline.errors import UserError

    column = {"agent": "agent_id"}.get(by, by)
    first, last = day_of(date_from, date(1, 1, 1)), day_of(date_to, date(9999, 1, 1))
    if last < first:
        raise UserError(f"日期写反了：--from {first} 晚于 --to {last}。")
    with acting(db, person, at) as tx:
        found = samples.qualified_rates(tx, column, first, last)
    tiers = {item.name: item.tier for item in standings({item.name: item.rate for item in found if item.rate is not None})}
    if as_json:
        out_json([plain(item) | {"tier": tiers.get(item.name)} for item in found])
        return
    rows = [[item.name, str(item.reviewed), *rate_cells(item.rate), _tier(tiers, item.name)] for item in found]
    table(["", "已复核", "合格率", "95% 区间", "档"], rows, right=[1, 2])
    if len(set(tiers.values())) == 1 and len(tiers) > 1:
        say("区间都有重叠：这些抽样还分不出先后。")


def _tier(tiers: dict[str, int], name: str) -> str:
    alone = sum(1 for tier in tiers.values() if tier == tiers.get(name)) == 1
    return f"第 {tiers[name]} 档{'' if alone else '（并列）'}" if name in tiers and len(set(tiers.values())) > 1 else "不分先后"


def calibrate(
    weeks: Annotated[bool, typer.Option("--weeks", help="按周看准确率的变化。")] = False,
    differences: Annotated[bool, typer.Option("--differences", help="列出双人复核不一致的通话。")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """机器和人各有多可信：每条款的准确率、κ、申诉推翻率；低于下限的条款只作提示。"""
    from qa_pipeline.casework import agreement

    with acting(db, person, at) as tx:
        trusted, people = agreement.trust(tx), agreement.people_agreement(tx)
        drift = agreement.drift(tx) if weeks or as_json else []
        apart = agreement.disagreements(tx) if differences or as_json else []
    if as_json:
        out_json({"clauses": plain(trusted), "people": plain(people), "weeks": plain(drift), "differences": plain(apart)})
        return
    tell_trust(trusted, people)
    for week in drift:
        out(f"{week.week} {week.clause} 确认 {week.confirmed} 驳回 {week.rejected} 准确率 {' '.join(rate_cells(week.precision))}")
    for call_id, one, two, clause in apart:
        out(f"{call_id} {clause}：{one} 与 {two} 不一致")
