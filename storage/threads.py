"""Blocking work in daemon threads: a cancelled caller returns at once, and a stuck thread does not keep the process."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_Job = Callable[[], None]
_IDLE_S = 30.0
_idle: list[queue.SimpleQueue[_Job]] = []
_lock = threading.Lock()


async def run_in_thread(
    function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """Run `function` in a daemon thread and return its result.

    `asyncio.to_thread` uses threads that `asyncio.run` and the interpreter wait for at their end, so a thread that is
    stuck in a database or a model keeps the process. Here a cancelled call leaves its thread behind: the thread goes on
    with `function`, nobody gets the result, and the end of the process ends it.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()
    context = contextvars.copy_context()

    def job() -> None:
        try:
            result = context.run(function, *args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - raised in the caller
            _deliver(loop, future, None, error)
        else:
            _deliver(loop, future, result, None)

    _start(job)
    return await future


def _deliver(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], result: Any, error: BaseException | None
) -> None:
    def resolve() -> None:
        if future.done():  # the caller was cancelled
            return
        if error is None:
            future.set_result(result)
        elif isinstance(error, StopIteration):
            future.set_exception(RuntimeError("the function raised StopIteration"))
        else:
            future.set_exception(error)

    try:
        loop.call_soon_threadsafe(resolve)
    except RuntimeError:
        return  # the loop is closed, and so nobody waits


def _start(job: _Job) -> None:
    with _lock:
        jobs = _idle.pop() if _idle else None
    if jobs is None:
        jobs = queue.SimpleQueue()
        threading.Thread(target=_work, args=(jobs,), name="tracejury-blocking", daemon=True).start()
    jobs.put(job)


def _work(jobs: queue.SimpleQueue[_Job]) -> None:
    while True:
        try:
            job = jobs.get(timeout=_IDLE_S)
        except queue.Empty:
            with _lock:
                if jobs not in _idle:
                    continue  # a job is on its way
                _idle.remove(jobs)
            return
        job()
        del job
        with _lock:
            _idle.append(jobs)
