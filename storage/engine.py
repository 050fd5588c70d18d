"""Open a database: the same way for the ledger, the call store and the response cache, on SQLite and on Postgres."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, Insert, Table, create_engine, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

BUSY_S = 60
"""Seconds that a SQLite connection waits for another's lock."""

# The Postgres advisory lock for changes of tables; on SQLite the write lock serves.
_TABLE_CHANGE_LOCK = 7_405_318
_SECRET_PARAMETERS = ("password", "sslpassword")
# A server that vanishes without closing its connections (a dead machine, a pulled cable) is noticed within a minute;
# the defaults of the operating system wait for hours.
_KEEPALIVE_PARAMETERS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
    "application_name": "tracejury",
}


class StoreError(OSError):
    """The database cannot be opened, or it did not come back in time; the message names it without a password."""


def hide_password(url: str | URL) -> str:
    """Return a database URL for messages and files, with `***` in place of any password."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return "a URL that cannot be read"
    query = {name: "***" if name in _SECRET_PARAMETERS else value for name, value in parsed.query.items()}
    return parsed.set(query=query).render_as_string(hide_password=True).replace("%2A%2A%2A", "***")


def open_engine(url: str) -> Engine:
    """Return an engine for `url` (`sqlite:///file.db`, `sqlite://` for a file that lives as long as the engine, `postgresql+psycopg://...`).

    SQLite runs with write-ahead logging and `synchronous=NORMAL`: committed rows survive the death of the process at
    any moment (a power cut may lose the last commits, never the file's integrity). Transactions of connections with
    the execution option `write` take the write lock at their start: a read that turns into a write later fails at once,
    without waiting, when another connection wrote in between.

    Raises:
        ValueError: The URL names neither SQLite nor Postgres.
        ModuleNotFoundError: The database's driver is not installed.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        return _postgres(parsed)
    if parsed.database in (None, "", ":memory:"):
        # An in-memory database belongs to one connection, and readers work beside the writer here; a temporary file
        # that is deleted with the engine behaves like any other database.
        folder = tempfile.TemporaryDirectory(prefix="tracejury-", ignore_cleanup_errors=True)
        engine = create_engine(parsed.set(database=f"{folder.name}/store.db"), connect_args={"timeout": BUSY_S})
        weakref.finalize(engine, folder.cleanup)
    else:
        engine = create_engine(parsed, connect_args={"timeout": BUSY_S})
        identity = _FileIdentity(Path(parsed.database))
        event.listen(engine, "connect", identity.remember)
        event.listen(engine, "begin", identity.check)
    event.listen(engine, "connect", _pragmas)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _unwritable)
    return engine


@contextmanager
def open_transaction(engine: Engine, *, changing_tables: bool = False) -> Iterator[Connection]:
    """Open a connection to the database and a transaction on it.

    Args:
        engine: The database.
        changing_tables: Tables are created or changed; one process at a time may do so.

    Raises:
        StoreError: The connection failed: the server is down, the folder is missing or the password is wrong.
    """
    try:
        connecting = engine.connect()
    except DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        raise StoreError(f"cannot open the ledger {hide_password(engine.url)}: {reason}") from error
    with connecting.execution_options(write=changing_tables) as connection, connection.begin():
        if changing_tables and connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_TABLE_CHANGE_LOCK)))
        yield connection


@cache
def insert_new(dialect: str, table: Table, key: tuple[str, ...] | None = None) -> Any:
    """Return a statement that inserts a row unless it exists, so that the statement can be repeated.

    The statement is cached: building and hashing it takes longer than SQLite takes to run it.

    Args:
        dialect: The name of the engine's dialect.
        table: The table.
        key: The columns that identify a row; None: any unique columns.
    """
    insert: Insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    return insert.on_conflict_do_nothing(index_elements=key)  # type: ignore[attr-defined]


def _parsed(url: str) -> URL:
    # Not chained: SQLAlchemy's message about an unreadable URL contains the whole URL, password included.
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("sqlite", "postgresql"):
        kind = "" if parsed is None else f" {parsed.get_backend_name()!r}"
        raise ValueError(
            f"this is not the URL of a ledger{kind}: give sqlite:///FILE or postgresql://USER@HOST/DATABASE"
        )
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
    keepalive = {name: value for name, value in _KEEPALIVE_PARAMETERS.items() if name not in parsed.query}
    return create_engine(parsed, pool_pre_ping=True, max_overflow=30, connect_args=keepalive)


class _FileIdentity:
    """Which file a SQLite database is: on Unix a removed file takes writes to the end, and nobody reads them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._first: tuple[int, int] | None = None

    def remember(self, _connection: Any, _record: Any) -> None:
        if self._first is None and self._path.is_file():
            self._first = self._now()

    def check(self, connection: Connection) -> None:
        if self._first is None or not connection.get_execution_options().get("write", False):
            return
        now = self._now()
        if now != self._first:
            change = "removed" if now is None else "replaced by another file"
            raise StoreError(
                f"the ledger {self._path} was {change} while it was written to; what was not committed before is in "
                "neither. Put the file back, or run the same command again: it judges what this ledger lacks"
            )

    def _now(self) -> tuple[int, int] | None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return None
        return stat.st_dev, stat.st_ino


def _pragmas(dbapi_connection: Any, _record: Any) -> None:
    # The driver must not open transactions of its own, or BEGIN IMMEDIATE below comes too late.
    dbapi_connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_S * 1000}", "foreign_keys=ON"):
        dbapi_connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


# SQLite errors that neither waiting nor another statement can mend, and the advice for the user.
_REMEDIES = {
    "SQLITE_FULL": "free some space, and the same command goes on from there",
    "SQLITE_IOERR": "check that the disk works and has free space, and the same command goes on from there",
    "SQLITE_READONLY": "make the file and its folder writable, and the same command goes on from there",
}


def _unwritable(context: ExceptionContext) -> None:
    """Turn an error of a full or read-only disk into the one error that ends a run with a message."""
    error = context.original_exception
    error_name = getattr(error, "sqlite_errorname", "")
    remedy = next((advice for name, advice in _REMEDIES.items() if error_name.startswith(name)), None)
    if remedy is not None and context.engine is not None:
        raise StoreError(
            f"the ledger {hide_password(context.engine.url)} cannot be written: {error}; {remedy}"
        ) from error
