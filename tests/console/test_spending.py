"""Caps on what a run may spend, and batches, as a user gives them: stopped cleanly, taken up again, paid once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from local_panel import GOOD, write_panel, write_traces
from servers.model_server import ModelServer
from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.ledger import Ledger
from tracejury.models import CallStore

IN_FLIGHT = 4
TRACES, STEPS, JUDGES = 5, 3, 2
PRICE = {"prompt": 1.0, "completion": 4.0}
PATIENT = {"max_concurrency": IN_FLIGHT, "price": PRICE, "timeout_s": 60.0, "deadline_s": 200.0}
"""On a loaded machine too, no call fails: what these tests count is what was asked."""


@pytest.fixture
def traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    texts = [[f"The cough in case {n}.{i} has lasted three days." for i in range(STEPS)] for n in range(TRACES)]
    return write_traces(tmp_path, texts)


def adjudicate(traces: Path, panel: Path, *more: object, code: int = 0) -> dict[str, Any]:
    args = ["adjudicate", traces, "--no-probe", "--panel", panel, "--run", "r", "--json", *more]
    result = CliRunner().invoke(app, [str(a) for a in args])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) | {"stderr": result.stderr}


@pytest.mark.parametrize("cap", ["--max-cost", "--max-tokens"])
def test_a_cap_stops_the_run_and_a_higher_one_takes_up_the_rest(traces: Path, tmp_path: Path, cap: str) -> None:
    store = f"sqlite:///{tmp_path}/tracejury.db"
    with ModelServer(reply=GOOD) as server:
        panel = write_panel(tmp_path, server.url, endpoint=PATIENT)
        first = CallStore(store)
        adjudicate(traces, panel, "--limit", 1, "--run", "probe")
        probe = first.calls()
        a_call = {
            "--max-cost": max(c.cost_usd for c in probe),
            "--max-tokens": max(c.prompt_tokens + c.completion_tokens for c in probe),
        }[cap]
        most, before = 8 * a_call, 0.0
        server.reset(reply=GOOD)
        for _ in range(2):  # the same cap again: what was spent before counts, so nothing more is asked
            result = adjudicate(traces, panel, cap, f"{most:.6f}" if cap == "--max-cost" else most, code=2)
            assert "give a higher cap" in result["stderr"]
            assert result["outcomes"]["failed"] == 0
            assert 0 < result["outcomes"]["supported"] < TRACES * STEPS
            paid = first.spending(result["run"]["id"])
            spent = paid.usd if cap == "--max-cost" else paid.tokens
            assert most <= spent <= most + IN_FLIGHT * a_call
            assert before in (0.0, spent)
            before = spent
        rest = adjudicate(traces, panel, cap, 1000 if cap == "--max-cost" else 10**9)
        assert rest["outcomes"] == {"supported": TRACES * STEPS, "error": 0, "abstained": 0, "failed": 0}
        assert set(server.counts()["paid"].values()) == {1}
    first.close()


def test_dollars_cannot_be_capped_where_nobody_said_what_a_call_costs(traces: Path, tmp_path: Path) -> None:
    panel = write_panel(tmp_path, "https://models.example.org/v1")
    result = CliRunner().invoke(app, ["adjudicate", str(traces), "--panel", str(panel), "--max-cost", "1"])
    assert result.exit_code == 1
    assert "'local'" in result.output
    assert "price" in result.output


def test_batches_are_one_round_for_judges_that_are_asked_together(
    traces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracejury.models.batches.LINGER_S", 1.0)
    with ModelServer(reply=GOOD, batch_s=0.2) as server:
        panel = write_panel(tmp_path, server.url, endpoint=PATIENT | {"prefix_cache": True})
        result = adjudicate(traces, panel, "--batch-api")
        assert result["outcomes"]["supported"] == TRACES * STEPS
        assert server.counts()["batches"] <= 2
        assert set(server.counts()["paid"].values()) == {1}


def test_a_batch_that_is_out_when_the_run_dies_is_waited_for_by_the_next(traces: Path, tmp_path: Path) -> None:
    store_url = f"sqlite:///{tmp_path}/tracejury.db"
    with ModelServer(reply=GOOD, batch_s=600.0) as server:
        panel = write_panel(tmp_path, server.url, endpoint=PATIENT)
        code = "import tracejury.models.batches as b; b.LINGER_S = 1.0\nfrom tracejury.console.app import main\nmain()"
        command = [
            sys.executable,
            "-c",
            code,
            "adjudicate",
            "--no-probe",
            str(traces),
            "--panel",
            str(panel),
            "--run",
            "r",
        ]
        command += ["--batch-api", "--store", store_url, "--json"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        store, until = CallStore(store_url), time.monotonic() + 200
        while not store.unfinished_batches():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        time.sleep(1.5)  # a second batch, should the machine be slow
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        out = server.counts()["batches"]
        server.set(batch_s=0.0)
        result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=280).stdout)
        assert result["outcomes"]["supported"] == TRACES * STEPS
        assert set(server.counts()["paid"].values()) == {1}
        assert server.counts()["batches"] - out <= 1
        assert not store.unfinished_batches()
    ledger = Ledger(store_url)
    assert len(list(ledger.rows(ledger.run("r")))) == TRACES * STEPS
    store.close()
