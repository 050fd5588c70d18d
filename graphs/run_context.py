"""The run context: a panel with its judges, references, models and calibrator. One per process and run."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tracejury.agents import (
    Calibrator,
    Claim,
    JudgePanel,
    LookUp,
    Opinion,
    Panel,
    Verdict,
    endpoints_of,
    load_calibrator,
    replaceable_endpoints,
)
from tracejury.graphs.query_batches import QueryBatcher
from tracejury.graphs.search_cache import SearchCache
from tracejury.graphs.turns import Turns
from tracejury.models import (
    Adaptations,
    BatchProgress,
    Budget,
    CallSink,
    ClientKey,
    Endpoint,
    Gateway,
    Hopeless,
    Limit,
    OfflineGateway,
)
from tracejury.retrieval import Finder, Finding, Index, Query, claim_queries, relevance, step_query
from tracejury.storage import run_in_thread
from tracejury.traces import Question, Step, blind


@dataclass(frozen=True)
class RunContext:
    """A panel with all that it needs to judge steps. Every step of a run shares it; it holds no state of a step."""

    judge_panel: JudgePanel
    finder: Finder | None = None
    """None: the panel names no sources."""
    calibrator: Calibrator | None = None
    """None: the panel names none, and its verdicts are headed `uncalibrated`."""
    skip: frozenset[str] = frozenset()
    """Ids of steps that this run does not judge."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Once set, steps that have not begun are left for the resume."""
    budget: Budget = field(default_factory=Budget)
    """What the run may spend; once it is used up, the run stops."""
    in_batches: bool = False
    """Calls go in provider batches, which warm no prefix; waiting for one would cost one batch per step."""
    own_finders: Mapping[tuple[str, ...], Finder] = field(default_factory=dict)
    """Sources that a judge has of its own -> what finds their passages."""
    turns: Turns = field(default_factory=Turns)
    searches: SearchCache = field(default_factory=SearchCache)

    @cached_property
    def panel(self) -> Panel:
        """The panel."""
        return self.judge_panel.panel

    @cached_property
    def prefix(self) -> bool:
        """Whether a step's first judge is asked alone, so that the others find the prompt's prefix in the cache."""
        return not self.in_batches and any(endpoint.prefix_cache for endpoint in endpoints_of(self.panel))

    @property
    def closing(self) -> bool:
        """Whether no further step may begin: the run was stopped, its budget is used up, or an endpoint is hopeless."""
        if self.budget.used_up or self.hopeless:
            self.stopping.set()
        return self.stopping.is_set()

    @property
    def hopeless(self) -> tuple[Hopeless, ...]:
        """The endpoints that refuse every call and have no stand-in, with the reason and the remedy."""
        refusing = self.gateway.hopeless if self.gateway is not None else ()
        return tuple(hopeless for hopeless in refusing if hopeless.endpoint not in self._replaceable)

    @cached_property
    def _replaceable(self) -> frozenset[str]:
        return replaceable_endpoints(self.panel)

    @property
    def gateway(self) -> Gateway | None:
        """The gateway of the panel's model calls; None: no judge has a model."""
        chats = self.judge_panel.chats
        return chats if isinstance(chats, Gateway) else None

    @property
    def unanswered(self) -> Counter[str]:
        """Requests of an offline run that have no answer yet, counted by purpose."""
        gateway = self.gateway
        pending = gateway.pending.values() if isinstance(gateway, OfflineGateway) else ()
        return Counter(request.purpose for request in pending)

    async def find(
        self, question: Question, step: Step, claims: Sequence[Claim] = (), sources: tuple[str, ...] = ()
    ) -> Finding:
        """Find the passages for a step; steps that ask at the same time share one look-up.

        Args:
            question: The step's question.
            step: The step.
            claims: Its claims. What only restates the vignette or an earlier step needs no reference.
            sources: A judge's own sources; none: the panel's.
        """
        batcher = self._batchers.get(sources)
        if batcher is None:
            return Finding(hits=(), withheld=())
        query = _query(question, step, step_query(blind(step.text), question.stem))
        if self.panel.retrieval.queries == "claims":
            own = [(claim.handle, claim.text) for claim in claims if claim.restates is None]
            query = query.model_copy(update={"claims": claim_queries(own, question.stem)})
        return await batcher.find(query)

    async def search(self, question: Question, step: Step, queries: Sequence[str]) -> list[Finding]:
        """Find the passages for the resolver's queries, as many per query as `panel.resolver.k` says."""
        if self.panel.resolver is None:
            return [Finding(hits=(), withheld=()) for _ in queries]
        look_up = self.look_up(question, step, self.panel.resolver.k)
        return list(await asyncio.gather(*(look_up(query) for query in queries)))

    def look_up(self, question: Question, step: Step, k: int | None = None, sources: tuple[str, ...] = ()) -> LookUp:
        """Return the search that judges and the resolver use: cached, and guarded against leaks of the question.

        Args:
            question: The step's question.
            step: The step.
            k: Passages a query; None: as many as the panel gives a judge.
            sources: A judge's own sources; none: the panel's.
        """
        finder = self.own_finders.get(sources) if sources else self.finder
        most = self.panel.retrieval.search_k if k is None else k

        async def look_up(text: str) -> Finding:
            if finder is None:
                return Finding()

            async def find() -> Finding:
                return (await run_in_thread(finder.find, [_query(question, step, text)], most))[0]

            return await self.searches.get((text, question.id, most, sources), find)

        return look_up

    @cached_property
    def _batchers(self) -> dict[tuple[str, ...], QueryBatcher]:
        """The look-ups by sources; the panel's own stand under no name."""
        finders = dict(self.own_finders) | ({} if self.finder is None else {(): self.finder})
        return {sources: QueryBatcher(finder.find) for sources, finder in finders.items()}

    def calibrate(self, verdict: Verdict, opinions: Sequence[Opinion]) -> Verdict:
        """Apply the panel's calibrator, if it names one."""
        return self.calibrator.apply(verdict, opinions) if self.calibrator else verdict


def _finder(panel: Panel, index: Index, sources: tuple[str, ...]) -> Finder:
    spec = panel.retrieval
    params: dict[str, Any] = dict(spec.params)
    try:
        return Finder(index, sources=sources, k=spec.k, fusion=spec.fusion, **params)
    except TypeError as wrong:
        raise ValueError(f"panel {panel.name!r}, retrieval.params: {wrong}") from wrong


def _query(question: Question, step: Step, text: str) -> Query:
    return Query(text=text, step=step.text, stem=question.stem, explanation=question.explanation, date=question.date)


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
    fresh: bool = False,
    adaptations: Mapping[ClientKey, Adaptations] | None = None,
    skip: frozenset[str] = frozenset(),
    stopping: asyncio.Event | None = None,
    offline: bool = False,
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
        fresh: Use no cached reply from before this run context.
        adaptations: What the gateway of another process learnt about the endpoints.
        skip: Ids of steps not to judge.
        stopping: Set it to leave the steps that have not begun for a resume.
        offline: Send nothing: what the response cache cannot answer is collected.
    """
    budget = budget or Budget()
    calibrator = load_calibrator(Path(panel.calibrator), panel) if panel.calibrator else None
    finders: dict[tuple[str, ...], Finder] = {}
    if panel.sources:
        opened = await run_in_thread(Index.open, index, embedder=panel.retrieval.embedder)
        chosen = {sources for sources in (panel.retrieval.sources, *(j.sources for j in panel.judges)) if sources}
        finders = {sources: _finder(panel, opened, sources) for sources in chosen}
    opening: Gateway = (
        OfflineGateway(store, secret=secret)
        if offline
        else Gateway(
            store,
            secret=secret,
            air_gapped=air_gapped,
            budget=budget,
            batch=batch_progress,
            limits=limits,
            fresh=fresh,
            adaptations=adaptations,
        )
    )
    async with opening as gateway:
        scorer = await run_in_thread(relevance, panel.relevance.scorer)
        judge_panel = JudgePanel.of(panel, chats=gateway if endpoints_of(panel) else None, relevance=scorer)
        yield RunContext(
            judge_panel,
            finders.get(panel.retrieval.sources),
            calibrator,
            own_finders=finders,
            skip=skip,
            stopping=stopping or asyncio.Event(),
            budget=budget,
            in_batches=offline or batch_progress is not None,
        )
