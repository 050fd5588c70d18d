"""What was paid is written down before it is read, and never paid again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tracejury.models import Budget, CallFailed, CallStore, ChatReply, FailureReason, Gateway, Price
from tracejury.storage import Writer, open_engine


def chat(store: CallStore, *requests: Any, **fields: Any) -> list[ChatReply | BaseException]:
    async def every() -> list[ChatReply | BaseException]:
        async with Gateway(store, secret=b"s", **fields) as gateway:
            return await asyncio.gather(*(gateway.chat(r) for r in requests), return_exceptions=True)

    return asyncio.run(every())


def test_the_same_question_is_asked_once(asking: Any, ledger_url: str) -> None:
    asking.server.set(latency_s=0.1)
    store = CallStore(ledger_url)
    replies = chat(store, *[asking.about("x")] * 5)
    assert [sum(c.from_cache for c in r.calls) for r in replies] == [0, 1, 1, 1, 1]
    store.close()
    # Another process, another run's secret, another name: still the same question.
    store = CallStore(ledger_url)
    asking.endpoint = asking.endpoint.model_copy(update={"name": "renamed"})
    (again,) = chat(store, asking.about("x"))
    assert again.parsed == replies[0].parsed
    assert again.calls[0].from_cache
    assert again.calls[0].cost_usd == 0
    assert asking.server.counts()["calls"] == 1
    # Another server may call other weights by the same name.
    asking.endpoint = asking.endpoint.model_copy(update={"base_url": "http://127.0.0.1:9/v1"})
    (elsewhere,) = chat(store, asking.about("x"))
    assert isinstance(elsewhere, CallFailed)
    store.close()


def test_a_fresh_run_asks_again_and_finds_its_own_replies(asking: Any, ledger_url: str) -> None:
    store = CallStore(ledger_url)
    chat(store, asking.about("x"))
    time.sleep(0.01)
    fresh, again = chat(store, asking.about("x"), asking.about("x"), fresh=True)
    assert [fresh.calls[0].from_cache, again.calls[0].from_cache] == [False, True]
    assert asking.server.counts()["calls"] == 2
    store.close()


@pytest.mark.parametrize("fields", [{"sample": 1}, {"temperature": 0.5}, {"seed": 7}, {"max_tokens": 9}])
def test_another_question_is_another_call(asking: Any, fields: dict[str, Any]) -> None:
    store = CallStore("sqlite://")
    chat(store, asking.about("x"), asking.about("x", **fields), asking.about("y"))
    assert asking.server.counts()["calls"] == 3
    store.close()


def test_who_waits_for_a_cancelled_asker_asks_himself(asking: Any) -> None:
    asking.server.set(latency_s=0.2)
    store = CallStore("sqlite://")

    async def main() -> ChatReply:
        async with Gateway(store, secret=b"s") as gateway:
            first = asyncio.create_task(gateway.chat(asking.about("x")))
            second = asyncio.create_task(gateway.chat(asking.about("x")))
            await asyncio.sleep(0.05)
            first.cancel()
            return await second

    assert asyncio.run(main()).parsed.label == "supported"
    store.close()


RUN = """
import asyncio, sys
sys.path[:0] = {paths!r}
from conftest import Asking
from servers.model_server import ModelServer
from tracejury.models import CallStore, Gateway

async def main():
    server = ModelServer()
    server.url = {url!r}
    asking = Asking(server, max_concurrency=8, timeout_s=60.0, deadline_s=300.0)
    store = CallStore({store!r})
    async with Gateway(store, secret=b"s") as gateway:
        await asyncio.gather(*(gateway.chat(asking.about(f"step {{i}}")) for i in range(60)))
    store.close()

asyncio.run(main())
"""


def test_kill_9_pays_no_finished_call_twice(model_server: Any, ledger_url: str) -> None:
    """Killed twice in mid-run: a prompt is paid again only if it was on its way when the process died."""
    here = Path(__file__).parent
    model_server.set(latency_s=0.2)
    code = RUN.format(paths=[str(here), str(here.parent)], url=model_server.url, store=ledger_url)
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", code])
        before = model_server.counts()["calls"]
        until = time.monotonic() + 60
        while model_server.counts()["calls"] < before + 15 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    counts = model_server.counts()
    assert len(counts["paid"]) == 60
    # Lost at each of the two deaths: two calls a slot, in flight or waiting for their commit.
    assert sum(counts["paid"].values()) - 60 <= 2 * 2 * 8
    assert len({c.key for c in CallStore(ledger_url).calls()}) == 60


def test_a_reply_is_durable_before_it_is_parsed(asking: Any, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = CallStore(ledger_url)
    other = open_engine(ledger_url)  # what another process would find

    def read(reply: str, schema: Any) -> Any:
        with other.connect() as connection:
            assert connection.execute(text("SELECT raw FROM model_call")).all() == [(reply,)]
        return schema.model_validate_json(reply)

    monkeypatch.setattr("tracejury.models.gateway.parse_reply", read)
    (reply,) = chat(store, asking.about("x"))
    assert isinstance(reply, ChatReply)
    store.close()


def test_one_bad_write_does_not_take_others_with_it(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER PRIMARY KEY)"))

    async def main(writer: Writer) -> list[BaseException | None]:
        def insert(x: int) -> Any:
            return writer.write(lambda connection: connection.execute(text("INSERT INTO t VALUES (:x)"), {"x": x}))

        return await asyncio.gather(*(insert(x) for x in (1, 2, 2, 3)), return_exceptions=True)

    with Writer(engine) as writer:
        ended = asyncio.run(main(writer))
    assert [e is None for e in ended] == [True, True, False, True]
    with engine.connect() as connection:
        assert [x for (x,) in connection.execute(text("SELECT x FROM t ORDER BY x"))] == [1, 2, 3]


def test_records_that_come_together_are_written_together(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER PRIMARY KEY)"))
    sizes: list[int] = []

    def insert_all(connection: Any, records: list[int]) -> None:
        sizes.append(len(records))
        connection.execute(text("INSERT INTO t VALUES (:x)"), [{"x": x} for x in records])

    async def main(writer: Writer) -> list[BaseException | None]:
        await writer.write_in_group(insert_all, 0)
        return await asyncio.gather(
            *(writer.write_in_group(insert_all, x) for x in (1, 2, 2, 3)), return_exceptions=True
        )

    with Writer(engine) as writer:
        ended = asyncio.run(main(writer))
    # The second commit waits a moment for others; after its error each record is written by itself.
    assert sizes == [1, 4, 1, 1, 1, 1]
    assert [e is None for e in ended] == [True, True, False, True]
    with engine.connect() as connection:
        assert [x for (x,) in connection.execute(text("SELECT x FROM t ORDER BY x"))] == [0, 1, 2, 3]


def test_cost_and_tokens_are_recorded_and_capped(asking: Any, ledger_url: str) -> None:
    store = CallStore(ledger_url)
    asking.endpoint = asking.endpoint.model_copy(
        update={"price": Price(prompt=1.0, completion=2.0), "max_concurrency": 4}
    )
    budget = Budget(max_tokens=300)
    ended = chat(store, *(asking.about(f"step {i}") for i in range(40)), budget=budget)
    failed = [e for e in ended if isinstance(e, CallFailed)]
    calls = store.calls()
    assert {f.reason for f in failed} == {FailureReason.BUDGET}
    each = calls[0].prompt_tokens + calls[0].completion_tokens
    assert 300 <= budget.spent_tokens <= 300 + 4 * each
    assert budget.spent_tokens == each * len(calls)
    assert len(calls) + len(failed) == 40
    totals = store.totals()
    assert totals.cost_usd == pytest.approx((totals.prompt_tokens + 2 * totals.completion_tokens) / 1e6)
    store.close()
