"""The ledger actor: the one process that writes a SQLite ledger while Ray workers adjudicate traces.

Postgres needs none. A worker's write returns once the commit is durable, so a call is stored before its reply is
parsed, as in one process. Every request may arrive twice: Ray repeats it to a restarted actor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from tracejury.agents import Deliberation
from tracejury.graphs.trace_runner import LedgerSink
from tracejury.ledger.writer import Ledger
from tracejury.models import CallRecord, CallStore
from tracejury.storage import StoreError
from tracejury.traces import Question, Segmentation, Trace

TRIPS = 2
"""Trips to the ledger actor at once; what comes up meanwhile shares the next one."""


class LedgerRequest(NamedTuple):
    """One thing that is asked of the ledger_actor: a name of `LedgerActor.answers`, and what goes with it."""

    asks: str
    told: tuple[Any, ...]


class LedgerActor:
    """Writes and reads the ledger of a run for its workers.

    Args:
        url: The ledger, on the ledger actor's own machine.
        run_id: The run.
    """

    def __init__(self, url: str, run_id: str) -> None:
        self._ledger = Ledger(url)
        self._calls = CallStore(self._ledger.engine, run=run_id)
        books = LedgerSink(self._calls.writer, run_id)
        self.answers: dict[str, Callable[..., Awaitable[Any]]] = {
            "record": self._calls.record,
            "cached": self._calls.cached,
            "mark_usable": self._mark_usable,
            "trace": books.trace,
            "deliberation": books.deliberation,
            "close": books.close,
        }

    async def take(self, letters: Sequence[LedgerRequest]) -> list[Any]:
        """Answer letters, in their order; an answer may be the exception that its letter ended in."""
        answers = (self.answers[letter.asks](*letter.told) for letter in letters)
        return await asyncio.gather(*answers, return_exceptions=True)

    async def leave(self) -> None:
        """Write what waits, and close the ledger."""
        await asyncio.to_thread(self._calls.close)
        self._ledger.close()

    async def _mark_usable(self, ids: tuple[str, ...], usable: bool) -> None:
        self._calls.mark_usable(ids, usable)


class Post:
    """A worker's way to the ledger actor.

    Args:
        send: Takes letters to the ledger actor and brings the answers.
    """

    def __init__(self, send: Callable[[Sequence[LedgerRequest]], Awaitable[list[Any]]]) -> None:
        self._send = send
        self._bag: list[tuple[LedgerRequest, asyncio.Future[Any]]] = []
        self._trips: set[asyncio.Task[None]] = set()

    async def ask(self, asks: str, *told: Any) -> Any:
        """Send a letter and wait for its answer.

        Raises:
            Exception: What the letter ended in.
        """
        return await self.put(asks, *told)

    def put(self, asks: str, *told: Any) -> asyncio.Future[Any]:
        """Send a letter."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._bag.append((LedgerRequest(asks, told), answer))
        self._go()
        return answer

    async def close(self) -> None:
        """Wait for all answers."""
        while self._trips:
            await asyncio.wait(self._trips)

    def _go(self) -> None:
        if self._bag and len(self._trips) < TRIPS:
            trip = asyncio.get_running_loop().create_task(self._trip())
            self._trips.add(trip)
            trip.add_done_callback(self._back)

    def _back(self, trip: asyncio.Task[None]) -> None:
        self._trips.discard(trip)
        self._go()

    async def _trip(self) -> None:
        bag, self._bag = self._bag, []
        try:
            answers = await self._send([letter for letter, _ in bag])
        except BaseException as lost:
            for _, answer in bag:
                if not answer.done():
                    answer.set_exception(lost if isinstance(lost, Exception) else ConnectionError("cut off"))
                    answer.exception()  # whoever waits gets it; perhaps nobody does
            if not isinstance(lost, Exception):
                raise
            return
        for (_, answer), given in zip(bag, answers, strict=True):
            if answer.done():
                continue
            if isinstance(given, BaseException):
                answer.set_exception(given)
                answer.exception()
            else:
                answer.set_result(given)


class FarCalls:
    """The call store and response cache, at the ledger actor's."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self.write_failure: StoreError | None = None

    async def record(self, call: CallRecord) -> None:
        """Write down a call; it is durable on return."""
        try:
            await self._post.ask("record", call)
        except StoreError as error:
            self.write_failure = error
            raise

    async def cached(self, key: str) -> CallRecord | None:
        """Return the newest usable reply under `key`."""
        found: CallRecord | None = await self._post.ask("cached", key)
        return found

    def mark_usable(self, ids: tuple[str, ...], usable: bool) -> None:
        """Note whether replies could be used; not waited for."""
        self._post.put("mark_usable", ids, usable)


class FarBooks:
    """The ledger's books, at the ledger actor's."""

    def __init__(self, post: Post) -> None:
        self._post = post

    async def trace(self, trace: Trace, question: Question, cut: Segmentation) -> None:
        """Write down a trace."""
        await self._post.ask("trace", trace, question, cut)

    async def deliberation(self, made: Deliberation) -> None:
        """Write down a deliberation."""
        await self._post.ask("deliberation", made)

    async def close(self, trace_id: str) -> None:
        """Mark a trace as done, if all of its steps are."""
        await self._post.ask("close", trace_id)
