"""The single writer: one thread, one connection, many writes in a commit."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import defaultdict
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine

from tracejury.storage.engine import StoreError
from tracejury.storage.reconnecting import patiently

Write = Callable[[Connection], None]


class _Rows(NamedTuple):
    """Rows for one statement; those of a transaction go to the database together."""

    statement: Any
    row: dict[str, Any]


class _Item(NamedTuple):
    write: Write | _Rows
    loop: asyncio.AbstractEventLoop | None
    done: asyncio.Future[None] | None


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
        self._failed: Exception | None = None

    async def write(self, write: Write) -> None:
        """Run `write(connection)` in the writer's next transaction; return when that is durable.

        Raises:
            Exception: What `write` or the commit raised; other writes of the transaction are not affected.
        """
        await self._put(write)

    async def insert(self, statement: Any, row: dict[str, Any]) -> None:
        """Run a statement with `row`, together with others that wait for the same; return when that is durable.

        Raises:
            Exception: As for `write`.
        """
        await self._put(_Rows(statement, row))

    def add(self, statement: Any, row: dict[str, Any]) -> None:
        """Queue `row` without waiting for it; it is durable no later than any write that is queued after it."""
        self._queue_up(_Item(_Rows(statement, row), None, None))

    def submit(self, write: Write) -> None:
        """Queue `write` without waiting for it; `close` raises if it failed."""
        self._queue_up(_Item(write, None, None))

    def close(self) -> None:
        """Write what waits, then stop the thread. A later write starts it again.

        Raises:
            Exception: What a write of `submit` raised.
        """
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._queue.put(None)
        if thread is not None:
            thread.join()
        failed, self._failed = self._failed, None
        if failed is not None:
            raise failed

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _put(self, write: Write | _Rows) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._queue_up(_Item(write, loop, done))
        return done

    def _queue_up(self, item: _Item) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    # A daemon: a run that is interrupted must be able to end; `close` writes what waits.
                    self._thread = threading.Thread(target=self._run, name="tracejury-writer", daemon=True)
                    self._thread.start()
        self._queue.put(item)

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
            writes = [item.write for item in items]
            patiently(self.engine, lambda connection: _execute(connection, writes), write=True)
        except StoreError as error:
            # It takes no write at all: each alone would only find that out again.
            self._tell(items, error)
        except Exception as error:  # noqa: BLE001 - belongs to whoever awaits the write
            if len(items) == 1:
                self._tell(items, error)
                return
            # One write spoiled the transaction: each gets one of its own, so that it fails alone.
            for item in items:
                self._commit([item])
        else:
            self._tell(items, None)

    def _tell(self, items: list[_Item], error: Exception | None) -> None:
        # One wake-up of the event loop for the whole transaction, not one a write.
        waiting: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = defaultdict(list)
        for item in items:
            if item.loop is not None and item.done is not None:
                waiting[item.loop].append(item.done)
            elif error is not None:
                self._failed = error
        for loop, futures in waiting.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_resolve, futures, error)


def _execute(connection: Connection, writes: list[Write | _Rows]) -> None:
    together: dict[int, tuple[Any, list[dict[str, Any]]]] = {}
    for write in writes:
        if isinstance(write, _Rows):
            together.setdefault(id(write.statement), (write.statement, []))[1].append(write.row)
    # Rows first: a later write of the same transaction may refer to them, never the other way round.
    for statement, rows in together.values():
        connection.execute(statement, rows)
    for write in writes:
        if not isinstance(write, _Rows):
            write(connection)


def _resolve(futures: list[asyncio.Future[None]], error: Exception | None) -> None:
    for future in futures:
        if future.done():  # cancelled meanwhile
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
