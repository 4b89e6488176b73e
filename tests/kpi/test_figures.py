"""Every figure against a computation by hand over the logs of logs.py."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from qa_pipeline.kpi.catalogue import FIGURES
from qa_pipeline.kpi.compute import Computed, Scores, compute, measures_of
from qa_pipeline.kpi.database import reading
from qa_pipeline.kpi.figures import Band
from qa_pipeline.kpi.importing import import_files
from qa_pipeline.kpi.measures import MEASURES
from tests.kpi import logs

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
BY_HAND: dict[str, float | None] = {
    "K01": 10,
    "K02": 2,
    "K03": 2 / 10,
    "K04": 5,  # a b c d e
    "K05": 9,
    "K06": 5 / 2,  # d and e were never reached: 1 + 4 calls
    "K07": 4 / 9,  # C1 C2 C4 C9
    "K08": 3,  # a b c
    "K09": 1,  # e; d is a wrong number
    "K10": 3 / 8,
    "K11": 2,  # a c
    "K12": 2 / 3,
    "K13": 1,
    "K14": 1 / 2,
    "K15": 2 / 4,
    "K16": 1 / 4,
    "K17": 1 / 4,
    "K18": 1 / 9,
    "K19": 32,
    "K20": 17,
    "K21": 5.5,
    "K22": 2 / 17,
    "K23": 1 / 17,
    "K24": (60 + 90 + 120 + 30 + 15 + 25 + 20 + 10) / 9,
    "K25": 17 / 32,
    "K26": 22.5 / 32,
    "K27": (60 + 90 + 120 + 30 + 300 + 280 + 320) / 7,
    "K28": (15 + 25 + 20 + 10 + 40 + 50 + 60) / 7,
    "K29": (300 + 180) / 60 / 4,  # talk 60 + 90 + 120 + 30, ring 180, four agent-days
    "K30": 0 / 4,
    "K31": 1,  # e, four times
    "K32": 3 / 4,  # C4, C8, C9 of C4, C7, C8, C9
    "K33": 9 / 4,
    "K34": (7 + 55 / 60 + 7.5 + 8 + 5 / 60) / 32,
    "K35": (15 + 25 + 20 + 10 + 40 + 50 + 60) / 7,
    "K36": (45 + 15) / 2,
    "K37": 12 / 3,
    "K38": (75 + 115 + 140 + 40 + 340 + 330 + 380) / 7,
    "K39": (30 + 50) / 2,
    "K40": (2 + 3 + 4) / 3,
    "K41": (10 + 30 + 45 + 15) / 4,
    "K42": (10 + 30 + 0) / 3,
    "K43": (60 + 90 + 120 + 30 + 300 + 280 + 320) / 7,
    "K44": 7 / (7 + 55 / 60 + 7.5 + 8 + 5 / 60),
    "K45": (90 * 4 + 70 * 2) / 6,
    "K46": (300 + 900 + 80) / (300 + 900 + 80 + 120 * 60),
    "K47": 1 / 4,  # I4; I5 gave up within 20 s and is left out above and below
    "K48": 3 / 4,
    "K49": 1 / 6,
    "K50": 2 / 3,
    "K51": 4 / 6,
    "K52": 1 / 3,
    "K53": 3 / 5,
    "K54": 2 / 5,  # I1 and I3
    "K55": 6,
    "K56": 1 / 2,
    "K57": (7 + 50 / 60 + 7.5 + 8) / 24,
    "K58": (7 + 55 / 60 + 7.5 + 8 + 5 / 60) / 3,
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    texts = {"calls": logs.CALLS, "in": logs.INBOUND, "staff": logs.ATTENDANCE, "accounts": logs.ACCOUNTS, "costs": logs.COSTS}
    for name, words in texts.items():
        (folder / f"{name}.csv").write_text(words, encoding="gb18030" if name == "staff" else "utf-8")
    done = import_files(folder / "qa.calls.duckdb", [folder / f"{name}.csv" for name in texts])
    assert [(item.kind, item.rows, item.counted) for item in done] == [
        ("calls", 9, 9),
        ("calls", 6, 6),
        ("attendance", 4, 4),
        ("accounts", 10, 10),
        ("costs", 1, 1),
    ]
    return folder / "qa.calls.duckdb"


@pytest.fixture(scope="module")
def found(database: Path) -> Computed:
    scores = [
        Scores(day=date(2026, 11, 2), team="一组", agent_id="1001", scored=4, score_sum=360),
        Scores(day=date(2026, 11, 3), team="二组", agent_id="1002", scored=2, score_sum=140),
        Scores(day=date(2026, 12, 1), team="二组", agent_id="1002", scored=9, score_sum=0),  # another month
    ]
    with reading(database) as connection:
        return compute(connection, FIRST, LAST, scores)


def test_every_figure_by_hand(found: Computed) -> None:
    assert {figure.code: found.value(figure, found.whole) for figure in FIGURES} == {
        code: value if value is None else pytest.approx(value) for code, value in BY_HAND.items()
    }


def test_nothing_is_lacking(found: Computed) -> None:
    assert [figure.code for figure in FIGURES if found.lacking(figure)] == []


def test_by_day_team_and_agent(found: Computed) -> None:
    figures = {figure.code: figure for figure in FIGURES}

    def each(code: str, way: str) -> dict[str, float | None]:
        return {str(key): found.value(figures[code], sums) for key, sums in found.sums[way].items()}

    assert each("K05", "day") == {"2026-11-01": None, "2026-11-02": 4, "2026-11-03": 5}
    assert each("K07", "team") == {"一组": 3 / 5, "二组": 1 / 4, "未知": None}  # the list of customers names no team
    assert each("K28", "agent")["1001"] == pytest.approx((15 + 25 + 10 + 40 + 50) / 5)
    assert each("K16", "team") == {"一组": pytest.approx(1 / 3), "二组": 0, "未知": None}
    assert each("K32", "agent") == {"1001": 1.0, "1002": 1 / 2, "未知": None}
    assert each("K04", "day")["2026-11-03"] == 2  # d and e; over both days e is one customer still


def test_a_period_without_calls_has_no_data(database: Path) -> None:
    with reading(database) as connection:
        empty = compute(connection, date(2027, 1, 1), date(2027, 1, 31))
    assert {figure.code: empty.value(figure, empty.whole) for figure in FIGURES if figure.over} == {
        figure.code: None for figure in FIGURES if figure.over and not {"accounts", "accounts_good"} & set(measures_of(figure))
    } | {"K03": 0.2, "K10": None}


def test_the_catalogue_is_whole() -> None:
    used = {name for figure in FIGURES for name in measures_of(figure)}
    assert used == set(MEASURES)
    assert len({figure.code for figure in FIGURES}) == len(FIGURES) == 58
    assert sum(figure.source.startswith("S2 ") for figure in FIGURES) == 23
    assert all(figure.formula and figure.source for figure in FIGURES)


def test_bands() -> None:
    assert [Band(low=30, high=60).holds(value) for value in (29.9, 30, 60, 60.1)] == [False, True, True, False]
    assert Band(high=20).holds(0)
    assert not Band(low=0.92).holds(0.9)
