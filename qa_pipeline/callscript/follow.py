"""Which way a call took through its script: path, steps left out, wrong jumps, coverage. Pure.

The same tolerant matching as for what must be said: characters, syllables, then a small distance. Where an answer is not recognised
every way on is allowed, and between two steps the shortest way counts: doubt favours the agent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from qa_pipeline.callscript.model import END, Answer, CallScript, Step
from qa_pipeline.model import Conversation, Role, Strength
from qa_pipeline.signals.view import Passage, Position, View
from qa_pipeline.text.pattern import Pattern, allowed_distance, compile_pattern
from qa_pipeline.text.phonetic import phonetics

SOUNDS_FROM = 3  # syllables from which a template may be heard by its sound alone; two collide (联通 ~ 连通)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A step or point that was heard, first time."""

    item: str
    turn: int
    quote: str
    start_s: float | None
    strength: Strength


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """From a step to one that the customer's answer does not lead to; ``answer`` as it was understood, empty: none."""

    source: str
    target: str
    expected: str
    answer: str
    turn: int

    def __str__(self) -> str:
        return f"{self.source}→{self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """``expected``: the required steps and points of the way taken; ``coverage`` is the share of them that was said."""

    script: str
    path: tuple[Said, ...]
    answers: tuple[tuple[str, str], ...]  # step, label of the answer heard
    points: tuple[Said, ...]
    skipped: tuple[str, ...]
    late: tuple[str, ...]  # said, but after a step that comes behind them
    wrong: tuple[Jump, ...]
    expected: tuple[str, ...]

    @property
    def said(self) -> int:
        return len(self.expected) - len(self.skipped)

    @property
    def coverage(self) -> float | None:
        return self.said / len(self.expected) if self.expected else None

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(item.item for item in self.path)


@dataclass(frozen=True, slots=True)
class _Heard:
    """A place where an item was heard; the quote is taken only when it is used."""

    item: str
    at: Position
    end: Position
    passage: Passage
    start: int
    stop: int
    strength: Strength

    def said(self) -> Said:
        return Said(
            item=self.item,
            turn=self.at.turn,
            quote=self.passage.raw(self.start, self.stop),
            start_s=self.passage.seconds(self.start, self.stop)[0],
            strength=self.strength,
        )


def follow(script: CallScript, conversation: Conversation) -> Walk:
    """The way of one conversation."""
    view = View(conversation)
    passages = view.by_role[Role.AGENT]
    heard = sorted((hit for step in script.steps for hit in _find(step.id, step.say, passages)), key=lambda hit: (hit.at, hit.item))
    walker = _Walker(script, view.by_role[Role.CUSTOMER])
    for nth, hit in enumerate(heard):
        walker.hear(hit, heard[nth + 1 :])
    walker.finish()
    return _walk(script, conversation, walker, passages)


def _walk(script: CallScript, conversation: Conversation, walker: _Walker, passages: Sequence[Passage]) -> Walk:
    visited = {said.item for said in walker.path}
    trial = bool(conversation.call.trial_days)
    points, missing, wanted = [], [], []
    for point in script.points:
        if point.once not in visited or (point.trial_only and not trial):
            continue
        wanted.append(point.id)
        hits = _find(point.id, point.say, passages)
        if hits:
            points.append(min(hits, key=lambda hit: hit.at).said())
        else:
            missing.append(point.id)
    required = [step.id for step in script.steps if step.required]
    late = [name for name in required if name in walker.passed and name in visited]
    skipped = [name for name in required if name in walker.passed and name not in visited]
    expected = [name for name in required if name in visited or name in walker.passed]
    return Walk(
        script=script.script,
        path=tuple(walker.path),
        answers=tuple(walker.answers),
        points=tuple(points),
        skipped=(*skipped, *missing),
        late=tuple(late),
        wrong=tuple(walker.wrong),
        expected=(*expected, *wanted),
    )


class _Walker:
    """Goes through what the agent said, in order."""

    def __init__(self, script: CallScript, customer: Sequence[Passage]) -> None:
        self._script = script
        self._customer = customer
        self._heard: dict[tuple[str, ...], list[_Heard]] = {}
        self._current: Step | None = None
        self._since = Position(-1, 0)
        self.path: list[Said] = []
        self.answers: list[tuple[str, str]] = []
        self.passed: set[str] = set()  # steps that the way led through without their being said by then
        self.wrong: list[Jump] = []

    def hear(self, hit: _Heard, later: Sequence[_Heard]) -> None:
        """The next step said; ``later`` is what was said after it (or begins within it)."""
        visited = {said.item for said in self.path}
        if self._current is not None and hit.item == self._current.id:
            self._since = max(self._since, hit.end)
            return
        if hit.item in visited or self._better_elsewhere(hit, later):
            return  # said again: no step back; or words that fit another place better
        if hit.item in self.passed:
            self.path.append(hit.said())  # said late; the way itself goes on from where it was
            return
        answer = self._answer(hit.at)
        starts = [self._script.start] if self._current is None else [answer.next] if answer else list(self._current.targets)
        between = self._way(starts, hit.item)
        if between is None:
            source = self._current.id if self._current is not None else ""
            expected = starts[0] if len(starts) == 1 else ""
            self.wrong.append(
                Jump(source=source, target=hit.item, expected=expected, answer=answer.label if answer else "", turn=hit.at.turn)
            )
        else:
            self.passed |= {name for name in between if name not in visited}
        self._note(answer)
        self.path.append(hit.said())
        self._current, self._since = self._script.step(hit.item), hit.end

    def _better_elsewhere(self, hit: _Heard, later: Sequence[_Heard]) -> bool:
        """Doubt favours the agent: words that would be a jump here, but are part of a step that fits, or are said again later."""
        if self._fits(hit):
            return False
        if hit.at < self._since:
            return True  # within the words of the step before
        return any(
            other.item == hit.item or (other.at < hit.end and other.item != hit.item and self._fits(other)) for other in later
        )

    def _fits(self, hit: _Heard) -> bool:
        """Whether the step comes next, without a step left out."""
        if self._current is None:
            return hit.item == self._script.start
        answer = self._answer(hit.at)
        starts = [answer.next] if answer else list(self._current.targets)
        between = self._way(starts, hit.item)
        return between is not None and not any(self._script.step(name).required for name in between)

    def finish(self) -> None:
        """What the way still led through when the call ended."""
        if self._current is None:
            self.passed |= set(self._way([self._script.start], END) or ())
            return
        answer = self._answer(None)
        self._note(answer)
        rest = self._way([answer.next] if answer else list(self._current.targets), END)
        visited = {said.item for said in self.path}
        self.passed |= {name for name in rest or () if name not in visited}

    def _note(self, answer: Answer | None) -> None:
        if answer is not None and self._current is not None:
            self.answers.append((self._current.id, answer.label))

    def _answer(self, until: Position | None) -> Answer | None:
        """The answer to the current step that comes first between it and ``until``."""
        if self._current is None:
            return None
        best: tuple[Position, int, Answer] | None = None
        for answer in self._current.answers:
            if answer.hear not in self._heard:
                self._heard[answer.hear] = _find(answer.label, answer.hear, self._customer)
            for hit in self._heard[answer.hear]:
                if hit.at < self._since or (until is not None and hit.at >= until):
                    continue
                key = (hit.at, hit.start - hit.stop, answer)
                if best is None or key[:2] < best[:2]:
                    best = key
        return best[2] if best is not None else None

    def _way(self, starts: Iterable[str], goal: str) -> list[str] | None:
        """Steps to pass before ``goal``, on the way with the fewest required ones still unsaid; None: no way leads there."""
        import heapq

        visited = {said.item for said in self.path}
        heap: list[tuple[int, int, str, tuple[str, ...]]] = [(0, nth, name, ()) for nth, name in enumerate(starts)]
        done: set[str] = set()
        while heap:
            cost, length, name, way = heapq.heappop(heap)
            if name == goal:
                return list(way)
            if name in done or name == END:
                continue
            done.add(name)
            step = self._script.step(name)
            more = cost + (1 if step.required and name not in visited else 0)
            for target in step.targets:
                heapq.heappush(heap, (more, length + 1, target, (*way, name)))
        return None


def _find(item: str, templates: tuple[str, ...], passages: Sequence[Passage]) -> list[_Heard]:
    """Where an item is heard: by characters or sounds; only when nowhere so, by distance."""
    found: list[_Heard] = []
    for pattern in _patterns(templates):
        by_sound = pattern.syllables >= SOUNDS_FROM
        for passage in passages:
            if by_sound and not any(anchor in passage.sounds for anchor in pattern.anchors):
                continue
            found += [
                _heard(item, passage, match.start, match.end, match.strength)
                for match in pattern.find(passage.chars, passage.sounds, by_sound)
            ]
    return found or _near(item, templates, passages)


def _near(item: str, templates: tuple[str, ...], passages: Sequence[Passage]) -> list[_Heard]:
    found = []
    for pattern in _patterns(templates):
        if not pattern.literals:
            continue
        for passage in passages:
            match = pattern.nearest(_split(passage.sounds))
            if match is not None and match.distance <= allowed_distance(len(match.heard_as)):
                found.append(_heard(item, passage, match.start, match.end, Strength.FUZZY))
    return found


def _heard(item: str, passage: Passage, start: int, stop: int, strength: Strength) -> _Heard:
    return _Heard(item, passage.position(start), passage.position(stop), passage, start, stop, strength)


@lru_cache(maxsize=256)
def _split(sounds: str) -> str:
    return phonetics().split(sounds)


@lru_cache(maxsize=4096)
def _patterns(templates: tuple[str, ...]) -> tuple[Pattern, ...]:
    return tuple(compile_pattern(text) for text in templates)
