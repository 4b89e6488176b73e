"""How many characters the recogniser adds to a turn: what a measured pace must leave in doubt.

    qa run recordings_sample --db heard.duckdb && python -m benchmarks.overcount heard.duckdb

Agents' turns of 20 characters and more of two-channel sample calls, against what was said in that time. Calls with crosstalk are
left out: there the other side's words are added, not misheard ones.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median, quantiles

from benchmarks.asr_accuracy import plain_text
from qa_pipeline.model import Conversation, Role
from qa_pipeline.resources import samples_dir
from qa_pipeline.store import open_store

CROSSTALK = ("S016", "S026")
LEAST = 20  # characters


def shares(conversation: Conversation, said: list[dict[str, object]]) -> list[float]:
    """Characters heard over characters said, less one, of each agent's turn that stands against whole turns of the script."""
    found = []
    for turn in conversation.turns:
        heard = len(plain_text(turn.text))
        if turn.role is not Role.AGENT or turn.start_s is None or turn.end_s is None or heard < LEAST:
            continue
        inside = 0
        for item in said:
            start, end = float(str(item["start_s"])), float(str(item["end_s"]))
            if item["role"] == "agent" and min(end, turn.end_s) - max(start, turn.start_s) > 0.5 * (end - start):
                inside += len(plain_text(str(item["text"])))
        if inside and 0.5 < heard / inside < 1.5:  # else it was cut differently, and nothing is compared
            found.append(heard / inside - 1)
    return found


def main() -> None:
    store = open_store(Path(sys.argv[1]))
    found: list[float] = []
    for line in (samples_dir() / "truth.jsonl").read_text(encoding="utf-8").splitlines():
        call = json.loads(line)
        run = store.load_run(call["call_id"])
        if run is not None and run.conversation.channels == 2 and call["call_id"] not in CROSSTALK:
            found += shares(run.conversation, call["turns"])
    print(f"{len(found)} 个话轮：中位 {median(found):.1%}，95% 以内 {quantiles(found, n=20)[18]:.1%}，最多 {max(found):.1%}")


if __name__ == "__main__":
    main()
