"""Reading the ledger: runs, traces, deliberations, rows. Streams wherever a run may be large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Engine, case, func, literal_column, or_, select

from tracejury.agents import Deliberation, Outcome, Panel
from tracejury.ledger.rows import StepRow
from tracejury.ledger.runs import Run, RunManifest, RunProgress
from tracejury.ledger.step_rows import empty_row, step_row
from tracejury.ledger.stored_records import read_stored
from tracejury.ledger.tables import deliberation_table, question_table, run_table, trace_table
from tracejury.models import CallRecord, PromptMessage, read_prompts
from tracejury.traces import Question, Segmentation, TextCoverage, Trace


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
    no_claim: int
    """Steps that state nothing checkable; in none of the other counts."""


class LedgerReading:
    """What can be read of a ledger."""

    url: str
    engine: Engine

    def runs(self) -> list[Run]:
        """List all runs, newest first."""
        with self.engine.connect() as connection:
            return [run_of(row) for row in connection.execute(select(run_table).order_by(run_table.c.created.desc()))]

    def run(self, ref: str = "last") -> Run:
        """Find a run by name, by the beginning of its id, or `last`.

        Raises:
            UnknownRunError: There is none, or more than one id begins so.
        """
        query = select(run_table).order_by(run_table.c.created.desc())
        if ref != "last":
            query = query.where(or_(run_table.c.name == ref, run_table.c.id.startswith(ref, autoescape=True)))
        with self.engine.connect() as connection:
            rows = connection.execute(query.limit(10)).all()
        exact = [row for row in rows if row.name == ref]
        if exact or (rows and (ref == "last" or len(rows) == 1)):
            return run_of((exact or rows)[0])
        run_names = ", ".join(r.name for r in self.runs()[:8]) or "none yet; `tracejury adjudicate` makes one"
        what = "more than one run begins with" if rows else "no run called"
        raise UnknownRunError(f"{what} {ref!r} in {self.url}. Runs: {run_names}")

    def progress(self, run: Run) -> RunProgress:
        """Count a run's traces, steps, calls and costs."""
        sums = [deliberation_table.c[name] for name in ("calls", "prompt_tokens", "cached_tokens", "completion_tokens")]
        sums.append(deliberation_table.c.cost_usd)
        mine = deliberation_table.c.run_id == run.id
        with self.engine.connect() as connection:
            spent = connection.execute(select(*(func.coalesce(func.sum(c), 0) for c in sums)).where(mine)).one()
            outcomes = connection.execute(
                select(deliberation_table.c.outcome, func.count())
                .where(mine, deliberation_table.c.claim)
                .group_by(deliberation_table.c.outcome)
            ).all()
            silent = connection.execute(
                select(func.count()).select_from(deliberation_table).where(mine, ~deliberation_table.c.claim)
            ).scalar_one()
            # A literal: Postgres takes two parameters of one value for two expressions, and refuses the grouping.
            empty = trace_table.c.steps == literal_column("0")
            rows = connection.execute(
                select(trace_table.c.closed, empty, func.count())
                .where(trace_table.c.run_id == run.id)
                .group_by(trace_table.c.closed, empty)
            ).all()
        return RunProgress(
            run=run,
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

    def count_judged(self, run: Run) -> int:
        """Count the run's steps that have a verdict; failed ones have none."""
        judged = select(func.count()).where(
            deliberation_table.c.run_id == run.id, deliberation_table.c.outcome != Outcome.FAILED
        )
        with self.engine.connect() as connection:
            return int(connection.execute(judged).scalar_one())

    def rows(self, run: Run, chunk: int = 200) -> Iterator[StepRow]:
        """Stream the run's step rows, trace by trace in the order of their ids; memory holds `chunk` traces."""
        after = ""
        while True:
            with self.engine.connect() as connection:
                traces = connection.execute(
                    select(trace_table, question_table.c.body.label("question_body"))
                    .join(question_table, question_table.c.id == trace_table.c.question_id)
                    .where(trace_table.c.run_id == run.id, trace_table.c.id > after)
                    .order_by(trace_table.c.id)
                    .limit(chunk)
                ).all()
                if not traces:
                    return
                rows_of_steps = connection.execute(
                    select(deliberation_table.c.trace_id, deliberation_table.c.step_id, deliberation_table.c.body)
                    .where(deliberation_table.c.run_id == run.id)
                    .where(deliberation_table.c.trace_id.between(traces[0].id, traces[-1].id))
                    .order_by(deliberation_table.c.trace_id, deliberation_table.c.step_index)
                ).all()
            after = traces[-1].id
            bodies: dict[str, list[tuple[str, str]]] = {}
            for row in rows_of_steps:
                bodies.setdefault(row.trace_id, []).append((row.step_id, row.body))
            for row in traces:
                yield from _step_rows(run, row, bodies.get(row.id, []))

    def text_coverage(self, run: Run) -> dict[str, TextCoverage]:
        """Return, by arm, how much of the traces' text was in steps and what became of the rest.

        Traces of ledgers that did not keep it are counted without their text.
        """
        t = trace_table.c
        names = ("text_chars", "judged_chars", "cut_chars", "cut_steps", "dropped", "capped")
        kept = {name: func.coalesce(t.segmentation[name].as_integer(), 0) for name in names}
        sums = {name: func.sum(value) for name, value in kept.items()} | {
            "traces": func.count(),
            "capped_traces": func.count().filter(kept["capped"] > 0),
            "without_steps": func.count().filter(t.steps == 0, kept["text_chars"] > 0),
            "closing_sentences": func.count().filter(t.segmentation["stripped_answer"].as_boolean()),
        }
        query = select(t.arm, *(value.label(name) for name, value in sums.items())).where(t.run_id == run.id)
        with self.engine.connect() as connection:
            rows = connection.execute(query.group_by(t.arm).order_by(t.arm)).mappings()
            return {row["arm"]: TextCoverage.model_validate({name: row[name] for name in sums}) for row in rows}

    def trace_coverage(self, run: Run, trace_id: str) -> TextCoverage:
        """Return how much of one trace's text was in steps, and what became of the rest."""
        query = select(trace_table.c.steps, trace_table.c.segmentation)
        with self.engine.connect() as connection:
            row = connection.execute(query.where(trace_table.c.run_id == run.id, trace_table.c.id == trace_id)).one()
        segmentation = Segmentation.model_validate({**row.segmentation, "steps": ()})
        return TextCoverage().plus(segmentation, has_steps=row.steps > 0)

    def segmentation(self, run: Run, trace_id: str) -> Segmentation:
        """Return how a trace was cut, without its steps: these are in the deliberations."""
        query = select(trace_table.c.segmentation)
        with self.engine.connect() as connection:
            stored = connection.execute(
                query.where(trace_table.c.run_id == run.id, trace_table.c.id == trace_id)
            ).scalar_one()
        return Segmentation.model_validate({**stored, "steps": ()})

    def traces(self, run: Run) -> Iterator[tuple[Trace, Question, int]]:
        """Stream (trace, question, number of steps) of a run."""
        with self.engine.connect() as connection:
            rows = connection.execution_options(yield_per=200).execute(
                select(
                    trace_table.c.id,
                    trace_table.c.body,
                    trace_table.c.steps,
                    question_table.c.body.label("question_body"),
                )
                .join(question_table, question_table.c.id == trace_table.c.question_id)
                .where(trace_table.c.run_id == run.id)
                .order_by(trace_table.c.id)
            )
            for row in rows:
                trace = read_stored(Trace, row.body, f"trace {row.id}")
                question = read_stored(Question, row.question_body, f"the question of trace {row.id}")
                if trace is not None and question is not None:
                    yield trace, question, row.steps

    def trace_id(self, run: Run, ref: str) -> str:
        """Return the full id of the one trace of a run whose id begins with `ref`.

        Raises:
            LookupError: There is none, or more than one.
        """
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(trace_table.c.id)
                .where(trace_table.c.run_id == run.id, trace_table.c.id.startswith(ref, autoescape=True))
                .limit(2)
            ).all()
        if len(rows) != 1:
            what = "more than one trace begins" if rows else "no trace begins"
            raise LookupError(f"{what} with {ref!r} in run {run.name}; `tracejury show {run.name}` lists them")
        return str(rows[0].id)

    def trace(self, run: Run, trace_id: str) -> tuple[Trace, Question]:
        """Return a trace of a run with its question."""
        with self.engine.connect() as connection:
            row = connection.execute(
                select(trace_table.c.body, question_table.c.body.label("question_body"))
                .join(question_table, question_table.c.id == trace_table.c.question_id)
                .where(trace_table.c.run_id == run.id, trace_table.c.id == trace_id)
            ).one()
        return Trace.model_validate_json(row.body), Question.model_validate_json(row.question_body)

    def trace_outcomes(self, run: Run) -> Iterator[TraceOutcomes]:
        """Stream the run's traces with the outcomes of their steps, in the order of their ids."""
        d = deliberation_table.c
        outcomes = {o.value: func.sum(case((d.claim & (d.outcome == o.value), 1), else_=0)) for o in Outcome}
        outcomes["no_claim"] = func.sum(case((d.claim, 0), else_=1))
        counts = (
            select(d.trace_id, *(count.label(name) for name, count in outcomes.items()))
            .where(deliberation_table.c.run_id == run.id)
            .group_by(deliberation_table.c.trace_id)
            .subquery()
        )
        columns = (
            trace_table.c.id,
            trace_table.c.arm,
            trace_table.c.model,
            trace_table.c.answer,
            trace_table.c.gold,
            trace_table.c.steps,
        )
        query = (
            select(
                *columns, question_table.c.body, *(func.coalesce(counts.c[name], 0).label(name) for name in outcomes)
            )
            .join(question_table, question_table.c.id == trace_table.c.question_id)
            .outerjoin(counts, counts.c.trace_id == trace_table.c.id)
            .where(trace_table.c.run_id == run.id)
            .order_by(trace_table.c.id)
        )
        with self.engine.connect() as connection:
            for row in connection.execution_options(yield_per=200).execute(query):
                question = read_stored(Question, row.body, f"the question of trace {row.id}")
                if question is None:
                    continue
                yield TraceOutcomes(
                    row.id, question.key or question.id, row.arm, row.model, row.answer, row.gold, row.steps,
                    row.supported, row.error, row.abstained, row.failed, row.no_claim,
                )  # fmt: skip

    def deliberations(self, run: Run, trace_id: str) -> list[Deliberation]:
        """Return the deliberations of a trace, in the order of its steps."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(deliberation_table.c.step_id, deliberation_table.c.body)
                .where(deliberation_table.c.run_id == run.id, deliberation_table.c.trace_id == trace_id)
                .order_by(deliberation_table.c.step_index)
            )
            read = [read_stored(Deliberation, row.body, _step_name(row.step_id, trace_id)) for row in rows]
        return [deliberation for deliberation in read if deliberation is not None]

    def prompts(self, calls: Iterable[CallRecord]) -> dict[str, tuple[PromptMessage, ...]]:
        """Return call id -> the rendered prompt, for those calls whose prompt was stored."""
        with self.engine.connect() as connection:
            return read_prompts(connection, {call.id for call in calls})


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


def _step_name(step_id: str, trace_id: str) -> str:
    return f"step {step_id} of trace {trace_id}"


def _step_rows(run: Run, row: Any, bodies: Iterable[tuple[str, str]]) -> Iterator[StepRow]:
    trace = read_stored(Trace, row.body, f"trace {row.id}")
    question = read_stored(Question, row.question_body, f"the question of trace {row.id}")
    if trace is None or question is None:
        return
    segmentation = Segmentation.model_validate({**row.segmentation, "steps": ()})
    share = {"judged_share": segmentation.judged_share}
    if row.steps == 0:
        yield empty_row(run, trace, question, segmentation.segmenter).model_copy(update=share)
    for step_id, body in bodies:
        deliberation = read_stored(Deliberation, body, _step_name(step_id, row.id))
        if deliberation is not None:
            yield step_row(run, trace, question, segmentation.segmenter, deliberation).model_copy(update=share)
