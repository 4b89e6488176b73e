"""qa ledger …"""

from __future__ import annotations

from typing import Annotated

import typer

from qa_pipeline.cli.casework.common import AsOption, AtOption, acting, group, plain, time_of, when
from qa_pipeline.cli.common import DbOption, Exit, JsonOption, out, out_json, say, table, yuan


def register(app: typer.Typer) -> None:
    group(app, "ledger", "扣罚台账：查看、核对、月结。", {"show": show, "entries": entries, "check": check, "close": close})


def show(
    month: Annotated[str | None, typer.Option("--month", help="月份，如 2026-11，默认本月。", show_default=False)] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """每个人这个月：已入账、已确认未入账、待确认。"""
    from qa_pipeline.casework import closing
    from qa_pipeline.casework.values import Amount, Party, Post

    wanted = f"{time_of(at):%Y-%m}" if month is None else month
    with acting(db, person, at) as tx:
        tx.need(Post.QA_LEAD, Post.MANAGER, Post.AGENT)
        lines = closing.statement(tx, wanted)
        if not tx.actor.has(Post.QA_LEAD, Post.MANAGER):
            lines = [line for line in lines if line.party is Party.AGENT and line.person == tx.actor.agent_id]
    if as_json:
        out_json([plain(line) for line in lines])
        return

    def cells(*amounts: Amount) -> list[str]:
        return [text for amount in amounts for text in (str(amount.points), yuan(amount.yuan))]

    rows = [
        ["坐席" if line.party is Party.AGENT else "主管", line.person, *cells(line.taken, line.open, line.proposed)]
        for line in lines
    ]
    total = [Amount(), Amount(), Amount()]
    for line in lines:
        total = [one.plus(two) for one, two in zip(total, (line.taken, line.open, line.proposed), strict=True)]
    names = ["", "人员", "入账分", "入账元", "已确认分", "已确认元", "待确认分", "待确认元"]
    table(names, [*rows, ["", "合计", *cells(*total)]], right=range(2, 8))


def entries(
    case_id: Annotated[str | None, typer.Option("--case", help="只看一张工单。", show_default=False)] = None,
    month: Annotated[str | None, typer.Option("--month", help="只看一个月。", show_default=False)] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """台账分录：每一行写明工单、条款、质检结果、决定和经手人。"""
    from qa_pipeline.casework import closing
    from qa_pipeline.casework.values import Post

    wanted = None if month is None else closing.month_of(month)
    names = "seq txn at_time month action case_id clause party person account points yuan run_id decision by_person note".split()  # noqa: SIM905
    with acting(db, person, at) as tx:
        tx.need(Post.QA_LEAD, Post.MANAGER)
        rows = tx.rows(
            f"SELECT {', '.join(names)} FROM ledger_entries WHERE (? IS NULL OR case_id = ?) AND (? IS NULL OR month = ?) ORDER BY seq",
            [case_id, case_id, wanted, wanted],
        )
    if as_json:
        out_json([dict(zip(names, [row[0], row[1], row[2].isoformat(), *row[3:]], strict=True)) for row in rows])
        return
    cells = [
        [str(r[1]), when(r[2]), r[3], r[4], r[5], r[6], r[8] or "", r[9], str(r[10]), yuan(r[11]), r[14], r[15] or ""] for r in rows
    ]
    table(["笔", "时间", "月份", "动作", "工单", "条款", "人员", "账户", "分", "元", "经手", "说明"], cells, right=[0, 8, 9])


def check(db: DbOption = None, person: AsOption = "", at: AtOption = None) -> int:
    """核对：每笔平衡，每张工单的余额等于现行决定，月结没有被改动。"""
    from qa_pipeline.casework import closing, ledger
    from qa_pipeline.casework.values import Account, Party, Post

    with acting(db, person, at) as tx:
        tx.need(Post.QA_LEAD, Post.MANAGER, Post.ADMIN)
        problems = closing.check(tx)
        sums = ledger.totals(tx)
    for problem in problems:
        out(problem)
    for party, name in ((Party.AGENT, "坐席"), (Party.SUPERVISOR, "主管")):
        parts = [f"{account.value} {yuan(sums[party, account].yuan)} 元" for account in Account if account is not Account.SOURCE]
        out(f"{name}：{'，'.join(parts)}")
    say("台账与决定不符，见上。" if problems else "台账与每一条决定相符，一分不差。")
    return Exit.FINDINGS if problems else Exit.DONE


def close(
    month: Annotated[str, typer.Argument(help="月份，如 2026-11。", metavar="月份")],
    db: DbOption = None,
    as_json: JsonOption = False,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """月结：把已确认、过了申诉期的入账，这个月从此不再变动。"""
    from qa_pipeline.casework import closing
    from qa_pipeline.casework.values import Party

    with acting(db, person, at) as tx:
        done = closing.close_month(tx, month)
    if as_json:
        out_json(plain(done))
        return
    agent, supervisor = done.booked[Party.AGENT], done.booked[Party.SUPERVISOR]
    out(f"{month} 已月结：坐席 {agent.points} 分 {yuan(agent.yuan)} 元，主管 {yuan(supervisor.yuan)} 元")
    for case_id, why in done.carried:
        say(f"未入账 {case_id}：{why}")
