"""Recognition on a real Ray of two nodes: the same findings as on one machine, whatever is killed meanwhile."""

from __future__ import annotations

import os
import signal
import threading
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from qa_pipeline.asr.replay import record
from qa_pipeline.cli import main
from qa_pipeline.cluster import Cluster
from qa_pipeline.config import AsrSettings, Settings
from qa_pipeline.errors import ConfigError, ModelError, StageError
from qa_pipeline.export import KINDS, Wanted, export
from qa_pipeline.hearing import Recogniser
from qa_pipeline.intake.decode import decode
from qa_pipeline.judge import open_judge
from qa_pipeline.model import ChannelSpan
from qa_pipeline.pipeline import Pipeline, RunResult
from qa_pipeline.recogniser import open_recogniser
from qa_pipeline.resources import samples_dir
from qa_pipeline.source import open_source
from qa_pipeline.store import open_store
from tests.app.cluster_engines import BROKEN, DEADLY, FAKE, NAPPING
from tests.app.support import Silent, TruthRecogniser
from tests.asr.test_workers import files
from tests.cli.test_commands import copy_calls

CALLS = ("S001", "S002", "S003", "S010", "S013")
SPAN = ChannelSpan(channel=0, start_s=0.0, end_s=0.1)


class Nodes:
    """A Ray of one node with one processor; more can be added and lost."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster as RayCluster

        self._small = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
        soon = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 2}
        self._cluster = RayCluster(initialize_head=True, head_node_args={**self._small, "_system_config": soon})
        self.address = self._cluster.address

    def add(self) -> Any:
        return self._cluster.add_node(num_cpus=1, object_store_memory=80 << 20)

    def lose(self, node: Any) -> None:
        self._cluster.remove_node(node, allow_graceful=False)

    def end(self) -> None:
        self._cluster.shutdown()


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    pytest.importorskip("ray", reason="Ray 没有安装：pip install -e '.[ray]'")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    nodes = Nodes()
    nodes.add()
    yield nodes
    nodes.end()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy_calls(tmp_path / "day", *CALLS)


@dataclass(frozen=True)
class OneMachine:
    """What was said in the calls, as recorded output, and what one machine makes of it."""

    settings: Settings
    found: dict[str, list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> OneMachine:
    place = tmp_path_factory.mktemp("alone")
    folder = copy_calls(place / "day", *CALLS)
    answers = TruthRecogniser().hear([str(path) for path in sorted(folder.glob("S*.*"))])
    record((one.transcript for one in answers if one.transcript is not None), place / "heard.jsonl")
    settings = Settings(asr=AsrSettings(engine="replay", model=str(place / "heard.jsonl"), device="cpu", workers=2))
    with open_recogniser(settings) as recogniser:
        assert run(folder, place / "qa.duckdb", settings, recogniser).calls == CALLS
    found = tables(place / "qa.duckdb")
    assert found["findings"] and found["transcripts"]
    return OneMachine(settings=settings, found=found)


def run(folder: Path | str, db: Path, settings: Settings, recogniser: Recogniser) -> RunResult:
    store = open_store(db)
    judge = open_judge(settings, store, recogniser.listen)
    return Pipeline(store=store, judge=judge, recogniser=recogniser, progress=Silent()).run(open_source(folder, None, {}))


def tables(db: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every export in full; run_ids are among the columns."""
    store = open_store(db)
    return {kind: list(export(store, Wanted(kind=kind, every_verdict=True, show_private=True)).rows) for kind in KINDS}


def when_it_naps(nap: Path, act: Any) -> threading.Thread:
    """Calls ``act`` with the number of the process that fell asleep at this recording."""

    def watch() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and not nap.read_text():
            time.sleep(0.02)
        act(int(nap.read_text()))

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def begun(folder: Path, call: str) -> list[int]:
    """The processes that began to hear a call."""
    lines = [line.split() for line in (folder / "begun").read_text().splitlines()]
    return [int(process) for name, process in lines if name == call]


@pytest.mark.slow
def test_a_process_killed_in_the_middle_changes_nothing(
    folder: Path, alone: OneMachine, tmp_path: Path, nodes: Nodes, capsys: pytest.CaptureFixture[str]
) -> None:
    nap = folder / "S002.nap"
    nap.write_text("")
    watcher = when_it_naps(nap, lambda process: os.kill(process, signal.SIGKILL))
    with Cluster(alone.settings.asr, nodes.address, NAPPING) as cluster:
        result = run(folder, tmp_path / "cluster.duckdb", alone.settings, cluster)
    watcher.join()
    assert (result.calls, result.failures) == (CALLS, ())
    assert tables(tmp_path / "cluster.duckdb") == alone.found
    first, second = begun(folder, "S002")
    assert (first, second != first) == (int(nap.read_text()), True)
    assert capsys.readouterr().out == ""  # Ray tells of the death on stderr: stdout is for data


@pytest.mark.slow
def test_a_lost_machine_changes_nothing(folder: Path, alone: OneMachine, tmp_path: Path, nodes: Nodes) -> None:
    """The machine of the napping process goes, and all that it had in hand."""
    for nap in (naps := [folder / f"{call}.nap" for call in CALLS[:3]]):
        nap.write_text("")
    doomed = nodes.add()
    import psutil

    def lose(_: int) -> None:
        """All three processes asleep, so one of them on the doomed machine; then the two others are woken by death."""
        while not all(nap.read_text() for nap in naps):
            time.sleep(0.02)
        nodes.lose(doomed)
        for nap in naps:
            if psutil.pid_exists(process := int(nap.read_text())):
                os.kill(process, signal.SIGKILL)

    watcher = when_it_naps(naps[0], lose)
    with Cluster(replace(alone.settings.asr, workers=3), nodes.address, NAPPING) as cluster:
        result = run(folder, tmp_path / "cluster.duckdb", alone.settings, cluster)
    watcher.join()
    assert (result.calls, result.failures) == (CALLS, ())
    assert tables(tmp_path / "cluster.duckdb") == alone.found


@pytest.mark.slow
def test_recordings_by_url_give_the_same_findings(folder: Path, alone: OneMachine, tmp_path: Path, nodes: Nodes) -> None:
    with Cluster(alone.settings.asr, nodes.address) as cluster:
        result = run(f"file://{folder}", tmp_path / "url.duckdb", alone.settings, cluster)
        assert result.failures == ()
        assert run(f"file://{folder}", tmp_path / "url.duckdb", alone.settings, cluster).skipped == len(CALLS)
    assert tables(tmp_path / "url.duckdb") == alone.found
    loaded = open_store(tmp_path / "url.duckdb").load_run("S001")
    assert loaded is not None and loaded.recording is not None and loaded.recording.path == f"file://{folder}/S001.wav"


@pytest.mark.slow
def test_bad_recordings_take_only_themselves_down(tmp_path: Path, nodes: Nodes) -> None:
    paths = [str(path) for _, path in files(tmp_path, "a", "kill", "text", "raise", "b", "c", "d")]
    paths += [str(tmp_path / "gone.wav"), f"file://{tmp_path}/text.wav"]
    with Cluster(AsrSettings(device="cpu", workers=2), nodes.address, FAKE) as cluster:
        answers = list(cluster.hear(paths))
        assert [[one.text for one in answer] for answer in cluster.listen(paths[0], ((SPAN, ("工号",)), (SPAN, ())))] == [
            ["a 工号"],
            ["a "],
        ]
        with pytest.raises(StageError, match="重听时识别进程两次意外退出"):
            cluster.listen(paths[1], ((SPAN, ()),))
        with pytest.raises(StageError, match="不是可识别的录音"):
            cluster.listen(paths[2], ((SPAN, ()),))
    assert [answer.path for answer in answers] == paths
    told = [answer.transcript.segments[0].text if answer.transcript else str(answer.error) for answer in answers]
    assert [text for text in told if len(text) == 1] == ["a", "b", "c", "d"]
    assert "识别进程两次在这段录音上意外退出" in told[1] and "不是可识别的录音" in told[2] and "out of ideas" in told[3]
    assert "找不到这段录音。录音要放在每台机器用同一路径都能读到的共享文件夹" in told[7]
    assert told[8].startswith(f"file://{tmp_path}/text.wav：不是可识别的录音")


@pytest.mark.slow
def test_engines_that_cannot_be_opened_are_one_error(tmp_path: Path, nodes: Nodes) -> None:
    paths = [str(path) for _, path in files(tmp_path, "a", "b", "c")]
    two = AsrSettings(device="cpu", workers=2)
    with Cluster(two, nodes.address, BROKEN) as cluster, pytest.raises(ConfigError, match=r"：模型坏了，请重装。"):
        list(cluster.hear(paths))
    with Cluster(two, nodes.address, DEADLY) as cluster, pytest.raises(ModelError, match="识别进程一启动就退出"):
        list(cluster.hear(paths))
    other = replace(FAKE, describe=lambda settings: replace(FAKE.describe(settings), model_hash="1"))
    with Cluster(two, nodes.address, other) as cluster, pytest.raises(ConfigError, match=r"模型或选项.*不同"):
        list(cluster.hear(paths))


def _opening(path: Path, out: Path, *, seconds: int) -> None:
    samples = decode(path).samples[:, : seconds * 16_000]
    with wave.open(str(out), "wb") as file:
        file.setnchannels(samples.shape[0])
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.T.tobytes())


@pytest.mark.slow
def test_the_command_with_the_real_model_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--cluster local`` starts a Ray of its own, hears with whisper, and leaves nothing behind."""
    pytest.importorskip("ray", reason="Ray 没有安装：pip install -e '.[ray]'")
    import psutil

    before = set(psutil.Process().children(recursive=True))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "day"
    folder.mkdir()
    _opening(samples_dir() / "S010.wav", folder / "S010.wav", seconds=8)
    assert main.run(["run", str(folder), "--db", "local.duckdb", "--workers", "1", "--json"]) == 0
    assert main.run(["run", str(folder), "--db", "cluster.duckdb", "--workers", "2", "--cluster", "local", "--json"]) == 0
    assert tables(tmp_path / "cluster.duckdb") == tables(tmp_path / "local.duckdb")
    left = set(psutil.Process().children(recursive=True)) - before
    assert [one.cmdline() for one in left if "ray" in " ".join(one.cmdline())] == []


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "连不上 Ray 集群 127.0.0.1:1。请确认头节点已启动"),
        ("centre", "--cluster 的地址“centre”不对。请写 local、auto"),
    ],
)
def test_an_address_where_nobody_is_is_told_at_once(tmp_path: Path, address: str, message: str) -> None:
    pytest.importorskip("ray", reason="Ray 没有安装：pip install -e '.[ray]'")
    with Cluster(AsrSettings(device="cpu"), address, FAKE) as cluster, pytest.raises(ConfigError, match=message):
        list(cluster.hear([str(tmp_path / "a.wav")]))


def test_without_ray_it_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with (
        Cluster(AsrSettings(device="cpu"), "local", FAKE) as cluster,
        pytest.raises(ConfigError, match=r"pip install 'qa-pipeline\[ray\]'"),
    ):
        list(cluster.hear([str(tmp_path / "a.wav")]))


def test_without_a_cluster_a_url_is_refused_with_what_to_do(folder: Path, alone: OneMachine, tmp_path: Path) -> None:
    from qa_pipeline.errors import UserError

    with open_recogniser(alone.settings) as recogniser, pytest.raises(UserError, match="请加 --cluster local"):
        run(f"file://{folder}", tmp_path / "url.duckdb", alone.settings, recogniser)
