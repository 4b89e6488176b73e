"""Every route × every post: who is let in, who is not, and that the table knows every route."""

from __future__ import annotations

import pytest
from web_office import Office

from qa_pipeline.casework.values import Post
from qa_pipeline.web import roles
from qa_pipeline.web.actions import ACTIONS
from qa_pipeline.web.routes import TABLE

# One person per post who holds no other.
PEOPLE = {
    Post.QA: "qa1",
    Post.QA_LEAD: "lead",
    Post.MANAGER: "boss",
    Post.TEAM_LEADER: "chief-only",
    Post.AGENT: "a1001",
    Post.ADMIN: "admin",
}
ROUTES = [
    (route.name, method, route.path)
    for module in TABLE
    for route in module.router.routes
    for method in sorted(route.methods & {"GET", "POST"})
    if route.name != "static"
]


@pytest.fixture(scope="module", autouse=True)
def a_leader(office: Office) -> None:
    """A team leader who is nothing else."""
    answer = office.be("admin").api("/people/chief-only", {"name": "组长", "posts": ["team_leader"], "team": "一组"})
    assert answer.status_code == 200


def test_the_table_names_every_route_and_nothing_else() -> None:
    names = {name for name, _, _ in ROUTES}
    expected = set(roles.PAGES) | {f"{face}.{action}" for face in ("do", "api") for action in roles.ACTIONS}
    assert names == expected
    assert {action.name for action in ACTIONS} == set(roles.ACTIONS)


@pytest.mark.parametrize("post", list(Post))
def test_each_route_lets_in_exactly_the_posts_of_the_table(office: Office, post: Post) -> None:
    """Nothing is changed: forms and calls carry no content, so that whoever is let in is told what is missing."""
    office.be(PEOPLE[post])
    wrong = []
    for name, method, path in ROUTES:
        if name in ("logout", "login", "login.try"):
            continue
        status = _ask(office, method, path)
        posts = roles.allowed(name)
        let_in = posts is None or post in posts
        if (status == 403) == let_in or status >= 500 or status == 401:
            wrong.append((name, method, path, status, "let in" if let_in else "kept out"))
    assert wrong == []


def test_nobody_sees_anything_without_signing_in(office: Office) -> None:
    office.be("")
    wrong = []
    for name, method, path in ROUTES:
        if roles.allowed(name) is None:
            continue
        answer = _answer(office, method, path)
        location = answer.headers.get("location", "")
        kept_out = answer.status_code == 401 if path.startswith("/api/") else location.startswith("/login")
        if not kept_out:
            wrong.append((name, method, answer.status_code, location))
    assert wrong == []


def test_every_change_asks_for_the_token_of_the_session(office: Office) -> None:
    """Whoever may use the route: without the token nothing is done, as a form or as JSON."""
    changes = [(name, path.format(**office.things)) for name, method, path in ROUTES if method == "POST"]
    assert len(changes) > 40
    wrong = []
    for name, url in changes:
        posts = roles.allowed(name)
        office.be("" if posts is None else PEOPLE[next(post for post in Post if post in posts)])
        asked = [office.client.post(url, data={"nonsense": "1"}, follow_redirects=False)]
        asked.append(office.client.post(url, json={"nonsense": 1}, follow_redirects=False))
        wrong += [(name, answer.status_code) for answer in asked if answer.status_code != 403]
    assert wrong == []


def _ask(office: Office, method: str, path: str) -> int:
    return int(_answer(office, method, path).status_code)


def _answer(office: Office, method: str, path: str):  # type: ignore[no-untyped-def]
    url = path.format(**office.things)
    if method == "GET":
        return office.get(url)
    if path.startswith("/api/"):
        return office.client.post(url, json={"nonsense": 1}, headers={"x-csrf-token": office.token()}, follow_redirects=False)
    return office.form(url, nonsense="1")
