"""The run ledger: every run, trace and deliberation, in SQLite or Postgres. The unit of commit is a deliberation."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from tracejury.agents import Deliberation, Label, Outcome, Panel, Seat
from tracejury.graphs.rows import StepRow
from tracejury.graphs.runs import Manifest, Run, RunProgress, run_name
from tracejury.graphs.step_rows import empty_row, step_row
from tracejury.graphs.tables import deliberation, metadata, question, run, trace
from tracejury.models import open_engine
from tracejury.traces import Question, Segmentation, Trace

DEFAULT_STORE = "sqlite:///tracejury.db"


class UnknownRunError(LookupError):
    """No run has this name or id; the message lists the newest."""


class RunDiffersError(ValueError):
    """A run of this name exists, and was made by something else; the message says by what."""


class Opened(NamedTuple):
    """A run that was created or taken up again."""

    run: Run
    secret: bytes
    resumed: bool


class Standing(NamedTuple):
    """What is there of a trace."""

    known: bool
    closed: bool
    """Every step has an outcome other than `failed`."""
    settled: frozenset[str]
    """Steps with such an outcome; empty where the trace is closed."""


class Ledger:
    """Reads and writes the ledger. One instance a process; its methods are synchronous and safe from any thread."""

    def __init__(self, url: str = DEFAULT_STORE) -> None:
        self.url = url
        self.engine = open_engine(url)
        metadata.create_all(self.engine)

    # --- runs -----------------------------------------------------------------------------------------------------

    def open_run(self, panel: Panel, manifest: Manifest, name: str | None = None) -> Opened:
        """Create the run, or take up the one of this name.

        Raises:
            RunDiffersError: A run of this name was made by another panel, prompt, index, segmenter or seed.
        """
        name = name or run_name(panel, manifest)
        values = {
            "id": secrets.token_hex(8),
            "name": name,
            "created": _now(),
            "panel_name": panel.name,
            "panel": panel.model_dump(mode="json"),
            "manifest": manifest.model_dump(mode="json"),
            "secret": secrets.token_bytes(32),
        }
        resumed = False
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(run).values(values))
        except IntegrityError:
            resumed = True
        with self.engine.connect() as connection:
            row = connection.execute(select(run).where(run.c.name == name)).one()
        found = _run(row)
        differences = manifest.differences(found.manifest)
        if differences:
            said = "; ".join(f"{what}: now {here}, then {there}" for what, (here, there) in differences.items())
            raise RunDiffersError(f"run {name!r} was made otherwise ({said}). Give another --run NAME")
        return Opened(found, row.secret, resumed)

    def runs(self) -> list[Run]:
        """List all runs, newest first."""
        with self.engine.connect() as connection:
            return [_run(row) for row in connection.execute(select(run).order_by(run.c.created.desc()))]

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
            return _run((exact or rows)[0])
        known = ", ".join(r.name for r in self.runs()[:8]) or "none yet; `tracejury adjudicate` makes one"
        what = "more than one run begins with" if rows else "no run called"
        raise UnknownRunError(f"{what} {ref!r} in {self.url}. Runs: {known}")

    def finish(self, run_id: str, traces_total: int) -> None:
        """Write down that every trace of the batch has been dealt with."""
        with self.engine.begin() as connection:
            connection.execute(update(run).where(run.c.id == run_id).values(finished=_now(), traces_total=traces_total))

    # --- writing --------------------------------------------------------------------------------------------------

    def standing(self, run_id: str, trace_id: str) -> Standing:
        """Return what the ledger holds of a trace: whether it is done with, and its steps that need no second hearing."""
        with self.engine.connect() as connection:
            closed = connection.execute(
                select(trace.c.closed).where(trace.c.run_id == run_id, trace.c.id == trace_id)
            ).scalar()
            if closed is None or closed:
                return Standing(known=closed is not None, closed=bool(closed), settled=frozenset())
            rows = connection.execute(
                select(deliberation.c.step_id).where(
                    deliberation.c.run_id == run_id,
                    deliberation.c.trace_id == trace_id,
                    deliberation.c.outcome != Outcome.FAILED.value,
                )
            )
            return Standing(known=True, closed=False, settled=frozenset(row.step_id for row in rows))

    @staticmethod
    def put_trace(connection: Connection, run_id: str, taken: Trace, asked: Question, cut: Segmentation) -> None:
        """Write a trace and its question, once; a trace without steps is closed at once."""
        _put(connection, question, {"id": asked.id, "body": asked.model_dump_json()}, ("id",))
        correct = None if asked.gold is None else taken.answer == asked.gold
        row = {
            "run_id": run_id,
            "id": taken.id,
            "question_id": asked.id,
            "model": taken.model,
            "arm": taken.arm,
            "sample": taken.sample,
            "answer": taken.answer,
            "gold": asked.gold,
            "answer_correct": correct,
            "steps": len(cut.steps),
            "closed": not cut.steps,
            "segmentation": cut.model_dump(mode="json", exclude={"steps"}),
            "body": taken.model_dump_json(),
        }
        _put(connection, trace, row, ("run_id", "id"))

    @staticmethod
    def put_deliberation(connection: Connection, run_id: str, made: Deliberation) -> None:
        """Write a deliberation whole, in place of an earlier failed one, never of a verdict."""
        gone = delete(deliberation).where(
            deliberation.c.run_id == run_id,
            deliberation.c.step_id == made.step.id,
            deliberation.c.outcome == Outcome.FAILED.value,
        )
        connection.execute(gone)
        _put(connection, deliberation, _columns(run_id, made), ("run_id", "step_id"))

    @staticmethod
    def close_trace(connection: Connection, run_id: str, trace_id: str) -> None:
        """Mark a trace as done if every one of its steps has an outcome other than `failed`."""
        done = (
            select(func.count())
            .where(
                deliberation.c.run_id == run_id,
                deliberation.c.trace_id == trace_id,
                deliberation.c.outcome != Outcome.FAILED.value,
            )
            .scalar_subquery()
        )
        connection.execute(
            update(trace)
            .where(trace.c.run_id == run_id, trace.c.id == trace_id, trace.c.steps == done)
            .values(closed=True)
        )

    # --- reading --------------------------------------------------------------------------------------------------

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
            rows = connection.execute(
                select(trace.c.closed, trace.c.steps == 0, func.count())
                .where(trace.c.run_id == found.id)
                .group_by(trace.c.closed, trace.c.steps == 0)
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

    def deliberations(self, found: Run, trace_id: str) -> list[Deliberation]:
        """Return the deliberations of a trace, in the order of its steps."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(deliberation.c.body)
                .where(deliberation.c.run_id == found.id, deliberation.c.trace_id == trace_id)
                .order_by(deliberation.c.step_index)
            )
            return [Deliberation.model_validate_json(row.body) for row in rows]

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose()


def _step_rows(found: Run, row: Row[Any], bodies: Iterable[str]) -> Iterator[StepRow]:
    taken, asked = Trace.model_validate_json(row.body), Question.model_validate_json(row.asked)
    if row.steps == 0:
        yield empty_row(found, taken, asked, row.segmentation["segmenter"])
    for body in bodies:
        made = Deliberation.model_validate_json(body)
        yield step_row(found, taken, asked, row.segmentation["segmenter"], made)


def _columns(run_id: str, made: Deliberation) -> dict[str, Any]:
    calls = [c for o in made.opinions for c in o.calls] + list(made.resolution.calls if made.resolution else ())
    labels = {o.label for o in made.opinions if o.seat is Seat.VOTE and isinstance(o.label, Label)}
    verdict = made.verdict
    return {
        "run_id": run_id,
        "step_id": made.step.id,
        "trace_id": made.step.trace_id,
        "step_index": made.step.index,
        "outcome": verdict.outcome.value,
        "error_type": verdict.error_type.value if verdict.error_type else None,
        "claim": verdict.claim,
        "route": verdict.route.value,
        "reason": verdict.reason.value,
        "confidence": verdict.confidence,
        "role": made.step.role.value,
        "label": made.step.label,
        "disagreement": len(labels) > 1,
        "resolver": made.resolution is not None,
        "calls": len(calls),
        "prompt_tokens": sum(c.prompt_tokens for c in calls),
        "cached_tokens": sum(c.cached_tokens for c in calls),
        "completion_tokens": sum(c.completion_tokens for c in calls),
        "cost_usd": sum(c.cost_usd for c in calls if not c.from_cache),
        "committed": _now(),
        "body": made.model_dump_json(),
    }


def _put(connection: Connection, table: Any, row: dict[str, Any], key: tuple[str, ...]) -> None:
    """Insert unless the key is there: content-named rows never change, and a verdict is never overwritten."""
    from sqlalchemy.dialects import postgresql, sqlite

    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).values(row).on_conflict_do_nothing(index_elements=list(key)))


def _run(row: Row[Any]) -> Run:
    return Run(
        id=row.id,
        name=row.name,
        created=row.created,
        finished=row.finished,
        panel=Panel.model_validate(row.panel),
        manifest=Manifest.model_validate(row.manifest),
        traces_total=row.traces_total,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
