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
from zipfile import ZipFile

import pytest
from chroma_at_work import chroma
from conftest import ROOT, absent
from local_panel import GOOD, write_panel, write_traces
from postgres_at_work import Postgres
from servers.model_server import ModelServer
from typer.testing import CliRunner

from tracejury.agents import load_panel
from tracejury.console.app import app
from tracejury.graphs import Cluster, adjudicate
from tracejury.graphs.cluster.joining import index_for
from tracejury.ledger import Ledger, StepRow
from tracejury.models import is_fetched

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


ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # The nodes install a wheel with the tests' own pip; what it requires is here, and no index is asked.
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "PIP_NO_DEPS": "1",
    "PIP_NO_INDEX": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}


def of_its_own() -> dict[str, Any]:
    """Return what a node shares with no other: a folder for wheels, as on a machine of its own, and its agents' ports.

    Agents that choose a port for themselves must have done so within 20 s, or the node dies.
    """
    names = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")
    with ExitStack() as stack:
        free = [stack.enter_context(socket.socket()) for _ in names]
        for one in free:
            one.bind(("127.0.0.1", 0))
        chosen = {name: one.getsockname()[1] for name, one in zip(names, free, strict=True)}
    return {**chosen, "runtime_env_dir_name": f"runtime_resources_{chosen[names[0]]}"}


class Nodes:
    """A cluster on this machine: the head, where the commands run, and nodes that can be taken away."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster as Made

        head = {"num_cpus": 1, "include_dashboard": False, "_system_config": LOST_SOON, **of_its_own()}
        self.made = Made(initialize_head=True, head_node_args=head)
        self.others = [self.made.add_node(num_cpus=1, **of_its_own()) for _ in range(2)]
        self.address: str = self.made.address

    def lose_one(self) -> None:
        self.made.remove_node(self.others.pop(), allow_graceful=False)

    def refill(self) -> None:
        while len(self.others) < 2:
            self.others.append(self.made.add_node(num_cpus=1, **of_its_own()))


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    try:
        import ray  # noqa: F401
    except ModuleNotFoundError:
        absent("ray", "Ray is not installed: pip install 'tracejury[ray]'")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in ENVIRONMENT.items():
            environment.setenv(name, value)
        made = Nodes()
        yield made
        made.made.shutdown()


def steps(traces: int) -> list[list[str]]:
    """Steps that end as supported, as failed, or in dispute: the server answers by what stands in them."""
    made = []
    for n in range(traces):
        kinds = ["refused<filter>" if n % 7 == 3 else "", "unread<prose>" if n % 5 == 2 else "", "once<500>"]
        made.append([f"The cough has lasted three days in case {n}.{i} {kinds[i % 3]}" for i in range(4)])
    return made


# By the model and not by the key: three refusals of a key end a worker that has had no reply yet.
MATCH: dict[str, Any] = {"refused<filter>": "refusal", "unread<prose>": "prose", "once<500>": ["500", "ok"]}


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
        # Paused until all workers are running, so that none comes too late.
        server.reset(match=MATCH, reply=GOOD, latency_s=0.1, paused=True)
        said: list[str] = []
        seated = asyncio.Event()

        def told(line: str) -> None:
            said.append(line)
            seated.set()

        async def lose() -> None:
            await seated.wait()
            await asyncio.to_thread(server.set, paused=False)
            await asyncio.sleep(2.0)
            await asyncio.to_thread(nodes.lose_one)

        async def both() -> Any:
            losing = asyncio.create_task(lose())
            made = await adjudicate(
                tmp_path / "traces.jsonl",
                tmp_path / "panel.yaml",
                store=f"sqlite:///{tmp_path}/ray.db",
                cluster=Cluster(nodes.address, workers=3),
                report_line=told,
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
    with ModelServer(reply=GOOD, latency_s=0.2, refuses=["temperature"]) as server:
        write_panel(tmp_path, server.url, endpoint=ENDPOINT)
        command = [sys.executable, "-c", "from tracejury.console.app import main; main()", "adjudicate"]
        command += [str(tmp_path / "traces.jsonl"), "--panel", str(tmp_path / "panel.yaml"), "--json"]
        command += ["--store", f"sqlite:///{tmp_path}/ledger.db", "--backend", "ray", "--ray-address", nodes.address]
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
        # The command's probe learns what the server refuses, and hands it to the workers of both starts.
        assert server.counts()["modes"]["refused"] == 1
        manifest = Ledger(f"sqlite:///{tmp_path}/ledger.db").run().manifest
        assert manifest.adaptations == {"local": ("without temperature",)}


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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tracejury as a wheel, made as docs/cluster.md says."""
    folder = tmp_path_factory.mktemp("wheel")
    # Nothing of the build is left in the checkout.
    (folder / "setup.cfg").write_text(f"[build]\nbuild_base = {folder}/build\n")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), "."]
    environment = os.environ | {"DIST_EXTRA_CONFIG": str(folder / "setup.cfg")}
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=environment, timeout=200)
    (made,) = folder.glob("*.whl")
    return made


def of_another_version(wheel: Path, folder: Path) -> Path:
    """Return the same wheel, that says it is another version."""
    name, version, tags = wheel.name.split("-", 2)
    other = folder / f"{name}-0.0.1-{tags}"
    with ZipFile(wheel) as taken, ZipFile(other, "w") as made:
        for file in taken.namelist():
            content = taken.read(file)
            if ".dist-info/" in file:
                content = content.replace(f"\nVersion: {version}\n".encode(), b"\nVersion: 0.0.1\n")
                content = content.replace(f"{name}-{version}.dist-info".encode(), f"{name}-0.0.1.dist-info".encode())
            made.writestr(file.replace(f"{name}-{version}.dist-info", f"{name}-0.0.1.dist-info"), content)
    return other


def test_references_from_a_chroma_server_and_code_from_a_wheel(nodes: Nodes, wheel: Path, tmp_path: Path) -> None:
    """Workers run what is in the wheel, and find the passages that no folder of theirs has."""
    if not is_fetched("minilm"):
        pytest.skip("weights minilm are not fetched: tracejury models fetch minilm")
    nodes.refill()
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "cough.txt").write_text("A cough is acute for three weeks, subacute for eight, and then chronic.")
    write_traces(tmp_path, [[f"A cough of {n} days is an acute cough."] for n in range(2, 8)])
    with chroma(tmp_path / "served") as (index, _), ModelServer(reply=GOOD) as server:
        source = (f"path={notes}", "name=notes", "license=internal")
        build = ["index", "build", "documents", *(word for given in source for word in ("--set", given))]
        done = CliRunner().invoke(app, [*build, "--index", index])
        assert done.exit_code == 0, done.output
        panel = write_panel(tmp_path, server.url, endpoint=ENDPOINT, retrieval={"sources": ["notes"]})
        command = [sys.executable, "-c", "from tracejury.console.app import main; main()", "adjudicate"]
        command += [str(tmp_path / "traces.jsonl"), "--panel", str(panel), "--index", index, "--run", "r"]
        command += ["--backend", "ray", "--ray-address", nodes.address, "--workers", "1"]
        # At the same time: either has its own workers, with the code of its own wheel.
        running = {}
        for code in (wheel, of_another_version(wheel, tmp_path)):
            folder = tmp_path / code.stem
            folder.mkdir()
            asked = [*command, "--store", f"sqlite:///{folder}/ledger.db", "--wheel", str(code)]
            running[code] = subprocess.Popen(
                asked, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=folder
            )
        said = [(process.communicate(timeout=250)[1], process.returncode) for process in running.values()]
    assert said[0][1] == 0, said[0]
    assert said[1][1] == 1, said[1]
    assert "has other code: tracejury 0.0.1" in said[1][0]
    ledger = Ledger(f"sqlite:///{tmp_path}/{wheel.stem}/ledger.db")
    run = ledger.run("r")
    heard = [made for trace, _, _ in ledger.traces(run) for made in ledger.deliberations(run, trace.id)]
    assert [made.verdict.outcome for made in heard] == ["supported"] * 6
    assert {p.source for made in heard if made.case for p in made.case.passages} == {"notes"}


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


def test_an_index_is_named_as_every_process_of_the_cluster_can_open_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers run where Ray was started, which is not where the command was given."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRACEJURY_INDEX", raising=False)
    without, panel = load_panel("data"), load_panel("embedded")
    without = without.model_copy(update={"retrieval": without.retrieval.model_copy(update={"sources": ()})})
    assert index_for(without, None, 3) is None
    assert index_for(panel, None, 1) == str(tmp_path / "tracejury.index")
    assert index_for(panel, Path("notes.index"), 1) == str(tmp_path / "notes.index")
    with pytest.raises(ValueError, match="chroma run"):
        index_for(panel, None, 3)
    monkeypatch.setenv("TRACEJURY_INDEX", "http://127.0.0.1:8000")
    assert index_for(panel, None, 3) == "http://127.0.0.1:8000"
