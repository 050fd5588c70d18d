"""The ledger actor: the one process that writes a SQLite ledger while Ray workers adjudicate traces.

Postgres needs none. A worker's write returns once the commit is durable, so a call is stored before its reply is
parsed, as in one process. A request may arrive twice, because Ray repeats it to a restarted actor; every method
tolerates that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tracejury.agents import Deliberation
from tracejury.graphs.trace_runner import LedgerSink
from tracejury.ledger.writer import Ledger
from tracejury.models import CallRecord, CallStore
from tracejury.storage import StoreError
from tracejury.traces import Question, Segmentation, Trace

BATCHES_IN_FLIGHT = 2
"""Batches of requests sent to the ledger actor at once; requests that arrive meanwhile share the next batch."""


class LedgerRequest(NamedTuple):
    """A request to the ledger actor: the name of a method in `LedgerActor.methods`, and its arguments."""

    method: str
    arguments: tuple[Any, ...]


class LedgerActor:
    """Writes and reads the ledger of a run for its workers.

    Args:
        url: The ledger, on the ledger actor's own machine.
        run_id: The run.
    """

    def __init__(self, url: str, run_id: str) -> None:
        self._ledger = Ledger(url)
        self._calls = CallStore(self._ledger.engine, run=run_id)
        sink = LedgerSink(self._calls.writer, run_id)
        self.methods: dict[str, Callable[..., Awaitable[Any]]] = {
            "record": self._calls.record,
            "cached": self._calls.cached,
            "mark_unusable": self._calls.mark_unusable,
            "trace": sink.trace,
            "deliberation": sink.deliberation,
            "close": sink.close,
        }

    async def handle(self, requests: Sequence[LedgerRequest]) -> list[Any]:
        """Return the results of a batch of requests, in order; where a request failed, its exception."""
        results = (self.methods[request.method](*request.arguments) for request in requests)
        return await asyncio.gather(*results, return_exceptions=True)

    async def close(self) -> None:
        """Write what is still queued, and close the ledger."""
        await asyncio.to_thread(self._calls.close)
        self._ledger.close()


class LedgerClient:
    """A worker's connection to the ledger actor; it sends requests in batches.

    Args:
        send: Sends a batch of requests to the ledger actor and returns the results.
    """

    def __init__(self, send: Callable[[Sequence[LedgerRequest]], Awaitable[list[Any]]]) -> None:
        self._send = send
        self._queue: list[tuple[LedgerRequest, asyncio.Future[Any]]] = []
        self._batches: set[asyncio.Task[None]] = set()

    async def call(self, method: str, *arguments: Any) -> Any:
        """Send a request and return its result.

        Raises:
            Exception: The exception that the request failed with.
        """
        return await self.submit(method, *arguments)

    def submit(self, method: str, *arguments: Any) -> asyncio.Future[Any]:
        """Send a request; return the future of its result."""
        result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append((LedgerRequest(method, arguments), result))
        self._start_batch()
        return result

    async def close(self) -> None:
        """Wait for the results of all requests."""
        while self._batches:
            await asyncio.wait(self._batches)

    def _start_batch(self) -> None:
        if self._queue and len(self._batches) < BATCHES_IN_FLIGHT:
            batch = asyncio.get_running_loop().create_task(self._send_queue())
            self._batches.add(batch)
            batch.add_done_callback(self._end_batch)

    def _end_batch(self, batch: asyncio.Task[None]) -> None:
        self._batches.discard(batch)
        self._start_batch()

    async def _send_queue(self) -> None:
        batch, self._queue = self._queue, []
        try:
            outcomes = await self._send([request for request, _ in batch])
        except BaseException as failure:
            for _, result in batch:
                if not result.done():
                    result.set_exception(failure if isinstance(failure, Exception) else ConnectionError("cut off"))
                    result.exception()  # so that asyncio does not complain where nobody awaits it
            if not isinstance(failure, Exception):
                raise
            return
        for (_, result), outcome in zip(batch, outcomes, strict=True):
            if result.done():
                continue
            if isinstance(outcome, BaseException):
                result.set_exception(outcome)
                result.exception()
            else:
                result.set_result(outcome)


class RemoteCalls:
    """The call store and response cache, behind the ledger actor."""

    def __init__(self, client: LedgerClient) -> None:
        self._client = client
        self.write_failure: StoreError | None = None

    async def record(self, call: CallRecord, prompt: Sequence[Mapping[str, str]]) -> None:
        """Store a call and its rendered prompt; both are durable on return."""
        try:
            await self._client.call("record", call, prompt)
        except StoreError as error:
            self.write_failure = error
            raise

    async def cached(self, key: str) -> CallRecord | None:
        """Return the newest usable reply under `key`."""
        call: CallRecord | None = await self._client.call("cached", key)
        return call

    async def mark_unusable(self, ids: tuple[str, ...]) -> None:
        """Record that the replies of these calls cannot be used."""
        await self._client.call("mark_unusable", ids)


class RemoteSink:
    """The trace sink that writes through the ledger actor."""

    def __init__(self, client: LedgerClient) -> None:
        self._client = client

    async def trace(self, trace: Trace, question: Question, cut: Segmentation) -> None:
        """Write a trace."""
        await self._client.call("trace", trace, question, cut)

    async def deliberation(self, deliberation: Deliberation) -> None:
        """Write a deliberation."""
        await self._client.call("deliberation", deliberation)

    async def close(self, trace_id: str) -> None:
        """Mark a trace as closed, if all of its steps are."""
        await self._client.call("close", trace_id)
