"""The adjudication graph: one LangGraph run a trace, its steps mapped with `Send`.

    segment -> retrieve -> hear (once a step) -> verdict
                             |
                          dispute -> resolve <-> seek -> verdict

Steps fan out after retrieval and meet again in one reducer; a deliberation is kept as soon as it is made, so nothing
waits for the slowest step. No checkpointer: the ledger is the durable state, and a checkpoint at every superstep was
measured at eight times the cost of the graph itself.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, NotRequired, Protocol, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Send

from tracejury.agents import (
    Case,
    CaseTooLarge,
    Deliberation,
    Dispute,
    Enquiry,
    Opinion,
    Outcome,
    Resolution,
    Retrieved,
    Seek,
    Verdict,
    build_case,
    context_failure,
    decide,
    resolve_round,
    settle,
    unheard_votes,
)
from tracejury.graphs.court import Court
from tracejury.graphs.hearing import hear_all
from tracejury.models import FailureReason
from tracejury.retrieval import Hit, Withheld
from tracejury.traces import Question, Segmentation, Step, Trace, deidentify, segment


class Keeper(Protocol):
    """Who writes down what the graph makes, as soon as it is made. Its methods return once that is durable."""

    async def trace(self, trace: Trace, question: Question, cut: Segmentation) -> None:
        """Take a trace that has been cut into steps."""
        ...

    async def deliberation(self, made: Deliberation) -> None:
        """Take a deliberation."""
        ...


class TraceInput(TypedDict):
    """What the graph takes. Plain dictionaries of the records' fields do as well (LangGraph Studio sends those)."""

    question: Question
    trace: Trace
    settled: NotRequired[list[str]]
    """Ids of steps that have an outcome already."""


class TraceState(TraceInput, total=False):
    """The state of one trace's run."""

    segmentation: Segmentation
    deliberations: Annotated[list[Deliberation], operator.add]


class TraceOutput(TypedDict):
    """What the graph gives back."""

    segmentation: Segmentation
    deliberations: list[Deliberation]


Graph = CompiledStateGraph[TraceState, None, TraceInput, TraceOutput]


@dataclass(frozen=True)
class Hearing:
    """One step on its way through the graph; data only, so that any checkpointer can hold it."""

    step: Step
    steps: tuple[Step, ...]
    trace: Trace
    question: Question
    hits: tuple[Hit, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    case: Case | None = None
    opinions: tuple[Opinion, ...] = ()
    unheard: tuple[str, ...] = ()
    dispute: Dispute | None = None
    seek: Seek | None = None
    """What the resolver asks for, with its enquiry so far."""
    enquiry: Enquiry | None = None
    resolution: Resolution | None = None
    path: tuple[str, ...] = field(default=("segment", "retrieve"))

    def at(self, node: str, **changes: Any) -> Hearing:
        """Return the hearing one node further."""
        return replace(self, path=(*self.path, node), **changes)

    def close(self, verdict: Verdict) -> Deliberation:
        """Return everything that led to `verdict`."""
        shown = {p.id for p in self.case.passages} if self.case else set()
        return Deliberation(
            step=self.step,
            case=self.case,
            found=tuple(
                Retrieved(passage_id=h.passage.id, query=h.query, score=h.score, ranks=h.ranks)
                for h in self.hits
                if h.passage.id in shown
            ),
            withheld=self.withheld,
            opinions=self.opinions,
            unheard=self.unheard,
            resolution=self.resolution,
            verdict=verdict,
            path=self.path,
        )


def build_graph(
    court: Court, keeper: Keeper | None = None
) -> CompiledStateGraph[TraceState, None, TraceInput, TraceOutput]:
    """Build the graph of a court.

    Args:
        court: The panel with all that it needs: judges, references, gateway.
        keeper: Writes down what is made, step by step; None: the output is all there is.

    Returns:
        A compiled graph: `await graph.ainvoke({"question": question, "trace": trace})`.
    """
    nodes = _Nodes(court, keeper)
    graph = StateGraph(TraceState, input_schema=TraceInput, output_schema=TraceOutput)
    graph.add_node("segment", nodes.segment)
    graph.add_node("retrieve", nodes.retrieve)
    graph.add_node("hear", nodes.hear)  # type: ignore[arg-type]
    graph.add_node("resolve", nodes.resolve)  # type: ignore[arg-type]
    graph.add_node("seek", nodes.seek)  # type: ignore[arg-type]
    graph.add_edge(START, "segment")
    graph.add_edge("segment", "retrieve")
    graph.add_edge("hear", END)
    graph.add_edge("resolve", END)
    return graph.compile(name="adjudication")


class _Nodes:
    def __init__(self, court: Court, keeper: Keeper | None) -> None:
        self.court = court
        self.keeper = keeper

    async def segment(self, state: TraceState) -> dict[str, Any]:
        trace = Trace.model_validate(state["trace"])
        question = Question.model_validate(state["question"])
        if self.court.panel.deidentify:
            # A batch comes without identifiers already; a graph that is called by hand does not.
            question, trace = deidentify(question, trace)
        made = segment(trace, self.court.panel.segmenter)
        if self.keeper is not None:
            await self.keeper.trace(trace, question, made)
        return {"trace": trace, "question": question, "segmentation": made}

    async def retrieve(self, state: TraceState) -> Command[Literal["hear", "__end__"]]:
        trace, question, steps = state["trace"], state["question"], state["segmentation"].steps
        settled = frozenset(state.get("settled", ()))
        pending = [s for s in steps if s.id not in settled and s.id not in self.court.skip]
        if not pending:
            return Command(goto="__end__")
        findings = await self.court.find(question, pending)
        self.court.turns.open(trace.id, (s.index for s in pending))
        return Command(
            goto=[
                Send("hear", Hearing(step, steps, trace, question, tuple(finding.hits), tuple(finding.withheld)))
                for step, finding in zip(pending, findings, strict=True)
            ]
        )

    async def hear(self, hearing: Hearing) -> dict[str, Any] | Command[Literal["resolve", "__end__"]]:
        court, trace_id, index = self.court, hearing.trace.id, hearing.step.index
        if court.prefix:
            await court.turns.wait(trace_id, index)
        try:
            if court.closing:
                return {"deliberations": []}
            try:
                case = build_case(
                    hearing.trace,
                    hearing.question,
                    hearing.steps,
                    hearing.step,
                    hearing.hits,
                    court.panel,
                    court.bench.count,
                )
            except CaseTooLarge as too_large:
                return await self._close(hearing.at("hear", case=too_large.case), context_failure())
            opinions = await hear_all(court, case, lambda: court.turns.pass_on(trace_id, index))
        finally:
            court.turns.pass_on(trace_id, index)
        panel, asked = court.panel, {o.judge for o in opinions}
        unheard = tuple(spec.name for spec in panel.judges if spec.name not in asked)
        heard = hearing.at("hear", case=case, opinions=opinions, unheard=unheard)
        decision = decide(opinions, unheard_votes(panel, opinions), require_grounding=panel.require_grounding)
        if isinstance(decision, Verdict):
            return await self._close(heard, decision)
        if panel.resolver is None:
            return await self._close(heard, settle(decision, opinions, None))
        return Command(goto=Send("resolve", replace(heard, dispute=decision)))

    async def resolve(self, hearing: Hearing) -> dict[str, Any] | Command[Literal["seek", "__end__"]]:
        now, dispute, case = hearing.at("resolve"), hearing.dispute, hearing.case
        if dispute is None or case is None:
            raise ValueError("a hearing came to the resolver without a dispute")
        made = await resolve_round(case, hearing.opinions, dispute, self.court.bench, hearing.enquiry)
        if isinstance(made, Seek):
            return Command(goto=Send("seek", replace(now, seek=made)))
        return await self._close(replace(now, resolution=made), settle(dispute, hearing.opinions, made))

    async def seek(self, hearing: Hearing) -> Command[Literal["resolve"]]:
        if hearing.seek is None:
            raise ValueError("a hearing came to retrieval without a query")
        found = await self.court.seek(hearing.question, hearing.step, hearing.seek.queries)
        seen = {h.passage.id for h in hearing.hits}
        hits = [h for finding in found for h in finding.hits if h.passage.id not in seen]
        withheld = tuple(w for finding in found for w in finding.withheld)
        further = hearing.at(
            "seek", enquiry=hearing.seek.enquiry.given(hits), withheld=(*hearing.withheld, *withheld), seek=None
        )
        return Command(goto=Send("resolve", further))

    async def _close(self, hearing: Hearing, verdict: Verdict) -> dict[str, Any]:
        if verdict.outcome is Outcome.FAILED and _unpaid(hearing):
            # Not a failure of anybody: the step is left unheard, and what was paid for it is found in the cache.
            self.court.stopping.set()
            return {"deliberations": []}
        made = hearing.close(self.court.calibrate(verdict, hearing.opinions, hearing.resolution))
        if self.keeper is not None:
            await self.keeper.deliberation(made)
        return {"deliberations": [made]}


def _unpaid(hearing: Hearing) -> bool:
    failures = [opinion.failed for opinion in hearing.opinions]
    if hearing.resolution is not None:
        failures.append(hearing.resolution.failed)
    return FailureReason.BUDGET in failures
