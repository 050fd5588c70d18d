"""Running traces through the graph of one run context; every result is written at once and counted."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Protocol

from tracejury.agents import Deliberation
from tracejury.graphs.run_context import RunContext
from tracejury.graphs.step_graph import DeliberationSink
from tracejury.graphs.tally import RunTally
from tracejury.graphs.trace_graph import TraceInput, build_graph
from tracejury.ledger.writer import Ledger
from tracejury.storage import StoreError, Writer
from tracejury.traces import PluginError, Problem, Question, Segmentation, Trace

BROKEN_IN_A_ROW = 10
"""After this many broken traces in a row the run stops: the defect would break the others, too."""


class TraceSink(DeliberationSink, Protocol):
    """Where a trace runner writes. Every method returns once its data is durable, and may be repeated."""

    async def close(self, trace_id: str) -> None:
        """Mark a trace as closed, if all of its steps are."""
        ...


class LedgerSink:
    """Writes to the ledger from this process."""

    def __init__(self, writer: Writer, run_id: str) -> None:
        self._writer = writer
        self._run_id = run_id
        self._put_deliberations = partial(Ledger.put_deliberations, run_id)

    async def trace(self, trace: Trace, question: Question, cut: Segmentation) -> None:
        """Write a trace."""
        await self._writer.write(lambda connection: Ledger.put_trace(connection, self._run_id, trace, question, cut))

    async def deliberation(self, deliberation: Deliberation) -> None:
        """Write a deliberation."""
        await self._writer.write_in_group(self._put_deliberations, deliberation)

    async def close(self, trace_id: str) -> None:
        """Mark a trace as closed, if all of its steps are."""
        await self._writer.write(lambda connection: Ledger.close_trace(connection, self._run_id, trace_id))


class TraceRunner:
    """Judges traces, one graph run per trace.

    Args:
        run_context: The panel with its judges, references and models.
        sink: Where results are written.
        tally_of: Returns the tally that a trace, by its id, is counted in.
    """

    def __init__(self, run_context: RunContext, sink: TraceSink, tally_of: Callable[[str], RunTally]) -> None:
        self.run_context = run_context
        self._sink = sink
        self._tally_of = tally_of
        self._graph = build_graph(run_context, self)

    async def run_trace(self, trace: Trace, question: Question, settled: Collection[str]) -> Exception | None:
        """Judge a trace.

        Args:
            trace: The trace.
            question: Its question.
            settled: Ids of steps that have an outcome already.

        Returns:
            The exception that broke the graph run, which is also a problem in the tally; None: it did not break. Failed
            steps are outcomes and break nothing.

        Raises:
            StoreError: The ledger cannot be written.
        """
        tally = self._tally_of(trace.id)
        try:
            await self._graph.ainvoke(
                TraceInput(trace=trace, question=question, settled=sorted(settled)), config={"recursion_limit": 64}
            )
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - the other traces go on
            named = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
            reason, hint = named, "its steps are judged again on resume"
            tally.problems.append(Problem(file=f"trace {trace.id}", reason=reason, hint=hint))
            return error
        await self._sink.close(trace.id)
        tally.traces += 1
        return None

    async def trace(self, trace: Trace, question: Question, cut: Segmentation) -> None:
        """Write down a trace; part of `DeliberationSink`."""
        await self._sink.trace(trace, question, cut)
        self._tally_of(trace.id).empty += not cut.steps

    async def deliberation(self, deliberation: Deliberation) -> None:
        """Write down a deliberation and count it; part of `DeliberationSink`."""
        await self._sink.deliberation(deliberation)
        self._tally_of(deliberation.step.trace_id).add(deliberation)
