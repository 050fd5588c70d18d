"""A worker on Ray: a run context of its own on an event loop of its own, that hears the traces dealt to it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tracejury.agents import Panel, prompt_hashes
from tracejury.graphs.cluster.ledger_actor import FarBooks, FarCalls, Post
from tracejury.graphs.cluster.limits import leased
from tracejury.graphs.run_context import open_run_context
from tracejury.graphs.tally import RunTally
from tracejury.graphs.trace_runner import LedgerSink, TraceRunner, TraceSink
from tracejury.ledger.runs import installed
from tracejury.ledger.writer import Ledger
from tracejury.models import CallSink, CallStore, close_network
from tracejury.traces import Question, Trace


@dataclass(frozen=True)
class RunSpec:
    """All that a worker has to know of a run."""

    run_id: str
    panel: Panel
    secret: bytes
    store: str
    index: str | None
    air_gapped: bool
    skip: frozenset[str]


class Arrived(NamedTuple):
    """What a worker says when its run context is in session."""

    node: str
    version: str
    prompts: dict[str, str]


class Worker:
    """The body of a worker actor.

    Args:
        run_spec: The run.
        name: Who this is among the workers, dead ones included.
        limits: Handle of the `Limits` actor.
        ledger_actor: Handle of the `LedgerActor` actor; None: the ledger is on a server, and is written to directly.
    """

    def __init__(self, run_spec: RunSpec, name: str, limits: Any, ledger_actor: Any) -> None:
        self._errand = run_spec
        self._name = name
        self._limits = limits
        self._clerk = ledger_actor
        self._parts: dict[str, RunTally] = {}
        self._stack = AsyncExitStack()
        self._sitting: TraceRunner | None = None

    async def open(self) -> Arrived:
        """Seat the run context."""
        import ray

        run_spec = self._errand
        if run_spec.air_gapped:
            close_network()
        calls, books = self._books()

        async def settle(*told: Any) -> Any:
            return await self._limits.settle.remote(*told)

        run_context = await self._stack.enter_async_context(
            open_run_context(
                run_spec.panel,
                calls,
                secret=run_spec.secret,
                index=Path(run_spec.index) if run_spec.index else None,
                air_gapped=run_spec.air_gapped,
                limits=lambda endpoint: leased(endpoint, self._name, settle),
            )
        )
        run_context.skip = run_spec.skip
        self._sitting = TraceRunner(run_context, books, lambda trace_id: self._parts[trace_id])
        node = ray.get_runtime_context().get_node_id()
        return Arrived(node, installed().get("tracejury", "?"), prompt_hashes(run_spec.panel))

    async def hear(self, trace: Trace, question: Question, settled: Collection[str]) -> RunTally:
        """Hear a trace, and say what came of it."""
        if self._sitting is None:
            raise RuntimeError("the worker has not been opened")
        part = self._parts[trace.id] = RunTally()
        try:
            await self._sitting.hear(trace, question, settled)
            return part
        finally:
            del self._parts[trace.id]

    async def live(self) -> RunTally:
        """Return what has come so far of the traces in hand."""
        told = RunTally()
        for part in self._parts.values():
            told.take(part)
        return told

    async def stop(self) -> None:
        """Begin no step any more."""
        if self._sitting is not None:
            self._sitting.run_context.stopping.set()

    async def close(self) -> None:
        """End the session: everything is written when this returns."""
        await self._stack.aclose()

    def _books(self) -> tuple[CallSink, TraceSink]:
        run_spec = self._errand
        if self._clerk is None:
            ledger = Ledger(run_spec.store)
            self._stack.callback(ledger.close)
            calls = CallStore(ledger.engine, run=run_spec.run_id)
            self._stack.push_async_callback(asyncio.to_thread, calls.close)
            return calls, LedgerSink(calls.writer, run_spec.run_id)

        async def send(letters: Any) -> Any:
            return await self._clerk.take.remote(letters)

        post = Post(send)
        self._stack.push_async_callback(post.close)
        return FarCalls(post), FarBooks(post)
