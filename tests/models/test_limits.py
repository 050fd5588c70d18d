"""Limits that nobody told are found, an endpoint that is down is waited for, stragglers can be hedged."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tracejury.models import CallFailed, CallStore, FailureReason, Gateway


async def fill(gateway: Gateway, asking: Any, n: int) -> list[Any]:
    return await asyncio.gather(*(gateway.chat(asking.about(f"step {i}")) for i in range(n)), return_exceptions=True)


def test_a_hidden_limit_of_requests_a_second_is_found_and_held(asking: Any) -> None:
    """A token bucket of 20 a second behind an endpoint that is said to take 32 at once."""
    asking.server.set(per_second=20, burst=4, latency_s=0.05)
    fields = {"max_attempts": 60, "deadline_s": 300.0, "timeout_s": 30.0, "max_concurrency": 32}
    asking.endpoint = asking.endpoint.model_copy(update=fields)
    store = CallStore("sqlite://")

    async def main() -> tuple[float, float]:
        async with Gateway(store, secret=b"s") as gateway:
            work = asyncio.create_task(fill(gateway, asking, 400))
            await asyncio.sleep(6)  # to find it
            before = await asyncio.to_thread(asking.server.counts)
            await asyncio.sleep(8)  # to hold it
            after = await asyncio.to_thread(asking.server.counts)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        served, refused = (after["modes"].get(m, 0) - before["modes"].get(m, 0) for m in ("ok", "limit"))
        return served / (after["seconds"] - before["seconds"]), refused / (served + refused)

    rate, refused = asyncio.run(main())
    store.close()
    assert rate == pytest.approx(20, rel=0.15)
    assert refused < 0.15


def test_configured_rates_are_kept(asking: Any) -> None:
    # 300 a minute are 5 a second, with six seconds' worth at the start.
    asking.endpoint = asking.endpoint.model_copy(update={"requests_per_minute": 300.0, "timeout_s": 30.0})
    store = CallStore("sqlite://")

    async def main() -> float:
        async with Gateway(store, secret=b"s") as gateway:
            started = time.monotonic()
            await fill(gateway, asking, 40)
            return time.monotonic() - started

    assert asyncio.run(main()) >= 2.0
    store.close()


def test_an_outage_is_waited_for_and_costs_probes_only(asking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracejury.models.breaker.Breaker.QUIET_S", 0.2)
    asking.server.set(down=True)
    # So many that none is through with them before the outage is noticed, with pauses as short as a test's.
    fields = {"max_attempts": 30, "deadline_s": 120.0, "timeout_s": 30.0, "max_concurrency": 16}
    asking.endpoint = asking.endpoint.model_copy(update=fields)
    store = CallStore("sqlite://")

    async def main() -> tuple[dict[str, float], int, list[Any]]:
        async with Gateway(store, secret=b"s") as gateway:
            work = asyncio.create_task(fill(gateway, asking, 60))
            until = time.monotonic() + 60
            while not gateway.paused() and time.monotonic() < until:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            paused = gateway.paused()
            await asyncio.sleep(0.5)
            before = await asyncio.to_thread(asking.server.counts)
            await asyncio.sleep(2)
            probes = (await asyncio.to_thread(asking.server.counts))["calls"] - before["calls"]
            await asyncio.to_thread(asking.server.set, down=False)
            return paused, probes, await work

    paused, probes, ended = asyncio.run(main())
    store.close()
    assert list(paused) == ["local"]
    assert probes <= 5
    assert not [e for e in ended if isinstance(e, BaseException)]


def test_an_outage_longer_than_the_deadline_fails_the_call(asking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracejury.models.breaker.Breaker.QUIET_S", 0.0)
    monkeypatch.setattr("tracejury.models.breaker.Breaker.THRESHOLD", 2)
    asking.server.set(down=True)
    asking.endpoint = asking.endpoint.model_copy(update={"deadline_s": 1.5, "max_attempts": 50})
    store = CallStore("sqlite://")

    async def main() -> list[Any]:
        async with Gateway(store, secret=b"s") as gateway:
            return await fill(gateway, asking, 3)

    ended = asyncio.run(main())
    store.close()
    assert [type(e) for e in ended] == [CallFailed] * 3
    assert {e.reason for e in ended} == {FailureReason.UNAVAILABLE}


@pytest.mark.parametrize(("hedge_after_s", "requests"), [(None, 1), (0.3, 2)])
def test_a_straggler_is_hedged_only_where_asked_for(asking: Any, hedge_after_s: float | None, requests: int) -> None:
    asking.server.set(slow_every=2, slow_s=3.0, latency_s=0.01)  # the second call is the straggler
    asking.endpoint = asking.endpoint.model_copy(update={"hedge_after_s": hedge_after_s, "timeout_s": 30.0})
    store = CallStore("sqlite://")

    async def main() -> tuple[float, Any]:
        async with Gateway(store, secret=b"s") as gateway:
            await gateway.chat(asking.about("first"))
            started = time.monotonic()
            reply = await gateway.chat(asking.about("second"))
            return time.monotonic() - started, reply

    took, reply = asyncio.run(main())
    store.close()
    assert (took >= 3.0) == (hedge_after_s is None)
    assert reply.calls[0].attempts == requests
    assert asking.server.counts()["calls"] == 1 + requests


def test_hedges_keep_to_the_endpoints_limit(asking: Any) -> None:
    """Five stragglers at once, and one slot that is free: one hedge at a time."""
    asking.server.set(latency_s=0.6)
    fields = {"hedge_after_s": 0.1, "timeout_s": 30.0, "max_concurrency": 6}
    asking.endpoint = asking.endpoint.model_copy(update=fields)
    store = CallStore("sqlite://")

    async def main() -> list[Any]:
        async with Gateway(store, secret=b"s") as gateway:
            return await fill(gateway, asking, 5)

    replies = asyncio.run(main())
    store.close()
    assert max(reply.calls[0].attempts for reply in replies) == 2
    assert asking.server.counts()["peak"] == 6
