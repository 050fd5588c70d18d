"""A judge with sources of its own is offered these alone; the others are blind to them; the ledger says what it had."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
from fixed_checkers import everything_counts
from jury_of_words import AlwaysRelevant, question, trace

from tracejury.agents import Ask, Case, Deliberation, Draft, JudgePanel, Label, Panel, Quote
from tracejury.graphs import RunContext, build_graph
from tracejury.retrieval import Finding, Hit, Passage, Query

STEP = trace(("Acute gout is treated with colchicine in most adults.",))


class OneBook:
    """Finds one passage, of the source that it is named after."""

    def __init__(self, source: str) -> None:
        self.passage = Passage(source=source, title="t", text=f"Colchicine relieves gout, says the {source}.",
                               citation=source, license="l", key=source)  # fmt: skip

    def find(self, queries: Sequence[Query], k: int | None = None) -> list[Finding]:
        return [Finding(hits=(Hit(passage=self.passage, score=1.0, query=q.text),)) for q in queries]


class Reader:
    """Quotes all that it is offered."""

    kind, summary, needs_endpoint = "reader", "for tests", False

    def __init__(self) -> None:
        self.offered: tuple[str, ...] = ()

    async def draft(self, case: Case, ask: Ask | None) -> Draft:
        self.offered = tuple(passage.source for passage in case.passages)
        quotes = tuple(Quote(evidence_id=p.id, quote=p.text) for p in case.passages)
        return Draft(label=Label.SUPPORTED, quotes=quotes)


def judged() -> tuple[Deliberation, dict[str, Reader]]:
    judges = [{"name": "own", "judge": "reader", "sources": ["label"]}, {"name": "plain", "judge": "reader"}]
    panel = Panel.model_validate(
        {"name": "p", "judges": judges, "retrieval": {"sources": ["book"]}, "resolver": None, "checker": None}
    )
    readers = {"own": Reader(), "plain": Reader()}
    judge_panel = dataclasses.replace(
        JudgePanel(panel, relevance=AlwaysRelevant(), judges=readers), checker=everything_counts()
    )
    shared: Any = OneBook("book")
    own: Any = {("label",): OneBook("label"), ("book",): shared}

    async def main() -> Deliberation:
        graph = build_graph(RunContext(judge_panel, shared, own_finders=own))
        output = await graph.ainvoke({"question": question(), "trace": STEP})
        return output["deliberations"][0]

    return asyncio.run(main()), readers


def test_only_its_own_sources_are_offered_to_it_and_they_ground_like_any_other() -> None:
    judged_step, readers = judged()
    assert {name: reader.offered for name, reader in readers.items()} == {"own": ("label",), "plain": ("book",)}
    kept = Deliberation.model_validate_json(judged_step.model_dump_json())
    assert kept.case is not None
    assert [passage.source for passage in kept.case.passages] == ["book"], "the case is what the other judges saw"
    own, plain = kept.opinions
    assert [[hit.passage.source for hit in search.hits] for search in own.searches] == [["label"]]
    assert plain.searches == ()
    assert [(c.source, c.counts) for o in kept.opinions for c in o.citations] == [("label", True), ("book", True)]
    assert kept.verdict.outcome == "supported"


def test_the_panel_searches_the_sources_of_its_judges_too() -> None:
    judges = [{"name": "a", "judge": "data", "sources": ["label", "book"]}, {"name": "b", "judge": "data"}]
    panel = Panel.model_validate({"name": "p", "judges": judges, "retrieval": {"sources": ["book"]}})
    assert panel.sources == ("book", "label")
    with pytest.raises(ValueError, match="needs sources"):
        Panel.model_validate({"name": "p", "judges": [{"name": "a", "judge": "facts", "search": 1}]})
