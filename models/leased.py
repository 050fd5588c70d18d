"""A limit leased from a book that several processes share (tracejury.models.leases)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from tracejury.models.leases import TERM_S, LimitGrant, LimitReport
from tracejury.models.limits import Ended, Slots

Exchange = Callable[[LimitReport], Awaitable[LimitGrant]]


class LeasedLimiter(Slots):
    """This process's part of a shared limit. Used as `Limiter` is.

    Args:
        holder: Who this is; no other process has the name.
        exchange: Brings a report to the book, and its answer back.
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
        self._asked = False
        """The book knows that calls wait for slots; asking again before it has any would only keep it busy."""
        self._news = asyncio.Event()
        self._reporting: asyncio.Task[None] | None = None

    @property
    def room(self) -> int:
        """How many calls may be in flight now."""
        # A lease that could not be renewed: the book may have lent the slots to somebody else.
        return self._slots if time.monotonic() < self._until else 0

    async def enter(self, tokens: int) -> float:
        """Wait for a slot, then for the pace; return the time of entry, for `leave`.

        Args:
            tokens: What the call will take of the tokens a minute, estimated.
        """
        if not self.has_room:
            self._report(at_once=not self._asked)
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
        """Give the slot back, and report how the call ended."""
        now = time.monotonic()
        self._ended.append(Ended(entered, now, succeeded, overloaded, retry_after))
        if overloaded and retry_after is not None:
            self._open_at = max(self._open_at, now + retry_after)
        self._report(at_once=overloaded)
        self._give_back()

    def charge(self, tokens: int) -> None:
        """Charge `tokens` more (or fewer) than `enter` was told."""
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
        """Report while there is anything to hold or to say; one report at a time, so none overtakes another."""
        try:
            while True:
                self._news.clear()
                report, booked = self._said()
                sent = time.monotonic()
                try:
                    grant = await self._exchange(report)
                except asyncio.CancelledError:
                    self._lose(ConnectionError("the shared limit was given up"), booked)
                    raise
                except Exception as lost:  # noqa: BLE001 - belongs to the calls that wait
                    self._lose(lost, booked)
                    return
                self._take(grant, sent, booked)
                if report[1:] == LimitReport("", 0, 0, 0)[1:] and not (
                    self._waiting or self.in_flight or self._bookings
                ):
                    return
                if grant.slots < report.holds or self._bookings:
                    continue  # the book lends them on once it hears that they are free
                try:
                    await asyncio.wait_for(self._news.wait(), grant.again_s)
                except TimeoutError:
                    continue
        finally:
            self._reporting = None

    def _said(self) -> tuple[LimitReport, list[tuple[int, asyncio.Future[float]]]]:
        now = time.monotonic()
        ended = tuple(e._replace(entered=e.entered - now, left=e.left - now) for e in self._ended)
        booked = [(tokens, moment) for tokens, moment in self._bookings if not moment.done()]
        waiting = sum(not turn.done() for turn in self._waiting)
        bookings = tuple(tokens for tokens, _ in booked)
        report = LimitReport(self._holder, self._slots, self.in_flight, waiting, ended, bookings, self._charged)
        self._ended, self._bookings, self._charged, self._asked = [], [], 0, waiting > 0
        return report, booked

    def _take(self, grant: LimitGrant, sent: float, booked: list[tuple[int, asyncio.Future[float]]]) -> None:
        self._slots, self._until, self._paced = grant.slots, sent + TERM_S, grant.paced
        if grant.closed_s > 0:
            self._open_at = max(self._open_at, time.monotonic() + grant.closed_s)
        for (_, moment), wait in zip(booked, grant.waits, strict=True):
            if not moment.done():
                moment.set_result(wait)
        self._let_in()

    def _lose(self, lost: Exception, booked: list[tuple[int, asyncio.Future[float]]]) -> None:
        """The book is gone: nobody can be let in any more, and who waits is told so."""
        self._slots = 0
        lost_on: list[asyncio.Future[Any]] = [*self._waiting, *(moment for _, moment in booked)]
        for future in lost_on:
            if not future.done():
                future.set_exception(lost)
        self._waiting.clear()
