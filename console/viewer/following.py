"""Going through what a filter of the list of traces lets pass: the steps that fit, and the traces before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tracejury.agents import Deliberation, Seat
from tracejury.console.viewer.ledger_view import LedgerView
from tracejury.console.viewer.transcript import kind
from tracejury.ledger import Run, TraceFilter


class Target(NamedTuple):
    """Where a key leads to: a trace, one of its steps (counted from 1), the page of the list on which it stands."""

    trace: str
    step: int | None = None
    page: int | None = None


def filter_query(filters: TraceFilter) -> dict[str, object]:
    """Return the parameters that a filter sets, as an address carries them."""
    query = {name: value for name, value in filters.model_dump(mode="json").items() if value}
    defaults = {"sort": "order", "page": 1}
    return {n: 1 if v is True else v for n, v in query.items() if defaults.get(n) != v}


def fitting_steps(deliberations: Sequence[Deliberation], filters: TraceFilter) -> list[int]:
    """Return the indices of the steps that the filter is about; of all of them where it is about whole traces."""
    return sorted(d.step.index for d in deliberations if _fits(d, filters))


def asks_for_steps(filters: TraceFilter) -> bool:
    """Return whether the filter says what a step must be like."""
    by_value = filters.outcome not in (None, "none") or filters.error_type or filters.reason
    return bool(by_value or filters.disagreement or filters.resolver or filters.flawed)


def traces_around(
    view: LedgerView, run: Run, trace_id: str, filters: TraceFilter
) -> tuple[Target | None, Target | None]:
    """Return the traces before and after one, in the order and within the bounds of the filter."""
    if filter_query(filters):
        listed = view.listed(run, filters)
        ids = [line.trace_id for line in listed.lines]
        if trace_id in ids:
            at = ids.index(trace_id)
            before = Target(ids[at - 1], None, listed.page) if at else _edge(view, run, filters, listed.page - 1, -1)
            after = (
                Target(ids[at + 1], None, listed.page)
                if at + 1 < len(ids)
                else _edge(view, run, filters, listed.page + 1, 0, listed.pages)
            )
            return before, after
    earlier, later = view.traces.neighbours(run, trace_id)
    return (Target(earlier) if earlier else None, Target(later) if later else None)


def _edge(
    view: LedgerView, run: Run, filters: TraceFilter, page: int, at: int, pages: int | None = None
) -> Target | None:
    if page < 1 or (pages is not None and page > pages):
        return None
    lines = view.listed(run, filters.model_copy(update={"page": page})).lines
    return Target(lines[at].trace_id, None, page) if lines else None


def _fits(d: Deliberation, filters: TraceFilter) -> bool:
    labels = {o.label for o in d.opinions if o.label is not None and o.seat is Seat.VOTE}
    return (
        (filters.outcome in (None, "none") or kind(d) == str(filters.outcome))
        and (filters.error_type is None or d.verdict.error_type == filters.error_type)
        and (filters.reason is None or d.verdict.reason == filters.reason)
        and (not filters.disagreement or len(labels) > 1)
        and (not filters.resolver or d.resolution is not None)
        and (not filters.flawed or kind(d) == "error")
    )
