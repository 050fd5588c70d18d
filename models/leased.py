"""A share of a limit, leased from a book that several processes use (tracejury.models.leases)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from tracejury.models.leases import TERM_S, LimitGrant, LimitReport
from tracejury.models.limits import Ended, Slots

Exchange = Callable[[LimitReport], Awaitable[LimitGrant]]


class LeasedLimiter(Slots):
    """This process's part of a shared limit; it is used like `Limiter`.

    Args:
        holder: The name of this process; it is unique.
        exchange: Sends a report to the book and returns its reply.
    """

    def __init__(self, holder: str, exchange: Exchange) -> None:
        super().__init__()
        self._holder = holder
        self._exchange = exchange
        self._slots = 0
        self._until = 0.0
        self._paced = False
        self._ended: list[Ended] = []
        self._bookings: list[tuple[int, asyncio.Future[float]]] = []
        self._charged = 0
        self._demand_reported = False
        """The book knows that calls wait for slots, so another report before it has any would be of no use."""
        self._news = asyncio.Event()
        self._reporting: asyncio.Task[None] | None = None

    @property
    def room(self) -> int:
        """How many calls may be in flight now."""
        # After the end of a lease the book may have lent the slots to another process.
        return self._slots if time.monotonic() < self._until else 0

    async def enter(self, tokens: int) -> float:
        """Wait for a slot, then for the pace; return the time of entry, for `leave`.

        Args:
            tokens: The estimated tokens of the call, for the limit of tokens a minute.
        """
        if not self.has_room:
            self._report(at_once=not self._demand_reported)
        await self._slot()
        try:
            self._report()
            await self._opening(max(await self._book(tokens) if self._paced else 0.0, self.closed_for()))
        except BaseException:
            self._give_back()
            raise
        return time.monotonic()

    def leave(
        self, entered: float, succeeded: bool, overloaded: bool = False, retry_after: float | None = None
    ) -> None:
        """Return the slot, and report how the call ended."""
        now = time.monotonic()
        self._ended.append(Ended(entered, now, succeeded, overloaded, retry_after))
        if overloaded and retry_after is not None:
            self._open_at = max(self._open_at, now + retry_after)
        self._report(at_once=overloaded)
        self._give_back()

    def charge(self, tokens: int) -> None:
        """Charge `tokens` more (or fewer) than were passed to `enter`."""
        self._charged += tokens

    async def _book(self, tokens: int) -> float:
        moment: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._bookings.append((tokens, moment))
        self._report(at_once=True)
        return await moment

    def _report(self, at_once: bool = False) -> None:
        if self._reporting is None:
            self._reporting = asyncio.get_running_loop().create_task(self._keep_reporting())
        elif at_once:
            self._news.set()

    async def _keep_reporting(self) -> None:
        """Report while there are slots in use or news; one report at a time, so that none overtakes another."""
        try:
            while True:
                self._news.clear()
                report, booked = self._next_report()
                sent_at = time.monotonic()
                try:
                    grant = await self._exchange(report)
                except asyncio.CancelledError:
                    self._fail(ConnectionError("the shared limit was closed"), booked)
                    raise
                except Exception as error:  # noqa: BLE001 - raised in the calls that wait
                    self._fail(error, booked)
                    return
                self._apply(grant, sent_at, booked)
                if report[1:] == LimitReport("", 0, 0, 0)[1:] and not (
                    self._waiting or self.in_flight or self._bookings
                ):
                    return
                if grant.slots < report.holds or self._bookings:
                    continue  # the next report says that they are free, and the book lends them on
                try:
                    await asyncio.wait_for(self._news.wait(), grant.again_s)
                except TimeoutError:
                    continue
        finally:
            self._reporting = None

    def _next_report(self) -> tuple[LimitReport, list[tuple[int, asyncio.Future[float]]]]:
        now = time.monotonic()
        ended = tuple(e._replace(entered=e.entered - now, left=e.left - now) for e in self._ended)
        booked = [(tokens, moment) for tokens, moment in self._bookings if not moment.done()]
        waiting = sum(not turn.done() for turn in self._waiting)
        bookings = tuple(tokens for tokens, _ in booked)
        report = LimitReport(self._holder, self._slots, self.in_flight, waiting, ended, bookings, self._charged)
        self._ended, self._bookings, self._charged, self._demand_reported = [], [], 0, waiting > 0
        return report, booked

    def _apply(self, grant: LimitGrant, sent_at: float, booked: list[tuple[int, asyncio.Future[float]]]) -> None:
        self._slots, self._until, self._paced = grant.slots, sent_at + TERM_S, grant.paced
        if grant.closed_s > 0:
            self._open_at = max(self._open_at, time.monotonic() + grant.closed_s)
        for (_, moment), wait in zip(booked, grant.waits, strict=True):
            if not moment.done():
                moment.set_result(wait)
        self._let_in()

    def _fail(self, error: Exception, booked: list[tuple[int, asyncio.Future[float]]]) -> None:
        """Fail all waiting calls: without the book no slot can be given out."""
        self._slots = 0
        waiting: list[asyncio.Future[Any]] = [*self._waiting, *(moment for _, moment in booked)]
        for future in waiting:
            if not future.done():
                future.set_exception(error)
        self._waiting.clear()
