"""Reading the ledger: runs, traces, deliberations, rows. Streams wherever a run may be large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Engine, case, func, literal_column, or_, select

from tracejury.agents import Deliberation, Outcome, Panel
from tracejury.ledger.rows import StepRow
from tracejury.ledger.runs import Run, RunManifest, RunProgress
from tracejury.ledger.step_rows import empty_row, step_row
from tracejury.ledger.tables import deliberation, question, run, trace
from tracejury.traces import Question, Trace


class UnknownRunError(LookupError):
    """No run has this name or id; the message lists the newest."""


class TraceOutcomes(NamedTuple):
    """A trace of a run, and its steps by outcome."""

    trace_id: str
    question: str
    arm: str
    model: str
    answer: str | None
    gold: str | None
    steps: int
    supported: int
    error: int
    abstained: int
    failed: int


class LedgerReading:
    """What can be read of a ledger."""

    url: str
    engine: Engine

    def runs(self) -> list[Run]:
        """List all runs, newest first."""
        with self.engine.connect() as connection:
            return [run_of(row) for row in connection.execute(select(run).order_by(run.c.created.desc()))]

    def run(self, ref: str = "last") -> Run:
        """Find a run by name, by the beginning of its id, or `last`.

        Raises:
            UnknownRunError: There is none, or more than one id begins so.
        """
        query = select(run).order_by(run.c.created.desc())
        if ref != "last":
            query = query.where(or_(run.c.name == ref, run.c.id.startswith(ref, autoescape=True)))
        with self.engine.connect() as connection:
            rows = connection.execute(query.limit(10)).all()
        exact = [row for row in rows if row.name == ref]
        if exact or (rows and (ref == "last" or len(rows) == 1)):
            return run_of((exact or rows)[0])
        known = ", ".join(r.name for r in self.runs()[:8]) or "none yet; `tracejury adjudicate` makes one"
        what = "more than one run begins with" if rows else "no run called"
        raise UnknownRunError(f"{what} {ref!r} in {self.url}. Runs: {known}")

    def progress(self, found: Run) -> RunProgress:
        """Count what the ledger holds of a run."""
        sums = [deliberation.c[name] for name in ("calls", "prompt_tokens", "cached_tokens", "completion_tokens")]
        sums.append(deliberation.c.cost_usd)
        mine = deliberation.c.run_id == found.id
        with self.engine.connect() as connection:
            spent = connection.execute(select(*(func.coalesce(func.sum(c), 0) for c in sums)).where(mine)).one()
            outcomes = connection.execute(
                select(deliberation.c.outcome, func.count())
                .where(mine, deliberation.c.claim)
                .group_by(deliberation.c.outcome)
            ).all()
            silent = connection.execute(
                select(func.count()).select_from(deliberation).where(mine, ~deliberation.c.claim)
            ).scalar_one()
            # A literal: Postgres takes two parameters of one value for two expressions, and refuses the grouping.
            empty = trace.c.steps == literal_column("0")
            rows = connection.execute(
                select(trace.c.closed, empty, func.count())
                .where(trace.c.run_id == found.id)
                .group_by(trace.c.closed, empty)
            ).all()
        return RunProgress(
            run=found,
            traces=sum(n for _, _, n in rows),
            closed=sum(n for closed, _, n in rows if closed),
            empty=sum(n for _, empty, n in rows if empty),
            outcomes={outcome.value: dict(map(tuple, outcomes)).get(outcome.value, 0) for outcome in Outcome},
            no_claim=silent,
            calls=spent[0],
            prompt_tokens=spent[1],
            cached_tokens=spent[2],
            completion_tokens=spent[3],
            cost_usd=float(spent[4]),
        )

    def rows(self, found: Run, chunk: int = 200) -> Iterator[StepRow]:
        """Stream the run's step rows, trace by trace in the order of their ids; memory holds `chunk` traces."""
        after = ""
        while True:
            with self.engine.connect() as connection:
                traces = connection.execute(
                    select(trace, question.c.body.label("asked"))
                    .join(question, question.c.id == trace.c.question_id)
                    .where(trace.c.run_id == found.id, trace.c.id > after)
                    .order_by(trace.c.id)
                    .limit(chunk)
                ).all()
                if not traces:
                    return
                made = connection.execute(
                    select(deliberation.c.trace_id, deliberation.c.body)
                    .where(deliberation.c.run_id == found.id)
                    .where(deliberation.c.trace_id.between(traces[0].id, traces[-1].id))
                    .order_by(deliberation.c.trace_id, deliberation.c.step_index)
                ).all()
            after = traces[-1].id
            bodies: dict[str, list[str]] = {}
            for row in made:
                bodies.setdefault(row.trace_id, []).append(row.body)
            for row in traces:
                yield from _step_rows(found, row, bodies.get(row.id, []))

    def traces(self, found: Run) -> Iterator[tuple[Trace, Question, int]]:
        """Stream (trace, question, number of steps) of a run."""
        with self.engine.connect() as connection:
            rows = connection.execution_options(yield_per=200).execute(
                select(trace.c.body, trace.c.steps, question.c.body.label("asked"))
                .join(question, question.c.id == trace.c.question_id)
                .where(trace.c.run_id == found.id)
                .order_by(trace.c.id)
            )
            for row in rows:
                yield Trace.model_validate_json(row.body), Question.model_validate_json(row.asked), row.steps

    def trace_id(self, found: Run, ref: str) -> str:
        """Return the full id of the one trace of a run whose id begins with `ref`.

        Raises:
            LookupError: There is none, or more than one.
        """
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(trace.c.id)
                .where(trace.c.run_id == found.id, trace.c.id.startswith(ref, autoescape=True))
                .limit(2)
            ).all()
        if len(rows) != 1:
            what = "more than one trace begins" if rows else "no trace begins"
            raise LookupError(f"{what} with {ref!r} in run {found.name}; `tracejury show {found.name}` lists them")
        return str(rows[0].id)

    def trace(self, found: Run, trace_id: str) -> tuple[Trace, Question]:
        """Return a trace of a run with its question."""
        with self.engine.connect() as connection:
            row = connection.execute(
                select(trace.c.body, question.c.body.label("asked"))
                .join(question, question.c.id == trace.c.question_id)
                .where(trace.c.run_id == found.id, trace.c.id == trace_id)
            ).one()
        return Trace.model_validate_json(row.body), Question.model_validate_json(row.asked)

    def trace_outcomes(self, found: Run) -> Iterator[TraceOutcomes]:
        """Stream the run's traces with the outcomes of their steps, in the order of their ids."""
        outcomes = {o: func.sum(case((deliberation.c.outcome == o.value, 1), else_=0)) for o in Outcome}
        counts = (
            select(deliberation.c.trace_id, *(n.label(o.value) for o, n in outcomes.items()))
            .where(deliberation.c.run_id == found.id)
            .group_by(deliberation.c.trace_id)
            .subquery()
        )
        columns = (trace.c.id, trace.c.arm, trace.c.model, trace.c.answer, trace.c.gold, trace.c.steps)
        query = (
            select(*columns, question.c.body, *(func.coalesce(counts.c[o.value], 0).label(o.value) for o in Outcome))
            .join(question, question.c.id == trace.c.question_id)
            .outerjoin(counts, counts.c.trace_id == trace.c.id)
            .where(trace.c.run_id == found.id)
            .order_by(trace.c.id)
        )
        with self.engine.connect() as connection:
            for row in connection.execution_options(yield_per=200).execute(query):
                asked = Question.model_validate_json(row.body)
                yield TraceOutcomes(
                    row.id, asked.key or asked.id, row.arm, row.model, row.answer, row.gold, row.steps,
                    row.supported, row.error, row.abstained, row.failed,
                )  # fmt: skip

    def deliberations(self, found: Run, trace_id: str) -> list[Deliberation]:
        """Return the deliberations of a trace, in the order of its steps."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(deliberation.c.body)
                .where(deliberation.c.run_id == found.id, deliberation.c.trace_id == trace_id)
                .order_by(deliberation.c.step_index)
            )
            return [Deliberation.model_validate_json(row.body) for row in rows]


def run_of(row: Any) -> Run:
    """Return a row of the `run` table as a record."""
    return Run(
        id=row.id,
        name=row.name,
        created=row.created,
        finished=row.finished,
        panel=Panel.model_validate(row.panel),
        manifest=RunManifest.model_validate(row.manifest),
        traces_total=row.traces_total,
    )


def _step_rows(found: Run, row: Any, bodies: Iterable[str]) -> Iterator[StepRow]:
    taken, asked = Trace.model_validate_json(row.body), Question.model_validate_json(row.asked)
    if row.steps == 0:
        yield empty_row(found, taken, asked, row.segmentation["segmenter"])
    for body in bodies:
        made = Deliberation.model_validate_json(body)
        yield step_row(found, taken, asked, row.segmentation["segmenter"], made)
