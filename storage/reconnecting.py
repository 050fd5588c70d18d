"""A database server that went away is waited for: it restarts, or the network comes back, and the run goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from tenacity import RetryError, Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from tracejury.storage.engine import StoreError, hidden

RECONNECT_S = 120.0
"""How long a lost server is waited for before the run gives up."""

Made = TypeVar("Made")

_log = logging.getLogger(__name__)
_given_up: WeakKeyDictionary[Engine, StoreError] = WeakKeyDictionary()
# What Postgres and the driver say where a new connection cannot be had for now; wrong passwords and names stay wrong.
_FOR_NOW = ("refused", "starting up", "shutting down", "recovery", "not yet accepting", "terminat", "closed", "timeout")


def patiently(engine: Engine, work: Callable[[Connection], Made], *, write: bool = False) -> Made:
    """Run `work(connection)` in a transaction; again, from the start, as long as the server is away.

    After a lost connection nobody can tell whether the last commit arrived: a write must be repeatable (insert or
    ignore, upsert). Blocks: call it from a thread where an event loop must go on.

    Args:
        engine: The database.
        work: What to do; nothing but what it does on the connection.
        write: Take the write lock at the start (SQLite).

    Returns:
        What `work` returned.

    Raises:
        StoreError: The server did not come back in time. Other errors are `work`'s own.
    """
    try:
        made = _waiting(engine, work, write)
    except StoreError as error:
        _given_up[engine] = error
        raise
    if write and _given_up:
        # A full disk can be read from: that says nothing.
        _given_up.pop(engine, None)
    return made


def given_up(engine: Engine) -> StoreError | None:
    """Return why the database was given up by whoever used it last, in any thread; None: it takes writes."""
    return _given_up.get(engine)


def _waiting(engine: Engine, work: Callable[[Connection], Made], write: bool) -> Made:
    def attempt() -> Made:
        with engine.connect().execution_options(write=write) as connection, connection.begin():
            return work(connection)

    try:
        return attempt()
    except DBAPIError as error:
        if not lost(engine, error):
            raise
    name = hidden(engine.url)
    _log.warning("the database %s does not answer; waiting for it, %.0f s at most", name, RECONNECT_S)
    trying = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, DBAPIError) and lost(engine, error)),
        # Jitter, so that the workers of a cluster do not all come back at once.
        wait=wait_random_exponential(multiplier=0.2, max=5.0, min=0.1),
        stop=stop_after_delay(RECONNECT_S),
    )
    try:
        return trying(attempt)
    except RetryError as given_up:
        raise StoreError(
            f"the database {name} has not answered for {RECONNECT_S:.0f} s; what was committed stands, and the same "
            "command goes on from there"
        ) from given_up.last_attempt.exception()


def lost(engine: Engine, error: DBAPIError) -> bool:
    """Whether the database's server went away, or another process keeps SQLite locked: trying again makes sense."""
    if error.connection_invalidated or getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
        return True
    return engine.dialect.name == "postgresql" and any(word in str(error.orig).lower() for word in _FOR_NOW)
