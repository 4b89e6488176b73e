"""What pipeline, casework and pages rely on, whatever backend holds the data."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import store_make as make

from qa_pipeline.errors import StoreError
from qa_pipeline.model import Evidence, EvidenceKind, Outcome, Verdict
from qa_pipeline.store import BatchEnd, Failure, FileFact, Judged, Store
from qa_pipeline.store.codec import digest, engine_digest


def rows(store: Store, query: str) -> list[tuple[object, ...]]:
    with store.read() as connection:
        return connection.execute(query).fetchall()


def test_a_run_comes_back_whole(store: Store) -> None:
    run = make.run()
    assert store.save([run], make.BATCH) == 1
    assert store.load_run("call-00001") == run
    assert store.load_run_by_id(run.run_id) == run
    assert store.load_call("call-00001") == run.conversation.call
    assert store.recordings([run.provenance.audio_hash, "other"]) == {run.provenance.audio_hash: run.recording}


def test_an_empty_store_answers_without_a_file(store: Store) -> None:
    assert store.load_run("x") is None
    assert store.load_run_by_id("x") is None
    assert store.load_call("x") is None
    assert store.known_runs(["x"]) == set()
    assert store.judged("rules-1", "1.0") == frozenset()
    assert list(store.iter_runs()) == []
    assert store.recordings(["x"]) == {}
    assert store.file_facts(["x"]) == {}
    assert store.transcripts.kept(["x"])["x"](make.ENGINE) is None
    assert store.transcripts.known(["x"], make.ENGINE) == set()
    assert not store.path.exists()
    with pytest.raises(StoreError, match="还没有数据库"), store.read():
        pass


def test_the_same_run_is_stored_once(store: Store) -> None:
    runs = [make.run(1), make.run(2)]
    assert store.save([*runs, runs[0]], make.BATCH) == 2
    assert store.save(runs, replace(make.BATCH, batch_id="b2")) == 0
    assert store.known_runs([runs[0].run_id, runs[1].run_id, "other"]) == {run.run_id for run in runs}
    counted = "SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM outcomes), (SELECT count(*) FROM conversation_turns)"
    assert rows(store, counted) == [(2, 10, 4)]
    assert rows(store, "SELECT count(*) FROM run_log") == [(2,)]
    assert rows(store, "SELECT count(*) FROM call_versions") == [(2,)]


def test_the_latest_run_is_current_and_the_old_one_stays(store: Store) -> None:
    old, new = make.run(1, version=1), make.run(1, version=2)
    store.save([old], make.BATCH)
    store.save([new], make.BATCH)
    assert store.load_run("call-00001") == new
    assert store.load_run_by_id(old.run_id) == old
    store.save([old], make.BATCH)  # back to the old rules: the stored run is current again, nothing is stored twice
    assert store.load_run("call-00001") == old
    assert rows(store, "SELECT run_id FROM run_log ORDER BY seq") == [(old.run_id,), (new.run_id,), (old.run_id,)]
    assert rows(store, "SELECT count(*) FROM runs") == [(2,)]
    assert rows(store, "SELECT count(*) FROM conversations") == [(1,)]


def test_two_runs_of_one_call_in_one_save(store: Store) -> None:
    old, new = make.run(1, version=1), make.run(1, version=2)
    assert store.save([old, new], make.BATCH) == 2
    assert store.load_run("call-00001") == new


def test_iteration_by_date(store: Store) -> None:
    days = {1: "2026-11-01T23:59:59", 2: "2026-11-02T00:00:00", 3: "2026-11-03T12:00:00", 4: None}
    runs = {number: make.run(number, started_at=day) for number, day in days.items()}
    store.save(list(runs.values()), make.BATCH)
    bare = {number: replace(run, transcript=None) for number, run in runs.items()}
    assert list(store.iter_runs()) == [bare[1], bare[2], bare[3], bare[4]]
    assert list(store.iter_runs(date_from="2026-11-02")) == [bare[2], bare[3]]
    assert list(store.iter_runs(date_to="2026-11-02")) == [bare[1], bare[2]]
    assert list(store.iter_runs(date_from="2026-11-02", date_to="2026-11-02")) == [bare[2]]


def test_iteration_holds_no_connection(store: Store) -> None:
    store.save([make.run(1), make.run(2)], make.BATCH)
    seen = 0
    for _ in store.iter_runs():
        seen += 1
        store.save([make.run(10 + seen)], make.BATCH)
    assert seen == 2


def test_judged_tells_what_need_not_be_done_again(store: Store) -> None:
    run = make.run(1)
    store.save([run], make.BATCH)
    done = Judged(
        call_id="call-00001",
        audio_hash=run.provenance.audio_hash,
        engine_digest=engine_digest(make.ENGINE),
        call_digest=digest(run.conversation.call),
    )
    assert store.judged("rules-1", "1.0") == {done}
    assert store.judged("rules-2", "1.0") == frozenset()


def test_calls_are_known_before_they_are_heard(store: Store) -> None:
    first, changed = make.call(1), make.call(1, complaint=True)
    store.save_calls([first, make.call(2)], make.BATCH)
    store.save_calls([first], make.BATCH)
    assert rows(store, "SELECT count(*) FROM call_versions") == [(2,)]
    store.save_calls([changed], make.BATCH)
    assert store.load_call("call-00001") == changed
    assert rows(store, "SELECT call_id, complaint FROM calls ORDER BY call_id") == [("call-00001", True), ("call-00002", None)]
    store.save_calls([first], make.BATCH)  # the manifest was put right again
    assert store.load_call("call-00001") == first
    assert rows(store, "SELECT count(*) FROM call_versions") == [(4,)]


def test_a_strange_time_stops_nothing(store: Store) -> None:
    odd = make.call(1, started_at="昨天上午")
    store.save_calls([odd], make.BATCH)
    assert store.load_call("call-00001") == odd
    assert rows(store, "SELECT started_at FROM calls") == [(None,)]


def test_transcripts_are_kept_by_hash_and_engine(store: Store) -> None:
    heard = make.transcript(1)
    other = replace(make.ENGINE, options=(("beam", "1"),))
    store.transcripts.put([heard, heard])
    store.transcripts.put([heard])
    kept = store.transcripts.kept([heard.audio_hash, "x"])
    assert (kept[heard.audio_hash](make.ENGINE), kept[heard.audio_hash](other), kept["x"](make.ENGINE)) == (heard, None, None)
    assert store.transcripts.kept([]) == {}
    assert store.transcripts.known([heard.audio_hash, "x"], make.ENGINE) == {heard.audio_hash}
    assert rows(store, "SELECT count(*) FROM transcripts") == [(1,)]


def test_failures_batches_and_files(store: Store) -> None:
    failure = Failure(call_id="call-9", stage="intake", message="文件是空的", file="a.wav")
    store.save_failures([failure, replace(failure, call_id="call-8")], make.BATCH)
    store.end_batch(
        BatchEnd(batch_id="b1", finished_at="2026-11-02T09:30:00", done=3, skipped=1, failed=2, audio_s=99.5, seconds=7.5)
    )
    listed = rows(store, "SELECT seq, batch_id, call_id, file, stage, message FROM failures ORDER BY seq")
    assert listed == [(1, "b1", "call-9", "a.wav", "intake", "文件是空的"), (2, "b1", "call-8", "a.wav", "intake", "文件是空的")]
    assert rows(store, "SELECT command, source, done, skipped, failed, audio_s FROM batches JOIN batch_ends USING (batch_id)") == [
        ("run", "recordings", 3, 1, 2, 99.5)
    ]
    old, new = (FileFact(path="a.wav", size=size, mtime_ns=7, audio_hash=f"h{size}") for size in (1, 2))
    store.put_file_facts([old, replace(old, path="b.wav")])
    store.put_file_facts([new])
    assert store.file_facts(["a.wav", "b.wav", "c.wav"]) == {"a.wav": new, "b.wav": replace(old, path="b.wav")}


def test_plain_sql_gives_the_columns_of_the_exports(store: Store) -> None:
    run = make.run()
    store.save([run], make.BATCH)
    findings = """SELECT call_id, agent_id, clause, rule_id, title, verdict, review, role, turn, start_s, end_s, quote, heard_as,
        reason, confidence, points, fine_yuan::VARCHAR, supervisor_fine_yuan::VARCHAR, sanction, rules_digest, run_id
        FROM verdicts WHERE verdict IN ('违规', '无法判定') ORDER BY clause"""
    common = ("rules-1", run.run_id)
    assert rows(store, findings) == [
        (
            *("call-00001", "1001", "A04", "A04", "服务忌语", "违规", False, "agent", 0, 1.5, 2.5, "有意见您就告去", "有意见告去"),
            *("说了忌语", 0.9, 10, "10.00", "0.00", ""),
            *common,
        ),
        (
            *("call-00001", "1001", "A11", "A11", "未说明资费", "违规", True, None, None, 0.0, 70.25, "", ""),
            *("全程没有资费", None, 0, "0.00", "0.00", ""),
            *common,
        ),
        (
            *("call-00001", "1001", "B8", "B8", "异网号码", "无法判定", False, None, None, None, None, None, None),
            *("没有主叫号码", None, 0, "0.00", "0.00", ""),
            *common,
        ),
    ]
    scores = """SELECT call_id, agent_id, team, started_at::VARCHAR, duration_s, score, qualified, fatal, violations, not_evaluated,
        fine_yuan::VARCHAR, provisional, run_id FROM scores"""
    assert rows(store, scores) == [
        ("call-00001", "1001", "一组", "2026-11-02 10:03:00", 70.25, 0, False, True, 2, 1, "60.00", True, run.run_id)
    ]
    turns = "SELECT call_id, turn, role, role_source, start_s, end_s, text, confidence FROM turns ORDER BY turn"
    assert rows(store, turns) == [
        ("call-00001", 0, "agent", "channel", 0.4, 2.5, "您好,这里是10088", 0.89),
        ("call-00001", 1, "customer", "cues", 3.0, 3.8, "不用了", None),
    ]


def test_identity_numbers_are_covered_in_findings(store: Store) -> None:
    said = "身份证是 510502 19900101 1234 对吧"
    hit = Evidence(kind=EvidenceKind.HIT, quote=said, turn=0)
    finding = Outcome(clause="A08", rule_id="A08", title="泄露资料", verdict=Verdict.VIOLATION, reason=said, evidence=(hit,))
    clean = make.run()
    store.save([replace(clean, outcomes=(finding,))], make.BATCH)
    stored = rows(store, "SELECT quote, reason FROM findings")
    hidden = "身份证是 510***************34 对吧"
    assert stored == [(hidden, hidden)]
    loaded = store.load_run("call-00001")
    assert loaded is not None
    assert loaded.outcomes == (replace(finding, reason=hidden, evidence=(replace(hit, quote=hidden),)),)


def test_a_block_that_raises_writes_nothing(store: Store) -> None:
    store.save([make.run(1)], make.BATCH)
    with pytest.raises(KeyboardInterrupt), store.write() as connection:
        connection.execute("INSERT INTO files VALUES ('a', 1, 1, 'h')")
        raise KeyboardInterrupt
    assert rows(store, "SELECT count(*) FROM files") == [(0,)]


def test_a_read_inside_a_write_sees_the_transaction(store: Store) -> None:
    with store.write() as connection:
        connection.execute("INSERT INTO files VALUES ('a', 1, 1, 'h')")
        assert rows(store, "SELECT path FROM files") == [("a",)]
        with pytest.raises(StoreError, match="不能嵌套"), store.write():
            pass
    assert rows(store, "SELECT path FROM files") == [("a",)]


def test_threads_of_one_process_take_turns(store: Store) -> None:
    store.save([make.run(0)], make.BATCH)
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for step in range(3):
                store.save([make.run(100 * number + step)], make.BATCH)
                assert store.load_run("call-00000") is not None
        except BaseException as error:
            problems.append(error)

    patient = [threading.Thread(target=work, args=(number,)) for number in range(1, 4)]
    store_patience = getattr(store, "_connections", None)
    if store_patience is not None:
        store_patience._patience_s = 30.0
    for thread in patient:
        thread.start()
    for thread in patient:
        thread.join()
    assert problems == []
    assert rows(store, "SELECT count(*) FROM runs") == [(10,)]
