"""Judges that look things up: by a tool or by a field of their reply, bounded, recorded, and cited like the rest."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

import pytest
from fixed_checkers import everything_counts
from jury_of_words import AlwaysRelevant, question, trace
from servers.model_server import ModelServer

from tracejury.agents import Deliberation, JudgePanel, Panel, ResolverSpec
from tracejury.console.deliberation import deliberation as shown_on_terminal
from tracejury.console.screen import out
from tracejury.console.viewer.evidence import exhibits
from tracejury.graphs import RunContext, build_graph
from tracejury.models import CallStore, Gateway, read_prompts
from tracejury.retrieval import Finding, Hit, Passage, Query, Withheld

FACTS = {
    "colchicine in gout": "Colchicine relieves the pain of acute gout within hours.",
    "gout first line": "Colchicine is a first-line treatment of acute gout in adults.",
    "the exam itself": "Question 12: the patient of the question.",
}
STEP = trace(("Acute gout is treated with colchicine in most adults.",))


class Library:
    """Finds nothing for the step, and what stands in `FACTS` for a search; the exam itself is withheld."""

    def __init__(self) -> None:
        self.searched: list[str] = []

    def find(self, queries: list[Query], k: int | None = None) -> list[Finding]:
        return [self._find(query) for query in queries]

    def _find(self, query: Query) -> Finding:
        assert query.stem == question().stem, "the guard against leaks knows the question"
        if query.text not in FACTS:
            return Finding()
        self.searched.append(query.text)
        if query.text == "the exam itself":
            return Finding(withheld=(Withheld(passage_id="p_exam", reason="near-duplicate", similarity=1.0),))
        text = FACTS[query.text]
        passage = Passage(source="s", title="Gout", text=text, citation="Gout 2024", license="MIT", key=query.text)
        return Finding(hits=(Hit(passage=passage, score=1.0, query=query.text),))


def panel(server: ModelServer, judges: int = 1, **endpoint: Any) -> Panel:
    return Panel.model_validate(
        {
            "name": "p",
            "endpoints": {"e": {"name": "e", "model": "m", "base_url": server.url, **endpoint}},
            "judges": [{"name": f"j{n}", "judge": "facts", "endpoint": "e", "search": 2} for n in range(judges)],
            "retrieval": {"sources": ["s"]},
            "resolver": None,
            "reply_tokens": 512,
        }
    )


def judged(chosen: Panel, store: CallStore) -> tuple[Deliberation, Library]:
    async def main() -> tuple[Deliberation, Library]:
        library: Any = Library()
        async with Gateway(store, secret=b"x" * 16) as gateway:
            judge_panel = dataclasses.replace(
                JudgePanel.of(chosen.model_copy(update={"checker": None}), gateway, AlwaysRelevant()),
                checker=everything_counts(),
            )
            graph = build_graph(RunContext(judge_panel, library))
            out = await graph.ainvoke({"question": question(), "trace": STEP})
        return out["deliberations"][0], library

    return asyncio.run(asyncio.wait_for(main(), 60))


def supports(handle: str, quote: str) -> dict[str, Any]:
    finding = {"claim": "C1", "evidence": handle, "quote": quote, "relation": "supports"}
    return {"findings": [finding], "label": "supported", "error_type": "none", "confidence": 90, "rationale": "r"}


@pytest.fixture
def store(tmp_path: Path) -> CallStore:
    return CallStore(f"sqlite:///{tmp_path}/calls.db")


def test_a_judge_searches_twice_by_tool_and_cites_what_it_found(model_server: ModelServer, store: CallStore) -> None:
    queries = ["colchicine in gout", "gout first line"]
    model_server.reset(tool_queries=queries, reply=supports("P2", FACTS["gout first line"]))
    judged_step, _ = judged(panel(model_server, tools=True), store)
    (opinion,) = judged_step.opinions
    assert [search.query for search in opinion.searches] == queries
    assert len(opinion.calls) == 3
    (citation,) = opinion.citations
    assert (citation.counts, citation.citation) == (True, "Gout 2024")
    assert citation.evidence_id == opinion.searches[1].hits[0].passage.id
    assert judged_step.verdict.outcome == "supported"
    assert judged_step.case is not None
    assert judged_step.case.passages == (), "the case is what all judges saw"
    # It survives the ledger's JSON, and people see it.
    kept = Deliberation.model_validate_json(judged_step.model_dump_json())
    assert {p.text for p in kept.further_passages} == {FACTS[q] for q in queries}
    assert [e.quotes for e in exhibits(kept) if e.by_resolver] == [1, 0]
    with out.capture() as captured:
        out.print(*shown_on_terminal(kept, raw=False, calibrated=False))
    assert "searched: gout first line (1 passages)" in captured.get()


def test_the_prefix_of_a_searching_judge_is_kept_and_its_replies_are_cached(
    model_server: ModelServer, store: CallStore
) -> None:
    model_server.reset(tool_queries=["colchicine in gout"], reply=supports("P1", FACTS["colchicine in gout"]))
    first, _ = judged(panel(model_server, tools=True), store)
    with store.engine.connect() as connection:
        prompts = read_prompts(connection, [call.id for call in first.opinions[0].calls])
    before, after = (prompts[call.id] for call in first.opinions[0].calls)
    assert after[: len(before)] == before
    assert [message.role for message in after[len(before) :]] == ["assistant", "tool"]
    again, _ = judged(panel(model_server, tools=True), store)
    assert all(call.from_cache for call in again.opinions[0].calls)
    assert again.opinions[0].searches == first.opinions[0].searches


def test_a_judge_that_searches_for_ever_is_stopped(model_server: ModelServer, store: CallStore) -> None:
    model_server.reset(searches_for_ever=True)
    judged_step, _ = judged(panel(model_server, tools=True), store)
    (opinion,) = judged_step.opinions
    assert opinion.failed == "unusable"
    assert "2 searches and asks for more" in opinion.failure
    assert len(opinion.searches) == 2
    assert model_server.counts()["calls"] == 3


def test_without_tools_a_judge_searches_by_a_field_of_its_reply(model_server: ModelServer, store: CallStore) -> None:
    found, asks = supports("P1", FACTS["gout first line"]), {"queries": ["gout first line", "the exam itself"]}
    model_server.reset(
        reply={"queries": []} | found, reply_for={"FOUND for a query": found, "Before you": found | asks}
    )
    judged_step, library = judged(panel(model_server, judges=2), store)
    assert library.searched == ["gout first line", "the exam itself"], "two judges search for the same once"
    for opinion in judged_step.opinions:
        assert [len(search.hits) for search in opinion.searches] == [1, 0]
        assert [citation.counts for citation in opinion.citations] == [True]
    assert [w.passage_id for w in judged_step.withheld] == ["p_exam", "p_exam"]


@pytest.mark.parametrize("refusal", ["tools", "tools, tersely"])
def test_an_endpoint_that_refuses_tools_is_searched_by_field(
    refusal: str, model_server: ModelServer, store: CallStore
) -> None:
    found = supports("P1", FACTS["gout first line"])
    model_server.reset(
        refuses=[refusal],
        reply={"queries": []} | found,
        reply_for={"FOUND for a query": found, "Before you": found | {"queries": ["gout first line"]}},
    )
    judged_step, _ = judged(panel(model_server, tools=True), store)
    assert [search.query for search in judged_step.opinions[0].searches] == ["gout first line"]


def test_judges_without_search_ask_as_before(model_server: ModelServer, store: CallStore) -> None:
    chosen = panel(model_server, tools=True)
    quiet = chosen.model_copy(update={"judges": tuple(j.model_copy(update={"search": 0}) for j in chosen.judges)})
    model_server.reset(tool_queries=["gout first line"], reply=supports("vignette", "x"))
    judged_step, _ = judged(quiet, store)
    assert judged_step.opinions[0].searches == ()
    assert "tools" not in model_server.counts()["last_fields"]


def test_search_needs_an_endpoint_and_sources(model_server: ModelServer) -> None:
    with pytest.raises(ValueError, match="panel needs sources"):
        Panel.model_validate(panel(model_server).model_dump() | {"retrieval": {"sources": []}})


@pytest.mark.parametrize("by", ["tool", "field", "refused tool"])
def test_the_resolver_searches_by_the_judges_tool(by: str, model_server: ModelServer, store: CallStore) -> None:
    chosen = panel(model_server, judges=2, tools=by != "field")
    kinds = zip(chosen.judges, ("facts", "inference"), strict=True)
    quiet = tuple(judge.model_copy(update={"search": 0, "judge": kind}) for judge, kind in kinds)
    chosen = chosen.model_copy(update={"judges": quiet, "resolver": ResolverSpec(endpoint="e", rounds=1)})
    supported = supports("vignette", "x") | {"findings": []}
    settled = supports("P1", FACTS["gout first line"]) | {"queries": []}
    asks = supported | {"queries": ["gout first line"], "label": "unclear"}
    denied = supported | {"label": "error", "error_type": "factual"}
    model_server.reset(
        refuses=["tools"] if by == "refused tool" else [],
        tool_queries=["gout first line"] if by == "tool" else [],
        reply=supported,
        reply_for={
            FACTS["gout first line"]: settled,
            "settle the dispute": asks,
            "You look first at the reasoning": denied,
        },
    )
    judged_step, library = judged(chosen, store)
    assert library.searched == ["gout first line"]
    resolution = judged_step.resolution
    assert resolution is not None
    assert (resolution.queries, resolution.rounds) == (("gout first line",), 1)
    assert [citation.citation for citation in resolution.citations] == ["Gout 2024"]
    assert "tools" not in model_server.counts()["last_fields"], "no search is left"


def test_a_resolver_that_asks_again_for_what_it_has_must_answer(model_server: ModelServer, store: CallStore) -> None:
    chosen = panel(model_server, judges=2, tools=True)
    kinds = zip(chosen.judges, ("facts", "inference"), strict=True)
    quiet = tuple(judge.model_copy(update={"search": 0, "judge": kind}) for judge, kind in kinds)
    chosen = chosen.model_copy(update={"judges": quiet, "resolver": ResolverSpec(endpoint="e", rounds=2)})
    supported = supports("vignette", "x") | {"findings": []}
    model_server.reset(
        tool_queries=["gout first line"],
        reply=supported,
        reply_for={
            "settle the dispute": supports("P1", FACTS["gout first line"]) | {"queries": []},
            "You look first at the reasoning": supported | {"label": "error", "error_type": "factual"},
        },
    )
    judged_step, library = judged(chosen, store)
    resolution = judged_step.resolution
    assert resolution is not None
    assert library.searched == ["gout first line"], "the second time it is sent back to answer"
    assert (resolution.failed, resolution.rounds, len(resolution.calls)) == (None, 1, 3)
    assert [citation.citation for citation in resolution.citations] == ["Gout 2024"]
