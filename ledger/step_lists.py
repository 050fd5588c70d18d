"""Lists of a run's steps: filtered, searched, page by page, and the steps before and after one.

The index of steps gives the numbers of the steps that pass a filter in their order, so a page costs no more than what
it shows; bodies are read for the steps of one page. Counting stops at `COUNTED`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from pydantic import Field
from sqlalchemy import Connection, func, select

from tracejury.agents import Grade, Outcome, Reason
from tracejury.ledger.browsing_steps import StepBrowsing, StepLine
from tracejury.ledger.reader import LedgerReading
from tracejury.ledger.runs import Run
from tracejury.ledger.tables import tally
from tracejury.ledger.word_index import STEPS_A_TRACE, facet, steps_matching, vote_facet
from tracejury.traces import ErrorType, Record

PAGE = 20
COUNTED = 1_000
"""Hits are counted up to here; a list of more says `more than 1,000`."""

JudgeLabel = Literal["supported", "error", "unclear", "no_claim", "failed", "against"]


class StepFilter(Record):
    """Which steps to show. Conditions are joined by `and`."""

    words: str = ""
    """All must occur in the step."""
    arm: str | None = None
    model: str | None = None
    outcome: Outcome | Literal["no_claim"] | None = None
    error_type: ErrorType | None = None
    reason: Reason | None = None
    grade: Grade | None = None
    judge: str | None = None
    """This judge gave `label`, or any label."""
    label: JudgeLabel | None = None
    """`against`: a verdict that the judge's label is not. Without `judge`: any judge."""
    disagreement: bool = False
    resolver: bool = False
    page: int = Field(default=1, ge=1, lt=2**31)


class StepKey(NamedTuple):
    """Where a step stands: its trace, and its place in the trace, from 0."""

    trace_id: str
    step_index: int


class StepPage(NamedTuple):
    """One page of a list of steps."""

    lines: list[StepLine]
    total: int
    """At most `COUNTED` + 1, which stands for more."""
    page: int
    more: bool
    """There is a page after this one."""


class StepLists:
    """Lists of steps of a ledger, in the order in which the run's traces were read."""

    def __init__(self, ledger: LedgerReading) -> None:
        self.engine = ledger.engine
        self._steps = StepBrowsing(ledger)

    def page(self, run: Run, step_filter: StepFilter) -> StepPage:
        """Return one page of the run's steps that pass the filter."""
        before = PAGE * (step_filter.page - 1)
        with self.engine.connect() as connection:
            matching = steps_matching(connection, _facets(run, step_filter), step_filter.words)
            if matching is None:
                return StepPage([], 0, step_filter.page, False)
            n = matching.selected_columns.n
            numbers = connection.scalars(matching.order_by(n).offset(before).limit(PAGE + 1)).all()
            total = before + len(numbers)
            if len(numbers) > PAGE or not numbers:
                capped = matching.order_by(n).limit(COUNTED + 1).subquery()
                total = connection.scalar(select(func.count()).select_from(capped)) or 0
            keys = _keys(connection, numbers[:PAGE])
        return StepPage(self._steps.at(run, keys), total, step_filter.page, len(numbers) > PAGE)

    def around(self, run: Run, step_filter: StepFilter, key: StepKey) -> tuple[StepKey | None, StepKey | None]:
        """Return the steps before and after one in the list."""
        with self.engine.connect() as connection:
            matching = steps_matching(connection, _facets(run, step_filter), step_filter.words)
            if matching is None:
                return None, None
            n, here = matching.selected_columns.n, _first_step(connection, run, key.trace_id) + key.step_index
            before = connection.scalars(matching.where(n < here).order_by(n.desc()).limit(1)).all()
            after = connection.scalars(matching.where(n > here).order_by(n).limit(1)).all()
            earlier, later = _keys(connection, before), _keys(connection, after)
        return next(iter(earlier), None), next(iter(later), None)

    def in_trace(self, run: Run, step_filter: StepFilter, trace_id: str) -> list[int]:
        """Return the places of a trace's steps that pass the filter."""
        with self.engine.connect() as connection:
            matching = steps_matching(connection, _facets(run, step_filter), step_filter.words)
            if matching is None:
                return []
            n, first = matching.selected_columns.n, _first_step(connection, run, trace_id)
            mine = matching.where(n.between(first, first + STEPS_A_TRACE - 1)).order_by(n)
            return [number - first for number in connection.scalars(mine)]


def _facets(run: Run, step_filter: StepFilter) -> list[str]:
    """Return the terms that a step must have."""
    names = ("arm", "model", "outcome", "error_type", "reason", "grade")
    facets = [facet("run", run.id)]
    facets += [facet(name, value) for name in names if (value := getattr(step_filter, name)) is not None]
    facets += [facet(name, "yes") for name in ("disagreement", "resolver") if getattr(step_filter, name)]
    if step_filter.judge is not None or step_filter.label is not None:
        facets.append(vote_facet(step_filter.judge, step_filter.label))
    return facets


def _first_step(connection: Connection, run: Run, trace_id: str) -> int:
    """Return the number of a trace's first step."""
    query = select(tally.c.n).where(tally.c.run_id == run.id, tally.c.trace_id == trace_id)
    return int(connection.execute(query).scalar_one()) * STEPS_A_TRACE


def _keys(connection: Connection, numbers: Sequence[int]) -> list[StepKey]:
    """Return where steps stand by their numbers."""
    traces = {n // STEPS_A_TRACE for n in numbers}
    query = select(tally.c.n, tally.c.trace_id).where(tally.c.n.in_(traces))
    trace_ids = {n: trace_id for n, trace_id in connection.execute(query)}
    return [StepKey(trace_ids[n // STEPS_A_TRACE], n % STEPS_A_TRACE) for n in numbers]
