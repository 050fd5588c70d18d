"""A run on Ray: actors for the limits and, for SQLite, the ledger; a pool of workers; the queue of traces."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

from tracejury.graphs.batch import traces_in_flight, without_question
from tracejury.graphs.cluster.joining import NAMESPACE, Cluster, index_for, joined, store_for, worker_count
from tracejury.graphs.cluster.ledger_actor import LedgerActor
from tracejury.graphs.cluster.limits import SharedLimits
from tracejury.graphs.cluster.trace_queue import QueuedTrace
from tracejury.graphs.cluster.worker import RunSpec
from tracejury.graphs.cluster.worker_pool import WorkerPool, result_of
from tracejury.graphs.tally import RunTally
from tracejury.ledger.runs import Run
from tracejury.ledger.writer import Ledger
from tracejury.models import Adaptations, ClientKey
from tracejury.traces import Batch, Trace

NAME_WAIT_S = 30.0
"""How long to wait for a run's name on the cluster: Ray frees the name of a killed command after a while."""


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
    adaptations: dict[ClientKey, Adaptations],
    tally: RunTally,
    stopping: asyncio.Event,
    report_line: Callable[[str], None],
) -> RunTally:
    """Judge the traces of a run on a cluster. Steps that have an outcome are skipped; failed steps are repeated.

    Raises:
        ValueError: The cluster's machines cannot reach the ledger or the index.
        ConnectionError: There is no such cluster.
        WorkerPoolError: The workers cannot work.
    """
    store, needs_actor = store_for(ledger, cluster)
    finished = RunTally()
    pending = _PendingTraces(ledger, run.id, batch, traces, finished)
    with joined(cluster) as ray:
        where = index_for(run.panel, index, sum(node["Alive"] for node in ray.nodes()))
        run_spec = RunSpec(run.id, run.panel, secret, store, where, air_gapped, skip_steps, adaptations)
        limits = await _limits(ray, run)
        ledger_actor = (
            ray.remote(LedgerActor).options(**_on_this_node(ray)).remote(store, run.id) if needs_actor else None
        )
        try:
            slots = worker_count(cluster, run.panel, ray)
            worker_pool = WorkerPool(
                ray,
                run_spec,
                limits,
                ledger_actor,
                tally,
                finished,
                lambda t: ledger.trace_progress(run.id, t).settled,
                report_line,
            )
            # Rounded up: enough in all to keep every endpoint busy, as in one process.
            await worker_pool.run(pending.traces(), slots, math.ceil(traces_in_flight(run.panel) / slots), stopping)
            if ledger_actor is not None:
                await result_of(ledger_actor.close.remote())
        finally:
            for actor in filter(None, (limits, ledger_actor)):
                ray.kill(actor)
    if not stopping.is_set():
        ledger.finish(run.id, pending.total)
    tally.interrupted = stopping.is_set()
    return tally


def _on_this_node(ray: Any) -> dict[str, Any]:
    """Return the options of an actor that runs on the command's own node and is restarted if it dies."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    node = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    stays = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1, "max_concurrency": 1000}
    return {**stays, "scheduling_strategy": node}


async def _limits(ray: Any, run: Run) -> Any:
    """Start the limits actor, under a name that only one command per run can hold."""
    until = time.monotonic() + NAME_WAIT_S
    while True:
        try:
            # By id: another ledger may hold a run of the same name.
            name = f"limits of run {run.id}"
            return ray.remote(SharedLimits).options(name=name, namespace=NAMESPACE, **_on_this_node(ray)).remote()
        except ValueError as name_in_use:
            if time.monotonic() > until:
                raise ValueError(f"run {run.name!r} is already running on this cluster") from name_in_use
            await asyncio.sleep(1.0)


class _PendingTraces:
    """The traces of the batch that have steps to judge."""

    def __init__(self, ledger: Ledger, run_id: str, batch: Batch, traces: Iterable[Trace], tally: RunTally) -> None:
        self._ledger = ledger
        self._run_id = run_id
        self._batch = batch
        self._traces = traces
        self._tally = tally
        self.total = 0

    async def traces(self) -> AsyncIterator[QueuedTrace]:
        """Yield the traces to judge; count the others."""
        for trace in self._traces:
            self.total += 1
            progress = self._ledger.trace_progress(self._run_id, trace.id)
            question = None if progress.closed else self._batch.question(trace.question_id)
            if progress.closed:
                self._tally.resumed += 1
            elif question is None:
                self._tally.problems.append(without_question(trace))
            else:
                yield QueuedTrace(trace, question, progress.settled)
            # A resume may skip a million traces, and Ctrl-C has to get through meanwhile.
            await asyncio.sleep(0)
