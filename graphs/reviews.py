"""What experts say of steps in the viewer's review mode, saved at once, one row an expert and step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from tracejury.graphs.ledger_reading import LedgerReading
from tracejury.graphs.runs import Run
from tracejury.graphs.tables import deliberation, review, tally
from tracejury.traces import ErrorType, Record

Said = Literal["supported", "error", "abstained"]


class Review(Record):
    """One expert on one step."""

    expert: str
    step_id: str
    label: Said | None
    """None: only a note so far."""
    error_type: ErrorType | None = None
    note: str = ""
    saved: str = ""


class SheetStep(NamedTuple):
    """A step that may be drawn for review: what strata are made of, never what an expert sees."""

    step_id: str
    trace_id: str
    arm: str
    outcome: str


class Reviews:
    """Reviews of a ledger."""

    def __init__(self, ledger: LedgerReading) -> None:
        self.engine = ledger.engine

    def save(self, run: Run, made: Review) -> None:
        """Write a review down, in place of the same expert's earlier one of the step."""
        values = made.model_dump(mode="json") | {"run_id": run.id, "saved": datetime.now(UTC).isoformat()}
        dialect: Any = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        put = dialect.insert(review).values(values)
        changed = {name: put.excluded[name] for name in ("label", "error_type", "note", "saved")}
        with self.engine.connect().execution_options(write=True) as connection, connection.begin():
            connection.execute(put.on_conflict_do_update(index_elements=["run_id", "expert", "step_id"], set_=changed))

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

    def candidates(self, run: Run, outcomes: Sequence[str], per_stratum: int) -> list[SheetStep]:
        """Return at most so many steps of every arm and outcome, by the order of their content-named ids.

        An id is a hash, so its order is a random one that any machine repeats.
        """
        d, t = deliberation.c, tally.c
        made: list[SheetStep] = []
        with self.engine.connect() as connection:
            arms = (
                connection.execute(select(t.arm).distinct().where(t.run_id == run.id).order_by(t.arm)).scalars().all()
            )
            for arm in arms:
                for outcome in outcomes:
                    query = (
                        select(d.step_id, d.trace_id, t.arm, d.outcome)
                        .join(tally, (t.run_id == d.run_id) & (t.trace_id == d.trace_id))
                        .where(d.run_id == run.id, d.outcome == outcome, t.arm == arm)
                        .order_by(d.step_id)
                        .limit(per_stratum)
                    )
                    made += [SheetStep(*row) for row in connection.execute(query)]
        return made
