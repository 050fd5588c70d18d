"""The single writer of a process: one thread, one connection, many writes in one commit."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine

from tracejury.storage.engine import StoreError
from tracejury.storage.reconnecting import run_when_reachable

Write = Callable[[Connection], None]
GroupWrite = Callable[[Connection, list[Any]], None]

PAUSE_S = 0.025
"""A commit follows the last one after this time at the earliest: what comes in between shares it. A write that comes
later than that is committed at once."""


class _RowWrite(NamedTuple):
    """A row for a statement; all rows of a transaction for the same statement go to the database together."""

    statement: Any
    row: dict[str, Any]


class _PartOfGroup(NamedTuple):
    """A record for `write_all`, which gets all records of a transaction together."""

    write_all: GroupWrite
    record: Any


class _Item(NamedTuple):
    write: Write | _RowWrite | _PartOfGroup
    loop: asyncio.AbstractEventLoop | None
    committed: asyncio.Future[None] | None


class Writer:
    """Serialises the writes of a process and commits all pending ones in one transaction.

    An awaited write is durable. The longer a commit takes, the more writes share the next one, so the cost of
    durability per write falls under load. A write must be repeatable (insert or ignore, upsert): after a lost
    connection it is unknown whether the last commit arrived, so the transaction is run again.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._failed: Exception | None = None
        self._abandoned = threading.Event()

    async def write(self, write: Write) -> None:
        """Run `write(connection)` in the writer's next transaction and return once it is durable.

        Raises:
            Exception: The error of `write` or of the commit; other writes of the transaction are not affected.
        """
        await self._enqueue(write)

    async def insert(self, statement: Any, row: dict[str, Any]) -> None:
        """Run `statement` with `row`, together with pending rows for the same statement; return once it is durable.

        Raises:
            Exception: As for `write`.
        """
        await self._enqueue(_RowWrite(statement, row))

    async def write_in_group(self, write_all: GroupWrite, record: Any) -> None:
        """Run `write_all(connection, records)` with the records of all pending calls; return once they are durable.

        Args:
            write_all: The same object for all records that are to be written together.
            record: One record.

        Raises:
            Exception: As for `write`; after an error each record is written by itself.
        """
        await self._enqueue(_PartOfGroup(write_all, record))

    def add(self, statement: Any, row: dict[str, Any]) -> None:
        """Queue `row` and return at once; it becomes durable no later than any write that is queued after it."""
        self._append(_Item(_RowWrite(statement, row), None, None))

    def submit(self, write: Write) -> None:
        """Queue `write` and return at once; `close` raises if it failed."""
        self._append(_Item(write, None, None))

    def close(self, patience_s: float | None = None) -> None:
        """Commit pending writes, then stop the thread. A later write starts it again.

        Args:
            patience_s: Wait this long for the commit; after it the pending writes are abandoned, and nothing more is
                written. None: wait as long as it takes.

        Raises:
            Exception: The error of a write that was queued by `submit`.
        """
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._queue.put(None)
        if thread is not None:
            thread.join(patience_s)
            if thread.is_alive():
                self._abandoned.set()
                return
        failed, self._failed = self._failed, None
        if failed is not None:
            raise failed

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _enqueue(self, write: Write | _RowWrite | _PartOfGroup) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        committed: asyncio.Future[None] = loop.create_future()
        self._append(_Item(write, loop, committed))
        return committed

    def _append(self, item: _Item) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    # A daemon, so that an interrupted run can end; `close` commits pending writes.
                    self._thread = threading.Thread(target=self._run, name="tracejury-writer", daemon=True)
                    self._thread.start()
        self._queue.put(item)

    def _run(self) -> None:
        earliest = 0.0
        while True:
            items, last = self._next_items(earliest)
            if items:
                self._commit(items)
            if last:
                return
            earliest = time.monotonic() + PAUSE_S

    def _next_items(self, earliest: float) -> tuple[list[_Item], bool]:
        items: list[_Item] = []
        item = self._queue.get()
        if item is not None:
            time.sleep(max(0.0, earliest - time.monotonic()))
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
            writes = [item.write for item in items]
            run_when_reachable(
                self.engine, lambda connection: _execute(connection, writes), write=True, abandoned=self._abandoned
            )
        except StoreError as error:
            # The database accepts no write at all, so single writes would fail in the same way.
            self._resolve(items, error)
        except Exception as error:  # noqa: BLE001 - passed to the caller that awaits the write
            if len(items) == 1:
                self._resolve(items, error)
                return
            # One write spoiled the transaction; each now gets a transaction of its own, so that only that one fails.
            for item in items:
                self._commit([item])
        else:
            self._resolve(items, None)

    def _resolve(self, items: list[_Item], error: Exception | None) -> None:
        # One wake-up of the event loop for the whole transaction instead of one for each write.
        waiting: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = defaultdict(list)
        for item in items:
            if item.loop is not None and item.committed is not None:
                waiting[item.loop].append(item.committed)
            elif error is not None:
                self._failed = error
        for loop, futures in waiting.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_set_results, futures, error)


def _execute(connection: Connection, writes: list[Write | _RowWrite | _PartOfGroup]) -> None:
    rows_by_statement: dict[int, tuple[Any, list[dict[str, Any]]]] = {}
    groups: dict[int, list[Any]] = {}
    for write in writes:
        if isinstance(write, _RowWrite):
            rows_by_statement.setdefault(id(write.statement), (write.statement, []))[1].append(write.row)
        elif isinstance(write, _PartOfGroup):
            groups.setdefault(id(write.write_all), []).append(write.record)
    # Rows go first: other writes of the same transaction may refer to them, never the other way round.
    for statement, rows in rows_by_statement.values():
        connection.execute(statement, rows)
    for write in writes:
        if isinstance(write, _PartOfGroup):
            if records := groups.pop(id(write.write_all), None):
                write.write_all(connection, records)
        elif not isinstance(write, _RowWrite):
            write(connection)


def _set_results(futures: list[asyncio.Future[None]], error: Exception | None) -> None:
    for future in futures:
        if future.done():  # it was cancelled
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
