"""`tracejury sources`: coverage beside its nulls, and the passage behind a changed step."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fixed_checkers import FixedChecker, calibrated
from jury_of_words import AlwaysRelevant
from typer.testing import CliRunner
from word_vectors import WordVectors

from tracejury.agents import Ask, Case, Deliberation, Draft, JudgePanel, JudgeSpec, Label, Panel, Quote, Relation
from tracejury.agents.checkers import CheckerAsk, Pair, Probabilities
from tracejury.console.app import app
from tracejury.graphs import RunContext, build_graph
from tracejury.reports import reference_coverage, source_effect
from tracejury.retrieval import Document, Finder, Index, Trust
from tracejury.traces import Batch, Question, Trace, write_batch

FACTS = {
    "gout": "Acute gout is treated with colchicine in adults.",
    "stroke": "Ischemic stroke is treated with alteplase early.",
}


class SaysTheSame(FixedChecker):
    """Finds support where the sentence says the claim, word for word."""

    def __init__(self) -> None:
        super().__init__(Probabilities(0.0, 0.0, 1.0))

    async def probabilities(self, pairs: Sequence[Pair], ask: CheckerAsk | None) -> list[Probabilities]:
        says = [any(pair.claim.strip(".") in sentence for sentence in pair.sentences) for pair in pairs]
        return [Probabilities(0.9, 0.0, 0.1) if is_said else self.answer for is_said in says]


class Facts:
    license, version = "test", "1"

    def __init__(self, name: str, keys: tuple[str, ...]) -> None:
        self.name, self.keys = name, keys

    def documents(self) -> Iterator[Document]:
        for key in self.keys:
            yield Document(source=self.name, title=key, text=FACTS[key], citation=f"{key} guide", license="t", key=key)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    opened = Index.open(tmp_path / "index", WordVectors())
    opened.build(Facts("joints", ("gout",)), trust=Trust.FULL)
    opened.build(Facts("brain", ("stroke",)), trust=Trust.FULL)
    return opened


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    folder = tmp_path / "batch"
    texts = [*FACTS.values(), "Migraine is prevented with propranolol daily."]
    asked = [Question(stem=f"Patient {n} of the ward asks. What next?", key=f"q{n}") for n in range(len(texts))]
    traces = [
        Trace(question_id=question.id, model="m", arm=arm, text=text)
        for arm in ("base", "student")
        for question, text in zip(asked, texts, strict=True)
    ]
    write_batch([*asked, *traces], folder)
    return Batch.open([folder])


def coverage(batch: Batch, index: Index, *names: str) -> Any:
    checker = calibrated(SaysTheSame())
    return asyncio.run(reference_coverage(batch, Finder(index, names), checker, AlwaysRelevant()))


def test_coverage_stands_beside_its_nulls_by_arm_and_source(batch: Batch, index: Index) -> None:
    one, both = coverage(batch, index, "joints"), coverage(batch, index)
    rows = {row.name: row for row in both.rows}
    assert set(rows) == {"all", "arm base", "arm student", "source joints", "source brain"}
    assert (one.rows[0].decided, rows["all"].decided) == pytest.approx((1 / 3, 2 / 3))
    assert rows["source joints"].decided == pytest.approx(1 / 3)
    assert rows["all"].swapped < rows["all"].decided
    assert all(r.above_null == pytest.approx(r.decided - max(r.swapped, r.foreign)) for r in both.rows)
    assert all(row.low <= row.above_null <= row.high for row in both.rows)
    topics = {topic.term: topic for topic in both.missing}
    assert {term: (topics[term].claims, topics[term].questions) for term in topics if "migraine" in term} == {
        "migraine": (2, 1)
    }
    assert not topics["migraine"].is_named, "no passage speaks of it"
    assert not {"gout", "stroke", "colchicine"} & topics.keys(), "what is decided is not missing"


class QuotesPassages:
    """Supports a step that shares words with a passage, by that passage."""

    kind, summary, needs_endpoint = "quotes", "for tests", False

    async def draft(self, case: Case, ask: Ask | None) -> Draft:
        words = set(case.step.lower().split())
        fitting = [p for p in case.passages if len(words & set(p.text.lower().split())) >= 5]
        if not fitting:
            return Draft(label=Label.UNCLEAR)
        quotes = tuple(Quote(evidence_id=p.id, quote=p.text, relation=Relation.SUPPORTS) for p in fitting)
        return Draft(label=Label.SUPPORTED, quotes=quotes)


def judged(batch: Batch, index: Index, *names: str) -> list[Deliberation]:
    panel = Panel(name="p", judges=(JudgeSpec(name="j", judge="quotes"),), resolver=None)
    judge_panel = JudgePanel(
        panel, relevance=AlwaysRelevant(), judges={"j": QuotesPassages()}, checker=calibrated(SaysTheSame())
    )
    graph = build_graph(RunContext(judge_panel, Finder(index, names)))
    traces = [t for t in batch.traces() if t.arm == "base"]
    outputs = [asyncio.run(graph.ainvoke({"trace": t, "question": batch.question(t.question_id)})) for t in traces]
    return [d for output in outputs for d in output["deliberations"]]


def test_the_effect_of_a_source_names_the_step_and_the_passage(batch: Batch, index: Index) -> None:
    effect = source_effect(judged(batch, index, "joints"), judged(batch, index))
    assert effect.steps == 3
    (changed,) = effect.changed
    assert "alteplase" in changed.text
    assert (changed.before, changed.after) == ("abstained", "supported (full)")
    assert changed.passages == ("stroke guide [brain]",)


def test_the_command_wants_one_of_its_two_questions() -> None:
    shown = CliRunner().invoke(app, ["sources"])
    assert shown.exit_code != 0
    assert "--coverage TRACES or --effect" in shown.output + str(shown.stderr)
