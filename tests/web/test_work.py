"""What people do on the pages arrives in the store, once, and with its traces."""

from __future__ import annotations

import time

from web_office import Office

from qa_pipeline.casework import log
from qa_pipeline.web import views


def _case(office: Office) -> str:
    """A fresh case on the desk of qa1, made beside the server as another process would."""
    from casework_make import finding

    with office.site.store.held.alone():  # this test and the server are one process: only one may have the file
        case = office.centre.case(finding("A04", quote="不知道"), finding("A04", 1, quote="就别说了"))
    _seen(office, case.case_id)
    return case.case_id


def _seen(office: Office, case_id: str) -> None:
    office.be("lead")
    end = time.monotonic() + 10
    while office.get(f"/cases/{case_id}").status_code != 200:
        assert time.monotonic() < end, "the pages did not take over what another process wrote"
        time.sleep(0.1)


def test_a_case_from_the_queue_to_the_end(office: Office) -> None:
    case_id = _case(office)
    office.be("qa1")
    assert case_id in office.get("/desk").text
    version = office.ok(office.get(f"/api/v1/cases/{case_id}"))["case"]["version"]
    first = office.ok(office.api(f"/cases/{case_id}/decisions", {"finding": "A04#0", "decision": "confirm", "version": version}))
    assert (first["state"], first["version"]) == ("复核中", version + 1)
    refused = office.api(f"/cases/{case_id}/finish", {"version": first["version"]})
    assert (refused.status_code, "没有决定" in refused.json()["error"]) == (422, True)
    body = {"finding": "A04#1", "decision": "reject", "reason": "是客户说的", "version": first["version"]}
    second = office.ok(office.api(f"/cases/{case_id}/decisions", body))
    done = office.form(f"/do/cases/{case_id}/finish", version=str(second["version"]), note="", back="/desk/next")
    assert (done.status_code, done.headers["location"]) == (303, "/desk/next")
    shown = office.be("lead").ok(office.get(f"/api/v1/cases/{case_id}"))
    assert shown["case"]["state"] == "已完成"
    assert [(item["finding"], item["decision"]) for item in shown["findings"]] == [("A04#0", "confirm"), ("A04#1", "reject")]


def test_whoever_acts_on_an_old_version_is_told_and_changes_nothing(office: Office) -> None:
    case_id = _case(office)
    office.be("qa1")
    version = office.ok(office.get(f"/api/v1/cases/{case_id}"))["case"]["version"]
    office.ok(office.api(f"/cases/{case_id}/decisions", {"finding": "A04#0", "decision": "confirm", "version": version}))
    late = office.be("lead").api(
        f"/cases/{case_id}/decisions", {"finding": "A04#0", "decision": "reject", "reason": "不算", "version": version}
    )
    assert (late.status_code, "您看到的是第 2 版）：江质检 " in late.json()["error"]) == (409, True)
    assert late.json()["error"].endswith(" A04 服务忌语：确认。请刷新后再操作。")
    assert office.ok(office.get(f"/api/v1/cases/{case_id}"))["findings"][0]["decision"] == "confirm"


def test_a_case_that_cannot_be_finished_stays_open_with_what_was_typed(office: Office) -> None:
    case_id = _case(office)
    office.be("qa1")
    refused = office.client.post(
        f"/do/cases/{case_id}/finish",
        data={"csrf": office.token(), "version": "2", "note": "客户“急”，<b>回访</b>", "back": f"/desk/next?after={case_id}"},
        headers={"referer": f"http://testserver/cases/{case_id}"},
        follow_redirects=False,
    )
    assert refused.status_code == 422
    assert f"工单 {case_id} 还有 2 条没有决定的发现：A04 服务忌语、A04 服务忌语（第 2 处）。" in refused.text
    assert 'value="客户“急”，&lt;b&gt;回访&lt;/b&gt;"' in refused.text
    assert "回访" not in office.get(f"/cases/{case_id}").text.split('name="note"')[1].split(">")[0]  # shown once


def test_a_long_message_fits_the_cookie_that_carries_it() -> None:
    """Browsers drop a cookie above 4,096 bytes with its name and attributes."""
    assert len(views._packed(["bad", "因" * 800, "k" * 64])) < 3600


def test_an_appeal_from_the_agent_to_the_decision(office: Office) -> None:
    case_id = office.things["done"]
    page = office.be("a1001").get(f"/me/calls/{office.things['call_id']}").text
    assert "A11" in page and "提交申诉" in page
    filed = office.form("/do/appeals", case_id=case_id, finding="A11#0", reason="前面说过资费", back="/me")
    assert (filed.status_code, filed.headers["location"]) == (303, "/me")
    appeal_id = next(item["appeal_id"] for item in office.ok(office.get("/api/v1/appeals")) if item["clause"] == "A11")
    office.be("chief1").ok(office.api(f"/appeals/{appeal_id}/comment", {"note": "听了，确实说过"}))
    office.be("lead").ok(office.api(f"/appeals/{appeal_id}/decision", {"uphold_agent": True, "note": "成立"}))
    page = office.be("a1001").get(f"/appeals/{appeal_id}").text
    assert "申诉成立" in page and "听了，确实说过" in page
    assert office.be("a1002").get(f"/appeals/{appeal_id}").status_code == 404


def test_every_opening_of_a_call_is_in_the_log(office: Office) -> None:
    call_id = office.things["open_call"]
    office.be("boss").get(f"/calls/{call_id}")
    office.site.access.flush()
    page = office.get(f"/admin/log?person=boss&thing={call_id}").text
    assert "查看" in page and "文字" in page and "完整" in page
    with office.site.mirror.store.read() as connection:
        assert log.verify(connection) is None


def test_amounts_of_the_policy_change_by_version_with_a_reason(office: Office) -> None:
    office.be("boss")
    preview = office.form("/admin/policy", **{"A04.fine": "15", "B2.supervisor_fine": "5", "A01.fine": "10"})
    assert preview.status_code == 200 and "A04" in preview.text and "作为新版本生效" in preview.text and "A01" not in preview.text
    refused = office.form("/admin/policy/publish", **{"A04.fine": "15", "reason": ""})
    assert refused.status_code == 422 and office.site.rules.versions() == []
    done = office.form("/admin/policy/publish", **{"A04.fine": "15", "B2.supervisor_fine": "5", "reason": "2026 年新规"})
    assert done.status_code == 303
    policy = office.site.policy.file
    assert (str(policy.clauses["A04"].fine), str(policy.clauses["B2"].supervisor_fine)) == ("15", "5")
    version = office.site.rules.versions()[0]
    assert (version.number, version.by_person, version.reason, version.changed) == (1, "boss", "2026 年新规", ("policy.yaml",))
    text = office.site.rules.policy_text()
    assert "# 考核政策：扣分、扣款、致命项、处分。" in text  # comments stay


def test_amounts_that_are_none_are_refused(office: Office) -> None:
    office.be("boss")
    for value in ("-1", "abc", "1e9", "NaN", ""):
        answer = office.form("/admin/policy", **{"A05.fine": value})
        assert (answer.status_code, "没有改动任何金额" in answer.text) == (422, True), value


def test_a_rule_that_fails_its_examples_is_not_published(office: Office) -> None:
    office.be("lead")
    name = next(name for name in office.site.rules.files() if name.endswith("A04.yaml"))
    good = office.site.rules.files()[name].read_text(encoding="utf-8")
    bad = good.replace("must_not: [said", "must: [said")
    assert bad != good
    checked = office.ok(office.api("/studio/check", {"name": name, "text": bad}))
    assert checked["good"] is False and any(item["problems"] for item in checked["examples"])
    before = office.site.rules.versions()
    for url in ("/studio/publish/check", "/studio/publish"):
        refused = office.form(url, name=name, text=bad, reason="试试")
        assert (refused.status_code, "没有发布" in refused.text, "must: [said" in refused.text) == (
            422,
            True,
            True,
        )  # the draft stays
    assert office.site.rules.versions() == before
    broken = office.ok(office.api("/studio/check", {"name": name, "text": good + "\nnonsense: 1\n"}))
    assert broken["problems"][0].startswith("第 ") and "nonsense" in broken["problems"][0]
    fine = office.ok(office.api("/studio/check", {"name": name, "text": good}))
    assert fine["good"] is True and fine["tried"] > 0


def test_a_rule_is_published_as_a_version(office: Office) -> None:
    office.be("lead")
    name = next(name for name in office.site.rules.files() if name.endswith("A04.yaml"))
    text = office.site.rules.files()[name].read_text(encoding="utf-8").replace("title: 服务忌语", "title: 服务忌语（新）")
    seen = _shown(office, name, text)
    answer = office.form("/studio/publish", name=name, text=text, seen=seen, reason="改名称")
    assert (answer.status_code, answer.headers["location"]) == (303, "/studio/versions")
    assert office.site.specs()["A04"].title == "服务忌语（新）"
    version = office.site.rules.versions()[0]
    assert (version.changed, version.reason, version.by_person) == ((name,), "改名称", "lead")


def _shown(office: Office, name: str, text: str) -> str:
    """Looks at the difference, as publishing asks for."""
    page = office.form("/studio/publish/check", name=name, text=text)
    assert page.status_code == 200
    return str(page.text.split('name="seen" value="')[1].split('"')[0])


def test_a_rule_is_published_only_after_its_difference_was_shown(office: Office) -> None:
    office.be("lead")
    name = next(name for name in office.site.rules.files() if name.endswith("A05.yaml"))
    old = office.site.rules.files()[name].read_text(encoding="utf-8")
    title = next(line for line in old.splitlines() if line.startswith("title:"))
    text = old.replace(title, "title: 说得太快")
    before = office.site.rules.versions()
    page = office.form("/studio/publish/check", name=name, text=text.replace("\n", "\r\n"))  # as a browser sends it
    assert page.status_code == 200
    assert f'<span class="cut">− {title}</span><span class="add">+ title: 说得太快</span>' in page.text
    assert "加 1 行，减 1 行" in page.text
    seen = _shown(office, name, text)
    for fields, told in (
        ({"reason": "改名称"}, "还没有发布"),
        ({"seen": "x", "reason": "改名称"}, "还没有发布"),
        ({"seen": seen}, "请写明"),
    ):
        answer = office.form("/studio/publish", name=name, text=text, **fields)
        assert (answer.status_code, told in answer.text, "预览规则改动" in answer.text) == (422, True, True), fields
    again = office.form("/studio/draft", name=name, text=text)
    assert "title: 说得太快" in again.text and 'data-unsaved="1"' in again.text
    other = text.replace("title: 说得太快", "title: 快")  # somebody else was faster: his version is in force now
    office.form("/studio/publish", name=name, text=other, seen=_shown(office, name, other), reason="先发布的")
    late = office.form("/studio/publish", name=name, text=text, seen=seen, reason="后发布的")
    assert late.status_code == 422 and '<span class="cut">− title: 快</span>' in late.text
    assert [version.reason for version in office.site.rules.versions()] == ["先发布的", *(version.reason for version in before)]


def test_an_unchanged_rule_is_not_published(office: Office) -> None:
    office.be("lead")
    name = next(name for name in office.site.rules.files() if name.endswith("A05.yaml"))
    text = office.site.rules.files()[name].read_text(encoding="utf-8")
    before = office.site.rules.versions()
    for same in (text, text.replace("\n", "\r\n"), text + "\n"):
        for url in ("/studio/publish/check", "/studio/publish"):
            answer = office.form(url, name=name, text=same, reason="没改")
            assert (answer.status_code, "没有改动" in answer.text) == (422, True), url
    assert office.site.rules.versions() == before


def test_a_page_of_an_empty_store_says_what_to_do(tmp_path, office: Office) -> None:  # type: ignore[no-untyped-def]
    from fastapi.testclient import TestClient
    from web_make import settings_for

    from qa_pipeline.casework import people
    from qa_pipeline.casework.desk import Desk
    from qa_pipeline.casework.values import Person, Post
    from qa_pipeline.store import open_store
    from qa_pipeline.web import sessions
    from qa_pipeline.web.app import create_app
    from qa_pipeline.web.site import Options

    db = tmp_path / "qa.duckdb"
    with Desk(store=open_store(db), policy=office.centre.desk.policy).found(office.site.now()) as tx:
        posts = tuple(Post)
        people.save_person(tx, Person(person_id="all", name="一人", posts=posts, team="一组", agent_id="1"))
    app = create_app(Options(settings=settings_for(db), now=office.site.now))
    with TestClient(app) as client:
        site = app.state.site
        client.cookies.set(sessions.COOKIE, site.sessions.begin("all", 0))
        pages = ["/desk", "/cases", "/manage", "/manage/calls", "/manage/teams", "/manage/clauses", "/appeals", "/manage/money"]
        pages += ["/manage/calibration", "/manage/followup", "/manage/complaints", "/me", "/admin/people", "/admin/log"]
        assert {url: client.get(url).status_code for url in pages} == dict.fromkeys(pages, 200)
        assert "qa run" in client.get("/manage").text


def test_a_team_leader_has_a_first_page_before_the_first_call(tmp_path, office: Office) -> None:  # type: ignore[no-untyped-def]
    from fastapi.testclient import TestClient
    from web_make import settings_for

    from qa_pipeline.casework import people
    from qa_pipeline.casework.desk import Desk
    from qa_pipeline.casework.values import Person, Post
    from qa_pipeline.store import open_store
    from qa_pipeline.web import sessions
    from qa_pipeline.web.app import create_app
    from qa_pipeline.web.site import Options

    db = tmp_path / "qa.duckdb"
    with Desk(store=open_store(db), policy=office.centre.desk.policy).found(office.site.now()) as tx:
        people.save_person(tx, Person(person_id="admin", name="管理员", posts=(Post.ADMIN,)))
        people.save_person(tx, Person(person_id="chief", name="组长", posts=(Post.TEAM_LEADER,), team="一组"))
        people.save_person(tx, Person(person_id="nowhere", name="新组长", posts=(Post.TEAM_LEADER,)))
    app = create_app(Options(settings=settings_for(db), now=office.site.now))
    with TestClient(app) as client:
        for person, told in (("chief", "还没有一组的通话"), ("nowhere", "您的账号还没有写明班组")):
            client.cookies.clear()
            client.cookies.set(sessions.COOKIE, app.state.site.sessions.begin(person, 0))
            first = client.get("/")  # follows to the first page
            assert (first.status_code, told in first.text, "没有等您处理的事" in first.text) == (200, True, True), person
            assert client.get("/manage/team?name=二组").status_code == 404


def test_a_team_leader_finds_the_waiting_appeals_on_the_first_page(office: Office) -> None:
    from casework_make import finding

    from qa_pipeline.casework import appeals

    with office.site.store.held.alone():
        done = office.centre.done(finding("A05"), confirm=("A05",))
        with office.centre.act("a1001") as tx:
            filed = appeals.file(tx, done.case_id, "A05", "客户说听得清")
    office.site.mirror.catch_up()
    assert filed.due_at is not None
    page = office.be("chief1").get("/manage/team?name=一组").text
    own = page.split("等您写意见的申诉")[1].split("</table>")[0]
    assert f'href="/appeals/{filed.appeal_id}"' in own
    assert f"{filed.due_at.month} 月 {filed.due_at.day} 日 {filed.due_at:%H:%M}" in own
    office.ok(office.api(f"/appeals/{filed.appeal_id}/comment", {"note": "听了，属实"}))
    assert filed.appeal_id not in office.get("/manage/team?name=一组").text
    assert "等您写意见的申诉" not in office.be("boss").get("/manage/team?name=一组").text


def test_what_only_people_find_has_no_rule_to_open(office: Office) -> None:
    from casework_make import finding

    from qa_pipeline.casework import reviews

    with office.site.store.held.alone():
        case = office.centre.case(finding("A04"))
        with office.centre.act("qa1") as tx:
            reviews.add_finding(tx, case.case_id, reviews.Added(clause="M08", reason="巡场看到"))
        office.centre.decide(case, "A04")
        office.centre.finish(case)
    office.site.mirror.catch_up()
    office.site.results.forget()
    page = office.be("lead").get("/manage/calibration").text
    assert "M08 工作现场玩手机" in page
    for url in sorted({part.split('"')[0] for part in page.split('href="/studio/rules/')[1:]}):
        assert office.get(f"/studio/rules/{url}").status_code == 200, url


def test_the_way_through_the_script_is_shown_where_a_script_is_meant(office: Office) -> None:
    sale = office.be("boss").get(f"/calls/{office.things['call_id']}").text
    assert "话术：增值业务电话营销" in sale and "覆盖 1 / " in sale and "漏掉" in sale and "不扣分" in sale
    assert '<button class="hear plain" data-s="8" data-e="16"' in sale  # “再见” at 00:08
    case = office.be("qa1").get(f"/cases/{office.things['case_id']}").text
    assert "话术：增值业务电话营销" in case
    with office.site.store.held.alone():
        other = office.centre.call(call_type=None, outcome=None, product=None)
    office.site.mirror.catch_up()
    assert "话术：" not in office.be("boss").get(f"/calls/{other}").text


def test_the_log_speaks_chinese(office: Office) -> None:
    page = office.be("boss").get("/admin/log?action=decision").text
    rows = page.split("<tbody>")[1].split("</tbody>")[0]
    assert "确认，A04" in rows and "confirm" not in rows and "review" not in rows
    assert "质检员" in office.get("/admin/log?action=people.save").text.split("<tbody>")[1]


def test_a_changed_rule_is_tried_on_all_calls_before_it_is_published(office: Office) -> None:
    office.be("lead")
    name = next(name for name in office.site.rules.files() if name.endswith("A04.yaml"))
    text = office.site.rules.files()[name].read_text(encoding="utf-8")
    started = office.form("/studio/backtest", name=name, text=text, days="0")
    job = started.headers["location"].rsplit("/", 1)[1]
    end = time.monotonic() + 120
    while (told := office.ok(office.get(f"/api/v1/backtests/{job}")))["running"]:
        assert time.monotonic() < end
        time.sleep(0.2)
    calls = office.ok(office.get("/api/v1/calls?only=all"))["total"]
    assert (told["error"], told["result"]["calls"]) == ("", calls)
    page = office.get(f"/studio/backtest/{job}").text
    assert "准备发布" in page and "按条款" in page
    broken = office.form("/studio/backtest", name=name, text="nonsense: 1", days="0")
    assert broken.status_code == 422 and "form-error" in broken.text


def test_three_findings_are_heard_in_under_forty_seconds() -> None:
    from qa_pipeline.model import Evidence, EvidenceKind
    from qa_pipeline.web.reading.callpage import play_span

    def heard(start_s: float, end_s: float) -> float:
        begin, end = play_span(Evidence(kind=EvidenceKind.HIT, quote="", start_s=start_s, end_s=end_s))
        assert begin is not None and end is not None
        return end - begin

    assert heard(10.0, 12.0) == 4.0  # the words with 1.2 s before and 0.8 s after
    assert 3 * heard(0.0, 60.0) < 40  # searched through the whole call: its beginning, the rest is read
