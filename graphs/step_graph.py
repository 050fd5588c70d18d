"""The graph of one step: its nodes, and how they follow one another.

    retrieve -> claims -> judge -> check -> decide -> resolve <-> search
                            ^                 |  ^        |
                            +-----------------+  +--------+

`StepNodes` has one public method per node. Each takes the state and returns a part of it, so a graph of your own can
use any of them: `graph.add_node("judge", nodes.judge)`. `decide` is the one node that ends a step: it goes back to
`judge` while early stop or a cascade leaves judges to ask, on to `resolve` with a dispute, or it writes the
deliberation. Judges run in parallel, one task each; `drafts` collects their answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Send

from tracejury.agents import (
    Case,
    CaseTooLarge,
    ClaimSet,
    Deliberation,
    Dispute,
    JudgeSpec,
    Opinion,
    Outcome,
    Policy,
    Search,
    SearchRequest,
    Verdict,
    ask_judge,
    check_opinions,
    claims_of,
    context_failure,
    cut_by_rule,
    decide,
    fit_case,
    next_judges,
    resolve_round,
    settle,
    unasked_votes,
    unchecked,
    whole_case,
)
from tracejury.graphs.own_sources import own_case, with_own_search
from tracejury.graphs.run_context import RunContext
from tracejury.graphs.step_state import (
    JudgeInput,
    StepInput,
    StepOutput,
    StepState,
    deliberation_of,
    failures_of,
    public_key,
)
from tracejury.models import CallFailed, FailureReason
from tracejury.retrieval import Hit
from tracejury.traces import Question, Segmentation, Step, Trace


class DeliberationSink(Protocol):
    """Where the graph writes its results, as soon as it has them. The methods return once the data is durable."""

    async def trace(self, trace: Trace, question: Question, cut: Segmentation) -> None:
        """Take a trace that has been cut into steps."""
        ...

    async def deliberation(self, deliberation: Deliberation) -> None:
        """Take a deliberation."""
        ...


StepGraph = CompiledStateGraph[StepState, None, StepInput, StepOutput]


def build_step_graph(run_context: RunContext, sink: DeliberationSink | None = None) -> StepGraph:
    """Build the graph of one step.

    Args:
        run_context: The panel with its judges, references and models.
        sink: Takes the deliberation before the graph ends; None: the output is the only copy.

    Returns:
        A compiled graph. It holds no state of a step and has no checkpointer, so it may run any number of steps at
        once, alone or as a node of another graph.
    """
    nodes = StepNodes(run_context, sink)
    graph = StateGraph(StepState, input_schema=StepInput, output_schema=StepOutput)
    for node in (nodes.retrieve, nodes.claims, nodes.judge, nodes.check, nodes.decide, nodes.resolve, nodes.search):
        graph.add_node(node.__name__, node)
    graph.add_edge(START, "retrieve")
    graph.add_edge("judge", "check")
    graph.add_edge("check", "decide")
    graph.add_edge("search", "resolve")
    return graph.compile(name="step")


@dataclass(frozen=True)
class StepNodes:
    """The nodes of the step graph."""

    run_context: RunContext
    sink: DeliberationSink | None = None

    async def retrieve(self, state: StepState) -> Command[Literal["claims", "decide", "__end__"]]:
        """Find passages for the step, and build the case that all judges see."""
        run_context, step = self.run_context, state["step"]
        if run_context.closing:
            return self._leave(state)
        case = whole_case(state["trace"], state["question"], state["steps"], step, run_context.panel)
        case = case.model_copy(update={"claims": cut_by_rule(case.step, case.stem, case.context)})
        finding = await run_context.find(state["question"], step, case.claims.claims)
        update = {"hits": finding.hits, "withheld": finding.withheld, "path": ("retrieve",)}
        count = run_context.judge_panel.count
        try:
            case = fit_case(case, finding.hits, run_context.panel, count)
        except CaseTooLarge as too_large:
            return Command(goto="decide", update={**update, "case": too_large.case, "verdict": context_failure()})
        return Command(goto="claims", update={**update, "case": case})

    async def claims(self, state: StepState) -> Command[Literal["judge", "__end__"]]:
        """Let the panel's model refine the claims, once for all judges, and send the case to the first judges."""
        run_context, case = self.run_context, state["case"]
        if run_context.prefix:
            await run_context.turns.wait(case.trace_id, case.step_index)
        if run_context.closing:
            return self._leave(state)
        ask = run_context.judge_panel.ask_claims(case.trace_id)
        update: dict[str, Any] = {"path": (*state["path"], "claims")}
        if ask is not None:
            claims = await claims_of(case, ask)
            if claims.failure.startswith(FailureReason.UNANSWERED):
                return self._leave(state)
            update["hits"] = tuple(_for_claims(hit, case.claims, claims) for hit in state["hits"])
            update["evidence_calls"] = tuple(ask.calls)
            case = case.model_copy(update={"claims": claims})
        return Command(goto=self._judge_tasks(state, case, ()), update={**update, "case": case})

    async def judge(self, state: JudgeInput) -> dict[str, Any]:
        """Ask one judge for its opinion on the case; `check` checks its citations."""
        run_context, case, spec = self.run_context, state["case"], state["judge"]
        judge_panel = run_context.judge_panel
        look_up, own = None, tuple[Search, ...]()
        if "question" in state:
            look_up = run_context.look_up(state["question"], state["step"], sources=spec.sources)
            case, own = await own_case(run_context, case, spec, state["question"], state["step"])
        judge = judge_panel.judges[spec.name]
        asking = with_own_search(own, ask_judge(spec, judge, case, judge_panel, state.get("key"), look_up))
        if not run_context.prefix or self._asks_alone(case, spec):
            return {"drafts": (await asking,)}
        task = asyncio.ensure_future(asking)
        try:
            # One turn of the loop puts this judge into the endpoint's queue before the next step's first one.
            await asyncio.sleep(0)
            run_context.turns.pass_on(case.trace_id, case.step_index)
            return {"drafts": (await task,)}
        finally:
            task.cancel()

    async def check(self, state: StepState) -> dict[str, Any]:
        """Check the citations of all opinions that have not been checked, in one go."""
        run_context, opinions = self.run_context, state.get("opinions", ())
        earlier = {opinion.judge for opinion in opinions}
        drafts = [opinion for opinion in state["drafts"] if opinion.judge not in earlier]
        place = {spec.name: i for i, spec in enumerate(run_context.panel.judges)}
        update: dict[str, Any] = {"path": (*state["path"], "judge", "check")}
        try:
            checked, calls = await check_opinions(state["case"], drafts, run_context.judge_panel)
        except CallFailed as failure:
            checked, calls = tuple(drafts), failure.calls
            update["check_failure"] = failure.reason
        ordered = sorted((*opinions, *checked), key=lambda opinion: place[opinion.judge])
        return {**update, "opinions": tuple(ordered), "evidence_calls": calls}

    async def decide(self, state: StepState) -> Command[Literal["judge", "resolve", "__end__"]]:
        """Ask further judges, hand a dispute to the resolver, or end the step with a verdict."""
        panel, path, case = self.run_context.panel, (*state["path"], "decide"), state["case"]
        opinions, resolution = state.get("opinions", ()), state.get("resolution")
        if "verdict" in state:
            return await self._end(state, state["verdict"], path)
        if FailureReason.UNANSWERED in failures_of(state):
            # An answer can still be imported, and a verdict without it would stand for good.
            return self._leave(state)
        if resolution is not None:
            return await self._end(state, self._settle(state, state["dispute"]), path)
        if tasks := self._judge_tasks(state, case, opinions):
            return Command(goto=tasks, update={"path": path})
        self._pass_on(state["step"])
        unasked = unasked_votes(panel, opinions)
        if "check_failure" in state and panel.policy is Policy.GROUNDED:
            return await self._end(state, unchecked(opinions, unasked), path)
        decision = decide(
            opinions,
            case.claims,
            unasked,
            policy=panel.policy,
            retrieved=_has_passages(case, opinions),
            checked=self.run_context.judge_panel.checker is not None and "check_failure" not in state,
            weights=self.run_context.judge_panel.combination,
        )
        if isinstance(decision, Verdict):
            return await self._end(state, decision, path)
        if panel.resolver is None:
            return await self._end(state, self._settle(state, decision), path)
        return Command(goto="resolve", update={"dispute": decision, "path": path})

    async def resolve(self, state: StepState) -> Command[Literal["search", "decide"]]:
        """Let the resolver take one round: it asks for more evidence, or it resolves the dispute."""
        judge_panel, path = self.run_context.judge_panel, (*state["path"], "resolve")
        result = await resolve_round(state["case"], state["opinions"], judge_panel, state.get("searches"))
        if isinstance(result, SearchRequest):
            update = {"searches": result.history, "queries": result.queries, "path": path}
            return Command(goto="search", update=update)
        return Command(goto="decide", update={"resolution": result, "path": path})

    async def search(self, state: StepState) -> dict[str, Any]:
        """Find passages for the resolver's queries."""
        findings = await self.run_context.search(state["question"], state["step"], state["queries"])
        known_ids = {hit.passage.id for hit in state["hits"]}
        hits = [hit for finding in findings for hit in finding.hits if hit.passage.id not in known_ids]
        withheld = tuple(passage for finding in findings for passage in finding.withheld)
        return {
            "searches": state["searches"].with_hits(hits),
            "withheld": (*state["withheld"], *withheld),
            "path": (*state["path"], "search"),
        }

    def _judge_tasks(self, state: StepState, case: Case, opinions: Sequence[Opinion]) -> list[Send]:
        """Return one task for each judge to ask now; none once no judge is left to ask."""
        run_context = self.run_context
        batch = next_judges(run_context.panel, case.step_id, opinions, case.claims)
        endpoints = {spec.name: spec.endpoint for spec in run_context.panel.judges}
        if run_context.prefix and not any(endpoints[opinion.judge] for opinion in opinions):
            # Alone: the others find the rules, the vignette and the evidence in the server's cache.
            first = next((spec for spec in batch if spec.endpoint), None)
            batch = batch if first is None else (first,)
        shared = {"case": case, "key": public_key(state)}
        searching = {"question": state["question"], "step": state["step"]}
        return [
            Send("judge", {**shared, "judge": spec, **(searching if spec.search or spec.sources else {})})
            for spec in batch
        ]

    def _asks_alone(self, case: Case, spec: JudgeSpec) -> bool:
        batch = next_judges(self.run_context.panel, case.step_id, (), case.claims)
        first = next((s for s in batch if s.endpoint), None)
        return first is not None and spec.name == first.name

    def _settle(self, state: StepState, dispute: Dispute) -> Verdict:
        case, resolution = state["case"], state.get("resolution")
        return settle(
            dispute,
            state["opinions"],
            case.claims,
            resolution,
            policy=self.run_context.panel.policy,
            retrieved=_has_passages(case, state["opinions"]) or bool(resolution and resolution.hits),
        )

    def _leave(self, state: StepState) -> Command[Any]:
        """End the step without a deliberation: it is left for the resume."""
        self._pass_on(state["step"])
        return Command(goto=END, update={"deliberations": []})

    def _pass_on(self, step: Step) -> None:
        self.run_context.turns.pass_on(step.trace_id, step.index)

    async def _end(self, state: StepState, verdict: Verdict, path: tuple[str, ...]) -> Command[Any]:
        self._pass_on(state["step"])
        if verdict.outcome is Outcome.FAILED and FailureReason.BUDGET in failures_of(state):
            # Nobody failed: the step is left for the resume, and the cache holds the calls that were paid for it.
            self.run_context.stopping.set()
            return self._leave(state)
        verdict = self.run_context.calibrate(verdict, state.get("opinions", ()))
        deliberation = deliberation_of(state, verdict, self.run_context.panel.judges, path)
        if self.sink is not None:
            await self.sink.deliberation(deliberation)
        return Command(goto=END, update={"verdict": verdict, "path": path, "deliberations": [deliberation]})


def _has_passages(case: Case, opinions: Sequence[Opinion]) -> bool:
    return bool(case.passages) or any(search.hits for opinion in opinions for search in opinion.searches)


def _for_claims(hit: Hit, by_rule: ClaimSet, refined: ClaimSet) -> Hit:
    """Return a hit with the handles of the refined claims that stand where the rule's claims stood."""
    spans = [(claim.start, claim.end) for claim in by_rule.claims if claim.handle in hit.claims]
    handles = (c.handle for c in refined.claims if any(c.start < end and start < c.end for start, end in spans))
    return hit.model_copy(update={"claims": tuple(handles)})
