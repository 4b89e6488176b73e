"""What the network of the acts makes of turns that nobody trained it on: precision and recall by act.

    python -m benchmarks.acts_quality [--noise 0.12] [--at 0.5]

``acts/unseen.txt``: 56 calls written without sight of rules, corpus or each other, their acts told turn by turn by another person.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

from qa_pipeline.acts.encoding import Said
from qa_pipeline.acts.names import ACTS
from qa_pipeline.acts.reader import ActReader
from qa_pipeline.rules.noise import mishear
from tools.meaning.corpus import read

UNSEEN = Path(__file__).parent / "acts/unseen.txt"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--noise", type=float, default=0.0, help="share of characters misheard (qa_pipeline.rules.noise)")
    parser.add_argument("--at", type=float, default=0.5, help="how sure is sure enough")
    options = parser.parse_args()
    examples, _ = read([UNSEEN])
    draw = random.Random(1)
    reader = ActReader()
    counts = {name: [0, 0, 0] for name in ACTS}  # both, found, wanted
    chars = 0
    started = time.process_time()
    for example in examples:
        said, *before = (Said(one.agent, mishear(one.text, options.noise, draw)) for one in (example.said, *example.before))
        chars += len(said.text)
        found = {act.name for act in reader.read(said, before) if act.sure >= options.at}
        for name, about in ACTS.items():
            if about.agents is said.agent:
                hit, wanted = name in found, name in example.acts
                for nth, true in enumerate((hit and wanted, hit, wanted)):
                    counts[name][nth] += true
    seconds = time.process_time() - started
    print("行为                  应有  查准   查全")
    total = [sum(column) for column in zip(*counts.values(), strict=True)]
    for name, (both, hits, wanted) in [*counts.items(), ("合计", total)]:
        precision = f"{both / hits:.3f}" if hits else "  -  "
        recall = f"{both / wanted:.3f}" if wanted else "  -  "
        print(f"{name:20} {wanted:5}  {precision}  {recall}")
    print(f"{len(examples)} 个话轮，{chars} 字，处理器 {seconds:.1f} 秒，每字 {seconds / chars * 1e6:.0f} 微秒")


if __name__ == "__main__":
    main()
