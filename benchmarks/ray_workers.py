"""What workers on Ray cost and bring: 500 steps x 3 judges, 200 ms latency, 64 calls in flight in all, one machine.

    python benchmarks/ray_workers.py

One process, then 1, 2 and 4 workers on a Ray of this machine, in turn, several rounds; medians are kept. The server
holds the first calls until all workers are in session, and the clock runs from there to the last reply: neither imports
nor the start of Ray are in it. `ideal` is the time that the latency alone takes. The 64 calls are for all workers
together, so more of them cannot beat it, only come closer where one process's CPU is what is short.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]
RESULT = ROOT / "benchmarks" / "results" / "ray_workers.json"
JUDGES, IN_FLIGHT, LATENCY_S, PER_TRACE = 3, 64, 0.2, 10


def measure(server: Any, steps: int, workers: int | None) -> dict[str, float]:
    """Run the batch once, in a process of its own; None workers: the local back end."""
    import yaml
    from local_panel import GOOD, panel_body, write_traces

    server.reset(reply=GOOD, latency_s=LATENCY_S, paused=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = [
            [f"The cough has lasted three days, case {n}.{i}." for i in range(PER_TRACE)]
            for n in range(steps // PER_TRACE)
        ]
        traces = write_traces(folder, texts)
        body = panel_body(server.url, endpoint={"max_concurrency": IN_FLIGHT, "timeout_s": 600.0, "deadline_s": 600.0})
        body["judges"].append({"name": "safety", "judge": "safety", "endpoint": "local"})
        (folder / "panel.yaml").write_text(yaml.safe_dump(body))
        command = [sys.executable, "-c", "from tracejury.console.app import main; main()", "adjudicate", str(traces)]
        command += ["--panel", str(folder / "panel.yaml"), "--store", f"sqlite:///{folder}/l.db", "--json"]
        command += [] if workers is None else ["--backend", "ray", "--workers", str(workers)]
        environment = {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as run:
            seated = "run " if workers is None else f"{workers} workers are in session"
            output = ""
            while seated not in output:
                line = run.stderr.readline()
                assert line, output
                output += line
            while server.counts()["peak"] < IN_FLIGHT:
                time.sleep(0.05)
            released = server.counts()["seconds"]
            server.set(paused=False)
            out, _ = run.communicate()
        assert json.loads(out)["outcomes"]["supported"] == steps
    counts = server.counts()
    return {"wall_s": counts["last_s"] - released, "peak": counts["peak"]}


def main() -> None:
    from servers.model_server import ModelServer

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    options = parser.parse_args()
    kinds: list[int | None] = [None, *options.workers]
    costs: dict[int | None, list[dict[str, float]]] = {kind: [] for kind in kinds}
    with ModelServer() as server:
        for _ in range(options.rounds):
            for kind in kinds:
                costs[kind].append(measure(server, options.steps, kind))
                print("local" if kind is None else f"{kind} workers", costs[kind][-1], flush=True)
    ideal = options.steps * JUDGES * LATENCY_S / IN_FLIGHT
    walls = {kind: [run["wall_s"] for run in runs] for kind, runs in costs.items()}
    local = statistics.median(walls[None])
    rows = {
        "local" if kind is None else f"ray, {kind} workers": {
            "wall_s": round(statistics.median(wall), 2),
            "wall_s_range": [round(min(wall), 2), round(max(wall), 2)],
            "ideal_over_wall": round(ideal / statistics.median(wall), 2),
            "local_over_wall": round(local / statistics.median(wall), 2),
            "peak_in_flight": max(run["peak"] for run in costs[kind]),
            "runs": len(wall),
        }
        for kind, wall in walls.items()
    }
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    about = {"command": f"python {' '.join(sys.argv)}", "commit": commit, "cores": os.cpu_count()}
    shape = {"steps": options.steps, "judges": JUDGES, "in_flight": IN_FLIGHT, "latency_s": LATENCY_S, "ideal_s": ideal}
    RESULT.write_text(json.dumps(about | shape | {"rows": rows}, indent=1) + "\n")
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
