"""Several at the same time, in order, and nothing taken that cannot be held."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from qa_pipeline.abreast import AHEAD, abreast


def test_results_come_in_order_while_several_work_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=10)

    def work(number: int) -> int:
        if number < 3:
            together.wait()  # would never pass with fewer than three at work
        return number * 10

    assert list(abreast(work, range(9), 3)) == [(number, number * 10) for number in range(9)]


def test_one_thread_is_the_callers() -> None:
    found = list(abreast(lambda number: threading.current_thread(), range(3), 1))
    assert {thread for _, thread in found} == {threading.current_thread()}


def test_items_are_taken_as_they_are_needed() -> None:
    taken: list[int] = []
    go = threading.Event()

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            if number == 2 * AHEAD:
                go.set()  # nothing is done yet, and no more than these may be taken
            yield number

    def work(number: int) -> int:
        go.wait(10)
        return number

    results = abreast(work, items(), 2)
    assert next(results) == (0, 0)
    assert len(taken) <= 2 * AHEAD + 2
    assert [number for number, _ in results] == list(range(1, 100))


def test_what_work_raises_is_raised_at_its_turn_and_the_rest_is_not_begun() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 1:
            raise ValueError("one")
        return number

    results = abreast(work, range(1000), 2)
    assert next(results) == (0, 0)
    with pytest.raises(ValueError, match="one"):
        list(results)
    assert len(begun) < 20
    assert threading.active_count() == 1 or not [one for one in threading.enumerate() if one.name.startswith("qa-abreast")]
