"""Ctrl-C ends a run within a second at the second press, wherever it waits; doctor asks the endpoints of a panel."""

from __future__ import annotations

import json
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

STEPS = [["The cough has lasted three days.", "A cough of three days is acute."]]
PLACES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a reply": ({"mode": "hang"}, {"timeout_s": 300.0, "deadline_s": 600.0}),
    "a Retry-After": ({"mode": "429-after", "retry_after_s": 200.0}, {"deadline_s": 600.0}),
    "an outage": ({"down": True}, {"deadline_s": 600.0, "max_attempts": 1000}),
}


@pytest.mark.parametrize(
    ("place", "number"),
    [("a reply", signal.SIGINT), ("a Retry-After", signal.SIGTERM), ("an outage", signal.SIGINT)],
)
def test_the_second_signal_ends_the_run_within_a_second(tmp_path: Path, place: str, number: signal.Signals) -> None:
    behaviour, fields = PLACES[place]
    with ModelServer(reply=GOOD, **behaviour) as server:
        panel = write_panel(tmp_path, server.url, endpoint=fields)
        code = "from tracejury.console.app import main; main()"
        command = [sys.executable, "-c", code, "adjudicate", str(write_traces(tmp_path, STEPS)), "--panel", str(panel)]
        command += ["--no-probe", "--store", f"sqlite:///{tmp_path}/l.db"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            until = time.monotonic() + 60
            while not server.counts()["calls"] and time.monotonic() < until:
                time.sleep(0.1)
            time.sleep(0.5)
            process.send_signal(number)
            time.sleep(0.5)
            assert process.poll() is None, "the first signal lets the step finish"
            process.send_signal(number)
            pressed = time.monotonic()
            _, messages = process.communicate(timeout=30)
        assert time.monotonic() - pressed < 1.5
        assert process.returncode == 130
        assert "press Ctrl-C again" in messages


def test_doctor_says_what_an_endpoint_refuses_and_never_ok_of_one_that_is_not_reached(tmp_path: Path) -> None:
    with ModelServer(reply=GOOD, refuses=["temperature"]) as server:
        panel = write_panel(tmp_path, server.url)
        reached = CliRunner().invoke(app, ["doctor", "--panel", str(panel), "--json"])
        rows = {row["what"]: row for row in json.loads(reached.output)}
        assert rows["endpoint local"]["state"] == "ok"
        assert "without temperature" in rows["endpoint local"]["detail"]
    missed = CliRunner().invoke(app, ["doctor", "--panel", str(panel), "--json"])
    rows = {row["what"]: row for row in json.loads(missed.output)}
    assert missed.exit_code == 1
    assert rows["endpoint local"]["state"] == "missing"
    assert "nothing listens at the address" in rows["endpoint local"]["detail"]
    assert not [row for row in rows.values() if row["state"] == "ok" and "servers were not asked" in row["detail"]]


def test_a_run_on_a_server_that_is_not_there_ends_before_its_first_step(tmp_path: Path) -> None:
    panel = write_panel(tmp_path, "http://127.0.0.1:9/v1", endpoint={"deadline_s": 600.0})
    traces = write_traces(tmp_path, STEPS)
    started = time.monotonic()
    ended = CliRunner().invoke(
        app, ["adjudicate", str(traces), "--panel", str(panel), "--store", f"sqlite:///{tmp_path}/l.db"]
    )
    assert time.monotonic() - started < 60
    assert ended.exit_code == 1
    assert "nothing listens at the address" in ended.output
    assert "Start the server at http://127.0.0.1:9/v1" in ended.output


@pytest.mark.parametrize(("mode", "remedy"), [("401", "api_key_env: NAME"), ("404", "`model: ")])
def test_a_wrong_key_or_model_costs_a_few_calls_and_says_what_mends_it(tmp_path: Path, mode: str, remedy: str) -> None:
    with ModelServer(mode=mode) as server:
        panel = write_panel(tmp_path, server.url)
        traces = write_traces(tmp_path, [[f"The cough {n}.{i} is acute." for i in range(5)] for n in range(20)])
        command = ["adjudicate", str(traces), "--panel", str(panel), "--store", f"sqlite:///{tmp_path}/l.db"]
        probed = CliRunner().invoke(app, command)
        assert (probed.exit_code, server.counts()["calls"]) == (1, 1)
        stopped = CliRunner().invoke(app, [*command, "--no-probe"])
        assert stopped.exit_code == 2
        assert server.counts()["calls"] <= 6
    for output in (probed.output, stopped.output):
        assert remedy in output.replace("\n", " ")
