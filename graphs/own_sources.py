"""A judge with sources of its own: it is offered passages of these alone, and nobody else is."""

from __future__ import annotations

from collections.abc import Awaitable

from tracejury.agents import Case, JudgeSpec, Opinion, Search, fit_case
from tracejury.graphs.run_context import RunContext
from tracejury.traces import Question, Step


async def own_case(
    run_context: RunContext, case: Case, spec: JudgeSpec, question: Question, step: Step
) -> tuple[Case, tuple[Search, ...]]:
    """Return a judge's case, and the search that found its passages, for the record.

    Args:
        run_context: The run context.
        case: The case that the other judges see.
        spec: The judge; without `sources` the case is its own.
        question: The step's question.
        step: The step.
    """
    if not spec.sources:
        return case, ()
    finding = await run_context.find(question, step, case.claims.claims, spec.sources)
    without = case.model_copy(update={"passages": (), "omitted": ()})
    own = fit_case(without, finding.hits, run_context.panel, run_context.judge_panel.count)
    offered = {passage.id for passage in own.passages}
    hits = tuple(hit for hit in finding.hits if hit.passage.id in offered)
    return own, (Search(query=step.text, hits=hits, withheld=finding.withheld),)


async def with_own_search(own: tuple[Search, ...], asking: Awaitable[Opinion]) -> Opinion:
    """Return the opinion with the search of `own_case` before its own searches."""
    opinion = await asking
    return opinion.model_copy(update={"searches": (*own, *opinion.searches)}) if own else opinion
