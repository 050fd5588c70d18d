"""Wait for a database server that went away: it restarts, or the network comes back, and the run goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception,
    sleep_using_event,
    stop_after_delay,
    stop_any,
    stop_when_event_set,
    wait_random_exponential,
)

from tracejury.storage.engine import StoreError, hide_password

RECONNECT_S = 120.0
"""How long a call waits for a lost server before the run gives up."""

Result = TypeVar("Result")

_log = logging.getLogger(__name__)
_unreachable: WeakKeyDictionary[Engine, StoreError] = WeakKeyDictionary()
# Words of Postgres and its driver for a connection that is impossible only for now; a wrong password stays wrong.
_TEMPORARY = (
    "refused",
    "starting up",
    "shutting down",
    "recovery",
    "not yet accepting",
    "terminat",
    "closed",
    "timeout",
    # Others use every connection that the server, or this user, may have.
    "too many",
    "connection slots",
)


def run_when_reachable(
    engine: Engine,
    work: Callable[[Connection], Result],
    *,
    write: bool = False,
    abandoned: threading.Event | None = None,
) -> Result:
    """Run `work(connection)` in a transaction, and repeat it from the start as long as the server is away.

    After a lost connection it is unknown whether the last commit arrived, so a write must be repeatable (insert or
    ignore, upsert). The call blocks: run it in a thread where an event loop must go on.

    Args:
        engine: The database.
        work: Does everything on the connection that it is passed, and has no other effect.
        write: Take the write lock at the start (SQLite).
        abandoned: Once set, nothing more is committed and no further attempt is made.

    Returns:
        What `work` returned.

    Raises:
        StoreError: The server did not come back in time, or the work was abandoned. Other errors are those of `work`.
    """
    try:
        result = _run_with_retries(engine, work, write, abandoned or threading.Event())
    except StoreError as error:
        _unreachable[engine] = error
        raise
    if write and _unreachable:
        # Only a write proves that the database is back: a full disk can still be read.
        _unreachable.pop(engine, None)
    return result


def unreachable_error(engine: Engine) -> StoreError | None:
    """Return why the last user of the database, in any thread, gave it up; None: the database accepts writes."""
    return _unreachable.get(engine)


def _run_with_retries(
    engine: Engine, work: Callable[[Connection], Result], write: bool, abandoned: threading.Event
) -> Result:
    def attempt() -> Result:
        with engine.connect().execution_options(write=write) as connection, connection.begin():
            result = work(connection)
            if abandoned.is_set():
                raise StoreError("the write was abandoned before its commit")
            return result

    try:
        return attempt()
    except DBAPIError as error:
        if not is_outage(engine, error):
            raise
    name = hide_password(engine.url)
    _log.warning("the database %s does not answer; waiting up to %.0f s for it", name, RECONNECT_S)
    retrying = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, DBAPIError) and is_outage(engine, error)),
        # Jitter keeps the workers of a cluster from coming back at the same moment.
        wait=wait_random_exponential(multiplier=0.2, max=5.0, min=0.1),
        stop=stop_any(stop_after_delay(RECONNECT_S), stop_when_event_set(abandoned)),
        sleep=sleep_using_event(abandoned),
    )
    try:
        return retrying(attempt)
    except RetryError as exhausted:
        raise StoreError(
            f"the database {name} has not answered for {RECONNECT_S:.0f} s; everything committed so far is kept, and "
            "the same command goes on from there"
        ) from exhausted.last_attempt.exception()


def is_outage(engine: Engine, error: DBAPIError) -> bool:
    """Whether the database server went away, or another process keeps SQLite locked, so that a retry makes sense."""
    if error.connection_invalidated or getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
        return True
    return engine.dialect.name == "postgresql" and any(word in str(error.orig).lower() for word in _TEMPORARY)
