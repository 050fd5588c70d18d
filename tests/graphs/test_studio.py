"""`langgraph dev` serves the adjudication graph: it lists it, draws it, and adjudicates a trace through its API."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, absent
from jury_of_words import question, trace
from local_panel import GOOD, write_panel
from servers.model_server import ModelServer

STEPS = ("The cough is an acute one in this patient.", "A cough of three days needs no computed tomography.")


class Studio:
    """A running `langgraph dev`."""

    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.root + path, data=data, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as reply:
            return json.loads(reply.read())


@contextmanager
def studio(folder: Path, panel: Path) -> Iterator[Studio]:
    program = shutil.which("langgraph", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    if program is None:
        absent("studio", "no `langgraph` command: pip install 'tracejury[studio]'")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    store = f"sqlite:///{folder}/calls.db"
    command = [program, "dev", "--config", str(ROOT / "langgraph.json"), "--port", str(port)]
    log = folder / "studio.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command, "--no-browser", "--no-reload", "--allow-blocking"],
            cwd=folder,
            env=os.environ | {"TRACEJURY_PANEL": str(panel), "TRACEJURY_STORE": store},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    made, until = Studio(port), time.monotonic() + 120
    try:
        while True:
            try:
                made.ask("/ok")
                break
            except (urllib.error.URLError, ConnectionError):
                assert process.poll() is None, log.read_text()[-3_000:]
                assert time.monotonic() < until, log.read_text()[-3_000:]
                time.sleep(0.2)
        yield made
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
def test_studio_lists_draws_and_runs_the_graph(tmp_path: Path) -> None:
    with ModelServer(reply=GOOD) as server, studio(tmp_path, write_panel(tmp_path, server.url)) as running:
        (assistant,) = running.ask("/assistants/search", {})
        assert assistant["graph_id"] == "adjudication"
        drawn = running.ask(f"/assistants/{assistant['assistant_id']}/graph")
        assert {"segment", "step"} <= {node["id"] for node in drawn["nodes"]}
        asked, taken = question(), trace(STEPS)
        made = running.ask(
            "/runs/wait",
            {
                "assistant_id": "adjudication",
                "input": {"question": asked.model_dump(mode="json"), "trace": taken.model_dump(mode="json")},
            },
        )
    assert [d["step"]["text"] for d in sorted(made["deliberations"], key=lambda d: d["step"]["index"])] == list(STEPS)
    assert {d["verdict"]["outcome"] for d in made["deliberations"]} == {"supported"}
    assert {o["judge"] for d in made["deliberations"] for o in d["opinions"]} == {"facts", "inference"}
