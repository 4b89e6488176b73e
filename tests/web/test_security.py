"""Sessions, forged requests, guessed ids, limits, headers."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from web_office import PASSWORD, Office

from qa_pipeline.web import sessions


def _token(page: str) -> str:
    return page.split('name="csrf" value="')[1].split('"')[0]


def _sign_in(office: Office, person_id: str, password: str):  # type: ignore[no-untyped-def]
    office.be("")
    token = _token(office.get("/login").text)
    return office.client.post("/login", data={"csrf": token, "person_id": person_id, "password": password}, follow_redirects=False)


def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use(office: Office) -> None:
    answer = _sign_in(office, "qa1", PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = next(value for name, value in answer.headers.multi_items() if name == "set-cookie" and sessions.COOKIE in value)
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
    assert office.get("/").headers["location"] == "/desk"


def test_a_changed_cookie_is_nobody(office: Office) -> None:
    office.be("qa1")
    cookie = office.client.cookies.get(sessions.COOKIE)
    assert cookie is not None
    office.client.cookies.set(sessions.COOKIE, cookie[:-2] + ("AA" if cookie[-2:] != "AA" else "BB"))
    assert office.get("/desk").headers["location"].startswith("/login")


def test_signing_out_ends_the_session_on_the_server(office: Office) -> None:
    office.be("qa1")
    cookie = office.client.cookies.get(sessions.COOKIE)
    assert cookie is not None
    assert office.form("/logout").status_code == 303
    office.client.cookies.clear()
    office.client.cookies.set(sessions.COOKIE, cookie)
    assert office.get("/desk").headers["location"].startswith("/login")


def test_a_new_password_ends_older_sessions(office: Office) -> None:
    office.be("admin").ok(office.api("/people/leaver", {"name": "临时", "posts": ["qa"]}))
    office.ok(office.api("/people/leaver/password", {"password": PASSWORD}))
    office.be("leaver")
    old = office.client.cookies.get(sessions.COOKIE)
    assert old is not None and office.get("/desk").status_code == 200
    office.be("admin").ok(office.api("/people/leaver/password", {"password": PASSWORD + "!"}))
    office.client.cookies.set(sessions.COOKIE, old)
    assert office.get("/desk").headers["location"].startswith("/login")


def test_somebody_who_left_is_out_at_once(office: Office) -> None:
    office.be("admin").ok(office.api("/people/gone", {"name": "离职", "posts": ["qa"]}))
    office.be("gone")
    cookie = office.client.cookies.get(sessions.COOKIE)
    assert cookie is not None and office.get("/desk").status_code == 200
    office.be("admin").ok(office.api("/people/gone", {"name": "离职", "posts": ["qa"], "active": False}))
    office.client.cookies.set(sessions.COOKIE, cookie)
    assert office.get("/desk").headers["location"].startswith("/login")


def test_wrong_passwords_are_limited_and_unknown_people_sound_the_same(office: Office) -> None:
    office.site.attempts.succeeded("person:a1001")
    wrong = [_sign_in(office, "a1001", "not this one") for _ in range(6)]
    assert [answer.status_code for answer in wrong] == [401, 401, 401, 401, 401, 429]
    assert _sign_in(office, "a1001", PASSWORD).status_code == 429  # the right one too, for a while
    unknown = _sign_in(office, "nobody-here", "not this one")
    assert (unknown.status_code, "编号或密码不对" in unknown.text) == (401, True)
    office.site.attempts.succeeded("person:a1001")


@pytest.mark.parametrize("token", ["", "x.y", None])
def test_a_form_without_the_token_of_the_session_is_refused(office: Office, token: str | None) -> None:
    office.be("qa1")
    fields = {"note": "", "csrf": token} if token is not None else {"note": ""}
    answer = office.client.post(f"/do/cases/{office.things['case_id']}/finish", data=fields, follow_redirects=False)
    assert answer.status_code == 403


def test_the_token_of_one_session_is_nothing_in_another(office: Office) -> None:
    foreign = office.be("qa2").token()
    office.be("qa1")
    url = f"/api/v1/cases/{office.things['case_id']}/finish"
    assert office.client.post(url, json={}, headers={"x-csrf-token": foreign}).status_code == 403


def test_a_request_from_another_site_is_refused_even_with_a_token(office: Office) -> None:
    office.be("qa1")
    headers = {"x-csrf-token": office.token(), "sec-fetch-site": "cross-site"}
    assert office.client.post(f"/api/v1/cases/{office.things['case_id']}/finish", json={}, headers=headers).status_code == 403


def test_nobody_is_sent_to_another_site(office: Office) -> None:
    for target in ("https://example.com/", "//example.com", "/\\example.com", "javascript:alert(1)"):
        office.be("")
        token = _token(office.get("/login").text)
        fields = {"csrf": token, "person_id": "qa1", "password": PASSWORD, "next": target}
        assert office.client.post("/login", data=fields, follow_redirects=False).headers["location"] == "/"


def test_an_agent_cannot_guess_his_way_to_other_calls(office: Office) -> None:
    office.be("a1001")
    other = office.things["other_call"]
    refused = [f"/me/calls/{other}", f"/calls/{other}/sheet", f"/api/v1/calls/{other}"]
    assert [office.get(url).status_code for url in refused] == [404, 404, 404]
    assert office.get(f"/calls/{other}/audio").status_code == 410
    assert office.get(f"/me/calls/{office.things['call_id']}").status_code == 200
    # the same words for what does not exist
    assert office.get("/api/v1/calls/none").json()["error"].replace("none", other) == office.get(refused[2]).json()["error"]


def test_an_agent_sees_no_verdict_before_the_review_is_finished(office: Office) -> None:
    page = office.be("a1001").get(f"/me/calls/{office.things['open_call']}").text
    assert "正在复核" in page and "A04 服务忌语" not in page
    shown = office.get(f"/api/v1/calls/{office.things['open_call']}").json()["call"]
    assert (shown["findings"], shown["clear"], shown["unjudged"]) == ([], [], [])


def test_a_team_leader_sees_his_team_only_and_masked(office: Office) -> None:
    office.be("admin").ok(office.api("/people/chief-only", {"name": "组长", "posts": ["team_leader"], "team": "一组"}))
    office.be("chief-only")
    page = office.get(f"/calls/{office.things['call_id']}")
    assert page.status_code == 200 and "赵**" in page.text and "赵小满" not in page.text
    assert office.get(f"/calls/{office.things['other_call']}").status_code == 404
    assert office.get("/manage/team?name=三组").status_code == 404
    assert office.get("/manage/agents/1009").status_code == 404
    assert office.get(f"/api/v1/calls?team={'三组'}").status_code == 404


def test_a_reviewer_opens_own_cases_only(office: Office) -> None:
    assert office.be("qa1").get(f"/cases/{office.things['case_id']}").status_code == 200
    assert office.be("qa2").get(f"/cases/{office.things['case_id']}").status_code == 404
    assert office.get(f"/api/v1/cases/{office.things['case_id']}").status_code == 404


def test_a_media_address_works_for_its_session_and_call_only(office: Office) -> None:
    office.be("qa1")
    session = office.site.sessions.read(office.client.cookies.get(sessions.COOKIE))
    assert session is not None
    token = office.site.sessions.media_token(session, office.things["call_id"])
    assert office.get(f"/calls/{office.things['call_id']}/audio?t={token}").status_code == 404  # no recording, but let in
    assert office.get(f"/calls/{office.things['other_call']}/audio?t={token}").status_code == 410
    assert office.be("lead").get(f"/calls/{office.things['call_id']}/audio?t={token}").status_code == 410


def test_every_answer_carries_strict_headers(office: Office) -> None:
    for url in ("/login", "/nothing", "/api/v1/today", "/static/x/app.css"):
        headers = office.be("").get(url).headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert (headers["x-content-type-options"], headers["x-frame-options"], headers["cache-control"]) == (
            "nosniff",
            "DENY",
            "no-store",
        )


def test_large_and_endless_bodies_are_refused(office: Office) -> None:
    office.be("lead")
    headers = {"x-csrf-token": office.token()}
    big = {"name": "a/A04.yaml", "text": "x" * 1_100_000}
    assert office.client.post("/api/v1/studio/check", json=big, headers=headers).status_code == 413
    # without saying how long it is
    endless = (b"x" * 100_000 for _ in range(15))
    answer = office.client.post("/api/v1/studio/check", content=endless, headers=headers | {"content-type": "application/json"})
    assert answer.status_code in (400, 413, 422)


@pytest.mark.parametrize("name", ["../../evil.yaml", "/etc/passwd", "a/../../x.yaml", "a/b/c.yaml", "policy.yaml\x00", "a/.yaml"])
def test_a_file_name_cannot_lead_out_of_the_rules_folder(office: Office, name: str) -> None:
    office.be("lead")
    before = office.site.rules.versions()
    for url in ("/studio/publish/check", "/studio/publish"):
        answer = office.form(url, name=name, text="clause: X", seen="x", reason="试")
        assert (answer.status_code, "不行：用小写字母的文件夹" in answer.text) == (422, True), url
    assert office.site.rules.versions() == before


def test_amounts_are_not_changed_as_if_they_were_a_rule(office: Office) -> None:
    """The lead publishes rules, the manager amounts."""
    office.be("lead")
    before, text = office.site.rules.versions(), office.site.rules.policy_text().replace("fine: ", "fine: 1")
    for url in ("/studio/publish/check", "/studio/publish"):
        answer = office.form(url, name="policy.yaml", text=text, seen="x", reason="试")
        assert (answer.status_code, "“政策金额”页" in answer.text) == (422, True), url
    assert office.site.rules.versions() == before


@pytest.mark.parametrize("path", ["../views.py", "..%2fviews.py", "%2e%2e/views.py", "app.css/../../views.py"])
def test_static_files_are_only_those(office: Office, path: str) -> None:
    assert office.be("").get(f"/static/x/{path}").status_code == 404


def test_a_foreign_host_name_is_refused_when_only_this_machine_is_served(office: Office) -> None:
    assert office.client.get("/login", headers={"host": "evil.example"}).status_code == 421


def test_markup_in_what_people_write_stays_text(office: Office) -> None:
    office.be("qa1")
    case_id = office.things["case_id"]
    version = office.ok(office.get(f"/api/v1/cases/{case_id}"))["case"]["version"]
    body = {"clause": "M08", "reason": "<script>alert(1)</script>", "version": version}
    office.ok(office.api(f"/cases/{case_id}/findings", body))
    page = office.get(f"/cases/{case_id}").text
    assert "&lt;script&gt;alert(1)" in page and "<script>alert(1)" not in page


def test_behind_a_reverse_proxy_the_name_is_the_proxys_and_cookies_need_https(tmp_path: Path, office: Office) -> None:
    from web_make import settings_for

    from qa_pipeline.web.app import create_app
    from qa_pipeline.web.site import Options

    app = create_app(Options(settings=settings_for(tmp_path / "qa.duckdb"), behind_proxy=True, now=office.site.now))
    answer = TestClient(app, base_url="https://qa.example").get("/login")
    assert (answer.status_code, answer.headers["strict-transport-security"]) == (200, "max-age=31536000")
    assert "Secure" in answer.headers["set-cookie"]
