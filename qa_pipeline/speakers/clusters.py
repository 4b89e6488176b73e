"""Windows of voice vectors into one, two or three people.

Pairs of windows vote: more alike than ``threshold`` binds two phrases together, less drives them apart, each by its seconds. The best
division under these votes is searched from several starts; it needs no number of people and no equal shares. What one person's and two
people's windows look like was measured on 2026-11-21 (``benchmarks/speakers.md``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa_pipeline.speakers.phrases import Heard

ALIKE = 0.77  # cosine of two full windows of one person
MARGIN = 0.07  # below it: the threshold between one person and two
DRIFT = 0.05  # by so much a recording's own likeness may move the threshold
# Likeness by the length in seconds of the shorter window: of one person, of two people.
LENGTHS = (0.2, 0.45, 0.75, 1.1, 1.45, 1.6)
SAME = (0.56, 0.64, 0.695, 0.74, 0.765, 0.77)
OTHER = (0.48, 0.50, 0.51, 0.53, 0.55, 0.565)
EVIDENCE = 0.26  # apartness times seconds, over the root of all seconds; one-voice recordings stay under 0.25
CLEAR, SIZEABLE = 0.5, 0.15  # apartness, or share of the speech, that a second person needs besides
THIRD_APART, THIRD_S = 0.7, 5.0  # a third voice needs more: an announcement, not one odd sentence
LEAST_S = 0.6
MOST_WINDOWS = 1_500  # are compared with each other; the others are told by the people found


class Division:
    """Phrases divided among people, and whether the division stands."""

    def __init__(self, heard: Heard) -> None:
        """Compares at most ``MOST_WINDOWS`` windows; phrases that were not compared have label -1."""
        import numpy as np

        self._chosen = _sample(heard)
        self._pairs = _Pairs(heard, np.flatnonzero(np.isin(heard.phrase, self._chosen)))
        groups = [group for group in self._pairs.best_split(np.arange(len(self._chosen))) if len(group)]
        groups = self._with_third(groups)
        self.count = len(groups)
        self.labels: NDArray[np.intp] = np.full(len(heard.phrases), -1, np.intp)
        for number, group in enumerate(groups):
            self.labels[self._chosen[group]] = number

    def _with_third(self, groups: list[NDArray[np.intp]]) -> list[NDArray[np.intp]]:
        """One of two groups parted once more when it clearly holds two people, both unlike the other group."""
        if len(groups) < 2:
            return groups
        for group, other in (groups, groups[::-1]):
            first, second = self._pairs.best_split(group)
            if not len(second) or min(self._pairs.seconds(part) for part in (second, other)) < THIRD_S:
                continue
            if min(self._pairs.apartness(part, second) for part in (first, other)) >= THIRD_APART:
                return [other, first, second]
        return groups

    def stands(self, labels: Sequence[int]) -> bool:
        """Whether the two who speak most under these labels (all phrases) are really two people."""
        import numpy as np

        compared = np.asarray(labels)[self._chosen]
        groups = sorted((np.flatnonzero(compared == label) for label in set(compared.tolist())), key=self._pairs.seconds)
        return len(groups) > 1 and self._pairs.accepts(groups[-1], groups[-2])


def _sample(heard: Heard) -> NDArray[np.intp]:
    """Phrases to compare: all, or of a very long recording an even share, not in step with turns that alternate."""
    import numpy as np

    step = max(1, -(-len(heard.phrase) // MOST_WINDOWS))
    numbers = np.arange(len(heard.phrases))
    scattered = (numbers.astype(np.uint64) * np.uint64(2_654_435_761) >> np.uint64(13)) % np.uint64(step)
    return np.asarray(numbers[scattered == 0], np.intp)


class _Pairs:
    """Likeness of all pairs of windows, and the votes of pairs of phrases."""

    def __init__(self, heard: Heard, windows: NDArray[np.intp]) -> None:
        import numpy as np

        vectors = heard.vectors[windows]
        _, self._phrase = np.unique(heard.phrase[windows], return_inverse=True)
        self._weight = heard.weight[windows]
        self._likeness = vectors @ vectors.T
        lengths = (heard.frames[windows, 1] - heard.frames[windows, 0]) / 100
        shorter = np.minimum(lengths[:, None], lengths)
        self._same = np.interp(shorter, LENGTHS, SAME)
        self._span = self._same - np.interp(shorter, LENGTHS, OTHER)
        member = np.zeros((int(self._phrase.max()) + 1, len(windows)), np.float32)
        member[self._phrase, np.arange(len(windows))] = 1
        pull = (self._likeness - (ALIKE - MARGIN + self._drift(heard.frames[windows]))) * np.outer(self._weight, self._weight)
        self._votes = (member @ pull.astype(np.float32) @ member.T).astype(np.float64)
        np.fill_diagonal(self._votes, 0)
        self._seconds = member @ self._weight

    def _drift(self, frames: NDArray[np.intp]) -> float:
        """How much more or less alike than usual this recording's neighbouring windows of one phrase are."""
        import numpy as np

        found = []
        for step in range(1, 8):
            near = np.arange(len(frames) - step)
            near = near[(self._phrase[near] == self._phrase[near + step]) & (frames[near + step, 0] >= frames[near, 1])]
            found.append((self._likeness - self._same)[near, near + step])
        values = np.concatenate(found)
        return float(np.clip(np.median(values), -DRIFT, DRIFT)) if len(values) >= 5 else 0.0

    def seconds(self, group: NDArray[np.intp]) -> float:
        """Speech of these phrases."""
        return float(self._seconds[group].sum())

    def best_split(self, group: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The two parts, the longer first; the second is empty when nothing is gained by parting."""
        import numpy as np

        votes = self._votes[np.ix_(group, group)]
        best, most = np.ones(len(group)), -np.inf
        for start in _starts(votes):
            sides, gain = _improve(votes, start)
            if gain > most + 1e-9:
                best, most = sides, gain
        first, second = group[best > 0], group[best <= 0]
        return (second, first) if self.seconds(second) > self.seconds(first) else (first, second)

    def apartness(self, first: NDArray[np.intp], second: NDArray[np.intp]) -> float:
        """0: the second is as like the first as the first is to itself; 1: as unlike as another person."""
        return self._unlike(first, second) - self._unlike(first, first)

    def _unlike(self, first: NDArray[np.intp], second: NDArray[np.intp]) -> float:
        import numpy as np

        rows, columns = np.flatnonzero(np.isin(self._phrase, first)), np.flatnonzero(np.isin(self._phrase, second))
        at = np.ix_(rows, columns)
        weight = np.outer(self._weight[rows], self._weight[columns]) * (self._phrase[rows][:, None] != self._phrase[columns])
        total = float((weight * self._span[at]).sum())
        return float(((self._same - self._likeness)[at] * weight).sum()) / total if total > 0 else 0.0

    def accepts(self, first: NDArray[np.intp], second: NDArray[np.intp]) -> bool:
        """Whether the second part is another person, not an odd moment of the first."""
        seconds, total = self.seconds(second), self.seconds(first) + self.seconds(second)
        apart = self.apartness(first, second)
        weighty = apart * seconds / min(total, 60.0) ** 0.5 >= EVIDENCE
        return weighty and seconds >= LEAST_S and (apart >= CLEAR or seconds / total >= SIZEABLE)


def _starts(votes: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Divisions to start from: nobody apart, the strongest directions of the votes, and the most unliked phrases."""
    import numpy as np

    count = len(votes)
    _, directions = np.linalg.eigh(votes)
    starts = [np.ones(count)]
    starts += [np.where(directions[:, -rank] >= 0, 1.0, -1.0) for rank in range(1, min(5, count) + 1)]
    for phrase in np.argsort(votes.sum(axis=1), kind="stable")[:6]:
        alone = np.ones(count)
        alone[phrase] = -1
        starts += [alone, np.where(votes[phrase] > 0, -1.0, 1.0)]
    return starts


def _improve(votes: NDArray[np.float64], sides: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Move phrases over one by one, the most unhappy first, while that helps."""
    pull = votes @ sides
    for _ in range(4 * len(sides)):
        happy = sides * pull
        worst = int(happy.argmin())
        if happy[worst] >= -1e-9:
            break
        sides[worst] = -sides[worst]
        pull += 2 * sides[worst] * votes[:, worst]
    return sides, float(sides @ pull)
