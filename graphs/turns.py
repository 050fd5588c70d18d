"""Ordering the steps of a trace in time, so that servers can reuse the prompt's prefix.

On such endpoints a step's first judge is asked alone and the rest follow, and a trace's steps start in order. Measured
on one slot of the embedded server: see benchmarks/results/prefix.json.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable


class Turns:
    """The order of the steps of each trace. Kept outside the graph's state, which holds data only."""

    def __init__(self) -> None:
        self._begun: dict[tuple[str, int], asyncio.Event] = {}
        self._before: dict[tuple[str, int], int] = {}

    def open(self, trace_id: str, indices: Iterable[int]) -> None:
        """Register the steps of a trace that will be judged, in order."""
        before: int | None = None
        for index in indices:
            self._begun[trace_id, index] = asyncio.Event()
            if before is not None:
                self._before[trace_id, index] = before
            before = index

    async def wait(self, trace_id: str, index: int) -> None:
        """Wait until the step before this one has warmed the prefix."""
        before = self._before.get((trace_id, index))
        event = None if before is None else self._begun.get((trace_id, before))
        if event is not None:
            await event.wait()

    def pass_on(self, trace_id: str, index: int) -> None:
        """Let the next step begin, and forget this one. Nothing waits for an unregistered step."""
        self._before.pop((trace_id, index), None)
        event = self._begun.pop((trace_id, index), None)
        if event is not None:
            event.set()
