"""Precision and recall of the rule book on the labelled call texts.

python -m benchmarks.rules_quality dev            # may be looked at while writing rules
python -m benchmarks.rules_quality test --sealed  # figures only, never the calls; test2: the second sealed set
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

from benchmarks.labelled.calls import LabelledCall, load
from qa_pipeline.audit import audit
from qa_pipeline.model import Outcome, Verdict
from qa_pipeline.resources import lexicons_dir, rules_dir
from qa_pipeline.rules.load import load_book
from qa_pipeline.rules.noise import mutate
from qa_pipeline.text import phonetic


def judge(call: LabelledCall, outcomes: tuple[Outcome, ...], counts: dict[str, Counter[str]]) -> list[str]:
    """Adds one call to the counts; tells the differences."""
    found = {outcome.clause: outcome for outcome in reversed(outcomes) if outcome.verdict is Verdict.VIOLATION}
    by_clause = {outcome.clause: outcome for outcome in reversed(outcomes)}
    lines = []
    for clause in sorted({*by_clause, *call.expected}):
        if clause in call.not_counted:
            continue
        kind = ("tp" if clause in call.expected else "fp") if clause in found else ("fn" if clause in call.expected else "tn")
        counts.setdefault(clause, Counter())[kind] += 1
        if kind in ("fp", "fn"):
            outcome = found.get(clause) or by_clause.get(clause)
            reason = f"{outcome.verdict.value} {outcome.reason}" if outcome else "没有规则"
            lines.append(f"{'误报' if kind == 'fp' else '漏报'} {call.conversation.call.call_id} {clause}  {reason}")
    return lines


def table(counts: dict[str, Counter[str]]) -> str:
    rows = ["条款   应报  报对  误报  漏报  查准   查全"]
    total: Counter[str] = Counter()
    for clause in sorted(counts):
        total += counts[clause]
        rows.append(_row(clause, counts[clause]))
    rows.append(_row("合计", total))
    return "\n".join(rows)


def _row(name: str, count: Counter[str]) -> str:
    tp, fp, fn = count["tp"], count["fp"], count["fn"]
    precision = f"{tp / (tp + fp):.3f}" if tp + fp else "  -  "
    recall = f"{tp / (tp + fn):.3f}" if tp + fn else "  -  "
    return f"{name:5} {tp + fn:5} {tp:5} {fp:5} {fn:5}  {precision}  {recall}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("half", choices=("dev", "test", "test2"))
    parser.add_argument("--sealed", action="store_true", help="print figures only")
    parser.add_argument("--clause", default="", help="only these clauses, comma separated")
    parser.add_argument("--noise", type=float, default=0.0, help="share of characters misheard (qa_pipeline.rules.noise)")
    parser.add_argument("--matching", choices=("tolerant", "syllables", "characters"), default="tolerant")
    options = parser.parse_args()
    if options.matching == "syllables":  # exact pinyin: no confusion classes either
        phonetic._INITIALS = phonetic._FINALS = ()
    book = load_book(rules_dir(), lexicons_dir(), matching=options.matching)
    counts: dict[str, Counter[str]] = {}
    clean_false = clean = 0
    started = time.perf_counter()
    wanted = set(filter(None, options.clause.split(",")))
    for call in load(options.half):
        conversation = (
            mutate(call.conversation, options.noise, call.conversation.call.call_id) if options.noise else call.conversation
        )
        outcomes = tuple(o for o in audit(book, conversation) if not wanted or o.clause in wanted)
        if wanted:
            call = LabelledCall(
                conversation=call.conversation,
                expected=call.expected & wanted,
                not_counted=call.not_counted,
                note=call.note,
                has_audio=call.has_audio,
            )
        lines = judge(call, outcomes, counts)
        if not call.expected:
            clean += 1
            clean_false += sum(line.startswith("误报") for line in lines)
        if not options.sealed:
            for line in lines:
                print(line)
    print(table(counts))
    print(f"无违规通话 {clean} 通，每通误报 {clean_false / max(1, clean):.3f}；用时 {time.perf_counter() - started:.2f} 秒")


if __name__ == "__main__":
    main()
