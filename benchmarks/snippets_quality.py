"""How the rules fare on snippets: a few turns written to try one clause in many wordings, each labelled kept or broken.

    python -m benchmarks.snippets_quality [1_sale 2_conduct ...] [--clause A10,D8] [--show]

A whole call tries a clause once; a page of snippets tries it forty times, with wordings that no two authors share. The authors saw
the clause catalogue only. Half of the kept ones sound suspicious or say it in a rare way, so the figures are far below those of
whole calls. What was seen here has been used to write the rules, unless the documents say otherwise.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from qa_pipeline.audit import audit
from qa_pipeline.model import Conversation, Outcome, Verdict
from qa_pipeline.resources import lexicons_dir, rules_dir
from qa_pipeline.rules.base import Example, ExampleTurn
from qa_pipeline.rules.book import RuleBook
from qa_pipeline.rules.examples import conversation_of
from qa_pipeline.rules.load import load_book

FOLDER = Path(__file__).parent / "labelled" / "snippets"
_AFTER_HANGUP = "（挂机后）坐席："


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """``kept``: the clause is not violated."""

    clause: str
    kept: bool
    conversation: Conversation
    text: str


def snippets(name: str) -> Iterator[Snippet]:
    for number, item in enumerate(yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8")), 1):
        example = Example(turns=tuple(map(_turn, item["turns"])), call=_call(item.get("call") or {}))
        text = " / ".join(item["turns"])
        conversation = conversation_of(example, f"{name}-{number}")
        yield Snippet(clause=item["clause"], kept=item["ok"], conversation=conversation, text=text)


def _turn(text: str) -> str | ExampleTurn:
    if text.startswith(_AFTER_HANGUP):
        return ExampleTurn(role="agent", text=text.removeprefix(_AFTER_HANGUP), after_hangup=True)
    return text


def _call(fields: dict[str, Any]) -> dict[str, str]:
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in fields.items()}


def judged(book: RuleBook, snippet: Snippet) -> Outcome | None:
    """The outcome that decides: the violation of the clause, else any outcome of it."""
    own = [outcome for outcome in audit(book, snippet.conversation) if outcome.clause == snippet.clause]
    return next((outcome for outcome in own if outcome.verdict is Verdict.VIOLATION), own[0] if own else None)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=sorted(path.stem for path in FOLDER.glob("*.yaml")))
    parser.add_argument("--clause", default="", help="only these clauses, comma separated")
    parser.add_argument("--show", action="store_true", help="print what was judged wrongly")
    options = parser.parse_args()
    wanted = set(filter(None, options.clause.split(",")))
    book = load_book(rules_dir(), lexicons_dir())
    counts: dict[str, Counter[tuple[bool, bool]]] = defaultdict(Counter)  # clause → (kept, accused) → snippets
    for snippet in (one for name in options.names for one in snippets(name) if not wanted or one.clause in wanted):
        outcome = judged(book, snippet)
        accused = outcome is not None and outcome.verdict is Verdict.VIOLATION
        counts[snippet.clause][snippet.kept, accused] += 1
        if options.show and accused is snippet.kept:
            reason = f"{outcome.verdict.value} {outcome.reason}" if outcome else "没有规则"
            kind = "误报" if accused else "漏报"
            print(f"{kind} {snippet.conversation.call.call_id} {snippet.clause}  {reason}\n    {snippet.text}")
    print("条款   合规  误报   违规  漏报")
    for clause in sorted(counts):
        print(_row(clause, counts[clause]))
    print(_row("合计", sum(counts.values(), Counter())))


def _row(name: str, count: Counter[tuple[bool, bool]]) -> str:
    kept, broken = count[True, False] + count[True, True], count[False, False] + count[False, True]
    return f"{name:5} {kept:5} {count[True, True]:5}  {broken:5} {count[False, False]:5}"


if __name__ == "__main__":
    main()
