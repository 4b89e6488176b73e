"""One way to hear and judge a source by command line, whoever asks: ``qa run``, ``qa demo``, ``qa day``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa_pipeline.cli.common import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from qa_pipeline.config import Settings
    from qa_pipeline.pipeline import RunResult
    from qa_pipeline.source import Source
    from qa_pipeline.store import Store


def hear_and_judge(
    settings: Settings, source: Source, store: Store, *, command: str, limit: int | None = None, quiet: bool = False
) -> RunResult:
    """Second listening included. Processes for recordings that were never seen load while the rules are read."""
    from qa_pipeline.cli.progress import RunProgress
    from qa_pipeline.identify import unseen
    from qa_pipeline.judge import open_judge
    from qa_pipeline.pipeline import Pipeline
    from qa_pipeline.recogniser import open_recogniser

    new = unseen(source.calls[:limit], source.base, store) if settings.cache else len(source.calls[:limit])
    with open_recogniser(settings, new) as recogniser, RunProgress(quiet=quiet) as progress:
        judge = open_judge(settings, store, recogniser.listen)
        if settings.rules is None and store.path.exists():
            with store.read() as connection:
                warn_of_lost_rules(settings, connection, judge.rules_digest, [call.call_id for call in source.calls])
        pipeline = Pipeline(store=store, judge=judge, recogniser=recogniser, progress=progress, cache=settings.cache, limit=limit)
        return pipeline.run(source, command=command)


def warn_of_lost_rules(settings: Settings, connection: duckdb.DuckDBPyConnection, rules_digest: str, calls: Sequence[str]) -> None:
    """Tells which calls will be judged again by the packaged rules though a rule folder judged them: ``--rules`` was left out."""
    if settings.rules is not None:
        return
    from qa_pipeline.summary import judged_by_folder

    for folder, found in judged_by_folder(connection, rules_digest, calls).items():
        listed = "、".join(found[:5]) + (" 等" if len(found) > 5 else "")
        say(
            f"注意：{len(found)} 通（{listed}）是用规则文件夹 {folder} 判定的。这次没有写 --rules，会用自带的规则重新判定它们。\n"
            f"要沿用：加上 --rules {folder}，或在 qa.toml 里写 {toml_rules(folder)}。"
        )


def toml_rules(folder: str) -> str:
    """The line of ``qa.toml`` that keeps a rule folder in force."""
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'rules = "{escaped}"'
