"""qa appeal …, qa sanction …"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from qa_pipeline.cli.casework.common import AsOption, AtOption, Commands, VersionOption, acting, group, plain, when
from qa_pipeline.cli.common import DbOption, JsonOption, out, out_json, say, table

if TYPE_CHECKING:
    from qa_pipeline.casework.appeals import Appeal
    from qa_pipeline.casework.desk import Tx

AppealArgument = Annotated[str, typer.Argument(help="申诉编号，如 S20261105-0001。", metavar="申诉")]
NoteOption = Annotated[str, typer.Option("--note", help="意见或理由。", show_default=False)]


def register(app: typer.Typer) -> None:
    steps: Commands = {"file": file, "comment": comment, "decide": decide, "escalate": escalate, "withdraw": withdraw}
    group(app, "appeal", "申诉：提出、班组长意见、裁定、终裁。", {**steps, "list": list_appeals, "show": show})
    group(app, "sanction", "处分建议：由指定的经理决定。", {"list": list_sanctions, "decide": decide_sanction})


def file(
    case_id: Annotated[str, typer.Argument(help="工单编号。", metavar="工单")],
    finding: Annotated[str, typer.Argument(help="发现：A04，同条款多处时 A04#1。", metavar="发现")],
    reason: Annotated[str, typer.Option("--reason", help="理由。", show_default=False)] = "",
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """坐席对一条已确认的发现申诉。"""
    from qa_pipeline.casework import appeals

    with acting(db, person, at) as tx:
        appeal = appeals.file(tx, case_id, finding, reason)
    out(appeal.appeal_id)


def comment(
    appeal_id: AppealArgument,
    note: NoteOption = "",
    version: VersionOption = None,
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """班组长写意见。"""
    from qa_pipeline.casework import appeals

    with acting(db, person, at) as tx:
        _tell(appeals.comment(tx, appeal_id, note, version))


def decide(
    appeal_id: AppealArgument,
    overturn: Annotated[bool, typer.Option("--overturn/--uphold", help="申诉成立（撤销扣罚）或维持原判。")],
    note: NoteOption = "",
    version: VersionOption = None,
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """裁定：一轮由质检组长，终裁由经理。"""
    from qa_pipeline.casework import appeals

    with acting(db, person, at) as tx:
        _tell(appeals.decide(tx, appeal_id, uphold_agent=overturn, note=note, version=version))


def escalate(
    appeal_id: AppealArgument,
    note: NoteOption = "",
    version: VersionOption = None,
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """坐席请经理终裁。"""
    from qa_pipeline.casework import appeals

    with acting(db, person, at) as tx:
        _tell(appeals.escalate(tx, appeal_id, note, version))


def withdraw(appeal_id: AppealArgument, db: DbOption = None, person: AsOption = "", at: AtOption = None) -> None:
    """坐席撤回申诉。"""
    from qa_pipeline.casework import appeals

    with acting(db, person, at) as tx:
        _tell(appeals.withdraw(tx, appeal_id))


def list_appeals(
    state: Annotated[
        str | None,
        typer.Option(
            "--state",
            help="只看这个状态的：待班组长意见、待质检组长裁定、一轮维持、待经理终裁、申诉成立、终裁维持、已撤回。",
            show_default=False,
        ),
    ] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """申诉列表；坐席只看到自己的，班组长只看到本组的。"""
    from qa_pipeline.casework import appeals
    from qa_pipeline.casework.values import AppealState
    from qa_pipeline.errors import UserError

    try:
        wanted = None if state is None else AppealState(state)
    except ValueError:
        raise UserError(f"申诉没有“{state}”这个状态。可用：{'、'.join(AppealState)}。") from None
    with acting(db, person, at) as tx:
        found = [item for item in appeals.find_appeals(tx, state=wanted) if _visible(tx, item)]
    if as_json:
        out_json([plain(item) for item in found])
        return
    rows = [[a.appeal_id, a.case_id, a.clause, a.agent_id, a.team, a.state.value, when(a.due_at), a.reason] for a in found]
    table(["申诉", "工单", "条款", "工号", "班组", "状态", "期限", "理由"], rows)


def show(appeal_id: AppealArgument, db: DbOption = None, person: AsOption = "", at: AtOption = None) -> None:
    """一件申诉的每一步。"""
    from qa_pipeline.casework import appeals
    from qa_pipeline.errors import CaseworkError

    with acting(db, person, at) as tx:
        appeal = appeals.get_appeal(tx, appeal_id)
        if not _visible(tx, appeal):
            raise CaseworkError(f"没有申诉 {appeal_id}。")
        steps = appeals.history(tx, appeal_id)
    out(f"{appeal.appeal_id}：工单 {appeal.case_id} {appeal.clause}，{appeal.state.value}")
    table(
        ["时间", "人员", "状态", "期限", "意见"],
        [[when(s.at_time), s.by_person, s.state.value, when(s.due_at), s.note] for s in steps],
    )


def _visible(tx: Tx, appeal: Appeal) -> bool:
    from qa_pipeline.casework.values import Post

    if tx.actor.has(Post.QA, Post.QA_LEAD, Post.MANAGER):
        return True
    if tx.actor.has(Post.TEAM_LEADER) and tx.actor.team == appeal.team:
        return True
    return bool(tx.actor.agent_id) and tx.actor.agent_id == appeal.agent_id


def _tell(appeal: Appeal) -> None:
    due = f"，期限 {when(appeal.due_at)}" if appeal.due_at else ""
    say(f"{appeal.appeal_id}：{appeal.state.value}{due}")


def list_sanctions(db: DbOption = None, as_json: JsonOption = False, person: AsOption = "", at: AtOption = None) -> None:
    """处分建议。"""
    from qa_pipeline.casework.values import Post

    names = ("sanction_id", "case_id", "clause", "agent_id", "supervisor", "sanction", "state", "manager", "note")
    with acting(db, person, at) as tx:
        tx.need(Post.QA_LEAD, Post.MANAGER)
        rows = tx.rows(f"SELECT {', '.join(names)} FROM sanctions_now ORDER BY sanction_id")
    if as_json:
        out_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    table(
        ["编号", "工单", "条款", "工号", "主管", "处分", "状态", "经理", "理由"],
        [[str(cell or "") for cell in row] for row in rows],
    )


def decide_sanction(
    sanction_id: Annotated[str, typer.Argument(help="处分建议编号。", metavar="编号")],
    choice: Annotated[str, typer.Argument(help="approve 同意处分，money 只扣款，decline 不予处分。", metavar="决定")],
    note: NoteOption = "",
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """经理决定一条处分建议；台账随之变动。"""
    from qa_pipeline.casework import sanctions

    with acting(db, person, at) as tx:
        sanctions.decide(tx, sanction_id, choice, note)
    say(f"{sanction_id}：{sanctions.CHOICES[choice].value}")
