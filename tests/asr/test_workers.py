"""Worker processes: order kept, one bad recording takes only itself down, nothing is left running."""

from __future__ import annotations

import time
import wave
from pathlib import Path

import psutil
import pytest

from qa_pipeline.asr import plan, workers
from qa_pipeline.asr.plan import Result
from qa_pipeline.asr.workers import WorkerPool, worker_count
from qa_pipeline.config import AsrSettings
from qa_pipeline.errors import ModelError, StageError
from qa_pipeline.model import ChannelSpan
from tests.asr.engines_for_tests import open_broken, open_deadly, open_fake

TWO = AsrSettings(device="cpu", workers=2)
SPAN = ChannelSpan(channel=0, start_s=0.0, end_s=0.1)


def files(folder: Path, *names: str) -> list[tuple[str, Path]]:
    """Short real recordings; a name that begins with ``text`` is none."""
    items = []
    for number, name in enumerate(names):
        path = folder / f"{name}.wav"
        if name.startswith("text"):
            path.write_text("这不是录音")
        else:
            with wave.open(str(path), "wb") as out:
                out.setnchannels(1)
                out.setsampwidth(2)
                out.setframerate(8000)
                out.writeframes(number.to_bytes(2, "little") * 800)
        items.append((f"key-{name}", path))
    return items


def heard(result: Result) -> tuple[str, str]:
    """Key, and the text or the stage of the failure."""
    if result.error is not None:
        assert (result.recording, result.transcript) == (None, None)
        return result.key, f"({result.error.stage})"
    assert result.transcript is not None and result.recording is not None
    assert result.recording.path == str(result.path)
    return result.key, result.transcript.segments[0].text


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())]


def children_once_started(count: int) -> list[psutil.Process]:
    """For a moment a new process still has the command line of this one."""
    for _ in range(100):
        if len(children()) >= count:
            break
        time.sleep(0.05)
    return children()


def test_results_come_in_order_from_all_workers(tmp_path: Path) -> None:
    names = [f"n{number:02}" for number in range(30)]
    told: list[tuple[str, float]] = []
    with WorkerPool(TWO, open_fake) as pool:
        results = list(pool.hear(files(tmp_path, *names), lambda key, seconds: told.append((key, seconds))))
        assert len(children()) == 2
    assert [heard(result) for result in results] == [(f"key-{name}", name) for name in names]
    assert sorted(told) == [(f"key-{name}", 0.1) for name in names]
    assert children() == []


def test_a_recording_that_kills_its_worker_takes_only_itself_down(tmp_path: Path) -> None:
    names = [*(f"a{number}" for number in range(9)), "kill", *(f"b{number}" for number in range(9))]
    with WorkerPool(TWO, open_fake) as pool:
        results = list(pool.hear(files(tmp_path, *names)))
    assert [heard(result) for result in results] == [(f"key-{name}", "(asr)" if name == "kill" else name) for name in names]
    assert str(results[9].error) == (
        f"{tmp_path / 'kill.wav'}：识别进程两次在这段录音上意外退出，已跳过。其他录音不受影响；请检查文件是否损坏、内存是否足够。"
    )


def test_a_worker_that_dies_by_accident_costs_nothing(tmp_path: Path) -> None:
    with WorkerPool(TWO, open_fake) as pool:
        results = list(pool.hear(files(tmp_path, "a", "once", "b", "c")))
    assert [heard(result) for result in results] == [("key-a", "a"), ("key-once", "once"), ("key-b", "b"), ("key-c", "c")]


def test_an_error_of_the_engine_and_a_file_that_is_no_audio_are_failures_of_their_own(tmp_path: Path) -> None:
    names = [*(f"a{number}" for number in range(20)), "raise", "text", *(f"b{number}" for number in range(20))]
    with WorkerPool(AsrSettings(device="cpu", workers=1), open_fake) as pool:
        results = list(pool.hear(files(tmp_path, *names)))
    expected = {"raise": "(asr)", "text": "(intake)"}
    assert [heard(result) for result in results] == [(f"key-{name}", expected.get(name, name)) for name in names]
    assert "RuntimeError: out of ideas" in str(results[20].error)


def test_a_model_that_cannot_be_opened_is_one_error(tmp_path: Path) -> None:
    with WorkerPool(TWO, open_broken) as pool, pytest.raises(ModelError, match="模型坏了，请重装。"):
        list(pool.hear(files(tmp_path, "a", "b")))
    assert children() == []


def test_processes_that_die_while_starting_are_not_started_for_ever(tmp_path: Path) -> None:
    with WorkerPool(TWO, open_deadly) as pool, pytest.raises(ModelError, match="识别进程一启动就退出（退出码 -9）"):
        list(pool.hear(files(tmp_path, "a", "b", "c", "d", "e", "f")))
    assert children() == []


def test_leaving_early_ends_the_processes(tmp_path: Path) -> None:
    with WorkerPool(TWO, open_fake) as pool:
        results = pool.hear(files(tmp_path, "a", "slow", "b", "c"))
        assert heard(next(results)) == ("key-a", "a")
        began = time.monotonic()
        results.close()  # type: ignore[attr-defined]
        assert children() == []
        assert time.monotonic() - began < 10
        assert [heard(result) for result in pool.hear(files(tmp_path, "again"))] == [
            ("key-again", "again")
        ]  # and it can begin anew


def test_a_slow_consumer_is_not_run_away_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "AHEAD", 1)
    monkeypatch.setattr(plan, "BATCH", 2)
    portions = plan.Plan(files(tmp_path, *(f"n{number}" for number in range(20))), 2)
    taken = [portions.take(0) for _ in range(6)]
    assert taken == [(0, 1), (2, 3), (4, 5), (), (), ()]
    assert portions.take(2) == (6, 7)


def test_portions_shrink_towards_the_end_so_that_all_workers_finish_together(tmp_path: Path) -> None:
    portions = plan.Plan([("k", tmp_path)] * 40, 2)
    sizes = []
    while portion := portions.take(40):
        sizes.append(len(portion))
    assert sizes == [8, 8, 6, 4, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1]


def test_nothing_to_hear_starts_nothing() -> None:
    with WorkerPool(TWO, open_fake) as pool:
        assert list(pool.hear([])) == []
        assert children() == []


def test_a_span_is_heard_again_with_its_hotwords(tmp_path: Path) -> None:
    [(_, path), (_, deadly), (_, no_audio)] = files(tmp_path, "a", "kill", "text")
    with WorkerPool(TWO, open_fake) as pool:
        answers = pool.listen(path, ((SPAN, ("工号",)), (SPAN, ())))
        assert [[segment.text for segment in answer] for answer in answers] == [["a 工号"], ["a "]]
        with pytest.raises(StageError, match="重听时识别进程意外退出"):
            pool.listen(deadly, ((SPAN, ()),))
        with pytest.raises(StageError, match="不是可识别的录音"):
            pool.listen(no_audio, ((SPAN, ()),))
        assert len(pool.listen(path, ((SPAN, ()),))) == 1


def test_one_can_listen_while_all_workers_are_busy(tmp_path: Path) -> None:
    items = files(tmp_path, "a", "slow1", "slow2")
    with WorkerPool(TWO, open_fake) as pool:
        results = pool.hear(items)
        assert heard(next(results)) == ("key-a", "a")
        assert [[one.text for one in answer] for answer in pool.listen(items[0][1], ((SPAN, ("工号",)),))] == [["a 工号"]]
        assert len(children()) == 3
        results.close()  # type: ignore[attr-defined]
    assert children() == []


def test_workers_are_as_asked_but_no_more_than_recordings() -> None:
    assert worker_count(AsrSettings(device="cpu", workers=5), 100) == 5
    assert worker_count(AsrSettings(device="cpu", workers=5), 2) == 2
    assert 1 <= worker_count(AsrSettings(device="cpu"), 100) <= workers.cpu_count()
    assert worker_count(AsrSettings(device="cpu", threads=10_000), 100) == 1


def test_threads_may_listen_while_others_are_heard_and_nobody_listens_after_the_end(tmp_path: Path) -> None:
    """Two threads share the one process that listens; each gets its own answers."""
    from concurrent.futures import ThreadPoolExecutor

    items = files(tmp_path, *(f"r{number}" for number in range(6)))
    with WorkerPool(TWO, open_fake) as pool, ThreadPoolExecutor(2) as threads:
        asked = [(path, threads.submit(pool.listen, path, ((SPAN, ("工号",)),))) for _, path in items]
        assert [one.key for one in pool.hear(items)] == [key for key, _ in items]
        assert [future.result()[0][0].text for _, future in asked] == [f"{path.stem} 工号" for path, _ in asked]
    with pytest.raises(StageError, match="意外退出"):
        pool.listen(items[0][1], ((SPAN, ()),))


def test_processes_that_were_started_beforehand_hear_and_no_more_are_started(tmp_path: Path) -> None:
    with WorkerPool(TWO, open_fake) as pool:
        pool.get_ready(5)
        started = children_once_started(2)
        assert len(started) == 2
        assert all(child.environ()["MALLOC_ARENA_MAX"] == "1" for child in children())
        assert [heard(result)[1] for result in pool.hear(files(tmp_path, "a", "b", "c"))] == ["a", "b", "c"]
        assert len(children()) == 2
    assert children() == []


def test_for_nothing_to_hear_nothing_is_started() -> None:
    with WorkerPool(TWO, open_fake) as pool:
        pool.get_ready(0)
        assert children() == []
