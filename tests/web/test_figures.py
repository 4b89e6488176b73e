"""The figures of managers over a simulated month: one pass rate everywhere, and every number opens exactly what it counts."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from web_make import month

from qa_pipeline.cli.main import run
from qa_pipeline.config import Settings
from qa_pipeline.policy import load_policy
from qa_pipeline.report import registry
from qa_pipeline.report.reading import Wish
from qa_pipeline.simulated.month import Size
from qa_pipeline.web import sessions
from qa_pipeline.web.app import create_app
from qa_pipeline.web.reading.figures import day_axis
from qa_pipeline.web.site import Options, Site


class Pages:
    """The application over a month; ``page`` opens one as a person."""

    def __init__(self, client: TestClient, settings: Settings) -> None:
        self.client = client
        self.settings = settings
        self.site: Site = client.app.state.site  # type: ignore[attr-defined]

    def page(self, person: str, url: str) -> str:
        known = self.site.person(person)
        assert known is not None
        self.client.cookies.clear()
        self.client.cookies.set(sessions.COOKIE, self.site.sessions.begin(person, known[1]))
        answer = self.client.get(url.partition("#")[0])
        assert answer.status_code == 200, (url, answer.status_code)
        return str(answer.text)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    settings, now = month(tmp_path_factory.mktemp("month") / "qa.duckdb", Size(agents=12, teams=3, calls_a_day=5))
    with TestClient(create_app(Options(settings=settings, now=lambda: now))) as client:
        yield Pages(client, settings)


def _text(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", page)))


def test_pages_commands_and_reports_have_one_pass_rate(pages: Pages, capsys: pytest.CaptureFixture[str]) -> None:
    """The month has weekly second-level samples too: they are not mixed in."""
    site = pages.site
    store = site.mirror.store
    with store.read() as connection:
        reviewed_of = dict(
            connection.execute(
                """SELECT level, count(*) FROM samples JOIN sample_items AS item USING (sample_id)
                   JOIN case_results_now AS done USING (call_id) WHERE item.base AND done.state = '已完成' GROUP BY 1"""
            ).fetchall()
        )
    assert reviewed_of["weekly"] > 0

    def asked(by: str) -> list[tuple[str, int, str]]:
        at = f"{site.now():%Y-%m-%dT%H:%M}"
        with site.store.held.alone():  # the command and the server are one process here
            assert run(["rates", "--by", by, "--db", str(pages.settings.db), "--as", "lead1", "--at", at, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        return [(item["name"], item["reviewed"], f"{100 * item['rate']['share']:.1f}%") for item in told]

    teams = asked("team")
    assert [name for name, *_ in teams] == ["一组", "二组", "三组"]
    rows = re.findall(
        r'<a class="row" href="/manage/team[^>]*>(.*?)</a></td><td class="num">(\d+)</td>.*?</progress> ([\d.]+%)',
        pages.page("mgr1", "/manage/teams"),
    )
    assert [(name, int(reviewed), share) for name, reviewed, share in rows] == teams
    made = registry.build(store, load_policy(pages.settings.policy_file()), "team", Wish(made_at=site.now()))
    table = next(section for section in made.sections if section.title == "复核合格率").table
    assert [(row["team"], row["reviewed"], f"{100 * row['rate']:.1f}%") for row in table.rows] == teams
    [(_, reviewed, share)] = asked("all")
    today = _text(pages.page("mgr1", "/manage"))
    assert re.search(r"合格率（近 28 天） ?([\d.]+%)", today)[1] == share  # type: ignore[index]
    assert f"每日随机抽样复核 {reviewed} 通" in today
    assert reviewed == sum(count for _, count, _ in teams) == reviewed_of["daily"]


# A link that is no number: to the page itself, to a file.
_NO_NUMBER = re.compile(r"^(/reports/|/manage/clauses)")


def _links(page: str) -> list[tuple[str, int]]:
    """(address, number) of every link of the main part of a page. The number is what a reader sees."""
    main = page.split('<main id="main"')[1]
    found = []
    for attributes, words in re.findall(r"<a ([^>]*)>(.*?)</a>", main):
        url = html.unescape(re.search(r'href="([^"]*)"', attributes)[1])  # type: ignore[index]
        if _NO_NUMBER.match(url):
            continue
        number = re.search(r'data-count="(\d+)"', attributes)
        assert number, f"a link that says no number: {url}"
        before = main[: main.index(attributes)].rsplit("<li>", 1)[-1]
        assert re.search(rf"(?<!\d){number[1]}(?!\d)", _text(words) + " " + _text(before)), (url, words)
        found.append((url, int(number[1])))
    return found


def _listed(pages: Pages, person: str, url: str) -> int:
    """How many rows the page that the link opens has, over all its pages, below the heading that the link names."""
    total = 0
    while url:
        page = pages.page(person, url).split('<main id="main"')[1]
        place = url.partition("#")[2]
        if place:
            page = page.split(f'id="{place}"')[1]
        body = re.search(r"(?s)<tbody>(.*?)</tbody>", page.split('class="empty"')[0])
        total += len(re.findall(r"<tr\b", body[1])) if body else 0
        following = re.search(r'<a rel="next" href="([^"]*)"', page)
        url = url.partition("?")[0] + html.unescape(following[1]) if following else ""
    return total


@pytest.mark.parametrize("person", ["mgr1", "lead1"])
@pytest.mark.parametrize("url", ["/manage", "/manage/clauses?days=7", "/manage/clauses?days=28", "/manage/clauses?days=0"])
def test_every_number_opens_exactly_what_it_counts(pages: Pages, person: str, url: str) -> None:
    links = _links(pages.page(person, url))
    assert len(links) > 10
    wrong = [(link, number, found) for link, number in dict.fromkeys(links) if (found := _listed(pages, person, link)) != number]
    assert wrong == []


def test_the_brackets_of_the_heat_map_are_a_part_of_the_period(pages: Pages) -> None:
    seen: dict[int, list[Any]] = {}
    for days in (7, 28):
        page = pages.page("mgr1", f"/manage/clauses?days={days}")
        cells = re.findall(r"<small>(\d+)</small></a><small>（(?:<a [^>]*>)?(\d+)", page)
        seen[days] = [(int(hits), int(sure)) for hits, sure in cells]
        assert all(sure <= hits for hits, sure in seen[days])
        assert sum(sure for _, sure in seen[days]) > 0
    assert sum(sure for _, sure in seen[7]) < sum(sure for _, sure in seen[28])


def test_calls_without_a_team_are_counted_and_opened_alike(tmp_path: Path) -> None:
    from casework_make import POLICY, Centre, finding

    from qa_pipeline.web.reading import figures, flagged
    from qa_pipeline.web.reading.span import Span

    centre = Centre(tmp_path / "qa.duckdb")
    centre.call(finding("A04"), team=None)
    centre.call(finding("A04"))
    with centre.desk.act("lead", centre.now) as tx:
        heat = figures.heat(tx, Span())
        assert heat.hits == {("A04", "未知"): 1, ("A04", "一组"): 1}
        assert [flagged.count_calls(tx, flagged.Wanted(clause="A04", team=team)) for team in heat.teams] == [1, 1]
    assert POLICY.file.clauses  # the same policy as the pages


@pytest.mark.parametrize(("days", "ticks"), [(1, 1), (2, 2), (5, 5), (7, 7), (8, 4), (20, 7), (28, 7)])
def test_a_chart_writes_no_day_twice(days: int, ticks: int) -> None:
    axis = day_axis([date(2026, 11, 21) + timedelta(days=number) for number in range(days)])
    assert len(axis["ticktext"]) == len(set(axis["ticktext"])) == ticks
    assert axis["ticktext"][0] == "11-21"
    assert ("range" in axis) == (days == 1)
