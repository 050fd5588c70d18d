"""An air-gapped run in a network namespace that holds nothing but loopback: native code is held there as well."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from local_panel import write_traces

# The fault server is started inside, for nothing outside can be reached.
INSIDE = """
import socket, sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
from local_panel import GOOD, write_panel
from servers.model_server import ModelServer
try:
    socket.create_connection(("192.0.2.1", 80), timeout=2)
except OSError as error:
    print("outside:", error, file=sys.stderr)
else:
    sys.exit("there is a network in here")
with ModelServer(reply=GOOD) as server:
    panel = write_panel(Path({folder!r}), server.url)
    asked = ["adjudicate", {traces!r}, "--panel", str(panel), "--store", {store!r}, "--air-gapped", "--json"]
    sys.argv = ["tracejury", *asked]
    from tracejury.console.app import main
    main()
"""


@pytest.mark.skipif(shutil.which("unshare") is None or shutil.which("ip") is None, reason="needs unshare and ip")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="a network namespace needs root")
def test_an_air_gapped_run_needs_no_network(tmp_path: Path) -> None:
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip("network namespaces are not allowed here")
    traces = write_traces(tmp_path, [["The cough has lasted three days.", "A cough of three days is acute."]])
    code = INSIDE.format(
        tests=str(Path(__file__).resolve().parents[1]), folder=str(tmp_path), traces=str(traces),
        store=f"sqlite:///{tmp_path}/l.db",
    )  # fmt: skip
    shell = 'ip link set lo up && exec "$0" -c "$1"'
    run = subprocess.run(
        ["unshare", "-n", "sh", "-c", shell, sys.executable, code], capture_output=True, text=True, timeout=250
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert "outside:" in run.stderr
    assert json.loads(run.stdout)["outcomes"]["supported"] == 2
