"""Stale-while-revalidate cache: a result is kept for 20 times as long as it took to compute.

It keeps the pages of a large live run quick. A result whose source has not changed stays.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
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
    state: Hashable
    time: datetime


class StaleWhileRevalidateCache:
    """A cache of at most 64 results by key. It is safe from any thread.

    Args:
        read_state: Returns the state of what results are computed from where a call names none; None: unknown.
    """

    def __init__(self, read_state: Callable[[], Hashable] = lambda: None) -> None:
        self._read_state = read_state
        self._entries: dict[tuple[Any, ...], _Entry] = {}
        self._recomputing: set[tuple[Any, ...]] = set()
        self._first: dict[tuple[Any, ...], threading.Lock] = {}
        self._failures: dict[tuple[Any, ...], Exception] = {}
        self._lock = threading.Lock()

    def get(self, key: tuple[Any, ...], compute: Callable[[], T], state: Hashable = None) -> T:
        """Return the result for `key`, computing it if it is missing or stale.

        Args:
            key: What is computed.
            compute: Computes it.
            state: What it is computed from; a result stays fresh as long as this is the same. None: the cache asks.
        """
        state = self._read_state() if state is None else state
        entry = self._entries.get(key)
        if entry is None:
            with self._lock:
                first = self._first.setdefault(key, threading.Lock())
            with first:
                # Another thread may have computed it while this one waited.
                entry = self._entries.get(key)
                if entry is None:
                    return self._recompute(key, compute, state)
        value: T = entry.value
        if state is not None and entry.state == state:
            return value
        if time.monotonic() - entry.computed_at <= _FRESH_FACTOR * entry.computed_in_s:
            return value
        if entry.computed_in_s < _SLOW_S:
            return self._recompute(key, compute, state)
        with self._lock:
            begin = key not in self._recomputing
            self._recomputing.add(key)
        if begin:
            threading.Thread(target=self._recompute, args=(key, compute, state), daemon=True).start()
        return value

    def time_of_stale(self, key: tuple[Any, ...], state: Hashable) -> datetime | None:
        """Return when the result for `key` was computed (UTC), if that was from another state; else None."""
        entry = self._entries.get(key)
        return None if entry is None or entry.state == state else entry.time

    def get_soon(
        self, key: tuple[Any, ...], compute: Callable[[], T], wait_s: float, state: Hashable = None
    ) -> T | None:
        """Return the result for `key`, or None while the first one takes longer than `wait_s` to compute.

        Raises:
            Exception: Whatever the computation raised; the next call tries it again.
        """
        state = self._read_state() if state is None else state
        if failure := self._failures.pop(key, None):
            raise failure
        if key not in self._entries:
            with self._lock:
                begin = key not in self._recomputing
                self._recomputing.add(key)
            if begin:
                thread = threading.Thread(target=self._attempt, args=(key, compute, state), daemon=True)
                thread.start()
                thread.join(wait_s)
            if failure := self._failures.pop(key, None):
                raise failure
            if key not in self._entries:
                return None
        return self.get(key, compute, state)

    def _attempt(self, key: tuple[Any, ...], compute: Callable[[], Any], state: Hashable) -> None:
        try:
            self._recompute(key, compute, state)
        except Exception as failure:  # noqa: BLE001 - raised again in the request that asks for the result
            self._failures[key] = failure

    def _recompute(self, key: tuple[Any, ...], compute: Callable[[], T], state: Hashable) -> T:
        began = time.monotonic()
        try:
            value = compute()
        finally:
            with self._lock:
                self._recomputing.discard(key)
        with self._lock:
            self._entries[key] = _Entry(value, time.monotonic() - began, time.monotonic(), state, datetime.now(UTC))
            while len(self._entries) > _MAX_ENTRIES:
                oldest = next(iter(self._entries))
                del self._entries[oldest]
                self._first.pop(oldest, None)
        return value
