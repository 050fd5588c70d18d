"""Joining a Ray cluster, or starting one on this machine; where its workers find the ledger and the index."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from tracejury.agents import Panel
from tracejury.graphs.batch import traces_in_flight
from tracejury.ledger.writer import Ledger
from tracejury.retrieval import DEFAULT_PATH

NAMESPACE = "tracejury"


@dataclass(frozen=True)
class Cluster:
    """The Ray cluster that a run's workers run on."""

    address: str | None = None
    """`auto`, `HOST:PORT` or `ray://HOST:PORT`; None: Ray is started on this machine and stopped at the end."""
    workers: int | None = None
    """None: one for each processor of the cluster, as far as the panel's endpoints can use them."""
    wheel: Path | None = None
    """A wheel of tracejury that the workers take their code from; None: it is package_versions on every node."""


@contextmanager
def joined(cluster: Cluster) -> Iterator[Any]:
    """Connect to the cluster, or start one, and yield the `ray` module. A cluster started here is stopped at the end.

    Raises:
        ModuleNotFoundError: Ray is not package_versions.
        ConnectionError: There is no cluster at the address.
        ValueError: The wheel is not a wheel of tracejury.
    """
    # Set before Ray is imported, which would otherwise send usage statistics.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ModuleNotFoundError:
        raise ModuleNotFoundError("the Ray back end is an extra: pip install 'tracejury[ray]'") from None
    if ray.is_initialized():
        if cluster.wheel is not None:
            raise ValueError("this process is on a cluster already: leave out the wheel, or call ray.shutdown() first")
        yield ray
        return
    settings: dict[str, Any] = {"namespace": NAMESPACE, "log_to_driver": False, "logging_level": "error"}
    if cluster.wheel is not None:
        if cluster.wheel.suffix != ".whl" or not cluster.wheel.is_file():
            raise ValueError(f"{cluster.wheel} is no wheel; make one with `pip wheel --no-deps -w dist .`")
        settings["runtime_env"] = {"py_modules": [str(cluster.wheel.resolve())]}
    if cluster.address is None:
        # A worker reserves a processor, but mostly waits for models, so there may be more workers than processors.
        cores = max(os.cpu_count() or 1, cluster.workers or 1)
        settings |= {"address": "local", "num_cpus": cores, "include_dashboard": False}
    else:
        settings["address"] = cluster.address
    try:
        ray.init(**settings)
    except Exception as error:  # Ray raises that very class where a node does not come up in time
        what = f"no Ray cluster at {cluster.address}" if cluster.address else "Ray does not start on this machine"
        raise ConnectionError(f"{what}: {error}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def worker_count(cluster: Cluster, panel: Panel, ray: Any) -> int:
    """Return the number of workers to start."""
    if cluster.workers is not None:
        return cluster.workers
    return max(1, min(int(ray.cluster_resources().get("CPU", 1)), traces_in_flight(panel)))


def store_for(ledger: Ledger, cluster: Cluster) -> tuple[str, bool]:
    """Return the ledger's URL for every process of the cluster, and whether it needs a ledger actor.

    Raises:
        ValueError: No process of the cluster could reach it.
    """
    url = make_url(ledger.url)
    if url.get_backend_name() != "sqlite":
        # Not `ledger.url`, which hides the password.
        return ledger.engine.url.render_as_string(hide_password=False), False
    if url.database in (None, "", ":memory:"):
        raise ValueError("the Ray back end needs a ledger in a file or on a server, not one in memory")
    if cluster.address and cluster.address.startswith("ray://"):
        raise ValueError(
            f"{ledger.url} is a file on this machine, which a cluster behind {cluster.address} cannot write to: give "
            "--store postgresql://..., or run the command on a machine of the cluster with --ray-address auto"
        )
    return url.set(database=str(Path(str(url.database)).resolve())).render_as_string(hide_password=False), True


def index_for(panel: Panel, index: Path | None, nodes: int) -> str | None:
    """Return the index's address for every process of the cluster; None: the panel has no references.

    Raises:
        ValueError: The index is a folder, and there are several machines.
    """
    if not panel.sources:
        return None
    where = str(index or os.environ.get("TRACEJURY_INDEX") or DEFAULT_PATH)
    if where.startswith(("http:", "https:")):
        return where
    if nodes > 1:
        raise ValueError(
            f"{nodes} machines cannot share an index in a folder: serve it with `chroma run --path FOLDER`, build it "
            "with `tracejury index build NAME --index http://HOST:8000`, and give the same --index here"
        )
    # Workers run in another folder, the one that Ray was started in.
    return str(Path(where).resolve())
