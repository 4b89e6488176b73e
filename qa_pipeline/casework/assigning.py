"""Who reviews which case: never his own call, never a team leader or supervisor his own people alone, two people for a double
review; otherwise whoever has least waiting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qa_pipeline.casework.cases import WORKING, Case, get_case, move
from qa_pipeline.casework.people import all_people
from qa_pipeline.casework.values import CaseKind, CaseState, Person, Post
from qa_pipeline.errors import CaseworkError

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx


def refusal(person: Person, case: Case) -> str:
    """Why this person may not review this case; empty when he may."""
    if not person.active:
        return "已停用"
    if not person.has(Post.QA, Post.QA_LEAD):
        return "不是质检员或质检组长"
    if case.agent_id and person.agent_id == case.agent_id:
        return "不能复核自己的通话"
    if case.team and person.has(Post.TEAM_LEADER) and person.team == case.team:
        return "是这位坐席的班组长，不能单独复核本组的通话"
    if case.supervisor and case.supervisor in (person.person_id, person.name):
        return "是这位坐席的主管，不能单独复核他的通话"
    return ""


def assign(tx: Tx, case_id: str, reviewer: str, version: int | None = None) -> Case:
    """Gives a case to a reviewer; the lead's action."""
    tx.need(Post.QA_LEAD)
    case = get_case(tx, case_id, version)
    if case.state not in (CaseState.OPEN, *WORKING):
        raise CaseworkError(f"工单 {case_id} {case.state.value}，不能再分配。")
    person = next((item for item in all_people(tx.connection) if item.person_id == reviewer), None)
    if person is None:
        raise CaseworkError(f"没有在岗的人员“{reviewer}”。")
    why = refusal(person, case) or _pair_refusal(tx, person, case)
    if why:
        raise CaseworkError(f"{person.name} {why}，工单 {case_id} 请分给别人。")
    return move(tx, case, "assign", state=CaseState.ASSIGNED, assignee=reviewer)


def assign_evenly(tx: Tx, cases: Sequence[Case]) -> list[Case]:
    """Gives each case to the reviewer with the fewest cases waiting who may review it; weekly second level goes to leads.

    A case that nobody may review stays unassigned and is told by ``qa today``.
    """
    tx.need(Post.QA_LEAD)
    reviewers = [person for person in all_people(tx.connection) if person.has(Post.QA, Post.QA_LEAD)]
    states = [state.value for state in WORKING]
    waiting = dict(tx.rows("SELECT assignee, count(*) FROM cases_now WHERE list_contains(?, state) GROUP BY assignee", [states]))
    load: dict[str, int] = {person.person_id: int(waiting.get(person.person_id, 0)) for person in reviewers}
    done: list[Case] = []
    taken = _reviewers_by_call(tx, [case.call_id for case in cases])
    for case in sorted(cases, key=lambda item: item.case_id):
        others = taken.setdefault(case.call_id, set())
        fit = [person for person in reviewers if not refusal(person, case) and person.person_id not in others]
        want = Post.QA_LEAD if case.kind is CaseKind.SECOND else Post.QA
        fit = [person for person in fit if person.has(want)] or fit
        if not fit:
            done.append(case)
            continue
        chosen = min(fit, key=lambda person: (load[person.person_id], person.person_id))
        load[chosen.person_id] += 1
        others.add(chosen.person_id)
        done.append(move(tx, case, "assign", state=CaseState.ASSIGNED, assignee=chosen.person_id))
    return done


def _reviewers_by_call(tx: Tx, call_ids: Sequence[str]) -> dict[str, set[str]]:
    """Who has a case of these calls already: the two of a double review are two people."""
    rows = tx.rows(
        "SELECT call_id, assignee FROM cases_now WHERE assignee IS NOT NULL AND list_contains(?, call_id)", [list(call_ids)]
    )
    taken: dict[str, set[str]] = {}
    for call_id, assignee in rows:
        taken.setdefault(call_id, set()).add(assignee)
    return taken


def _pair_refusal(tx: Tx, person: Person, case: Case) -> str:
    """The two of a double review are two people."""
    row = tx.row(
        "SELECT 1 FROM cases_now WHERE call_id = ? AND case_id <> ? AND assignee = ?",
        [case.call_id, case.case_id, person.person_id],
    )
    return "已经复核过同一通电话" if row is not None else ""
