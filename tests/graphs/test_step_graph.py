"""The graph shows what happens: its nodes, what each of them streams, and the doors for graphs of somebody else."""

from __future__ import annotations

import asyncio
import dataclasses
import operator
from pathlib import Path
from typing import Annotated, Any

import pytest
from conftest import ROOT
from jury_of_words import STEPS, question, run_context_of, trace
from langgraph.graph import START, StateGraph
from typer.testing import CliRunner
from typing_extensions import TypedDict

from tracejury.agents import (
    Ask,
    Case,
    Deliberation,
    Draft,
    JudgePanel,
    JudgeSpec,
    Label,
    Panel,
    ResolverSpec,
    RetrievalSpec,
)
from tracejury.console.app import app
from tracejury.graphs import RunContext, StepNodes, build_graph, build_step_graph, open_graph
from tracejury.graphs.trace_runner import LedgerSink
from tracejury.ledger import Ledger, RunManifest
from tracejury.retrieval import Finding, Hit, Passage, Query
from tracejury.storage import Writer
from tracejury.traces import Question, Segmentation, Trace, segment

NODES = {"retrieve", "claims", "judge", "check", "decide", "resolve", "search"}
INPUT: Any = {"question": question(), "trace": trace(STEPS)}


async def updates(graph: Any, given: Any) -> list[tuple[tuple[str, ...], str, dict[str, Any]]]:
    """Return (namespace, node, update) in the order of the stream."""
    stream = graph.astream(given, subgraphs=True, stream_mode="updates")
    return [(where, node, update or {}) async for where, chunk in stream for node, update in chunk.items()]


def test_every_node_streams_what_it_found() -> None:
    seen = asyncio.run(updates(build_graph(run_context_of()), INPUT))
    inside = [(node, update) for where, node, update in seen if where]
    by_node = {name: [update for node, update in inside if node == name] for name in NODES}
    assert all(update["case"].passages == () and update["hits"] == () for update in by_node["retrieve"])
    # One update for each judge and step, with that judge's answer alone.
    drafts = [draft for update in by_node["judge"] for draft in update["drafts"]]
    assert all(update["case"].claims.claims for update in by_node["claims"])
    assert len(by_node["judge"]) == len(drafts) == 3 * len(STEPS)
    assert {draft.judge for draft in drafts} == {"one", "two", "three"}
    assert all(len(update["opinions"]) == 3 for update in by_node["check"])
    verdicts = [update["verdict"].outcome.value for update in by_node["decide"] if "verdict" in update]
    assert sorted(verdicts) == ["abstained", "abstained", "error", "failed", "supported"]
    (resolved,) = by_node["resolve"]
    assert resolved["resolution"].label is Label.UNCLEAR


def test_one_graph_run_per_trace_and_one_subgraph_per_step() -> None:
    seen = asyncio.run(updates(build_graph(run_context_of()), INPUT))
    assert len({where for where, _, _ in seen if where}) == len(STEPS)
    assert [node for where, node, _ in seen if not where].count("segment") == 1


def test_the_input_schemas_name_their_fields() -> None:
    """On Python 3.11 they are null where the state is a TypedDict of the standard library."""
    for graph, fields in (
        (build_graph(run_context_of()), {"question", "trace", "settled"}),
        (build_step_graph(run_context_of()), {"step", "steps", "trace", "question"}),
    ):
        assert set(graph.get_input_jsonschema()["properties"]) == fields


class SlowOnWord:
    """A judge that waits where a step says `slow`."""

    kind, summary, needs_endpoint = "slow", "for tests", False

    def __init__(self, go_on: asyncio.Event) -> None:
        self.go_on = go_on

    async def draft(self, case: Case, ask: Ask | None) -> Draft:
        if "slow" in case.step:
            await self.go_on.wait()
        return Draft(label=Label.UNCLEAR)


def test_a_deliberation_is_in_the_ledger_before_a_slower_step_is_decided(tmp_path: Path) -> None:
    async def main() -> int:
        go_on = asyncio.Event()
        panel = Panel(name="p", judges=(JudgeSpec(name="j", judge="slow"),))
        run_context = RunContext(JudgePanel(panel, judges={"j": SlowOnWord(go_on)}))
        ledger = Ledger(f"sqlite:///{tmp_path}/l.db")
        run = ledger.open_run(panel, RunManifest(panel="p", segmenter="auto"), "r").run
        writer = Writer(ledger.engine)
        taken = trace(("A slow step about the cough of this patient.", "A quick step about the cough of this patient."))
        graph = build_graph(run_context, LedgerSink(writer, run.id))
        running = asyncio.create_task(graph.ainvoke({"question": question(), "trace": taken}))
        while not (written := await asyncio.to_thread(ledger.deliberations, run, taken.id)):
            await asyncio.wait([running], timeout=0.02)
            assert not running.done(), "both steps ended, and neither was written before"
        go_on.set()
        assert len((await running)["deliberations"]) == 2
        await asyncio.to_thread(writer.close)
        assert [d.step.index for d in written] == [1]
        return len(ledger.deliberations(run, taken.id))

    assert asyncio.run(asyncio.wait_for(main(), 60)) == 2


def test_the_run_context_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        run_context_of().skip = frozenset({"s"})  # type: ignore[misc]


def test_steps_to_skip_are_not_judged_and_a_stopped_run_begins_none() -> None:
    steps = segment(trace(STEPS)).steps
    skipping = dataclasses.replace(run_context_of(), skip=frozenset(s.id for s in steps[1:]))
    (made,) = asyncio.run(build_graph(skipping).ainvoke(INPUT))["deliberations"]
    assert made.step.index == 0
    stopped = run_context_of()
    stopped.stopping.set()
    assert asyncio.run(build_graph(stopped).ainvoke(INPUT))["deliberations"] == []


class CountingFinder:
    """Finds as many passages as it is asked for, and keeps the size of every look-up."""

    def __init__(self, k: int) -> None:
        self.k = k
        self.look_ups: list[int] = []

    def find(self, queries: list[Query], k: int | None = None) -> list[Finding]:
        self.look_ups.append(len(queries))
        return [Finding(hits=tuple(_hit(q, n) for n in range(k or self.k)), withheld=()) for q in queries]


def _hit(query: Query, n: int) -> Hit:
    text = f"Passage {n} for {query.text}"
    passage = Passage(source="s", title="t", text=text, citation="c", license="l", key=str(n), end=len(text))
    return Hit(passage=passage, score=1.0, query=query.text)


def test_the_resolver_gets_as_many_passages_per_query_as_its_k_says() -> None:
    finder: Any = CountingFinder(5)
    run_context = dataclasses.replace(run_context_of(resolver=ResolverSpec(k=1)), finder=finder)
    step = segment(trace(STEPS)).steps[0]
    findings = asyncio.run(run_context.search(question(), step, ["stroke treatment", "gout"]))
    assert [len(finding.hits) for finding in findings] == [1, 1]
    assert len(asyncio.run(run_context.find(question(), step)).hits) == 5


def test_the_steps_of_a_trace_share_one_look_up() -> None:
    finder: Any = CountingFinder(2)
    run_context = dataclasses.replace(run_context_of(), finder=finder)
    out = asyncio.run(build_graph(run_context).ainvoke(INPUT))
    assert finder.look_ups == [len(STEPS)]
    assert all(len(d.retrieved) == 2 for d in out["deliberations"])


class EchoFinder(CountingFinder):
    """Finds one passage for every claim that it is asked for."""

    def find(self, queries: list[Query], k: int | None = None) -> list[Finding]:
        return [
            Finding(
                hits=tuple(_hit(query, n).model_copy(update={"claims": (c.claim,)}) for n, c in enumerate(query.claims))
            )
            for query in queries
        ]


@pytest.mark.parametrize(("queries", "found_for"), [("claims", [("C1",), ("C2",)]), ("step", [])])
def test_a_deliberation_says_which_claim_each_passage_was_found_for(queries: Any, found_for: list[Any]) -> None:
    finder: Any = EchoFinder(5)
    run_context = dataclasses.replace(run_context_of(retrieval=RetrievalSpec(queries=queries)), finder=finder)
    two = trace(("Gout is treated with colchicine, and stroke is treated with alteplase.",))
    (judged,) = asyncio.run(build_graph(run_context).ainvoke({"question": question(), "trace": two}))["deliberations"]
    assert [found.claims for found in judged.retrieved] == found_for
    assert len(judged.case.claims.claims) == 2


class MyState(TypedDict, total=False):
    """The state of somebody's own graph around ours."""

    question: Question
    trace: Trace
    segmentation: Segmentation
    deliberations: Annotated[list[Deliberation], operator.add]
    errors: int


def test_the_graph_is_a_node_of_a_graph_of_ones_own(tmp_path: Path) -> None:
    def count(state: MyState) -> MyState:
        return {"errors": sum(d.verdict.outcome == "error" for d in state["deliberations"])}

    async def main() -> dict[str, Any]:
        async with open_graph("data", store=f"sqlite:///{tmp_path}/calls.db") as jury:
            mine = StateGraph(MyState)
            mine.add_node("jury", jury)
            mine.add_node("count", count)
            mine.add_edge(START, "jury")
            mine.add_edge("jury", "count")
            wrong = (
                "He weighs 70 kg and is given 2 mg/kg, so 120 mg.",
                "He weighs 70 kg and is given 2 mg/kg, so 140 mg.",
            )
            return await mine.compile().ainvoke({"question": question(), "trace": trace(wrong)})

    out = asyncio.run(main())
    assert len(out["deliberations"]) == 2
    assert out["errors"] == 1


def test_a_node_is_reused_in_a_graph_of_ones_own() -> None:
    """Judges alone, without retrieval and resolver: two nodes of ours and one key of the state."""
    nodes = StepNodes(run_context_of())
    steps = segment(trace(STEPS)).steps
    state: Any = {"step": steps[1], "steps": steps, "trace": trace(STEPS), "question": question()}

    async def main() -> Any:
        case = (await nodes.retrieve(state)).update["case"]  # type: ignore[index, call-overload]
        drafts = [await nodes.judge({"case": case, "judge": spec}) for spec in nodes.run_context.panel.judges]
        return await nodes.check({**state, "case": case, "drafts": tuple(d["drafts"][0] for d in drafts), "path": ()})

    assert [opinion.label for opinion in asyncio.run(main())["opinions"]] == [Label.ERROR] * 3


def test_the_diagram_shows_judges_decide_resolve_and_search() -> None:
    shown = CliRunner().invoke(app, ["panels", "graph"])
    assert shown.exit_code == 0
    assert {f"({name})" for name in NODES} <= {
        part for part in shown.output.replace(";", " ").split() if "(" in part
    } | {line[line.index("(") :].strip() for line in shown.output.splitlines() if "step\\3a" in line and "(" in line}


def test_the_diagram_in_the_docs_is_what_the_command_prints() -> None:
    shown = CliRunner().invoke(app, ["panels", "graph"]).output
    assert f"```mermaid\n{shown}```" in (ROOT / "docs" / "graph.md").read_text()
