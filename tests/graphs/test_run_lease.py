"""A run belongs to one process at a time: a second command on it is refused, and pays for nothing."""

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
from local_panel import GOOD, write_panel, write_traces
from postgres_at_work import end_lease_sessions
from servers.model_server import ModelServer

from tracejury.graphs import adjudicate
from tracejury.ledger import Ledger, RunInUseError
from tracejury.storage import LeaseHeldError, acquire_lease

STEPS, JUDGES = 24, 2
PATIENT = {"max_concurrency": 2, "timeout_s": 60.0, "deadline_s": 200.0}


def start(folder: Path, store: str, *more: str) -> subprocess.Popen[str]:
    main = "from tracejury.console.app import main; main()"
    paths = [str(folder / "traces.jsonl"), "--panel", str(folder / "panel.yaml"), "--store", store, "--no-probe"]
    command = [sys.executable, "-c", main, "adjudicate", *paths, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_on_one_ledger_pay_for_no_call_twice(tmp_path: Path, ledger_url: str) -> None:
    write_traces(tmp_path, [[f"The cough in case {n}.{i} has lasted three days." for i in range(2)] for n in range(12)])
    with ModelServer(reply=GOOD, latency_s=0.4) as server:
        write_panel(tmp_path, server.url, endpoint=PATIENT)
        together = [start(tmp_path, ledger_url), start(tmp_path, ledger_url)]
        until = time.monotonic() + 100
        while all(process.poll() is None for process in together):
            assert time.monotonic() < until
            time.sleep(0.05)
        second, first = sorted(together, key=lambda process: process.poll() is None)
        err = second.communicate()[1]
        assert second.returncode == 1, err
        assert f"process {first.pid} on " in " ".join(err.split())
        assert "the same command resumes the run" in " ".join(err.split())
        # A suspended process still holds its run; a killed one holds nothing.
        os.kill(first.pid, signal.SIGSTOP)
        ledger = Ledger(ledger_url)
        with pytest.raises(LeaseHeldError, match=f"process {first.pid}"):
            acquire_lease(ledger.engine, f"run-{ledger.run().id}", patience_s=0.0)
        ledger.close()
        os.kill(first.pid, signal.SIGKILL)
        first.communicate()
        assert server.counts()["calls"] < STEPS * JUDGES
        at_work = PATIENT["max_concurrency"]
        server.set(latency_s=0.02)
        again = start(tmp_path, ledger_url)
        assert again.wait(100) == 0
        again.communicate()
        paid = server.counts()["paid"]
        assert len(paid) == STEPS * JUDGES
        assert sum(n - 1 for n in paid.values()) <= 2 * at_work  # on their way when the first was killed
    assert not list(tmp_path.glob("*.lease"))


def test_a_run_of_another_name_over_the_same_inputs_pays_for_nothing(tmp_path: Path, ledger_url: str) -> None:
    traces = write_traces(tmp_path, [[f"The cough in case {n} has lasted three days."] for n in range(4)])
    other = tmp_path / "other"
    other.mkdir()
    others = write_traces(other, [["The fever has lasted two days."]])

    async def judge_under_other_names() -> None:
        with ModelServer(reply=GOOD, latency_s=2.0) as server:
            panel = write_panel(tmp_path, server.url, endpoint=PATIENT)
            work = asyncio.create_task(adjudicate(traces, panel, store=ledger_url, name="one"))
            while not server.counts()["calls"]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            with pytest.raises(RunInUseError, match=r"(?s)'two' asks the same panel.*--fresh"):
                await adjudicate(traces, panel, store=ledger_url, name="two")
            server.set(latency_s=0.02)
            await adjudicate(others, panel, store=ledger_url, name="other inputs")
            await work
            paid = server.counts()["calls"]
            await adjudicate(traces, panel, store=ledger_url, name="two")
            assert server.counts()["calls"] == paid == 5 * JUDGES
            await adjudicate(traces, panel, store=ledger_url, name="three", fresh=True)
            assert server.counts()["calls"] == paid + 4 * JUDGES

    asyncio.run(judge_under_other_names())


@pytest.mark.postgres
def test_a_process_whose_run_went_to_another_stops_with_the_reason(tmp_path: Path, postgres_server: Any) -> None:
    store = postgres_server.database()
    traces = write_traces(tmp_path, [["The cough has lasted three days."]])

    async def lose_the_run() -> None:
        with ModelServer(reply=GOOD, latency_s=60) as server:
            panel = write_panel(tmp_path, server.url, endpoint=PATIENT)
            work = asyncio.create_task(adjudicate(traces, panel, store=store, name="r"))
            while not server.counts()["calls"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            ledger = Ledger(store)
            end_lease_sessions(store)
            lease = acquire_lease(ledger.engine, f"run-{ledger.run().id}")
            with pytest.raises(RunInUseError, match="another process judges the run now"):
                await asyncio.wait_for(work, 20)
            lease.release()
            ledger.close()

    asyncio.run(lose_the_run())
