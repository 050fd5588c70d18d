"""Opening the store: one way for the ledger, the call store and the response cache, on SQLite and on Postgres."""

from __future__ import annotations

import tempfile
import weakref
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

BUSY_S = 60
"""Seconds that a SQLite connection waits for another's lock."""


def open_engine(url: str) -> Engine:
    """Return an engine for `url` (`sqlite:///file.db`, `sqlite://` for a file that lives as long as the engine, `postgresql+psycopg://...`).

    SQLite is set to write-ahead logging with `synchronous=NORMAL`: what is committed survives the death of the process
    at any moment (a power cut may take the last commits, never the file's integrity). Transactions of connections with
    the execution option `write` take the write lock at their start, since a read that turns into a write later fails at
    once, without waiting, when somebody else wrote in between.

    Raises:
        ValueError: The URL is not one of a database.
        ModuleNotFoundError: The database's driver is not installed.
    """
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True)
    if parsed.database in (None, "", ":memory:"):
        # A database in memory belongs to one connection, and we have readers beside the writer: a file that goes with
        # the engine does the same and behaves like any other.
        folder = tempfile.TemporaryDirectory(prefix="tracejury-", ignore_cleanup_errors=True)
        engine = create_engine(parsed.set(database=f"{folder.name}/store.db"), connect_args={"timeout": BUSY_S})
        weakref.finalize(engine, folder.cleanup)
    else:
        engine = create_engine(parsed, connect_args={"timeout": BUSY_S})
    event.listen(engine, "connect", _pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _pragmas(dbapi_connection: Any, _record: Any) -> None:
    # The driver must not open transactions of its own, or BEGIN IMMEDIATE below comes too late.
    dbapi_connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_S * 1000}", "foreign_keys=ON"):
        dbapi_connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
