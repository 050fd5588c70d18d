"""Stale-while-revalidate cache: a result is kept for 20 times as long as it took to compute.

It keeps the pages of a large live run quick.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

_FRESH_FACTOR = 20.0
"""A result is fresh for this many times the seconds that it took to compute."""
_SLOW_S = 0.15
"""Slower results are recomputed in the background, and the stale one is returned meanwhile."""
_MAX_ENTRIES = 64


class _Entry(NamedTuple):
    value: Any
    computed_in_s: float
    computed_at: float


class StaleWhileRevalidateCache:
    """A cache of at most 64 results by key. It is safe from any thread."""

    def __init__(self) -> None:
        self._entries: dict[tuple[Any, ...], _Entry] = {}
        self._recomputing: set[tuple[Any, ...]] = set()
        self._first: dict[tuple[Any, ...], threading.Lock] = {}
        self._failures: dict[tuple[Any, ...], Exception] = {}
        self._lock = threading.Lock()

    def get(self, key: tuple[Any, ...], compute: Callable[[], T]) -> T:
        """Return the result for `key`, computing it if it is missing or stale."""
        entry = self._entries.get(key)
        if entry is None:
            with self._lock:
                first = self._first.setdefault(key, threading.Lock())
            with first:
                # Another thread may have computed it while this one waited.
                entry = self._entries.get(key)
                if entry is None:
                    return self._recompute(key, compute)
        value: T = entry.value
        if time.monotonic() - entry.computed_at <= _FRESH_FACTOR * entry.computed_in_s:
            return value
        if entry.computed_in_s < _SLOW_S:
            return self._recompute(key, compute)
        with self._lock:
            begin = key not in self._recomputing
            self._recomputing.add(key)
        if begin:
            threading.Thread(target=self._recompute, args=(key, compute), daemon=True).start()
        return value

    def get_soon(self, key: tuple[Any, ...], compute: Callable[[], T], wait_s: float) -> T | None:
        """Return the result for `key`, or None while the first one takes longer than `wait_s` to compute.

        Raises:
            Exception: Whatever the computation raised; the next call tries it again.
        """
        if failure := self._failures.pop(key, None):
            raise failure
        if key not in self._entries:
            with self._lock:
                begin = key not in self._recomputing
                self._recomputing.add(key)
            if begin:
                thread = threading.Thread(target=self._attempt, args=(key, compute), daemon=True)
                thread.start()
                thread.join(wait_s)
            if failure := self._failures.pop(key, None):
                raise failure
            if key not in self._entries:
                return None
        return self.get(key, compute)

    def _attempt(self, key: tuple[Any, ...], compute: Callable[[], Any]) -> None:
        try:
            self._recompute(key, compute)
        except Exception as failure:  # noqa: BLE001 - raised again in the request that asks for the result
            self._failures[key] = failure

    def _recompute(self, key: tuple[Any, ...], compute: Callable[[], T]) -> T:
        began = time.monotonic()
        try:
            value = compute()
        finally:
            with self._lock:
                self._recomputing.discard(key)
        with self._lock:
            self._entries[key] = _Entry(value, time.monotonic() - began, time.monotonic())
            while len(self._entries) > _MAX_ENTRIES:
                oldest = next(iter(self._entries))
                del self._entries[oldest]
                self._first.pop(oldest, None)
        return value
