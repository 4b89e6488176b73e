"""Commands that judge: run, import, rescore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qa_pipeline.cli.common import (
    DbOption,
    Exit,
    JsonOption,
    PrivateOption,
    RulesOption,
    duration,
    existing_store,
    out,
    out_json,
    say,
    settings_of,
    store_of,
    table,
    yuan,
)

if TYPE_CHECKING:
    from qa_pipeline.config import Settings
    from qa_pipeline.pipeline import RunResult
    from qa_pipeline.source import Source
    from qa_pipeline.store import Store

_SHOWN_FAILURES = 20
_SHOWN_WARNINGS = 10
_SHOWN_UNLISTED = 5


def register(app: typer.Typer) -> None:
    app.command("run")(run)
    imports = typer.Typer(help="导入已有的转写文本。", no_args_is_help=True, rich_markup_mode=None)
    imports.command("transcripts")(import_transcripts)
    app.add_typer(imports, name="import")
    app.command("rescore")(rescore)


def run(
    folder: Annotated[
        str,
        typer.Argument(
            help="录音文件夹；里面有 manifest.csv 或 manifest.xlsx 就按清单处理。配合 --cluster 也可以是 s3:// 一类的地址。",
            metavar="文件夹",
        ),
    ],
    manifest: Annotated[Path | None, typer.Option("--manifest", help="清单文件（CSV 或 XLSX）。", show_default=False)] = None,
    db: DbOption = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=0, help="识别进程数，默认按机器决定。", show_default=False)
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", min=0, help="每个进程的线程数，处理器上默认 1。", show_default=False)
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=0, help="一次送入识别的窗口数。", show_default=False)] = None,
    device: Annotated[str | None, typer.Option("--device", help="auto、cpu 或 cuda。", show_default=False)] = None,
    model: Annotated[str | None, typer.Option("--model", help="识别模型：文件夹或已取得的模型名。", show_default=False)] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster", help="在 Ray 集群上识别：local（本机）、auto 或 头节点:端口。要装 qa-pipeline[ray]。", show_default=False
        ),
    ] = None,
    rules: RulesOption = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="全部重新识别和判定，不用已有结果。")] = False,
    no_second_listening: Annotated[bool, typer.Option("--no-second-listening", help="判违规前不再复听。")] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="这次最多处理多少通。", show_default=False)] = None,
    fail_on: Annotated[
        str | None, typer.Option("--fail-on", help="有违规（any）或致命（fatal）时退出码为 1；默认 none。", show_default=False)
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="同时写一份 HTML 报告。", show_default=False)] = None,
    as_json: JsonOption = False,
    show_private: PrivateOption = False,
) -> int:
    """识别、分角色、判定、评分、入库。可以随时中断，再次运行会接着做。"""
    settings = settings_of(
        db=db,
        rules=rules,
        cache=False if no_cache else None,
        fail_on=fail_on,
        cluster=cluster,
        asr__workers=workers,
        asr__threads=threads,
        asr__batch=batch,
        asr__device=device,
        asr__model=model,
        second_listening=False if no_second_listening else None,
        output__show_private=show_private or None,
    )
    return run_folder(settings, folder, manifest, limit=limit, report=report, as_json=as_json)


def run_folder(
    settings: Settings, folder: str, manifest: Path | None, *, limit: int | None, report: Path | None, as_json: bool
) -> int:
    """``qa run`` with its settings known: hears, judges, tells, writes the report; the exit code."""
    from qa_pipeline.cli.running import hear_and_judge
    from qa_pipeline.source import open_source
    from qa_pipeline.twins import twins

    source = open_source(folder, manifest, dict(settings.manifest.columns))
    store = store_of(settings)
    result = hear_and_judge(settings, source, store, command="run", limit=limit, quiet=as_json)
    same = twins(store, result.calls)
    if as_json:
        more = {"left_out": source.left_out, "unlisted": list(source.unlisted), "same_recording": [list(group) for group in same]}
        out_json(_result_json(result, store, settings) | more)
    else:
        tell_unlisted(source)
        _tell_result(result, store, settings)
        tell_twins(same)
        if source.left_out:
            say(f"跳过了 {source.left_out} 行清单（或读不了的文件夹），原因见上。")
    if report is not None and result.calls:
        _write_report(store, settings, report, frozenset(result.calls), result)
        say(f"报告：{report}")
    return Exit.INCOMPLETE if source.left_out else _exit_code(result, store, settings.fail_on)


def _exit_code(result: RunResult, store: Store, fail_on: str) -> int:
    from qa_pipeline.summary import worst

    if result.failures:
        return Exit.INCOMPLETE
    if fail_on != "none" and result.calls and worst(store, frozenset(result.calls)) >= {"any": 1, "fatal": 2}[fail_on]:
        return Exit.FINDINGS
    return Exit.DONE


def tell_unlisted(source: Source) -> None:
    """The manifest decides what is audited; what it passes over is said."""
    if source.unlisted:
        names = "、".join(source.unlisted[:_SHOWN_UNLISTED])
        more = " 等" if len(source.unlisted) > _SHOWN_UNLISTED else ""
        say(f"清单里没有的录音 {len(source.unlisted)} 个，没有处理：{names}{more}。要质检请加进清单。")


def tell_twins(same: tuple[tuple[str, ...], ...]) -> None:
    """One recording under several call numbers: nobody should be fined twice for one call."""
    for group in same[:_SHOWN_WARNINGS]:
        say(f"注意：{'、'.join(group)} 是同一段录音，各自评分、扣款。多余的用 qa purge --call 通话编号 --dry-run 查看后删除。")
    if len(same) > _SHOWN_WARNINGS:
        say(f"还有 {len(same) - _SHOWN_WARNINGS} 组相同的录音没有列出，用 --json 可看到全部。")


def _tell_result(result: RunResult, store: Store, settings: Settings) -> None:
    _tell_problems(result)
    if result.calls:
        score_table(store, frozenset(result.calls))
    parts = [f"处理 {result.done} 通"]
    if result.from_cache:
        parts.append(f"其中 {result.from_cache} 通用已有转写")
    if result.skipped:
        parts.append(f"跳过已完成的 {result.skipped} 通")
    if result.failures:
        parts.append(f"未处理 {len(result.failures)} 通（原因见上）")
    speed = f"，识别音频 {duration(result.audio_s)}" if result.audio_s else ""
    say(f"{'，'.join(parts)}{speed}，用时 {duration(result.seconds)}。结果在 {settings.db}。")


def _tell_problems(result: RunResult) -> None:
    for problem in result.warnings[:_SHOWN_WARNINGS]:
        say(f"清单：{problem}")
    if len(result.warnings) > _SHOWN_WARNINGS:
        say(f"清单还有 {len(result.warnings) - _SHOWN_WARNINGS} 处问题没有列出。")
    for failure in result.failures[:_SHOWN_FAILURES]:
        say(f"未处理 {failure.call_id}：{failure.message}")
    if len(result.failures) > _SHOWN_FAILURES:
        say(f"还有 {len(result.failures) - _SHOWN_FAILURES} 通未处理，用 --json 可看到全部。")


def score_table(store: Store, calls: frozenset[str], limit: int = 60) -> None:
    """The score table of some calls, worst first."""
    from qa_pipeline.summary import score_lines

    lines = score_lines(store, calls)
    columns = ("通话", "坐席", "时长", "得分", "结论", "违规条款", "无法判定", "建议扣款(元)")
    rows = [
        (
            line.call_id,
            line.agent,
            f"{line.duration_s:.0f} 秒" if line.duration_s else "",
            f"{'不评分' if line.score is None else line.score}{'*' if line.provisional else ''}",
            line.conclusion,
            " ".join(line.clauses),
            str(line.not_evaluated or ""),
            yuan(line.fine_yuan) if line.fine_yuan else "",
        )
        for line in lines[:limit]
    ]
    table(columns, rows, right=(2, 3, 6, 7))
    if any(line.provisional for line in lines):
        out("* 暂定：有内容要人工确认（待复核的违规，或坐席与客户是推断出来的）。条款后带 ? 的是待复核，不计入得分和扣款。")
    if len(lines) > limit:
        out(f"共 {len(lines)} 通，这里列出得分最低的 {limit} 通；全部见 qa export scores。")


def _result_json(result: RunResult, store: Store, settings: Settings) -> dict[str, Any]:
    from qa_pipeline.export import Wanted, export

    scores = export(store, Wanted(kind="scores", calls=frozenset(result.calls))) if result.calls else None
    return {
        "batch_id": result.batch_id,
        "done": result.done,
        "skipped": result.skipped,
        "from_cache": result.from_cache,
        "failed": len(result.failures),
        "audio_s": round(result.audio_s, 3),
        "seconds": round(result.seconds, 3),
        "db": str(settings.db),
        "failures": [
            {"call_id": item.call_id, "file": item.file, "stage": item.stage, "message": item.message} for item in result.failures
        ],
        "warnings": [str(problem) for problem in result.warnings],
        "scores": [dict(zip(scores.columns, row, strict=True)) for row in scores.rows] if scores else [],
    }


def _write_report(store: Store, settings: Settings, path: Path, calls: frozenset[str], result: RunResult | None) -> None:
    from datetime import datetime

    from qa_pipeline.report.run_report import ReportOptions, write_report

    options = ReportOptions(
        calls=calls,
        made_at=datetime.now().isoformat(sep=" ", timespec="minutes"),
        show_private=settings.output.show_private,
        max_clips=settings.output.max_clips if settings.output.clips else 0,
        failures=result.failures if result is not None else (),
    )
    write_report(store, path, options)


def import_transcripts(
    file: Annotated[Path, typer.Argument(help="JSONL 文件，一行一通电话。", metavar="文件")],
    db: DbOption = None,
    rules: RulesOption = None,
    as_json: JsonOption = False,
) -> int:
    """导入已有的转写文本，判定、评分、入库；没有时间或录音的条款会写明无法判定。"""
    from datetime import datetime

    from qa_pipeline.importing import import_transcripts as bring_in
    from qa_pipeline.judge import open_judge

    settings = settings_of(db=db, rules=rules)
    store = store_of(settings)
    result = bring_in(file, store, open_judge(settings), datetime.now())
    if as_json:
        problems = [str(problem) for problem in result.problems]
        out_json({"calls": len(result.calls), "new": result.new, "left_out": result.left_out, "problems": problems})
    else:
        for problem in result.problems[:_SHOWN_FAILURES]:
            say(str(problem))
        if len(result.problems) > _SHOWN_FAILURES:
            say(f"还有 {len(result.problems) - _SHOWN_FAILURES} 处问题，用 --json 可看到全部。")
        if result.calls:
            score_table(store, frozenset(result.calls))
        say(f"导入 {len(result.calls)} 通，其中新的判定 {result.new} 通；{len(result.problems)} 处问题。结果在 {settings.db}。")
    if not result.calls:
        say(f'错误：{file} 里没有一通能导入。一行写一通：{{"call_id": …, "turns": [{{"role": …, "text": …}}]}}。')
        return Exit.USER
    return Exit.INCOMPLETE if result.left_out else Exit.DONE


def rescore(
    db: DbOption = None,
    rules: RulesOption = None,
    diff: Annotated[bool, typer.Option("--diff", help="只看会变什么，不写入。")] = False,
    as_json: JsonOption = False,
    show_private: PrivateOption = False,
) -> int:
    """用现在的规则和政策重新判定库里的通话，不重新识别。"""
    from datetime import datetime

    from qa_pipeline.judge import open_judge
    from qa_pipeline.rescore import difference
    from qa_pipeline.rescore import rescore as judge_again

    settings = settings_of(db=db, rules=rules, output__show_private=show_private or None)
    store = existing_store(settings)
    judge = open_judge(settings, store)
    if diff:
        from qa_pipeline.cli.difference import tell_difference

        tell_difference(difference(store, judge), as_json=as_json, show_private=settings.output.show_private)
        return Exit.DONE
    result = judge_again(store, judge, datetime.now())
    if as_json:
        out_json({"calls": result.calls, "new": result.new})
    else:
        say(f"重新判定 {result.calls} 通，其中 {result.new} 通与以前存过的都不同，已写入 {settings.db}。")
        if rules is not None and rules != settings_of().rules:
            from qa_pipeline.cli.running import toml_rules

            say(
                f"要一直有效：在 qa.toml 里写 {toml_rules(str(rules))}（写在所有 [段] 之前），或每次都加 --rules {rules}。"
                "不写的话，下一次 qa run 会用自带的规则重新判定这些通话。"
            )
    return Exit.DONE
