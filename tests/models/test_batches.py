"""Batches against a server that speaks the protocol: files up, poll, files down, merged."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from tracejury.models import BatchProgress, CallFailed, CallStore, FailureReason, Gateway
from tracejury.models.tables import model_batch, model_call


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracejury.models.batches.LINGER_S", 0.3)


def test_a_batch_answers_each_line_for_itself(asking: Any) -> None:
    asking.server.set(match={"<bad>": "400", "<busy>": "500", "<odd>": ["prose", "ok"]})
    store = CallStore("sqlite://")
    texts = ["<bad>", "<busy>", "<odd>", *(f"step {i}" for i in range(20))]

    async def main() -> list[Any]:
        async with Gateway(store, secret=b"s", batch=BatchProgress()) as gateway:
            return await asyncio.gather(*(gateway.chat(asking.about(t)) for t in texts), return_exceptions=True)

    bad, busy, odd, *good = asyncio.run(main())
    assert isinstance(bad, CallFailed)
    assert isinstance(busy, CallFailed)
    assert (bad.reason, busy.reason) == (FailureReason.REFUSED, FailureReason.UNAVAILABLE)
    assert [c.purpose for c in odd.calls] == ["judge:facts", "repair:judge:facts"]
    assert {r.parsed.label for r in good} == {"supported"}
    counts = asking.server.counts()
    assert counts["batches"] == 2  # the questions, then the repair
    assert counts["calls"] == len(texts) + 1
    store.close()


def test_a_run_that_died_takes_up_the_batch_it_left_behind(asking: Any, ledger_url: str) -> None:
    asking.server.set(batch_s=2.0)

    async def run(leave: bool) -> list[Any]:
        store = CallStore(ledger_url)
        async with Gateway(store, secret=b"s", batch=BatchProgress()) as gateway:
            work = asyncio.gather(*(gateway.chat(asking.about(f"step {i}")) for i in range(10)))
            if leave:
                while not (await asyncio.to_thread(asking.server.counts))["batches"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
                await asyncio.sleep(0.3)
                work.cancel()
            (ended,) = await asyncio.gather(work, return_exceptions=True)
        store.close()
        return ended if isinstance(ended, list) else []

    assert asyncio.run(run(leave=True)) == []
    assert len(asyncio.run(run(leave=False))) == 10
    counts = asking.server.counts()
    assert counts["batches"] == 1
    assert counts["calls"] == 10


def test_a_run_that_died_before_it_knew_its_batch_finds_it_by_the_file(asking: Any, ledger_url: str) -> None:
    store = CallStore(ledger_url)

    async def ask(texts: list[str]) -> list[Any]:
        async with Gateway(store, secret=b"s", batch=BatchProgress()) as gateway:
            return await asyncio.gather(*(gateway.chat(asking.about(t)) for t in texts), return_exceptions=True)

    first = asyncio.run(ask(["one", "two"]))
    with store.engine.connect().execution_options(write=True) as connection, connection.begin():
        # As the death leaves it: the file is written down, its batch and the replies are not. And a file without any.
        (batch,) = connection.execute(select(model_batch)).mappings()
        connection.execute(update(model_batch).values(id="file:file-0", done=False))
        connection.execute(insert(model_batch), dict(batch) | {"id": "file:file-99", "questions": ["k"], "done": False})
        connection.execute(delete(model_call))
    second = asyncio.run(ask(["one", "two", "three"]))
    assert [r.parsed for r in second[:2]] == [r.parsed for r in first]
    store.close()
    assert not CallStore(ledger_url).unfinished_batches()
    counts = asking.server.counts()
    assert counts["batches"] == 2
    assert set(counts["paid"].values()) == {1}
