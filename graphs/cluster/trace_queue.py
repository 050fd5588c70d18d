"""What is dealt to workers: traces that are still to be heard, and those that came back when their worker died."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tracejury.traces import Question, Trace


@dataclass
class QueuedTrace:
    """A trace on its way through the cluster."""

    trace: Trace
    question: Question
    settled: frozenset[str]
    """Steps that have an outcome already."""
    deaths: int = 0
    """Workers that died with it."""


class TraceQueue:
    """Hands out traces, each to one worker at a time.

    Args:
        fresh: Traces that nobody has had.
        stopping: Set: nothing is handed out any more.
    """

    def __init__(self, fresh: AsyncIterator[QueuedTrace], stopping: asyncio.Event) -> None:
        self._fresh = fresh
        self._stopping = stopping
        self._back: deque[QueuedTrace] = deque()
        self._out = 0
        self._changed = asyncio.Condition()
        self.over = asyncio.Event()
        """Nothing is left and nothing is out; or the run stops, and nothing is out."""

    async def take(self) -> QueuedTrace | None:
        """Return the next trace; None once the deal is over. Waits while others still have some that may come back."""
        async with self._changed:
            while True:
                if not self._stopping.is_set():
                    taken = self._back.popleft() if self._back else await anext(self._fresh, None)
                    if taken is not None:
                        self._out += 1
                        return taken
                if self._out == 0:
                    self.over.set()
                    return None
                await self._changed.wait()

    async def done(self) -> None:
        """A trace has been dealt with."""
        await self._return(None)

    async def back(self, dealt: QueuedTrace) -> None:
        """A trace comes back, for somebody else."""
        await self._return(dealt)

    async def halt(self) -> None:
        """The run stops: if nothing is out, the deal is over."""
        async with self._changed:
            if self._out == 0:
                self.over.set()
            self._changed.notify_all()

    async def _return(self, dealt: QueuedTrace | None) -> None:
        async with self._changed:
            self._out -= 1
            if dealt is not None:
                self._back.append(dealt)
            self._changed.notify_all()
