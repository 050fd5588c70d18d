"""Ctrl-C and SIGTERM: the first lets what has begun finish, the second ends the process within a second."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from tracejury.console.failing import Exit

GRACE_S = 0.8
"""After the second signal the process has this long to end by itself."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupts(first: Callable[[], None], second: Callable[[], None]) -> Iterator[None]:
    """Call `first` at the first signal and `second` at the next ones, in a thread of their own.

    Python runs a signal handler only when the main thread is back from whatever it does: a model or a database that is
    stuck would hold up every Ctrl-C. A thread that reads the signals' file descriptor is not held up.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    old_handlers = {number: signal.signal(number, _do_nothing) for number in _SIGNALS}
    old_descriptor = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reader, first, second), name="tracejury-signals", daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(old_descriptor)
        for number, handler in old_handlers.items():
            signal.signal(number, handler)
        writer.close()


@contextmanager
def clean_stop(what_finishes: str) -> Iterator[asyncio.Event]:
    """Yield an event that the first signal sets; the second one cancels the current task. For use in a coroutine.

    Args:
        what_finishes: What the first signal lets finish, such as "steps that have begun".
    """
    from tracejury.console.screen import err

    stopping, loop, task = asyncio.Event(), asyncio.get_running_loop(), asyncio.current_task()

    def stop_cleanly() -> None:
        err.print(f"stopping: {what_finishes} will finish; press Ctrl-C again to stop at once", style="yellow")
        loop.call_soon_threadsafe(stopping.set)

    def stop_now() -> None:
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    with interrupts(stop_cleanly, stop_now):
        yield stopping


def _do_nothing(number: int, frame: object) -> None:
    """Keep Python from raising KeyboardInterrupt; the watching thread acts."""


def _watch(reader: socket.socket, first: Callable[[], None], second: Callable[[], None]) -> None:
    count = 0
    with reader:
        while data := reader.recv(1):
            if data[0] not in _SIGNALS:
                continue
            count += 1
            if count == 1:
                first()
                continue
            ending = threading.Timer(GRACE_S, end_process)
            ending.daemon = True
            ending.start()
            second()


def end_process() -> NoReturn:
    """End the process at once, whatever its threads do."""
    sys.stdout.flush()
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h\n")  # the live display hides the cursor
    sys.stderr.flush()
    os._exit(Exit.INTERRUPTED)
