"""Makes ``qa_pipeline/text/data/ordinary.tsv``: which stretches of two and three characters are said how often.

    python -m tools.ordinary

Counted in the project's own texts: the corpus of the acts and the labelled development calls (never the sealed ones). A line is a number of
times, a tab, and the stretches that stand so often, by their place in Unicode; seldom ones are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.labelled.calls import load
from qa_pipeline.text.normalise import normalise
from qa_pipeline.text.ordinary import LONGEST
from qa_pipeline.text.template import strip
from tools.meaning.corpus import read

LEAST = 20  # times
OUT = Path("qa_pipeline/text/data/ordinary.tsv")


def main() -> None:
    often = Counter(stretch for text in texts() for stretch in stretches(text))
    lines: dict[int, list[str]] = {}
    for stretch, times in sorted(often.items()):
        if times >= LEAST:
            lines.setdefault(times, []).append(stretch)
    OUT.write_text("".join(f"{times}\t{' '.join(lines[times])}\n" for times in sorted(lines, reverse=True)), encoding="utf-8")
    print(f"{sum(map(len, lines.values()))} stretches")


def texts() -> Iterator[str]:
    """What one turn says, as rules see it."""
    examples, _ = read(sorted(Path("tools/meaning/corpus").glob("*.txt")))
    for example in examples:
        yield strip(example.said.text)
    for call in load("dev"):
        for turn in call.conversation.turns:
            yield strip(normalise(turn.raw).text)


def stretches(text: str) -> Iterator[str]:
    for length in range(2, LONGEST + 1):
        for start in range(len(text) - length + 1):
            if (stretch := text[start : start + length]).isalpha():
                yield stretch


if __name__ == "__main__":
    main()
