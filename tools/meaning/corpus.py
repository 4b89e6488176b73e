"""The corpus: ``A|C <tab> acts <tab> text`` a turn, an empty line between dialogues (``corpus/README.md`` defines the acts)."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qa_pipeline.acts.encoding import Said
from qa_pipeline.acts.names import ACTS
from qa_pipeline.rules.noise import mishear
from qa_pipeline.text.normalise import normalise

NAMES = tuple(ACTS)
_BY_TAG = {(about.agents, about.tag): name for name, about in ACTS.items()}
_STOPS = str.maketrans("", "", "，。！？；：、…—“”‘’「」《》（）()~～")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    said: Said
    before: tuple[Said, ...]
    acts: frozenset[str]  # of NAMES
    source: str


def read(paths: Sequence[Path]) -> tuple[list[Example], list[str]]:
    """All turns with what was said before them, and the lines that could not be read."""
    examples: list[Example] = []
    problems: list[str] = []
    for path in paths:
        before: list[Said] = []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                before = []
                continue
            if line.startswith("#"):
                continue
            parts = line.split("\t")
            if len(parts) != 3 or parts[0] not in ("A", "C") or not parts[2].strip():
                problems.append(f"{path.name}:{number}: {line[:40]}")
                continue
            agent = parts[0] == "A"
            tags = [tag.strip() for tag in parts[1].replace("，", ",").split(",")]
            wrong = [tag for tag in tags if (agent, tag) not in _BY_TAG and tag not in ("-", "")]
            if wrong:
                problems.append(f"{path.name}:{number}: {wrong}")
            said = Said(agent, normalise(parts[2].strip()).text)
            acts = frozenset(_BY_TAG[agent, tag] for tag in tags if (agent, tag) in _BY_TAG)
            examples.append(Example(said=said, before=tuple(before[-2:]), acts=acts, source=path.stem))
            before.append(said)
    return examples, problems


def varied(example: Example, draw: random.Random) -> tuple[Said, tuple[Said, ...]]:
    """The example as a recogniser may have written it: without stops, misheard, without what was said before."""
    rate = 0.0 if draw.random() < 0.45 else draw.uniform(0.02, 0.22)
    bare = draw.random() < 0.5

    def heard(said: Said) -> Said:
        text = mishear(said.text, rate, draw) if rate else said.text
        return Said(said.agent, (text.translate(_STOPS) if bare else text) or said.text)

    before = () if draw.random() < 0.1 else tuple(map(heard, example.before))
    return heard(example.said), before


def batches(examples: Sequence[Example], size: int, draw: random.Random) -> Iterator[list[Example]]:
    """Of about the same length each, in random order."""
    order = sorted(
        examples, key=lambda item: len(item.said.text) + 0.4 * sum(len(b.text) for b in item.before) + draw.uniform(0, 16)
    )
    groups = [order[start : start + size] for start in range(0, len(order), size)]
    draw.shuffle(groups)
    yield from groups
