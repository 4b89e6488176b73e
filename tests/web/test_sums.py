"""What the pages say of scores and money adds up: line by line, list by list, and everybody is called by name."""

from __future__ import annotations

import re
from html import unescape

from web_office import Office

from qa_pipeline.casework import people, reviews
from qa_pipeline.casework.cases import Case, Opening, open_case
from qa_pipeline.casework.reviews import Added
from qa_pipeline.casework.values import CaseKind, Decision, Person, Post
from qa_pipeline.web.reading import own


def made(office: Office, *outcomes: object, confirm: tuple[str, ...] = (), add: str = "", **fields: object) -> Case:
    """A finished case, made beside the server; ``confirm`` names what stands, A06 could not be told, the rest was rejected."""
    centre = office.centre
    with office.site.store.held.alone():
        case = centre.case(*outcomes, **fields)  # type: ignore[arg-type]
        for outcome in outcomes:
            name = f"{outcome.rule_id}#{outcome.ordinal}"  # type: ignore[attr-defined]
            clause = name.partition("#")[0]
            told = Decision.CONFIRM if clause in confirm else Decision.CANNOT_TELL if clause == "A06" else Decision.REJECT
            centre.decide(case, name, told)
        if add:
            with centre.act("qa1") as tx:
                reviews.add_finding(tx, case.case_id, Added(clause=add, reason="巡场看到"))
        case = centre.finish(case)
    office.site.mirror.catch_up()
    return case


def rows(page: str, after: str) -> list[list[str]]:
    """The cells of the first table behind a mark, as a reader sees them."""
    table = page[page.index(after) :].split("<tbody>", 1)[1].split("</table>", 1)[0]
    return [
        [_text(cell) for cell in re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row, re.S)]
        for row in re.findall(r"<tr.*?</tr>", table, re.S)
    ]


def _text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_the_sheet_explains_every_yuan(office: Office) -> None:
    from casework_make import finding

    case = made(office, finding("A06"), finding("B3b"), finding("C3", review=True), confirm=("B3b", "C3"), add="M08")
    page = office.be("lead").get(f"/calls/{case.call_id}/sheet").text
    assert "复核人</th><td>江质检（qa1）" in page
    assert rows(page, "原话与位置") == [
        [
            "B3b 未完成通话主动挂断 S0 第二篇 禁令 3：未完成通话主动挂断，罚 10 元",
            "B3b 的原话0 00:03–00:05",
            "未完成通话主动挂断的理由 复核：听过了",
            "确认 扣 10 分，10 元",
        ],
        [
            "C3 C3 S0 第四篇 三.2 第 3 款：业务介绍须完整",
            "C3 的原话0 00:03–00:05",
            "C3的理由 复核：听过了",
            "确认 扣 10 分；致命：本通 0 分",
        ],
        ["M08 工作现场玩手机 S0 第一篇 五.8：100 元/次", "", "巡场看到 复核：巡场看到", "确认 100 元"],
        ["不合格工单 致命或零分，一通只罚一次 S0 第一篇 六.7、六.8", "50 元"],
        ["合计", "扣 20 分，160 元 有致命项，本通 0 分"],
    ]
    assert "坐席 160 元，主管 0 元" in page
    mine = office.be("a1001").get(f"/me/calls/{case.call_id}").text
    assert "分，扣款 160 元" in mine
    assert rows(mine, "扣分与扣款") == [
        ["B3b 未完成通话主动挂断", "扣 10 分，10 元", "S0 第二篇 禁令 3：未完成通话主动挂断，罚 10 元"],
        ["C3 C3", "扣 10 分；致命：本通 0 分", "S0 第四篇 三.2 第 3 款：业务介绍须完整"],
        ["M08 工作现场玩手机", "100 元", "S0 第一篇 五.8：100 元/次"],
        ["不合格工单 致命或零分，一通只罚一次", "50 元", "S0 第一篇 六.7、六.8"],
        ["合计", "扣 20 分，160 元", "有致命项，本通 0 分"],
    ]


def test_a_finished_case_shows_both_scores_and_what_was_decided(office: Office) -> None:
    from casework_make import finding

    case = made(office, finding("A04"), finding("A06"), finding("B3b"), confirm=("B3b",))
    office.be("lead")
    listed = next(row for row in rows(office.get(f"/cases?state=全部&q={case.case_id}").text, "工单"))
    assert listed[4:8] == ["机检 80 → 复核 90", "确认 B3b 驳回 A04 无法判断 A06", "已完成", "江质检（qa1）"]
    both = "机检 80 → 复核 90"
    for url in (f"/cases/{case.case_id}", f"/calls/{case.call_id}"):
        assert both in _text(office.get(url).text), url
    line = next(row for row in rows(office.get(f"/manage/calls?only=all&q={case.call_id}").text, "通话"))
    assert line[4] == both
    assert "江质检（qa1） 确认" in _text(office.get(f"/calls/{case.call_id}").text)


def test_an_open_case_shows_what_is_still_to_be_decided(office: Office) -> None:
    from casework_make import finding

    with office.site.store.held.alone():
        case = office.centre.case(finding("A04"), finding("A04", 1), finding("A09"))
        office.centre.decide(case, "A04#0")
    office.site.mirror.catch_up()
    row = next(iter(rows(office.be("qa1").get(f"/desk?state=全部&q={case.case_id}").text, "工单")))
    assert row[4:7] == ["机检 70", "待决定 A04 A09 确认 A04", "复核中"]


def test_a_second_reviewer_is_told_nothing_of_the_first(office: Office) -> None:
    from casework_make import finding

    case = made(office, finding("A04"), confirm=("A04",))
    office.be("lead")
    row = next(iter(rows(office.get(f"/cases?state=全部&q={case.case_id}").text, "工单")))
    assert row[4:6] == ["机检 90 → 复核 90", "确认 A04"]
    with office.site.store.held.alone(), office.centre.act("lead2") as tx:
        from qa_pipeline.casework import assigning

        second = open_case(tx, Opening(call_id=case.call_id, reason="二级抽查", kind=CaseKind.SECOND))
        assigning.assign(tx, second.case_id, "lead")
    office.site.mirror.catch_up()
    for url in (f"/cases?state=全部&q={case.case_id}", f"/manage/calls?only=all&q={case.call_id}"):
        assert "复核 90" not in _text(office.get(url).text), url
    row = next(iter(rows(office.get(f"/cases?state=全部&q={case.case_id}").text, "工单")))
    assert row[4:6] == ["机检 90", "待决定 A04"]


def test_a_decision_tells_what_every_finding_now_costs(office: Office) -> None:
    from casework_make import finding

    with office.site.store.held.alone():
        case = office.centre.case(finding("A06"), finding("B3b"))
    office.site.mirror.catch_up()
    page = office.be("qa1").get(f"/cases/{case.case_id}").text
    assert re.findall(r"data-penalty>(.*?)<", page) == ["确认后计：扣 10 分，30 元", "同一事实已按 A06 处理"]
    said = {"finding": "A06#0", "decision": "reject", "reason": "是客户挂的"}
    assert office.ok(office.api(f"/cases/{case.case_id}/decisions", said))["charges"] == {
        "A06#0": "",
        "B3b#0": "确认后计：扣 10 分，10 元",
    }


def test_every_reviewed_call_can_be_reached_and_they_add_up(office: Office, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from casework_make import finding

    for _ in range(3):
        made(office, finding("A04"), confirm=("A04",), agent_id="1002", agent_name="顾晓")
    monkeypatch.setattr(own, "PAGE", 2)
    for person, url, column in (("a1002", "/me", 3), ("boss", "/manage/agents/1002", 4)):
        office.be(person)
        first, *others = [office.get(url).text, office.get(f"{url}?page=2").text]
        assert "第 1 / 2 页，共 4 条" in first, url
        table = [row for page in (first, *others) for row in rows(page, "复核过的通话")]
        sums = [row for row in table if row[0].startswith("全部")]
        calls = [row for row in table if row not in sums]
        assert len({row[0] + row[1] for row in calls}) == 4 if column == 4 else len(calls) == 4, url
        total = sum(float(row[column].removesuffix("元").replace(",", "")) for row in calls)
        assert {row[1].removesuffix("元").strip() for row in sums} == {f"{total:,.0f}"}, url
        assert f"<strong>{total:,.0f} 元</strong>" in first, url


def test_people_who_left_keep_their_name(office: Office) -> None:
    assert office.site.who("qa1") == "江质检（qa1）"
    assert office.site.who("nobody") == "nobody"
    assert (office.site.agent("1001"), office.site.agent("1009")) == ("周宁（1001）", "1009")
    with office.site.store.held.alone(), office.centre.act("admin") as tx:
        people.save_person(tx, Person(person_id="old", name="老质检", posts=(Post.QA,)))
        people.save_person(tx, Person(person_id="old", name="老质检", posts=(Post.QA,), active=False))
    office.site.mirror.catch_up()
    assert (office.site.who("old"), office.site.person("old")) == ("老质检（old）", None)
