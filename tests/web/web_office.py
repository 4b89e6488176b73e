"""A small centre with work in every state, and a client that can be anybody."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "casework"))

from casework_make import Centre, clear, finding

from qa_pipeline.casework import appeals, people, samples
from qa_pipeline.web import sessions
from qa_pipeline.web.site import Site

PASSWORD = "a long password"


@dataclass
class Office:
    """The application with a client that can be anybody. ``things`` names what is there."""

    client: TestClient
    site: Site
    centre: Centre
    things: dict[str, str]
    tokens: dict[str, str] = field(default_factory=dict)

    def be(self, person_id: str) -> Office:
        """Signs in without a password; an empty id is nobody."""
        self.client.cookies.clear()
        if person_id:
            known = self.site.person(person_id)
            assert known is not None
            self.client.cookies.set(sessions.COOKIE, self.site.sessions.begin(person_id, known[1]))
        return self

    def token(self) -> str:
        session = self.site.sessions.read(self.client.cookies.get(sessions.COOKIE))
        return self.site.sessions.token(session.session_id if session else "nobody")

    def get(self, url: str, **more: Any) -> Any:
        return self.client.get(url, follow_redirects=False, **more)

    def form(self, url: str, **fields: Any) -> Any:
        return self.client.post(url, data={"csrf": self.token(), **fields}, follow_redirects=False)

    def api(self, url: str, body: object) -> Any:
        return self.client.post(f"/api/v1{url}", json=body, headers={"x-csrf-token": self.token()}, follow_redirects=False)

    def ok(self, answer: Any) -> Any:
        assert answer.status_code == 200, (answer.status_code, answer.text[:500])
        return answer.json()


def fill(centre: Centre) -> dict[str, str]:
    """A finished case with an appeal, an open case, a case of another team, a sanction."""
    done = centre.done(finding("A04", quote="不知道"), finding("A11"), confirm=("A04", "A11"))
    with centre.act("a1001") as tx:
        appeal = appeals.file(tx, done.case_id, "A04", "这句话是客户说的")
    open_case = centre.case(finding("A04", quote="不知道"), finding("A04", 1, quote="就别说了"), clear("A11"))
    other = centre.done(finding("A06"), confirm=("A06",), agent_id="1009", agent_name="外组", team="三组", supervisor="别人")
    grave = centre.done(finding("B7"), confirm=("B7",), agent_id="1002", agent_name="顾晓", complaint=True)
    with centre.act("lead") as tx:
        day = centre.now.date()
        sample = samples.take(tx, samples.Order(date_from=day, date_to=day))
        sanction = tx.row("SELECT sanction_id FROM sanctions LIMIT 1")
    with centre.act("admin") as tx:
        for person_id in ("qa1", "a1001", "admin"):
            people.set_password(tx, person_id, PASSWORD)
    return {
        "case_id": open_case.case_id,
        "call_id": done.call_id,
        "done": done.case_id,
        "open_call": open_case.call_id,
        "other_call": other.call_id,
        "other_case": other.case_id,
        "grave": grave.case_id,
        "appeal_id": appeal.appeal_id,
        "sample_id": sample.sample_id,
        "sanction_id": sanction[0] if sanction else "P0",
        "agent_id": "1001",
        "person_id": "qa2",
        "rule_id": "A04",
        "job_id": "nothing",
        "month": "2026-10",
        "name": "daily_rate",
        "complaint_id": "Q0",
        "kind": "daily",
    }
