"""Bringing a ledger of an earlier version up to date, in one transaction, after a copy of it was put aside."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, inspect, select, update

from tracejury.agents import Deliberation
from tracejury.ledger.schema import HEAD, SchemaError, open_schema, read_schema, refusal, stamp
from tracejury.ledger.tables import deliberation, question, run, trace
from tracejury.ledger.trace_statistics import page_references, page_trace, retally
from tracejury.ledger.votes import votes_of
from tracejury.models import CALL_TABLES
from tracejury.storage import hide_password, open_engine, open_transaction
from tracejury.traces import Question, Record, Trace

_PAGES_SINCE = "0002"


class LedgerStatus(Record):
    """What stands in a database, whichever version made it."""

    store: str
    """The URL, without a password."""
    standing: str
    """`new` (empty), `current`, `older`, `newer` or `unknown`."""
    revision: str | None
    head: str
    """The revision that this version writes."""
    says: str
    """What to do, where anything is to be done."""
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
            tables = {"runs": run, "traces": trace, "steps": deliberation, "calls": CALL_TABLES.tables["model_call"]}
            counts = {
                name: connection.scalar(select(func.count()).select_from(table)) or 0
                for name, table in tables.items()
                if table.name in present
            }
        says = "" if schema.standing in ("new", "current") else refusal(schema, engine)
        return LedgerStatus(
            store=hide_password(url), standing=schema.standing, revision=schema.revision, head=HEAD, says=says, **counts
        )
    finally:
        engine.dispose()


def upgrade_ledger(
    url: str, *, backup: bool = True, told: Callable[[str, int], None] = lambda what, done: None
) -> Upgraded:
    """Bring a ledger up to date. Nothing happens to one of today; one that breaks on the way stays as it was.

    Args:
        url: The ledger.
        backup: Copy a SQLite file beside itself first. Postgres has `pg_dump` for that.
        told: Called with a word and a number as deliberations are gone through.

    Raises:
        StoreError: The database cannot be opened.
        SchemaError: A newer version made it, or none that can be told.
        FileExistsError: A copy from an earlier try is there.
    """
    from alembic import command
    from alembic.config import Config

    engine = open_engine(url)
    try:
        with open_transaction(engine) as connection:
            schema = read_schema(connection)
        if schema.standing in ("new", "current"):
            open_schema(engine)
            return Upgraded(HEAD, HEAD, None)
        if schema.standing != "older" or schema.revision is None:
            raise SchemaError(refusal(schema, engine))
        file = engine.url.database if engine.dialect.name == "sqlite" else None
        kept = _copy(Path(file), schema.revision) if backup and file else None
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        with open_transaction(engine, changing_tables=True) as connection:
            now = read_schema(connection)  # somebody may have been first
            if now.standing == "older" and now.revision is not None:
                stamp(connection, now.revision)
                config.attributes["connection"] = connection
                command.upgrade(config, HEAD)
                CALL_TABLES.create_all(connection)
                if now.revision < _PAGES_SINCE:
                    _make_pages(connection, told)
        return Upgraded(schema.revision, HEAD, kept)
    finally:
        engine.dispose()


def _copy(file: Path, revision: str) -> Path:
    """Copy a SQLite file as it stands, what other processes have committed meanwhile included."""
    kept = file.with_name(f"{file.name}.{revision}.backup")
    if kept.exists():
        raise FileExistsError(f"{kept} is there already, the copy of an earlier try: move it, or give --no-backup")
    source, target = sqlite3.connect(file), sqlite3.connect(kept)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
    return kept


def _make_pages(connection: Connection, told: Callable[[str, int], None]) -> None:
    """Derive what the viewer's pages read from the deliberations, which say all of it."""
    done = 0
    asked = select(trace, question.c.body.label("asked")).join(question, question.c.id == trace.c.question_id)
    # Keys first, rows one by one: memory does not grow, and no cursor stays open while tables are written.
    for run_id, trace_id in connection.execute(select(trace.c.run_id, trace.c.id).order_by(trace.c.id)).all():
        row = connection.execute(asked.where(trace.c.run_id == run_id, trace.c.id == trace_id)).one()
        page_trace(
            connection,
            dict(row._mapping),
            Question.model_validate_json(row.asked),
            Trace.model_validate_json(row.body),
        )
        d = deliberation.c
        mine = select(d.step_id, d.body).where(d.run_id == run_id, d.trace_id == trace_id)
        for step_id, body in connection.execute(mine).all():
            made = Deliberation.model_validate_json(body)
            connection.execute(_VOTES, {"of_run": run_id, "of_step": step_id, "said": votes_of(made.opinions)})
            page_references(connection, run_id, made)
            done += 1
            told("steps", done)
    for run_id in connection.scalars(select(run.c.id)).all():
        retally(connection, run_id)


_VOTES = (
    update(deliberation)
    .where(deliberation.c.run_id == bindparam("of_run"), deliberation.c.step_id == bindparam("of_step"))
    .values(votes=bindparam("said"))
)
