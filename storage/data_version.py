"""Whether a database has changed, without reading it."""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy import Engine


class DataVersion:
    """The version of a SQLite database's contents, which every commit changes. It is safe from any thread.

    Args:
        engine: The database. Of Postgres no version is known: it has none that is cheap to ask for.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._connection: Any = None

    def read(self) -> int | None:
        """Return the version, which compares with what this object returned before; None: unknown."""
        if self._engine.dialect.name != "sqlite":
            return None
        with self._lock:
            # SQLite counts the commits of other connections since this one was opened, so it stays open.
            if self._connection is None:
                self._connection = self._engine.raw_connection()
            version: int = self._connection.cursor().execute("PRAGMA data_version").fetchone()[0]
            return version
