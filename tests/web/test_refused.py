"""A form that is refused comes back as it was sent, with what is wrong above it; pages speak the words of pages."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from web_office import Office

from qa_pipeline.errors import CaseworkError, StoreError, StoreLockedError
from qa_pipeline.web.again import Sent, refilled
from qa_pipeline.web.refusals import page_words

PAGE = """<main id="main"><details class="menu"><summary>x</summary>
<form method="post" action="/do/other"><input name="reason" value=""></form>
<form class="stack" method="post" action="/do/things"><input type="hidden" name="csrf" value="fresh"><input type="hidden" name="thing" value="1"><textarea name="reason"></textarea></form>
<form class="stack" method="post" action="/do/things"><input type="hidden" name="csrf" value="fresh"><input type="hidden" name="thing" value="2"><input type="hidden" name="version" value="9"><input name="name" value="old &amp; new" required><textarea name="reason" rows="3">old &lt;text&gt;</textarea><select name="result"><option>继续使用</option><option selected>取消</option></select><select name="met"><option value="">不知道</option><option value="true">符合</option></select><input type="checkbox" name="posts" value="qa" checked> a <input type="checkbox" name="posts" value="admin"> b <input type="password" name="password"><button name="upheld" value="true">是</button></form>
</details></main>"""
FIELDS = {
    "thing": ["2"],
    "version": ["3"],
    "name": ['"><script>'],
    "reason": ["\n第一行\n第二行 </textarea>"],
    "result": ["继续使用"],
}
FIELDS |= {"met": ["true"], "posts": ["admin"], "password": ["secret"], "upheld": ["true"]}


def test_a_form_is_filled_as_it_was_sent_and_nothing_else_changes() -> None:
    page = refilled(PAGE, Sent(path="/do/things", fields=FIELDS, message="姓名 <不行>。", wrong=("reason",)))
    told = '<div class="flash bad form-error" role="alert">姓名 &lt;不行&gt;。</div>'
    begin, end = (
        PAGE.index('<form class="stack" method="post" action="/do/things">', PAGE.index('value="1"')),
        PAGE.index("</details>"),
    )
    assert page.startswith(PAGE[:begin].replace("<details", "<details open") + told)
    assert page.endswith(PAGE[end:])
    assert page[len(PAGE[:begin]) + 5 + len(told) : -len(PAGE[end:])] == (
        '<form class="stack" method="post" action="/do/things"><input type="hidden" name="csrf" value="fresh">'
        '<input type="hidden" name="thing" value="2"><input type="hidden" name="version" value="9">'
        '<input name="name" required value="&quot;&gt;&lt;script&gt;">'
        '<textarea name="reason" rows="3" aria-invalid="true" autofocus>\n\n第一行\n第二行 &lt;/textarea&gt;</textarea>'
        '<select name="result"><option selected>继续使用</option><option>取消</option></select>'
        '<select name="met"><option value="">不知道</option><option value="true" selected>符合</option></select>'
        '<input type="checkbox" name="posts" value="qa"> a <input type="checkbox" name="posts" value="admin" checked> b '
        '<input type="password" name="password"><button name="upheld" value="true">是</button></form>\n'
    )


def test_when_the_form_is_gone_what_was_typed_is_shown() -> None:
    page = refilled(
        PAGE, Sent(path="/do/things", fields={"case_id": ["3"], "reason": ["写了<很久>"], "version": ["1"]}, message="晚了。")
    )
    told = (
        '<div class="flash bad form-error" role="alert">晚了。<p>您填的内容没有保存：</p>'
        "<blockquote>写了&lt;很久&gt;</blockquote></div>"
    )
    assert page == PAGE.replace('<main id="main">', '<main id="main">' + told)


def _shown(answer: Any) -> dict[str, str]:
    """The message and what stands in the fields after it."""
    after = answer.text.split('<div class="flash bad form-error" role="alert">')[1]
    message, form = after.split("</div>", 1)
    form = form.split("</form>")[0]
    fields = dict(re.findall(r'<input (?!type="hidden")[^>]*name="([^"]+)"[^>]* value="([^"]*)"[^>]*>', form))
    fields |= dict(re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n?([^<]*)</textarea>', form))
    return {"": unescape(message)} | {name: unescape(value) for name, value in fields.items()}


def test_a_refused_complaint_keeps_its_words(office: Office) -> None:
    office.be("lead")
    fields = {
        "customer_number": "13900001103",
        "received_at": "2026-11-10T09:00",
        "call_id": "none-such",
        "content": "说了<很多>\n两行",
    }
    answer = office.form("/do/complaints", back="/manage/complaints", **fields)
    assert (answer.status_code, _shown(answer)) == (422, {"": "没有通话 none-such。不知道是哪一通时可以不写。", **fields})
    assert 'data-at="/manage/complaints"' in answer.text


def test_a_refused_person_keeps_everything_and_is_told_without_options(office: Office) -> None:
    office.be("admin")
    fields = {"name": "新人", "posts": ["qa", "agent"], "team": "二组", "agent_id": "", "active": "false"}
    answer = office.form("/do/people/fresh", back="/admin/people/fresh", **fields)
    assert answer.status_code == 422
    shown = _shown(answer)
    assert (shown[""], shown["name"], shown["team"]) == ("新人 的岗位有坐席，请写明工号。", "新人", "二组")
    assert re.findall(r'name="posts" value="(\w+)" checked', answer.text) == ["qa", "agent"]
    assert '<option value="false" selected>' in answer.text and '<option value="true">' in answer.text


def test_amounts_that_are_right_stay_beside_those_that_are_wrong(office: Office) -> None:
    office.be("boss")
    answer = office.form("/admin/policy", **{"A01.fine": "12.5", "A02.fine": "abc", "A02.points": "1.5"})
    shown = _shown(answer)
    assert shown[""] == "A02 扣款（元）：“abc”不是数字。A02 每次扣分：“1.5”不是整数。没有改动任何金额。"
    assert (shown["A01.fine"], shown["A02.fine"], shown["A02.points"]) == ("12.5", "abc", "1.5")
    assert re.findall(r'name="([^"]+)"[^>]*aria-invalid="true"', answer.text) == ["A02.points", "A02.fine"]
    assert re.findall(r'name="([^"]+)"[^>]*autofocus', answer.text) == ["A02.points"]


def test_the_page_of_the_form_comes_back_even_when_success_leads_elsewhere(office: Office) -> None:
    office.be("qa1")
    case = office.things["case_id"]
    answer = office.client.post(
        f"/do/cases/{case}/finish",
        data={"csrf": office.token(), "back": f"/desk/next?after={case}", "note": "听了两遍", "version": ""},
        headers={"referer": f"http://testserver/cases/{case}"},
        follow_redirects=False,
    )
    assert answer.status_code == 422
    assert (_shown(answer)["note"], f'data-at="/cases/{case}"' in answer.text) == ("听了两遍", True)


def test_dates_and_agent_of_a_refused_report_stay(office: Office) -> None:
    office.be("boss")
    answer = office.get("/reports/agent?form=xlsx&from=2026-11-05&to=2026-11-01&agent=1001&team=一组")
    page = office.get(answer.headers["location"]).text
    assert "日期写反了：开始 2026-11-05 晚于结束 2026-11-01。" in page
    shown = [
        'name="from" value="2026-11-05"',
        'name="to" value="2026-11-01"',
        'placeholder="全部" value="1001"',
        "<option selected>一组",
    ]
    assert [part in page for part in shown] == [True] * 4


def test_a_page_that_is_not_for_this_person_is_not_shown_by_a_detour(office: Office) -> None:
    office.be("qa1")
    answer = office.form("/do/complaints", back="/admin/people", customer_number="13900001103", received_at="never", content="x")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/people")
    assert office.get("/admin/people").status_code == 403


def test_fields_that_cannot_be_read_are_named_as_the_page_names_them(office: Office) -> None:
    office.be("lead")
    answer = office.form(
        "/do/complaints", back="/manage/complaints", customer_number="13900001103", received_at="never", content="x"
    )
    assert _shown(answer)[""] == "没有保存，请检查：收到时间。"
    answer = office.be("admin").form("/do/settings/blind_share", back="/admin/settings", value="2")
    assert _shown(answer) == {"": "设置“盲评比例”应在 0 到 1 之间，写的是“2”。", "value": "2"}


@pytest.mark.parametrize(
    "error", [StoreLockedError("数据库 /srv/x/calls.duckdb 正被占用"), StoreError("没有文件夹 /srv/x。请检查 --db。")]
)
def test_no_page_names_a_file_of_the_server(error: StoreError) -> None:
    assert "/srv" not in page_words(error) and "--" not in page_words(error) and "没有保存" in page_words(error)


def test_the_command_line_says_the_option_too() -> None:
    error = CaseworkError("请写明工号。", command="用 --agent-id 写。")
    assert (page_words(error), error.at_the_command_line) == ("请写明工号。", "请写明工号。用 --agent-id 写。")


def test_after_the_end_of_a_session_the_way_leads_back_to_the_form(office: Office) -> None:
    office.be("a1001")
    page = f"/me/calls/{office.things['call_id']}"
    fields = {"csrf": office.token(), "reason": "写了很久", "case_id": office.things["done"], "finding": "A11#0", "back": page}
    office.be("")
    answer = office.client.post("/do/appeals", data=fields, headers={"referer": f"http://testserver{page}"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={page}&unsaved=1")
    login = office.get(answer.headers["location"]).text
    assert "登录已过期，刚才提交的内容没有保存。登录后回到原来的页面，填的内容还在，请再提交一次。" in login
    assert f'name="next" value="{page}"' in login and "写了很久" not in login
    foreign = office.client.post("/do/appeals", data=fields, headers={"referer": "http://elsewhere/x"}, follow_redirects=False)
    assert foreign.headers["location"] == "/login?unsaved=1"


def test_a_form_that_arrived_is_told_by_its_number(office: Office) -> None:
    office.be("lead")
    fields = {"customer_number": "13900001103", "received_at": "2026-11-10T09:00", "content": "没说收费", "kept": "0a1b2c3d-44"}
    answer = office.form("/do/complaints", back="/manage/complaints", **fields)
    assert answer.status_code == 303
    assert 'data-arrived="0a1b2c3d-44"' in office.get("/manage/complaints").text
    assert "data-arrived" not in office.get("/manage/complaints").text
    refused = office.form("/do/complaints", back="/manage/complaints", **fields | {"content": "", "kept": '"><b'})
    assert "data-arrived" not in refused.text


@pytest.mark.parametrize("number", ["abc", "不是号码", "1390000", "139", "1390000110312345", "13900001103a"])
def test_what_is_no_number_is_no_customer(office: Office, number: str) -> None:
    office.be("lead")
    good = number == "1390000"  # a number of the town
    fields = {"received_at": "2026-11-10T09:00", "content": "没说收费", "back": "/manage/complaints"}
    answer = office.form("/do/complaints", customer_number=number, **fields)
    assert answer.status_code == (303 if good else 422)
    if not good:
        told = f"“{number}”不是电话号码：写 5 到 15 位数字，可以带区号、横线或开头的 +86。"
        assert (_shown(answer)[""], _shown(answer)["customer_number"]) == (told, number)
        listed = office.form("/do/blacklist", number=number, reason="骚扰", listed="true", back="/manage/complaints")
        assert (listed.status_code, _shown(listed)[""]) == (422, told)


def test_a_number_is_kept_without_what_stands_between_its_digits(office: Office) -> None:
    office.be("lead")
    fields = {"received_at": "2026-11-10T09:00", "content": "没说收费", "back": "/manage/complaints"}
    assert office.form("/do/complaints", customer_number="＋86（139）0000-4321", **fields).status_code == 303
    assert "+8613900004321" in office.get("/manage/complaints").text


def test_call_data_as_evidence_is_said_in_words() -> None:
    from qa_pipeline.model import Evidence, EvidenceKind
    from qa_pipeline.report.call_view import note_words, understood

    fact = Evidence(kind=EvidenceKind.DATA, quote="", heard_as="hangup_by=agent", note="通话数据：坐席挂机（agent）")
    said = Evidence(kind=EvidenceKind.HIT, quote="不晓得", heard_as="不知道", note="（agent）")
    assert [(understood(item), note_words(item)) for item in (fact, said)] == [
        ("", "通话数据：坐席挂机（坐席）"),
        ("不知道", "（agent）"),
    ]
