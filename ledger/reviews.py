"""Experts' reviews from the viewer's review mode, one row per expert and step."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from tracejury.agents import Outcome
from tracejury.ledger.reader import LedgerReading
from tracejury.ledger.runs import Run
from tracejury.ledger.tables import deliberation_table, review, review_sheet, tally
from tracejury.storage import insert_new
from tracejury.traces import ErrorType, Record

ReviewLabel = Literal["supported", "error", "unclear", "no claim"]
ReviewRelation = Literal["supports", "contradicts", "does not decide"]


class Review(Record):
    """One expert's review of one step."""

    expert: str
    step_id: str
    label: ReviewLabel | None
    """None: only a note so far."""
    error_type: ErrorType | None = None
    relation: ReviewRelation | None = None
    """In which relation the quote on the sheet stands to the claim; None: not said, or the sheet has no quote."""
    note: str = ""
    saved: str = ""


class VerdictCounts(NamedTuple):
    """How many steps of a trace may be sampled for review, by outcome. Used to form strata; experts never see it."""

    trace_id: str
    question_id: str
    arm: str
    supported: int
    error: int
    abstained: int


class Reviews:
    """Reviews of a ledger."""

    def __init__(self, ledger: LedgerReading) -> None:
        self.engine = ledger.engine
        self._dialect: Any = postgresql if self.engine.dialect.name == "postgresql" else sqlite

    def save(self, run: Run, new_review: Review) -> None:
        """Save a review, in place of the same expert's earlier review of the step."""
        values = new_review.model_dump(mode="json") | {"run_id": run.id, "saved": datetime.now(UTC).isoformat()}
        statement = self._dialect.insert(review).values(values)
        changed = {name: statement.excluded[name] for name in ("label", "error_type", "relation", "note", "saved")}
        with self.engine.connect().execution_options(write=True) as connection, connection.begin():
            connection.execute(
                statement.on_conflict_do_update(index_elements=["run_id", "expert", "step_id"], set_=changed)
            )

    def of(self, run: Run, expert: str | None = None) -> list[Review]:
        """Return the reviews of one expert, or of all, in the order of experts and steps."""
        c = review.c
        query = select(review).where(c.run_id == run.id).order_by(c.expert, c.step_id)
        if expert is not None:
            query = query.where(c.expert == expert)
        with self.engine.connect() as connection:
            return [
                Review.model_validate({name: value for name, value in row._mapping.items() if name != "run_id"})
                for row in connection.execute(query)
            ]

    def experts(self, run: Run) -> dict[str, int]:
        """Return expert -> number of steps labelled."""
        c = review.c
        query = select(c.expert, func.count(c.label)).where(c.run_id == run.id).group_by(c.expert).order_by(c.expert)
        with self.engine.connect() as connection:
            return {expert: n for expert, n in connection.execute(query)}

    def sampling_counts(self, run: Run) -> list[VerdictCounts]:
        """Return how many steps of each trace may be sampled; steps without a claim are not counted."""
        c = tally.c
        query = select(c.trace_id, c.question_id, c.arm, c.supported, c.error, c.abstained).where(c.run_id == run.id)
        with self.engine.connect() as connection:
            return [VerdictCounts(*row) for row in connection.execute(query)]

    def steps_of(self, run: Run, trace_ids: Collection[str]) -> dict[tuple[str, Outcome], list[str]]:
        """Return (trace, outcome) -> ids of its steps with a claim, in the order of the trace."""
        d = deliberation_table.c
        query = select(d.trace_id, d.outcome, d.step_id).where(d.run_id == run.id, d.claim).order_by(d.step_index)
        step_ids: dict[tuple[str, Outcome], list[str]] = {}
        with self.engine.connect() as connection:
            for row in connection.execute(query.where(d.trace_id.in_(trace_ids))):
                step_ids.setdefault((row.trace_id, Outcome(row.outcome)), []).append(row.step_id)
        return step_ids

    def sheet(self, run: Run) -> str | None:
        """Return the stored review sheet of the run, as JSON text."""
        with self.engine.connect() as connection:
            body = connection.scalar(select(review_sheet.c.body).where(review_sheet.c.run_id == run.id))
        return None if body is None else str(body)

    def keep_sheet(self, run: Run, body: str) -> str:
        """Store a sheet unless the run has one; return the stored sheet."""
        statement = insert_new(self.engine.dialect.name, review_sheet).values(run_id=run.id, body=body)
        with self.engine.connect().execution_options(write=True) as connection, connection.begin():
            connection.execute(statement)
        return self.sheet(run) or body
