"""The invented people of the simulated month and how they behave. Everybody's chance is seeded by what he works on."""

from __future__ import annotations

import random
from dataclasses import dataclass

from qa_pipeline.casework import people
from qa_pipeline.casework.desk import Desk
from qa_pipeline.casework.values import Decision, Person, Post
from qa_pipeline.simulated import dialogue
from qa_pipeline.simulated.calls import FIRST_DAY, Size

REVIEWER_ERROR = 0.03  # a finding judged wrongly
UNSURE = 0.02
APPEALS = 0.12  # of confirmed findings
ESCALATES = 0.3  # of upheld appeals
SEES_MISSED = 0.6  # of what the machine missed, a reviewer adds


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Person ids by post."""

    admin: str
    managers: tuple[str, ...]
    leads: tuple[str, ...]
    reviewers: tuple[str, ...]
    chiefs: dict[str, str]  # team → team leader
    agents: dict[str, str]  # agent_id → person


def hire(desk: Desk, size: Size) -> Staff:
    """Puts everybody into the store, in one transaction, the evening before."""
    from datetime import datetime, time, timedelta

    chance = random.Random(f"{size.seed}/staff")
    quality = [
        Person(person_id="admin", name="管理员", posts=(Post.ADMIN,)),
        *(_person(chance, f"mgr{number}", Post.MANAGER) for number in (1, 2)),
        *(_person(chance, f"lead{number}", Post.QA_LEAD) for number in (1, 2)),
        *(_person(chance, f"qa{number}", Post.QA) for number in range(1, 7)),
    ]
    chiefs = {agent.team: agent.supervisor for agent in size.people}
    leaders = [
        Person(person_id=f"chief{number}", name=name, posts=(Post.TEAM_LEADER,), team=team)
        for number, (team, name) in enumerate(sorted(chiefs.items()), start=1)
    ]
    agents = [
        Person(person_id=f"a{agent.agent_id}", name=agent.name, posts=(Post.AGENT,), team=agent.team, agent_id=agent.agent_id)
        for agent in size.people
    ]
    with desk.found(datetime.combine(FIRST_DAY, time(8)) - timedelta(days=1)) as tx:
        for person in (*quality, *leaders, *agents):
            people.save_person(tx, person)
    return Staff(
        admin="admin",
        managers=("mgr1", "mgr2"),
        leads=("lead1", "lead2"),
        reviewers=tuple(f"qa{number}" for number in range(1, 7)),
        chiefs={person.team: person.person_id for person in leaders},
        agents={person.agent_id: person.person_id for person in agents},
    )


def _person(chance: random.Random, person_id: str, post: Post) -> Person:
    return Person(person_id=person_id, name=dialogue.person_name(chance), posts=(post,))


def hears(chance: random.Random, broken: bool) -> tuple[Decision, str]:
    """A reviewer's decision on a finding that is right or wrong."""
    draw = chance.random()
    if draw < UNSURE:
        return Decision.CANNOT_TELL, "听不清"
    if draw < UNSURE + REVIEWER_ERROR:
        broken = not broken
    if broken:
        return Decision.CONFIRM, ""
    return Decision.REJECT, chance.choice(("听错了字", "前面已经说明", "是客户说的", "语境不构成违规"))


APPEAL_REASONS = ("我说了，录音里能听到", "是客户先问的", "当时信号不好", "这句话是在复述客户的意思")
COMPLAINTS = ("说是免费，话费里却扣了钱", "没有同意就给开通了", "多次来电打扰", "态度不好")
