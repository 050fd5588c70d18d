"""Searches of judges and of the resolver: the same query on the same question is looked up once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tracejury.retrieval import Finding

SearchKey = tuple[str, str, int, tuple[str, ...]]
"""Query, question, number of passages, sources."""
_MOST = 1024
"""Findings that are kept; each holds a few passages."""


class SearchCache:
    """Findings by query, question, number of passages and sources; the oldest goes first."""

    def __init__(self) -> None:
        self._findings: dict[SearchKey, asyncio.Future[Finding]] = {}

    async def get(self, key: SearchKey, find: Callable[[], Awaitable[Finding]]) -> Finding:
        """Return the finding of a key, from `find` where nobody has asked for it before."""
        pending = self._findings.get(key)
        if pending is None or pending.cancelled() or (pending.done() and pending.exception() is not None):
            pending = self._findings[key] = asyncio.ensure_future(find())
            if len(self._findings) > _MOST:
                del self._findings[next(iter(self._findings))]
        # A judge that is cancelled must not take the finding from the others.
        return await asyncio.shield(pending)
