"""Hits: what a signal found. They hold places; words, seconds and confidence are worked out for those that are looked at."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple, Protocol

from qa_pipeline.model import Evidence, EvidenceKind, Role, Strength
from qa_pipeline.signals.passage import Passage, Position
from qa_pipeline.text.pattern import Match


class Place(Protocol):
    """Where something was found and what was heard there. What is measured has no passage."""

    @property
    def quote(self) -> str: ...
    @property
    def start_s(self) -> float | None: ...
    @property
    def end_s(self) -> float | None: ...
    @property
    def confidence(self) -> float | None: ...
    @property
    def passage(self) -> int | None: ...
    @property
    def span(self) -> tuple[int, int]: ...


class Measured(NamedTuple):
    """A stretch of time, of which something given or nothing is quoted."""

    quote: str = ""
    start_s: float | None = None
    end_s: float | None = None
    confidence: float | None = None
    passage: int | None = None
    span: tuple[int, int] = (0, 0)


class Spoken:
    """A span of a passage's stream."""

    def __init__(self, passage: Passage, start: int, end: int) -> None:
        self._passage = passage
        self.passage = passage.index
        self.span = (start, end)

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Spoken) and self.passage == other.passage and self.span == other.span
        return same and isinstance(other, Spoken) and self._passage.turns == other._passage.turns

    def __hash__(self) -> int:
        return hash((self.passage, self.span))

    @cached_property
    def quote(self) -> str:
        return self._passage.raw(*self.span)

    @cached_property
    def _seconds(self) -> tuple[float | None, float | None]:
        return self._passage.seconds(*self.span)

    @property
    def start_s(self) -> float | None:
        return self._seconds[0]

    @property
    def end_s(self) -> float | None:
        return self._seconds[1]

    @cached_property
    def confidence(self) -> float | None:
        return self._passage.confidence(*self.span)


class FromTo(NamedTuple):
    """From one place to another: as sure as the first one, and in its passage."""

    first: Place
    last: Place

    @property
    def quote(self) -> str:
        return self.first.quote if self.first is self.last else f"{self.first.quote}…{self.last.quote}"

    @property
    def start_s(self) -> float | None:
        return self.first.start_s

    @property
    def end_s(self) -> float | None:
        return self.last.end_s

    @property
    def confidence(self) -> float | None:
        return self.first.confidence

    @property
    def passage(self) -> int | None:
        return self.first.passage

    @property
    def span(self) -> tuple[int, int]:
        return (self.first.span[0], self.last.span[1]) if self.first.passage == self.last.passage else self.first.span


_NO_PLACE = Measured()


class Hit(NamedTuple):
    """Something found: where, as what, how sure."""

    position: Position
    end: Position
    role: Role | None = None
    heard_as: str = ""
    strength: Strength = Strength.EXACT
    distance: float = 0
    note: str = ""
    value: float | None = None  # what was measured
    place: Place = _NO_PLACE

    @property
    def quote(self) -> str:
        """The characters actually heard."""
        return self.place.quote

    @property
    def start_s(self) -> float | None:
        return self.place.start_s

    @property
    def end_s(self) -> float | None:
        return self.place.end_s

    @property
    def confidence(self) -> float | None:
        """The recogniser's, 0..1."""
        return self.place.confidence

    @property
    def passage(self) -> int | None:
        return self.place.passage

    @property
    def span(self) -> tuple[int, int]:
        """Offsets in the passage's stream."""
        return self.place.span

    def evidence(self, kind: EvidenceKind = EvidenceKind.HIT) -> Evidence:
        place = self.place
        confidence = place.confidence
        return Evidence(
            kind=kind,
            quote=place.quote,
            heard_as=self.heard_as,
            turn=self.position.turn if self.position.turn >= 0 else None,
            role=self.role,
            start_s=place.start_s,
            end_s=place.end_s,
            strength=self.strength,
            distance=self.distance,
            confidence=None if confidence is None else round(confidence, 3),
            note=self.note,
            value=self.value,
        )


def passage_hit(passage: Passage, match: Match, note: str = "") -> Hit:
    """A match in a passage's stream; its end lies in the turn of the last character, even if the passage goes on."""
    start, end, heard_as, strength, distance = match
    if len(passage.turns) == 1 and passage.length:
        turn, offsets = passage.turns[0].index, passage.kept[0]
        first, last = Position(turn, offsets[start]), Position(turn, offsets[end - 1] + 1)
    else:
        turn, char = passage.position(end - 1)
        first, last = passage.position(start), Position(turn, char + 1)
    return Hit(first, last, passage.role, heard_as, strength, distance, note, None, Spoken(passage, start, end))
