"""Reads call scripts. Every mistake of every file is told at once, with its place."""

from __future__ import annotations

from pathlib import Path

from qa_pipeline.callscript.model import CallScript
from qa_pipeline.errors import Problem, RuleFileError
from qa_pipeline.model import CallData
from qa_pipeline.strict_yaml import Reader, read_file
from qa_pipeline.text.pattern import PatternError, compile_pattern


def load_scripts(folder: Path) -> tuple[CallScript, ...]:
    """All scripts of a folder, by file name. Raises RuleFileError."""
    problems: list[Problem] = []
    scripts: list[CallScript] = []
    for path in sorted(folder.glob("*.yaml")):
        script, reader = read_file(path, CallScript)
        if script is not None:
            problems += _templates(script, reader)
            if script.script in {other.script for other in scripts}:
                problems.append(Problem(path=str(path), line=1, col=1, message=f"话术编号“{script.script}”与别的文件重复"))
            scripts.append(script)
        problems += reader.problems
    if problems:
        raise RuleFileError(tuple(problems))
    return tuple(scripts)


def script_of(scripts: tuple[CallScript, ...], call: CallData) -> CallScript | None:
    """The first script that the call falls under."""
    for script in scripts:
        rule = script.applies
        if rule.call_types and call.call_type not in rule.call_types:
            continue
        if rule.outcomes and call.outcome not in rule.outcomes:
            continue
        if rule.products and not any(word in (call.product or "") for word in rule.products):
            continue
        return script
    return None


def _templates(script: CallScript, reader: Reader) -> list[Problem]:
    found = []
    texts = [(step, text) for step in script.steps for text in step.say]
    texts += [(answer, text) for step in script.steps for answer in step.answers for text in answer.hear]  # type: ignore[misc]
    texts += [(point, text) for point in script.points for text in point.say]  # type: ignore[misc]
    for holder, text in texts:
        try:
            compile_pattern(text)
        except PatternError as error:
            line, col = reader.lines.get(id(holder), (1, 1))
            found.append(Problem(path=reader.path, line=line, col=col, message=str(error)))
    return found
