"""How good the verdicts are: precision, recall and F1 against labels, role accuracy and character error rate against what was said.

Counts are kept, rates are derived; a rate without a denominator is None (shown as 无数据), never 0.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qa_pipeline.errors import UserError, reason_of
from qa_pipeline.intake.manifest import decode_text
from qa_pipeline.masking import Masker
from qa_pipeline.model import AuditRun, Conversation, Role, Verdict

EXPECTED = ("违规", "合规", "不计")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Call × clause decisions; ``unjudged`` are labelled violations or clear clauses that were 无法判定."""

    hits: int = 0
    false: int = 0
    missed: int = 0
    clear: int = 0
    unjudged: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            hits=self.hits + other.hits,
            false=self.false + other.false,
            missed=self.missed + other.missed,
            clear=self.clear + other.clear,
            unjudged=self.unjudged + other.unjudged,
        )

    @property
    def precision(self) -> float | None:
        return _rate(self.hits, self.hits + self.false)

    @property
    def recall(self) -> float | None:
        return _rate(self.hits, self.hits + self.missed)

    @property
    def f1(self) -> float | None:
        return _rate(2 * self.hits, 2 * self.hits + self.false + self.missed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Customers' numbers and names in reason and quote are covered."""

    call_id: str
    clause: str
    kind: str  # 误判 | 漏判 | 漏判（无法判定）
    reason: str
    quote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """``part`` of ``whole``; what both count is said by the field that holds it."""

    part: float = 0.0
    whole: float = 0.0

    def __add__(self, other: Share) -> Share:
        return Share(part=self.part + other.part, whole=self.whole + other.whole)

    @property
    def rate(self) -> float | None:
        return _rate(self.part, self.whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    calls: int
    clean_calls: int  # labelled without any violation
    clauses: Mapping[str, Counts]
    overall: Counts
    false_on_clean: int
    mistakes: tuple[Mistake, ...] = ()
    missing: tuple[str, ...] = ()  # labelled, but not in the store
    roles: Share | None = None  # seconds of speech (characters without times) under the right role
    characters: Share | None = None  # edits of characters heard
    worst: tuple[tuple[str, float], ...] = ()  # calls by character error rate, highest first

    @property
    def false_per_clean_call(self) -> float | None:
        return _rate(self.false_on_clean, self.clean_calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    expected: Mapping[str, Mapping[str, str]]  # call → clause → 违规 | 合规 | 不计
    places: Mapping[str, str] = field(default_factory=dict)  # clause as it was written → path:line where it stands first
    reference: Mapping[str, str] = field(default_factory=dict)  # call → what was said
    truth: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)  # call → turns


def _rate(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def read_labels(path: Path) -> Labels:
    """Labels: ``call_id, clause, expected``, perhaps ``reference``; ``truth.jsonl``, ``reference.csv`` beside them are used."""
    expected: dict[str, dict[str, str]] = defaultdict(dict)
    reference: dict[str, str] = {}
    spelt: dict[str, str] = {}  # B4 and b4 are one clause
    places: dict[str, str] = {}
    for line, row in _rows(path, ("call_id",)):
        call_id, clause, verdict = row["call_id"], row.get("clause", ""), row.get("expected", "") or "违规"
        if verdict not in EXPECTED:
            raise UserError(f"{path}:{line}: expected 只能是 {'、'.join(EXPECTED)}，写的是“{verdict}”。")
        clause = spelt.setdefault(clause.casefold(), clause)
        wanted = expected[call_id]  # a call named without a clause is a clean call
        if clause:
            places.setdefault(clause, f"{path}:{line}")
            if wanted.get(clause, verdict) != verdict:
                raise UserError(f"{path}:{line}: {call_id} 的 {clause} 写了两次，而且不一样。")
            wanted[clause] = verdict
        if row.get("reference"):
            reference[call_id] = row["reference"]
    if not expected:
        raise UserError(f"{path}：标注是空的，没有可以评估的通话。")
    beside = path.parent / "reference.csv"
    if beside.is_file() and not reference:
        reference = {row["call_id"]: row["reference"] for _, row in _rows(beside, ("call_id", "reference"))}
    return Labels(expected=dict(expected), places=places, reference=reference, truth=_truth(path.parent / "truth.jsonl"))


def _rows(path: Path, needed: Sequence[str]) -> Iterable[tuple[int, dict[str, str]]]:
    try:
        text = decode_text(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path}：读不了标注文件（{reason_of(error)}）。请检查路径。") from None
    if text is None:
        raise UserError(f"{path}：不是文本，或编码不是 UTF-8、GB18030；请在 Excel 中另存为“CSV UTF-8”。")
    reader = csv.DictReader(text.splitlines())
    if missing := [name for name in needed if name not in (reader.fieldnames or ())]:
        raise UserError(f"{path}：缺少列 {'、'.join(missing)}；标注文件的列是 call_id, clause, expected。")
    for row in reader:
        yield (
            reader.line_num,
            {name: (value or "").strip() for name, value in row.items() if name is not None and not isinstance(value, list)},
        )


def _truth(path: Path) -> dict[str, list[dict[str, object]]]:
    if not path.is_file():
        return {}
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            call = json.loads(line)
            found[str(call["call_id"])] = list(call["turns"])
        except (ValueError, KeyError, TypeError):
            raise UserError(f"{path}:{number}: 这一行不是 {{call_id, turns}} 形式的 JSON。") from None
    return found


def evaluate(labels: Labels, runs: Iterable[AuditRun]) -> Evaluation:
    """Compares the runs of labelled calls with their labels; calls that are not labelled are left out.

    A clause may be labelled in another case than the rules write it. Raises UserError for one that no rule of the runs has.
    """
    clauses: dict[str, Counts] = defaultdict(Counts)
    mistakes: list[Mistake] = []
    seen: set[str] = set()
    known: dict[str, str] = {}  # a clause without regard to case → as the rules write it
    roles, characters, false_on_clean = Share(), Share(), 0
    worst: list[tuple[str, float]] = []
    for run in runs:
        call_id = run.conversation.call.call_id
        if call_id not in labels.expected or call_id in seen:
            continue
        seen.add(call_id)
        known |= {item.clause.casefold(): item.clause for item in run.outcomes}
        wanted = {known.get(clause.casefold(), clause): verdict for clause, verdict in labels.expected[call_id].items()}
        counts, wrong = compare(run, wanted)
        for clause, count in counts.items():
            clauses[clause] += count
        mistakes += wrong
        if "违规" not in wanted.values():
            false_on_clean += sum(count.false for count in counts.values())
        if call_id in labels.truth:
            roles += role_share(run.conversation, labels.truth[call_id])
        if call_id in labels.reference:
            edits = character_edits(run.conversation, labels.reference[call_id])
            characters += edits
            worst.append((call_id, edits.rate or 0.0))
    missing = tuple(sorted(set(labels.expected) - seen))
    _refuse_unknown(labels, seen, known)
    return Evaluation(
        calls=len(seen),
        clean_calls=sum(1 for call_id in seen if "违规" not in labels.expected[call_id].values()),
        clauses=dict(sorted(clauses.items())),
        overall=sum(clauses.values(), Counts()),
        false_on_clean=false_on_clean,
        mistakes=tuple(mistakes),
        missing=missing,
        roles=roles if roles.whole else None,
        characters=characters if characters.whole else None,
        worst=tuple(sorted(worst, key=lambda item: (-item[1], item[0]))[:5]),
    )


def _refuse_unknown(labels: Labels, seen: Collection[str], known: Mapping[str, str]) -> None:
    written = dict.fromkeys(clause for call_id in labels.expected if call_id in seen for clause in labels.expected[call_id])
    wrong = [clause for clause in written if clause.casefold() not in known]
    if wrong:
        told = "\n".join(f"{labels.places.get(clause, '标注')}: 没有“{clause}”这个条款" for clause in wrong)
        raise UserError(f"{told}\n可用：{'、'.join(sorted(known.values()))}。")


def compare(run: AuditRun, wanted: Mapping[str, str]) -> tuple[dict[str, Counts], list[Mistake]]:
    """One call: a clause that is not labelled is 合规, unless its label says 不计. Advice counts as a finding like any other."""
    found = {item.clause: item for item in reversed(run.outcomes) if item.verdict is Verdict.VIOLATION}
    unjudged = {item.clause: item for item in run.outcomes if item.verdict is Verdict.NOT_EVALUATED}
    counts: dict[str, Counts] = {}
    mistakes: list[Mistake] = []
    call_id = run.conversation.call.call_id
    masker = Masker(run.conversation.call)
    for clause in sorted({item.clause for item in run.outcomes} | set(wanted)):
        expected = wanted.get(clause, "合规")
        if expected == "不计":
            continue
        if clause in found:
            counts[clause] = Counts(hits=1) if expected == "违规" else Counts(false=1)
            if expected != "违规":
                proof = found[clause].proof
                reason, quote = masker.text(found[clause].reason), masker.text(proof.quote if proof else "")
                mistakes.append(Mistake(call_id=call_id, clause=clause, kind="误判", reason=reason, quote=quote))
        elif expected == "违规":
            blind = clause in unjudged
            counts[clause] = Counts(missed=1, unjudged=int(blind))
            reason = masker.text(unjudged[clause].reason if blind else _why_clear(run, clause))
            mistakes.append(Mistake(call_id=call_id, clause=clause, kind="漏判（无法判定）" if blind else "漏判", reason=reason))
        else:
            counts[clause] = Counts(clear=1, unjudged=int(clause in unjudged))
    return counts, mistakes


def _why_clear(run: AuditRun, clause: str) -> str:
    """Why the rules of a clause found nothing: the reason of the first that applied, else of the first at all."""
    reasons = {item.verdict: item.reason for item in reversed(run.outcomes) if item.clause == clause and item.reason}
    return reasons.get(Verdict.CLEAR) or reasons.get(Verdict.NOT_APPLICABLE) or ""


def role_share(conversation: Conversation, truth: Sequence[Mapping[str, object]]) -> Share:
    """Seconds of true speech that stand under the right role; speech that nobody wrote down under any role counts as wrong."""
    right = whole = 0.0
    spans = [
        (turn.role, turn.start_s, turn.end_s) for turn in conversation.turns if turn.start_s is not None and turn.end_s is not None
    ]
    for turn in truth:
        role, start, end = str(turn.get("role")), turn.get("start_s"), turn.get("end_s")
        if role not in (Role.AGENT, Role.CUSTOMER) or not isinstance(start, int | float) or not isinstance(end, int | float):
            continue
        spoken = [
            (max(start, a or 0.0), min(end, b or 0.0), said) for said, a, b in spans if (a or 0.0) < end and (b or 0.0) > start
        ]
        covered = sum(b - a for a, b, _ in spoken)
        whole += covered
        right += sum(b - a for a, b, said in spoken if said == role)
    return Share(part=right, whole=whole)


def character_edits(conversation: Conversation, reference: str) -> Share:
    """Edits between what was said and what was heard, both normalised, without punctuation; of the reference's characters.

    Two people who speak at once can be written in either order: the words are compared in the order of their start.
    """
    from rapidfuzz.distance import Levenshtein

    from qa_pipeline.text.normalise import normalise

    said = _bare(normalise(reference).text)
    heard = _bare("".join(turn.text for turn in sorted(conversation.turns, key=lambda turn: (turn.start_s or 0.0, turn.index))))
    return Share(part=float(Levenshtein.distance(said, heard)), whole=float(len(said)))


def _bare(text: str) -> str:
    return "".join(character for character in text if character.isalnum())
