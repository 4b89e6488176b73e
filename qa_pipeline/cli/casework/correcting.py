"""qa review role|text|swap: a reviewer puts a turn right, and the call is judged again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qa_pipeline.cli.casework.common import AsOption, AtOption, CaseArgument, TurnArgument, acting, turn_index
from qa_pipeline.cli.common import DbOption, RulesOption, say, settings_of
from qa_pipeline.cli.running import warn_of_lost_rules

if TYPE_CHECKING:
    from qa_pipeline.casework.corrections import Correction
    from qa_pipeline.model import Conversation


def role(
    case_id: CaseArgument,
    turn: TurnArgument,
    who: Annotated[str, typer.Argument(help="agent、customer 或 unknown。", metavar="角色")],
    rules: RulesOption = None,
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """更正一个话轮是谁说的，并重新判定。"""
    from qa_pipeline.casework.corrections import Correction
    from qa_pipeline.errors import UserError
    from qa_pipeline.model import Role

    try:
        right = Role(who)
    except ValueError:
        raise UserError(f"角色只能是 agent、customer 或 unknown，写的是“{who}”。") from None
    _correct(case_id, [Correction(turn=turn_index(turn), role=right)], rules=rules, db=db, who=(person, at))


def text(
    case_id: CaseArgument,
    turn: TurnArgument,
    words: Annotated[str, typer.Argument(help="实际说的话。", metavar="文字")],
    rules: RulesOption = None,
    db: DbOption = None,
    person: AsOption = "",
    at: AtOption = None,
) -> None:
    """更正一个话轮的文字，并重新判定；机器听到的原文保留。"""
    from qa_pipeline.casework.corrections import Correction

    _correct(case_id, [Correction(turn=turn_index(turn), text=words)], rules=rules, db=db, who=(person, at))


def swap(case_id: CaseArgument, rules: RulesOption = None, db: DbOption = None, person: AsOption = "", at: AtOption = None) -> None:
    """坐席和客户整个弄反了：对调，并重新判定。"""
    _correct(case_id, None, rules=rules, db=db, who=(person, at))


def _correct(
    case_id: str, given: Sequence[Correction] | None, *, rules: Path | None, db: Path | None, who: tuple[str, str | None]
) -> None:
    from qa_pipeline.casework import cases, corrections
    from qa_pipeline.casework.findings import findings_of
    from qa_pipeline.hearing import Heard
    from qa_pipeline.judge import open_judge
    from qa_pipeline.model import AuditRun

    settings = settings_of(db=db, rules=rules)
    judge = open_judge(settings)

    def rejudge(run: AuditRun, talk: Conversation) -> AuditRun:
        return judge(talk, Heard(engine=run.provenance.engine, recording=run.recording))

    with acting(db, *who) as tx:
        before = cases.get_case(tx, case_id)
        warn_of_lost_rules(settings, tx.connection, judge.rules_digest, [before.call_id])
        wanted = given or corrections.swapped(tx.run(before.run_id).conversation)
        case = corrections.correct(tx, case_id, wanted, rejudge)
        left = [str(item.key) for item in findings_of(tx, case) if item.pending]
    say(f"{case_id} 已更正并重新判定；待决定：{'、'.join(left) or '没有'}")
