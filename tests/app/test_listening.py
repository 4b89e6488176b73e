"""The second listening in the run: every reading heard once, rescoring hears nothing, what is still due is marked and made up for."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from qa_pipeline.config import Settings
from qa_pipeline.judge import FIRST_ONLY, open_judge
from qa_pipeline.model import ChannelSpan, EvidenceKind, Segment
from qa_pipeline.pipeline import Pipeline
from qa_pipeline.rescore import rescore
from qa_pipeline.resources import rules_dir, samples_dir
from qa_pipeline.source import open_source
from qa_pipeline.store import Store, open_store
from tests.app.support import Silent, TruthRecogniser
from tests.app.test_pipeline import NOON
from tests.cli.test_commands import copy_calls

CALLS = ("S010", "S013")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy_calls(tmp_path / "day", *CALLS)


def run(folder: Path, store: Store, settings: Settings, **more: object) -> TruthRecogniser:
    recogniser = TruthRecogniser()
    judge = open_judge(settings, store, recogniser.listen)
    Pipeline(store=store, judge=judge, recogniser=recogniser, progress=Silent(), **more).run(open_source(folder, None, {}))  # type: ignore[arg-type]
    return recogniser


def runs(store: Store) -> list[tuple[str, str]]:
    return [(run.conversation.call.call_id, run.run_id) for run in store.iter_runs()]


def test_each_span_is_heard_once_and_its_reading_is_evidence(folder: Path, tmp_path: Path) -> None:
    store, settings = open_store(tmp_path / "qa.duckdb"), Settings()
    assert run(folder, store, settings).listened > 0
    first = runs(store)
    kinds = {item.kind for one in store.iter_runs() for outcome in one.outcomes for item in outcome.evidence}
    assert EvidenceKind.READING in kinds
    assert run(folder, store, settings).listened == 0
    assert run(folder, store, settings, cache=False).listened > 0  # all is heard anew, and it is the same
    assert runs(store) == first


def test_other_rules_hear_only_what_was_never_heard(folder: Path, tmp_path: Path) -> None:
    store = open_store(tmp_path / "qa.duckdb")
    run(folder, store, Settings())
    rules = tmp_path / "rules"
    shutil.copytree(rules_dir(), rules)
    with (rules / "a" / "A01.yaml").open("a", encoding="utf-8") as file:
        file.write("# 换了一版\n")
    later = run(folder, store, Settings(rules=rules))
    assert (later.heard, later.listened) == ([], 0)


def test_new_readings_go_into_the_store_with_their_runs(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path / "qa.duckdb")
    monkeypatch.setattr(type(store.transcripts), "put", lambda *_: pytest.fail("a transaction of its own"))
    run(folder, store, Settings())
    with store.read() as connection:
        (kept,) = connection.execute("SELECT count(*) FROM transcripts").fetchone() or (0,)
    assert kept > len(CALLS)


def test_rescoring_with_the_same_rules_changes_nothing_and_hears_nothing(folder: Path, tmp_path: Path) -> None:
    store, settings = open_store(tmp_path / "qa.duckdb"), Settings()
    run(folder, store, settings)
    before = runs(store)
    assert rescore(store, open_judge(settings, store), NOON).new == 0
    assert runs(store) == before


def test_a_second_listening_that_is_due_is_marked_and_made_up_for(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, settings = open_store(tmp_path / "qa.duckdb"), Settings()
    recogniser = TruthRecogniser()
    cannot = open_judge(settings, store)
    Pipeline(store=store, judge=cannot, recogniser=recogniser, progress=Silent()).run(open_source(folder, None, {}))
    marked = [one.conversation.call.call_id for one in store.iter_runs() if one.provenance.rules_digest.endswith(FIRST_ONLY)]
    assert marked
    later = run(folder, store, settings)
    assert later.heard == [] and later.listened > 0
    assert not any(one.provenance.rules_digest.endswith(FIRST_ONLY) for one in store.iter_runs())


def test_switched_off_it_is_another_rule_set(folder: Path, tmp_path: Path) -> None:
    store = open_store(tmp_path / "qa.duckdb")
    assert run(folder, store, Settings(second_listening=False)).listened == 0
    assert open_judge(Settings(second_listening=False)).rules_digest != open_judge(Settings()).rules_digest


def test_samples_are_where_the_tests_expect_them() -> None:
    assert all(list(samples_dir().glob(f"{call}.*")) for call in CALLS)


class Several(TruthRecogniser):
    """Four may listen at the same time, each slowly; ``most`` is how many did."""

    def __init__(self) -> None:
        super().__init__()
        self._now = self.most = 0

    def listeners(self) -> int:
        return 4

    def listen(self, path: str, requests: tuple[tuple[ChannelSpan, tuple[str, ...]], ...]) -> tuple[tuple[Segment, ...], ...]:
        self._now += 1
        self.most = max(self.most, self._now)
        time.sleep(0.05)
        answer = super().listen(path, requests)
        self._now -= 1
        return answer


def test_several_listeners_at_the_same_time_give_the_same_runs_in_the_same_order(tmp_path: Path) -> None:
    settings, calls = Settings(), sorted(path.stem for path in samples_dir().glob("S*.*"))
    folder = copy_calls(tmp_path / "day", *calls)
    found = []
    several = Several()
    for name, recogniser in (("one", TruthRecogniser()), ("several", several)):
        store = open_store(tmp_path / f"{name}.duckdb")
        judge = open_judge(settings, store, recogniser.listen)
        pipeline = Pipeline(store=store, judge=judge, recogniser=recogniser, progress=Silent())
        assert pipeline.run(open_source(folder, None, {})).calls == tuple(calls)
        with store.read() as connection:
            found.append(connection.execute("SELECT call_id, run_id FROM run_log ORDER BY seq").fetchall())
    assert found[0] == found[1] and len(found[0]) >= len(calls)
    assert several.most > 1
