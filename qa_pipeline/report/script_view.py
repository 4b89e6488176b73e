"""One call's way through its script, for a call page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from qa_pipeline.callscript.follow import follow
from qa_pipeline.callscript.load import load_scripts, script_of
from qa_pipeline.callscript.model import CallScript
from qa_pipeline.model import Conversation
from qa_pipeline.report.common import at_clock
from qa_pipeline.resources import scripts_dir


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptView:
    """In words: the steps said with their places and the answers heard, what was left out, what went wrong."""

    title: str
    source: str
    path: tuple[tuple[str, str, str], ...]  # place, step, answer of the customer
    points: tuple[str, ...]
    skipped: tuple[str, ...]
    wrong: tuple[str, ...]
    late: tuple[str, ...]
    coverage: str


def script_view(conversation: Conversation, folder: Path | None = None) -> ScriptView | None:
    """None: no script is meant for this call. Raises RuleFileError when the scripts are wrong."""
    script = script_of(_scripts(folder or scripts_dir()), conversation.call)
    if script is None:
        return None
    walk = follow(script, conversation)
    answers = dict(walk.answers)
    return ScriptView(
        title=script.title,
        source=script.source,
        path=tuple((at_clock(said.start_s), script.name_of(said.item), answers.get(said.item, "")) for said in walk.path),
        points=tuple(script.name_of(said.item) for said in walk.points),
        skipped=tuple(script.name_of(name) for name in walk.skipped),
        wrong=tuple(
            f"{script.name_of(jump.source) or '开头'} → {script.name_of(jump.target)}"
            + (f"（客户回答“{jump.answer}”，应到{script.name_of(jump.expected)}）" if jump.answer else "")
            for jump in walk.wrong
        ),
        late=tuple(script.name_of(name) for name in walk.late),
        coverage="无数据" if walk.coverage is None else f"{walk.said} / {len(walk.expected)}（{walk.coverage:.0%}）",
    )


@lru_cache(maxsize=4)
def _scripts(folder: Path) -> tuple[CallScript, ...]:
    return load_scripts(folder)
