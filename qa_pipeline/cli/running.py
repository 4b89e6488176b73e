"""One way to hear and judge a source by command line, whoever asks: ``qa run``, ``qa demo``, ``qa day``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
        pipeline = Pipeline(store=store, judge=judge, recogniser=recogniser, progress=progress, cache=settings.cache, limit=limit)
        return pipeline.run(source, command=command)
