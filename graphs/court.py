"""The court: a panel in session, with its judges, references and calibrator. One a process and run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracejury.agents import (
    Bench,
    Calibrator,
    Opinion,
    Panel,
    Resolution,
    Verdict,
    endpoints_of,
    load_calibrator,
)
from tracejury.graphs.turns import Turns
from tracejury.models import CallStore, Gateway
from tracejury.retrieval import Finder, Finding, Index, Query, relevance, step_query
from tracejury.traces import Question, Step, blind


@dataclass
class Court:
    """A panel in session."""

    bench: Bench
    finder: Finder | None = None
    """None: the panel names no sources."""
    calibrator: Calibrator | None = None
    """None: the panel names none, and its verdicts are headed `uncalibrated`."""
    skip: frozenset[str] = frozenset()
    """Step ids that this run leaves alone."""
    turns: Turns = field(default_factory=Turns)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set: steps that have not begun are left for the resume."""

    def __post_init__(self) -> None:
        self.panel: Panel = self.bench.panel
        self.prefix = any(endpoint.prefix_cache for endpoint in endpoints_of(self.panel))

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
async def open_court(
    panel: Panel, store: CallStore, *, secret: bytes, index: Path | None = None, air_gapped: bool = False
) -> AsyncIterator[Court]:
    """Seat a panel: make its judges, open its references and its way to the models.

    Args:
        panel: The panel.
        store: Where calls are written down and replies cached.
        secret: The run's secret, that fences are keyed on.
        index: The Chroma index; None: `TRACEJURY_INDEX`, else `./tracejury.index`.
        air_gapped: Refuse every address but loopback.
    """
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
    async with Gateway(store, secret=secret, air_gapped=air_gapped) as gateway:
        scorer = await asyncio.to_thread(relevance, panel.relevance.scorer)
        bench = Bench.of(panel, chats=gateway if endpoints_of(panel) else None, relevance=scorer)
        yield Court(bench, finder, calibrator)
