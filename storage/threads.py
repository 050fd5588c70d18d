"""Blocking work in daemon threads: a cancelled caller returns at once, and a stuck thread does not keep the process."""

from __future__ import annotations

import asyncio
import contextvars
import os
import queue
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_Job = Callable[[], None]
MOST_THREADS = min(32, (os.cpu_count() or 1) + 4)


async def run_in_thread(
    function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """Run `function` in a daemon thread and return its result.

    `asyncio.to_thread` uses threads that `asyncio.run` and the interpreter wait for at their end, so a thread that is
    stuck in a database or a model keeps the process. Here a cancelled call leaves its thread behind: nobody gets its
    result, and the end of the process ends it.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()
    context = contextvars.copy_context()

    def job() -> None:
        if future.cancelled():
            return
        try:
            result = context.run(function, *args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - raised in the caller
            _deliver(loop, future, None, error)
        else:
            _deliver(loop, future, result, None)

    _pool.start(job)
    return await future


def _deliver(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], result: Any, error: BaseException | None
) -> None:
    def resolve() -> None:
        if future.done():  # the caller was cancelled
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    try:
        loop.call_soon_threadsafe(resolve)
    except RuntimeError:
        return  # the loop is closed, and so nobody waits


class _Pool:
    """Daemon threads that take jobs in order; one is started where none is idle."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._count = 0

    def start(self, job: _Job) -> None:
        self._jobs.put(job)
        if self._idle.acquire(blocking=False):
            return
        with self._lock:
            if self._count == MOST_THREADS:
                return
            self._count += 1
        threading.Thread(target=self._work, name="tracejury-blocking", daemon=True).start()

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                self._idle.release()
                job = self._jobs.get()
            job()
            del job


_pool = _Pool()
