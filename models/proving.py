"""Until an endpoint has given its first reply, its calls are sent one at a time: a wrong key costs a few calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FirstReply:
    """Lets one call through at a time until `record` is called."""

    def __init__(self) -> None:
        self._is_known = False
        self._is_running = False
        self._changed = asyncio.Event()

    def record(self) -> None:
        """Record that the endpoint has answered otherwise than by a refusal; all waiting calls begin."""
        if not self._is_known:
            self._is_known = True
            self._changed.set()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Wait for the turn of a call; yield whether it has the endpoint to itself."""
        while not self._is_known and self._is_running:
            self._changed.clear()
            await self._changed.wait()
        if self._is_known:
            yield False
            return
        self._is_running = True
        try:
            yield True
        finally:
            self._is_running = False
            self._changed.set()
