"""Reports taken away from the pages: what is in them, who gets which, and what happens with lists that are brought."""

from __future__ import annotations

import io
import json
from urllib.parse import unquote

import openpyxl
import pytest
from web_office import Office

from qa_pipeline.report.kinds import REPORTS
from qa_pipeline.web.routes.reporting import WITH_LIST

FROM_CALLS = [kind for kind in REPORTS if kind not in (WITH_LIST, "kpi")]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
USERS = "客户号码,业务,月功能费,计费开始月\n13900000001,天气预报,10,2026-11\n".encode()


@pytest.fixture(autouse=True)
def a_leader(office: Office) -> None:
    """A team leader who is nothing else."""
    office.be("admin").ok(office.api("/people/chief-only", {"name": "组长", "posts": ["team_leader"], "team": "一组"}))


@pytest.mark.parametrize("kind", FROM_CALLS)
def test_every_report_comes_as_a_table_and_as_a_page(office: Office, kind: str) -> None:
    office.be("boss")
    sheet = office.get(f"/reports/{kind}?form=xlsx")
    assert (sheet.status_code, sheet.headers["content-type"]) == (200, XLSX)
    assert openpyxl.load_workbook(io.BytesIO(sheet.content)).sheetnames
    page = office.get(f"/reports/{kind}?form=html")
    assert page.status_code == 200 and page.headers["content-disposition"].startswith("attachment;")
    told = json.loads(office.get(f"/api/v1/reports/{kind}").content)
    assert told["title"] in page.text and told["title"].split(" ")[0] in unquote(page.headers["content-disposition"])


def test_the_list_of_reports_leads_to_each(office: Office) -> None:
    page = office.be("lead").get("/reports").text
    assert [kind for kind in REPORTS if f'formaction="/reports/{kind}"' in page] == [kind for kind in REPORTS if kind != WITH_LIST]
    assert "--" not in page.split("<main")[1]  # nothing for the command line


def test_operating_figures_say_what_is_missing(office: Office) -> None:
    office.be("lead")
    answer = office.get("/reports/kpi?form=xlsx")
    assert (answer.status_code, answer.headers["location"]) == (303, "/reports")
    assert "qa kpi import" in office.get("/reports").text


def test_a_leader_gets_the_own_team_and_no_other_report(office: Office) -> None:
    office.be("chief-only")
    page = office.get("/reports").text
    assert [kind for kind in REPORTS if f'formaction="/reports/{kind}"' in page] == ["agent", "script"]
    told = office.get("/api/v1/reports/agent?from=2026-11-01&to=2026-11-30").text
    assert "周宁" in told and "外组" not in told
    refused = ["monthly", "agent?team=三组", "script?team=三组", "none"]
    assert [office.get(f"/api/v1/reports/{kind}").status_code for kind in refused] == [404] * 4
    assert [office.get(f"/reports/{kind}").status_code for kind in refused] == [404] * 4
    assert office.get("/api/v1/reports/agent?agent=1009").status_code == 422  # 三组: nothing of his team


def test_a_leader_reads_nothing_that_an_agent_of_his_said_in_another_team(office: Office) -> None:
    from casework_make import finding

    with office.site.store.held.alone():
        office.centre.done(
            finding("A04", quote="外组说的话"), confirm=("A04",), agent_id="1055", agent_name="新来", team="三组", supervisor="别人"
        )
        office.centre.done(
            finding("A04", quote="本组说的话"), confirm=("A04",), agent_id="1055", agent_name="新来", team="一组", supervisor="林涛"
        )
    office.site.mirror.catch_up()
    told = office.be("boss").get("/api/v1/reports/agent?agent=1055").text
    assert "外组说的话" in told and "本组说的话" in told
    assert "外组说的话" not in office.be("chief-only").get("/api/v1/reports/agent?agent=1055").text


def test_customers_are_covered_and_the_taking_is_in_the_log(office: Office) -> None:
    office.be("boss")
    answer = office.get("/reports/followup?form=json")
    assert "1390000" not in answer.text and "赵小满" not in answer.text
    office.site.access.flush()
    assert "报表 followup" in office.get("/admin/log?person=boss").text


@pytest.mark.parametrize("query", ["form=exe", "form=xlsx&from=gestern", "form=xlsx&from=2026-11-05&to=2026-11-01"])
def test_what_cannot_be_made_is_said_on_the_page(office: Office, query: str) -> None:
    office.be("boss")
    answer = office.get(f"/reports/daily?{query}")
    asked = query.partition("&")[2]  # the dates stay in the fields
    assert (answer.status_code, answer.headers["location"]) == (303, f"/reports?{asked}" if asked else "/reports")
    assert 'class="flash bad"' in office.get("/reports").text


def test_a_settlement_is_made_from_a_list_that_is_brought(office: Office) -> None:
    office.be("lead")

    def bring(name: str, data: bytes, **fields: str):  # type: ignore[no-untyped-def]
        files = {"file": (name, data, "application/octet-stream")}
        fields = {"csrf": office.token(), "from": "2026-11-01", "to": "2026-11-30", "form": "xlsx"} | fields
        return office.client.post("/reports/settlement", data=fields, files=files, follow_redirects=False)

    made = bring("计费用户.csv", USERS)
    assert (made.status_code, made.headers["content-type"]) == (200, XLSX)
    cells = [cell.value for sheet in openpyxl.load_workbook(io.BytesIO(made.content)) for row in sheet for cell in row]
    assert 5 in cells  # half of the first month's fee
    refused = [bring("../../evil.py", USERS), bring("empty.csv", b""), bring("other.csv", "甲,乙\n1,2\n".encode())]
    assert [(answer.status_code, 'class="flash bad form-error"' in answer.text) for answer in refused] == [(422, True)] * 3
    assert bring("计费用户.csv", USERS, csrf="x.y").status_code == 403
    assert office.get("/reports/settlement?form=xlsx").headers["location"] == "/reports"
