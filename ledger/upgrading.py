"""Upgrading a ledger of an earlier version, in one transaction, after a backup copy of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pydantic_core import from_json
from sqlalchemy import Connection, bindparam, func, inspect, select, update

from tracejury.agents import Deliberation
from tracejury.ledger.schema import HEAD, SchemaError, open_schema, read_schema, refusal, stamp
from tracejury.ledger.tables import deliberation_table, question_table, run_table, tally, trace_table
from tracejury.ledger.trace_statistics import add_cited_evidence, add_trace, recount_tallies
from tracejury.ledger.votes import votes_of
from tracejury.ledger.word_index import FACET_COLUMNS, STEPS_A_TRACE, StepEntry, put_steps, step_facets
from tracejury.ledger.writer import graded
from tracejury.models import CALL_TABLES
from tracejury.storage import hide_password, open_engine, open_transaction
from tracejury.traces import Question, Record, Trace

_PAGES_SINCE = "0002"
_NAMES_SINCE = "0004"
"""Tallies hold names of error types and reasons, and no bits."""
_GRADES_SINCE = "0005"
"""Deliberations have the columns that tell the two views of a verdict apart."""
_SEARCH_SINCE = "0006"
"""One index holds the words and facets of steps."""


class LedgerStatus(Record):
    """The state of a ledger database, whichever version made it."""

    store: str
    """The URL, without a password."""
    status: str
    """`new` (empty), `current`, `older`, `newer` or `unknown`."""
    revision: str | None
    head: str
    """The revision that this version writes."""
    advice: str
    """What the user has to do; empty if nothing."""
    runs: int = 0
    traces: int = 0
    steps: int = 0
    calls: int = 0


class Upgraded(NamedTuple):
    """What an upgrade did."""

    before: str
    after: str
    backup: Path | None


def ledger_status(url: str) -> LedgerStatus:
    """Look at a ledger without changing it.

    Raises:
        StoreError: The database cannot be opened.
    """
    engine = open_engine(url)
    try:
        with open_transaction(engine) as connection:
            schema = read_schema(connection)
            present = set(inspect(connection).get_table_names())
            tables = {
                "runs": run_table,
                "traces": trace_table,
                "steps": deliberation_table,
                "calls": CALL_TABLES.tables["model_call"],
            }
            counts = {
                name: connection.scalar(select(func.count()).select_from(table)) or 0
                for name, table in tables.items()
                if table.name in present
            }
        advice = "" if schema.status in ("new", "current") else refusal(schema, engine)
        return LedgerStatus(
            store=hide_password(url), status=schema.status, revision=schema.revision, head=HEAD, advice=advice, **counts
        )
    finally:
        engine.dispose()


def upgrade_ledger(
    url: str, *, backup: bool = True, report_progress: Callable[[str, int], None] = lambda what, count: None
) -> Upgraded:
    """Upgrade a ledger to the current revision. A current ledger is left alone; if the upgrade fails, nothing changes.

    Args:
        url: The ledger.
        backup: Copy a SQLite file beside itself first. For Postgres, use `pg_dump`.
        report_progress: Called with a unit and a count as deliberations are processed.

    Raises:
        StoreError: The database cannot be opened.
        SchemaError: A newer version made it, or its version is unknown.
        FileExistsError: The backup file of an earlier attempt exists.
    """
    from alembic import command
    from alembic.config import Config

    engine = open_engine(url)
    try:
        with open_transaction(engine) as connection:
            schema = read_schema(connection)
        if schema.status in ("new", "current"):
            open_schema(engine)
            return Upgraded(HEAD, HEAD, None)
        if schema.status != "older" or schema.revision is None:
            raise SchemaError(refusal(schema, engine))
        file = engine.url.database if engine.dialect.name == "sqlite" else None
        copy = _copy(Path(file), schema.revision) if backup and file else None
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        with open_transaction(engine, changing_tables=True) as connection:
            now = read_schema(connection)  # another process may have been first
            if now.status == "older" and now.revision is not None:
                stamp(connection, now.revision)
                config.attributes["connection"] = connection
                command.upgrade(config, HEAD)
                CALL_TABLES.create_all(connection)
                if now.revision < _PAGES_SINCE:
                    _make_pages(connection, report_progress)
                if now.revision < _GRADES_SINCE:
                    _grade_steps(connection, report_progress)
                if now.revision < _NAMES_SINCE:
                    for run_id in connection.scalars(select(run_table.c.id)).all():
                        recount_tallies(connection, run_id)
                if now.revision < _SEARCH_SINCE:
                    _index_steps(connection, report_progress)
        return Upgraded(schema.revision, HEAD, copy)
    finally:
        engine.dispose()


def _copy(file: Path, revision: str) -> Path:
    """Copy a SQLite file, with what other processes have committed so far."""
    copy = file.with_name(f"{file.name}.{revision}.backup")
    if copy.exists():
        raise FileExistsError(f"{copy} exists already, the backup of an earlier attempt: move it, or give --no-backup")
    source, target = sqlite3.connect(file), sqlite3.connect(copy)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
    return copy


def _make_pages(connection: Connection, report_progress: Callable[[str, int], None]) -> None:
    """Derive the tables that the viewer's pages read from the stored deliberations."""
    steps = 0
    trace_query = select(trace_table, question_table.c.body.label("question_body")).join(
        question_table, question_table.c.id == trace_table.c.question_id
    )
    # Keys first, rows one by one: memory does not grow, and no cursor stays open while tables are written.
    for run_id, trace_id in connection.execute(
        select(trace_table.c.run_id, trace_table.c.id).order_by(trace_table.c.id)
    ).all():
        row = connection.execute(trace_query.where(trace_table.c.run_id == run_id, trace_table.c.id == trace_id)).one()
        add_trace(
            connection,
            dict(row._mapping),
            Question.model_validate_json(row.question_body),
            Trace.model_validate_json(row.body),
        )
        d = deliberation_table.c
        mine = select(d.step_id, d.body).where(d.run_id == run_id, d.trace_id == trace_id)
        for step_id, body in connection.execute(mine).all():
            deliberation = Deliberation.model_validate_json(body)
            connection.execute(_VOTES, {"of_run": run_id, "of_step": step_id, "said": votes_of(deliberation.opinions)})
            add_cited_evidence(connection, run_id, deliberation)
            steps += 1
            report_progress("steps", steps)


def _grade_steps(connection: Connection, report_progress: Callable[[str, int], None]) -> None:
    """Fill the columns that tell the two views of a verdict apart from the stored deliberations."""
    d = deliberation_table.c
    keys = connection.execute(select(d.run_id, d.step_id).order_by(d.run_id, d.trace_id, d.step_index)).all()
    for count, (run_id, step_id) in enumerate(keys, 1):
        body = connection.execute(select(d.body).where(d.run_id == run_id, d.step_id == step_id)).scalar_one()
        values = {"of_run": run_id, "of_step": step_id}
        values |= _bound(graded(Deliberation.model_validate_json(body).verdict))
        connection.execute(_GRADED, values)
        report_progress("steps graded", count)


def _index_steps(connection: Connection, report_progress: Callable[[str, int], None]) -> None:
    """Fill the index of steps from the stored deliberations."""
    d, steps = deliberation_table.c, 0
    columns = [d[name] for name in ("run_id", "step_index", "body", *FACET_COLUMNS)]
    # Traces first, their steps one trace after another: memory does not grow.
    for trace in connection.execute(
        select(tally.c.n, tally.c.run_id, tally.c.trace_id, tally.c.arm, tally.c.model).order_by(tally.c.n)
    ).all():
        mine = select(*columns).where(d.run_id == trace.run_id, d.trace_id == trace.trace_id)
        entries = [
            StepEntry(
                trace.n * STEPS_A_TRACE + row["step_index"],
                from_json(row["body"])["step"]["text"],
                step_facets(trace.run_id, trace.arm, trace.model, row),
            )
            for row in connection.execute(mine).mappings()
            if row["step_index"] < STEPS_A_TRACE
        ]
        put_steps(connection, entries)
        steps += len(entries)
        report_progress("steps indexed", steps)


def _bound(values: dict[str, str | None]) -> dict[str, str | None]:
    return {f"new_{name}": value for name, value in values.items()}


_MINE = (
    deliberation_table.c.run_id == bindparam("of_run"),
    deliberation_table.c.step_id == bindparam("of_step"),
)
_GRADED = (
    update(deliberation_table)
    .where(*_MINE)
    .values(majority_outcome=bindparam("new_majority_outcome"), grade=bindparam("new_grade"))
)
_VOTES = update(deliberation_table).where(*_MINE).values(votes=bindparam("said"))
