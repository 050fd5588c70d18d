"""The Ray back end on three nodes: a node is lost, a user interrupts, and the ledger is as with one process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from conftest import absent
from local_panel import GOOD, write_panel, write_traces
from postgres_at_work import Postgres
from servers.model_server import ModelServer

from tracejury.graphs import Cluster, Ledger, StepRow, adjudicate

pytestmark = pytest.mark.timeout(600)

AT_ONCE = 6
ENDPOINT = {"max_concurrency": AT_ONCE, "timeout_s": 300.0, "deadline_s": 600.0}
LOST_SOON = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_failure_threshold": 4,
    # A machine with much else to do is slow, not dead.
    "health_check_timeout_ms": 20_000,
    "agent_register_timeout_ms": 300_000,
    "worker_register_timeout_seconds": 300,
    "worker_niceness": 0,
}


def ports() -> dict[str, int]:
    """Return free ports for a node's agents; those that choose their own must have done so within 20 s, or it dies."""
    names = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")
    with ExitStack() as stack:
        free = [stack.enter_context(socket.socket()) for _ in names]
        for one in free:
            one.bind(("127.0.0.1", 0))
        return {name: one.getsockname()[1] for name, one in zip(names, free, strict=True)}


class Nodes:
    """A cluster on this machine: the head, where the commands run, and nodes that can be taken away."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster as Made

        head = {"num_cpus": 1, "include_dashboard": False, "_system_config": LOST_SOON, **ports()}
        self.made = Made(initialize_head=True, head_node_args=head)
        self.others = [self.made.add_node(num_cpus=1, **ports()) for _ in range(2)]
        self.address: str = self.made.address

    def lose_one(self) -> None:
        self.made.remove_node(self.others.pop(), allow_graceful=False)

    def refill(self) -> None:
        while len(self.others) < 2:
            self.others.append(self.made.add_node(num_cpus=1, **ports()))


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray  # noqa: F401
    except ModuleNotFoundError:
        absent("ray", "Ray is not installed: pip install 'tracejury[ray]'")
    made = Nodes()
    yield made
    made.made.shutdown()


def steps(traces: int) -> list[list[str]]:
    """Steps that end as supported, as failed, or in dispute: the server answers by what stands in them."""
    made = []
    for n in range(traces):
        kinds = ["refused<401>" if n % 7 == 3 else "", "unread<prose>" if n % 5 == 2 else "", "once<500>"]
        made.append([f"The cough has lasted three days in case {n}.{i} {kinds[i % 3]}" for i in range(4)])
    return made


MATCH: dict[str, Any] = {"refused<401>": "401", "unread<prose>": "prose", "once<500>": ["500", "ok"]}


def hear(folder: Path, server: ModelServer, store: str, **options: Any) -> list[StepRow]:
    made, tally = asyncio.run(adjudicate(folder / "traces.jsonl", folder / "panel.yaml", store=store, **options))
    assert made.finished
    assert not tally.problems
    return sorted(Ledger(store).rows(made), key=lambda row: row.step_id)


def verdicts(rows: list[StepRow]) -> list[tuple[object, ...]]:
    return [(r.step_id, r.outcome, r.error_type, r.reason, r.route, len(r.opinions)) for r in rows]


def test_a_node_is_lost_and_nothing_else(nodes: Nodes, tmp_path: Path) -> None:
    """Every step ends in one outcome, the same as in one process; the endpoint's limit holds over all workers."""
    nodes.refill()
    write_traces(tmp_path, steps(30))
    with ModelServer(match=MATCH, reply=GOOD, latency_s=0.1) as server:
        write_panel(tmp_path, server.url, endpoint=ENDPOINT)
        alone = verdicts(hear(tmp_path, server, f"sqlite:///{tmp_path}/alone.db"))
        assert {v[1] for v in alone} == {"supported", "failed"}
        # Held until all workers are in session, so that none comes too late.
        server.reset(match=MATCH, reply=GOOD, latency_s=0.1, held=True)
        said: list[str] = []
        seated = asyncio.Event()

        def told(line: str) -> None:
            said.append(line)
            seated.set()

        async def lose() -> None:
            await seated.wait()
            await asyncio.to_thread(server.set, held=False)
            await asyncio.sleep(2.0)
            await asyncio.to_thread(nodes.lose_one)

        async def both() -> Any:
            losing = asyncio.create_task(lose())
            made = await adjudicate(
                tmp_path / "traces.jsonl",
                tmp_path / "panel.yaml",
                store=f"sqlite:///{tmp_path}/ray.db",
                cluster=Cluster(nodes.address, workers=3),
                said=told,
            )
            await losing
            return made

        made, tally = asyncio.run(both())
        counts = server.counts()
    rows = sorted(Ledger(f"sqlite:///{tmp_path}/ray.db").rows(made), key=lambda row: row.step_id)
    assert made.finished
    assert not tally.problems
    assert [line for line in said if "died" in line], said
    assert verdicts(rows) == alone
    assert len({row.step_id for row in rows}) == len(rows) == 120
    assert AT_ONCE - 1 <= counts["peak"] <= AT_ONCE
    # Paid again: at most what was on its way at the node when it was lost.
    assert sum(n - 1 for n in counts["paid"].values() if n > 1) <= AT_ONCE + 30 // 5 * 2


def test_ctrl_c_finishes_what_has_begun_and_the_same_command_goes_on(nodes: Nodes, tmp_path: Path) -> None:
    nodes.refill()
    write_traces(tmp_path, [[f"The cough in case {n}.{i} has lasted three days." for i in range(4)] for n in range(30)])
    with ModelServer(reply=GOOD, latency_s=0.2) as server:
        write_panel(tmp_path, server.url, endpoint=ENDPOINT)
        command = [sys.executable, "-c", "from tracejury.console.app import main; main()", "adjudicate"]
        command += [str(tmp_path / "traces.jsonl"), "--panel", str(tmp_path / "panel.yaml"), "--json"]
        command += ["--store", f"sqlite:///{tmp_path}/ledger.db", "--backend", "ray", "--address", nodes.address]
        command += ["--workers", "3"]
        # A terminal sends the signal to the whole group.
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        until = time.monotonic() + 200
        while server.counts()["calls"] < 30 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 130, err
        part = json.loads(out)["outcomes"]
        assert 0 < part["supported"] < 120
        assert part["failed"] == 0
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=250)
        assert json.loads(done.stdout)["outcomes"]["supported"] == 120
        assert all(n == 1 for n in server.counts()["paid"].values())


@pytest.mark.postgres
def test_workers_write_to_postgres_themselves(nodes: Nodes, tmp_path: Path, postgres_server: Postgres) -> None:
    nodes.refill()
    write_traces(tmp_path, steps(10))
    store = postgres_server.database()
    with ModelServer(match=MATCH, reply=GOOD, latency_s=0.02) as server:
        write_panel(tmp_path, server.url, endpoint=ENDPOINT)
        alone = verdicts(hear(tmp_path, server, f"sqlite:///{tmp_path}/alone.db"))
        server.reset(match=MATCH, reply=GOOD, latency_s=0.02)
        assert verdicts(hear(tmp_path, server, store, cluster=Cluster(nodes.address, workers=2))) == alone


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"store": "sqlite://", "cluster": Cluster("auto")}, "in memory"),
        ({"store": "sqlite:///l.db", "cluster": Cluster("ray://127.0.0.1:9")}, "postgresql://"),
    ],
)
def test_a_ledger_that_no_worker_could_reach_is_refused(
    options: dict[str, Any], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    panel = write_panel(tmp_path, "http://127.0.0.1:9/v1")
    with pytest.raises(ValueError, match=told):
        asyncio.run(adjudicate(write_traces(tmp_path, steps(1)), panel, **options))
