"""The ledger's server crashes under a run: the run waits for it and goes on; nothing lost, doubled or wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from local_panel import GOOD, write_panel, write_traces
from servers.model_server import ModelServer

from tracejury.graphs import RunTally, adjudicate
from tracejury.ledger import Ledger
from tracejury.models import CallStore
from tracejury.storage import StoreError

TRACES, STEPS, JUDGES = 10, 3, 2
TOTAL = TRACES * STEPS
PATIENT = {"max_concurrency": 4, "timeout_s": 60.0, "deadline_s": 200.0}
pytestmark = pytest.mark.postgres


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    texts = [[f"The cough in case {n}.{i} has lasted three days." for i in range(STEPS)] for n in range(TRACES)]
    return write_traces(tmp_path, texts)


async def run_and_crash(traces: Path, panel: Path, store: str, server: Any, away_s: float) -> RunTally:
    """Adjudicate, and crash the server once a fifth of the steps are done; start it again after `away_s`."""
    tally = RunTally()
    work = asyncio.create_task(adjudicate(traces, panel, store=store, name="r", tally=tally))
    while tally.steps < TOTAL // 5:
        await asyncio.sleep(0.01)
        assert not work.done()
    assert tally.steps < TOTAL
    # A thread of its own: those of the loop may all be waiting for the server.
    with ThreadPoolExecutor(1) as aside:
        await asyncio.get_running_loop().run_in_executor(aside, server.kill)
        try:
            await asyncio.wait({work}, timeout=away_s)
        finally:
            await asyncio.get_running_loop().run_in_executor(aside, server.start)
    await work
    return tally


def assert_whole(store: str, server: ModelServer, twice: int) -> None:
    ledger = Ledger(store)
    run = ledger.run("r")
    rows = list(ledger.rows(run))
    assert len({r.step_id for r in rows}) == len(rows) == TOTAL
    assert [o.failed for r in rows if str(r.outcome) == "failed" for o in r.opinions] == []
    assert Counter(str(r.outcome) for r in rows) == {"supported": TOTAL}
    standing = ledger.progress(run)
    assert (standing.closed, standing.outcomes["failed"]) == (TRACES, 0)
    # Every call that was answered is there, once, and at most those on their way at the crash were asked again.
    paid = server.counts()["paid"]
    assert len(paid) == TOTAL * JUDGES
    assert sum(n - 1 for n in paid.values()) <= twice
    calls = CallStore(store)
    assert Counter(c.key for c in calls.calls() if c.raw) == Counter({c.key: 1 for c in calls.calls()})
    calls.close()
    ledger.close()


def test_a_crash_of_the_server_is_waited_out(traces: Path, tmp_path: Path, postgres_server: Any) -> None:
    store = postgres_server.database()
    with ModelServer(reply=GOOD, latency_s=0.05) as server:
        panel = write_panel(tmp_path, server.url, endpoint=PATIENT)
        tally = asyncio.run(run_and_crash(traces, panel, store, postgres_server, away_s=1.0))
        assert tally.problems == []
        assert_whole(store, server, twice=0)


def test_a_server_that_stays_away_ends_the_run_and_the_same_command_completes_it(
    traces: Path, tmp_path: Path, postgres_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = postgres_server.database()
    with ModelServer(reply=GOOD, latency_s=0.05) as server:
        panel = write_panel(tmp_path, server.url, endpoint=PATIENT)
        with monkeypatch.context() as patch:
            patch.setattr("tracejury.storage.reconnecting.RECONNECT_S", 0.5)
            with pytest.raises(StoreError, match="the same command goes on from there"):
                asyncio.run(run_and_crash(traces, panel, store, postgres_server, away_s=30.0))
        ledger = Ledger(store)
        assert ledger.progress(ledger.run("r")).outcomes["failed"] == 0
        ledger.close()
        asyncio.run(adjudicate(traces, panel, store=store, name="r"))
        # A call that was answered while nobody could write it down was lost with the process.
        assert_whole(store, server, twice=2 * PATIENT["max_concurrency"])
