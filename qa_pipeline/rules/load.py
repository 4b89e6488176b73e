"""Loads rules and lexicons and tells every mistake of every file at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from qa_pipeline.acts.reader import ACTS_SHA256, ActReader
from qa_pipeline.errors import Problem, RuleFileError
from qa_pipeline.rules.base import RuleSpec
from qa_pipeline.rules.book import Rule, RuleBook, bind_rule
from qa_pipeline.rules.links import references
from qa_pipeline.signals.act import meant
from qa_pipeline.signals.base import Bound, Context, Hit
from qa_pipeline.signals.kit import BindError, Kit, Matching, Shared
from qa_pipeline.signals.phrase import PhraseSpec
from qa_pipeline.strict_yaml import read_file
from qa_pipeline.text.index import PhraseIndex, Phrases
from qa_pipeline.text.lexicon import Lexicon, NumberSegments
from qa_pipeline.text.pattern import PatternError, compile_pattern

POLICY_FILE = "policy.yaml"
LEXICONS_FOLDER = "lexicons"
SEGMENTS_FILE = "number_segments.yaml"
REQUIRED_LEXICONS = ("quoting", "activation")
_ACTIVATES_AT_LEAST = 0.4  # how surely a turn must open the service that says so (先不给您办了 does not)


@dataclass(slots=True)
class _Loading:
    matching: Matching
    problems: list[Problem] = field(default_factory=list)
    lexicons: dict[str, Lexicon] = field(default_factory=dict)
    segments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    used: dict[Phrases, None] = field(default_factory=dict)  # in the order of the files
    shared: Shared = field(default_factory=Shared)
    acts: ActReader = field(default_factory=ActReader)

    def kit(self) -> Kit:
        return Kit(lexicons=self.lexicons, matching=self.matching, segment_table=self.segments, shared=self.shared, acts=self.acts)

    def note(self, path: str, message: str, line: int = 1, col: int = 1) -> None:
        self.problems.append(Problem(path=path, line=line, col=col, message=message))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A rule file read, with the place of each value in it (by ``id``)."""

    spec: RuleSpec
    shown: str
    lines: Mapping[int, tuple[int, int]]


def load_book(rules_dir: Path, lexicons_dir: Path, matching: Matching = "tolerant") -> RuleBook:
    """The rule book of two folders.

    Raises RuleFileError with every problem of every file: unknown keys, wrong types, undefined signals, malformed phrases,
    duplicate ids, missing lexicons.
    """
    loading = _Loading(matching=matching)
    for folder, what in ((rules_dir, "规则"), (lexicons_dir, "词库")):
        if not folder.is_dir():
            loading.note(str(folder), f"找不到{what}文件夹，请用 --rules 指定，或检查路径")
    if not loading.problems:
        _lexicons_beside(loading, rules_dir)
    if loading.problems:
        raise RuleFileError(tuple(loading.problems))
    lexicon_files = sorted(lexicons_dir.rglob("*.yaml"))
    rule_files = [path for path in sorted(rules_dir.rglob("*.yaml")) if path.name != POLICY_FILE]
    for path in lexicon_files:
        _lexicon(loading, path, _shown(path, lexicons_dir))
    readable = not loading.problems
    for name in REQUIRED_LEXICONS:
        if name not in loading.lexicons and readable:
            loading.note(str(lexicons_dir), f"缺少词库 {name}.yaml")
    if not rule_files:
        loading.note(str(rules_dir), "文件夹里没有规则文件（*.yaml）")
    specs = [item for path in rule_files if (item := _spec(loading, path, _shown(path, rules_dir))) is not None]
    for read in specs:
        _bind(loading, read, {other.spec.rule: other.spec for other in specs})
    _unique(loading)
    if loading.problems:
        raise RuleFileError(tuple(sorted(loading.problems, key=lambda p: (p.path, p.line, p.col))))
    activation = _activation(loading)
    return RuleBook(
        rules=tuple(sorted(loading.rules, key=lambda rule: (rule.clause, rule.spec.rule))),
        lexicons=loading.lexicons,
        digest=_digest([*rule_files, *lexicon_files], rules_dir, lexicons_dir),
        index=PhraseIndex(loading.used),
        activation=activation,
        reader=loading.acts,
    )


def _lexicons_beside(loading: _Loading, rules_dir: Path) -> None:
    """Every file below the rules folder is read as a rule; lexicons there would be hundreds of mistakes with one cause."""
    inside = rules_dir / LEXICONS_FOLDER
    if any(inside.rglob("*.yaml")):
        loading.note(
            str(inside), f"词库文件夹要放在规则文件夹旁边，不能放在里面。请把它移到 {rules_dir.absolute().parent / LEXICONS_FOLDER}"
        )


def _shown(path: Path, folder: Path) -> str:
    return f"{folder.name}/{path.relative_to(folder).as_posix()}"


def _lexicon(loading: _Loading, path: Path, shown: str) -> None:
    if path.name == SEGMENTS_FILE:
        table, reader = read_file(path, NumberSegments, shown)
        loading.problems += reader.problems
        if table is not None:
            loading.segments.update(table.segments)
        return
    lexicon, reader = read_file(path, Lexicon, shown)
    loading.problems += reader.problems
    if lexicon is None:
        return
    if lexicon.name != path.stem:
        loading.note(shown, f"name 写的是“{lexicon.name}”，应与文件名“{path.stem}”相同")
    texts = (text for term in lexicon.all_terms() for text in (term.text, *term.variants, *term.unless))
    _templates(loading, shown, texts, reader.lines)
    if lexicon.name in loading.lexicons:
        loading.note(shown, f"词库“{lexicon.name}”已经有了，请换一个名字")
    loading.lexicons[lexicon.name] = lexicon


def _templates(loading: _Loading, shown: str, texts: Iterable[str], lines: Mapping[int, tuple[int, int]]) -> bool:
    """Whether all phrase templates are well formed; each one that is not is told at its own place."""
    sound = True
    for text in texts:
        try:
            compile_pattern(text)
        except PatternError as error:
            loading.note(shown, str(error), *lines.get(id(text), (1, 1)))
            sound = False
    return sound


def _spec(loading: _Loading, path: Path, shown: str) -> _Read | None:
    spec, reader = read_file(path, RuleSpec, shown)
    loading.problems += reader.problems
    return _Read(spec=spec, shown=shown, lines=reader.lines) if spec is not None else None


def _bind(loading: _Loading, read: _Read, others: Mapping[str, RuleSpec]) -> None:
    """Compiles a rule; every signal that cannot be is told at its own place."""
    kit, trial = loading.kit(), loading.kit()
    before = len(loading.problems)
    for signal in read.spec.signals.values():
        texts = (*signal.phrases, *signal.unless) if isinstance(signal, PhraseSpec) else ()
        if not _templates(loading, read.shown, texts, read.lines):
            continue
        try:
            signal.bind(trial)
        except ValueError as error:  # PatternError, BindError
            loading.note(read.shown, str(error), *read.lines.get(id(signal), (1, 1)))
    if len(loading.problems) > before:
        return
    try:
        loading.rules.append(bind_rule(_with_borrowed(read.spec, others), read.shown, kit))
    except ValueError as error:  # what is borrowed does not fit
        loading.note(read.shown, str(error))
    loading.used |= kit.used


def _with_borrowed(spec: RuleSpec, others: Mapping[str, RuleSpec]) -> RuleSpec:
    """The rule with the signals it borrows, and those that they are made of; raises BindError in Chinese."""
    signals = dict(spec.signals)
    for lender, names in spec.borrows.items():
        if lender not in others:
            raise BindError(f"borrows 里的规则“{lender}”不存在")
        wanted = list(names)
        while wanted:
            name = wanted.pop()
            if name not in others[lender].signals:
                raise BindError(f"规则“{lender}”没有信号“{name}”")
            lent = others[lender].signals[name]
            if signals.get(name, lent) != lent:
                raise BindError(f"借来的信号“{name}”与本规则已有的同名而不同，请改名")
            if name not in signals:
                signals[name] = lent
                wanted += sorted(references(lent))
    return replace(spec, signals=signals) if spec.borrows else spec


def _unique(loading: _Loading) -> None:
    first: dict[str, str] = {}
    for rule in loading.rules:
        name = rule.spec.rule
        if name in first:
            loading.note(rule.path, f"规则编号“{name}”重复，已在 {first[name]} 用过")
        first.setdefault(name, rule.path)


def _activation(loading: _Loading) -> Bound:
    kit = loading.kit()
    finders = PhraseSpec(label="为客户开通", lexicons=("activation",)).bind(kit)
    loading.used |= kit.used

    def find(ctx: Context) -> tuple[Hit, ...]:
        return tuple(meant(kit.acts, ctx, finders.find(ctx), ("activates",), _ACTIVATES_AT_LEAST))

    return Bound(name="activation", label="为客户开通", role="agent", find=find, nearest=finders.nearest, scope=finders.scope)


def _digest(files: list[Path], *folders: Path) -> str:
    """SHA-256 over names and contents, independent of where the folders lie and of line ends, and the network of the acts."""
    whole = hashlib.sha256(ACTS_SHA256.encode())
    named = []
    for path in files:
        nth, folder = next((nth, folder) for nth, folder in enumerate(folders) if path.is_relative_to(folder))
        named.append((f"{nth}/{path.relative_to(folder).as_posix()}", path))
    for name, path in sorted(named):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        whole.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return whole.hexdigest()
