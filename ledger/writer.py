"""The run ledger: every run, trace and deliberation, in SQLite or Postgres. The unit of commit is a deliberation."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Executable, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from tracejury.agents import Deliberation, Label, Outcome, Panel, Seat
from tracejury.ledger.reader import LedgerReading, run_of
from tracejury.ledger.runs import Run, RunManifest, run_name
from tracejury.ledger.schema import open_schema
from tracejury.ledger.tables import deliberation, question, run, trace
from tracejury.ledger.trace_statistics import page_deliberation, page_trace
from tracejury.ledger.votes import votes_of
from tracejury.storage import hide_password, insert_new, open_engine, run_when_reachable
from tracejury.traces import Question, Segmentation, Trace, answer_correct

DEFAULT_STORE = "sqlite:///tracejury.db"


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

    def open_run(self, panel: Panel, manifest: RunManifest, name: str | None = None) -> Opened:
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
            with self._writing() as connection:
                connection.execute(insert(run).values(values))
        except IntegrityError:
            resumed = True
        with self.engine.connect() as connection:
            row = connection.execute(select(run).where(run.c.name == name)).one()
        found = run_of(row)
        differences = manifest.differences(found.manifest)
        if differences:
            said = "; ".join(f"{what}: now {here}, then {there}" for what, (here, there) in differences.items())
            raise RunDiffersError(f"run {name!r} was made otherwise ({said}). Give another --run NAME")
        return Opened(found, row.secret, resumed)

    def finish(self, run_id: str, traces_total: int) -> None:
        """Write down that every trace of the batch has been dealt with."""
        finished = update(run).where(run.c.id == run_id).values(finished=_now(), traces_total=traces_total)
        run_when_reachable(self.engine, lambda connection: connection.execute(finished), write=True)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self.engine.connect().execution_options(write=True) as connection, connection.begin():
            yield connection

    # --- writing --------------------------------------------------------------------------------------------------

    def standing(self, run_id: str, trace_id: str) -> Standing:
        """Return what the ledger holds of a trace: whether it is done with, which steps need no second step.

        Waits for a server that is away: call it from a thread where an event loop must go on.
        """

        def look(connection: Connection) -> Standing:
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

        return run_when_reachable(self.engine, look)

    @staticmethod
    def put_trace(connection: Connection, run_id: str, taken: Trace, asked: Question, cut: Segmentation) -> None:
        """Write a trace and its question, once; a trace without steps is closed at once."""
        _put(connection, question, {"id": asked.id, "body": asked.model_dump_json()}, ("id",))
        row = {
            "run_id": run_id,
            "id": taken.id,
            "question_id": asked.id,
            "model": taken.model,
            "arm": taken.arm,
            "sample": taken.sample,
            "answer": taken.answer,
            "gold": asked.gold,
            "answer_correct": answer_correct(taken.answer, asked.gold),
            "steps": len(cut.steps),
            "closed": not cut.steps,
            "segmentation": cut.model_dump(mode="json", exclude={"steps"}),
            "body": taken.model_dump_json(),
        }
        if _put(connection, trace, row, ("run_id", "id")):
            page_trace(connection, row, asked, taken)

    @staticmethod
    def put_deliberation(connection: Connection, run_id: str, made: Deliberation) -> None:
        """Write a deliberation whole, in place of an earlier failed one, never of a verdict."""
        row, key = _columns(run_id, made), ("run_id", "step_id")
        written = _put(connection, deliberation, row, key)
        if not written:
            connection.execute(_FAILED_BEFORE, {"of_run": run_id, "of_step": made.step.id})
            written = _put(connection, deliberation, row, key)
        if written:
            page_deliberation(connection, run_id, made)

    @staticmethod
    def close_trace(connection: Connection, run_id: str, trace_id: str) -> None:
        """Mark a trace as done if every one of its steps has an outcome other than `failed`."""
        connection.execute(_CLOSE, {"of_run": run_id, "of_trace": trace_id})

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose()


def _columns(run_id: str, made: Deliberation) -> dict[str, Any]:
    calls = made.calls
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
        "votes": votes_of(made.opinions),
        "calls": len(calls),
        "prompt_tokens": sum(c.prompt_tokens for c in calls),
        "cached_tokens": sum(c.cached_tokens for c in calls),
        "completion_tokens": sum(c.completion_tokens for c in calls),
        "cost_usd": sum(c.cost_usd for c in calls if not c.from_cache),
        "committed": _now(),
        "body": made.model_dump_json(),
    }


def _put(connection: Connection, table: Any, row: dict[str, Any], key: tuple[str, ...]) -> bool:
    """Insert unless the key is there: content-named rows never change, and a verdict is never overwritten.

    Returns:
        Whether the row was inserted.
    """
    # Not rowcount, which psycopg does not keep for an INSERT.
    return connection.execute(_putting(connection.dialect.name, table, key), row).first() is not None


@cache
def _putting(dialect: str, table: Table, key: tuple[str, ...]) -> Executable:
    putting: Executable = insert_new(dialect, table, key).returning(table.c[key[0]])
    return putting


_FAILED_BEFORE = delete(deliberation).where(
    deliberation.c.run_id == bindparam("of_run"),
    deliberation.c.step_id == bindparam("of_step"),
    deliberation.c.outcome == Outcome.FAILED.value,
)
_OUTCOMES = (
    select(func.count())
    .where(
        deliberation.c.run_id == bindparam("of_run"),
        deliberation.c.trace_id == bindparam("of_trace"),
        deliberation.c.outcome != Outcome.FAILED.value,
    )
    .scalar_subquery()
)
_CLOSE = (
    update(trace)
    .where(trace.c.run_id == bindparam("of_run"), trace.c.id == bindparam("of_trace"), trace.c.steps == _OUTCOMES)
    .values(closed=True)
)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
