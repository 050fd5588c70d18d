"""Time limits for code of other packages, whether it awaits, computes or blocks.

An awaited coroutine is cancelled at its limit. Code that blocks never gives the event loop a chance to cancel it, so a
timer signal interrupts it. Signals reach the main thread only: elsewhere, and on Windows, a function runs in a thread
of its own that is left behind at the limit, and a coroutine that blocks is not interrupted.
"""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Generic, TypeVar

from tracejury.traces.containment import contained

T = TypeVar("T")

_VARIABLE = "TRACEJURY_PLUGIN_TIME_LIMIT_S"
_DEFAULT_S = 60.0


class OverTimeError(Exception):
    """The time limit was reached."""


def plugin_time_limit_s() -> float:
    """Return the time limit of one call: `TRACEJURY_PLUGIN_TIME_LIMIT_S`, else 60 s.

    Raises:
        ValueError: The variable holds no positive number.
    """
    text = os.environ.get(_VARIABLE, "").strip()
    try:
        limit_s = float(text or _DEFAULT_S)
    except ValueError:
        limit_s = -1.0
    if not 0 < limit_s < float("inf"):
        raise ValueError(f"{_VARIABLE} is {text!r}; give a number of seconds above 0")
    return limit_s


@contextmanager
def interrupted_after(limit_s: float) -> Iterator[None]:
    """Interrupt the block with `OverTimeError` after `limit_s` seconds, in the main thread of a Unix process.

    An alarm that somebody else has set is put back with the time that is left of it.
    """
    if not _has_timer():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise OverTimeError

    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, interrupt)
    earlier_s, interval_s = signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if earlier_s:
            remaining_s = max(earlier_s - (time.monotonic() - began), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, remaining_s, interval_s)


def _has_timer() -> bool:
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


def call_within(limit_s: float, work: Callable[[], T]) -> T:
    """Return `work()`, which blocks.

    Raises:
        OverTimeError: It took longer than `limit_s` seconds. Outside the main thread it goes on in a thread of its own,
            whose result nobody takes.
    """
    if _has_timer():
        with interrupted_after(limit_s):
            return work()
    results: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put((True, work()))
        except BaseException as error:  # noqa: BLE001 - it belongs to the caller, in whose thread it is raised
            results.put((False, error))

    threading.Thread(target=run, name="tracejury-plugin", daemon=True).start()
    try:
        has_value, outcome = results.get(timeout=limit_s)
    except queue.Empty:
        raise OverTimeError from None
    if has_value:
        value: T = outcome
        return value
    raise outcome


class OwnTime:
    """Measures and limits the time that a coroutine takes itself, without the time in which it waits for us.

    Args:
        limit_s: Limit of its own time, in seconds.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._used_s = 0.0
        self._since = 0.0
        self._waits = 0
        self._timeout: asyncio.Timeout | None = None
        self.longest_block_s = 0.0
        """The longest time for which it held up the event loop."""

    async def run(self, coroutine: Callable[[], Awaitable[T]]) -> T:
        """Await `coroutine()`.

        Raises:
            OverTimeError: Its own time reached the limit.
        """
        self._since = time.monotonic()
        try:
            async with asyncio.timeout(self._limit_s) as self._timeout:
                return await _Sliced(coroutine, self)
        except TimeoutError:
            if self._timeout is not None and self._timeout.expired():
                raise OverTimeError from None
            raise

    async def waiting(self, awaitable: Awaitable[T]) -> T:
        """Await something of ours, such as a model call, which has a deadline of its own."""
        if self._waits == 0:
            self._used_s += time.monotonic() - self._since
            self._reschedule(None)
        self._waits += 1
        try:
            return await awaitable
        finally:
            self._waits -= 1
            if self._waits == 0:
                self._since = time.monotonic()
                self._reschedule(asyncio.get_running_loop().time() + max(self._limit_s - self._used_s, 0.0))

    @property
    def slice_limit_s(self) -> float:
        """How long the coroutine may hold up the event loop at once."""
        return self._limit_s

    def _reschedule(self, when: float | None) -> None:
        if self._timeout is not None and not self._timeout.expired():
            self._timeout.reschedule(when)


class _Sliced(Generic[T]):
    """Runs a coroutine between two awaits under the timer, and measures how long that takes."""

    def __init__(self, coroutine: Callable[[], Awaitable[T]], clock: OwnTime) -> None:
        self._coroutine = coroutine
        self._clock = clock

    def __await__(self) -> Generator[Any, Any, T]:
        iterator: Generator[Any, Any, T] | None = None
        received: Any = None
        thrown: BaseException | None = None
        while True:
            began = time.monotonic()
            try:
                with contained(), interrupted_after(self._clock.slice_limit_s):
                    if iterator is None:
                        iterator = self._coroutine().__await__()
                    if thrown is None:
                        yielded = next(iterator) if received is None else iterator.send(received)
                    else:
                        yielded = iterator.throw(thrown)
            except StopIteration as returned:
                value: T = returned.value
                return value
            finally:
                self._clock.longest_block_s = max(self._clock.longest_block_s, time.monotonic() - began)
            thrown = received = None
            try:
                received = yield yielded
            except GeneratorExit:
                iterator.close()
                raise
            except BaseException as error:  # noqa: BLE001 - a cancellation goes into the coroutine, as with `yield from`
                thrown = error
