"""The adjudication graph: one LangGraph run a trace, its steps mapped with `Send`.

    segment -> retrieve -> hear (once a step) -> verdict
                             |
                          dispute -> resolve <-> search -> verdict

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
    ClaimSet,
    Deliberation,
    Dispute,
    Opinion,
    Outcome,
    Policy,
    Resolution,
    Retrieved,
    SearchHistory,
    SearchRequest,
    Verdict,
    build_case,
    claims_of,
    context_failure,
    decide,
    resolve_round,
    settle,
    unasked_votes,
    unchecked,
)
from tracejury.graphs.panel_opinions import collect_opinions
from tracejury.graphs.run_context import RunContext
from tracejury.models import CallRecord, FailureReason
from tracejury.retrieval import Hit, Withheld
from tracejury.traces import Question, Segmentation, Step, Trace, deidentify, segment


class DeliberationSink(Protocol):
    """Who writes down what the graph makes, as soon as it is made. Its methods return once that is durable."""

    async def trace(self, trace: Trace, question: Question, cut: Segmentation) -> None:
        """Take a trace that has been cut into steps."""
        ...

    async def deliberation(self, deliberation: Deliberation) -> None:
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
class StepState:
    """One step on its way through the graph; data only, so that any checkpointer can hold it."""

    step: Step
    steps: tuple[Step, ...]
    trace: Trace
    question: Question
    hits: tuple[Hit, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    case: Case | None = None
    opinions: tuple[Opinion, ...] = ()
    unasked: tuple[str, ...] = ()
    evidence_calls: tuple[CallRecord, ...] = ()
    dispute: Dispute | None = None
    search_request: SearchRequest | None = None
    """What the resolver asks for, with its searches so far."""
    searches: SearchHistory | None = None
    resolution: Resolution | None = None
    path: tuple[str, ...] = field(default=("segment", "retrieve"))

    def at(self, node: str, **changes: Any) -> StepState:
        """Return the step one node further."""
        return replace(self, path=(*self.path, node), **changes)

    def close(self, verdict: Verdict) -> Deliberation:
        """Return everything that led to `verdict`."""
        shown_ids = {p.id for p in self.case.passages} if self.case else set()
        return Deliberation(
            step=self.step,
            case=self.case,
            retrieved=tuple(
                Retrieved(passage_id=h.passage.id, query=h.query, score=h.score, ranks=h.ranks)
                for h in self.hits
                if h.passage.id in shown_ids
            ),
            withheld=self.withheld,
            opinions=self.opinions,
            unasked=self.unasked,
            evidence_calls=self.evidence_calls,
            resolution=self.resolution,
            verdict=verdict,
            path=self.path,
        )


def build_graph(
    run_context: RunContext, sink: DeliberationSink | None = None
) -> CompiledStateGraph[TraceState, None, TraceInput, TraceOutput]:
    """Build the graph of a run context.

    Args:
        run_context: The panel with all that it needs: judges, references, gateway.
        sink: Writes each result at once; None: the graph's output is all there is.

    Returns:
        A compiled graph: `await graph.ainvoke({"question": question, "trace": trace})`.
    """
    nodes = _Nodes(run_context, sink)
    graph = StateGraph(TraceState, input_schema=TraceInput, output_schema=TraceOutput)
    graph.add_node("segment", nodes.segment)
    graph.add_node("retrieve", nodes.retrieve)
    graph.add_node("hear", nodes.hear)  # type: ignore[arg-type]
    graph.add_node("resolve", nodes.resolve)  # type: ignore[arg-type]
    graph.add_node("search", nodes.search)  # type: ignore[arg-type]
    graph.add_edge(START, "segment")
    graph.add_edge("segment", "retrieve")
    graph.add_edge("hear", END)
    graph.add_edge("resolve", END)
    return graph.compile(name="adjudication")


class _Nodes:
    def __init__(self, run_context: RunContext, sink: DeliberationSink | None) -> None:
        self.run_context = run_context
        self.sink = sink

    async def segment(self, state: TraceState) -> dict[str, Any]:
        trace = Trace.model_validate(state["trace"])
        question = Question.model_validate(state["question"])
        if self.run_context.panel.deidentify:
            # A batch comes without identifiers already; a graph that is called by hand does not.
            question, trace = deidentify(question, trace)
        segmentation = segment(trace, self.run_context.panel.segmenter)
        if self.sink is not None:
            await self.sink.trace(trace, question, segmentation)
        return {"trace": trace, "question": question, "segmentation": segmentation}

    async def retrieve(self, state: TraceState) -> Command[Literal["hear", "__end__"]]:
        trace, question, steps = state["trace"], state["question"], state["segmentation"].steps
        settled = frozenset(state.get("settled", ()))
        pending = [s for s in steps if s.id not in settled and s.id not in self.run_context.skip]
        if not pending:
            return Command(goto="__end__")
        findings = await self.run_context.find(question, pending)
        self.run_context.turns.open(trace.id, (s.index for s in pending))
        return Command(
            goto=[
                Send("hear", StepState(step, steps, trace, question, tuple(finding.hits), tuple(finding.withheld)))
                for step, finding in zip(pending, findings, strict=True)
            ]
        )

    async def hear(self, step_state: StepState) -> dict[str, Any] | Command[Literal["resolve", "__end__"]]:
        run_context, trace_id, index = self.run_context, step_state.trace.id, step_state.step.index
        if run_context.prefix:
            await run_context.turns.wait(trace_id, index)
        try:
            if run_context.closing:
                return {"deliberations": []}
            try:
                case = build_case(
                    step_state.trace,
                    step_state.question,
                    step_state.steps,
                    step_state.step,
                    step_state.hits,
                    run_context.panel,
                    run_context.judge_panel.count,
                )
            except CaseTooLarge as too_large:
                return await self._close(step_state.at("hear", case=too_large.case), context_failure())
            ask_claims = run_context.judge_panel.ask_claims(trace_id)
            case = case.model_copy(update={"claims": await claims_of(case, ask_claims)})
            asked = await collect_opinions(run_context, case, lambda: run_context.turns.pass_on(trace_id, index))
        finally:
            run_context.turns.pass_on(trace_id, index)
        panel, opinions = run_context.panel, asked.opinions
        asked_judges = {o.judge for o in opinions}
        judged = step_state.at(
            "hear",
            case=case,
            opinions=opinions,
            unasked=tuple(spec.name for spec in panel.judges if spec.name not in asked_judges),
            evidence_calls=(*(ask_claims.calls if ask_claims else ()), *asked.checker_calls),
        )
        unasked = unasked_votes(panel, opinions)
        if asked.check_failure is not None and panel.policy is Policy.GROUNDED:
            return await self._close(judged, unchecked(opinions, unasked))
        decision = decide(
            opinions,
            case.claims,
            unasked,
            policy=panel.policy,
            retrieved=bool(case.passages),
            checked=run_context.judge_panel.checker is not None and asked.check_failure is None,
        )
        if isinstance(decision, Verdict):
            return await self._close(judged, decision)
        if panel.resolver is None:
            return await self._close(judged, self._settle(judged, decision, None))
        return Command(goto=Send("resolve", replace(judged, dispute=decision)))

    async def resolve(self, step_state: StepState) -> dict[str, Any] | Command[Literal["search", "__end__"]]:
        now, dispute, case = step_state.at("resolve"), step_state.dispute, step_state.case
        if dispute is None or case is None:
            raise ValueError("a step_state came to the resolver without a dispute")
        result = await resolve_round(
            case, step_state.opinions, dispute, self.run_context.judge_panel, step_state.searches
        )
        if isinstance(result, SearchRequest):
            return Command(goto=Send("search", replace(now, search_request=result)))
        return await self._close(replace(now, resolution=result), self._settle(now, dispute, result))

    def _settle(self, step_state: StepState, dispute: Dispute, resolution: Resolution | None) -> Verdict:
        case = step_state.case
        claims, passages = (case.claims, case.passages) if case else (ClaimSet(), ())
        return settle(
            dispute,
            step_state.opinions,
            claims,
            resolution,
            policy=self.run_context.panel.policy,
            retrieved=bool(passages) or bool(resolution and resolution.hits),
        )

    async def search(self, step_state: StepState) -> Command[Literal["resolve"]]:
        request = step_state.search_request
        if request is None:
            raise ValueError("a step_state came to retrieval without a query")
        findings = await self.run_context.search(step_state.question, step_state.step, request.queries)
        known_ids = {h.passage.id for h in step_state.hits}
        hits = [h for finding in findings for h in finding.hits if h.passage.id not in known_ids]
        withheld = tuple(w for finding in findings for w in finding.withheld)
        further = step_state.at(
            "search",
            searches=request.history.with_hits(hits),
            withheld=(*step_state.withheld, *withheld),
            search_request=None,
        )
        return Command(goto=Send("resolve", further))

    async def _close(self, step_state: StepState, verdict: Verdict) -> dict[str, Any]:
        if verdict.outcome is Outcome.FAILED and _unpaid(step_state):
            # Not a failure of anybody: the step is left unheard, and what was paid for it is found in the cache.
            self.run_context.stopping.set()
            return {"deliberations": []}
        deliberation = step_state.close(self.run_context.calibrate(verdict, step_state.opinions, step_state.resolution))
        if self.sink is not None:
            await self.sink.deliberation(deliberation)
        return {"deliberations": [deliberation]}


def _unpaid(step_state: StepState) -> bool:
    failures = [opinion.failed for opinion in step_state.opinions]
    if step_state.resolution is not None:
        failures.append(step_state.resolution.failed)
    return FailureReason.BUDGET in failures
