"""The run_context: a panel in session, with its judges, references and calibrator. One a process and run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracejury.agents import (
    Calibrator,
    JudgePanel,
    Opinion,
    Panel,
    Resolution,
    Verdict,
    endpoints_of,
    load_calibrator,
)
from tracejury.graphs.turns import Turns
from tracejury.models import BatchProgress, Budget, CallSink, Endpoint, Gateway, Limit
from tracejury.retrieval import Finder, Finding, Index, Query, relevance, step_query
from tracejury.traces import Question, Step, blind


@dataclass
class RunContext:
    """A panel in session."""

    judge_panel: JudgePanel
    finder: Finder | None = None
    """None: the panel names no sources."""
    calibrator: Calibrator | None = None
    """None: the panel names none, and its verdicts are headed `uncalibrated`."""
    skip: frozenset[str] = frozenset()
    """Step ids that this run leaves alone."""
    turns: Turns = field(default_factory=Turns)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set: steps that have not begun are left for the resume."""
    budget: Budget = field(default_factory=Budget)
    """What the run may spend; used up, it stops as if it had been told to."""

    def __post_init__(self) -> None:
        self.panel: Panel = self.judge_panel.panel
        self.prefix = any(endpoint.prefix_cache for endpoint in endpoints_of(self.panel))

    @property
    def closing(self) -> bool:
        """Whether no further step is to be begun: somebody said so, or the budget is used up."""
        if self.budget.used_up:
            self.stopping.set()
        return self.stopping.is_set()

    async def find(self, question: Question, steps: Sequence[Step]) -> list[Finding]:
        """Find the passages for the steps of one trace, in one batch."""
        return await self._ask(question, [(s.text, step_query(blind(s.text), question.stem)) for s in steps])

    async def seek(self, question: Question, step: Step, queries: Sequence[str]) -> list[Finding]:
        """Find what the resolver asks for."""
        return await self._ask(question, [(step.text, query) for query in queries])

    async def _ask(self, question: Question, asked: list[tuple[str, str]]) -> list[Finding]:
        if self.finder is None or not asked:
            return [Finding(hits=(), withheld=()) for _ in asked]
        queries = [
            Query(text=text, step=step, stem=question.stem, explanation=question.explanation) for step, text in asked
        ]
        return await asyncio.to_thread(self.finder.find, queries)

    def calibrate(self, verdict: Verdict, opinions: Sequence[Opinion], resolution: Resolution | None) -> Verdict:
        """Apply the panel's calibrator, where it names one."""
        return self.calibrator.apply(verdict, opinions) if self.calibrator else verdict


@asynccontextmanager
async def open_run_context(
    panel: Panel,
    store: CallSink,
    *,
    secret: bytes,
    index: Path | None = None,
    air_gapped: bool = False,
    budget: Budget | None = None,
    underway: BatchProgress | None = None,
    limits: Callable[[Endpoint], Limit] | None = None,
) -> AsyncIterator[RunContext]:
    """Seat a panel: make its judges, open its references and its way to the models.

    Args:
        panel: The panel.
        store: Where calls are written down and replies cached.
        secret: The run's secret, that fences are keyed on.
        index: The Chroma index; None: `TRACEJURY_INDEX`, else `./tracejury.index`.
        air_gapped: Refuse every address but loopback.
        budget: What the run may spend; None: no cap.
        underway: Send the questions in batches, and tell here what is out; None: one by one.
        limits: Gives the limit of an endpoint where it is shared with other processes.
    """
    budget = budget or Budget()
    calibrator = load_calibrator(Path(panel.calibrator), panel) if panel.calibrator else None
    finder = None
    if panel.retrieval.sources:
        spec = panel.retrieval
        opened = await asyncio.to_thread(Index.open, index, embedder=spec.embedder)
        params: dict[str, Any] = dict(spec.params)
        try:
            finder = Finder(opened, sources=spec.sources, k=spec.k, fusion=spec.fusion, **params)
        except TypeError as wrong:
            raise ValueError(f"panel {panel.name!r}, retrieval.params: {wrong}") from wrong
    way = Gateway(store, secret=secret, air_gapped=air_gapped, budget=budget, batch=underway, limits=limits)
    async with way as gateway:
        scorer = await asyncio.to_thread(relevance, panel.relevance.scorer)
        judge_panel = JudgePanel.of(panel, chats=gateway if endpoints_of(panel) else None, relevance=scorer)
        run_context = RunContext(judge_panel, finder, calibrator, budget=budget)
        # Nobody's prefix is warmed in a batch; waiting for it would be a batch a step.
        run_context.prefix = run_context.prefix and underway is None
        yield run_context
