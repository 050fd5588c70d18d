"""Equal requests share one call: from the response cache, or with the request that is already on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from tracejury.models.records import CallRecord
from tracejury.models.store import CallSink


class SharedCalls:
    """Answers requests by the key of the response cache.

    Args:
        store: Where cached replies are.
        fresh: Use no cached reply from before now.
    """

    def __init__(self, store: CallSink, *, fresh: bool = False) -> None:
        self._store = store
        self._in_flight: dict[str, asyncio.Future[CallRecord]] = {}
        self._oldest_cached = datetime.now(UTC).isoformat(timespec="milliseconds") if fresh else ""

    async def call(self, key: str, purpose: str, send: Callable[[], Awaitable[CallRecord]]) -> CallRecord:
        """Answer from the cache, or send. A second equal request at the same time waits for the first.

        Args:
            key: The key of the response cache.
            purpose: What the reply is for; a cached one may have been for something else.
            send: Sends the request and records its call.
        """
        while (running := self._in_flight.get(key)) is not None:
            try:
                call = await asyncio.shield(running)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if not running.cancelled() or (task is not None and task.cancelling()):
                    raise
                continue  # the other request was cancelled, this one was not: send it here
            return call.model_copy(update={"from_cache": True, "cost_usd": 0.0, "purpose": purpose})
        own = self._in_flight[key] = asyncio.get_running_loop().create_future()
        try:
            cached = await self._store.cached(key)
            if cached is None or cached.started < self._oldest_cached:
                call = await send()
            else:
                call = cached.model_copy(update={"purpose": purpose})
        except asyncio.CancelledError:
            own.cancel()
            raise
        except BaseException as error:
            own.set_exception(error)
            own.exception()  # raised here; perhaps no other request waits for it
            raise
        else:
            own.set_result(call)
            return call
        finally:
            del self._in_flight[key]
