"""What a run says on standard error: warnings, more with -v, errors only with --quiet, everything in --log FILE."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from local_panel import GOOD, write_panel, write_traces
from servers.model_server import ModelServer
from typer.testing import CliRunner

from tracejury.console.app import app

LEARNT = "refused a part of the request"
PROBED = "without temperature"


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(reply=GOOD, refuses=["temperature"]) as server:
        yield server


@pytest.mark.parametrize(
    ("options", "shown", "hidden"),
    [([], [PROBED], [LEARNT]), (["-v"], [PROBED, LEARNT], []), (["--quiet"], [], [PROBED, LEARNT])],
    ids=["plain", "verbose", "quiet"],
)
def test_a_run_says_as_much_as_it_is_asked_to(
    tmp_path: Path, server: ModelServer, options: list[str], shown: list[str], hidden: list[str]
) -> None:
    # Another model for each case: a server that answered within a day is not probed.
    panel = write_panel(tmp_path, server.url, endpoint={"model": f"m{''.join(options)}"})
    traces = write_traces(tmp_path, [["The cough has lasted three days."]])
    command = ["adjudicate", str(traces), "--panel", str(panel), "--store", f"sqlite:///{tmp_path}/l.db"]
    ended = CliRunner().invoke(app, [*command, "--log", str(tmp_path / "run.log"), *options])
    assert ended.exit_code == 0, ended.output
    said = " ".join(ended.stderr.split())
    assert [text for text in shown if text not in said] == []
    assert [text for text in hidden if text in said] == []
    log = (tmp_path / "run.log").read_text()
    assert LEARNT in log
    assert PROBED in log
    assert " tracejury.models: " in log
