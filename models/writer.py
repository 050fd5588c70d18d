"""The single writer: one thread, one connection, many writes in a commit."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import NamedTuple

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

Write = Callable[[Connection], None]

RECONNECT_S = 120.0
"""How long a lost server (Postgres restarting) is waited for before the writes fail."""


class _Item(NamedTuple):
    write: Write
    done: Future[None]


class Writer:
    """Serialises the writes of a process, and commits all that wait in one transaction.

    A write that has been awaited is durable. Callers wait for a commit anyway, so the longer a commit takes, the more
    writes share the next one: the price of durability goes down under load. A write must be repeatable (insert or
    ignore, upsert): after a lost connection nobody can tell whether the last commit arrived, so it is made again.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    async def write(self, write: Write) -> None:
        """Run `write(connection)` in the writer's next transaction; return when that is durable.

        Raises:
            Exception: What `write` or the commit raised; other writes of the transaction are not affected.
        """
        await asyncio.wrap_future(self.submit(write))

    def submit(self, write: Write) -> Future[None]:
        """Queue `write` without waiting; the future is done when it is durable."""
        done: Future[None] = Future()
        with self._lock:
            if self._thread is None:
                # A daemon, for a run that is interrupted must be able to end; `close` writes what waits.
                self._thread = threading.Thread(target=self._run, name="tracejury-writer", daemon=True)
                self._thread.start()
            self._queue.put(_Item(write, done))
        return done

    def close(self) -> None:
        """Write what waits, then stop the thread. A later write starts it again."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._queue.put(None)
        if thread is not None:
            thread.join()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _run(self) -> None:
        while True:
            items, last = self._take()
            if items:
                self._commit(items)
            if last:
                return

    def _take(self) -> tuple[list[_Item], bool]:
        items: list[_Item] = []
        item = self._queue.get()
        while True:
            if item is None:
                return items, True
            items.append(item)
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return items, False

    def _commit(self, items: list[_Item]) -> None:
        try:
            self._transact([item.write for item in items])
        except Exception as error:  # noqa: BLE001 - belongs to whoever awaits the write
            if len(items) == 1:
                items[0].done.set_exception(error)
                return
            # One write spoiled the transaction: each gets one of its own, so that it fails alone.
            for item in items:
                self._commit([item])
            return
        for item in items:
            item.done.set_result(None)

    def _transact(self, writes: list[Write]) -> None:
        until = time.monotonic() + RECONNECT_S
        pause = 0.2
        while True:
            try:
                with self.engine.connect().execution_options(write=True) as connection, connection.begin():
                    for write in writes:
                        write(connection)
                return
            except DBAPIError as error:
                if not _lost(self.engine, error) or time.monotonic() + pause > until:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, 5.0)


def _lost(engine: Engine, error: DBAPIError) -> bool:
    """Whether the database's server went away, so that trying again makes sense."""
    if error.connection_invalidated:
        return True
    refused = ("refused", "starting up", "shutting down", "terminat", "closed")
    return engine.dialect.name == "postgresql" and any(word in str(error.orig).lower() for word in refused)
