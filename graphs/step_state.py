"""The state of the step graph: what goes in, what its nodes add, and the deliberation that it ends as."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from tracejury.agents import (
    Case,
    Deliberation,
    Dispute,
    JudgeSpec,
    Opinion,
    Resolution,
    Retrieved,
    SearchHistory,
    StepKey,
    Verdict,
)
from tracejury.models import CallRecord, FailureReason
from tracejury.retrieval import Hit, Withheld
from tracejury.traces import Question, Step, Trace


class StepInput(TypedDict):
    """The input of the step graph."""

    step: Step
    steps: tuple[Step, ...]
    """All steps of the trace."""
    trace: Trace
    question: Question


class StepOutput(TypedDict, total=False):
    """What the nodes of a step add. All of it is output, because LangGraph streams no other key of a subgraph.

    Records are immutable; a node returns the keys that it changes.
    """

    hits: tuple[Hit, ...]
    """The passages found for the step, best first."""
    withheld: tuple[Withheld, ...]
    """Passages that would give the benchmark's question away, from `retrieve` and `search`."""
    case: Case
    """With the step's claims from `claims` on."""
    drafts: Annotated[tuple[Opinion, ...], operator.add]
    """The judges' opinions before their citations are checked, in the order of arrival."""
    opinions: tuple[Opinion, ...]
    """The opinions with checked citations, in the panel's order."""
    evidence_calls: Annotated[tuple[CallRecord, ...], operator.add]
    """The model calls that cut the claims and checked the citations."""
    check_failure: FailureReason
    """Why the checker gave no answer on some citations, which count for nothing then."""
    dispute: Dispute
    queries: tuple[str, ...]
    """The resolver's queries for the next search."""
    searches: SearchHistory
    """All of the resolver's queries so far, with their hits."""
    resolution: Resolution
    verdict: Verdict
    path: tuple[str, ...]
    """The nodes that ran, in order."""
    deliberations: list[Deliberation]
    """One deliberation; none where the run stopped before the step."""


class StepState(StepInput, StepOutput, total=False):
    """The state of one step."""


class JudgeInput(TypedDict):
    """The input of one `judge` task."""

    case: Case
    judge: JudgeSpec
    key: NotRequired[StepKey]
    question: NotRequired[Question]
    step: NotRequired[Step]
    """Question and step stand here for a judge with `search` or `sources`: the guard against leaks needs them, the
    judge does not see them."""


def public_key(state: StepState) -> StepKey:
    """Return the public names of the state's step, by which recorded opinions are found."""
    question, trace, step = state["question"], state["trace"], state["step"]
    names = tuple(name for name in (question.key, question.id) if name)
    return StepKey(step.id, names, trace.arm, trace.sample, step.index, step.text)


def deliberation_of(
    state: StepState, verdict: Verdict, judges: Sequence[JudgeSpec], path: tuple[str, ...]
) -> Deliberation:
    """Return the deliberation of a step that has its verdict."""
    case, opinions = state["case"], state.get("opinions", ())
    in_case = {passage.id for passage in case.passages}
    answered = {opinion.judge for opinion in opinions}
    return Deliberation(
        step=state["step"],
        case=case,
        retrieved=tuple(
            Retrieved(
                passage_id=hit.passage.id,
                query=hit.query,
                score=hit.score,
                ranks=hit.ranks,
                claims=hit.claims,
                is_later=hit.is_later,
            )
            for hit in state["hits"]
            if hit.passage.id in in_case
        ),
        withheld=(*state["withheld"], *(w for o in opinions for search in o.searches for w in search.withheld)),
        opinions=opinions,
        unasked=tuple(spec.name for spec in judges if spec.name not in answered) if opinions else (),
        evidence_calls=state.get("evidence_calls", ()),
        resolution=state.get("resolution"),
        verdict=verdict,
        path=("segment", *path),
    )


def failures_of(state: StepState) -> list[FailureReason | None]:
    """Return why parts of a step had no answer."""
    failures = [state.get("check_failure"), *(opinion.failed for opinion in state.get("opinions", ()))]
    if resolution := state.get("resolution"):
        failures.append(resolution.failed)
    return failures
