"""Leases: of all processes that use a database, one at a time holds a name, and a dead process holds nothing.

No clock is compared. On SQLite the lease is a lock of the operating system on a file beside the database; on Postgres
it is an advisory lock of a session that stays open. Either goes with its process, however that ends, and stays with a
process that is only suspended.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PATIENCE_S = 3.0
"""How long a lease is asked for before it is refused: a server notices after a moment that a session's process died."""
RETRY_S = 0.2

# A machine that vanishes without closing its connections loses its lease within half a minute.
_SESSION_SETTINGS = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "idle_in_transaction_session_timeout": "0",
}


class LeaseHeldError(ValueError):
    """Another process holds the lease; `holder` names it."""

    def __init__(self, name: str, holder: str) -> None:
        super().__init__(f"{name} is held by {holder}")
        self.holder = holder


class Lease(Protocol):
    """A lease that this process holds."""

    def still_held(self) -> bool:
        """Check the lease, and take it again after a lost connection; False: another process has it now."""
        ...

    def release(self) -> None:
        """Let others have it."""
        ...


def acquire_lease(engine: Engine, name: str, patience_s: float = PATIENCE_S) -> Lease:
    """Acquire the lease of this name in a database.

    Args:
        engine: The database.
        name: Letters, digits and dashes.
        patience_s: How long to try.

    Raises:
        LeaseHeldError: Another process, or another call in this one, holds it.
        StoreError: The lock file cannot be written.
    """
    lease = _ServerLease(engine, name) if engine.dialect.name == "postgresql" else _FileLease(engine, name)
    until = time.monotonic() + patience_s
    while not lease.acquire():
        if time.monotonic() >= until:
            raise LeaseHeldError(name, lease.holder() or "another process")
        time.sleep(RETRY_S)
    return lease


def _this_process() -> str:
    # Postgres keeps 63 characters of it.
    return f"process {os.getpid()} on {socket.gethostname()[:16]} since {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


class _FileLease:
    """A lock on a file that exists as long as the lease; a killed process leaves the file, unlocked."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._path = Path(f"{engine.url.database}.{name}.lease")
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        if fcntl is None:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        if not self._is_linked(descriptor):  # its holder released it between the two calls
            os.close(descriptor)
            return self.acquire()
        os.truncate(descriptor, 0)
        os.write(descriptor, _this_process().encode())
        self._descriptor = descriptor
        return True

    def _is_linked(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def holder(self) -> str:
        try:
            return self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def still_held(self) -> bool:
        return True

    def release(self) -> None:
        if self._descriptor is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None


class _ServerLease:
    """An advisory lock of a transaction that stays open, so that it also holds behind a pool of connections."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._key = int.from_bytes(hashlib.sha256(f"tracejury {name}".encode()).digest()[:8], "big", signed=True)
        self._connection: Connection | None = None
        self._session: int | None = None

    def acquire(self) -> bool:
        connection = self._engine.connect()
        connection.begin()
        for setting, value in (*_SESSION_SETTINGS.items(), ("application_name", _this_process())):
            connection.execute(text("SELECT set_config(:setting, :value, true)"), {"setting": setting, "value": value})
        if not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": self._key}):
            connection.close()
            return False
        self._connection, self._session = connection, connection.scalar(text("SELECT pg_backend_pid()"))
        return True

    def holder(self) -> str:
        return self._holding_session()[1]

    def still_held(self) -> bool:
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                return True
        except DBAPIError:
            self._drop_connection()
        try:
            # The server may not have noticed yet that the old session is gone.
            return self.acquire() or self._holding_session()[0] in (None, self._session)
        except DBAPIError:
            return True  # the server is away, for others too

    def release(self) -> None:
        self._drop_connection()

    def _drop_connection(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(DBAPIError):
                self._connection.close()
            self._connection = None

    def _holding_session(self) -> tuple[int | None, str]:
        """Return the server process that holds the lock, and the name that it goes by."""
        query = text(
            "SELECT l.pid, coalesce(a.application_name, '') FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid) "
            "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 "
            "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND ((l.classid::bigint << 32) | l.objid::bigint) = :key"
        )
        with self._engine.connect() as connection:
            row = connection.execute(query, {"key": self._key}).first()
        return (None, "") if row is None else (row[0], row[1])
