"""The batch runner: traces stream in, a bounded number is in flight, deliberations are durable one by one."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tracejury.agents import Deliberation, Outcome, Panel, endpoints_of
from tracejury.graphs.adjudication import TraceInput, build_graph
from tracejury.graphs.court import Court
from tracejury.graphs.ledger import Ledger
from tracejury.graphs.runs import Run
from tracejury.models import Writer
from tracejury.traces import Batch, Problem, Question, Segmentation, Trace

# A defect that breaks this many traces in a row breaks them all: better to stop than to fill the screen.
_BROKEN_IN_A_ROW = 10


@dataclass
class Tally:
    """What a run has done so far, in this process; the console reads it while the run goes on."""

    started: float = field(default_factory=time.monotonic)
    traces_total: int | None = None
    """Traces to deal with; None while unknown."""
    traces: int = 0
    resumed: int = 0
    """Traces that an earlier process had finished."""
    empty: int = 0
    """Traces without a step."""
    steps: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    no_claim: int = 0
    calls: int = 0
    cached: int = 0
    """Calls answered from the response cache."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    problems: list[Problem] = field(default_factory=list)
    interrupted: bool = False

    def add(self, made: Deliberation) -> None:
        """Count one deliberation."""
        self.steps += 1
        if made.verdict.claim:
            self.outcomes[made.verdict.outcome.value] += 1
        else:
            self.no_claim += 1
        for call in made.calls:
            self.calls += 1
            self.cached += call.from_cache
            if not call.from_cache:
                self.prompt_tokens += call.prompt_tokens
                self.cached_tokens += call.cached_tokens
                self.completion_tokens += call.completion_tokens
                self.cost_usd += call.cost_usd

    @property
    def failed(self) -> int:
        """Steps that failed."""
        return self.outcomes[Outcome.FAILED.value]


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

    def __init__(self, court: Court, ledger: Ledger, writer: Writer, run: Run, tally: Tally | None = None) -> None:
        self.court = court
        self.ledger = ledger
        self.writer = writer
        self.run_id = run.id
        self.tally = tally or Tally()
        self._graph = build_graph(court, self)
        self._broken = 0

    async def run(self, batch: Batch, traces: Iterable[Trace], in_flight: int | None = None) -> Tally:
        """Adjudicate `traces`; what the ledger has already is not heard again, what failed is."""
        limit = in_flight or traces_in_flight(self.court.panel)
        places = asyncio.Semaphore(limit)
        total = 0
        async with asyncio.TaskGroup() as group:
            for trace in traces:
                await places.acquire()
                if self.court.stopping.is_set():
                    places.release()
                    self.tally.interrupted = True
                    break
                total += 1
                task = group.create_task(self._one(batch, trace))
                task.add_done_callback(lambda _: places.release())
        if not self.tally.interrupted and not self.court.stopping.is_set():
            self.ledger.finish(self.run_id, total)
        self.tally.interrupted = self.court.stopping.is_set()
        return self.tally

    async def _one(self, batch: Batch, trace: Trace) -> None:
        standing = self.ledger.standing(self.run_id, trace.id)
        if standing.closed:
            self.tally.resumed += 1
            return
        question = batch.question(trace.question_id)
        if question is None:
            self._problem(trace, "its question is not in the batch", "add the question to the file, or read it again")
            return
        try:
            await self._graph.ainvoke(
                TraceInput(trace=trace, question=question, settled=sorted(standing.settled)),
                config={"recursion_limit": 64},
            )
        except Exception as broken:
            self._broken += 1
            self._problem(trace, f"{type(broken).__name__}: {broken}", "its steps are heard again on resume")
            if self._broken >= _BROKEN_IN_A_ROW:
                raise
            return
        self._broken = 0
        await self.writer.write(lambda connection: Ledger.close_trace(connection, self.run_id, trace.id))
        self.tally.traces += 1

    async def trace(self, trace: Trace, question: Question, cut: Segmentation) -> None:
        """Write down a trace; part of `Keeper`."""
        await self.writer.write(lambda connection: Ledger.put_trace(connection, self.run_id, trace, question, cut))
        self.tally.empty += not cut.steps

    async def deliberation(self, made: Deliberation) -> None:
        """Write down a deliberation and count it; part of `Keeper`."""
        await self.writer.write(lambda connection: Ledger.put_deliberation(connection, self.run_id, made))
        self.tally.add(made)

    def _problem(self, trace: Trace, reason: str, hint: str) -> None:
        self.tally.problems.append(Problem(file=f"trace {trace.id}", reason=reason, hint=hint))
