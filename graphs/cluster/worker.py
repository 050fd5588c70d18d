"""A worker on Ray: a run context of its own, on an event loop of its own, that judges the traces it is given."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tracejury.agents import Panel, prompt_hashes
from tracejury.graphs.cluster.ledger_actor import LedgerClient, RemoteCalls, RemoteSink
from tracejury.graphs.cluster.limits import leased
from tracejury.graphs.garbage import rare_collections
from tracejury.graphs.run_context import open_run_context
from tracejury.graphs.tally import RunTally
from tracejury.graphs.trace_runner import LedgerSink, TraceRunner, TraceSink
from tracejury.ledger.runs import package_versions
from tracejury.ledger.writer import Ledger
from tracejury.models import Adaptations, CallSink, CallStore, ClientKey, close_network, unwanted_tracing
from tracejury.traces import Question, Trace


@dataclass(frozen=True)
class RunSpec:
    """All that a worker needs to know of a run."""

    run_id: str
    panel: Panel
    secret: bytes
    store: str
    index: str | None
    air_gapped: bool
    skip: frozenset[str]
    adaptations: dict[ClientKey, Adaptations]
    """What the command's probes learnt about the endpoints."""


class WorkerInfo(NamedTuple):
    """What a worker reports once its run context is open."""

    node: str
    version: str
    prompts: dict[str, str]


class Worker:
    """The body of a worker actor.

    Args:
        run_spec: The run.
        name: The worker's name, unique among all workers of the run, dead ones included.
        limits: Handle of the `SharedLimits` actor.
        ledger_actor: Handle of the `LedgerActor` actor; None: the ledger is on a server, and is written to directly.
    """

    def __init__(self, run_spec: RunSpec, name: str, limits: Any, ledger_actor: Any) -> None:
        self._run_spec = run_spec
        self._name = name
        self._limits = limits
        self._ledger_actor = ledger_actor
        self._tallies: dict[str, RunTally] = {}
        self._stack = AsyncExitStack()
        self._runner: TraceRunner | None = None

    async def open(self) -> WorkerInfo:
        """Open the run context."""
        import ray

        run_spec = self._run_spec
        # A worker is a process of ours; the program that started the run may trace its own work.
        for variable in unwanted_tracing():
            os.environ[variable] = "false"
        if run_spec.air_gapped:
            close_network()
        calls, sink = self._open_ledger()

        async def settle(*arguments: Any) -> Any:
            return await self._limits.settle.remote(*arguments)

        run_context = await self._stack.enter_async_context(
            open_run_context(
                run_spec.panel,
                calls,
                secret=run_spec.secret,
                index=Path(run_spec.index) if run_spec.index else None,
                air_gapped=run_spec.air_gapped,
                limits=lambda endpoint: leased(endpoint, self._name, settle),
                skip=run_spec.skip,
                adaptations=run_spec.adaptations,
            )
        )
        self._stack.enter_context(rare_collections())
        self._runner = TraceRunner(run_context, sink, lambda trace_id: self._tallies[trace_id])
        node = ray.get_runtime_context().get_node_id()
        return WorkerInfo(node, package_versions().get("tracejury", "?"), prompt_hashes(run_spec.panel))

    async def run_trace(self, trace: Trace, question: Question, settled: Collection[str]) -> RunTally:
        """Judge a trace, and return its tally."""
        if self._runner is None:
            raise RuntimeError("the worker has not been opened")
        tally = self._tallies[trace.id] = RunTally()
        try:
            await self._runner.run_trace(trace, question, settled)
            return tally
        finally:
            del self._tallies[trace.id]

    async def current_tally(self) -> RunTally:
        """Return the sum of the tallies of the traces in progress."""
        total = RunTally()
        for tally in self._tallies.values():
            total.add_tally(tally)
        return total

    async def stop(self) -> None:
        """Begin no further step."""
        if self._runner is not None:
            self._runner.run_context.stopping.set()

    async def close(self) -> None:
        """Close the run context; everything is written on return."""
        await self._stack.aclose()

    def _open_ledger(self) -> tuple[CallSink, TraceSink]:
        run_spec = self._run_spec
        if self._ledger_actor is None:
            ledger = Ledger(run_spec.store)
            self._stack.callback(ledger.close)
            calls = CallStore(ledger.engine, run=run_spec.run_id)
            self._stack.push_async_callback(asyncio.to_thread, calls.close)
            return calls, LedgerSink(calls.writer, run_spec.run_id)

        async def send(requests: Any) -> Any:
            return await self._ledger_actor.handle.remote(requests)

        client = LedgerClient(send)
        self._stack.push_async_callback(client.close)
        return RemoteCalls(client), RemoteSink(client)
