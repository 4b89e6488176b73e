"""The main job with the real stages but recorded hearing: everything done once, interrupted anywhere, the same every time."""

from __future__ import annotations

import dataclasses
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from qa_pipeline.errors import ManifestError, StoreError, StoreLockedError
from qa_pipeline.export import Wanted, export
from qa_pipeline.hearing import Heard, Hearing
from qa_pipeline.judge import Judge
from qa_pipeline.model import AuditRun, Conversation, Evidence, EvidenceKind, Outcome, Verdict
from qa_pipeline.pipeline import Pipeline, RunResult
from qa_pipeline.rescore import difference, rescore
from qa_pipeline.resources import rules_dir, samples_dir
from qa_pipeline.scoring import load_policy
from qa_pipeline.source import open_source
from qa_pipeline.store import BatchInfo, Store, open_store
from tests.app.support import Silent, TruthRecogniser, tone

CALLS = ("S001", "S002", "S003", "S010")
NOON = datetime(2026, 11, 21, 12, 0)


def said(conversation: Conversation) -> tuple[Outcome, ...]:
    """A rule book of one rule: the agent says 取消."""
    hits = [turn for turn in conversation.turns if "取消" in turn.text]
    if not hits:
        return (Outcome(clause="A04", rule_id="a", title="取消", verdict=Verdict.CLEAR, reason="没有说"),)
    return tuple(
        Outcome(
            clause="A04",
            rule_id="a",
            title="取消",
            verdict=Verdict.VIOLATION,
            reason="说了",
            ordinal=ordinal,
            evidence=(
                Evidence(
                    kind=EvidenceKind.HIT, quote="取消", turn=turn.index, role=turn.role, start_s=turn.start_s, end_s=turn.end_s
                ),
            ),
        )
        for ordinal, turn in enumerate(hits)
    )


def judge(rules: str = "v1", audit: object = said) -> Judge:
    return Judge(audit=audit, policy=load_policy(rules_dir() / "policy.yaml"), rules_digest=rules, version="1")  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four sample calls with their manifest rows."""
    target = tmp_path / "day"
    target.mkdir()
    lines = (samples_dir() / "manifest.csv").read_text(encoding="utf-8-sig").splitlines()
    kept = [lines[0], *(line for line in lines if line.split(",")[0] in CALLS)]
    (target / "manifest.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    for call in CALLS:
        source = next(samples_dir().glob(f"{call}.*"))
        shutil.copy(source, target / source.name)
    return target


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "qa.duckdb", patience_s=0.2)


def clock() -> Iterator[datetime]:
    number = 0
    while True:
        yield NOON.replace(microsecond=number)
        number += 1


TIMES = clock()


def run(folder: Path, store: Store, recogniser: TruthRecogniser | None = None, **more: object) -> tuple[RunResult, TruthRecogniser]:
    recogniser = recogniser or TruthRecogniser()
    options: dict[str, object] = {"judge": judge(), "progress": Silent(), **more}
    pipeline = Pipeline(store=store, recogniser=recogniser, now=lambda: next(TIMES), **options)  # type: ignore[arg-type]
    return pipeline.run(open_source(folder, None, {})), recogniser


def rows(store: Store, kind: str = "findings") -> list[tuple[object, ...]]:
    return list(export(store, Wanted(kind=kind)).rows)


def dicts(store: Store, kind: str) -> list[dict[str, object]]:
    table = export(store, Wanted(kind=kind))
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_a_folder_becomes_stored_verdicts(folder: Path, store: Store) -> None:
    result, recogniser = run(folder, store)
    assert (result.calls, result.done, result.skipped, result.failures, result.from_cache) == (CALLS, 4, 0, (), 0)
    assert result.audio_s == pytest.approx(72.5 + 57.3 + 60.8 + 30.2, abs=5)
    assert recogniser.heard == ["S001.wav", "S002.mp3", "S003.wav", "S010.wav"]
    loaded = store.load_run("S001")
    assert loaded is not None and loaded.transcript is not None and loaded.recording is not None
    assert loaded.recording.path == str(folder / "S001.wav")
    assert [row[0] for row in rows(store, "scores")] == list(CALLS)
    assert {row[0] for row in rows(store)} == {"S001", "S002"}


def test_a_second_run_does_nothing(folder: Path, store: Store) -> None:
    run(folder, store)
    before = rows(store)
    result, recogniser = run(folder, store)
    assert (result.calls, result.done, result.skipped, recogniser.heard) == (CALLS, 0, 4, [])
    assert rows(store) == before
    with store.read() as connection:
        assert connection.execute("SELECT count(*) FROM batches").fetchone() == (1,)


def test_unchanged_files_are_not_even_read_again(folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run(folder, store)
    monkeypatch.setattr("qa_pipeline.intake.decode.audio_hash", lambda path: pytest.fail(f"{path} was read"))
    assert run(folder, store)[0].skipped == 4


def test_a_touched_file_is_named_again_but_not_heard_again(folder: Path, store: Store) -> None:
    run(folder, store)
    os.utime(folder / "S001.wav", (1, 1))
    result, recogniser = run(folder, store)
    assert (result.skipped, recogniser.heard) == (4, [])


def test_other_rules_judge_again_without_hearing(folder: Path, store: Store) -> None:
    run(folder, store)
    result, recogniser = run(folder, store, judge=judge("v2"))
    assert (result.done, result.from_cache, recogniser.heard) == (4, 4, [])


def test_changed_call_data_judge_that_call_again(folder: Path, store: Store) -> None:
    run(folder, store)
    manifest = folder / "manifest.csv"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("林晓雨", "林晓霞"), encoding="utf-8")
    result, recogniser = run(folder, store)
    assert (result.done, result.skipped, result.from_cache, recogniser.heard) == (1, 3, 1, [])


def test_without_the_cache_everything_is_heard_again(folder: Path, store: Store) -> None:
    run(folder, store)
    result, recogniser = run(folder, store, cache=False)
    assert (result.done, len(recogniser.heard)) == (4, 4)


def test_the_limit_counts_only_new_calls(folder: Path, store: Store) -> None:
    assert run(folder, store, limit=1)[0].calls == ("S001",)
    assert run(folder, store, limit=2)[0].calls == ("S001", "S002", "S003")


def test_the_same_recording_of_two_calls_is_heard_once(folder: Path, store: Store) -> None:
    manifest = folder / "manifest.csv"
    line = next(line for line in manifest.read_text(encoding="utf-8").splitlines() if line.startswith("S001,"))
    manifest.write_text(
        manifest.read_text(encoding="utf-8") + line.replace("S001,S001.wav", "S901,S901.wav") + "\n", encoding="utf-8"
    )
    shutil.copy(folder / "S001.wav", folder / "S901.wav")
    result, recogniser = run(folder, store)
    assert result.calls == (*CALLS, "S901") and len(recogniser.heard) == 4


def test_interrupted_in_the_middle_what_was_heard_is_kept(folder: Path, store: Store) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(folder, store, TruthRecogniser(stop_after=2), progress=(told := Silent()))
    assert told.told[-1] == ("interrupted", 2, 0, 2)
    assert [row[0] for row in rows(store, "scores")] == ["S001", "S002"]
    result, recogniser = run(folder, store)
    assert (result.done, result.skipped, recogniser.heard) == (2, 2, ["S003.wav", "S010.wav"])


def test_interrupted_while_calls_are_judged_abreast_what_was_heard_is_not_heard_again(folder: Path, store: Store) -> None:
    """Judging waits for the second listening while hearing goes on: what the bar counts as heard has no verdict yet."""
    stopped = threading.Event()

    class Abreast(TruthRecogniser):
        def hear(self, paths: Sequence[str]) -> Iterator[Hearing]:
            try:
                yield from super().hear(paths)
            finally:
                stopped.set()

        def listeners(self) -> int:
            return 4

    def late(conversation: Conversation) -> tuple[Outcome, ...]:
        if conversation.call.call_id != "S001":
            stopped.wait(20)
        return said(conversation)

    told = Silent()
    with pytest.raises(KeyboardInterrupt):
        run(folder, store, Abreast(stop_after=3), judge=judge(audit=late), progress=told)
    stored = [row[0] for row in rows(store, "scores")]
    assert stored in ([], ["S001"])  # as fast as the first was judged
    assert told.told[-1] == ("interrupted", len(stored), 3 - len(stored), 1)
    result, recogniser = run(folder, store)
    assert (result.calls, result.from_cache, recogniser.heard) == (CALLS, 3 - len(stored), ["S010.wav"])


def test_interrupted_and_finished_is_the_same_as_done_at_once(folder: Path, store: Store, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(folder, store, TruthRecogniser(stop_after=3))
    run(folder, store)
    other = open_store(tmp_path / "other.duckdb")
    run(folder, other)
    for kind in ("findings", "scores", "transcripts", "penalties"):
        assert rows(store, kind) == rows(other, kind)


def test_the_exported_money_adds_up_to_the_scores(folder: Path, store: Store) -> None:
    def dear(conversation: Conversation) -> tuple[Outcome, ...]:
        found = {"S001": ("A11", "A01"), "S002": ("A01", "B6")}.get(conversation.call.call_id, ())
        return tuple(Outcome(clause=c, rule_id=c, title=c, verdict=Verdict.VIOLATION, reason="", review=c == "B6") for c in found)

    run(folder, store, judge=judge(audit=dear))
    fines = {row["call_id"]: row["fine_yuan"] for row in dicts(store, "scores")}
    lines = [row for row in dicts(store, "penalties") if row["counted"]]
    assert fines == {call: sum(row["fine_yuan"] for row in lines if row["call_id"] == call) for call in CALLS}
    assert [(row["call_id"], row["clause"], row["fine_yuan"]) for row in lines] == [
        ("S001", "A01", 10), ("S001", "A11", 0), ("S001", "不合格工单", 50), ("S002", "A01", 10)
    ]  # fmt: skip
    assert [(row["call_id"], row["clause"], row["points"], row["fine_yuan"], row["review"]) for row in dicts(store, "findings")] == [
        ("S001", "A01", 10, 10, False), ("S001", "A11", 10, 0, False), ("S002", "A01", 10, 10, False), ("S002", "B6", 0, 0, True)
    ]  # fmt: skip


def test_a_transcript_without_its_recording_on_record_is_only_decoded(folder: Path, store: Store) -> None:
    """Killed between keeping a transcript and keeping the verdict."""
    answers = list(TruthRecogniser().hear([str(folder / "S001.wav")]))
    store.transcripts.put([answer.transcript for answer in answers if answer.transcript is not None])
    result, recogniser = run(folder, store)
    assert (result.done, result.from_cache) == (4, 1)
    assert "S001.wav" not in recogniser.heard


def test_bad_recordings_are_told_and_the_others_go_on(folder: Path, store: Store) -> None:
    (folder / "S001.wav").write_text("这不是录音", encoding="utf-8")
    (folder / "S002.mp3").write_bytes(b"")
    (folder / "S003.wav").unlink()
    result, _ = run(folder, store)
    assert result.calls == ("S010",)
    told = {failure.call_id: failure.message for failure in result.failures}
    assert "不是可识别的录音" in told["S001"] and "0 字节" in told["S002"] and "找不到录音文件" in told["S003"]
    with store.read() as connection:
        assert connection.execute("SELECT count(*) FROM failures").fetchone() == (3,)


def test_a_fault_of_ours_takes_only_its_call_down(folder: Path, store: Store) -> None:
    def broken(conversation: Conversation) -> tuple[Outcome, ...]:
        if conversation.call.call_id == "S002":
            raise ZeroDivisionError("x")
        return said(conversation)

    result, _ = run(folder, store, judge=judge(audit=broken))
    assert result.calls == ("S001", "S003", "S010")
    assert [(item.call_id, item.stage) for item in result.failures] == [("S002", "audit")]
    assert "请把这条信息报告给维护者" in result.failures[0].message
    again, recogniser = run(folder, store)
    assert (again.done, again.from_cache, recogniser.heard) == (1, 1, [])


def test_the_second_listening_may_change_outcomes(folder: Path, store: Store) -> None:
    heard: list[Heard] = []

    def relisten(conversation: Conversation, outcomes: tuple[Outcome, ...], what: Heard) -> tuple[Outcome, ...]:
        heard.append(what)
        return tuple(dataclasses.replace(item, verdict=Verdict.CLEAR, reason="复听后撤销") for item in outcomes)

    run(folder, store, judge=dataclasses.replace(judge(), relisten=relisten))
    assert [what.path for what in heard] == [str(folder / name) for name in ("S001.wav", "S002.mp3", "S003.wav", "S010.wav")]
    assert rows(store) == []


def test_progress_knows_audio_seconds_and_failures(folder: Path, store: Store) -> None:
    (folder / "S003.wav").write_text("x", encoding="utf-8")
    told = Silent()
    run(folder, store, progress=told)
    assert told.told[0] == ("identifying", 4)
    stage, calls, audio_s = told.told[2]
    assert (stage, calls) == ("hearing", 4) and audio_s == pytest.approx(160, abs=6)  # type: ignore[comparison-overlap]
    assert [item[1] for item in told.told[3:]] == list(CALLS)
    assert "不是可识别的录音" in str(told.told[5])


@pytest.mark.parametrize(
    ("name", "message"), [("none", "没有这个文件夹"), ("file.wav", "这是一个文件"), ("empty", "文件夹里没有录音")]
)
def test_no_calls_is_told_with_what_to_do(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    tone(tmp_path / "file.wav", 1)
    with pytest.raises(ManifestError, match=message):
        open_source(tmp_path / name, None, {})


def test_a_manifest_without_usable_rows_tells_its_lines(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("call_id,file\nA,\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"没有可以处理的通话。\n.*manifest.csv:2:"):
        open_source(tmp_path, None, {})


@pytest.mark.parametrize("kind", ["silence", "tone", "short"])
def test_recordings_without_speech_are_judged_not_refused(tmp_path: Path, store: Store, kind: str) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    tone(folder / "odd.wav", 0.2 if kind == "short" else 5, level=0.0 if kind == "silence" else 0.3, channels=2)
    result, _ = run(folder, store)
    assert (result.calls, result.failures) == (("odd",), ())


def test_a_locked_store_is_named_before_anything_is_heard(folder: Path, store: Store) -> None:
    import subprocess
    import sys

    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", hold, str(store.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    recogniser = TruthRecogniser()
    try:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(StoreLockedError, match="正被另一个程序占用"):
            run(folder, store, recogniser)
    finally:
        other.communicate("")
    assert recogniser.heard == []


def test_a_store_that_is_busy_at_the_end_loses_nothing(folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(runs: object, batch: object) -> int:
        raise StoreLockedError("正被另一个程序占用")

    with monkeypatch.context() as patch:
        patch.setattr(store, "save", busy)
        with pytest.raises(StoreLockedError, match=r"已识别的 4 通暂存在 .*qa\.duckdb.waiting，下次运行会自动入库"):
            run(folder, store)
    result, recogniser = run(folder, store)
    assert (result.calls, result.done, result.skipped, recogniser.heard) == (CALLS, 0, 4, [])
    assert not (folder.parent / "qa.duckdb.waiting").exists()


def test_a_store_that_is_busy_for_a_while_is_tried_again(folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    save, refusals = store.save, iter((True, True))

    def busy_twice(runs: list[AuditRun], batch: BatchInfo) -> int:
        if next(refusals, False):
            raise StoreLockedError("正被另一个程序占用")
        return save(runs, batch)

    monkeypatch.setattr("qa_pipeline.pipeline.BATCH_CALLS", 1)
    monkeypatch.setattr(store, "save", busy_twice)
    assert run(folder, store)[0].done == 4
    assert [row[0] for row in rows(store, "scores")] == list(CALLS)


def test_a_full_disk_says_what_is_lost(folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> int:
        raise StoreError("磁盘已满，数据库没有写成。")

    def no_room(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "save", full)
    monkeypatch.setattr("qa_pipeline.tables.write_whole", no_room)
    with pytest.raises(StoreError, match="磁盘已满，数据库没有写成。\n最后 4 通没有存下，下次要重新识别"):
        run(folder, store)


def test_rescoring_stores_and_the_difference_only_tells(folder: Path, store: Store) -> None:
    run(folder, store)

    def other(conversation: Conversation) -> tuple[Outcome, ...]:
        """Forgives S001 and accuses S003."""
        if conversation.call.call_id == "S003":
            return (Outcome(clause="A11", rule_id="b", title="资费", verdict=Verdict.VIOLATION, reason="没有"),)
        return () if conversation.call.call_id == "S001" else said(conversation)

    before = rows(store, "scores")
    hits = sum(1 for row in rows(store) if row[0] == "S001")
    found = difference(store, judge("v2", other))
    assert rows(store, "scores") == before
    assert found.clauses == {"A04": (0, hits), "A11": (1, 0)}
    assert (found.calls, found.changed_calls) == (4, 2)
    assert [(item.call_id, item.clause, item.kind) for item in found.changes] == [
        *[("S001", "A04", "撤销")] * hits,
        ("S003", "A11", "新增"),
    ]
    agents = {"8012": (10 * hits, 0), "8107": (0, 50)}
    assert {agent: (one.fine_before, one.fine_after) for agent, one in found.agents.items() if one.flagged or one.cleared} == agents
    assert found.agents["8107"].score_after == 0
    assert (rescore(store, judge("v2", other), NOON).new, rescore(store, judge("v2", other), NOON).new) == (4, 0)
    assert difference(store, judge("v2", other)).changed_calls == 0
