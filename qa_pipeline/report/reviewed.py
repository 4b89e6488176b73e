"""What people's decisions make of reviewed calls, asked from the store in one go instead of call by call.

``qa_pipeline.casework`` says the same of one case by judging it again; over a month of cases that takes a query a case. Here the ledger
answers: it always equals the sum of the live decisions. The tests hold both against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from qa_pipeline.casework.followup import Recheck
from qa_pipeline.report.reading import Reading

_REVIEWED = """
    CREATE TEMP TABLE r_reviewed AS
    SELECT one.case_id, one.call_id, coalesce(one.agent_id, '') AS agent_id, coalesce(one.team, '') AS team, one.finished_at,
        coalesce(said.fatal, false) AS fatal, coalesce(said.invalid, false) AS sale_invalid, coalesce(said.confirmed, 0) AS confirmed,
        CASE WHEN said.fatal THEN 0 WHEN card.silent AND said.confirmed IS NULL THEN NULL ELSE greatest(0, $base - coalesce(worth.points, 0)) END::INTEGER AS score
    FROM r_cases AS one
    LEFT JOIN (SELECT case_id, bool_or(list_contains($fatal, clause)) AS fatal, bool_or(list_contains($invalid, clause)) AS invalid,
                   count(*) AS confirmed
               FROM r_decided WHERE decision = 'confirm' GROUP BY case_id) AS said USING (case_id)
    LEFT JOIN (SELECT run_id, score IS NULL AS silent FROM scorecards) AS card ON card.run_id = one.run_id
    LEFT JOIN (SELECT entry.case_id, sum(entry.points) AS points
               FROM ledger_entries AS entry
               JOIN r_decided AS kept ON kept.case_id = entry.case_id AND kept.rule_id = entry.rule_id
                   AND kept.ordinal = entry.ordinal AND kept.decision = 'confirm'
               WHERE entry.party = 'agent' AND entry.account IN ('待确认', '已确认', '已入账') GROUP BY 1) AS worth USING (case_id)
    WHERE one.kind = 'primary' AND one.state = '已完成'
"""
_CALLBACKS = """
    SELECT one.call_id, one.case_id, one.agent_id, one.finished_at AS found_at, call.customer_number, call.product,
        string_agg(DISTINCT kept.clause || ' ' || coalesce(named.title, ''), '；' ORDER BY kept.clause || ' ' || coalesce(named.title, ''))
            AS reasons,
        coalesce(last.result, '') AS result, coalesce(last.standards_met, false) AS met
    FROM r_decided AS kept
    JOIN r_reviewed AS one ON one.case_id = kept.case_id
    LEFT JOIN calls AS call ON call.call_id = one.call_id
    LEFT JOIN (SELECT case_id, rule_id, ordinal, title FROM manual_findings
               UNION ALL SELECT cases.case_id, rule_id, ordinal, title FROM outcomes JOIN r_cases AS cases USING (run_id)
               WHERE verdict = '违规') AS named
        ON named.case_id = kept.case_id AND named.rule_id = kept.rule_id AND named.ordinal = kept.ordinal
    LEFT JOIN (SELECT call_id, arg_max(result, seq) AS result, arg_max(standards_met, seq) AS standards_met
               FROM revisits WHERE purpose = '回访' GROUP BY 1) AS last ON last.call_id = one.call_id
    WHERE kept.decision = 'confirm' AND list_contains($invalid, kept.clause)
    GROUP BY ALL ORDER BY found_at, one.call_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A sale that people found invalid; ``settled``: the customer has been called again, to the standards."""

    call_id: str
    case_id: str
    agent_id: str
    customer_number: str
    product: str
    reasons: str
    found_at: datetime
    result: str
    settled: bool

    @property
    def found_on(self) -> date:
        return self.found_at.date()


def need_reviewed(reading: Reading) -> None:
    """Makes the temporary table ``r_reviewed``: finished primary cases with the score that people's decisions leave."""
    if "r_reviewed" in reading.made:
        return
    reading.need("r_cases", "r_decided")
    clauses = reading.policy.file.clauses
    reading.tx.connection.execute(
        _REVIEWED,
        {
            "base": reading.policy.file.base_score,
            "fatal": [code for code, clause in clauses.items() if clause.fatal != "never"],
            "invalid": invalidating(reading),
        },
    )
    reading.made.add("r_reviewed")


def invalidating(reading: Reading) -> list[str]:
    """Clauses that make a sale invalid."""
    return [code for code, clause in reading.policy.file.clauses.items() if clause.sale_invalid]


def recheck_list(reading: Reading) -> list[Recheck]:
    """Agents whose last reviewed calls failed and who have not had enough clean ones since; by agent."""
    need_reviewed(reading)
    needed = reading.tx.settings.recheck_clean
    rows = reading.rows(
        "SELECT case_id, agent_id, finished_at, score >= ? AS qualified FROM r_reviewed WHERE agent_id <> '' AND score IS NOT NULL "
        "ORDER BY agent_id, finished_at, case_id",
        [reading.policy.file.qualified_at],
    )
    failing: dict[str, tuple[dict[str, Any], int]] = {}
    for row in rows:
        agent = row["agent_id"]
        if not row["qualified"]:
            failing[agent] = (row, 0)
        elif agent in failing:
            first, clean = failing.pop(agent)
            if clean + 1 < needed:
                failing[agent] = (first, clean + 1)
    return [
        Recheck(agent_id=agent, failed_case=row["case_id"], failed_at=row["finished_at"], clean_since=clean, clean_needed=needed)
        for agent, (row, clean) in sorted(failing.items())
    ]


def callbacks(reading: Reading) -> list[Callback]:
    """Sales that people found invalid, by day found, then call; those settled too."""
    need_reviewed(reading)
    return [
        Callback(
            call_id=row["call_id"],
            case_id=row["case_id"],
            agent_id=row["agent_id"],
            customer_number=row["customer_number"] or "",
            product=row["product"] or "",
            reasons=row["reasons"],
            found_at=row["found_at"],
            result=row["result"],
            settled=row["result"] == "取消" or (row["result"] in ("继续使用", "重新确认") and bool(row["met"])),
        )
        for row in reading.rows(_CALLBACKS, {"invalid": invalidating(reading)})
    ]
