"""What a person browses below the traces: steps by how the judges voted, and by the references that carried them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, select, tuple_

from tracejury.agents import Deliberation, Outcome
from tracejury.ledger.failure_counts import FailureCounts, count_failure
from tracejury.ledger.reader import LedgerReading
from tracejury.ledger.runs import Run
from tracejury.ledger.stored_records import read_stored
from tracejury.ledger.tables import carried, deliberation_table, evidence, trace_table
from tracejury.ledger.votes import FAILED, Vote, read_votes
from tracejury.retrieval import Passage

PAGE = 20
FAILURES_READ = 1000
"""A page must not parse a million deliberations: `summary` counts all failures."""


class VotePattern(NamedTuple):
    """How often the judges voted in this way, with this outcome and human label."""

    text: str
    votes: tuple[Vote, ...]
    outcome: str
    label: str | None
    steps: int


class CitedEvidence(NamedTuple):
    """Evidence that carried verdicts."""

    id: str
    source: str
    citation: str
    supported: int
    error: int
    passage: Passage | None = None


class StepLine(NamedTuple):
    """A step in a list, with its whole deliberation."""

    arm: str
    model: str
    deliberation: Deliberation


class StepBrowsing:
    """Pages of steps."""

    def __init__(self, ledger: LedgerReading) -> None:
        self.engine = ledger.engine

    def patterns(self, run: Run) -> list[VotePattern]:
        """Count the patterns of votes, the most frequent first. There are few, whatever the number of steps."""
        d = deliberation_table.c
        keys = (d.votes, d.outcome, d.label)
        query = select(*keys, func.count().label("n")).where(d.run_id == run.id).group_by(*keys)
        with self.engine.connect() as connection:
            rows = connection.execute(query).all()
        patterns = [VotePattern(r.votes, read_votes(r.votes), r.outcome, r.label, r.n) for r in rows]
        return sorted(patterns, key=lambda p: (-p.steps, p.text))

    def with_votes(self, run: Run, votes: Sequence[str], page: int = 1) -> list[StepLine]:
        """Return one page of the steps whose votes are one of these patterns."""
        d = deliberation_table.c
        # Only the index is read here; the bodies of one page follow.
        chosen = (
            select(d.step_id)
            .where(d.run_id == run.id, d.votes.in_(votes))
            .order_by(d.votes, d.outcome, d.label, d.step_id)
            .offset(PAGE * (max(page, 1) - 1))
            .limit(PAGE)
        )
        with self.engine.connect() as connection:
            keys = connection.scalars(chosen).all()
        return self.lines(run, keys)

    def carried_by(self, run: Run, evidence_id: str, page: int = 1) -> list[StepLine]:
        """Return one page of the steps whose verdict rests on this evidence, errors first."""
        c = carried.c
        chosen = (
            select(c.step_id)
            .where(c.run_id == run.id, c.evidence_id == evidence_id)
            .order_by(c.outcome, c.step_id)
            .offset(PAGE * (max(page, 1) - 1))
            .limit(PAGE)
        )
        with self.engine.connect() as connection:
            keys = connection.scalars(chosen).all()
        return self.lines(run, keys)

    def references(self, run: Run) -> list[CitedEvidence]:
        """Return the evidence that carried verdicts, the most used first."""
        c, e = carried.c, evidence.c

        def count(outcome: Outcome) -> Any:
            return func.sum(case((c.outcome == outcome.value, 1), else_=0))

        counted = (
            select(c.evidence_id, count(Outcome.SUPPORTED).label("supported"), count(Outcome.ERROR).label("error"))
            .where(c.run_id == run.id)
            .group_by(c.evidence_id)
            .subquery()
        )
        query = (
            select(counted, e.source, e.citation)
            .join(evidence, and_(e.run_id == run.id, e.id == counted.c.evidence_id))
            .order_by((counted.c.supported + counted.c.error).desc(), counted.c.evidence_id)
        )
        with self.engine.connect() as connection:
            return [
                CitedEvidence(r.evidence_id, r.source, r.citation, int(r.supported), int(r.error))
                for r in connection.execute(query)
            ]

    def reference(self, run: Run, evidence_id: str) -> CitedEvidence | None:
        """Return one reference with its passage; None: it carried no verdict of this run."""
        c = carried.c
        mine = and_(c.run_id == run.id, c.evidence_id == evidence_id)
        outcome_counts = select(c.outcome, func.count()).where(mine).group_by(c.outcome)
        query = select(evidence).where(evidence.c.run_id == run.id, evidence.c.id == evidence_id)
        with self.engine.connect() as connection:
            row = connection.execute(query).one_or_none()
            counts = {outcome: int(n) for outcome, n in connection.execute(outcome_counts)}
        if row is None:
            return None
        passage = Passage.model_validate_json(row.body) if row.body else None
        return CitedEvidence(
            evidence_id, row.source, row.citation, counts.get("supported", 0), counts.get("error", 0), passage
        )

    def failures(self, run: Run) -> FailureCounts:
        """Count failed opinions by reason, in at most `FAILURES_READ` steps with one."""
        d = deliberation_table.c
        query = select(d.step_id, d.body).where(d.run_id == run.id, d.votes.contains(f":{FAILED}"))
        counts: FailureCounts = {}
        with self.engine.connect() as connection:
            for row in connection.execute(query.limit(FAILURES_READ)):
                deliberation = read_stored(Deliberation, row.body, f"step {row.step_id}")
                for opinion in deliberation.opinions if deliberation is not None else ():
                    if opinion.failed is not None:
                        count_failure(counts, opinion.failed.value, opinion.failure)
        return counts

    def deliberation(self, run: Run, trace_id: str, step_index: int) -> Deliberation | None:
        """Return the deliberation of one step, or None."""
        d = deliberation_table.c
        query = select(d.body).where(d.run_id == run.id, d.trace_id == trace_id, d.step_index == step_index)
        with self.engine.connect() as connection:
            body = connection.execute(query).scalar()
        return read_stored(Deliberation, body, f"step {step_index} of trace {trace_id}") if body else None

    def by_id(self, run: Run, step_id: str) -> Deliberation | None:
        """Return the deliberation of the step of this id, or None."""
        lines = self.lines(run, [step_id])
        return lines[0].deliberation if lines else None

    def lines(self, run: Run, step_ids: Sequence[str]) -> list[StepLine]:
        """Read the deliberations of the steps of these ids, in this order."""
        lines = {
            line.deliberation.step.id: line for line in self._read(run, deliberation_table.c.step_id.in_(step_ids))
        }
        return [lines[step_id] for step_id in step_ids if step_id in lines]

    def at(self, run: Run, keys: Sequence[tuple[str, int]]) -> list[StepLine]:
        """Read the deliberations at these places, (trace id, index from 0), in this order."""
        d = deliberation_table.c
        traces, places = {trace_id for trace_id, _ in keys}, {index for _, index in keys}
        # SQLite looks up the columns of an index one by one, and not pairs of them.
        looked_up = and_(d.trace_id.in_(traces), d.step_index.in_(places))
        read = self._read(run, and_(looked_up, tuple_(d.trace_id, d.step_index).in_(keys)))
        lines = {(line.deliberation.step.trace_id, line.deliberation.step.index): line for line in read}
        return [lines[key] for key in keys if key in lines]

    def _read(self, run: Run, condition: ColumnElement[bool]) -> list[StepLine]:
        d, t = deliberation_table.c, trace_table.c
        query = (
            select(d.step_id, d.body, t.arm, t.model)
            .join(trace_table, and_(t.run_id == d.run_id, t.id == d.trace_id))
            .where(d.run_id == run.id, condition)
        )
        with self.engine.connect() as connection:
            rows = connection.execute(query).all()
        read = ((row, read_stored(Deliberation, row.body, f"step {row.step_id}")) for row in rows)
        return [StepLine(row.arm, row.model, deliberation) for row, deliberation in read if deliberation is not None]
