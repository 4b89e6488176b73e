"""The report of a run: whole, harmless whatever is said in a call, private things covered, clips that are sound."""

from __future__ import annotations

import base64
import dataclasses
import io
import re
from pathlib import Path

import pytest

from qa_pipeline.model import AuditRun, Conversation, Evidence, EvidenceKind, Outcome, Verdict
from qa_pipeline.pipeline import Pipeline
from qa_pipeline.report.clips import Clips
from qa_pipeline.report.run_report import ReportOptions, render, write_report
from qa_pipeline.source import open_source
from qa_pipeline.store import BatchInfo, Failure, Store, open_store
from tests.app.support import Silent, TruthRecogniser, tone
from tests.app.test_pipeline import judge
from tests.cli.test_commands import copy_calls

EVIL = "<script>alert('x')</script>\"'&{{ 7*7 }}{% raw %}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(tmp_path / "qa.duckdb")
    folder = copy_calls(tmp_path / "day", "S001", "S010", "S013")
    pipeline = Pipeline(store=store, judge=judge(), recogniser=TruthRecogniser(), progress=Silent())
    pipeline.run(open_source(folder, None, {}))
    return store


def options(**more: object) -> ReportOptions:
    fields: dict[str, object] = {"calls": frozenset({"S001", "S010", "S013"}), "made_at": "2026-11-21 12:00", **more}
    return ReportOptions(**fields)  # type: ignore[arg-type]


def test_it_needs_nothing_else_and_covers_the_customer(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(store, path, options())
    page = path.read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", page) and "@import" not in page and "url(" not in page
    assert "13900001363" not in page and "139****1363" in page
    assert page.count('<section class="call"') == 3 and 'lang="zh-CN"' in page
    assert "13900001363" in render(store, options(show_private=True))


def test_the_same_store_gives_the_same_page(store: Store) -> None:
    assert render(store, options()) == render(store, options())


def test_findings_stand_beside_their_words_with_a_clip_that_is_sound(store: Store) -> None:
    import av

    page = render(store, options())
    assert "<mark>取消</mark>" in page and page.count("<audio") > 0
    uri = re.search(r'src="data:audio/mpeg;base64,([^"]+)"', page)
    assert uri is not None
    with av.open(io.BytesIO(base64.b64decode(uri[1]))) as sound:
        assert 0.5 < (sound.duration or 0) / 1e6 < 20
    assert "<audio" not in render(store, options(max_clips=0))
    assert render(store, options(max_clips=1)).count("<audio") == 1


def poisoned(run: AuditRun) -> AuditRun:
    """The same call with markup in everything that people and recognisers can write."""
    call = dataclasses.replace(
        run.conversation.call, agent_name=EVIL, team=EVIL, product=EVIL, customer_name=EVIL, call_id="<b>evil"
    )
    turns = tuple(dataclasses.replace(turn, raw=EVIL, text=EVIL, to_raw=tuple(range(len(EVIL)))) for turn in run.conversation.turns)
    conversation: Conversation = dataclasses.replace(run.conversation, call=call, turns=turns)
    evidence = (Evidence(kind=EvidenceKind.HIT, quote=EVIL, heard_as=EVIL, note=EVIL, turn=0),)
    outcomes = tuple(
        Outcome(clause="A04", rule_id=EVIL, title=EVIL, verdict=verdict, reason=EVIL, evidence=evidence, ordinal=number)
        for number, verdict in enumerate(Verdict)
    )
    return dataclasses.replace(run, run_id="revil", conversation=conversation, outcomes=outcomes)


def test_whatever_is_said_nothing_runs(store: Store) -> None:
    run = store.load_run("S001")
    assert run is not None
    store.save([poisoned(run)], BatchInfo(batch_id="evil", started_at="2026-11-21T12:00:00"))
    failures = (Failure(call_id=EVIL, stage="intake", message=EVIL),)
    page = render(store, options(calls=frozenset({"<b>evil"}), failures=failures))
    assert "<script" not in page and "<b>evil" not in page and "alert(&#39;" in page and "{{ 7*7 }}" in page


def test_a_recording_that_has_gone_is_told(store: Store, tmp_path: Path) -> None:
    for path in (tmp_path / "day").glob("S0*"):
        path.unlink()
    page = render(store, options())
    assert "<audio" not in page and "不在原来的位置或已读不了，没有片段" in page


def test_no_calls_make_a_page_too(store: Store) -> None:
    assert "没有发现违规" in render(store, options(calls=frozenset()))


def test_details_are_bounded(store: Store) -> None:
    page = render(store, options(max_calls=1))
    assert page.count('<section class="call"') == 1 and "另外 2 通只在上面的表里" in page


@pytest.mark.parametrize(
    ("start_s", "end_s", "is_there"), [(0.5, 1.0, True), (None, 1.0, False), (1.99, 5.0, True), (9.0, 9.5, False)]
)
def test_clips_at_the_edges(tmp_path: Path, start_s: float | None, end_s: float, is_there: bool) -> None:
    clips = Clips(str(tone(tmp_path / "t.wav", 2, channels=2)))
    assert bool(clips.cut(start_s, end_s, 1)) is is_there
    assert Clips(None).cut(0.0, 1.0, None) == ""
