"""Who speaks when on one channel."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import TYPE_CHECKING

from qa_pipeline.model import VoiceSpan
from qa_pipeline.speakers.clusters import Division
from qa_pipeline.speakers.encoder import VoiceEncoder
from qa_pipeline.speakers.phrases import Heard, Phrase, listen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa_pipeline.speakers.spans import Spans

THIRD = 2  # the number of a third voice: announcements, somebody in the background
SHARPNESS = 40.0  # log odds of a voice per unit of cosine and second
CAUTION = 12.0  # the same for the confidence that is told
CHANGE = ((0.3, 0.15), (0.8, 0.35), (float("inf"), 0.45))  # pause up to … s: chance that another one speaks after it
DOUBT = 0.5  # confidence of an outlier in a recording of one voice
ONE_VOICE = 0.9
JOIN_S = 0.3


def diarize(row: NDArray[np.int16], spoken: Spans, encoder: VoiceEncoder | None = None) -> tuple[VoiceSpan, ...]:
    """Voices of one channel (int16, 16 kHz) within its speech, sorted; they cover all speech of at least 80 ms.

    0 and 1 are the two people of the call in order of first appearance; a third voice, when one is sure, is ``THIRD``. A recording in
    which only one person is heard has voice 0 alone.
    """
    import numpy as np

    heard = listen(row, spoken, encoder or _encoder())
    if not heard.phrases:
        return ()
    division = Division(heard)
    if division.count == 1:
        return _joined([_span(phrase, 0, ONE_VOICE) for phrase in heard.phrases])
    evidence = _evidence(heard, division.labels, division.count)
    labels = _path(heard.phrases, evidence)
    if len(set(labels)) == division.count:  # once more, with the mean voices of what each was given
        evidence = _evidence(heard, np.array(labels), division.count)
        labels = _path(heard.phrases, evidence)
    if not division.stands(labels):
        main = _main(heard.phrases, labels)
        return _joined(
            [_span(phrase, 0, ONE_VOICE if label == main else DOUBT) for phrase, label in zip(heard.phrases, labels, strict=True)]
        )
    names = _names(heard.phrases, labels)
    sure = _confidence(evidence, labels)
    spans = [_span(phrase, names[label], value) for phrase, label, value in zip(heard.phrases, labels, sure, strict=True)]
    return _joined(spans)


def _span(phrase: Phrase, voice: int, confidence: float) -> VoiceSpan:
    return VoiceSpan(voice=voice, start_s=phrase.start_s, end_s=phrase.end_s, confidence=confidence)


def _main(phrases: tuple[Phrase, ...], labels: list[int]) -> int:
    """The person who speaks longest."""
    return max(sorted(set(labels)), key=lambda person: _seconds(phrases, labels, person))


def _seconds(phrases: tuple[Phrase, ...], labels: list[int], person: int) -> float:
    return sum(phrase.length_s for phrase, label in zip(phrases, labels, strict=True) if label == person)


@lru_cache(maxsize=1)
def _encoder() -> VoiceEncoder:
    """One network a process: 12 MB, 80 ms to load, read-only."""
    return VoiceEncoder()


def _evidence(heard: Heard, labels: NDArray[np.intp], count: int) -> NDArray[np.float64]:
    """``[phrases, people]``: mean cosine with each person's mean voice, times the seconds that speak for it (1.5 at most)."""
    import numpy as np

    means = []
    for person in range(count):
        mine = labels[heard.phrase] == person
        mean = (heard.vectors[mine] * heard.weight[mine, None]).sum(axis=0)
        means.append(mean / np.linalg.norm(mean))
    likeness = heard.vectors @ np.stack(means).T
    weight = np.bincount(heard.phrase, heard.weight, len(heard.phrases))
    mean_likeness = np.stack(
        [np.bincount(heard.phrase, heard.weight * likeness[:, person], len(heard.phrases)) / weight for person in range(count)],
        axis=1,
    )
    seconds = np.array([min(1.5, phrase.length_s) for phrase in heard.phrases])
    return np.asarray(mean_likeness * seconds[:, None], np.float64)


def _path(phrases: tuple[Phrase, ...], evidence: NDArray[np.float64]) -> list[int]:
    """The likeliest order of people: the evidence of each phrase against the chance of a change at the pause before it."""
    import numpy as np

    count = evidence.shape[1]
    score = SHARPNESS * evidence[0]
    back: list[NDArray[np.intp]] = []
    for index in range(1, len(phrases)):
        pause_s = (phrases[index].first - phrases[index - 1].last) / 100
        chance = next(chance for longest, chance in CHANGE if pause_s < longest)
        step = np.full((count, count), np.log(chance / (count - 1)))
        np.fill_diagonal(step, np.log(1 - chance))
        options = score[:, None] + step
        back.append(options.argmax(axis=0))
        score = options.max(axis=0) + SHARPNESS * evidence[index]
    labels = [int(score.argmax())]
    for choice in reversed(back):
        labels.append(int(choice[labels[-1]]))
    return labels[::-1]


def _names(phrases: tuple[Phrase, ...], labels: list[int]) -> dict[int, int]:
    """People's numbers: of three the one who changes least often with the others (then speaks least) is ``THIRD``."""
    present = list(dict.fromkeys(labels))
    if len(present) == 3:
        changes = {person: sum((a == person) != (b == person) for a, b in itertools.pairwise(labels)) for person in present}
        third = min(present, key=lambda person: (changes[person], _seconds(phrases, labels, person)))
        present = [*(person for person in present if person != third), third]
    return {person: number for number, person in enumerate(present)}


def _confidence(evidence: NDArray[np.float64], labels: list[int]) -> list[float]:
    """Logistic of the lead over the best other person; under 0.5 where the neighbours decided against the sound."""
    import numpy as np

    rows = np.arange(len(labels))
    own = evidence[rows, labels]
    rest = evidence.copy()
    rest[rows, labels] = -np.inf
    lead = own - rest.max(axis=1)
    return [round(value, 2) for value in (1 / (1 + np.exp(-CAUTION * lead))).tolist()]


def _joined(spans: list[VoiceSpan]) -> tuple[VoiceSpan, ...]:
    """Neighbours of one voice with hardly a pause become one span; confidence by length."""
    joined: list[VoiceSpan] = []
    for span in spans:
        before = joined[-1] if joined else None
        if before is not None and before.voice == span.voice and span.start_s - before.end_s < JOIN_S:
            first, second = before.end_s - before.start_s, span.end_s - span.start_s
            confidence = (before.confidence * first + span.confidence * second) / max(first + second, 1e-9)
            joined[-1] = VoiceSpan(voice=span.voice, start_s=before.start_s, end_s=span.end_s, confidence=round(confidence, 2))
        else:
            joined.append(span)
    return tuple(
        VoiceSpan(
            voice=span.voice, start_s=round(float(span.start_s), 3), end_s=round(float(span.end_s), 3), confidence=span.confidence
        )
        for span in joined
    )
