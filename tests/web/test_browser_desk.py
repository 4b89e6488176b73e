"""The desk in a real browser where a hand slips or two work at once; the agent's own page; small screens."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_browser import Desk, until
from web_make import NOW, Served, sample_calls

from qa_pipeline.casework import cases, reviews
from qa_pipeline.casework import desk as casework_desk
from qa_pipeline.casework.findings import findings_of
from qa_pipeline.casework.values import Decision
from qa_pipeline.config import Settings
from qa_pipeline.policy import load_policy
from qa_pipeline.store import open_store

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="没有 chromium：浏览器测试没有运行"),
]
OF_AGENT = "S004"  # two findings, both of something that was not said


def finish(settings: Settings, call_id: str) -> None:
    """Everything confirmed, finished."""
    store = open_store(settings.db)
    desk = casework_desk.Desk(store=store, policy=load_policy(settings.policy_file()))
    with desk.act("lead", NOW.replace(hour=8, minute=30)) as tx:
        (case,) = cases.find_cases(tx, call_id=call_id)
        for item in findings_of(tx, case):
            name = f"{item.key.rule_id}#{item.key.ordinal}"
            reviews.decide(tx, case.case_id, reviews.Judgement(finding=name, decision=Decision.CONFIRM))
        reviews.finish(tx, case.case_id)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = sample_calls(tmp_path_factory.mktemp("desk") / "qa.duckdb")
    finish(settings, OF_AGENT)
    with Served(settings, NOW) as one:
        yield one


def several(desk: Desk, least: int = 2) -> None:
    """To a case of the desk with so many findings open."""
    page = desk.page
    page.goto(f"{desk.base}/desk")
    urls = [one.get_attribute("href") for one in page.locator("table a.row").all()]
    for url in urls:
        page.goto(desk.base + url)
        if page.locator(".finding.open").count() >= least:
            return
    raise AssertionError(f"no case has {least} open findings")


def test_finishing_too_early_stays_and_names_what_is_open(browser: Any, served: Served) -> None:
    with Desk(browser, served, "qa1") as desk:
        several(desk)
        page = desk.page
        before = page.url
        names = page.locator(".finding.open").evaluate_all("all => all.map((one) => one.dataset.name)")
        page.fill(".finish [name=note]", "客户很急")
        page.locator("#next").click()  # away from the first
        page.locator("#finish").click()
        told = f"还有 {len(names)} 条没有决定：{'、'.join(names)}。"
        assert page.locator(".flash").evaluate_all("all => all.map((one) => one.innerText)") == [f"{told}\n关闭"]
        assert (page.url, page.input_value(".finish [name=note]")) == (before, "客户很急")
        assert page.locator(".finding.active").get_attribute("data-name") == names[0]
        page.locator(".flash button").click()
        assert page.locator(".flash").count() == 0
        page.reload()
        assert page.input_value(".finish [name=note]") == "客户很急"


def test_whoever_comes_second_reads_who_was_first_and_keeps_the_note(browser: Any, served: Served) -> None:
    with Desk(browser, served, "qa1") as desk, Desk(browser, served, "lead") as lead:
        several(desk)
        page, url = desk.page, desk.page.url
        other = desk.context.new_page()
        other.goto(url)
        name = page.locator(".finding.open").first.get_attribute("data-name")
        page.fill(".finish [name=note]", "听了两遍")
        page.locator(".case-head").click()
        other.keyboard.press("1")
        until(other, "document.querySelectorAll('.finding.confirm').length === 1")
        page.keyboard.press("1")
        page.wait_for_selector(".flash")
        told = page.locator(".flash span").inner_text()
        assert "：您自己 0" in told and told.endswith(f" {name}：确认。请刷新后再操作。"), told
        page.wait_for_timeout(3000)
        assert page.locator(".flash span").inner_text() == told  # nothing loads the page behind one's back
        assert page.input_value(".finish [name=note]") == "听了两遍"
        page.locator(".flash button", has_text="刷新").click()
        until(page, "document.querySelectorAll('.finding.confirm').length === 1")
        assert page.input_value(".finish [name=note]") == "听了两遍"
        lead.page.goto(url)
        lead.page.keyboard.press("1")
        until(lead.page, "document.querySelectorAll('.finding.confirm').length === 2")
        page.keyboard.press("1")
        page.wait_for_selector(".flash")
        assert "：方组长 0" in page.locator(".flash span").inner_text()
        desk.complaints.clear()  # the two refusals, which the browser logs


def test_no_reason_is_chosen_by_a_key_out_of_habit(browser: Any, served: Served) -> None:
    with Desk(browser, served, "qa1") as desk:
        several(desk, 1)
        page = desk.page
        before = page.locator(".finding.open").count()
        hint = page.locator("#reason-missing")
        page.keyboard.press("2")
        assert not hint.is_visible()
        page.keyboard.press("Enter")
        assert page.locator("#reason-box[open]").count() == 1 and hint.inner_text().startswith("还没有决定：")
        page.locator("#reason-box button.primary").click()
        page.keyboard.press("Escape")
        until(page, "!document.querySelector('dialog[open]')")
        page.keyboard.press("2")
        page.wait_for_selector("#reason-box[open]")
        assert not hint.is_visible()  # a new question
        page.locator("#reason-box button.primary").click()
        assert page.locator("#reason-box[open]").count() == 1 and hint.is_visible()
        page.fill("#reason-text", "   ")
        page.keyboard.press("Enter")
        assert page.locator("#reason-box[open]").count() == 1
        assert page.locator(".finding.open").count() == before
        page.keyboard.press("3")
        until(page, f"document.querySelectorAll('.finding.open').length === {before - 1}")
        page.reload()
        assert "语境不算违规" in page.locator(".finding.reject").first.text_content()


def test_a_number_right_after_escape_asks_again(browser: Any, served: Served) -> None:
    """The key may arrive before the browser has taken the focus out of the closed question: it must not choose there."""
    with Desk(browser, served, "qa1") as desk:
        several(desk, 1)
        page = desk.page
        page.keyboard.press("2")
        page.wait_for_selector("#reason-box[open]")
        state = page.evaluate(
            """() => { const box = document.getElementById("reason-box"), title = document.getElementById("reason-title");
            box.close();
            title.dispatchEvent(new KeyboardEvent("keydown", { key: "2", bubbles: true, cancelable: true }));
            return [box.open, title.innerText]; }"""
        )
        assert state == [True, "为什么驳回？"]


def red(page: Any, top: float, bottom: float) -> int:
    """Columns of the waveform with the red of findings between two heights."""
    return page.evaluate(
        """([top, bottom]) => { const c = document.getElementById('wave'), d = c.getContext('2d').getImageData(0, top, c.width,
        bottom - top), found = new Set(); for (let i = 0; i < d.data.length; i += 4)
        if (d.data[i] > 150 && d.data[i + 1] < 60 && d.data[i + 2] < 60 && d.data[i + 3] > 200) found.add((i / 4) % c.width);
        return found.size; }""",
        [top, bottom],
    )


def below_the_player(page: Any) -> bool:
    """Whether the chosen finding begins under the player, and the buttons or the first lines of it are on the screen."""
    return page.evaluate(
        """() => { const card = document.querySelector('.active.finding, .active.review-card'),
        top = card.getBoundingClientRect().top, last = (card.querySelector('.decide') || card.querySelector('h2')).getBoundingClientRect();
        return top >= document.querySelector('.player').getBoundingClientRect().bottom && last.bottom <= innerHeight; }"""
    )


@pytest.mark.parametrize("phone", [False, True])
def test_an_agent_goes_from_finding_to_finding(browser: Any, served: Served, phone: bool) -> None:
    with Desk(browser, served, "a6021", phone=phone) as desk:
        page = desk.page
        page.goto(f"{desk.base}/me/calls/{OF_AGENT}")
        assert page.locator(".review-card").count() == 2
        height = page.evaluate("document.getElementById('wave').height")
        assert red(page, height - 12, height) > 50  # marked under the waveform, which carries no evidence here
        for key, number in (("j", "1"), ("j", "2"), ("k", "1")):
            page.keyboard.press(key)
            until(page, f"document.querySelector('.review-card.active').dataset.f === '{number}'")
            until(page, "!document.getElementById('audio').paused")
            page.wait_for_timeout(700)  # scrolled softly
            assert below_the_player(page) or number == "1"
        page.locator("#next").click()
        until(page, "document.querySelector('.review-card.active').dataset.f === '2'")
        assert page.locator(".turn .hit").count() == page.locator(".turn .hit.heard").count() > 0  # nothing is painted as evidence
        card = page.locator(".review-card", has_text="C3")
        assert "您说到了\n一个月两块钱\n" in card.inner_text()
        assert card.locator(".say").inner_text() == (
            "应当这样说（缺：取消方式与渠道）：您以后不想用了，拨打 10086、发短信或到营业厅都可以取消。"
        )


def test_the_next_finding_comes_into_view_on_a_phone(browser: Any, served: Served) -> None:
    with Desk(browser, served, "qa1", phone=True) as desk:
        several(desk)
        page = desk.page
        for number in ("2", "1"):
            page.locator("#next" if number == "2" else "#prev").click()
            until(page, f"document.querySelector('.finding.active').dataset.f === '{number}'")
            page.wait_for_timeout(900)
            assert below_the_player(page)
        page.locator("#finish").click()
        page.wait_for_timeout(900)
        assert below_the_player(page) and page.evaluate("document.querySelector('.flash').getBoundingClientRect().top >= 0")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("width", [1000, 1024, 1280])
def test_the_head_of_a_case_hides_nothing(browser: Any, served: Served, width: int) -> None:
    with Desk(browser, served, "qa1") as desk:
        desk.page.set_viewport_size({"width": width, "height": 720})
        several(desk)
        shown = desk.page.evaluate(
            """() => { const box = document.querySelector('.case-head .facts').getBoundingClientRect();
            return [...document.querySelectorAll('.case-head .facts div')].filter((one) => { const own = one.getBoundingClientRect();
            return own.bottom <= box.bottom + 1 && own.right <= box.right + 1; }).map((one) => one.firstElementChild.textContent); }"""
        )
        assert shown[-2:] == ["时间", "时长"] and "坐席" in shown


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_numbers_of_findings_at_one_time_stand_apart(browser: Any, served: Served, share: float) -> None:
    with Desk(browser, served, "lead") as desk:
        page = desk.page
        page.goto(f"{desk.base}/calls/S021")
        page.evaluate(
            """(share) => { window.numbers = []; const pen = CanvasRenderingContext2D.prototype, old = pen.fillText;
            pen.fillText = function (text, x, y) { window.numbers.push([x, x + this.measureText(text).width]); old.call(this, text, x, y); };
            for (const card of window.player.cards) card.dataset.s = card.dataset.e = window.player.data.duration * share;
            window.player.draw(); }""",
            share,
        )
        numbers = sorted(page.evaluate("window.numbers"))
        assert len(numbers) == page.locator(".finding").count() >= 4
        assert all(one[1] < other[0] for one, other in pairwise(numbers))
        assert numbers[0][0] > 0 and numbers[-1][1] <= page.evaluate("document.getElementById('wave').clientWidth")
