"""One limit for several gateways, as several processes have it: held together, found together, never exceeded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from servers.model_server import ModelServer

from tracejury.models import CallStore, FailureReason, Gateway
from tracejury.models.leased import LeasedLimiter
from tracejury.models.leases import LeaseBook, LimitBounds, LimitGrant, LimitReport
from tracejury.models.limits import Ended


def together(asking: Any, book: LeaseBook | None, work: Callable[[list[Gateway]], Awaitable[Any]], n: int = 3) -> Any:
    """Open gateways that share the book (None: each its own limit), a millisecond away from it, and work with them."""

    async def exchange(report: LimitReport) -> LimitGrant:
        assert book is not None
        await asyncio.sleep(0.001)
        return book.settle(report)

    async def main() -> Any:
        async with AsyncExitStack() as stack:
            gateways = []
            for i in range(n):
                store = CallStore("sqlite://")
                stack.callback(store.close)
                leased = LeasedLimiter(f"w{i}", exchange) if book else None
                limits = (lambda _, leased=leased: leased) if leased else None
                gateways.append(await stack.enter_async_context(Gateway(store, secret=b"s", limits=limits)))
            return await work(gateways)

    return asyncio.run(main())


def test_calls_in_flight_everywhere_never_exceed_the_ceiling_and_reach_it(asking: Any) -> None:
    asking.server.set(latency_s=0.05)
    asking.endpoint = asking.endpoint.model_copy(update={"timeout_s": 30.0, "max_concurrency": 7})

    async def work(gateways: list[Gateway]) -> float:
        # Unequal work: what one has no use for, another gets.
        async def one(n: int, count: int, pause_s: float) -> None:
            await asyncio.sleep(pause_s)
            requests = (asking.about(f"{n} {i} of {len(gateways)}") for i in range(count))
            await asyncio.gather(*(gateways[n % len(gateways)].chat(r) for r in requests))

        started = time.monotonic()
        await asyncio.gather(*(one(n, (150, 40, 60)[n], n * 0.3) for n in range(3)))
        return time.monotonic() - started

    alone = together(asking, None, work, n=1)
    shared = together(asking, LeaseBook(LimitBounds(7, None, None)), work)
    counts = asking.server.counts()
    assert counts["modes"] == {"ok": 500}
    assert counts["peak"] == 7
    assert shared < 2 * alone, "slots lay idle while calls waited"


def test_one_slot_goes_round(asking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracejury.models.leases.TURN_S", 0.2)
    asking.server.set(latency_s=0.02)
    book = LeaseBook(LimitBounds(1, None, None))
    served: list[int] = []

    async def work(gateways: list[Gateway]) -> None:
        async def one(n: int, i: int) -> None:
            await gateways[n].chat(asking.about(f"{n} {i}"))
            served.append(n)

        await asyncio.gather(*(one(n, i) for n in range(3) for i in range(25)))

    together(asking, book, work)
    assert asking.server.counts()["peak"] == 1
    assert set(served[:60]) == {0, 1, 2}, "one kept the slot until it had no use for it"


def test_a_hidden_limit_is_found_by_all_together(asking: Any) -> None:
    """A token bucket of 20 a second; three gateways find and hold it as one would (tests/models/test_limits.py)."""
    asking.server.set(per_second=20, burst=4, latency_s=0.05)
    fields = {"max_attempts": 60, "deadline_s": 300.0, "timeout_s": 30.0}
    asking.endpoint = asking.endpoint.model_copy(update=fields)
    book = LeaseBook(LimitBounds(32, None, None))

    async def work(gateways: list[Gateway]) -> list[tuple[float, float]]:
        chats = [gateways[i % 3].chat(asking.about(f"step {i}")) for i in range(900)]
        everything = asyncio.gather(*chats, return_exceptions=True)
        await asyncio.sleep(5)
        windows = []
        before = await asyncio.to_thread(asking.server.counts)
        # A window in which the machine had no time for the gateways says nothing of them: there are three at most.
        while len(windows) < 3 and (not windows or windows[-1] != pytest.approx((20, 0), rel=0.15, abs=0.15)):
            await asyncio.sleep(6)
            after = await asyncio.to_thread(asking.server.counts)
            served, refused = (after["modes"].get(m, 0) - before["modes"].get(m, 0) for m in ("ok", "limit"))
            windows.append((served / (after["seconds"] - before["seconds"]), refused / (served + refused)))
            before = after
        everything.cancel()
        await asyncio.gather(everything, return_exceptions=True)
        return windows

    windows = together(asking, book, work)
    rate, refused = windows[-1]
    assert rate == pytest.approx(20, rel=0.15), windows
    assert refused < 0.15, windows
    assert max(rate for rate, _ in windows) <= 23, "never above the bucket's rate"


def test_a_rate_that_the_panel_sets_holds_for_all(asking: Any) -> None:
    # 300 a minute are 5 a second, with six seconds' worth at the start: 40 calls take two seconds, whoever makes them.
    book = LeaseBook(LimitBounds(32, 300.0, None))

    async def work(gateways: list[Gateway]) -> float:
        started = time.monotonic()
        await asyncio.gather(*(gateways[i % 3].chat(asking.about(f"step {i}")) for i in range(40)))
        return time.monotonic() - started

    assert together(asking, book, work) >= 2.0


def test_retry_after_told_to_one_closes_the_endpoint_for_all() -> None:
    book = LeaseBook(LimitBounds(8, None, None))
    book.settle(LimitReport("b", 0, 0, 4))
    grant = book.settle(LimitReport("a", 0, 1, 3, ended=(Ended(-0.1, -0.01, False, True, 2.0),)))
    assert grant.slots <= 5, "the window is cut to 0.7 of 8"
    assert book.settle(LimitReport("b", 4, 0, 4)).closed_s == pytest.approx(2.0, abs=0.1)


def test_slots_of_the_dead_come_back_and_a_new_book_waits_for_the_living(monkeypatch: pytest.MonkeyPatch) -> None:
    book = LeaseBook(LimitBounds(4, None, None))
    assert book.settle(LimitReport("a", 0, 0, 4)).slots == 4
    assert book.settle(LimitReport("b", 0, 0, 4)).slots == 0, "all are out, though half are due to b"
    assert book.settle(LimitReport("a", 4, 4, 4)).slots == 2
    assert book.settle(LimitReport("b", 0, 0, 4)).slots == 0, "a has not said that two are free"
    book.forget("a")
    assert book.settle(LimitReport("b", 0, 0, 4)).slots == 4

    monkeypatch.setattr("tracejury.models.leases.TERM_S", 0.0)
    assert book.settle(LimitReport("c", 0, 0, 4)).slots == 4, "b was not heard of"

    anew = LeaseBook(LimitBounds(4, None, None), closed_s=60)
    assert anew.settle(LimitReport("b", 0, 0, 1)).slots == 0
    assert anew.settle(LimitReport("a", 3, 3, 0)).slots == 3, "what is out stays out"


def test_a_holder_whose_book_is_gone_begins_no_call(model_server: ModelServer, asking: Any) -> None:
    async def exchange(report: LimitReport) -> LimitGrant:
        raise ConnectionError("gone")

    async def main() -> list[Any]:
        store = CallStore("sqlite://")
        async with Gateway(store, secret=b"s", limits=lambda _: LeasedLimiter("w", exchange)) as gateway:
            return await asyncio.gather(*(gateway.chat(asking.about(f"{i}")) for i in range(3)), return_exceptions=True)

    ended = asyncio.run(main())
    assert {e.reason for e in ended} == {FailureReason.UNAVAILABLE}
    assert model_server.counts()["calls"] == 0
