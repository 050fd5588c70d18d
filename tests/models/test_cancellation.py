"""A cancelled call ends within a second, wherever it waits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from tracejury.models import BatchProgress, CallFailed, CallStore, Gateway, LeasedLimiter, LimitGrant, LimitReport
from tracejury.storage import Writer, open_engine, run_in_thread

QUICKLY_S = 1.0

# Where the call waits -> the server's behaviour, the endpoint's fields, calls that are sent before it.
PLACES: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    "reply": ({"mode": "hang"}, {"timeout_s": 60.0}, 0),
    "slot": ({"mode": "hang"}, {"timeout_s": 60.0, "max_concurrency": 1}, 2),
    "place": ({"mode": "hang"}, {"timeout_s": 60.0, "max_concurrency": 1}, 5),
    "first reply of the endpoint": ({"mode": "hang"}, {"timeout_s": 60.0}, 1),
    "pace of requests": ({}, {"requests_per_minute": 1.0, "timeout_s": 60.0}, 2),
    "pace of tokens": ({}, {"tokens_per_minute": 60.0, "timeout_s": 60.0}, 2),
    "Retry-After": ({"mode": "429-after", "retry_after_s": 50.0}, {"deadline_s": 500.0}, 0),
    "Retry-After of another call": ({"mode": "429-after", "retry_after_s": 50.0}, {"deadline_s": 500.0}, 3),
    "back-off": ({"mode": "500"}, {"max_attempts": 1000, "deadline_s": 500.0}, 0),
    "breaker": ({"down": True}, {"max_attempts": 1000, "deadline_s": 500.0, "max_concurrency": 4}, 6),
    "hedge": ({"mode": "hang"}, {"hedge_after_s": 0.1, "timeout_s": 60.0}, 0),
    "paused server": ({"paused": True}, {"timeout_s": 60.0}, 0),
    "the same question of another call": ({"mode": "hang"}, {"timeout_s": 60.0}, -1),
}


async def end(task: asyncio.Task[Any]) -> float:
    """Cancel a task and return the seconds until it has ended."""
    started = time.monotonic()
    task.cancel()
    _, pending = await asyncio.wait([task], timeout=10)
    assert not pending
    return time.monotonic() - started


def waiting(asking: Any, place: str, end_it: Callable[[asyncio.Task[Any]], Awaitable[float]]) -> float:
    behaviour, fields, before = PLACES[place]
    asking.server.set(**behaviour)
    asking.endpoint = asking.endpoint.model_copy(update=fields)

    async def main() -> float:
        async with Gateway(CallStore("sqlite://"), secret=b"s") as gateway:
            others = [asyncio.create_task(gateway.chat(asking.about(f"step {i}"))) for i in range(before)]
            if before < 0:
                others = [asyncio.create_task(gateway.chat(asking.about("x")))]
            await asyncio.sleep(0.3)
            task = asyncio.create_task(gateway.chat(asking.about("x")))
            await asyncio.sleep(0.7)
            assert not task.done()
            took = await end_it(task)
            for other in others:
                await end(other)
            return took

    try:
        return asyncio.run(main())
    finally:
        asking.server.reset()


@pytest.mark.parametrize("place", PLACES)
def test_a_cancelled_call_ends_at_once(asking: Any, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setattr("tracejury.models.breaker.Breaker.QUIET_S", 0.05)
    if place == "back-off":
        from tenacity import wait_fixed

        monkeypatch.setattr("tracejury.models.retrying_call._backoff", wait_fixed(50.0))
    assert waiting(asking, place, end) < QUICKLY_S


@pytest.mark.parametrize("place", ["reply", "slot", "Retry-After", "breaker", "first reply of the endpoint"])
def test_a_timeout_around_a_call_holds(asking: Any, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setattr("tracejury.models.breaker.Breaker.QUIET_S", 0.05)
    behaviour, fields, before = PLACES[place]
    asking.server.set(**behaviour)
    asking.endpoint = asking.endpoint.model_copy(update=fields)

    async def main() -> float:
        async with Gateway(CallStore("sqlite://"), secret=b"s") as gateway:
            others = [asyncio.create_task(gateway.chat(asking.about(f"step {i}"))) for i in range(before)]
            started = time.monotonic()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await gateway.chat(asking.about("x"))
            took = time.monotonic() - started
            for other in others:
                await end(other)
            return took

    assert asyncio.run(main()) < 0.5 + QUICKLY_S


def test_a_call_that_waits_for_its_batch_ends_at_once(asking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asking.server.set(batch_s=60.0)

    async def main(pause_s: float) -> float:
        async with Gateway(CallStore("sqlite://"), secret=b"s", batch=BatchProgress()) as gateway:
            task = asyncio.create_task(gateway.chat(asking.about("x")))
            await asyncio.sleep(pause_s)
            return await end(task)

    monkeypatch.setattr("tracejury.models.batches.LINGER_S", 60.0)
    assert asyncio.run(main(0.3)) < QUICKLY_S, "before the batch is sent"
    monkeypatch.setattr("tracejury.models.batches.LINGER_S", 0.1)
    assert asyncio.run(main(1.5)) < QUICKLY_S, "while the batch is out"


def test_a_call_that_waits_for_a_shared_limit_ends_at_once(asking: Any) -> None:
    async def exchange(report: LimitReport) -> LimitGrant:
        return LimitGrant(0)

    async def main() -> float:
        async with Gateway(CallStore("sqlite://"), secret=b"s", limits=lambda _: LeasedLimiter("w", exchange)) as way:
            task = asyncio.create_task(way.chat(asking.about("x")))
            await asyncio.sleep(0.5)
            return await end(task)

    assert asyncio.run(main()) < QUICKLY_S


def test_two_cancelled_callers_of_the_same_question_both_end(asking: Any) -> None:
    asking.server.set(mode="hang")

    async def main() -> float:
        async with Gateway(CallStore("sqlite://"), secret=b"s") as gateway:
            both = [asyncio.create_task(gateway.chat(asking.about("x"))) for _ in range(2)]
            await asyncio.sleep(0.3)
            started = time.monotonic()
            for task in both:
                task.cancel()
            _, pending = await asyncio.wait(both, timeout=5)
            assert not pending
            return time.monotonic() - started

    assert asyncio.run(main()) < QUICKLY_S
    asking.server.reset()


def test_a_stuck_thread_keeps_neither_its_caller_nor_the_loop() -> None:
    release = threading.Event()

    async def main() -> float:
        task = asyncio.create_task(run_in_thread(release.wait, 30))
        await asyncio.sleep(0.1)
        return await end(task)

    started = time.monotonic()
    assert asyncio.run(main()) < QUICKLY_S
    assert time.monotonic() - started < 3, "the end of the loop waited for the thread"
    release.set()


def test_an_abandoned_writer_writes_nothing_more(tmp_path: Any) -> None:
    """The database is locked: `close` gives up, and the thread that is left behind commits nothing."""
    engine = open_engine(f"sqlite:///{tmp_path}/a.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER)"))
    writer = Writer(engine)
    other = open_engine(f"sqlite:///{tmp_path}/a.db").connect().execution_options(write=True)
    lock = other.begin()
    writer.submit(lambda connection: connection.execute(text("INSERT INTO t VALUES (1)")))
    time.sleep(0.2)
    started = time.monotonic()
    writer.close(0.3)
    assert time.monotonic() - started < QUICKLY_S
    lock.rollback()
    time.sleep(1.0)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 0


def test_a_failure_after_the_last_attempt_is_no_cancellation(asking: Any) -> None:
    asking.server.set(mode="500")

    async def main() -> None:
        async with Gateway(CallStore("sqlite://"), secret=b"s") as gateway:
            await gateway.chat(asking.about("x"))

    with pytest.raises(CallFailed):
        asyncio.run(main())
