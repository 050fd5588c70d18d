"""Lists of a run's steps: filtered, searched, page by page, and the steps before and after one.

A page is found in one index that covers every column that filters, in the order of the list; bodies are read for the
steps of one page. Counting stops at `COUNTED`, so that the cost of a page does not grow with the number of hits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from pydantic import Field
from sqlalchemy import ColumnElement, and_, false, func, or_, select, text, tuple_

from tracejury.agents import Grade, Outcome, Reason
from tracejury.ledger.browsing_steps import StepBrowsing, StepLine, VotePattern
from tracejury.ledger.reader import LedgerReading
from tracejury.ledger.runs import Run
from tracejury.ledger.tables import deliberation_table, tally
from tracejury.ledger.trace_statistics import STEPS_A_TRACE, matches_steps
from tracejury.traces import ErrorType, Record

PAGE = 20
COUNTED = 1_000
"""Hits are counted up to here; a list of more says `more than 1,000`."""

_IN_HITS = (
    "(deliberation.trace_id, deliberation.step_index) IN (WITH hits(n) AS ({hits})"
    " SELECT t.trace_id, hits.n % {steps} FROM hits JOIN tally t ON t.n = hits.n / {steps} WHERE t.run_id = :in_run)"
)

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
    """Lists of steps of a ledger."""

    def __init__(self, ledger: LedgerReading) -> None:
        self.engine = ledger.engine
        self._steps = StepBrowsing(ledger)

    def page(self, run: Run, step_filter: StepFilter, patterns: Sequence[VotePattern]) -> StepPage:
        """Return one page of the run's steps that pass the filter, trace by trace.

        Args:
            run: The run.
            step_filter: The conditions, and the page.
            patterns: The run's patterns of votes, which tell how a judge voted.
        """
        d = deliberation_table.c
        condition, values = self._condition(run, step_filter, patterns)
        chosen = select(d.step_id).where(condition).order_by(d.trace_id, d.step_index)
        capped = select(d.step_id).where(condition).limit(COUNTED + 1).subquery()
        with self.engine.connect() as connection:
            ids = connection.scalars(chosen.offset(PAGE * (step_filter.page - 1)).limit(PAGE + 1), values).all()
            total = (step_filter.page - 1) * PAGE + len(ids)
            if len(ids) > PAGE or not ids:
                total = connection.execute(select(func.count()).select_from(capped), values).scalar_one()
        lines = self._steps.lines(run, ids[:PAGE])
        return StepPage(lines, total, step_filter.page, len(ids) > PAGE)

    def around(
        self, run: Run, step_filter: StepFilter, patterns: Sequence[VotePattern], key: StepKey
    ) -> tuple[StepKey | None, StepKey | None]:
        """Return the steps before and after one in the list."""
        d = deliberation_table.c
        condition, values = self._condition(run, step_filter, patterns)
        place, here = tuple_(d.trace_id, d.step_index), tuple_(key.trace_id, key.step_index)
        columns = select(d.trace_id, d.step_index).where(condition)
        before = columns.where(place < here).order_by(d.trace_id.desc(), d.step_index.desc()).limit(1)
        after = columns.where(place > here).order_by(d.trace_id, d.step_index).limit(1)
        with self.engine.connect() as connection:
            rows = [connection.execute(query, values).one_or_none() for query in (before, after)]
        earlier, later = (StepKey(*row) if row else None for row in rows)
        return earlier, later

    def in_trace(self, run: Run, step_filter: StepFilter, patterns: Sequence[VotePattern], trace_id: str) -> list[int]:
        """Return the places of a trace's steps that pass the filter."""
        d = deliberation_table.c
        condition, values = self._condition(run, step_filter, patterns)
        query = select(d.step_index).where(condition, d.trace_id == trace_id).order_by(d.step_index)
        with self.engine.connect() as connection:
            return list(connection.scalars(query, values))

    def _condition(
        self, run: Run, step_filter: StepFilter, patterns: Sequence[VotePattern]
    ) -> tuple[ColumnElement[bool], dict[str, str]]:
        d = deliberation_table.c
        conditions: list[Any] = [d.run_id == run.id]
        values: dict[str, str] = {}
        if step_filter.words.strip():
            word_match = matches_steps(self.engine.dialect.name, step_filter.words.strip())
            if word_match is None:
                return false(), {}
            query, values["words"] = word_match
            values["in_run"] = run.id
            conditions.append(text(_IN_HITS.format(hits=query, steps=STEPS_A_TRACE)))
        if step_filter.arm is not None or step_filter.model is not None:
            t = tally.c
            in_tally = [t.run_id == d.run_id, t.trace_id == d.trace_id]
            in_tally += [t.arm == step_filter.arm] if step_filter.arm is not None else []
            in_tally += [t.model == step_filter.model] if step_filter.model is not None else []
            conditions.append(select(t.n).where(*in_tally).exists())
        if step_filter.outcome == "no_claim":
            conditions.append(~d.claim)
        elif step_filter.outcome is not None:
            conditions += [d.claim, d.outcome == step_filter.outcome]
        for column, value in (
            (d.error_type, step_filter.error_type), (d.reason, step_filter.reason), (d.grade, step_filter.grade),
        ):  # fmt: skip
            if value is not None:
                conditions.append(column == value)
        if step_filter.judge is not None or step_filter.label is not None:
            conditions.append(_votes(step_filter, patterns))
        if step_filter.disagreement:
            conditions.append(d.disagreement)
        if step_filter.resolver:
            conditions.append(d.resolver)
        return and_(*conditions), values


def _votes(step_filter: StepFilter, patterns: Sequence[VotePattern]) -> ColumnElement[bool]:
    """Return the condition that a judge voted so, as the patterns of votes in which it did, by outcome."""
    d = deliberation_table.c
    by_outcome: dict[str, list[str]] = {}
    for pattern in patterns:
        votes = [v for v in pattern.votes if step_filter.judge in (None, v.judge)]
        if any(_gave(v.label, step_filter.label, pattern.outcome) for v in votes):
            by_outcome.setdefault(pattern.outcome, []).append(pattern.text)
    return or_(false(), *(and_(d.outcome == outcome, d.votes.in_(texts)) for outcome, texts in by_outcome.items()))


def _gave(label: str, chosen: str | None, outcome: str) -> bool:
    if chosen == "against":
        return {label, outcome} == {Outcome.SUPPORTED.value, Outcome.ERROR.value}
    return chosen in (None, label)
