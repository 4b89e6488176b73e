"""A changed rule before it counts: is it well written, do its examples hold, what would it mark in calls that are stored.

Publishing goes the same way with the whole book; nothing that fails its examples is put in force.
"""

from __future__ import annotations

import difflib
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from qa_pipeline.errors import RuleFileError, UserError
from qa_pipeline.model import AuditRun, Verdict
from qa_pipeline.web.rulebook import MOST_BYTES, POLICY, Version

if TYPE_CHECKING:
    from qa_pipeline.casework.values import Person
    from qa_pipeline.rules.book import Rule, RuleBook
    from qa_pipeline.web.site import Site

CALLS_TRIED = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleLine:
    name: str
    verdict: str
    reason: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One stored call: what the draft says where the stored verdict says otherwise."""

    call_id: str
    before: str
    after: str
    reason: str
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    problems: tuple[str, ...] = ()
    thin: tuple[str, ...] = ()
    examples: tuple[ExampleLine, ...] = ()
    tried: int = 0
    marked: int = 0
    differences: tuple[Tried, ...] = ()
    trace: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return not self.problems and not any(example.problems for example in self.examples)


def check(site: Site, name: str, text: str, *, runs: list[AuditRun], explain_run: AuditRun | None = None) -> Check:
    """Everything about one rule file, without the rest of the book."""
    if len(text.encode()) > MOST_BYTES:
        raise UserError("规则文件太大。")
    try:
        with _alone(site, name, text) as book:
            rule = book.rules[0]
            return _judged(book, rule, runs, explain_run)
    except RuleFileError as error:
        return Check(problems=tuple(f"第 {item.line} 行第 {item.col} 列：{item.message}" for item in error.problems))


@contextmanager
def _alone(site: Site, name: str, text: str) -> Iterator[RuleBook]:
    from qa_pipeline.rules.load import load_book

    with tempfile.TemporaryDirectory(prefix="qa-draft-") as folder:
        file = Path(folder) / "rules" / Path(name).name
        file.parent.mkdir()
        file.write_text(text, encoding="utf-8")
        shutil.copytree(site.rules.lexicons, Path(folder) / "lexicons")
        yield load_book(file.parent, Path(folder) / "lexicons")


def _judged(book: RuleBook, rule: Rule, runs: list[AuditRun], explain_run: AuditRun | None) -> Check:
    from qa_pipeline.rules.examples import run_examples, thin_examples
    from qa_pipeline.rules.trace import explain

    examples = tuple(
        ExampleLine(
            name=item.name,
            verdict=item.outcomes[0].verdict.value if item.outcomes else "—",
            reason=item.outcomes[0].reason if item.outcomes else "",
            problems=item.problems,
        )
        for item in run_examples(book, rule)
    )
    marked, differences = _tried(book, rule, runs)
    return Check(
        thin=tuple(thin_examples(rule.spec)),
        examples=examples,
        tried=len(runs),
        marked=marked,
        differences=tuple(differences),
        trace=tuple(explain(book, rule, explain_run.conversation)) if explain_run is not None else (),
    )


def _tried(book: RuleBook, rule: Rule, runs: list[AuditRun]) -> tuple[int, list[Tried]]:
    from qa_pipeline.audit import audit_one

    marked, found = 0, []
    for run in runs:
        now = audit_one(book, rule, run.conversation, None)
        was = [item for item in run.outcomes if item.rule_id == rule.spec.rule] or [
            item for item in run.outcomes if item.clause == rule.clause
        ]
        after = now[0].verdict.value
        before = was[0].verdict.value if was else "没有这条规则"
        marked += now[0].verdict is Verdict.VIOLATION
        if (after == Verdict.VIOLATION) != (before == Verdict.VIOLATION):
            quote = now[0].proof.quote if now[0].proof is not None else ""
            found.append(
                Tried(call_id=run.conversation.call.call_id, before=before, after=after, reason=now[0].reason, quote=quote)
            )
    return marked, found


def recent_runs(site: Site, most: int = CALLS_TRIED) -> list[AuditRun]:
    """The newest stored calls, for trying a draft on."""
    with site.mirror.store.read() as connection:
        rows = connection.execute("SELECT run_id FROM current_runs ORDER BY seq DESC LIMIT ?", [most]).fetchall()
        runs = [site.mirror.store.load_run_by_id(run_id) for (run_id,) in rows]
    return [run for run in runs if run is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A draft beside the file in force. ``seen`` names both texts: publishing asks for it, so that nothing goes into force of which
    the difference was not shown."""

    name: str
    is_new: bool
    seen: str
    added: int
    removed: int
    lines: tuple[tuple[str, str], ...]  # (add | cut | same | place, text)


def plain_text(text: str) -> str:
    """A file's text without what a form may change: kinds of line ends, empty lines at both ends."""
    return text.replace("\r\n", "\n").strip("\n")


def in_force(site: Site, name: str) -> str | None:
    """The text of a rule file, None when there is none."""
    file = site.rules.files().get(name)
    return None if file is None else file.read_text(encoding="utf-8-sig")


def propose(site: Site, name: str, text: str) -> Proposal:
    """What publishing the draft would change. Raises UserError when that is nothing, or when the draft is not fit."""
    if Path(name).name == POLICY:
        raise UserError("政策的金额不在这里改，请到“政策金额”页。")
    before = in_force(site, name)
    old, new = plain_text(before or ""), plain_text(text)
    if old == new:
        raise UserError(
            f"没有改动：草稿与现行的 {name} 一样，不需要发布。" if before is not None else "规则是空的，没有什么可发布。"
        )
    _prove(site, {name: text})
    lines = tuple(_difference(old, new))
    return Proposal(
        name=name,
        is_new=before is None,
        seen=hashlib.sha256(f"{name}\0{old}\0{new}".encode()).hexdigest(),
        added=sum(kind == "add" for kind, _ in lines),
        removed=sum(kind == "cut" for kind, _ in lines),
        lines=lines,
    )


def _difference(old: str, new: str) -> Iterator[tuple[str, str]]:
    """Changed lines with three around them; ``place`` says where a part begins."""
    kinds = {"+": "add", "-": "cut", " ": "same"}
    for line in list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3))[2:]:
        if line.startswith("@@"):
            yield "place", f"第 {line.split('+')[1].split(' ')[0].split(',')[0]} 行起"
        else:
            yield kinds[line[0]], line[1:]


def _prove(site: Site, changes: dict[str, str]) -> None:
    """Loads the whole book with the changes and runs the examples of what changed. Raises UserError with what is wrong."""
    from qa_pipeline.policy import load_policy
    from qa_pipeline.rules.examples import run_examples
    from qa_pipeline.rules.load import load_book

    if any(len(text.encode()) > MOST_BYTES for text in changes.values()):
        raise UserError("文件太大。")
    with site.rules.staged(changes) as settings:
        try:
            load_policy(settings.policy_file())
            book = load_book(settings.rules_folder(), settings.lexicons_folder())
        except RuleFileError as error:
            lines = "\n".join(f"{Path(item.path).name} 第 {item.line} 行：{item.message}" for item in error.problems[:5])
            raise UserError(f"没有发布。文件有错：{lines}") from error
        touched = [rule for rule in book.rules if any(Path(rule.path).name == Path(name).name for name in changes)]
        failed = [result for rule in touched for result in run_examples(book, rule) if result.problems]
        if failed:
            raise UserError(f"没有发布。{failed[0].name} 没有通过：{failed[0].problems[0]}（共 {len(failed)} 个例子）")


def publish(site: Site, person: Person, changes: dict[str, str], reason: str) -> Version:
    """Checks the whole book with the changes, puts them in force, writes it into the log. Raises UserError with what is wrong."""
    if not reason.strip():
        raise UserError("请写明这次改动的原因。")
    _prove(site, changes)
    at = site.now()
    version = site.rules.publish(changes, at=at, by_person=person.person_id, reason=reason)
    action = "policy.publish" if set(changes) == {POLICY} else "rules.publish"
    site.act(person, lambda tx: tx.log(action, f"版本 {version.number}", {"files": sorted(changes), "reason": reason.strip()}))
    site.reload()
    return replace(version)
