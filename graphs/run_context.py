"""The run context: a panel with its judges, references, models and calibrator. One per process and run."""

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
    """A panel with all that it needs to judge steps."""

    judge_panel: JudgePanel
    finder: Finder | None = None
    """None: the panel names no sources."""
    calibrator: Calibrator | None = None
    """None: the panel names none, and its verdicts are headed `uncalibrated`."""
    skip: frozenset[str] = frozenset()
    """Ids of steps that this run does not judge."""
    turns: Turns = field(default_factory=Turns)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Once set, steps that have not begun are left for the resume."""
    budget: Budget = field(default_factory=Budget)
    """What the run may spend; once it is used up, the run stops."""

    def __post_init__(self) -> None:
        self.panel: Panel = self.judge_panel.panel
        self.prefix = any(endpoint.prefix_cache for endpoint in endpoints_of(self.panel))

    @property
    def closing(self) -> bool:
        """Whether no further step may begin: the run was stopped, or its budget is used up."""
        if self.budget.used_up:
            self.stopping.set()
        return self.stopping.is_set()

    async def find(self, question: Question, steps: Sequence[Step]) -> list[Finding]:
        """Find the passages for the steps of one trace, in one batch."""
        return await self._find(question, [(s.text, step_query(blind(s.text), question.stem)) for s in steps])

    async def search(self, question: Question, step: Step, queries: Sequence[str]) -> list[Finding]:
        """Find the passages for the resolver's queries."""
        return await self._find(question, [(step.text, query) for query in queries])

    async def _find(self, question: Question, pairs: list[tuple[str, str]]) -> list[Finding]:
        if self.finder is None or not pairs:
            return [Finding(hits=(), withheld=()) for _ in pairs]
        queries = [
            Query(text=text, step=step, stem=question.stem, explanation=question.explanation) for step, text in pairs
        ]
        return await asyncio.to_thread(self.finder.find, queries)

    def calibrate(self, verdict: Verdict, opinions: Sequence[Opinion], resolution: Resolution | None) -> Verdict:
        """Apply the panel's calibrator, if it names one."""
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
    batch_progress: BatchProgress | None = None,
    limits: Callable[[Endpoint], Limit] | None = None,
) -> AsyncIterator[RunContext]:
    """Open a panel: create its judges, open its references and the gateway to its models.

    Args:
        panel: The panel.
        store: Where calls are stored and replies cached.
        secret: The run's secret; fences around data are keyed on it.
        index: The Chroma index; None: `TRACEJURY_INDEX`, else `./tracejury.index`.
        air_gapped: Refuse every address but loopback.
        budget: What the run may spend; None: no cap.
        batch_progress: Send the calls in provider batches, and report their progress here; None: one by one.
        limits: Returns the limit of an endpoint, where other processes share it.
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
    opening = Gateway(store, secret=secret, air_gapped=air_gapped, budget=budget, batch=batch_progress, limits=limits)
    async with opening as gateway:
        scorer = await asyncio.to_thread(relevance, panel.relevance.scorer)
        judge_panel = JudgePanel.of(panel, chats=gateway if endpoints_of(panel) else None, relevance=scorer)
        run_context = RunContext(judge_panel, finder, calibrator, budget=budget)
        # A provider batch warms no prefix; waiting for it would cost one batch per step.
        run_context.prefix = run_context.prefix and batch_progress is None
        yield run_context
