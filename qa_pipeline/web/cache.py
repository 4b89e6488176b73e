"""Results that take longer than a click: computed once for everybody, shown while the next is computed behind the scenes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

T = TypeVar("T")


@dataclass(slots=True)
class _Kept:
    value: Any
    version: int
    made_at: float
    took_s: float
    shown_at: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """A value and when it was computed."""

    value: Any
    at: datetime


class Cache:
    """``version`` tells the state of the copy that results are made from. A result of another state is shown at once and made
    anew in the background, one at a time and never more than a thirtieth of the time."""

    def __init__(self, version: Callable[[], int], now: Callable[[], datetime], *, most: int = 400) -> None:
        self._version = version
        self._now = now
        self._most = most
        self._kept: dict[object, _Kept] = {}
        self._locks: dict[object, threading.Lock] = {}
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="results")
        self._waiting: set[object] = set()

    def get(self, key: object, make: Callable[[], T], *, fresh_s: float = 5.0) -> tuple[T, datetime]:
        """The result and when it was made. ``fresh_s``: so long a result counts even when the state has changed."""
        kept = self._kept.get(key)
        if kept is None:
            kept = self._make_once(key, make)
        elif kept.version != self._version() and time.monotonic() - kept.made_at > max(fresh_s, 30 * kept.took_s):
            self._renew(key, make)
        return cast(T, kept.value), kept.shown_at

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()

    def close(self) -> None:
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _make_once(self, key: object, make: Callable[[], Any]) -> _Kept:
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            return self._kept.get(key) or self._make(key, make)

    def _make(self, key: object, make: Callable[[], Any]) -> _Kept:
        version, began, at = self._version(), time.monotonic(), self._now()
        value = make()
        kept = _Kept(value, version, time.monotonic(), time.monotonic() - began, at)
        with self._lock:
            if len(self._kept) >= self._most:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = kept
            self._locks.pop(key, None)
        return kept

    def _renew(self, key: object, make: Callable[[], Any]) -> None:
        with self._lock:
            if key in self._waiting:
                return
            self._waiting.add(key)

        def work() -> None:
            try:
                self._make(key, make)
            finally:
                with self._lock:
                    self._waiting.discard(key)

        self._worker.submit(work)
