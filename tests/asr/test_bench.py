"""The arithmetic of ``qa bench``, and the command itself on one short real call."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from qa_pipeline.bench import OURS, BenchPlan, Timing, _ratio, _shares, bench, chosen
from qa_pipeline.cli.main import run
from qa_pipeline.config import Settings
from qa_pipeline.errors import UserError
from qa_pipeline.model import CallData
from qa_pipeline.resources import samples_dir


def timing(way: str, wall_s: float, cpu_s: float) -> Timing:
    return Timing(way=way, wall_s=wall_s, cpu_s=cpu_s, peak_bytes=1)


def test_a_ratio_compares_the_two_of_each_round_and_takes_the_middle() -> None:
    theirs = [timing("x", 10, 20), timing("x", 90, 60), timing("x", 30, 30)]
    mine = [timing(OURS, 5, 5), timing(OURS, 10, 6), timing(OURS, 10, 10)]
    ratio = _ratio("x", theirs, mine)
    assert (ratio.way, ratio.wall, ratio.cpu) == ("x", 3.0, 4.0)


def test_shares_add_up_and_are_sorted() -> None:
    assert _shares({"a": 1.0, "b": 3.0}) == (("b", 0.75), ("a", 0.25))
    assert _shares({}) == ()


def names(calls: tuple[CallData, ...]) -> list[str]:
    return [Path(call.file or "").name for call in calls]


def test_recordings_are_chosen_by_name_until_they_are_long_enough(tmp_path: Path) -> None:
    for name in ("S001.wav", "S003.wav", "S004.wav"):
        shutil.copy(samples_dir() / name, tmp_path / name)
    (tmp_path / "A.wav").write_text("not audio")
    one, seconds = chosen(BenchPlan(folders=(tmp_path,), minutes=1.0))
    assert ([call.file for call in one], round(seconds)) == ([str(tmp_path / "S001.wav")], 72)
    everything, _ = chosen(BenchPlan(folders=(tmp_path,), minutes=0))
    assert names(everything) == ["S001.wav", "S003.wav", "S004.wav"]
    more = tmp_path.parent / f"{tmp_path.name}-more"
    more.mkdir()
    shutil.copy(samples_dir() / "S009.mp3", more)
    both, _ = chosen(BenchPlan(folders=(more, tmp_path), minutes=0))
    assert names(both) == ["S009.mp3", "S001.wav", "S003.wav", "S004.wav"]
    stereo, _ = chosen(BenchPlan(folders=(more, tmp_path), minutes=0, two_channel=True))
    assert names(stereo) == ["S001.wav", "S003.wav"]
    with pytest.raises(UserError, match="没有双声道的录音"):
        chosen(BenchPlan(folders=(more,), two_channel=True))


def test_calls_are_what_their_manifest_says(tmp_path: Path) -> None:
    shutil.copy(samples_dir() / "S001.wav", tmp_path)
    (tmp_path / "manifest.csv").write_text("call_id,file,agent_channel\nX,S001.wav,right\n", encoding="utf-8")
    ((call,), _) = chosen(BenchPlan(folders=(tmp_path,)))
    assert (call.call_id, call.file, call.agent_channel) == ("00000", str(tmp_path / "S001.wav"), 1)


def test_nothing_to_measure_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="没有这个文件夹"):
        bench(BenchPlan(folders=(tmp_path / "none", tmp_path)), Settings())
    with pytest.raises(UserError, match="没有录音"):
        bench(BenchPlan(folders=(tmp_path,)), Settings())
    (tmp_path / "A.wav").write_text("not audio")
    with pytest.raises(UserError, match="没有能读的录音"):
        bench(BenchPlan(folders=(tmp_path,)), Settings())


@pytest.mark.slow
def test_the_command_measures_all_ways_on_a_real_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    smallest = min(samples_dir().glob("S*.wav"), key=lambda path: path.stat().st_size)
    shutil.copy(smallest, tmp_path)
    assert run(["bench", str(tmp_path), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [timing["way"] for timing in result["timings"]] == [OURS, "WhisperModel.transcribe", "BatchedInferencePipeline"]
    assert all(timing["wall_s"] > 0 and timing["cpu_s"] > 0 and timing["peak_bytes"] > 50 << 20 for timing in result["timings"])
    assert [ratio["way"] for ratio in result["ratios"]] == ["WhisperModel.transcribe", "BatchedInferencePipeline"]
    assert 0 < result["recognition_share"] < 1.5
    names = {name for name, _ in result["stages"]}
    assert {"intake", "voice activity", "encode", "decode", "align", "acoustics", "judging and storing"} <= names
    assert sum(share for _, share in result["stages"]) == pytest.approx(1.0, abs=0.002)
