"""The reading screen: a trace's steps left, one deliberation right, and where the keys lead to within a filter."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, NamedTuple

from tracejury.agents import Citation, Deliberation, evidence_of_claims
from tracejury.console.viewer.evidence import anchor, exhibits
from tracejury.console.viewer.filter_words import step_filter_words, trace_filter_words
from tracejury.console.viewer.following import Target, asks_for_steps, filter_query, fitting_steps, traces_around
from tracejury.console.viewer.ledger_view import LedgerView
from tracejury.console.viewer.prompts import prompts_of
from tracejury.console.viewer.rendering import place
from tracejury.console.viewer.route import diagram
from tracejury.console.viewer.transcript import kind, transcript
from tracejury.ledger import Run, StepFilter, StepKey, TraceFilter


class Way(NamedTuple):
    """Where a reader came from, and where the keys lead to."""

    list_path: str
    """The list that `u` leads back to."""
    list_name: str
    query: dict[str, object]
    """The filter, as an address carries it."""
    words: list[str]
    """The filter in words."""
    fitting: set[int]
    """Places of the trace's steps that the filter is about."""
    before: Target | None
    after: Target | None
    backward: Target | None
    forward: Target | None


def reading(
    view: LedgerView, run: Run, trace_id: str, number: int | None, filters: TraceFilter | StepFilter
) -> dict[str, Any]:
    """Return what the reading screen shows of a trace and one of its steps.

    Args:
        view: The ledger.
        run: The run.
        trace_id: The trace.
        number: The step, from 1; None: the first that is worth reading.
        filters: Of the list of traces or of the list of steps from which the reader came.

    Raises:
        LookupError: The step has no deliberation yet.
    """
    trace, question = view.ledger.trace(run, trace_id)
    siblings = view.traces.siblings(run, question.id)
    deliberations = view.ledger.deliberations(run, trace_id)
    by_index = {d.step.index: d for d in deliberations}
    of_steps = isinstance(filters, StepFilter)
    fitting = (
        view.step_lists.in_trace(run, filters, trace_id)
        if isinstance(filters, StepFilter)
        else fitting_steps(deliberations, filters)
    )
    if number is None:
        prefers_errors = not of_steps and not asks_for_steps(filters)  # type: ignore[arg-type]
        errors = [d.step.index for d in deliberations if kind(d) == "error"] if prefers_errors else []
        index = next(iter([*errors, *fitting, *by_index]), None)
    else:
        index = number - 1
        if index not in by_index:
            raise LookupError(f"step {number} of this trace has no deliberation yet")
    if isinstance(filters, StepFilter):
        way = _way_of_steps(view, run, trace_id, index, filters, fitting)
    else:
        way = _way_of_traces(view, run, trace_id, index, filters, fitting)
    steps = next((s.steps for s in siblings if s.trace_id == trace_id), len(deliberations))
    kinds = {d.step.index: kind(d) for d in deliberations}
    parts = {"deliberation": None, "note": None} if index is None else step_parts(view, run, by_index[index])
    return {
        "trace": trace, "question": question, "siblings": siblings, "steps": steps, "kinds": kinds, "way": way,
        "trace_parts": transcript(trace, deliberations), "counts": Counter(kinds.values()),
        "missing": steps - len(deliberations), **parts,
    }  # fmt: skip


def step_parts(view: LedgerView, run: Run, deliberation: Deliberation) -> dict[str, Any]:
    """Return what a page shows of one deliberation."""
    blocks = exhibits(deliberation)
    by_claim: dict[str, list[tuple[str, Citation]]] = defaultdict(list)
    for judge, of in [(o.judge, o) for o in deliberation.opinions] + [("resolver", deliberation.resolution)]:
        for citation in of.citations if of else ():
            by_claim[citation.claim or ""].append((judge, citation))
    return {
        "deliberation": deliberation,
        "kind": kind(deliberation),
        "exhibits": blocks,
        "carrying": {c.evidence_id for c in deliberation.verdict.citations},
        "anchors": {e.id: anchor(e.id) for e in blocks},
        "route": diagram(deliberation.path),
        "prompts": prompts_of(view.ledger, deliberation),
        "note": view.notes.of(run, deliberation.step.id),
        "by_claim": by_claim,
        "claims": evidence_of_claims(deliberation.case.claims, deliberation.opinions, deliberation.resolution)
        if deliberation.case
        else (),
    }


def _way_of_traces(
    view: LedgerView, run: Run, trace_id: str, index: int | None, filters: TraceFilter, fitting: list[int]
) -> Way:
    before, after = traces_around(view, run, trace_id, filters)
    at = -1 if index is None else index
    query = filter_query(filters)
    return Way(
        f"{place(run)}/traces",
        "Traces",
        query,
        trace_filter_words(query),
        set(fitting),
        before,
        after,
        next((Target(trace_id, i + 1, filters.page) for i in reversed(fitting) if i < at), before),
        next((Target(trace_id, i + 1, filters.page) for i in fitting if i > at), after),
    )


def _way_of_steps(
    view: LedgerView, run: Run, trace_id: str, index: int | None, filters: StepFilter, fitting: list[int]
) -> Way:
    around = view.step_lists.around(run, filters, StepKey(trace_id, -1 if index is None else index))
    backward, forward = (Target(k.trace_id, k.step_index + 1, filters.page) if k else None for k in around)
    query = step_query(filters)
    before, after = (t if t and t.trace != trace_id else None for t in (backward, forward))
    return Way(
        f"{place(run)}/steps",
        "Steps",
        query | {"list": "steps"},
        step_filter_words(query),
        set(fitting),
        before,
        after,
        backward,
        forward,
    )


def step_query(filters: StepFilter) -> dict[str, object]:
    """Return the parameters that a filter of steps sets, as an address carries them."""
    query = {name: value for name, value in filters.model_dump(mode="json").items() if value}
    return {n: 1 if v is True else v for n, v in query.items() if (n, v) != ("page", 1)}
