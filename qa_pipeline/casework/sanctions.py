"""Warnings, notices and dismissals are proposals: a named manager decides, and until he has, no money of the finding is certain.

待决定 ─approve→ 同意处分 | ─money→ 只扣款 | ─decline→ 不予处分;  finding falls → 已撤回 (and may be proposed again)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qa_pipeline.casework.people import all_people
from qa_pipeline.casework.values import Key, Post, SanctionState
from qa_pipeline.errors import CaseworkError, ConflictError
from qa_pipeline.model import Penalty

if TYPE_CHECKING:
    from qa_pipeline.casework.cases import Case
    from qa_pipeline.casework.desk import Tx

_SETTLED = {SanctionState.APPROVED: True, SanctionState.MONEY_ONLY: True, SanctionState.DECLINED: False}
CHOICES = {"approve": SanctionState.APPROVED, "money": SanctionState.MONEY_ONLY, "decline": SanctionState.DECLINED}


def states(tx: Tx, case_id: str) -> dict[Key, bool | None]:
    """Per finding: True the money is due, False it is not, None nobody has decided."""
    return {key: _SETTLED.get(state) for key, (_, _, state) in _known(tx, case_id).items()}


def standing(tx: Tx, case_id: str) -> dict[Key, SanctionState]:
    """The proposals of a case, per finding."""
    return {key: state for key, (_, _, state) in _known(tx, case_id).items()}


def _known(tx: Tx, case_id: str) -> dict[Key, tuple[str, int, SanctionState]]:
    """Id, version and state of each proposal of a case."""
    if ("sanctions",) not in tx.memo:
        by_case: dict[str, dict[Key, tuple[str, int, SanctionState]]] = {}
        for case, rule_id, ordinal, sanction_id, version, state in tx.rows(
            "SELECT case_id, rule_id, ordinal, sanction_id, version, state FROM sanctions_now"
        ):
            by_case.setdefault(case, {})[Key(rule_id, ordinal)] = (sanction_id, version, SanctionState(state))
        tx.memo["sanctions",] = by_case
    known: dict[Key, tuple[str, int, SanctionState]] = tx.memo["sanctions",].get(case_id, {})
    return known


def propose(tx: Tx, case: Case, penalties: Sequence[Penalty]) -> None:
    """Opens a proposal for each confirmed finding that carries a sanction; withdraws those whose finding fell."""
    known = _known(tx, case.case_id)
    wanted = {Key(penalty.rule_id, penalty.ordinal): penalty for penalty in penalties}
    for key, penalty in wanted.items():
        if key not in known:
            sanction_id = tx.next_id("P", "sanctions", "sanction_id")
            tx.insert(
                "sanctions",
                sanction_id=sanction_id,
                at_time=tx.at,
                case_id=case.case_id,
                call_id=case.call_id,
                clause=penalty.clause,
                rule_id=key.rule_id,
                ordinal=key.ordinal,
                sanction=penalty.sanction,
                agent_id=case.agent_id,
                supervisor=case.supervisor,
            )
            _event(tx, sanction_id, 1, SanctionState.PROPOSED, manager=_manager(tx), note="")
        elif known[key][2] is SanctionState.WITHDRAWN:
            _event(tx, known[key][0], known[key][1] + 1, SanctionState.PROPOSED, manager=_manager(tx), note="发现再次确认")
    for key, (sanction_id, version, state) in known.items():
        if key not in wanted and state is not SanctionState.WITHDRAWN:
            _event(tx, sanction_id, version + 1, SanctionState.WITHDRAWN, manager="", note="所依据的发现不再成立")


def decide(tx: Tx, sanction_id: str, choice: str, note: str, version: int | None = None) -> None:
    """The named manager's decision; the ledger follows in the same transaction."""
    from qa_pipeline.casework import cases, ledger

    tx.need(Post.MANAGER)
    row = tx.row("SELECT case_id, version, state, manager FROM sanctions_now WHERE sanction_id = ?", [sanction_id])
    if row is None:
        raise CaseworkError(f"没有处分建议 {sanction_id}。")
    case_id, current, state, manager = row
    if version is not None and version != current:
        raise ConflictError(f"处分建议 {sanction_id} 刚被别人改动过，请刷新后再操作。")
    if choice not in CHOICES:
        raise CaseworkError(f"决定只能是 {'、'.join(CHOICES)}，写的是“{choice}”。")
    if SanctionState(state) is not SanctionState.PROPOSED:
        raise CaseworkError(f"处分建议 {sanction_id} 已经是“{state}”，不能再决定。")
    if manager and manager != tx.actor.person_id:
        raise CaseworkError(f"处分建议 {sanction_id} 由 {manager} 决定，不是您。")
    if not note.strip():
        raise CaseworkError("请写明决定的理由。")
    _event(tx, sanction_id, current + 1, CHOICES[choice], manager=tx.actor.person_id, note=note)
    tx.log("sanction.decide", sanction_id, {"choice": choice, "note": note})
    ledger.reconcile(tx, cases.get_case(tx, case_id), note=f"处分建议 {sanction_id}：{CHOICES[choice].value}")


def _manager(tx: Tx) -> str:
    """The manager in charge: the first active one; empty leaves it to any."""
    managers = [person.person_id for person in all_people(tx.connection) if person.has(Post.MANAGER)]
    return managers[0] if managers else ""


def _event(tx: Tx, sanction_id: str, version: int, state: SanctionState, *, manager: str, note: str) -> None:
    tx.insert(
        "sanction_events",
        sanction_id=sanction_id,
        version=version,
        at_time=tx.at,
        by_person=tx.actor.person_id,
        state=state,
        manager=manager,
        note=note,
    )
    tx.memo.pop(("sanctions",), None)
    tx.log("sanction.event", sanction_id, {"state": state, "manager": manager})
