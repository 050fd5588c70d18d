"""The requests that a run would send, without sending one: answered elsewhere and imported, the run makes no call."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import NamedTuple

from tracejury.agents import Panel
from tracejury.graphs.run_context import RunContext, open_run_context
from tracejury.graphs.step_graph import build_step_graph
from tracejury.graphs.step_state import StepInput
from tracejury.models import CallStore, OfflineGateway, PendingRequest
from tracejury.traces import Batch, Question, Step, Trace, segment


class CollectedRequest(NamedTuple):
    """A request, and the step that it is about."""

    request: PendingRequest
    question: Question
    trace: Trace
    step: Step

    @property
    def judge(self) -> str:
        """The judge that asks; empty for claims, the checker and the resolver."""
        purpose = self.request.purpose.removeprefix("repair:")
        return purpose.removeprefix("judge:") if purpose.startswith("judge:") else ""


async def collect_requests(
    batch: Batch, traces: Iterable[Trace], panel: Panel, calls: CallStore, *, index: Path | None = None
) -> AsyncIterator[CollectedRequest]:
    """Yield the requests of a run that the response cache cannot answer.

    Of each step the first turn without an answer is collected: what comes after it depends on answers. Once these are
    imported, the next pass collects the next turn.

    Args:
        batch: The batch, for the questions.
        traces: The traces to judge.
        panel: The panel.
        calls: The call store of the ledger that the run will use.
        index: The index of references.
    """
    context = open_run_context(panel, calls, secret=secrets.token_bytes(32), index=index, offline=True)
    async with context as run_context:
        gateway = run_context.gateway
        if not isinstance(gateway, OfflineGateway):
            return
        collected = set[str]()
        for trace in traces:
            question = batch.question(trace.question_id)
            if question is None:
                continue
            steps = segment(trace, panel.segmenter).steps
            for step in steps:
                gateway.pending.clear()
                await _run_until_pending(
                    run_context, gateway, StepInput(step=step, steps=steps, trace=trace, question=question)
                )
                for key, request in gateway.pending.items():
                    if key not in collected:
                        collected.add(key)
                        yield CollectedRequest(request, question, trace, step)


async def _run_until_pending(run_context: RunContext, gateway: OfflineGateway, step: StepInput) -> None:
    """Run a step's graph turn by turn, as far as the cache has answers."""
    stream = build_step_graph(run_context).astream(step, stream_mode="values", config={"recursion_limit": 64})
    async for _ in stream:
        if gateway.pending:
            await stream.aclose()  # type: ignore[attr-defined]
            return
