"""One piece of work for many items, several at the same time, results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

Item = TypeVar("Item")
Done = TypeVar("Done")
AHEAD = 16  # items a thread, taken before the first is done, so that whoever gives them need not wait; 0.2 MB each


def abreast(work: Callable[[Item], Done], items: Iterable[Item], threads: int) -> Iterator[tuple[Item, Done]]:
    """Each item with the result of its work, in the order of ``items``; with one thread: no thread at all.

    For work that waits (for another process). Items are taken in the caller's thread, while the work goes on in the others.
    What ``work`` raises is raised here at its item's turn; work that has begun by then is finished, the rest is not begun.
    """
    if threads <= 1:
        for item in items:
            yield item, work(item)
        return
    from concurrent.futures import ThreadPoolExecutor

    waiting: deque[tuple[Item, Future[Done]]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="qa-abreast")
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            while waiting and (waiting[0][1].done() or len(waiting) > AHEAD * threads):
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()
    finally:
        pool.shutdown(cancel_futures=True)
