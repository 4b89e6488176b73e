"""``qa bench``: the speed of this computer on one's own recordings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qa_pipeline.cli.common import Exit, JsonOption, out, out_json, say, settings_of, table

if TYPE_CHECKING:
    from qa_pipeline.bench import BenchResult

_STAGES = {
    "intake": "读取解码",
    "voice activity": "找有人说话的地方",
    "encode": "识别：编码",
    "decode": "识别：出字",
    "align": "识别：字的时间",
    "acoustics": "声学测量与分人",
    "second listening": "判违规前的复听",
    "judging and storing": "判定、评分、入库",
}


def register(app: typer.Typer) -> None:
    app.command("bench")(bench_command)


def bench_command(
    folders: Annotated[list[Path], typer.Argument(help="放录音的文件夹，可写几个。", metavar="文件夹...")],
    minutes: Annotated[float, typer.Option("--minutes", min=0, help="用多少分钟的录音来测，0 为全部。")] = 15.0,
    two_channel: Annotated[bool, typer.Option("--two-channel", help="只用双声道的录音。")] = False,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="测几轮，取中位数。")] = 1,
    no_compare: Annotated[bool, typer.Option("--no-compare", help="只测自己，不和 faster-whisper 原来的用法比。")] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=0, help="识别进程数，默认按机器决定。", show_default=False)
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="识别模型：文件夹或已取得的模型名。", show_default=False)] = None,
    as_json: JsonOption = False,
) -> int:
    """测速：每小时能处理多少小时录音、时间花在哪里、占多少内存，并和 faster-whisper 原来的两种用法相比。"""
    from qa_pipeline.bench import BenchPlan, bench

    settings = settings_of(asr__workers=workers, asr__model=model)
    plan = BenchPlan(folders=tuple(folders), minutes=minutes, two_channel=two_channel, rounds=rounds, compare=not no_compare)
    result = bench(plan, settings, say)
    if as_json:
        out_json(result)
    else:
        _tell(result)
    return Exit.DONE


def _tell(result: BenchResult) -> None:
    out(f"{result.recordings} 段录音，共 {result.audio_s / 60:.1f} 分钟；{result.workers} 个识别进程；{result.rounds} 轮。")
    out(f"每小时处理 {result.hours_per_hour:.1f} 小时录音（从读文件到判定入库）。")
    ratios = {ratio.way: ratio for ratio in result.ratios}
    rows = []
    for timing in result.timings:
        ratio = ratios.get(timing.way)
        times = f"{ratio.wall:.2f} 倍（处理器时间 {ratio.cpu:.2f} 倍）" if ratio else "—"
        memory = f"{timing.peak_bytes / 2**20:.0f} MB"
        rows.append((timing.way, f"{timing.wall_s:.1f}", f"{timing.cpu_s:.1f}", memory, times))
    table(("方式", "秒", "处理器秒", "内存峰值", "我们快"), rows, right=(1, 2, 3))
    out(
        f"只做识别（同样的首听与复听，别的都不做）占我们用时的 {result.recognition_share:.1%}，其余各阶段看得见的是 {1 - result.recognition_share:.1%}。"
    )
    table(("阶段", "占处理器时间"), [(_STAGES.get(name, name), f"{share:.1%}") for name, share in result.stages], right=(1,))
