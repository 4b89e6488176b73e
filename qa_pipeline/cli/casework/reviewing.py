"""qa cases, qa case …, qa review …"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from qa_pipeline.cli.casework import correcting
from qa_pipeline.cli.casework.common import (
    AsOption,
    AtOption,
    CaseArgument,
    Commands,
    TurnOption,
    VersionOption,
    acting,
    group,
    plain,
    shows_clear,
    turn_index,
    when,
)
from qa_pipeline.cli.common import DbOption, JsonOption, PrivateOption, clock, out, out_json, say, table, yuan

if TYPE_CHECKING:
    from qa_pipeline.casework.cases import Case
    from qa_pipeline.casework.desk import Tx
    from qa_pipeline.casework.findings import Finding
    from qa_pipeline.casework.values import Decision
    from qa_pipeline.masking import Masker

FindingArgument = Annotated[str, typer.Argument(help="发现：A04，同条款多处时 A04#1；rest 为其余所有未决定的。", metavar="发现")]
REST = "rest"
ReasonOption = Annotated[str, typer.Option("--reason", help="原因。", show_default=False)]


def register(app: typer.Typer) -> None:
    app.command("cases")(list_cases)
    case: Commands = {"show": show, "open": open_one, "assign": assign, "reopen": reopen, "void": void}
    group(app, "case", "一张工单：查看、新建、分配、重开、作废。", case)
    review: Commands = {"confirm": confirm, "reject": reject, "unsure": unsure, "add": add, "finish": finish}
    put_right: Commands = {"role": correcting.role, "text": correcting.text, "swap": correcting.swap}
    group(app, "review", "复核：逐条确认或驳回，补充，更正，完成。", {**review, **put_right})


def list_cases(
    state: Annotated[
        str | None, typer.Option("--state", help="待分配、待复核、复核中、已完成、已作废。", show_default=False)
    ] = None,
    assignee: Annotated[str | None, typer.Option("--assignee", help="分给谁的。", show_default=False)] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """工单列表，按期限。"""
    from qa_pipeline.casework import cases
    from qa_pipeline.casework.values import CaseState, Post
    from qa_pipeline.errors import UserError

    try:
        wanted = CaseState(state) if state else None
    except ValueError:
        raise UserError(f"工单没有“{state}”这个状态。可用：{'、'.join(CaseState)}。") from None
    with acting(db, person, at) as tx:
        tx.need(Post.QA, Post.QA_LEAD, Post.MANAGER)
        found = cases.find_cases(tx, state=wanted, assignee=assignee)
        if not tx.actor.has(Post.QA_LEAD, Post.MANAGER):  # blind reviews stay blind
            found = [case for case in found if case.assignee == tx.actor.person_id]
    if as_json:
        out_json([plain(case) for case in found])
        return
    rows = [[c.case_id, c.call_id, c.agent_id, c.team, c.reason, c.state.value, c.assignee, when(c.due_at)] for c in found]
    table(["工单", "通话", "工号", "班组", "来由", "状态", "复核人", "期限"], rows)


def show(
    case_id: CaseArgument,
    db: DbOption = None,
    as_json: JsonOption = False,
    show_private: PrivateOption = False,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """一张工单：发现、第几轮、原话、决定和金额。"""
    from qa_pipeline.casework import cases, ledger, privacy
    from qa_pipeline.casework.findings import findings_of
    from qa_pipeline.masking import Masker

    with acting(db, person, at) as tx:
        case = cases.get_case(tx, case_id)
        _may_see(tx, case)
        shown = shows_clear(tx, show_private)
        privacy.open_call(tx, case.call_id, "工单，客户号码和姓名全文" if shown else "工单")
        found, valued = findings_of(tx, case), ledger.value_of(tx, case)
        masker = Masker(tx.run(case.run_id).conversation.call, show=shown)
    if as_json:
        out_json({"case": plain(case), "findings": [_plain_finding(item, masker) for item in found], "dues": plain(valued.dues)})
        return
    out(
        f"工单 {case.case_id}（第 {case.version} 版）：通话 {case.call_id}，工号 {case.agent_id}，{case.state.value}，复核人 {case.assignee}"
    )
    rows = []
    for item in found:
        proof = item.outcome.proof
        said = masker.text(proof.quote) if proof is not None else ""
        decision = item.live.decision.label if item.live is not None else ("仅提示" if item.advice else "待决定")
        rows.append(
            [
                str(item.key),
                item.outcome.title,
                f"第 {proof.turn + 1} 轮" if proof is not None and proof.turn is not None else "",
                clock(proof.start_s if proof else None),
                said,
                masker.text(item.outcome.reason),
                decision,
            ]
        )
    table(["发现", "条款", "话轮", "位置", "原话", "理由", "决定"], rows)
    for due in valued.dues:
        state = "已确认" if due.confirmed else "待确认"
        out(
            f"{due.clause} {'坐席' if due.party == 'agent' else '主管'}：{due.amount.points} 分 {yuan(due.amount.yuan)} 元（{state}）"
        )


def _may_see(tx: Tx, case: Case) -> None:
    """A blind or double review is not shown to the other reviewer while either is open."""
    from qa_pipeline.casework.values import CaseState, Post
    from qa_pipeline.errors import CaseworkError

    tx.need(Post.QA, Post.QA_LEAD, Post.MANAGER)
    if case.assignee == tx.actor.person_id or tx.actor.has(Post.MANAGER):
        return
    mine = tx.row(
        "SELECT 1 FROM cases_now WHERE call_id = ? AND assignee = ? AND state <> ?",
        [case.call_id, tx.actor.person_id, CaseState.FINISHED],
    )
    if mine is not None or not tx.actor.has(Post.QA_LEAD):
        raise CaseworkError(f"工单 {case.case_id} 不是您的；双人复核在双方完成之前互相看不到。")


def _plain_finding(item: Finding, masker: Masker) -> dict[str, object]:
    """For scripts: turns count from 0 here, as in all exports."""
    proof = item.outcome.proof
    return {
        "finding": str(item.key),
        "clause": item.clause,
        "title": item.outcome.title,
        "reason": masker.text(item.outcome.reason),
        "quote": masker.text(proof.quote) if proof else "",
        "turn": proof.turn if proof else None,
        "start_s": proof.start_s if proof else None,
        "end_s": proof.end_s if proof else None,
        "decision": item.live.decision.value if item.live else None,
        "manual": item.manual,
        "advice": item.advice,
    }


def open_one(
    call_id: Annotated[str, typer.Argument(help="通话编号（清单里的 call_id）。", metavar="通话")],
    reason: ReasonOption = "指定复核",
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """为一通电话建工单并分配（质检组长或经理）。"""
    from qa_pipeline.casework import agreement, assigning, cases

    with acting(db, person, at) as tx:
        opening = cases.Opening(call_id=call_id, reason=reason, advice=tuple(sorted(agreement.advice_only(tx))))
        given = assigning.assign_evenly(tx, [cases.open_case(tx, opening)])
    out(f"{given[0].case_id} {given[0].state.value} {given[0].assignee}".rstrip())


def assign(
    case_id: CaseArgument,
    reviewer: Annotated[str, typer.Argument(help="分给谁。", metavar="人员")],
    version: VersionOption = None,
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """分配或改派（质检组长）。"""
    from qa_pipeline.casework import assigning

    with acting(db, person, at) as tx:
        assigning.assign(tx, case_id, reviewer, version)
    say(f"{case_id} 分给 {reviewer}")


def reopen(
    case_id: CaseArgument,
    reason: ReasonOption = "",
    version: VersionOption = None,
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """重开已完成的工单（质检组长或经理）。"""
    from qa_pipeline.casework import cases

    with acting(db, person, at) as tx:
        cases.reopen(tx, case_id, reason, version)
    say(f"{case_id} 已重开")


def void(
    case_id: CaseArgument,
    reason: ReasonOption = "",
    version: VersionOption = None,
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """作废工单（质检组长）：台账随之撤销。"""
    from qa_pipeline.casework import cases

    with acting(db, person, at) as tx:
        cases.void(tx, case_id, reason, version)
    say(f"{case_id} 已作废")


def confirm(
    case_id: CaseArgument,
    finding: FindingArgument,
    reason: ReasonOption = "",
    version: VersionOption = None,
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """确认一条发现。"""
    from qa_pipeline.casework.values import Decision

    with acting(db, person, at) as tx:
        _decide(tx, (case_id, finding), Decision.CONFIRM, reason, version)


def reject(
    case_id: CaseArgument,
    finding: FindingArgument,
    reason: ReasonOption = "",
    version: VersionOption = None,
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """驳回一条发现，要写原因。"""
    from qa_pipeline.casework.values import Decision

    with acting(db, person, at) as tx:
        _decide(tx, (case_id, finding), Decision.REJECT, reason, version)


def unsure(
    case_id: CaseArgument,
    finding: FindingArgument,
    reason: ReasonOption = "",
    version: VersionOption = None,
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """一条发现无法判断：有疑问时不扣坐席。"""
    from qa_pipeline.casework.values import Decision

    with acting(db, person, at) as tx:
        _decide(tx, (case_id, finding), Decision.CANNOT_TELL, reason, version)


def _decide(tx: Tx, which: tuple[str, str], decision: Decision, reason: str, version: int | None) -> None:
    from qa_pipeline.casework import cases, reviews
    from qa_pipeline.casework.findings import findings_of

    case_id, finding = which
    case = cases.get_case(tx, case_id, version)
    names = [finding]
    if finding == REST:
        names = [f"{item.key.rule_id}#{item.key.ordinal}" for item in findings_of(tx, case) if item.pending and not item.advice]
    for name in names:
        case = reviews.decide(tx, case_id, reviews.Judgement(finding=name, decision=decision, reason=reason))
        say(f"{case_id} {name.removesuffix('#0')}：{decision.label}（工单第 {case.version} 版）")


def add(
    case_id: CaseArgument,
    clause: Annotated[str, typer.Argument(help="条款（A04…）或人工项（M01…）。", metavar="条款")],
    reason: ReasonOption = "",
    turn: TurnOption = None,
    start: Annotated[float | None, typer.Option("--start", help="开始秒数。", show_default=False)] = None,
    end: Annotated[float | None, typer.Option("--end", help="结束秒数。", show_default=False)] = None,
    version: VersionOption = None,
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """补充机器漏掉的发现，或录音里听不出来的现场纪律。"""
    from qa_pipeline.casework import reviews

    index = turn_index(turn) if turn is not None else None
    added = reviews.Added(clause=clause, reason=reason, turn=index, start_s=start, end_s=end)
    with acting(db, person, at) as tx:
        reviews.add_finding(tx, case_id, added, version)
    say(f"{case_id} 补充 {clause}")


def finish(
    case_id: CaseArgument,
    note: Annotated[str, typer.Option("--note", help="备注。", show_default=False)] = "",
    version: VersionOption = None,
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """完成复核；每条发现都要有决定。"""
    from qa_pipeline.casework import reviews

    with acting(db, person, at) as tx:
        reviews.finish(tx, case_id, note, version)
    say(f"{case_id} 已完成")
