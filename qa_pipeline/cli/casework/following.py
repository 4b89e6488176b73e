"""qa followup …, qa complaint …, qa blacklist …"""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from typing import Annotated

import typer

from qa_pipeline.cli.casework.common import AsOption, AtOption, Commands, acting, day_of, group, list_masker, plain, time_of, when
from qa_pipeline.cli.common import DbOption, JsonOption, PrivateOption, out, out_json, say, table

AllOption = Annotated[bool, typer.Option("--all", help="连已了结的一起列出。")]


def register(app: typer.Typer) -> None:
    lists: Commands = {"recheck": recheck, "callbacks": callbacks, "confirmations": confirmations, "revisit": revisit}
    group(app, "followup", "跟进：重点复查、无效销售回访、二次确认。", lists)
    group(app, "complaint", "投诉登记与处理。", {"add": add_complaint, "settle": settle, "list": list_complaints})
    group(app, "blacklist", "黑名单。", {"add": add_number, "remove": remove_number, "export": export})


def recheck(db: DbOption = None, as_json: JsonOption = False, person: AsOption = "", at: AtOption = None) -> None:
    """重点复查名单：上次抽查不合格的坐席，连续合格若干次后自动移出。"""
    from qa_pipeline.casework import followup
    from qa_pipeline.casework.values import Post

    with acting(db, person, at) as tx:
        tx.need(Post.QA, Post.QA_LEAD, Post.MANAGER, Post.TEAM_LEADER)
        found = followup.recheck_list(tx)
    if as_json:
        out_json([plain(item) for item in found])
        return
    rows = [[r.agent_id, r.failed_case, when(r.failed_at), f"{r.clean_since}/{r.clean_needed}"] for r in found]
    table(["工号", "不合格工单", "时间", "此后合格"], rows)


def callbacks(
    every: AllOption = False,
    db: DbOption = None,
    as_json: JsonOption = False,
    show_private: PrivateOption = False,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """无效销售的回访名单和原因；要打回访，加 --show-private 看号码全文。"""
    from qa_pipeline.casework import followup
    from qa_pipeline.casework.values import Post

    with acting(db, person, at) as tx:
        tx.need(Post.QA, Post.QA_LEAD, Post.MANAGER, Post.TEAM_LEADER)
        found = followup.callback_list(tx, open_only=not every)
        masker = list_masker(tx, show_private, "回访名单")
    found = [replace(c, customer_number=masker.number(c.customer_number) or "") for c in found]
    if as_json:
        out_json([plain(c) for c in found])
        return
    rows = [[c.call_id, c.agent_id, c.customer_number, c.product, "；".join(c.reasons), c.result or "待回访"] for c in found]
    table(["通话", "工号", "客户号码", "业务", "无效原因", "结果"], rows)


def confirmations(
    on: Annotated[str | None, typer.Option("--date", help="以哪一天为准，默认今天。", show_default=False, metavar="日期")] = None,
    every: AllOption = False,
    db: DbOption = None,
    as_json: JsonOption = False,
    show_private: PrivateOption = False,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """试用销售在收费前的两次确认：到期日、逾期、延长的试用期；要打电话，加 --show-private 看号码全文。"""
    from qa_pipeline.casework import followup
    from qa_pipeline.casework.values import Post

    with acting(db, person, at) as tx:
        tx.need(Post.QA, Post.QA_LEAD, Post.MANAGER, Post.TEAM_LEADER)
        found = followup.confirmations(tx, day_of(on, time_of(at).date()), open_only=not every)
        masker = list_masker(tx, show_private, "二次确认名单")
    found = [replace(c, customer_number=masker.number(c.customer_number) or "") for c in found]
    if as_json:
        out_json([plain(c) for c in found])
        return
    rows = [
        [
            c.call_id,
            c.customer_number,
            c.product,
            str(c.sold_on),
            f"{c.charge_day}{'（已延长）' if c.extended else ''}",
            f"{len(c.done)}/2",
            " ".join(map(str, c.due)),
            c.state,
        ]
        for c in found
    ]
    table(["通话", "客户号码", "业务", "开通", "收费日", "已确认", "到期", "状态"], rows)


def revisit(
    call_id: Annotated[str, typer.Argument(help="原来那通销售。", metavar="通话")],
    result: Annotated[str, typer.Argument(help="继续使用、取消、未接通、需要考虑、重新确认。", metavar="结果")],
    standards_met: Annotated[
        bool | None, typer.Option("--standards-met/--standards-missed", help="回访本身是否符合四项标准。", show_default=False)
    ] = None,
    note: Annotated[str, typer.Option("--note", help="备注。", show_default=False)] = "",
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """登记回访结果。"""
    from qa_pipeline.casework import followup

    with acting(db, person, at) as tx:
        followup.record_revisit(tx, call_id, result, standards_met=standards_met, note=note)
    say(f"{call_id} 回访：{result}")


def add_complaint(
    number: Annotated[str, typer.Argument(help="客户号码。", metavar="号码")],
    content: Annotated[str, typer.Argument(help="投诉内容。", metavar="内容")],
    call_id: Annotated[str, typer.Option("--call", help="是哪一通，不知道可不写。", show_default=False, metavar="通话")] = "",
    channel: Annotated[str, typer.Option("--channel", help="投诉渠道。")] = "电话",
    received: Annotated[str | None, typer.Option("--received", help="收到的时间，默认现在。", show_default=False)] = None,
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """登记一件投诉。"""
    from qa_pipeline.casework import complaints

    got = complaints.Received(
        customer_number=number, content=content, received_at=time_of(received or at), channel=channel, call_id=call_id
    )
    with acting(db, person, at) as tx:
        complaint = complaints.register(tx, got)
    out(complaint.complaint_id)


def settle(
    complaint_id: Annotated[str, typer.Argument(help="投诉编号，如 Q20261110-0001；用 qa complaint list 查看。", metavar="投诉")],
    upheld: Annotated[bool, typer.Option("--upheld/--dismissed", help="成立或不成立。")],
    note: Annotated[str, typer.Option("--note", help="原因和处理结果。", show_default=False)] = "",
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """投诉的处理结果；成立时台账随之变动。"""
    from qa_pipeline.casework import complaints

    with acting(db, person, at) as tx:
        complaint = complaints.settle(tx, complaint_id, upheld=upheld, note=note)
    say(f"{complaint_id}：{complaint.state.value}")


def list_complaints(
    db: DbOption = None,
    as_json: JsonOption = False,
    show_private: PrivateOption = False,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """投诉登记簿；要联系客户，加 --show-private 看号码全文。"""
    from qa_pipeline.casework import complaints
    from qa_pipeline.casework.values import Post

    with acting(db, person, at) as tx:
        tx.need(Post.QA, Post.QA_LEAD, Post.MANAGER, Post.TEAM_LEADER)
        found = complaints.all_complaints(tx)
        masker = list_masker(tx, show_private, "投诉登记簿")
    found = [
        replace(
            c,
            customer_number=masker.number(c.customer_number) or "",
            content=masker.text(c.content),
            note=masker.text(c.note),
        )
        for c in found
    ]
    if as_json:
        out_json([plain(c) for c in found])
        return
    rows = [
        [c.complaint_id, when(c.received_at), c.call_id, c.customer_number, c.channel, c.content, c.state.value, c.note]
        for c in found
    ]
    table(["投诉", "收到", "通话", "客户号码", "渠道", "内容", "状态", "处理"], rows)


def add_number(
    number: Annotated[str, typer.Argument(help="客户号码，写全。", metavar="号码")],
    reason: Annotated[str, typer.Option("--reason", help="原因。", show_default=False)] = "",
    complaint_id: Annotated[str, typer.Option("--complaint", help="依据的投诉。", show_default=False)] = "",
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """把号码列入黑名单：以后的清单里会标出来。"""
    from qa_pipeline.casework import complaints

    with acting(db, person, at) as tx:
        complaints.list_number(tx, number, reason, complaint_id=complaint_id)
    say("已列入黑名单")


def remove_number(
    number: Annotated[str, typer.Argument(help="客户号码，写全。", metavar="号码")],
    reason: Annotated[str, typer.Option("--reason", help="原因。", show_default=False)] = "",
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """把号码移出黑名单。"""
    from qa_pipeline.casework import complaints

    with acting(db, person, at) as tx:
        complaints.list_number(tx, number, reason, listed=False)
    say("已移出黑名单")


def export(db: DbOption = None, person: AsOption = "", at: AtOption = None) -> None:
    """黑名单（CSV），用来从新项目的名单里剔除。"""
    from qa_pipeline.casework import complaints
    from qa_pipeline.casework.values import Post

    with acting(db, person, at) as tx:
        tx.need(Post.QA_LEAD, Post.MANAGER)
        found = complaints.blacklist(tx)
        tx.log("blacklist.export", "", {"numbers": len(found)})
    writer = csv.writer(sys.stdout)
    writer.writerow(["number", "reason", "since"])
    writer.writerows([number, reason, f"{since:%Y-%m-%d}"] for number, reason, since in found)
