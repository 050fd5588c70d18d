"""A sitting: traces heard by one run context, and what comes of them written down at once and counted."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from tracejury.agents import Deliberation
from tracejury.graphs.adjudication import DeliberationSink, TraceInput, build_graph
from tracejury.graphs.run_context import RunContext
from tracejury.graphs.tally import RunTally
from tracejury.ledger.writer import Ledger
from tracejury.storage import StoreError, Writer
from tracejury.traces import Problem, Question, Segmentation, Trace

BROKEN_IN_A_ROW = 10
"""A defect that breaks this many traces in a row breaks them all: better to stop than to fill the screen."""


class TraceSink(DeliberationSink, Protocol):
    """Where a sitting writes. Every method returns once its part is durable, and may be repeated without harm."""

    async def close(self, trace_id: str) -> None:
        """Mark a trace as done, if all of its steps are."""
        ...


class LedgerSink:
    """The ledger, written to by this process."""

    def __init__(self, writer: Writer, run_id: str) -> None:
        self._writer = writer
        self._run_id = run_id

    async def trace(self, trace: Trace, question: Question, cut: Segmentation) -> None:
        """Write down a trace."""
        await self._writer.write(lambda connection: Ledger.put_trace(connection, self._run_id, trace, question, cut))

    async def deliberation(self, made: Deliberation) -> None:
        """Write down a deliberation."""
        await self._writer.write(lambda connection: Ledger.put_deliberation(connection, self._run_id, made))

    async def close(self, trace_id: str) -> None:
        """Mark a trace as done, if all of its steps are."""
        await self._writer.write(lambda connection: Ledger.close_trace(connection, self._run_id, trace_id))


class TraceRunner:
    """Hears traces.

    Args:
        run_context: The panel in session.
        books: Where everything is written down.
        tally_of: Gives the tally that a trace, by its id, is counted in.
    """

    def __init__(self, run_context: RunContext, books: TraceSink, tally_of: Callable[[str], RunTally]) -> None:
        self.run_context = run_context
        self._books = books
        self._tally_of = tally_of
        self._graph = build_graph(run_context, self)

    async def hear(self, trace: Trace, question: Question, settled: Collection[str]) -> Exception | None:
        """Hear a trace.

        Args:
            trace: The trace.
            question: Its question.
            settled: Ids of steps that have an outcome already.

        Returns:
            What broke, and so is a problem in the tally; None: nothing did. Steps that failed are outcomes, no breaks.

        Raises:
            StoreError: The ledger is away, so that there is nowhere to write to.
        """
        tally = self._tally_of(trace.id)
        try:
            await self._graph.ainvoke(
                TraceInput(trace=trace, question=question, settled=sorted(settled)), config={"recursion_limit": 64}
            )
        except StoreError:
            raise
        except Exception as broken:  # noqa: BLE001 - the other traces go on
            reason, hint = f"{type(broken).__name__}: {broken}", "its steps are heard again on resume"
            tally.problems.append(Problem(file=f"trace {trace.id}", reason=reason, hint=hint))
            return broken
        await self._books.close(trace.id)
        tally.traces += 1
        return None

    async def trace(self, trace: Trace, question: Question, cut: Segmentation) -> None:
        """Write down a trace; part of `DeliberationSink`."""
        await self._books.trace(trace, question, cut)
        self._tally_of(trace.id).empty += not cut.steps

    async def deliberation(self, made: Deliberation) -> None:
        """Write down a deliberation and count it; part of `DeliberationSink`."""
        await self._books.deliberation(made)
        self._tally_of(made.step.trace_id).add(made)
