"""What a call leaves to be done: agents to look at again, sales to call back, trials to confirm, revisits to record.

Sources: S0 part 4, 三.2 (不合格的营销须及时回访), 三.3(3) (加强多次重复核查), 三.3(5) (收费前 2 次确认; 无法接通则延长一个体验期).
The lists are computed from calls, verdicts and decisions each time; only results that people bring are stored.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from qa_pipeline.casework.cases import Case, find_cases
from qa_pipeline.casework.findings import findings_of, preload
from qa_pipeline.casework.values import CaseKind, CaseState, Post
from qa_pipeline.errors import CaseworkError

if TYPE_CHECKING:
    from qa_pipeline.casework.desk import Tx

_AT_ONCE = 500  # cases read together
REVISIT_RESULTS = ("继续使用", "取消", "未接通", "需要考虑", "重新确认")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recheck:
    agent_id: str
    failed_case: str
    failed_at: datetime
    clean_since: int  # clean samples since then
    clean_needed: int


def recheck_list(tx: Tx) -> list[Recheck]:
    """Agents whose reviewed call failed and who have not had enough clean ones since; by agent."""
    failing: dict[str, Recheck] = {}
    rows = tx.rows(
        """SELECT agent_id, case_id, finished_at, qualified FROM case_results_now
           WHERE state = ? AND coalesce(agent_id, '') <> '' AND qualified IS NOT NULL ORDER BY finished_at, case_id""",
        [CaseState.FINISHED],
    )
    for agent_id, case_id, finished_at, qualified in rows:
        known = failing.get(agent_id)
        if not qualified:
            failing[agent_id] = Recheck(
                agent_id=agent_id, failed_case=case_id, failed_at=finished_at, clean_since=0, clean_needed=tx.settings.recheck_clean
            )
        elif known is not None and known.clean_since + 1 >= known.clean_needed:
            del failing[agent_id]
        elif known is not None:
            failing[agent_id] = replace(known, clean_since=known.clean_since + 1)
    return [failing[agent_id] for agent_id in sorted(failing)]


def _finished(tx: Tx) -> list[Case]:
    """Finished cases whose words are still there."""
    return [case for case in find_cases(tx, state=CaseState.FINISHED, kind=CaseKind.PRIMARY) if case.run_id not in tx.purged()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A sale that people found invalid: the customer is called again, by the same four standards."""

    call_id: str
    case_id: str
    agent_id: str
    customer_number: str
    product: str
    reasons: tuple[str, ...]
    found_at: datetime
    result: str  # of the last revisit; empty: not yet called


def callback_list(tx: Tx, *, open_only: bool = True) -> list[Callback]:
    """By day found, then call."""
    results = {
        call_id: (result, met)
        for call_id, result, met in tx.rows(
            "SELECT call_id, result, standards_met FROM revisits WHERE purpose = '回访' ORDER BY seq"
        )
    }
    found: list[Callback] = []
    invalid = {case_id for (case_id,) in tx.rows("SELECT case_id FROM case_results_now WHERE sale_invalid")}
    cases = [item for item in _finished(tx) if item.case_id in invalid]
    for index, case in enumerate(cases):
        if index % _AT_ONCE == 0:
            preload(tx, cases[index : index + _AT_ONCE])
        reasons = _invalid_because(tx, case)
        result, met = results.get(case.call_id, ("", False))
        settled = result == "取消" or (result in ("继续使用", "重新确认") and met)
        if not reasons or (open_only and settled):
            continue
        call = tx.run(case.run_id).conversation.call
        found.append(
            Callback(
                call_id=case.call_id,
                case_id=case.case_id,
                agent_id=case.agent_id,
                customer_number=call.customer_number or "",
                product=call.product or "",
                reasons=reasons,
                found_at=case.finished_at or case.opened_at,
                result=result,
            )
        )
    return sorted(found, key=lambda item: (item.found_at, item.call_id))


def _invalid_because(tx: Tx, case: Case) -> tuple[str, ...]:
    """Titles of the confirmed findings that make the sale invalid."""
    invalid = {code for code, clause in tx.policy.file.clauses.items() if clause.sale_invalid}
    standing = [item for item in findings_of(tx, case) if item.confirmed and item.clause in invalid]
    return tuple(f"{item.clause} {item.outcome.title}" for item in standing)


def record_revisit(tx: Tx, call_id: str, result: str, *, standards_met: bool | None = None, note: str = "") -> None:
    """What the customer said when he was called again about a sale."""
    tx.need(Post.QA, Post.QA_LEAD, Post.TEAM_LEADER, Post.MANAGER)
    if result not in REVISIT_RESULTS:
        raise CaseworkError(f"回访结果只能是 {'、'.join(REVISIT_RESULTS)}，写的是“{result}”。")
    if result in ("继续使用", "重新确认") and standards_met is None:
        raise CaseworkError(
            "客户继续使用时，要写明这次回访本身是否符合四项标准。", command="加 --standards-met 或 --standards-missed。"
        )
    if tx.row("SELECT 1 FROM call_versions WHERE call_id = ? LIMIT 1", [call_id]) is None:
        raise CaseworkError(f"没有通话 {call_id}。")
    tx.append(
        "revisits",
        at_time=tx.at,
        by_person=tx.actor.person_id,
        call_id=call_id,
        purpose="回访",
        result=result,
        standards_met=standards_met,
        note=note,
    )
    tx.log("revisit", call_id, {"result": result, "standards_met": standards_met})


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """One trial sale and its two confirmations. ``charge_day`` moves one trial period on when the customer was not reached."""

    call_id: str
    agent_id: str
    customer_number: str
    product: str
    sold_on: date
    trial_days: int
    charge_day: date
    extended: bool
    done: tuple[date, ...]  # days of valid confirmations
    due: tuple[date, ...]  # days by which the missing ones are due
    state: str  # 待确认 | 已确认 | 已取消 | 逾期未确认 | 不得收费

    @property
    def next_due(self) -> date | None:
        return self.due[0] if self.due else None


def confirmations(tx: Tx, today: date, *, open_only: bool = True) -> list[Confirmation]:
    """Every trial sale on record as of ``today``, by next due day. A confirmation that itself breaks C1–C4 does not count."""
    calls = tx.rows(
        """SELECT call_id, agent_id, customer_number, product, started_at, call_type, outcome, trial_days FROM calls
           WHERE started_at IS NOT NULL AND started_at < ?::DATE + 1 AND customer_number IS NOT NULL
             AND ((call_type = 'sale' AND outcome = 'success' AND trial_days > 0) OR call_type = 'confirm')
           ORDER BY started_at, call_id""",
        [today],
    )
    broken = {
        call_id
        for (call_id,) in tx.rows(
            """SELECT DISTINCT outcomes.call_id FROM outcomes JOIN current_runs USING (run_id)
               WHERE verdict = '违规' AND clause IN ('C1', 'C2', 'C3', 'C4')"""
        )
    }
    tries: dict[tuple[str, str], list[_Try]] = defaultdict(list)
    for call_id, _, number, product, started_at, call_type, outcome, _ in calls:
        if call_type == "confirm":
            tries[number, product or ""].append(_Try(started_at.date(), outcome or "", call_id not in broken))
    found = [
        _confirmation(tx, row, tries[row[2], row[3] or ""], today)
        for row in calls
        if row[5] == "sale" and row[6] == "success" and row[7]
    ]
    shown = [item for item in found if not open_only or item.state in ("待确认", "逾期未确认", "不得收费")]
    return sorted(shown, key=lambda item: (item.next_due or item.charge_day, item.call_id))


@dataclass(frozen=True, slots=True)
class _Try:
    day: date
    outcome: str
    valid: bool

    @property
    def reached(self) -> bool:
        return self.outcome != "no_answer"


def _confirmation(tx: Tx, row: tuple[object, ...], tries: list[_Try], today: date) -> Confirmation:
    call_id, agent_id, number, product, started_at, _, _, trial = row
    assert isinstance(started_at, datetime)
    trial_days = int(str(trial))
    sold_on = started_at.date()
    charge_day = sold_on + timedelta(days=trial_days)
    mine = [item for item in tries if item.day >= sold_on]
    done = [item.day for item in mine if item.reached and item.valid and item.outcome == "success" and item.day < charge_day]
    # 无法接通：延长一个体验期，第二个体验期结束前继续确认
    unreached = any(not item.reached for item in mine if item.day < charge_day)
    extended = len(done) < 2 and unreached
    if extended:
        charge_day += timedelta(days=trial_days)
        done = [item.day for item in mine if item.reached and item.valid and item.outcome == "success" and item.day < charge_day]
    refused = any(item.outcome == "refused" for item in mine if item.day < charge_day)
    last = charge_day - timedelta(days=min(tx.settings.confirm_days_before, max(trial_days - 1, 1)))
    first = charge_day - timedelta(days=max(trial_days // 2, 1))
    due = () if refused or len(done) >= 2 else tuple(sorted({first, last} if not done else {last}))
    return Confirmation(
        call_id=str(call_id),
        agent_id=str(agent_id or ""),
        customer_number=str(number),
        product=str(product or ""),
        sold_on=sold_on,
        trial_days=trial_days,
        charge_day=charge_day,
        extended=extended,
        done=tuple(done),
        due=due,
        state=_state(refused, len(done), due, charge_day, today),
    )


def _state(refused: bool, done: int, due: tuple[date, ...], charge_day: date, today: date) -> str:
    if refused:
        return "已取消"
    if done >= 2:
        return "已确认"
    if today >= charge_day:
        return "不得收费"
    return "逾期未确认" if due and today > due[0] else "待确认"
