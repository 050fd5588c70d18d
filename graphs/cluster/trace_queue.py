"""The queue of traces for the workers: pending traces, and traces that were returned because their worker died."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tracejury.traces import Question, Trace


@dataclass
class QueuedTrace:
    """A trace with its question and its history on the cluster."""

    trace: Trace
    question: Question
    settled: frozenset[str]
    """Ids of steps that have an outcome already."""
    deaths: int = 0
    """Number of workers that died while they judged it."""


class TraceQueue:
    """Gives out traces, each to one worker at a time.

    Args:
        pending: Traces that no worker has had yet.
        stopping: Once set, the queue gives out no further trace.
    """

    def __init__(self, pending: AsyncIterator[QueuedTrace], stopping: asyncio.Event) -> None:
        self._pending = pending
        self._stopping = stopping
        self._returned: deque[QueuedTrace] = deque()
        self._in_progress = 0
        self._changed = asyncio.Condition()
        self.exhausted = asyncio.Event()
        """Set once no trace is in progress, and none is left or the run stops."""

    async def take(self) -> QueuedTrace | None:
        """Return the next trace; None once the queue is exhausted. Waits while traces in progress may be returned."""
        async with self._changed:
            while True:
                if not self._stopping.is_set():
                    queued = self._returned.popleft() if self._returned else await anext(self._pending, None)
                    if queued is not None:
                        self._in_progress += 1
                        return queued
                if self._in_progress == 0:
                    self.exhausted.set()
                    return None
                await self._changed.wait()

    async def mark_finished(self) -> None:
        """Count one trace less in progress."""
        await self._release(None)

    async def put_back(self, queued: QueuedTrace) -> None:
        """Return a trace to the queue, for another worker."""
        await self._release(queued)

    async def stop(self) -> None:
        """Wake all waiting workers, so that they see that the run stops."""
        async with self._changed:
            if self._in_progress == 0:
                self.exhausted.set()
            self._changed.notify_all()

    async def _release(self, queued: QueuedTrace | None) -> None:
        async with self._changed:
            self._in_progress -= 1
            if queued is not None:
                self._returned.append(queued)
            self._changed.notify_all()
