"""Recognition errors made to order, seeded: how a rule fares when the recogniser mishears.

The model of confusion, after what whisper-base does on telephone speech (about 60 % of its character errors keep the syllable):
of the characters hit, 60 % become a homophone (same syllable class, drawn by how common the character is), 15 % another common
character, 25 % are lost; in addition a turn is cut in two with a third of the rate, and with a tenth of it a short turn changes its role.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from qa_pipeline.audit import audit_one
from qa_pipeline.model import Conversation, Role, Turn, Verdict
from qa_pipeline.rules.book import Rule, RuleBook
from qa_pipeline.rules.examples import ExampleHistory, conversation_of
from qa_pipeline.text.normalise import normalise
from qa_pipeline.text.phonetic import phonetics
from qa_pipeline.text.words import common_characters

LEVELS = (0.05, 0.10, 0.20, 0.30)
HOMOPHONE, OTHER = 0.60, 0.75  # cumulative; the rest is deletion
SHORT_TURN = 8  # characters up to which a turn may change its role


@lru_cache(maxsize=1)
def _homophones() -> Mapping[str, tuple[tuple[str, ...], tuple[float, ...]]]:
    groups: dict[str, list[tuple[str, float]]] = {}
    for char, frequency in common_characters():
        groups.setdefault(phonetics().sound(char), []).append((char, float(frequency)))
    return {sound: (tuple(c for c, _ in items), tuple(f for _, f in items)) for sound, items in groups.items()}


def mishear(text: str, rate: float, draw: random.Random) -> str:
    """``text`` with errors in about ``rate`` of its Chinese characters."""
    common = [char for char, _ in common_characters()]
    heard: list[str] = []
    for char in text:
        if not "一" <= char <= "龥" or draw.random() >= rate:
            heard.append(char)
            continue
        kind = draw.random()
        if kind < HOMOPHONE:
            chars, weights = _homophones().get(phonetics().sound(char), ((char,), (1.0,)))
            heard.append(draw.choices(chars, weights)[0])
        elif kind < OTHER:
            heard.append(draw.choice(common))
    return "".join(heard)


def mutate(conversation: Conversation, rate: float, seed: str) -> Conversation:
    """The conversation as a bad line would have given it; the same seed gives the same errors."""
    draw = random.Random(f"{seed}|{rate}")
    turns: list[Turn] = []
    for turn in conversation.turns:
        heard = mishear(turn.raw, rate, draw)
        role = turn.role
        if len(turn.text) <= SHORT_TURN and draw.random() < rate / 10:
            role = Role.CUSTOMER if role is Role.AGENT else Role.AGENT
        pieces = [heard]
        if len(heard) > SHORT_TURN and draw.random() < rate / 3:
            cut = draw.randrange(2, len(heard) - 2)
            pieces = [heard[:cut], heard[cut:]]
        turns += _pieces(turn, role, pieces, len(turns))
    return replace(conversation, turns=tuple(turns))


def _pieces(turn: Turn, role: Role, pieces: Sequence[str], first: int) -> list[Turn]:
    """The turn's pieces, with its time shared out by length."""
    whole = max(1, sum(map(len, pieces)))
    made: list[Turn] = []
    begun = 0
    for piece in pieces:
        normal = normalise(piece)
        low = high = None
        if turn.start_s is not None and turn.end_s is not None:
            length = turn.end_s - turn.start_s
            low, high = turn.start_s + length * begun / whole, turn.start_s + length * (begun + len(piece)) / whole
        begun += len(piece)
        made.append(
            replace(
                turn,
                index=first + len(made),
                role=role,
                raw=piece,
                text=normal.text,
                to_raw=normal.to_raw,
                words=(),
                start_s=low,
                end_s=high,
            )
        )
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragility:
    """One rule at one error rate: of so many violating variants found, of so many clear ones accused."""

    rule: str
    clause: str
    rate: float
    violating: int
    found: int
    clear: int
    accused: int

    @property
    def recall(self) -> float | None:
        return self.found / self.violating if self.violating else None


def fragility(book: RuleBook, rule: Rule, rates: Sequence[float] = LEVELS, variants: int = 5) -> list[Fragility]:
    """A rule's own examples under noise, ``variants`` seeded variants of each."""
    results = []
    for rate in rates:
        counts = {"violating": [0, 0], "clear": [0, 0]}
        for group, examples in (("violating", rule.spec.examples.violating), ("clear", rule.spec.examples.clear)):
            for number, example in enumerate(examples):
                plain = conversation_of(example)
                for variant in range(variants):
                    noisy = mutate(plain, rate, f"{rule.spec.rule}/{group}/{number}/{variant}")
                    outcomes = audit_one(book, rule, noisy, ExampleHistory(example.history))
                    counts[group][0] += 1
                    counts[group][1] += any(outcome.verdict is Verdict.VIOLATION for outcome in outcomes)
        results.append(
            Fragility(
                rule=rule.spec.rule,
                clause=rule.clause,
                rate=rate,
                violating=counts["violating"][0],
                found=counts["violating"][1],
                clear=counts["clear"][0],
                accused=counts["clear"][1],
            )
        )
    return results
