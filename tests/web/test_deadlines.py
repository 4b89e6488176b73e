"""Times that run out: they are said beforehand, and nothing is offered afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from casework_make import Centre, finding
from fastapi.testclient import TestClient
from web_make import settings_for
from web_office import Office, fill

from qa_pipeline.casework import appeals
from qa_pipeline.casework.cases import get_case
from qa_pipeline.web.app import create_app
from qa_pipeline.web.site import Options
from qa_pipeline.web.views import when


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office of one test's own: its time goes on."""
    centre = Centre(tmp_path / "qa.duckdb")
    things = fill(centre)
    app = create_app(Options(settings=settings_for(tmp_path / "qa.duckdb"), now=lambda: centre.now))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Office(client=client, site=app.state.site, centre=centre, things=things)


def test_the_second_round_is_offered_until_its_time_is_over_and_says_when(office: Office) -> None:
    with office.site.store.held.alone():
        done = office.centre.done(finding("A04", quote="不知道"), confirm=("A04",))
        with office.centre.act("a1001") as tx:
            appeal = appeals.file(tx, done.case_id, "A04", "线路断了")
        with office.centre.act("chief1") as tx:
            appeals.comment(tx, appeal.appeal_id, "请查")
        with office.centre.act("lead") as tx:
            due = appeals.decide(tx, appeal.appeal_id, uphold_agent=False, note="属实").due_at
    assert due is not None
    office.site.mirror.catch_up()
    page = office.be("a1001").get(f"/appeals/{appeal.appeal_id}").text
    head = f'<span class="mute">可申请终裁到 {when(due)}</span>'
    assert (head in page, "/escalate" in page, f"到 {when(due)} 为止，过后维持原判。" in page) == (True, True, True)
    assert [f"可申请终裁到 {when(due)}" in office.get(url).text for url in ("/me", f"/me/calls/{done.call_id}")] == [True, True]
    office.centre.now = due + timedelta(minutes=1)
    page = office.get(f"/appeals/{appeal.appeal_id}").text
    told = f'<span class="mute">申请终裁的期限 {when(due)} 已过，维持原判</span>'
    assert (told in page, "/escalate" in page, "可申请终裁" in office.get("/me").text) == (True, False, False)
    late = office.form(f"/do/appeals/{appeal.appeal_id}/escalate", note="请再听一遍", back=f"/appeals/{appeal.appeal_id}")
    assert late.status_code == 422 and "<blockquote>请再听一遍</blockquote>" in late.text  # not thrown away either


def test_the_time_to_appeal_is_said_beforehand(office: Office) -> None:
    with office.site.store.held.alone():
        done = office.centre.done(finding("A04", quote="不知道"), confirm=("A04",))
        with office.centre.act("lead") as tx:
            finished = get_case(tx, done.case_id).finished_at
    assert finished is not None
    office.site.mirror.catch_up()
    until = f"可申诉到 {when(finished + timedelta(days=5))}"
    assert [until in office.be("a1001").get(url).text for url in ("/me", f"/me/calls/{done.call_id}")] == [True, True]
