"""Collecting the queries of steps that begin together, so that one look-up answers them all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tracejury.retrieval import Finding, Query
from tracejury.storage import run_in_thread

WINDOW_S = 0.002
"""How long the first query waits for others; a trace's steps ask within one turn of the event loop."""
MAX_BATCH = 128
"""Queries per look-up, which bounds the memory for their candidates."""


class QueryBatcher:
    """Sends queries to `find` in batches, in a thread.

    Args:
        find: Returns one finding per query, in order.
    """

    def __init__(self, find: Callable[[Sequence[Query]], list[Finding]]) -> None:
        self._find = find
        self._queue: list[tuple[Query, asyncio.Future[Finding]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def find(self, query: Query) -> Finding:
        """Return the passages for a query, asked together with others."""
        result: asyncio.Future[Finding] = asyncio.get_running_loop().create_future()
        self._queue.append((query, result))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        return await result

    async def _send(self) -> None:
        await asyncio.sleep(WINDOW_S)
        try:
            while self._queue:
                batch, self._queue = self._queue[:MAX_BATCH], self._queue[MAX_BATCH:]
                try:
                    findings = await run_in_thread(self._find, [query for query, _ in batch])
                except Exception as error:  # noqa: BLE001 - it belongs to the steps that asked
                    for _, result in batch:
                        if not result.done():
                            result.set_exception(error)
                    continue
                for (_, result), finding in zip(batch, findings, strict=True):
                    if not result.done():
                        result.set_result(finding)
        finally:
            self._sending = None
