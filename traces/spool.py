"""A temporary SQLite file: what must be looked up by key while reading, without growing in memory."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self


class Spool:
    """Named tables of key -> value on disk. Gone when closed, and when the object or the process ends."""

    def __init__(self, *tables: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tracejury-", ignore_cleanup_errors=True)
        self._lock = threading.Lock()
        self._sql = sqlite3.connect(Path(self._folder.name) / "spool.db", check_same_thread=False, isolation_level=None)
        # Nothing here outlives the process, so nothing is worth waiting for the disk.
        self._sql.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-4000;")
        for table in tables:
            self._sql.execute(f'CREATE TABLE "{table}" (n INTEGER PRIMARY KEY, key TEXT UNIQUE, value TEXT)')

        # One transaction that is never committed: the file is read through this connection alone.
        self._sql.execute("BEGIN")

    def add(self, table: str, key: str, value: str) -> bool:
        """Store `value`; False, and nothing stored, where the key is already there."""
        with self._lock:
            cursor = self._sql.execute(f'INSERT OR IGNORE INTO "{table}" (key, value) VALUES (?, ?)', (key, value))  # noqa: S608
            return cursor.rowcount > 0

    def get(self, table: str, key: str) -> str | None:
        """Return the value of `key`, or None."""
        with self._lock:
            row = self._sql.execute(f'SELECT value FROM "{table}" WHERE key = ?', (key,)).fetchone()  # noqa: S608
        return None if row is None else str(row[0])

    def count(self, table: str) -> int:
        """Return the number of keys."""
        with self._lock:
            return int(self._sql.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])  # noqa: S608

    def after(self, table: str, n: int, most: int = 200) -> list[tuple[int, str, str]]:
        """Return up to `most` rows (n, key, value) that follow row `n`, in the order stored; start with n = 0."""
        with self._lock:
            rows = self._sql.execute(
                f'SELECT n, key, value FROM "{table}" WHERE n > ? ORDER BY n LIMIT ?',  # noqa: S608
                (n, most),
            )
            return [(int(row[0]), str(row[1]), str(row[2])) for row in rows]

    def close(self) -> None:
        """Remove the file."""
        with self._lock:
            self._sql.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
