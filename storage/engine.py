"""Opening the store: one way for the ledger, the call store and the response cache, on SQLite and on Postgres."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, Insert, Table, create_engine, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

BUSY_S = 60
"""Seconds that a SQLite connection waits for another's lock."""

# Of Postgres' advisory locks; SQLite's write lock does the same there.
_MAKING = 7_405_318
_SECRETS = ("password", "sslpassword")
# A server that vanished without a word (its machine died, a cable was pulled) is noticed within a minute, where the
# system's own patience is hours.
_NOTICE_LOSS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
    "application_name": "tracejury",
}


class StoreError(OSError):
    """The database cannot be opened, or went away for good; the message names it, without a password."""


def hidden(url: str | URL) -> str:
    """Return a database URL for people and files: any password in it is `***`."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return "a URL that cannot be read"
    shown = {name: "***" if name in _SECRETS else value for name, value in parsed.query.items()}
    return parsed.set(query=shown).render_as_string(hide_password=True).replace("%2A%2A%2A", "***")


def open_engine(url: str) -> Engine:
    """Return an engine for `url` (`sqlite:///file.db`, `sqlite://` for a file that lives as long as the engine, `postgresql+psycopg://...`).

    SQLite is set to write-ahead logging with `synchronous=NORMAL`: what is committed survives the death of the process
    at any moment (a power cut may take the last commits, never the file's integrity). Transactions of connections with
    the execution option `write` take the write lock at their start, since a read that turns into a write later fails at
    once, without waiting, when somebody else wrote in between.

    Raises:
        ValueError: The URL is not one of SQLite or Postgres.
        ModuleNotFoundError: The database's driver is not installed.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        return _postgres(parsed)
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
    event.listen(engine, "handle_error", _unwritable)
    return engine


@contextmanager
def opened(engine: Engine, *, making: bool = False) -> Iterator[Connection]:
    """Give the first connection to a database, in a transaction.

    Args:
        engine: The database.
        making: Tables are made or changed: one process at a time does so.

    Raises:
        StoreError: There is no connection to be had: the server is down, the folder is missing, the password is wrong.
    """
    try:
        connecting = engine.connect()
    except DBAPIError as error:
        told = " ".join(str(error.orig).split())
        raise StoreError(f"cannot open the ledger {hidden(engine.url)}: {told}") from error
    with connecting.execution_options(write=making) as connection, connection.begin():
        if making and connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_MAKING)))
        yield connection


@cache
def insert_new(dialect: str, table: Table, key: tuple[str, ...] | None = None) -> Any:
    """Return a statement that inserts what is not there yet, so that it may be made again.

    Built once: building and hashing it takes longer than SQLite takes to run it.

    Args:
        dialect: The name of the engine's.
        table: The table.
        key: The columns that tell what is there; None: any that are unique.
    """
    insert: Insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    return insert.on_conflict_do_nothing(index_elements=key)  # type: ignore[attr-defined]


def _parsed(url: str) -> URL:
    # Not chained: what SQLAlchemy says of a URL that it cannot read is the URL, password and all.
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("sqlite", "postgresql"):
        kind = "" if parsed is None else f" {parsed.get_backend_name()!r}"
        raise ValueError(f"not the URL of a ledger{kind}: give sqlite:///FILE or postgresql://USER@HOST/DATABASE")
    return parsed


def _postgres(parsed: URL) -> Engine:
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    try:
        driver = parsed.get_dialect()
        driver.import_dbapi()
    except NoSuchModuleError:
        raise ValueError(f"no driver {parsed.drivername!r}; write postgresql://...") from None
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(f"{missing}; a ledger on Postgres needs: pip install 'tracejury[postgres]'") from None
    notice = {name: value for name, value in _NOTICE_LOSS.items() if name not in parsed.query}
    return create_engine(parsed, pool_pre_ping=True, max_overflow=30, connect_args=notice)


def _pragmas(dbapi_connection: Any, _record: Any) -> None:
    # The driver must not open transactions of its own, or BEGIN IMMEDIATE below comes too late.
    dbapi_connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_S * 1000}", "foreign_keys=ON"):
        dbapi_connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


# What SQLite says where neither waiting nor another statement helps, and what a user can do about it.
_MENDS = {
    "SQLITE_FULL": "free some space, and the same command goes on from there",
    "SQLITE_IOERR": "see that the disk works and has room, and the same command goes on from there",
    "SQLITE_READONLY": "make the file and its folder writable, and the same command goes on from there",
}


def _unwritable(context: ExceptionContext) -> None:
    """Turn a disk that takes nothing more into the one error that ends a run with a message."""
    error = context.original_exception
    said = getattr(error, "sqlite_errorname", "")
    mend = next((mend for name, mend in _MENDS.items() if said.startswith(name)), None)
    if mend is not None and context.engine is not None:
        raise StoreError(f"the ledger {hidden(context.engine.url)} cannot be written: {error}; {mend}") from error
