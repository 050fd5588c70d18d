"""A run that is killed at any moment goes on with the same command: nothing lost, doubled or paid twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from local_panel import GOOD, write_panel, write_traces
from servers.model_server import ModelServer

IN_FLIGHT = 8
PATIENT = {"max_concurrency": IN_FLIGHT, "timeout_s": 60.0, "deadline_s": 200.0}
"""On a loaded machine too, no call fails: what these tests count is what was asked."""


def command(folder: Path, store: str) -> list[str]:
    main = "from tracejury.console.app import main; main()"
    paths = [str(folder / "traces.jsonl"), "--panel", str(folder / "panel.yaml"), "--store", store, "--json"]
    return [sys.executable, "-c", main, "adjudicate", "--no-probe", *paths]


def test_kill_9_and_the_same_command_again(tmp_path: Path, ledger_url: str) -> None:
    write_traces(tmp_path, [[f"The cough in case {n}.{i} has lasted three days." for i in range(5)] for n in range(24)])
    steps, judges = 24 * 5, 2
    with ModelServer(reply=GOOD, latency_s=0.03) as server:
        write_panel(tmp_path, server.url, endpoint=PATIENT)
        for kill_after in (20, 90):
            process = subprocess.Popen(
                command(tmp_path, ledger_url), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            until = time.monotonic() + 200
            while server.counts()["calls"] < kill_after:
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.02)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        done = subprocess.run(command(tmp_path, ledger_url), capture_output=True, text=True, check=True)
        counts = server.counts()
    standing = json.loads(done.stdout)
    assert standing["outcomes"] == {"supported": steps, "error": 0, "abstained": 0, "failed": 0}
    assert standing["closed"] == 24
    paid = counts["paid"]
    assert len(paid) == steps * judges
    # What was under way when the process died is lost: two calls a slot, in flight or waiting for their commit.
    # No other was asked for again.
    assert sum(n - 1 for n in paid.values()) <= 2 * 2 * IN_FLIGHT


def test_ctrl_c_finishes_what_has_begun_and_resumes(tmp_path: Path, ledger_url: str) -> None:
    write_traces(tmp_path, [[f"The cough in case {n}.{i} has lasted three days." for i in range(5)] for n in range(20)])
    with ModelServer(reply=GOOD, latency_s=0.1) as server:
        write_panel(tmp_path, server.url, endpoint=PATIENT)
        process = subprocess.Popen(
            command(tmp_path, ledger_url), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        while server.counts()["calls"] < 30:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=200)
        assert process.returncode == 130, err
        part = json.loads(out)["outcomes"]["supported"]
        assert 0 < part < 100
        assert json.loads(out)["outcomes"]["failed"] == 0
        done = subprocess.run(command(tmp_path, ledger_url), capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["outcomes"]["supported"] == 100
        assert all(n == 1 for n in server.counts()["paid"].values())
