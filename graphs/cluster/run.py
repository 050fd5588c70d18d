"""A run on Ray: actors for the limits and, for SQLite, the ledger; a pool of workers; the queue of traces."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

from tracejury.graphs.batch import traces_in_flight, without_question
from tracejury.graphs.cluster.joining import NAMESPACE, Cluster, index_for, joined, store_for, workers_of
from tracejury.graphs.cluster.ledger_actor import LedgerActor
from tracejury.graphs.cluster.limits import SharedLimits
from tracejury.graphs.cluster.trace_queue import QueuedTrace
from tracejury.graphs.cluster.worker import RunSpec
from tracejury.graphs.cluster.worker_pool import WorkerPool, answer
from tracejury.graphs.tally import RunTally
from tracejury.ledger.runs import Run
from tracejury.ledger.writer import Ledger
from tracejury.traces import Batch, Trace

TAKEN_S = 30.0
"""How long a run's name on the cluster is waited for: that of a killed command is free again once Ray noticed."""


async def run_on(
    cluster: Cluster,
    ledger: Ledger,
    run: Run,
    secret: bytes,
    batch: Batch,
    traces: Iterable[Trace],
    *,
    index: Path | None,
    air_gapped: bool,
    skip_steps: frozenset[str],
    tally: RunTally,
    stopping: asyncio.Event,
    told: Callable[[str], None],
) -> RunTally:
    """Hear the traces of a run on a cluster; what the ledger has already is not heard again, what failed is.

    Raises:
        ValueError: Something of the run cannot be reached by the cluster's machines.
        ConnectionError: There is no such cluster.
        WorkerPoolError: The workers cannot work.
    """
    store, clerked = store_for(ledger, cluster)
    done = RunTally()
    fresh = _Fresh(ledger, run.id, batch, traces, done)
    with joined(cluster) as ray:
        where = index_for(run.panel, index, sum(node["Alive"] for node in ray.nodes()))
        run_spec = RunSpec(run.id, run.panel, secret, store, where, air_gapped, skip_steps)
        limits = await _limits(ray, run)
        ledger_actor = ray.remote(LedgerActor).options(**_at_home(ray)).remote(store, run.id) if clerked else None
        try:
            seats = workers_of(cluster, run.panel, ray)
            worker_pool = WorkerPool(
                ray, run_spec, limits, ledger_actor, tally, done, lambda t: ledger.standing(run.id, t).settled, told
            )
            # Rounded up: enough in all to keep every endpoint busy, as in one process.
            await worker_pool.work(fresh.traces(), seats, math.ceil(traces_in_flight(run.panel) / seats), stopping)
            if ledger_actor is not None:
                await answer(ledger_actor.leave.remote())
        finally:
            for actor in filter(None, (limits, ledger_actor)):
                ray.kill(actor)
    if not stopping.is_set():
        ledger.finish(run.id, fresh.total)
    tally.interrupted = stopping.is_set()
    return tally


def _at_home(ray: Any) -> dict[str, Any]:
    """Return the options of an actor that stays on the command's own node, and comes back if it dies there."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    node = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    stays = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1, "max_concurrency": 1000}
    return {**stays, "scheduling_strategy": node}


async def _limits(ray: Any, run: Run) -> Any:
    """Start the limits' actor, under a name that only one command at a time can have for a run."""
    until = time.monotonic() + TAKEN_S
    while True:
        try:
            name = f"limits of {run.name}"
            return ray.remote(SharedLimits).options(name=name, namespace=NAMESPACE, **_at_home(ray)).remote()
        except ValueError as taken:
            if time.monotonic() > until:
                raise ValueError(f"run {run.name!r} is under way on this cluster already") from taken
            await asyncio.sleep(1.0)


class _Fresh:
    """The traces of the batch that need a step."""

    def __init__(self, ledger: Ledger, run_id: str, batch: Batch, traces: Iterable[Trace], tally: RunTally) -> None:
        self._ledger = ledger
        self._run_id = run_id
        self._batch = batch
        self._traces = traces
        self._tally = tally
        self.total = 0

    async def traces(self) -> AsyncIterator[QueuedTrace]:
        """Yield what is to be dealt; count the rest."""
        for trace in self._traces:
            self.total += 1
            standing = self._ledger.standing(self._run_id, trace.id)
            question = None if standing.closed else self._batch.question(trace.question_id)
            if standing.closed:
                self._tally.resumed += 1
            elif question is None:
                self._tally.problems.append(without_question(trace))
            else:
                yield QueuedTrace(trace, question, standing.settled)
            # A resume may skip a million traces, and Ctrl-C has to get through meanwhile.
            await asyncio.sleep(0)
