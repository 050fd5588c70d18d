"""The run ledger: every run, trace and deliberation, in SQLite or Postgres. The unit of commit is a deliberation."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Executable, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from tracejury.agents import Deliberation, Label, Outcome, Panel, Seat, Verdict
from tracejury.ledger.reader import LedgerReading, run_of
from tracejury.ledger.runs import Run, RunManifest, run_name
from tracejury.ledger.schema import open_schema
from tracejury.ledger.tables import deliberation_table, question_table, run_table, trace_table
from tracejury.ledger.trace_statistics import add_deliberations, add_trace
from tracejury.ledger.votes import votes_of
from tracejury.ledger.word_index import FACET_COLUMNS
from tracejury.storage import hide_password, insert_new, open_engine, run_when_reachable
from tracejury.traces import Question, Segmentation, Trace, answer_correct

DEFAULT_STORE = "sqlite:///tracejury.db"


class RunDiffersError(ValueError):
    """A run of this name exists, and was made by something else; the message says by what."""


class OpenedRun(NamedTuple):
    """A run that was created, or resumed."""

    run: Run
    secret: bytes
    resumed: bool


class TraceProgress(NamedTuple):
    """How much of a trace the ledger holds."""

    stored: bool
    closed: bool
    """Every step has an outcome other than `failed`."""
    settled: frozenset[str]
    """Steps with such an outcome; empty where the trace is closed."""


class Ledger(LedgerReading):
    """Reads and writes the ledger. One instance a process; its methods are synchronous and safe from any thread.

    Args:
        url: `sqlite:///FILE` or `postgresql://USER@HOST/DATABASE`. `ledger.url` shows it without a password.

    Raises:
        StoreError: The database cannot be opened.
        SchemaError: Another version of tracejury made it; the message says how to go on.
    """

    def __init__(self, url: str = DEFAULT_STORE) -> None:
        self.url = hide_password(url)
        self.engine = open_engine(url)
        open_schema(self.engine)

    # --- runs -----------------------------------------------------------------------------------------------------

    def open_run(self, panel: Panel, manifest: RunManifest, name: str | None = None) -> OpenedRun:
        """Create the run, or resume the one of this name.

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
            with self._writing() as connection:
                connection.execute(insert(run_table).values(values))
        except IntegrityError:
            resumed = True
        with self.engine.connect() as connection:
            row = connection.execute(select(run_table).where(run_table.c.name == name)).one()
        existing = run_of(row)
        stored = existing.manifest.input_digests
        changed = [path for path, digest in manifest.input_digests.items() if stored.get(path, digest) != digest]
        if changed:
            raise RunDiffersError(
                f"run {name!r} began with other contents of {', '.join(changed)}; give another --run NAME for the "
                "changed input"
            )
        differences = manifest.differences(existing.manifest)
        if differences:
            changes = "; ".join(f"{what}: now {here}, then {there}" for what, (here, there) in differences.items())
            raise RunDiffersError(f"run {name!r} was made with other settings ({changes}); give another --run NAME")
        return OpenedRun(existing, row.secret, resumed)

    def expect_traces(self, run_id: str, traces_total: int) -> None:
        """Record how many traces the batch has, so that a run that is going on can say how much is left."""
        expected = update(run_table).where(run_table.c.id == run_id).values(traces_total=traces_total)
        run_when_reachable(self.engine, lambda connection: connection.execute(expected), write=True)

    def finish(self, run_id: str, traces_total: int) -> None:
        """Record that every trace of the batch has been processed."""
        finished = update(run_table).where(run_table.c.id == run_id).values(finished=_now(), traces_total=traces_total)
        run_when_reachable(self.engine, lambda connection: connection.execute(finished), write=True)

    def record_adaptations(self, run_id: str, adaptations: dict[str, tuple[str, ...]]) -> None:
        """Write into the run's manifest how requests differ from the panel; endpoints of earlier starts stay."""
        if not adaptations:
            return

        def write(connection: Connection) -> None:
            mine = run_table.c.id == run_id
            manifest = connection.execute(select(run_table.c.manifest).where(mine)).scalar_one()
            lines = {name: list(differences) for name, differences in adaptations.items()}
            changed = {**manifest, "adaptations": {**manifest.get("adaptations", {}), **lines}}
            connection.execute(update(run_table).where(mine).values(manifest=changed))

        run_when_reachable(self.engine, write, write=True)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self.engine.connect().execution_options(write=True) as connection, connection.begin():
            yield connection

    # --- writing --------------------------------------------------------------------------------------------------

    def trace_progress(self, run_id: str, trace_id: str) -> TraceProgress:
        """Return whether a trace is closed, and which of its steps need not be judged again.

        Waits for a server that is away: call it from a thread where an event loop must go on.
        """

        def look(connection: Connection) -> TraceProgress:
            closed = connection.execute(
                select(trace_table.c.closed).where(trace_table.c.run_id == run_id, trace_table.c.id == trace_id)
            ).scalar()
            if closed is None or closed:
                return TraceProgress(stored=closed is not None, closed=bool(closed), settled=frozenset())
            rows = connection.execute(
                select(deliberation_table.c.step_id).where(
                    deliberation_table.c.run_id == run_id,
                    deliberation_table.c.trace_id == trace_id,
                    deliberation_table.c.outcome != Outcome.FAILED.value,
                )
            )
            return TraceProgress(stored=True, closed=False, settled=frozenset(row.step_id for row in rows))

        return run_when_reachable(self.engine, look)

    @staticmethod
    def put_trace(connection: Connection, run_id: str, trace: Trace, question: Question, cut: Segmentation) -> None:
        """Write a trace and its question, once; a trace without steps is closed at once."""
        _insert_new(connection, question_table, {"id": question.id, "body": question.model_dump_json()}, ("id",))
        row = {
            "run_id": run_id,
            "id": trace.id,
            "question_id": question.id,
            "model": trace.model,
            "arm": trace.arm,
            "sample": trace.sample,
            "answer": trace.answer,
            "gold": question.gold,
            "answer_correct": answer_correct(trace.answer, question.gold, question.gold_aliases),
            "steps": len(cut.steps),
            "closed": not cut.steps,
            "segmentation": cut.model_dump(mode="json", exclude={"steps"}),
            "body": trace.model_dump_json(),
        }
        if _insert_new(connection, trace_table, row, ("run_id", "id")):
            add_trace(connection, row, question, trace)

    @staticmethod
    def put_deliberation(connection: Connection, run_id: str, deliberation: Deliberation) -> None:
        """Write a deliberation whole, in place of an earlier failed one, never of a verdict."""
        Ledger.put_deliberations(run_id, connection, [deliberation])

    @staticmethod
    def put_deliberations(run_id: str, connection: Connection, deliberations: Sequence[Deliberation]) -> None:
        """Write deliberations of a run, each as `put_deliberation` does; the more at once, the less each costs."""
        by_step = {deliberation.step.id: deliberation for deliberation in deliberations}
        stored_rows = connection.execute(_STORED_STEPS, {"of_run": run_id, "of_steps": list(by_step)}).mappings()
        stored = {row["step_id"]: row for row in stored_rows}
        replaced = {step_id: row for step_id, row in stored.items() if row["outcome"] == Outcome.FAILED.value}
        if replaced:
            connection.execute(_DELETE_STEP, [{"of_run": run_id, "of_step": step_id} for step_id in replaced])
        unsettled = [d for step_id, d in by_step.items() if step_id not in stored or step_id in replaced]
        written = [(_columns(run_id, deliberation), deliberation) for deliberation in unsettled]
        if written:
            statement = insert_new(connection.dialect.name, deliberation_table, ("run_id", "step_id"))
            connection.execute(statement, [row for row, _ in written])
            add_deliberations(connection, written, replaced)

    @staticmethod
    def close_trace(connection: Connection, run_id: str, trace_id: str) -> None:
        """Mark a trace as closed if each of its steps has an outcome other than `failed`."""
        connection.execute(_CLOSE, {"of_run": run_id, "of_trace": trace_id})

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()


def _columns(run_id: str, deliberation: Deliberation) -> dict[str, Any]:
    calls = deliberation.calls
    labels = {o.label for o in deliberation.opinions if o.seat is Seat.VOTE and isinstance(o.label, Label)}
    verdict = deliberation.verdict
    return {
        "run_id": run_id,
        "step_id": deliberation.step.id,
        "trace_id": deliberation.step.trace_id,
        "step_index": deliberation.step.index,
        "outcome": verdict.outcome.value,
        **graded(verdict),
        "error_type": verdict.error_type.value if verdict.error_type else None,
        "claim": verdict.claim,
        "route": verdict.route.value,
        "reason": verdict.reason.value,
        "confidence": verdict.confidence,
        "role": deliberation.step.role.value,
        "label": deliberation.step.label,
        "disagreement": len(labels) > 1,
        "resolver": deliberation.resolution is not None,
        "votes": votes_of(deliberation.opinions),
        "calls": len(calls),
        "prompt_tokens": sum(c.prompt_tokens for c in calls),
        "cached_tokens": sum(c.cached_tokens for c in calls),
        "completion_tokens": sum(c.completion_tokens for c in calls),
        "cost_usd": sum(c.cost_usd for c in calls if not c.from_cache),
        "committed": _now(),
        "body": deliberation.model_dump_json(),
    }


def graded(verdict: Verdict) -> dict[str, str | None]:
    """Return the columns that tell the two views of a verdict apart."""
    return {
        "majority_outcome": verdict.majority_outcome.value if verdict.majority_outcome else None,
        "grade": verdict.grade.value if verdict.grade else None,
    }


def _insert_new(connection: Connection, table: Any, row: dict[str, Any], key: tuple[str, ...]) -> bool:
    """Insert unless the key is there: content-named rows never change, and a verdict is never overwritten.

    Returns:
        Whether the row was inserted.
    """
    # Not rowcount, which psycopg does not keep for an INSERT.
    return connection.execute(_insert_statement(connection.dialect.name, table, key), row).first() is not None


@cache
def _insert_statement(dialect: str, table: Table, key: tuple[str, ...]) -> Executable:
    statement: Executable = insert_new(dialect, table, key).returning(table.c[key[0]])
    return statement


_STEP_COLUMNS = dict.fromkeys(("run_id", "trace_id", "step_id", "step_index", "outcome", *FACET_COLUMNS))
_STORED_STEPS = select(*(deliberation_table.c[name] for name in _STEP_COLUMNS)).where(
    deliberation_table.c.run_id == bindparam("of_run"),
    deliberation_table.c.step_id.in_(bindparam("of_steps", expanding=True)),
)
_DELETE_STEP = delete(deliberation_table).where(
    deliberation_table.c.run_id == bindparam("of_run"),
    deliberation_table.c.step_id == bindparam("of_step"),
)
_OUTCOMES = (
    select(func.count())
    .where(
        deliberation_table.c.run_id == bindparam("of_run"),
        deliberation_table.c.trace_id == bindparam("of_trace"),
        deliberation_table.c.outcome != Outcome.FAILED.value,
    )
    .scalar_subquery()
)
_CLOSE = (
    update(trace_table)
    .where(
        trace_table.c.run_id == bindparam("of_run"),
        trace_table.c.id == bindparam("of_trace"),
        trace_table.c.steps == _OUTCOMES,
    )
    .values(closed=True)
)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
