"""Named tables of keys and values in a SQLite file, in the order of insertion."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Generic, NamedTuple, Self, TypeVar

Value = TypeVar("Value", str, bytes)

_KEYS_A_QUERY = 400
"""SQLite allows 999 parameters in its oldest versions."""


class Entry(NamedTuple, Generic[Value]):
    """A row of a table."""

    number: int
    """Position in the order of insertion; the first is 1 or more."""
    key: str
    value: Value


class KeyValueStore(Generic[Value]):
    """Tables of text keys and values, on disk, so that memory does not grow with their number. Safe between threads.

    Args:
        tables: The names of the tables; a missing one is created.
        path: The file, which several processes may share; its folder is created. None: a temporary file that goes with
            this object.
    """

    def __init__(self, *tables: str, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite makes a temporary file of its own, deleted with the connection, where the name is empty.
        self._connection = sqlite3.connect(path or "", timeout=60, check_same_thread=False, isolation_level=None)
        if path is None:
            # A temporary file needs no protection against a crash.
            pragmas: tuple[str, ...] = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-16000")
        else:
            pragmas = ("journal_mode=WAL", "synchronous=NORMAL")
        for pragma in pragmas:
            self._connection.execute(f"PRAGMA {pragma}")
        for table in tables:
            self._connection.execute(
                f'CREATE TABLE IF NOT EXISTS "{table}" (number INTEGER PRIMARY KEY, key TEXT UNIQUE, value)'
            )
        self._inserts = {t: f'INSERT OR IGNORE INTO "{t}" (key, value) VALUES (?, ?)' for t in tables}  # noqa: S608
        self._queries = {t: f'SELECT value FROM "{t}" WHERE key = ?' for t in tables}  # noqa: S608
        # Calls that come for every record share a cursor, under the lock.
        self._cursor = self._connection.cursor()
        if path is None:
            # One transaction that is never committed: nobody else reads the file.
            self._connection.execute("BEGIN")

    def add(self, table: str, key: str, value: Value) -> bool:
        """Insert `value` unless `key` exists; return whether it was inserted."""
        with self._lock:
            return self._cursor.execute(self._inserts[table], (key, value)).rowcount > 0

    def replace(self, table: str, values: Mapping[str, Value]) -> None:
        """Write values by key, over those that exist, in one transaction."""
        with self._lock:
            nested = self._connection.in_transaction
            if not nested:
                self._connection.execute("BEGIN IMMEDIATE")
            statement = (
                f'INSERT INTO "{table}" (key, value) VALUES (?, ?) '  # noqa: S608
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            )
            self._connection.executemany(statement, values.items())
            if not nested:
                self._connection.execute("COMMIT")

    def get(self, table: str, key: str) -> Value | None:
        """Return the value of `key`, or None."""
        with self._lock:
            row = self._cursor.execute(self._queries[table], (key,)).fetchone()
        return None if row is None else row[0]

    def get_following(self, table: str, key: str, limit: int) -> list[Entry[Value]]:
        """Return the entry of `key` and those inserted after it, up to `limit`; nothing where there is no such key."""
        query = (
            f'SELECT number, key, value FROM "{table}" '  # noqa: S608
            f'WHERE number >= (SELECT number FROM "{table}" WHERE key = ?) ORDER BY number LIMIT ?'
        )
        with self._lock:
            return [Entry(*row) for row in self._cursor.execute(query, (key, limit))]

    def get_many(self, table: str, keys: Sequence[str]) -> dict[str, Value]:
        """Return the values of those `keys` that exist."""
        values: dict[str, Value] = {}
        for start in range(0, len(keys), _KEYS_A_QUERY):
            part = tuple(keys[start : start + _KEYS_A_QUERY])
            marks = ",".join("?" * len(part))
            with self._lock:
                values.update(
                    self._connection.execute(f'SELECT key, value FROM "{table}" WHERE key IN ({marks})', part)  # noqa: S608
                )
        return values

    def count(self, table: str) -> int:
        """Return the number of keys."""
        with self._lock:
            return int(self._connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])  # noqa: S608

    def after(self, table: str, number: int, limit: int = 200) -> list[Entry[Value]]:
        """Return up to `limit` entries that follow entry `number`, in the order of insertion; start with 0."""
        query = f'SELECT number, key, value FROM "{table}" WHERE number > ? ORDER BY number LIMIT ?'  # noqa: S608
        with self._lock:
            return [Entry(*row) for row in self._connection.execute(query, (number, limit))]

    def close(self) -> None:
        """Close the file; a temporary one is deleted."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
