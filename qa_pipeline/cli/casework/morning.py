"""qa day, qa today, qa simulate-month."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qa_pipeline.cli.casework.common import AsOption, AtOption, acting, day_of, desk_of, plain, time_of
from qa_pipeline.cli.common import DbOption, Exit, JsonOption, RulesOption, out, out_json, say, settings_of, table

if TYPE_CHECKING:
    from qa_pipeline.casework.day import Audit
    from qa_pipeline.config import Settings
    from qa_pipeline.model import CallData
    from qa_pipeline.pipeline import Source

    Day = tuple[tuple[CallData, ...], Audit, str, int]  # calls, how to judge them, what the source is called, rows left out


def register(app: typer.Typer) -> None:
    app.command("day")(day)
    app.command("today")(today)
    app.command("simulate-month")(simulate_month)


def day(
    on: Annotated[str, typer.Argument(help="哪一天，如 2026-11-02。", metavar="日期")],
    folder: Annotated[
        Path | None, typer.Argument(help="当天的录音文件夹（有清单按清单）。", metavar="文件夹", show_default=False)
    ] = None,
    manifest: Annotated[Path | None, typer.Option("--manifest", help="清单文件。", show_default=False)] = None,
    transcripts: Annotated[
        Path | None, typer.Option("--transcripts", help="已有转写（JSONL）代替录音。", show_default=False, metavar="文件")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="机器审全部通话，人工复核抽样。")] = False,
    seed: Annotated[str, typer.Option("--seed", help="抽样种子。", show_default=False)] = "",
    sheet: Annotated[Path | None, typer.Option("--sheet", help="日报写到哪里，默认输出文件夹。", show_default=False)] = None,
    rules: RulesOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
    person: AsOption = "",
    at: AtOption = None,
) -> int:
    """一个早晨：读清单、抽样、质检、建单分配、写日报。可以重复运行，做过的不再做。"""
    from qa_pipeline.casework import day as days
    from qa_pipeline.casework import day_sheet
    from qa_pipeline.errors import UserError

    chosen = day_of(on, time_of(at).date())
    settings = settings_of(db=db, rules=rules)
    if folder is not None and transcripts is not None:
        raise UserError("录音文件夹和 --transcripts 只写一个。")
    if not person:
        raise UserError("请用 --as 写明是谁在操作（质检组长或经理），或设置环境变量 QA_PERSON。")
    desk = desk_of(settings)
    if transcripts is not None:
        calls, audit, name, left_out = _from_transcripts(settings, transcripts, time_of(at))
    elif folder is not None:
        calls, audit, name, left_out = _from_folder(settings, folder, manifest)
    else:
        raise UserError("请给出录音文件夹，或用 --transcripts 给出已有转写。")
    today_calls = tuple(call for call in calls if (call.started_at or "").startswith(chosen.isoformat()))
    if not today_calls:
        raise UserError(f"{name} 里没有 {chosen} 的通话。请检查日期，以及清单的 started_at 一列。")
    morning = days.Morning(day=chosen, calls=today_calls, source=name, audit=audit, audit_all=everything, seed=seed)
    done = days.run_morning(desk, person, time_of(at), morning)
    path = sheet or settings.output.folder / f"日报-{chosen}.md"
    with desk.act(person, time_of(at)) as tx:
        day_sheet.write(path, day_sheet.sheet(tx, done))
    if as_json:
        out_json(plain(done) | {"sheet": str(path)})
    else:
        out(
            f"{chosen}：通话 {done.calls} 通，有效 {done.sample.frame} 通，随机抽 {len(done.sample.base)} 通，"
            f"另加 {len(done.sample.added)} 通，新建工单 {done.opened} 张"
        )
        _tell("没有听成的录音", done.unheard)
        _tell("没有人可分的工单", done.unassigned)
        _tell("黑名单号码", done.blacklisted)
        say(f"日报：{path}")
    return Exit.INCOMPLETE if done.unheard or left_out else Exit.DONE


def _tell(what: str, names: tuple[str, ...]) -> None:
    if names:
        say(f"{what}：{'、'.join(names[:20])}{' 等' if len(names) > 20 else ''}")


def _from_folder(settings: Settings, folder: Path, manifest: Path | None) -> Day:
    from dataclasses import replace

    from qa_pipeline.cli.auditing import tell_unlisted
    from qa_pipeline.pipeline import open_source

    source = open_source(folder, manifest, dict(settings.manifest.columns))
    for problem in source.warnings:
        say(str(problem))
    tell_unlisted(source)

    def audit(call_ids: frozenset[str]) -> None:
        _hear(settings, replace(source, calls=tuple(call for call in source.calls if call.call_id in call_ids)))

    return source.calls, audit, source.name, source.left_out


def _hear(settings: Settings, source: Source) -> None:
    from qa_pipeline.cli.running import hear_and_judge
    from qa_pipeline.store import open_store

    for failure in hear_and_judge(settings, source, open_store(settings.db), command="day").failures:
        say(f"{failure.call_id}：{failure.message}")


def _from_transcripts(settings: Settings, file: Path, at: datetime) -> Day:
    """Text costs no recognition: all of it is judged at once."""
    from qa_pipeline.importing import import_transcripts
    from qa_pipeline.judge import open_judge
    from qa_pipeline.store import open_store

    store = open_store(settings.db)
    result = import_transcripts(file, store, open_judge(settings), at)
    for problem in result.problems:
        say(str(problem))
    calls = [call for call in map(store.load_call, result.calls) if call is not None]
    return tuple(calls), lambda call_ids: None, str(file), result.left_out


def today(db: DbOption = None, as_json: JsonOption = False, person: AsOption = "", at: AtOption = None) -> None:
    """现在有什么在等我；不写 --as 时列出每个人的。"""
    from qa_pipeline.casework.day import waiting_for
    from qa_pipeline.casework.people import all_people
    from qa_pipeline.errors import UserError

    settings = settings_of(db=db)
    with desk_of(settings).store.read() as connection:
        people = [one for one in all_people(connection) if person in ("", one.person_id)]
    if not people and person:
        raise UserError(f"没有编号为“{person}”的在岗人员。用 qa people list 查看。")
    if not people:
        raise UserError("还没有任何人员。第一个人是管理员：qa people add admin 管理员 --post 管理员。")
    found = []
    for one in people:
        with acting(db, one.person_id, at) as tx:
            found.append((one, waiting_for(tx, one)))
    if as_json:
        out_json([{"person": one.person_id, "waiting": plain(items)} for one, items in found])
        return
    rows = [
        [one.name, item.what, str(len(item.things)), str(item.overdue or ""), " ".join(item.things[:3]), item.command]
        for one, items in found
        for item in items
    ]
    table(["人员", "事项", "件数", "逾期", "最早的", "命令"], rows, right=[2, 3])


def simulate_month(
    db: DbOption = None,
    scale: Annotated[int, typer.Option("--scale", min=1, help="通话数量的倍数；1 为 4000 通。")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="随机种子：同一种子得到同一个月。")] = 2026,
    rules: RulesOption = None,
) -> None:
    """造一个模拟的月：40 名坐席、5 个班组、20 个工作日，人物和对话都是虚构的，用来试用和做报表。"""
    from qa_pipeline.simulated.month import Size, build_month

    settings = settings_of(db=db, rules=rules)
    say(build_month(settings, Size(scale=scale, seed=seed), say))
