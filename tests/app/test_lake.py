"""Several stores lay their tables into one folder; one reader sees all of them, and the sums are those of the stores."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from qa_pipeline.config import Settings
from qa_pipeline.errors import UserError
from qa_pipeline.export import KINDS, Wanted, export
from qa_pipeline.judge import open_judge
from qa_pipeline.lake import lay
from qa_pipeline.pipeline import Pipeline
from qa_pipeline.source import open_source
from qa_pipeline.store import Store, open_store
from tests.app.support import Silent, TruthRecogniser
from tests.cli.test_commands import copy_calls

ALL = Wanted(kind="scores", every_verdict=True)


def audited(folder: Path, *calls: str) -> Store:
    """A store of its own with these sample calls."""
    store, recogniser = open_store(folder / "qa.duckdb"), TruthRecogniser()
    judge = open_judge(Settings(), store, recogniser.listen)
    source = open_source(copy_calls(folder / "day", *calls), None, {})
    Pipeline(store=store, judge=judge, recogniser=recogniser, progress=Silent()).run(source)
    return store


@pytest.fixture(scope="module")
def centres(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Store]:
    """Two centres; both have a call S004."""
    return {
        "成都": audited(tmp_path_factory.mktemp("chengdu"), "S004", "S010"),
        "武汉": audited(tmp_path_factory.mktemp("wuhan"), "S004", "S013", "S001"),
    }


def ask(lake: Path, kind: str, query: str) -> list[tuple[object, ...]]:
    """``lake`` in the query is everything of a kind, read by plain DuckDB."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW lake AS FROM read_parquet('{lake}/{kind}/*/*/*.parquet', hive_partitioning = true)")
        return connection.execute(query).fetchall()


def test_two_stores_are_read_as_one_with_equal_sums(centres: dict[str, Store], tmp_path: Path) -> None:
    for name, store in centres.items():
        laid = lay(store, tmp_path, name, ALL)
        assert laid.rows == {kind: len(list(export(store, Wanted(kind=kind, every_verdict=True)).rows)) for kind in KINDS}
    for kind in ("findings", "scores", "transcripts", "penalties"):
        expected = sorted(
            (name, *row) for name, store in centres.items() for row in export(store, Wanted(kind=kind, every_verdict=True)).rows
        )
        assert sorted(ask(tmp_path, kind, "SELECT store, * EXCLUDE (store, day) FROM lake"), key=str) == sorted(expected, key=str)
    money = {
        name: sum((row[10] for row in export(store, Wanted(kind="scores")).rows), Decimal(0)) for name, store in centres.items()
    }
    assert sum(money.values()) > 0
    totals = ask(tmp_path, "scores", "SELECT store, day::VARCHAR, sum(fine_yuan) FROM lake GROUP BY ALL ORDER BY ALL")
    assert totals == [(name, "2026-11-21", fine) for name, fine in sorted(money.items())]


def test_laying_again_replaces_and_writes_the_same_bytes(centres: dict[str, Store], tmp_path: Path) -> None:
    lay(centres["成都"], tmp_path, "成都", ALL)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    assert lay(centres["成都"], tmp_path, "成都", ALL).removed == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")} == before


def test_only_the_days_asked_for_are_written_and_cleaned(centres: dict[str, Store], tmp_path: Path) -> None:
    def old(day: str, store: str) -> Path:
        path = tmp_path / "scores" / f"day={day}" / f"store={store}" / "rows.parquet"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"")
        return path

    purged, kept, other = old("2026-11-20", "成都"), old("2026-11-19", "成都"), old("2026-11-20", "武汉")
    days = Wanted(kind="scores", date_from="2026-11-20", date_to="2026-11-20")
    laid = lay(centres["成都"], tmp_path, "成都", days)
    assert (laid.files, laid.removed, purged.exists(), kept.exists(), other.exists()) == (0, 1, False, True, True)


def test_calls_without_a_time_have_no_day(tmp_path: Path) -> None:
    (tmp_path / "calls.jsonl").write_text(
        '{"call_id": "A", "turns": [{"role": "agent", "text": "您好，工号八零一二为您服务。"}]}\n'
        '{"call_id": "B", "call": {"started_at": "2026-11-20 09:00"}, "turns": [{"role": "agent", "text": "您好。"}]}\n',
        encoding="utf-8",
    )
    from datetime import datetime

    from qa_pipeline.importing import import_transcripts

    store = open_store(tmp_path / "qa.duckdb")
    import_transcripts(tmp_path / "calls.jsonl", store, open_judge(Settings()), datetime(2026, 11, 21))
    lay(store, tmp_path / "lake", "one", ALL)
    assert ask(tmp_path / "lake", "scores", "SELECT call_id, day::VARCHAR FROM lake ORDER BY ALL") == [
        ("A", None),
        ("B", "2026-11-20"),
    ]
    assert lay(store, tmp_path / "lake", "one", Wanted(kind="scores", date_from="2026-11-20")).removed == 0


def test_a_name_that_is_no_name_is_refused(centres: dict[str, Store], tmp_path: Path) -> None:
    for name in ("", "a/b", "../x", "a=b"):
        with pytest.raises(UserError, match="库名"):
            lay(centres["成都"], tmp_path, name, ALL)
