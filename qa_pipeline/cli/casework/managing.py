"""People, settings, log, purge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qa_pipeline.cli.casework.common import AsOption, AtOption, Commands, acting, day_of, desk_of, group, plain, time_of, when
from qa_pipeline.cli.common import DbOption, JsonOption, ask_password, out, out_json, say, settings_of, table, yuan


def register(app: typer.Typer) -> None:
    people: Commands = {"add": add, "list": list_people, "disable": disable, "password": password}
    group(app, "people", "人员、岗位和密码。", people)
    group(app, "settings", "抽样比例、申诉期限等数字。", {"show": show_settings, "set": set_setting})
    app.command("log")(show_log)
    app.command("purge")(purge)


def add(
    person_id: Annotated[str, typer.Argument(help="人员编号。", metavar="编号")],
    name: Annotated[str, typer.Argument(help="姓名。", metavar="姓名")],
    post: Annotated[list[str], typer.Option("--post", help="岗位，可写多次：质检员、质检组长、经理、班组长、坐席、管理员。")],
    team: Annotated[str, typer.Option("--team", help="班组。", show_default=False)] = "",
    agent_id: Annotated[str, typer.Option("--agent-id", help="工号（岗位有坐席时必填）。", show_default=False)] = "",
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """添加或修改人员。库里还没有人时不用 --as：第一个人必须是管理员。"""
    from qa_pipeline.casework import people
    from qa_pipeline.casework.values import Person, Post
    from qa_pipeline.errors import UserError

    new = Person(person_id=person_id, name=name, posts=people.posts_from(post), team=team, agent_id=agent_id)
    if person:
        with acting(db, person, at) as tx:
            people.save_person(tx, new)
    else:
        if not new.has(Post.ADMIN):
            raise UserError("第一个人必须是管理员（--post 管理员）；库里已有人员时请加 --as 管理员编号。")
        with desk_of(settings_of(db=db), must_exist=False).found(time_of(at)) as tx:
            people.save_person(tx, new)
    say(f"已保存 {name}（{person_id}）：{'、'.join(item.label for item in new.posts)}")


def list_people(db: DbOption = None, as_json: JsonOption = False) -> None:
    """人员名单（不含密码）。"""
    from qa_pipeline.casework.people import all_people

    with desk_of(settings_of(db=db)).store.read() as connection:
        found = all_people(connection, active=False)
    if as_json:
        out_json([plain(item) for item in found])
        return
    rows = [
        [p.person_id, p.name, "、".join(post.label for post in p.posts), p.team, p.agent_id, "" if p.active else "停用"]
        for p in found
    ]
    table(["编号", "姓名", "岗位", "班组", "工号", ""], rows)


def disable(
    person_id: Annotated[str, typer.Argument(help="人员编号；用 qa people list 查看。", metavar="编号")],
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """停用一个人：不能再登录和操作，他做过的都保留。"""
    from dataclasses import replace

    from qa_pipeline.casework import people

    with acting(db, person, at) as tx:
        people.save_person(tx, replace(people.find_person(tx.connection, person_id), active=False))
    say(f"已停用 {person_id}")


def password(
    person_id: Annotated[str, typer.Argument(help="人员编号；用 qa people list 查看。", metavar="编号")],
    from_stdin: Annotated[bool, typer.Option("--stdin", help="从标准输入读一行，供脚本用。")] = False,
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """设置密码（只存 argon2 散列）。"""
    import sys

    from qa_pipeline.casework import people

    with acting(db, person or person_id, at) as tx:  # who may not need not type; the store is free for others meanwhile
        people.may_set_password(tx, person_id)
    if from_stdin:
        text = sys.stdin.readline().rstrip("\n")
    else:
        text = ask_password("新密码", "请在终端里运行，或加 --stdin，从标准输入给出一行密码。")
    with acting(db, person or person_id, at) as tx:
        people.set_password(tx, person_id, text)
    say(f"{person_id} 的密码已设置")


def show_settings(db: DbOption = None, as_json: JsonOption = False) -> None:
    """现行的数字。"""
    from qa_pipeline.casework.settings import EXPLAINED, listed, load

    with desk_of(settings_of(db=db)).store.read() as connection:
        found = listed(load(connection))
    if as_json:
        out_json(dict(found))
    else:
        table(["设置", "值", "说明"], [[name, f"{value:g}", EXPLAINED[name]] for name, value in found], right=[1])


def set_setting(
    name: Annotated[str, typer.Argument(help="设置的名称，如 appeal_days；用 qa settings show 查看。", metavar="设置")],
    value: Annotated[str, typer.Argument(help="新的值；比例写小数，如 0.1。", metavar="值")],
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """改一个数字；谁在什么时候改的留有记录，只影响以后。"""
    from qa_pipeline.casework.settings import change

    with acting(db, person, at) as tx:
        change(tx, name, value)
    say(f"{name} = {value}")


def show_log(
    last: Annotated[int, typer.Option("--last", min=1, help="最近多少条。")] = 50,
    verify: Annotated[bool, typer.Option("--verify", help="检查日志有没有被改动过。")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
    person: AsOption = "",
    at: AtOption = None,
) -> int:
    """操作日志：谁在什么时候看了、定了什么。只增不改，每条带前一条的校验值。"""
    from qa_pipeline.casework import log
    from qa_pipeline.casework.values import Post
    from qa_pipeline.web.reading.words import ACTION, logged

    with acting(db, person, at) as tx:
        tx.need(Post.ADMIN, Post.MANAGER)
        if verify:
            broken = log.verify(tx.connection)
            say("日志完整。" if broken is None else f"日志从第 {broken} 条起被改动过。")
            return 0 if broken is None else 1
        rows = tx.rows("SELECT seq, at_time, person_id, action, object, detail FROM audit_log ORDER BY seq DESC LIMIT ?", [last])
    if as_json:
        names = ("seq", "at", "person", "action", "object", "detail")
        out_json([dict(zip(names, (row[0], row[1].isoformat(), *row[2:]), strict=True)) for row in rows])
    else:
        lines = [
            [str(seq), when(at_time), who, ACTION.get(action, action), thing, logged(detail)]
            for seq, at_time, who, action, thing, detail in rows
        ]
        table(["序号", "时间", "人员", "动作", "对象", "内容"], lines)
    return 0


def purge(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看会清理什么，不动任何东西。")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="确实清理。")] = False,
    before: Annotated[str | None, typer.Option("--before", help="清理这一天以前的，默认按保存期。", show_default=False)] = None,
    clips: Annotated[list[Path] | None, typer.Option("--clips", help="证据片段文件夹，可写多次。", show_default=False)] = None,
    receipt: Annotated[Path | None, typer.Option("--receipt", help="清理凭证另存为文件。", show_default=False)] = None,
    call: Annotated[
        str | None,
        typer.Option(
            "--call", help="改为删除这一通误存的（重复的录音、改了编号的）；有工单、投诉、台账的不删。", show_default=False
        ),
    ] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """清理过了保存期的录音、片段和文字；得分、决定和台账保留，并开出凭证。"""
    from qa_pipeline.casework import retention
    from qa_pipeline.errors import UserError

    if dry_run == yes:
        raise UserError("请写 --dry-run（只看）或 --yes（确实清理）其中一个。")
    settings = settings_of(db=db)
    if call is not None:
        if before is not None or clips:
            raise UserError("--call 只删这一通，不和 --before、--clips 一起用。")
        _remove(settings.db, call, yes=yes, receipt=receipt, as_json=as_json, acting_as=(db, person, at))
        return
    with acting(db, person, at) as tx:
        day = day_of(before, retention.before_day(tx, tx.at.date()))
        planned = retention.plan(tx, day, tuple(clips or ()))
        done = retention.carry_out(tx, planned) if yes and (planned.calls or planned.files) else planned
    if done.receipt_id:
        retention.rewrite(settings.db)
    text = f"{done.before} 以前：通话 {len(done.calls)} 通，文件 {len(done.files)} 个（{done.file_bytes / 1e6:.1f} MB），文字 {done.turns} 个话轮"
    if receipt is not None and done.receipt_id:
        import msgspec

        receipt.write_bytes(msgspec.json.format(msgspec.json.encode(plain(done)), indent=2))
    if as_json:
        out_json(plain(done))
        return
    out(("将清理 " if dry_run else "已清理 " if done.receipt_id else "没有可清理的：") + text)
    for name, why in done.kept:
        say(f"留下 {name}：{why}")
    if done.receipt_id:
        out(f"凭证 {done.receipt_id}")


def _remove(
    path: Path, call_id: str, *, yes: bool, receipt: Path | None, as_json: bool, acting_as: tuple[Path | None, str, str | None]
) -> None:
    """``qa purge --call``."""
    from qa_pipeline.casework import removing, retention

    with acting(*acting_as) as tx:
        done = removing.plan(tx, call_id)
        done = removing.carry_out(tx, done) if yes else done
    if done.receipt_id:
        retention.rewrite(path)
        if receipt is not None:
            import msgspec

            receipt.write_bytes(msgspec.json.format(msgspec.json.encode(plain(done)), indent=2))
    if as_json:
        out_json(plain(done))
        return
    score = "没有得分" if done.score is None else f"得分 {done.score}"
    fine = f"，建议扣款 {yuan(done.fine_yuan)} 元" if done.fine_yuan else ""
    out(f"{'已删除' if done.receipt_id else '将删除'}通话 {call_id}：{score}{fine}，判定 {done.runs} 次，文字 {done.turns} 个话轮")
    if done.samples:
        say(f"抽样 {'、'.join(done.samples)} 的范围里有这一通，删除后那次抽样不能再重抽核对。")
    say("录音文件不动：它还在文件夹和清单里的话，下次 qa run 会再判。")
    if done.receipt_id:
        out(f"凭证 {done.receipt_id}")
