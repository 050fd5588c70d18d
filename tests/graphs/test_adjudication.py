"""The graph routes every step through step, policy and resolver, whatever the order of things."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from jury_of_words import STEPS, batch_of, question, run_context_of, trace
from langsmith.utils import get_env_var, tracing_is_enabled

from tracejury.agents import Deliberation, Outcome, Reason, Route
from tracejury.graphs import adjudicate, build_graph
from tracejury.models import TracingOffWarning, untraced


def run(steps: tuple[str, ...], **panel: Any) -> list[Deliberation]:
    graph = build_graph(run_context_of(**panel))
    made = asyncio.run(graph.ainvoke({"question": question(), "trace": trace(steps)}))
    return sorted(made["deliberations"], key=lambda d: d.step.index)


def test_every_step_ends_in_one_outcome_by_its_own_way() -> None:
    supported, error, disputed, silent, failed = run(STEPS)
    assert (supported.verdict.outcome, supported.verdict.reason) == (Outcome.SUPPORTED, Reason.GROUNDED_MAJORITY)
    assert error.verdict.outcome is Outcome.ERROR
    assert error.verdict.citations[0].quote == "a cough for three days"
    # One grounded error against two supporters is not outvoted: the resolver hears it, and has nothing new.
    assert disputed.verdict.outcome is Outcome.ABSTAINED
    assert disputed.verdict.route is Route.RESOLVER
    nodes = ("segment", "retrieve", "claims", "judge", "check", "decide", "resolve", "decide")
    assert disputed.path == nodes
    assert silent.verdict.reason is Reason.EVIDENCE_SILENT
    assert (failed.verdict.outcome, failed.verdict.reason) == (Outcome.FAILED, Reason.ALL_FAILED)
    assert all(len(d.opinions) == 3 for d in (supported, error, disputed, silent, failed))


def test_a_judge_sees_neither_gold_nor_model_nor_arm() -> None:
    for made in run(STEPS):
        seen = made.case.model_dump_json() if made.case else ""
        assert made.case is not None
        assert made.case.gold is None
        assert '"arm"' not in seen
        assert '"model"' not in seen


def test_plain_dictionaries_do_as_input() -> None:
    graph = build_graph(run_context_of())
    asked = {"question": question().model_dump(mode="json"), "trace": trace(STEPS).model_dump(mode="json")}
    made = asyncio.run(graph.ainvoke(asked))  # type: ignore[arg-type]
    assert len(made["deliberations"]) == len(STEPS)


def test_a_trace_without_steps_is_no_error() -> None:
    graph = build_graph(run_context_of())
    made = asyncio.run(graph.ainvoke({"question": question(), "trace": trace(())}))
    assert made["segmentation"].steps == ()
    assert made["deliberations"] == []


def test_settled_steps_are_not_heard_again() -> None:
    graph = build_graph(run_context_of())
    first = asyncio.run(graph.ainvoke({"question": question(), "trace": trace(STEPS)}))
    settled = [d.step.id for d in first["deliberations"] if d.step.index < 3]
    again = asyncio.run(graph.ainvoke({"question": question(), "trace": trace(STEPS), "settled": settled}))
    assert sorted(d.step.index for d in again["deliberations"]) == [3, 4]


def names(made: list[Deliberation]) -> set[tuple[Any, ...]]:
    return {
        (d.step.id, d.verdict.outcome, d.verdict.route, d.verdict.reason, d.verdict.error_type, d.verdict.citations)
        for d in made
    }


@pytest.mark.parametrize("judges", [("three", "one", "two"), ("two", "three", "one")])
def test_the_order_of_judges_and_traces_changes_nothing(judges: tuple[str, ...]) -> None:
    async def all_of(court_names: tuple[str, ...], backwards: bool) -> set[tuple[Any, ...]]:
        graph = build_graph(run_context_of(court_names))
        pairs = batch_of(12)
        found: set[tuple[Any, ...]] = set()
        for asked, taken in reversed(pairs) if backwards else pairs:
            made = await graph.ainvoke({"question": asked, "trace": taken})
            found |= names(made["deliberations"])
        return found

    plain = asyncio.run(all_of(("one", "two", "three"), backwards=False))
    assert asyncio.run(all_of(judges, backwards=True)) == plain
    assert len({outcome for _, outcome, *_ in plain}) == 4


def test_early_stop_spares_a_judge_and_changes_no_outcome() -> None:
    full, early = run(STEPS), run(STEPS, early_stop=True, full_share=0.0)
    assert [(d.verdict.outcome, d.verdict.reason, d.verdict.error_type) for d in full] == [
        (d.verdict.outcome, d.verdict.reason, d.verdict.error_type) for d in early
    ]
    assert early[1].verdict.route is Route.EARLY_STOP
    assert len(early[1].opinions) == 2
    assert len(early[1].unasked) == 1
    assert len(early[0].opinions) == 3


def test_tracing_that_the_environment_asks_for_is_off_in_library_calls_and_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    get_env_var.cache_clear()
    with (
        pytest.warns(TracingOffWarning, match="LANGSMITH_TRACING would send prompts to LangSmith and is off"),
        pytest.raises(ValueError, match="no panel called"),
    ):
        asyncio.run(adjudicate("none.jsonl", "no-such-panel"))

    @untraced
    async def is_traced() -> bool:
        await asyncio.sleep(0)
        return tracing_is_enabled() is True

    with pytest.warns(TracingOffWarning):
        assert not asyncio.run(is_traced())
    # The program that calls may trace its own work.
    assert tracing_is_enabled()
    monkeypatch.setenv("TRACEJURY_LANGSMITH", "1")
    assert asyncio.run(is_traced())
    get_env_var.cache_clear()
