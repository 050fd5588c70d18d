"""The batch runner: traces stream in, a bounded number is in flight, deliberations are durable one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from tracejury.agents import Panel, endpoints_of, plugin_notices
from tracejury.graphs.run_context import RunContext
from tracejury.graphs.tally import RunTally
from tracejury.graphs.trace_runner import BROKEN_IN_A_ROW, LedgerSink, TraceRunner
from tracejury.ledger.runs import Run
from tracejury.ledger.writer import Ledger
from tracejury.storage import StoreError, Writer, run_in_thread
from tracejury.traces import Batch, Problem, Trace

IN_BATCHES = 2_000
"""Traces in flight where calls are sent in provider batches: a round of judges takes one batch, of any size."""


def traces_in_flight(panel: Panel) -> int:
    """Return the number of traces in flight: one for a single slot, else enough to keep every endpoint busy."""
    return max(1, min(64, max((e.max_concurrency for e in endpoints_of(panel)), default=4)))


def select(
    traces: Iterable[Trace], *, limit: int | None = None, only: Sequence[str] = (), arms: Sequence[str] = ()
) -> Iterator[Trace]:
    """Select the traces of a run.

    Args:
        traces: The batch.
        limit: The most traces to select.
        only: Trace or question ids, or their beginnings.
        arms: Arms to select; empty: all.
    """
    count = 0
    for trace in traces:
        if limit is not None and count >= limit:
            return
        if arms and trace.arm not in arms:
            continue
        if only and not any(trace.id.startswith(o) or trace.question_id.startswith(o) for o in only):
            continue
        count += 1
        yield trace


def count_selected(batch: Batch, limit: int | None, only: Sequence[str], arms: Sequence[str]) -> int:
    """Return how many traces `select` will give; the batch is read for it only where ids or arms select."""
    if only or arms:
        return sum(1 for _ in select(batch.traces(), limit=limit, only=only, arms=arms))
    return len(batch) if limit is None else min(limit, len(batch))


class Runner:
    """Runs traces through the graph and writes the results. `run` may be awaited once."""

    def __init__(
        self, run_context: RunContext, ledger: Ledger, writer: Writer, run: Run, tally: RunTally | None = None
    ) -> None:
        self.run_context = run_context
        self.ledger = ledger
        self.run_id = run.id
        self.tally = tally or RunTally()
        self._runner = TraceRunner(run_context, LedgerSink(writer, run.id), lambda _: self.tally)
        self._broken = 0

    async def run(self, batch: Batch, traces: Iterable[Trace], in_flight: int | None = None) -> RunTally:
        """Adjudicate `traces`. Steps with an outcome in the ledger are skipped; failed steps are repeated."""
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
                    task = group.create_task(self._judge_trace(batch, trace))
                    task.add_done_callback(lambda _: places.release())
        except* StoreError as errors:
            # The ledger is gone for good, whichever task noticed first.
            raise _first(errors) from None
        self.tally.unanswered = self.run_context.unanswered
        if not self.run_context.stopping.is_set() and not self.tally.unanswered:
            await run_in_thread(self.ledger.finish, self.run_id, total)
        self.tally.interrupted = self.run_context.stopping.is_set()
        self.tally.stop_reasons = [str(hopeless) for hopeless in self.run_context.hopeless]
        self.tally.notices += plugin_notices(self.run_context.judge_panel.judges)
        gateway = self.run_context.gateway
        self.tally.adaptations = gateway.adaptation_lines() if gateway is not None else {}
        await run_in_thread(self.ledger.record_adaptations, self.run_id, self.tally.adaptations)
        return self.tally

    async def _judge_trace(self, batch: Batch, trace: Trace) -> None:
        progress = await run_in_thread(self.ledger.trace_progress, self.run_id, trace.id)
        if progress.closed:
            self.tally.resumed += 1
            return
        question = batch.question(trace.question_id)
        if question is None:
            self.tally.problems.append(without_question(trace))
            return
        error = await self._runner.run_trace(trace, question, progress.settled)
        self._broken = self._broken + 1 if error else 0
        if error and self._broken >= BROKEN_IN_A_ROW:
            raise error


def _first(group: BaseExceptionGroup[StoreError]) -> StoreError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


def without_question(trace: Trace) -> Problem:
    """Return the problem of a trace whose question is missing."""
    hint = "add the question to the file, or read it again"
    return Problem(file=f"trace {trace.id}", reason="its question is not in the batch", hint=hint)
