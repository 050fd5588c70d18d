"""The batch runner: traces stream in, a bounded number is in flight, deliberations are durable one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from tracejury.agents import Panel, endpoints_of
from tracejury.graphs.run_context import RunContext
from tracejury.graphs.tally import RunTally
from tracejury.graphs.trace_runner import BROKEN_IN_A_ROW, LedgerSink, TraceRunner
from tracejury.ledger.runs import Run
from tracejury.ledger.writer import Ledger
from tracejury.storage import StoreError, Writer
from tracejury.traces import Batch, Problem, Trace

IN_BATCHES = 2_000
"""Traces held at once where their calls go in batches: a round of judges is as long as a batch takes, however large."""


def traces_in_flight(panel: Panel) -> int:
    """Return how many traces to hold at once: one on a single slot, else enough to keep every endpoint busy."""
    return max(1, min(64, max((e.max_concurrency for e in endpoints_of(panel)), default=4)))


def select(
    traces: Iterable[Trace], *, limit: int | None = None, only: Sequence[str] = (), arms: Sequence[str] = ()
) -> Iterator[Trace]:
    """Pick the traces that a run is asked for.

    Args:
        traces: The batch.
        limit: The first so many of those that fit the rest.
        only: Trace ids, question ids, or the beginnings of them.
        arms: Arms.
    """
    taken = 0
    for trace in traces:
        if limit is not None and taken >= limit:
            return
        if arms and trace.arm not in arms:
            continue
        if only and not any(trace.id.startswith(o) or trace.question_id.startswith(o) for o in only):
            continue
        taken += 1
        yield trace


class Runner:
    """Deals traces to the graph and writes what comes back. `run` may be awaited once."""

    def __init__(
        self, run_context: RunContext, ledger: Ledger, writer: Writer, run: Run, tally: RunTally | None = None
    ) -> None:
        self.run_context = run_context
        self.ledger = ledger
        self.run_id = run.id
        self.tally = tally or RunTally()
        self._sitting = TraceRunner(run_context, LedgerSink(writer, run.id), lambda _: self.tally)
        self._broken = 0

    async def run(self, batch: Batch, traces: Iterable[Trace], in_flight: int | None = None) -> RunTally:
        """Adjudicate `traces`; what the ledger has already is not heard again, what failed is."""
        limit = in_flight or traces_in_flight(self.run_context.panel)
        places = asyncio.Semaphore(limit)
        total = 0
        try:
            async with asyncio.TaskGroup() as group:
                for trace in traces:
                    await places.acquire()
                    if self.run_context.closing:
                        break
                    total += 1
                    task = group.create_task(self._one(batch, trace))
                    task.add_done_callback(lambda _: places.release())
        except* StoreError as gone:
            # The ledger is away for good, whichever of its users noticed first.
            raise _first(gone) from None
        if not self.run_context.stopping.is_set():
            await asyncio.to_thread(self.ledger.finish, self.run_id, total)
        self.tally.interrupted = self.run_context.stopping.is_set()
        return self.tally

    async def _one(self, batch: Batch, trace: Trace) -> None:
        standing = await asyncio.to_thread(self.ledger.standing, self.run_id, trace.id)
        if standing.closed:
            self.tally.resumed += 1
            return
        question = batch.question(trace.question_id)
        if question is None:
            self.tally.problems.append(without_question(trace))
            return
        broken = await self._sitting.hear(trace, question, standing.settled)
        self._broken = self._broken + 1 if broken else 0
        if broken and self._broken >= BROKEN_IN_A_ROW:
            raise broken


def _first(group: BaseExceptionGroup[StoreError]) -> StoreError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


def without_question(trace: Trace) -> Problem:
    """Return what is to be told of a trace whose question is missing."""
    hint = "add the question to the file, or read it again"
    return Problem(file=f"trace {trace.id}", reason="its question is not in the batch", hint=hint)
