"""Answers that cost something, held for a while in proportion to their cost, so that a large live run stays fluent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

_REST = 20.0
"""An answer is held for so many times the seconds that it took."""
_SLOW_S = 0.15
"""Slower ones are renewed in the background, and the old answer is given meanwhile."""
_MOST = 64


class _Answer(NamedTuple):
    value: Any
    took: float
    at: float


class StaleWhileRevalidateCache:
    """A small memory of answers by key. Safe from any thread."""

    def __init__(self) -> None:
        self._answers: dict[tuple[Any, ...], _Answer] = {}
        self._renewing: set[tuple[Any, ...]] = set()
        self._first: dict[tuple[Any, ...], threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: tuple[Any, ...], make: Callable[[], T]) -> T:
        """Return the answer to `key`, at most `_REST` times as old as it took to make."""
        entry = self._answers.get(key)
        if entry is None:
            with self._lock:
                first = self._first.setdefault(key, threading.Lock())
            with first:
                # Somebody else may have made it while this one waited.
                entry = self._answers.get(key)
                if entry is None:
                    return self._renew(key, make)
        value: T = entry.value
        if time.monotonic() - entry.at <= _REST * entry.took:
            return value
        if entry.took < _SLOW_S:
            return self._renew(key, make)
        with self._lock:
            begin = key not in self._renewing
            self._renewing.add(key)
        if begin:
            threading.Thread(target=self._renew, args=(key, make), daemon=True).start()
        return value

    def _renew(self, key: tuple[Any, ...], make: Callable[[], T]) -> T:
        began = time.monotonic()
        try:
            value = make()
        finally:
            with self._lock:
                self._renewing.discard(key)
        with self._lock:
            self._answers[key] = _Answer(value, time.monotonic() - began, time.monotonic())
            while len(self._answers) > _MOST:
                oldest = next(iter(self._answers))
                del self._answers[oldest]
                self._first.pop(oldest, None)
        return value
