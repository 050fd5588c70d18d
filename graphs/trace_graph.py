"""The graph of one trace: it is cut into steps, and every step runs through a step graph of its own, all at once.

    segment -> step (retrieve -> claims -> judge -> check -> decide -> resolve <-> search), one per step

A step's deliberation is written as soon as it is decided, so no step waits for the slowest one. There is no
checkpointer, because the ledger is the durable state.
"""

from __future__ import annotations

import operator
from typing import Annotated, Any, Literal, NotRequired

from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from tracejury.agents import Deliberation
from tracejury.graphs.run_context import RunContext
from tracejury.graphs.step_graph import DeliberationSink, build_step_graph
from tracejury.graphs.step_state import StepInput
from tracejury.traces import Question, Segmentation, Trace, deidentify, segment


class TraceInput(TypedDict):
    """The input of the graph. Plain dictionaries of the records' fields work, too, as LangGraph Studio sends them."""

    question: Question
    trace: Trace
    settled: NotRequired[list[str]]
    """Ids of steps that have an outcome already."""


class TraceState(TraceInput, total=False):
    """The state of one trace's run."""

    segmentation: Segmentation
    deliberations: Annotated[list[Deliberation], operator.add]


class TraceOutput(TypedDict):
    """The output of the graph. The deliberations are in the order in which they were decided."""

    segmentation: Segmentation
    deliberations: list[Deliberation]


TraceGraph = CompiledStateGraph[TraceState, None, TraceInput, TraceOutput]


def build_graph(run_context: RunContext, sink: DeliberationSink | None = None) -> TraceGraph:
    """Build the graph of a run context.

    Args:
        run_context: The panel with its judges, references and models.
        sink: Takes the cut trace and each deliberation at once; None: the output is the only copy.

    Returns:
        A compiled graph: `await graph.ainvoke({"question": question, "trace": trace})`. It may run any number of traces
        at once, alone or as a node of another graph whose state has the keys of `TraceInput` and `TraceOutput`.
    """

    async def cut(state: TraceInput) -> Command[Literal["step", "__end__"]]:
        trace = Trace.model_validate(state["trace"])
        question = Question.model_validate(state["question"])
        if run_context.panel.deidentify:
            # A batch comes without identifiers already; a graph that is called by hand does not.
            question, trace = deidentify(question, trace)
        segmentation = segment(trace, run_context.panel.segmenter)
        if sink is not None:
            await sink.trace(trace, question, segmentation)
        finished = run_context.skip.union(state.get("settled", ()))
        pending = [step for step in segmentation.steps if step.id not in finished]
        run_context.turns.open(trace.id, (step.index for step in pending))
        update = {"trace": trace, "question": question, "segmentation": segmentation}
        inputs = (StepInput(step=s, steps=segmentation.steps, trace=trace, question=question) for s in pending)
        return Command(goto=[Send("step", i) for i in inputs], update=update)

    graph: StateGraph[TraceState, None, TraceInput, TraceOutput] = StateGraph(
        TraceState, input_schema=TraceInput, output_schema=TraceOutput
    )
    graph.add_node("segment", cut)
    graph.add_node("step", build_step_graph(run_context, sink))
    graph.add_edge(START, "segment")
    compiled: Any = graph.compile(name="adjudication")
    return compiled  # type: ignore[no-any-return]
